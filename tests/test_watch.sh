#!/bin/sh
# test_watch.sh: the page of a run in a browser: while it trains, when it is over, without gnuplot; what is asked wrongly; and that
# nothing of it outlives the training.
set -u
# shellcheck source=tests/cli_steps.sh
. "$(dirname "$0")/cli_steps.sh"
blobs=$root/experiments/blobs.conf
long="--set steps=1000000000 --set log_every=500"
unset CLDANN_DATA
command -v python3 >/dev/null || { echo "skipped: no python3, which is the browser here"; exit 77; }
process=
trap 'kill $process 2>/dev/null; rm -rf "$tmp"' EXIT
mkdir "$tmp/empty" "$tmp/left" "$tmp/bin"
TMPDIR=$tmp/left
export TMPDIR
where=$PATH # of the command, which looks for gnuplot there
cat >"$tmp/ask.py" <<'END'
import http.client, sys
method, host, port, path = sys.argv[1:5]
try:
    c = http.client.HTTPConnection(host, int(port), timeout=60)
    c.request(method, path, b"x" if method == "POST" else None, {"Host": sys.argv[6]} if len(sys.argv) > 6 else {})
    r = c.getresponse()
    head = "".join(f"{k}: {v}\n" for k, v in r.getheaders())
    open(sys.argv[5] + ".head", "w").write(head)
    open(sys.argv[5], "wb").write(r.read())
    print(r.status)
except ConnectionRefusedError:
    print("refused")
END
# ask METHOD PATH [HOST [NAME]]: by another NAME of the host's; fills page, page.head and answer, a status or "refused".
ask() {
  : >"$tmp/page"
  answer=$(python3 "$tmp/ask.py" "$1" "${3:-127.0.0.1}" "$port" "$2" "$tmp/page" ${4+"$4"} 2>&1)
}
has() { # TEXT
  grep -qF -e "$1" "$tmp/page" || wrong "the page lacks: $1"
}
# until_true COMMAND...: within a minute.
until_true() {
  waited=0
  until "$@"; do
    [ "$waited" -lt 600 ] || return 1
    sleep 0.1
    waited=$((waited + 1))
  done
}
# A shell starts what runs in the background with SIGINT ignored; env can undo that, else SIGTERM stands in.
if env --default-signal=INT true 2>/dev/null; then undo=--default-signal=INT stop=INT code=130; else undo='' stop=TERM code=143; fi
# starts ARGUMENT...: in the background; fills process and, once it is told, port.
starts() {
  rm -f "$tmp/out" "$tmp/err"
  # shellcheck disable=SC2086 # nothing is no argument
  env $undo PATH="$where" "$bin" "$@" >"$tmp/out" 2>"$tmp/err" </dev/null &
  process=$!
  until_true told || wrong "cldann $*: no address"
  port=$(cat "$tmp/out" "$tmp/err" | sed -n 's|.*http://127.0.0.1:\([0-9]*\)/.*|\1|p')
}
told() { cat "$tmp/out" "$tmp/err" 2>/dev/null | grep -q 'http://127.0.0.1:[1-9][0-9]*/' || ! kill -0 "$process" 2>/dev/null; }
# ends: fills rc. A process that waits for ever, as for a page that outlives the training, is killed after two minutes.
ends() {
  (
    waited=0
    while [ "$waited" -lt 1200 ]; do sleep 0.1; waited=$((waited + 1)); done
    kill -s KILL "$process"
  ) >/dev/null 2>&1 </dev/null &
  guard=$!
  rc=0
  wait "$process" 2>/dev/null || rc=$?
  process=
  if ! kill "$guard" 2>/dev/null; then
    wrong "the command does not end"
    exit 1
  fi
  wait "$guard" 2>/dev/null
}
# stops SIGNAL CODE: and nobody listens any more.
stops() {
  kill -s "$1" "$process"
  ends
  [ "$rc" = "$2" ] || wrong "SIG$1: exit code $rc, not $2"
  [ "$2" = 137 ] || gone || wrong "SIG$1: the page is still there"
}
watched() { # ARGUMENT...: as run
  "$bin" "$@" >"$tmp/out" 2>"$tmp/err" </dev/null &
  process=$!
  ends
}
gone() {
  ask GET /
  [ "$answer" = refused ]
}
trains() {
  ask GET /
  grep -q 'Step <b>[1-9]' "$tmp/page"
}

