#!/bin/sh
# test_cli.sh: the built command from outside: help, exit codes, one-line errors with the nearest name, and, where there
# is an OpenCL device, a short training with its JSON lines and files. CLDANN_BIN names another binary.
set -u
# shellcheck source=tests/cli_steps.sh
. "$(dirname "$0")/cli_steps.sh"
conf=$root/experiments/blobs.conf
unset CLDANN_DATA CLDANN_MIRROR

# shows TEXT ARGUMENT...: succeeds, with TEXT on standard output and nothing on standard error.
shows() {
  text=$1
  shift
  run "$@"
  [ "$rc" = 0 ] || wrong "cldann $*: exit code $rc"
  [ ! -s "$tmp/err" ] || wrong "cldann $*: something on standard error"
  grep -qF -e "$text" "$tmp/out" || wrong "cldann $*: standard output lacks: $text"
}

help_and_usage() {
  shows 'usage: cldann COMMAND' --help
  shows 'exit codes:' -h
  shows '130  interrupted' --help
  shows 'cldann ' --version
  for command in train compare eval predict embed export draw report plan bench tune reproduce runs devices check-device 'data mnist-m' 'data fetch'; do
    # shellcheck disable=SC2086 # two words are two arguments
    shows "usage: cldann $command" $command --help
    # shellcheck disable=SC2086
    shows "usage: cldann $command" $command -h
    # shellcheck disable=SC2086
    fails 2 "no option '--nonesuch'" $command --nonesuch
  done
  shows 'usage: cldann data fetch' data --help
  fails 2 'which command'
  fails 2 "did you mean 'train'?" trian
  fails 2 "did you mean '--version'?" --versoin
  fails 2 'needs an action' data
  fails 2 "did you mean 'fetch'?" data fecth
  fails 2 "did you mean '--device'?" train x.conf --devcie 0
  fails 2 'EXPERIMENT is missing' train
  fails 2 'MODEL is missing' eval
  fails 2 'one argument too many' plan a.conf b.conf
  fails 2 '--json takes no value' train x.conf --json=yes
  fails 2 '--set needs a value' train x.conf --set
  fails 2 'KEY=VALUE' train x.conf --set seed
  fails 2 'is empty' train x.conf --out ''
  fails 2 '--bsds TGZ is missing' data mnist-m --mnist "$tmp" --out "$tmp/m"
  fails 2 'not a whole number' data mnist-m --seed x
  fails 2 'out of range' data mnist-m --threads -1
  fails 2 'mnist or bsds500' data fetch nonesuch
  fails 2 'ends before it starts' compare x.conf --seeds 5-2
  fails 2 'not a whole number' compare x.conf --seeds 1,b
  fails 2 'write numbers' compare x.conf --seeds 1,,2
  fails 2 'write numbers' bench x.conf --batch 1,,2
  fails 2 'out of range' bench x.conf --batch 64,0
  fails 2 'write names' compare x.conf --methods dann,
}

no_half_written_data() {
  mkdir "$tmp/mnist"
  echo junk >"$tmp/mnist/train-images-idx3-ubyte"
  echo junk >"$tmp/junk.tgz"
  fails 4 '' data mnist-m --mnist "$tmp/mnist" --bsds "$tmp/junk.tgz" --out "$tmp/m"
  if [ -d "$tmp/m" ] && [ -n "$(ls -A "$tmp/m")" ]; then wrong "data mnist-m left files of a failure behind"; fi
}

# json_lines FILE: each line looks like one object. (jq need not be here; CI has it and looks closer.)
json_lines() {
  [ -s "$1" ] || wrong "$1 is empty"
  if grep -qv '^{.*}$' "$1"; then wrong "$1: a line that is no object"; fi
  if grep -qi 'nan\|inf[,} ]' "$1"; then wrong "$1: a number that JSON does not know"; fi
}

