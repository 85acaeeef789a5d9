# cli_steps.sh: what the scripts that try the command share; read by them (.). Gives root, bin, tmp (removed at the end) and failed,
# which a script ends on.
root=$(cd "${CLDANN_SRCDIR:-$(dirname "$0")/..}" && pwd)
bin=${CLDANN_BIN:-${CLDANN_BUILDDIR:-.}/cldann}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
failed=
[ -x "$bin" ] || { echo "no command at $bin"; exit 1; }

wrong() {
  echo "$1"
  sed 's/^/    /' "$tmp/out" "$tmp/err"
  failed=yes
}
run() { # ARGUMENT...: fills out, err and rc
  rc=0
  "$bin" "$@" >"$tmp/out" 2>"$tmp/err" </dev/null || rc=$?
}
# fails CODE TEXT ARGUMENT...: exit code CODE, nothing on standard output, one line on standard error with TEXT in it.
fails() {
  want=$1 text=$2
  shift 2
  run "$@"
  [ "$rc" = "$want" ] || wrong "cldann $*: exit code $rc, not $want"
  [ ! -s "$tmp/out" ] || wrong "cldann $*: an error, but something on standard output"
  { [ "$(wc -l <"$tmp/err")" = 1 ] && grep -q '^cldann: ' "$tmp/err"; } || wrong "cldann $*: not one line 'cldann: ...'"
  grep -qF -e "$text" "$tmp/err" || wrong "cldann $*: the error lacks: $text"
}
