#!/usr/bin/env bash
# test_complete.sh: completion in bash, as bash would ask for it, and in zsh, where there is one: commands, options, devices,
# tables, and the files that an argument or an option's value may be.
set -u
# shellcheck source=tests/cli_steps.sh
. "$(dirname "$0")/cli_steps.sh"
PATH=$(dirname "$bin"):$PATH
complete_cldann=$root/completions/cldann
mkdir -p "$tmp/here/folder/inner"
cd "$tmp/here" || exit 1
touch mine.conf other.txt "with blank.conf" m.safetensors

# shellcheck source=completions/cldann
. "$complete_cldann"
# offers ANSWERS WORD...: what comes of the last word, in the order of the alphabet, with blanks between.
offers() {
  local want=$1 got
  shift
  COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
  _cldann
  got=$(printf '%s\n' "${COMPREPLY[@]}" | LC_ALL=C sort | tr '\n' ' ')
  [ "$got" = "${want:+$want }" ] || [ "$got$want" = ' ' ] || { echo "$*: $got, not $want"; failed=yes; }
}
offers 'train tune' "$bin" t
offers 'data devices draw' "$bin" d
offers '--help' "$bin" --h
offers 'digits fetch mnist-m sheet' "$bin" data ''
offers '--data --details --device' "$bin" eval --d
offers 'folder mine.conf with blank.conf' "$bin" train ''
offers 'mine.conf' "$bin" train m
offers 'mine.conf' "$bin" train --json --device 0 m
offers 'm.safetensors mine.conf' "$bin" eval m
offers 'm.safetensors' "$bin" eval mine.conf m
offers 'folder' "$bin" train mine.conf --out ''
offers 'folder' "$bin" train mine.conf --out =
offers 'folder' "$bin" train mine.conf --out = fo
offers 'folder/inner' "$bin" runs folder folder/
offers 'other.txt' "$bin" predict m.safetensors o
offers 'plain' "$bin" runs --format p
offers 'bsds500 mnist' "$bin" data fetch ''
offers 'dann domain-only' "$bin" compare mine.conf --methods d
offers '' "$bin" train mine.conf --set ''
offers '' "$bin" nonesuch ''
offers '' "$bin" train mine.conf too
offers "$("$bin" devices --json 2>/dev/null | sed 's/^{"index": \([0-9]*\),.*/\1/' | tr '\n' ' ' | sed 's/ $//')" "$bin" train --device ''
ln -s "$root/experiments" experiments
offers 'mnist-mnistm mnist-mnistm-bn mnist-mnistm-jmlr mnist-usps' "$bin" reproduce mn
# Registered for the command, also where bash-completion is not.
complete -p cldann >/dev/null || { echo "bash does not know of it"; failed=yes; }

# In zsh: what would be shown, by a stand-in for the completion system.
in_zsh() { # WORD...: what completes the last of them, into out and err
  zsh -f -c '
    _describe() { shift 2; print -l -- "${(@P)1}"; }
    _files() { print -r -- "files $*"; }
    file=$1; shift
    functions[_cldann]=$(<$file)
    words=("$@") CURRENT=$#
    _cldann' zsh "$root/completions/_cldann" "$bin" "$@" >"$tmp/out" 2>"$tmp/err"
}
if command -v zsh >/dev/null; then
  in_zsh train ''
  [ "$(cat "$tmp/out" "$tmp/err")" = 'files -g *.conf' ] || wrong "zsh, behind train:"
  in_zsh ''
  { grep -qx 'devices:list the OpenCL devices' "$tmp/out" && [ ! -s "$tmp/err" ]; } || wrong "zsh, the commands:"
fi
[ -z "$failed" ]