training() {
  fails 5 'nonesuch' train "$conf" --device nonesuch
  fails 3 '' train "$conf" --set nonesuch=1
  fails 3 '' train "$conf" --set method=dan
  fails 3 '' compare "$conf" --methods source-only,dan
  echo x >"$tmp/file"
  fails 4 '' train "$conf" --set steps=10 --quiet --out "$tmp/file/out"
  fails 4 '' eval "$conf" "$tmp/nonesuch.cldann" --quiet

  run train "$conf" --set steps=200 --set seed=3 --json --quiet --out "$tmp/run/one"
  [ "$rc" = 0 ] || wrong "train: exit code $rc"
  [ ! -s "$tmp/err" ] || wrong "train --quiet: something on standard error"
  json_lines "$tmp/out"
  head -n 1 "$tmp/out" | grep -q '"type": "progress"' || wrong "the first line is no progress"
  for key in method seed steps source_accuracy target_accuracy domain_accuracy samples_per_second device; do
    tail -n 1 "$tmp/out" | grep -q "\"$key\": " || wrong "the last line has no $key"
  done
  tail -n 1 "$tmp/out" | grep -q '"seed": 3, "steps": 200' || wrong "--set was not heard"
  json_lines "$tmp/run/one/metrics.jsonl"
  tail -n 1 "$tmp/run/one/metrics.jsonl" | grep -q '"type": "result"' || wrong "metrics.jsonl does not end with the result"
  tail -n 1 "$tmp/out" | sed 's/.*"target_accuracy": \([^,]*\),.*/\1/' >"$tmp/trained"

  run eval "$conf" "$tmp/run/one/model.safetensors" --set seed=3 --json --quiet
  [ "$rc" = 0 ] || wrong "eval: exit code $rc"
  sed 's/.*"target_accuracy": \([^,]*\),.*/\1/' "$tmp/out" | cmp -s - "$tmp/trained" || wrong "eval and train disagree"
  run eval "$tmp/run/one/model.safetensors" --json --quiet # which holds its experiment
  sed 's/.*"target_accuracy": \([^,]*\),.*/\1/' "$tmp/out" | cmp -s - "$tmp/trained" || wrong "eval of a model alone and train disagree"

  printf '0,0\n-1,0.5\n' >"$tmp/points.csv"
  run predict "$tmp/run/one/model.safetensors" "$tmp/points.csv" --quiet
  [ "$rc" = 0 ] || wrong "predict: exit code $rc"
  [ "$(head -n 1 "$tmp/out")" = item,class,probability,target ] || wrong "predict: no header"
  [ "$(grep -c '^[01],[01],[01][.][0-9]*,[01][.][0-9]*$' "$tmp/out")" = 2 ] || wrong "predict: not two items"
  run predict "$tmp/run/one/model.safetensors" "$tmp/points.csv" --json --quiet
  json_lines "$tmp/out"
  [ "$(grep -c '"probabilities": ' "$tmp/out")" = 2 ] || wrong "predict --json: not two items"
  run embed "$tmp/run/one/model.safetensors" "$tmp/points.csv" "$tmp/features.npy" --quiet
  [ "$rc" = 0 ] || wrong "embed: exit code $rc"
  [ "$(wc -c <"$tmp/features.npy")" = $((128 + 2 * 15 * 4)) ] || wrong "embed: not two rows of 15 features"
  shows '  no other settings' runs "$tmp/run/one"
  fails 4 'experiment.conf: No such' runs "$tmp/nonesuch"
  fails 2 'DIR... is missing' runs
  run export "$tmp/run/one/model.safetensors" "$tmp/blobs.c" --quiet
  [ "$rc" = 0 ] || wrong "export: exit code $rc"
  grep -q '^void blobs_predict(' "$tmp/blobs.c" || wrong "export: no blobs_predict"
  fails 2 'does not end with .c' export "$tmp/run/one/model.safetensors" "$tmp/blobs.onnx"
  fails 4 'nonesuch.csv in --data' predict "$tmp/run/one/model.safetensors" "$tmp/nonesuch.csv"
  if command -v gnuplot >/dev/null; then
    run draw "$tmp/run/one/model.safetensors" --out "$tmp/it's pictures" --quiet
    [ "$rc" = 0 ] || wrong "draw: exit code $rc"
    for picture in features classes domains units; do
      head -c 4 "$tmp/it's pictures/$picture.png" | grep -q PNG || wrong "draw: no $picture.png"
      grep -q '</svg>' "$tmp/it's pictures/$picture.svg" || wrong "draw: no $picture.svg"
    done
  else
    fails 4 'pictures need gnuplot' draw "$tmp/run/one/model.safetensors" --out "$tmp/pictures" --quiet
  fi

  run eval "$tmp/run/one/model.safetensors" --details --quiet
  [ "$(grep -c 'items, calibration error 0' "$tmp/out")" = 2 ] || wrong "eval --details: not two test sets"
  run eval "$tmp/run/one/model.safetensors" --details --json --quiet
  json_lines "$tmp/out"
  [ "$(grep -c '"type": "detail"' "$tmp/out")" = 2 ] || wrong "eval --details --json: not two test sets"

  run train "$conf" --set steps=200
  [ "$rc" = 0 ] || wrong "train: exit code $rc"
  grep -q 'target accuracy' "$tmp/out" || wrong "train: no summary"
  [ "$(wc -l <"$tmp/err")" -le 60 ] || wrong "train: too many lines of progress"

  run compare "$conf" --set steps=100 --seeds 1-2 --quiet
  [ "$rc" = 0 ] || wrong "compare: exit code $rc"
  [ "$(grep -c '^source-only  *[12] \|^dann  *[12] ' "$tmp/out")" = 4 ] || wrong "compare: not four runs in the table"
  [ "$(grep -c ' mean ' "$tmp/out")" = 2 ] || wrong "compare: not two means in the table"
  grep -q '^dann gains ' "$tmp/out" || wrong "compare: no gain"
  run compare "$conf" --set steps=100 --methods dann --json --quiet
  json_lines "$tmp/out"
  tail -n 1 "$tmp/out" | grep -q '"type": "mean", "method": "dann"' || wrong "compare --json: no mean at the end"

  printf 'title = "T"; source = "S"; quick = ( "steps=50" ); rows = (
    { name = "so"; floor = true; experiment = "%s"; set = ( "method=source-only" ); },
    { name = "da"; experiment = "%s"; published = ( { by = "P"; target = 0.9; } ); } );\n' "$conf" "$conf" >"$tmp/mine.conf"
  run reproduce "$tmp/mine.conf" --quick --quiet --seeds 4-5 --out "$tmp/rep"
  [ "$rc" = 0 ] || wrong "reproduce: exit code $rc"
  [ "$(grep -c '^so  \|^da  ' "$tmp/out")" = 2 ] || wrong "reproduce: not two rows"
  grep -q '0.9000 P$' "$tmp/out" || wrong "reproduce: no published figure"
  [ "$(wc -l <"$tmp/rep/mine.csv")" = 5 ] || wrong "reproduce: not a heading and four runs in the CSV"
  grep -q '^| da | ' "$tmp/rep/mine.md" || wrong "reproduce: no row in the Markdown"
  grep -q '^steps = 50;$' "$tmp/rep/da-5/experiment.conf" || wrong "reproduce: the run's experiment is not there"
  run train "$tmp/rep/da-5/experiment.conf" --quiet --out "$tmp/again"
  cmp -s "$tmp/again/model.safetensors" "$tmp/rep/da-5/model.safetensors" || wrong "the run's experiment is another run"
  fails 2 "there is no table 'nonesuch'" reproduce nonesuch
  fails 3 'nonesuch' reproduce "$tmp/mine.conf" --set nonesuch=1 --quiet

  shows 'device memory: ' plan "$conf"
  shows ' MB streamed' plan "$root/experiments/digits.conf" --set device_memory=20
  fails 1 'set device_memory to ' plan "$conf" --set device_memory=0.001
  fails 3 'device_memory' plan "$conf" --set device_memory=-1

  fails 2 'is odd' bench "$conf" --batch 7
  run bench "$conf" --json
  [ "$rc" = 0 ] || wrong "bench: exit code $rc"
  json_lines "$tmp/out"
  head -n 1 "$tmp/out" | grep -q '"type": "launch"' || wrong "bench --json: the first line is no launch"
  for key in step_ms samples_per_second gflops_dense gflops_true peak_gflops peak_fraction peak_gbytes batch device; do
    tail -n 1 "$tmp/out" | grep -q "\"$key\": " || wrong "bench --json: the last line has no $key"
  done
  run bench "$conf" --inference --batch 1,64
  [ "$rc" = 0 ] || wrong "bench --inference: exit code $rc"
  [ "$(grep -c '^ *\(1\|64\)  *[0-9]' "$tmp/out")" = 2 ] || wrong "bench --batch 1,64: not a line each"
}