# A port that is taken, with a folder in which a run is about to begin.
mkdir "$tmp/begun"
: >"$tmp/begun/metrics.jsonl"
python3 -c 'import socket, subprocess, sys
s = socket.socket(); s.bind(("127.0.0.1", 0)); s.listen()
sys.exit(subprocess.call(sys.argv[1:] + ["--port", str(s.getsockname()[1])], timeout=60))' "$bin" watch "$tmp/begun" \
  >"$tmp/out" 2>"$tmp/err"
rc=$?
if grep -q 'built without libmicrohttpd' "$tmp/err"; then
  fails 4 'built without libmicrohttpd' watch "$tmp/begun"
  [ -n "$failed" ] || { echo "skipped: built without libmicrohttpd"; exit 77; }
  exit 1
fi
[ "$rc" = 4 ] || wrong "a port in use: exit code $rc"
grep -q '^cldann: port [0-9]* is in use; give another --port' "$tmp/err" || wrong "a port in use: no line with the fix"
fails 2 'out of range' watch "$tmp/begun" --port 65536
fails 2 'DIR is missing' watch
fails 4 "name a folder that 'cldann train --out' made" watch "$tmp/empty"
fails 2 '--port is of --watch' train "$blobs" --port 0
fails 2 'give --out DIR' train "$blobs" --watch

starts watch "$tmp/begun" --port 0
ask GET /
[ "$answer" = 200 ] || wrong "before the training: $answer"
has 'The training has not begun'
ask GET / 127.0.0.1 elsewhere.example
[ "$answer" = 403 ] || wrong "by a name that is not this machine's: $answer"
ask GET / 127.0.0.1 "LocalHost:$port"
[ "$answer" = 200 ] || wrong "by localhost: $answer"
python3 "$root/tests/html_page.py" "$tmp/page" >"$tmp/words" 2>"$tmp/err" || wrong "before the training: not the page it should be"
stops "$stop" "$code"

run devices
if [ "$rc" != 0 ]; then
  [ "${CLDANN_REQUIRE_DEVICE-}" != 1 ] || { wrong "no device"; exit 1; }
  [ -z "$failed" ] || exit 1
  echo "skipped in part: no OpenCL device"
  exit 77
fi
watched train "$tmp/nonesuch.conf" --watch --port 0 --out "$tmp/never"
{ [ "$rc" != 0 ] && [ ! -e "$tmp/never" ]; } || wrong "a training that does not begin leaves its folder"

# While it trains.
# shellcheck disable=SC2086 # words
starts train "$blobs" $long --watch --port 0 --out "$tmp/run"
[ "$(grep -c '^watch it at http://127.0.0.1:[0-9]*/$' "$tmp/err")" = 1 ] || wrong "train --watch: not one line with the address"
until_true trains || wrong "no step on the page"
has '<meta http-equiv="refresh" content="5"/>'
has '<h1>blobs: dann, seed 1</h1>'
has 'of 1000000000, about '
has '<th scope="row">label loss</th><td>0.'
has '<th scope="row">domain accuracy</th><td>'
has '<h2>Warnings</h2>'
has 'log_every = 500;'
pictures=1
command -v gnuplot >/dev/null || pictures=0
python3 "$root/tests/html_page.py" "$tmp/page" >"$tmp/words" 2>"$tmp/bad" || { cat "$tmp/bad"; wrong "not the page it should be"; }
[ "$(wc -l <"$tmp/words")" = "$pictures" ] || wrong "not $pictures pictures"
grep -qi '^content-type: text/html; charset=utf-8$' "$tmp/page.head" || wrong "GET: no content type"
ask HEAD /
{ [ "$answer" = 200 ] && [ ! -s "$tmp/page" ]; } || wrong "HEAD: $answer, or a body"
grep -qi '^content-length: [1-9]' "$tmp/page.head" || wrong "HEAD: no length"
ask GET /metrics.jsonl
[ "$answer" = 404 ] || wrong "another path: $answer"
for method in POST PUT DELETE OPTIONS; do
  ask $method /
  [ "$answer" = 405 ] || wrong "$method: $answer"
