#!/bin/sh
# test_progress.sh: how a training looks while it runs. In a pipe plain lines; on a terminal (script(1) gives one) a line that is
# redrawn, no longer than the terminal is wide, with the time that is left, and gone at the end; nothing with --quiet; objects
# with --json; never a colour.
set -u
# shellcheck source=tests/cli_steps.sh
. "$(dirname "$0")/cli_steps.sh"
train="train $root/experiments/blobs.conf --set steps=400 --set log_every=50"
escape=$(printf '\033')
return=$(printf '\r')

run devices --json
if [ "$rc" != 0 ]; then
  [ "${CLDANN_REQUIRE_DEVICE-}" != 1 ] || { wrong "no device"; exit 1; }
  echo "skipped: no OpenCL device"
  exit 77
fi

# lacks WHAT FILE CHARACTER
lacks() {
  if grep -q "$3" "$2"; then wrong "$1"; fi
}
# on_terminal COLUMNS [ARGUMENT...]: out gets what the terminal would, without its own line ends and script's two lines.
on_terminal() {
  columns=$1
  shift
  script -qec "stty cols $columns; exec '$bin' $train $*" "$tmp/screen" </dev/null >/dev/null 2>"$tmp/err"
  sed -e '/^Script [a-z]* on /d' -e "s/$return\$//" "$tmp/screen" >"$tmp/out"
}
# redrawn: one by one what the redrawn line was.
redrawn() { tr '\r' '\n' <"$tmp/out" | sed -n "s/${escape}\[K.*//p" | grep .; }

# shellcheck disable=SC2086 # words are meant
run $train
[ "$(grep -c '^step [0-9]*/400  label loss .*  ETA [0-9]*:[0-9][0-9]$' "$tmp/err")" -ge 4 ] || wrong "a pipe: not a line a report"
lacks "a pipe: not plain" "$tmp/err" "[$escape$return]"
lacks "a pipe: not plain" "$tmp/out" "[$escape$return]"
# shellcheck disable=SC2086
run $train --quiet
[ ! -s "$tmp/err" ] || wrong "--quiet: something on standard error"
[ "$(wc -l <"$tmp/out")" = 4 ] || wrong "--quiet: not the result alone"
# shellcheck disable=SC2086
run $train --json
[ "$(grep -c '^{"type": "progress", .*}$' "$tmp/out")" = 8 ] || wrong "--json: not an object a report"
lacks "--json: plain lines too" "$tmp/err" '^step '
fails 3 'nonesuch' train "$root/experiments/blobs.conf" --set nonesuch=1 --quiet

if ! script -qec true /dev/null </dev/null >/dev/null 2>&1; then
  [ -n "$failed" ] || { echo "skipped in part: no script(1) to make a terminal with"; exit 77; }
  exit 1
fi
unset NO_COLOR
TERM=xterm
export TERM
for columns in 80 40; do
  on_terminal $columns
  [ "$(redrawn | grep -c '^[0-9]*/400 ETA [0-9]*:[0-9][0-9] label')" -ge 4 ] || wrong "$columns columns: no line with the time left"
  redrawn | awk -v most=$((columns - 1)) 'length > most { bad = 1 } END { exit bad }' || wrong "$columns columns: a line that wraps"
  grep -q "$return$escape\[Kdann, seed 1: " "$tmp/out" || wrong "$columns columns: the line stays on the screen"
  # Colours would be for NO_COLOR to turn off: the only sequence is the one that clears a line's end.
  sed "s/$escape\[K//g" "$tmp/out" >"$tmp/rest"
  lacks "$columns columns: other escapes" "$tmp/rest" "$escape"
done
on_terminal 160
redrawn | grep -q '/s \[=*>  *\]$' || wrong "a wide terminal: no bar"
on_terminal 80 --quiet
lacks "--quiet on a terminal" "$tmp/out" "$escape\|/400\|ETA"
[ "$(grep -c accuracy "$tmp/out")" = 3 ] || wrong "--quiet on a terminal: no result"
on_terminal 80 --json
lacks "--json on a terminal: a redrawn line among the objects" "$tmp/out" "$escape"
grep -q '^{"type": "result"' "$tmp/out" || wrong "--json on a terminal: no result"
TERM=dumb
on_terminal 80
lacks "a dumb terminal: escapes" "$tmp/out" "$escape"
grep -q '^step [0-9]*/400 ' "$tmp/out" || wrong "a dumb terminal: no plain lines"
[ -z "$failed" ]