# SIGTERM, since a shell starts what runs in the background with SIGINT ignored. The first window must have passed.
interruption() {
  "$bin" train "$conf" --set steps=1000000000 --quiet --out "$tmp/long" >"$tmp/out" 2>"$tmp/err" &
  process=$!
  waited=0
  while [ ! -s "$tmp/long/metrics.jsonl" ] && [ "$waited" -lt 60 ] && kill -0 "$process" 2>/dev/null; do
    sleep 1
    waited=$((waited + 1))
  done
  kill "$process" 2>/dev/null
  rc=0
  wait "$process" || rc=$?
  [ "$rc" = 130 ] || wrong "interrupted: exit code $rc, not 130"
  [ "$(wc -l <"$tmp/err")" = 1 ] || wrong "interrupted: not one line of error"
  json_lines "$tmp/long/metrics.jsonl"
  [ -s "$tmp/long/checkpoint.safetensors" ] || wrong "interrupted: no checkpoint"
  fails 4 'holds a run already' train "$conf" --set steps=5 --quiet --out "$tmp/long"
  fails 3 'is of another experiment' train "$conf" --set steps=5 --quiet --resume --out "$tmp/long"
  fails 4 'to go on from' train "$conf" --set steps=5 --quiet --resume --out "$tmp/never"
  fails 2 'give --out DIR' train "$conf" --set steps=5 --quiet --resume
  run train "$conf" --set steps=5 --quiet --overwrite --out "$tmp/long"
  [ "$rc" = 0 ] || wrong "train --overwrite: exit code $rc"
  [ ! -e "$tmp/long/checkpoint.safetensors" ] || wrong "a checkpoint is left behind a training that is done"
}

help_and_usage
no_half_written_data
run devices --json
if [ "$rc" = 0 ]; then
  json_lines "$tmp/out"
  training
  interruption
  if [ -e /dev/full ]; then
    rc=0
    "$bin" devices >/dev/full 2>"$tmp/err" || rc=$?
    : >"$tmp/out"
    [ "$rc" = 4 ] || wrong "a full disk for standard output: exit code $rc, not 4"
  fi
elif [ "${CLDANN_REQUIRE_DEVICE:-0}" = 1 ] || [ "$rc" != 5 ]; then
  wrong "devices: exit code $rc"
elif [ -z "$failed" ]; then
  echo "skipped in part: no OpenCL device"
  exit 77
fi
[ -z "$failed" ]