done
grep -qi '^allow: GET, HEAD$' "$tmp/page.head" || wrong "405 without the methods there are"
ask GET / 127.0.0.2 # all of 127/8 is this machine on Linux; elsewhere nothing answers there either
[ "$answer" != 200 ] || wrong "it listens on more than 127.0.0.1"
[ ! -e "$tmp/run/curves.svg" ] || wrong "the page draws into the folder of the run"
stops "$stop" "$code"
# shellcheck disable=SC2086
starts train "$blobs" $long --watch --port 0 --out "$tmp/run" --overwrite
stops KILL 137
until_true gone || wrong "the page outlives a training that was killed"

# It was stopped; the curves are drawn again only when there is more to draw.
if [ "$pictures" = 1 ]; then
  # shellcheck disable=SC2016 # the script's own
  printf '#!/bin/sh\n[ "$1" = --version ] || echo >>"%s"\nexec "%s" "$@"\n' "$tmp/drawn" "$(command -v gnuplot)" >"$tmp/bin/gnuplot"
  chmod +x "$tmp/bin/gnuplot"
  run train "$blobs" --set steps=100 --set log_every=10 --no-report --quiet --out "$tmp/done"
  where=$tmp/bin:$PATH
  starts watch "$tmp/done" --port 0
  ask GET /
  ask GET /
  [ "$(wc -l <"$tmp/drawn")" = 1 ] || wrong "two looks: not one drawing"
  grep -v '"result"' "$tmp/done/metrics.jsonl" | tail -n 1 >"$tmp/line"
  cat "$tmp/line" >>"$tmp/done/metrics.jsonl"
  ask GET /
  [ "$(wc -l <"$tmp/drawn")" = 2 ] || wrong "another line: not another drawing"
  has "'cldann report' makes it"
  has '<h2>Result</h2>'
  stops "$stop" "$code"
fi

# To the end: the report, which is the same file and does not renew itself; and the page is gone with the training.
watched train "$blobs" --set steps=200 --set log_every=20 --watch --port 0 --quiet --out "$tmp/whole"
[ "$rc" = 0 ] || wrong "train --watch: exit code $rc"
starts watch "$tmp/whole" --port 0
ask GET /
[ "$answer" = 200 ] || wrong "the report: $answer"
cmp -s "$tmp/page" "$tmp/whole/report.html" || wrong "a run that is over: not its report"
if grep -q http-equiv=.refresh "$tmp/page"; then wrong "the report renews itself"; fi
stops TERM 143
# Another training in that folder: not the report of the one before.
# shellcheck disable=SC2086
starts train "$blobs" $long --watch --port 0 --overwrite --out "$tmp/whole"
ask GET /
has 'http-equiv="refresh"'
until_true trains || wrong "train --overwrite: no step on the page"
sed '1s/./[/' "$tmp/whole/metrics.jsonl" >"$tmp/begun/metrics.jsonl"
cp "$tmp/whole/experiment.conf" "$tmp/begun"
cp "$tmp/whole/metrics.jsonl" "$tmp/line"
stops "$stop" "$code"

# Damage, and no gnuplot.
where=$tmp/empty
starts watch "$tmp/begun" --port 0
ask GET /
[ "$answer" = 500 ] || wrong "a damaged file: $answer"
has 'metrics.jsonl:1: '
cat "$tmp/line" >"$tmp/begun/metrics.jsonl"
ask GET /
[ "$answer" = 200 ] || wrong "without gnuplot: $answer"
has 'gnuplot is not here; install it'
stops "$stop" "$code"
[ -z "$(ls -A "$tmp/left")" ] || wrong "something is left in TMPDIR"
[ -z "$failed" ]
