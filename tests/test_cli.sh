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
  for command in init train compare eval predict embed export draw plan bench tune reproduce report runs watch devices check-device 'data mnist-m' 'data fetch' 'data digits'; do
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

# Data of one's own: an experiment that is refused where it would replace something.
own_data() {
  fails 2 'TARGET is missing' init "$tmp"
  fails 4 'nonesuch in --data' init "$tmp/nonesuch" "$tmp" --out "$tmp/own.conf"
  { echo a,b,kind && seq 60 | awk '{ print $1 % 7 "," $1 % 2 "," ($1 % 2 ? "x" : "y") }'; } >"$tmp/source.csv"
  { echo a,b && seq 60 | awk '{ print $1 % 5 "," $1 % 2 }'; } >"$tmp/target.csv"
  shows 'labels kind' init "$tmp/source.csv" "$tmp/target.csv" --labels kind --out "$tmp/own.conf"
  grep -q '2 classes: x (30), y (30)' "$tmp/out" || wrong "init: no classes"
  grep -q '^  no labels$' "$tmp/out" || wrong "init: no word of the target's lack of labels"
  fails 4 'give --overwrite' init "$tmp/source.csv" "$tmp/target.csv" --labels kind --out "$tmp/own.conf"
  run init "$tmp/source.csv" "$tmp/target.csv" --labels kind --out "$tmp/own.conf" --overwrite --json
  [ "$rc" = 0 ] || wrong "init --overwrite: exit code $rc"
  json_lines "$tmp/out"
  [ "$(grep -c '"type": "set"' "$tmp/out")" = 2 ] || wrong "init --json: not two sets"
  shows '2000 images each' data digits --out "$tmp/digits"
  [ "$(find "$tmp/digits/source/3" -name '*.png' | wc -l)" = 200 ] || wrong "data digits: not 200 threes"
  fails 4 'is there already' data digits --out "$tmp/digits"
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
  cp "$tmp/out" "$tmp/predicted"
  for form in '0,0\n-1,0.5\n' '[0, 0]\n[-1, 0.5]\n'; do
    # shellcheck disable=SC2059 # the forms are formats
    printf "$form" | TMPDIR=$tmp "$bin" predict "$tmp/run/one/model.safetensors" - >"$tmp/out" 2>"$tmp/err"
    cmp -s "$tmp/out" "$tmp/predicted" || wrong "predict -: not as of the file"
  done
  TMPDIR=$tmp "$bin" predict "$tmp/run/one/model.safetensors" - </dev/null >"$tmp/out" 2>"$tmp/err" && wrong "predict - of nothing succeeds"
  grep -q '^cldann: .*is empty' "$tmp/err" || wrong "predict -: no word of its being empty"
  for left in "$tmp"/cldann-input-*; do [ ! -e "$left" ] || wrong "predict - left $left behind"; done
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
  fails 2 'ends with neither .c nor .onnx' export "$tmp/run/one/model.safetensors" "$tmp/blobs.pb"
  run export "$tmp/run/one/model.safetensors" "$tmp/blobs.onnx" --quiet
  if [ "$rc" = 0 ]; then
    grep -q probabilities "$tmp/blobs.onnx" || wrong "export: no ONNX"
  else
    grep -q 'install protobuf-c' "$tmp/err" || wrong "export: exit code $rc, and not for want of protobuf-c"
  fi
  fails 4 'nonesuch.csv in --data' predict "$tmp/run/one/model.safetensors" "$tmp/nonesuch.csv"
  if command -v gnuplot >/dev/null; then
    pictures="$tmp/it's
pictures 100%" # a path may have any name
    run draw "$tmp/run/one/model.safetensors" --out "$pictures" --quiet
    [ "$rc" = 0 ] || wrong "draw: exit code $rc"
    for picture in features features-tsne classes domains units; do
      head -c 4 "$pictures/$picture.png" | grep -q PNG || wrong "draw: no $picture.png"
      grep -q '</svg>' "$pictures/$picture.svg" || wrong "draw: no $picture.svg"
    done
    grep -q "t-SNE (perplexity 30, divergence 0[.]" "$pictures/features-tsne.svg" || wrong "draw: no perplexity in the title"
    [ "$(grep -c '^-*[0-9]' "$pictures/features-tsne.gp")" = 600 ] || wrong "draw: not 300 points of each domain"
    grep -m1 "title 'source'" "$pictures/domains.gp" | grep -o "title '[a-z]*'[^,]*" >"$tmp/legend"
    printf "title 'source'\ntitle 'target'\n" | cmp -s - "$tmp/legend" || wrong "draw: the legend of domains is not of domains"
    run draw "$tmp/run/one/model.safetensors" --out "$tmp/few" --points 20 --quiet
    [ "$(grep -c '^-*[0-9]' "$tmp/few/features-tsne.gp")" = 40 ] || wrong "draw --points 20: not 20 of each domain"
    grep -q "t-SNE (perplexity 13, " "$tmp/few/features-tsne.gp" || wrong "draw: perplexity is not a third of the others"
    fails 2 'points' draw "$tmp/run/one/model.safetensors" --points 5001
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
  shows ' random rows with 1 entries each on ' bench "$conf" --entries 1
  run bench "$conf" --inference --batch 1,64
  [ "$rc" = 0 ] || wrong "bench --inference: exit code $rc"
  [ "$(grep -c '^ *\(1\|64\)  *[0-9]' "$tmp/out")" = 2 ] || wrong "bench --batch 1,64: not a line each"
}

# A shell starts what runs in the background with SIGINT ignored; env can undo that.
can_undo() {
  env --default-signal=INT true 2>/dev/null
}

# stopped_by 'SIGNAL...' [OPTION...]: a long training, stopped when its first window has passed; fills rc.
stopped_by() {
  signals=$1
  shift
  undo=
  if can_undo; then undo='env --default-signal=INT,TERM,HUP'; fi
  rm -f "$tmp/err"
  # shellcheck disable=SC2086 # words
  $undo "$bin" train "$conf" --set steps=1000000000 --out "$tmp/long" "$@" >"$tmp/out" 2>"$tmp/err" &
  process=$!
  waited=0
  while ! grep -qs '^step ' "$tmp/err" && [ "$waited" -lt 600 ] && kill -0 "$process" 2>/dev/null; do
    sleep 0.1
    waited=$((waited + 1))
  done
  for one in $signals; do kill -s "$one" "$process" 2>/dev/null; done
  rc=0
  wait "$process" 2>/dev/null || rc=$?
}

# stops_by SIGNAL CODE [OPTION...]: and says so in a line.
stops_by() {
  signal=$1 code=$2
  shift 2
  stopped_by "$signal" "$@"
  [ "$rc" = "$code" ] || wrong "SIG$signal: exit code $rc, not $code"
  [ "$(grep -c '^cldann: stopped at step' "$tmp/err")" = 1 ] || wrong "SIG$signal: not a line that says so"
}

# Images: each answer says whose it is, whatever the bytes of its name.
images() {
  run init "$tmp/digits/source" "$tmp/digits/target" --out "$tmp/images.conf"
  odd=$tmp/$(printf 'im\351ges.conf')
  cp "$tmp/images.conf" "$odd"
  run train "$odd" --set steps=5 --set data.target_test.count=10 --quiet --no-report --out "$tmp/images"
  [ "$rc" = 0 ] || wrong "train on images: exit code $rc"
  set -- "$tmp"/digits/target/3/*
  mkdir "$tmp/new"
  cp "$1" "$tmp/new/b, c.png"
  cp "$2" "$tmp/new/$(printf 'a\351.png')"
  run predict "$tmp/images/model.safetensors" "$tmp/new" --quiet
  [ "$(head -n 1 "$tmp/out")" = item,class,probability,target,file ] || wrong "predict of images: no header"
  grep -q "^1,.*,\"$tmp/new/b, c.png\"\$" "$tmp/out" || wrong "predict of images: not their names"
  run predict "$tmp/images/model.safetensors" "$tmp/new" --quiet --json
  json_lines "$tmp/out"
  grep -q "\"file\": \"$tmp/new/a$(printf '\357\277\275').png\"" "$tmp/out" || wrong "predict --json of images: not their names"
}

interruption() {
  stops_by TERM 143
  json_lines "$tmp/long/metrics.jsonl"
  set -- "$tmp"/long/checkpoint-*.safetensors
  { [ $# = 1 ] && [ -s "$1" ]; } || wrong "interrupted: not one checkpoint: $*"
  fails 4 'holds a run already' train "$conf" --set steps=5 --quiet --out "$tmp/long"
  fails 3 'is of another experiment' train "$conf" --set steps=5 --quiet --resume --out "$tmp/long"
  fails 4 'to go on from' train "$conf" --set steps=5 --quiet --resume --out "$tmp/never"
  fails 2 'give --out DIR' train "$conf" --set steps=5 --quiet --resume
  stops_by HUP 129 --resume
  if can_undo; then
    stops_by INT 130 --resume
    stopped_by 'INT TERM' --resume
    [ "$rc" = 143 ] || [ "$rc" = 130 ] || wrong "a second signal: exit code $rc" # a thread may take the second first
    if grep -q '^cldann: ' "$tmp/err"; then wrong "a second signal: it did not end the process at once"; fi
  fi
  run train "$conf" --set steps=5 --quiet --overwrite --out "$tmp/long"
  [ "$rc" = 0 ] || wrong "train --overwrite: exit code $rc"
  fails 4 'came to its end' train "$conf" --set steps=5 --quiet --resume --out "$tmp/long"
  set -- "$tmp"/long/checkpoint-*
  [ ! -e "$1" ] || wrong "a checkpoint is left behind a training that is done"
}

# A full disk is a line and exit code 4. (What is left of the files then: tests/train_checkpoint.c.)
full_disk() {
  [ -e /dev/full ] || return 0
  rc=0
  "$bin" devices >/dev/full 2>"$tmp/err" || rc=$?
  : >"$tmp/out"
  [ "$rc" = 4 ] || wrong "a full disk for standard output: exit code $rc, not 4"
  awk 'BEGIN { for (i = 0; i < 2000; i++) print i % 7 "," i % 5 }' >"$tmp/many.csv"
  rc=0
  "$bin" predict "$tmp/run/one/model.safetensors" "$tmp/many.csv" --quiet >/dev/full 2>"$tmp/err" || rc=$?
  [ "$rc" = 4 ] || wrong "predict to a full disk: exit code $rc, not 4"
  grep -q '^cldann: cannot write standard output: No space left' "$tmp/err" || wrong "predict to a full disk: no word of it"
  mkdir "$tmp/full"
  ln -s /dev/full "$tmp/full/metrics.jsonl"
  fails 4 'metrics.jsonl: No space left on device; free some space' train "$conf" --set steps=5 --quiet --out "$tmp/full"
}

help_and_usage
no_half_written_data
own_data
run devices --json
if [ "$rc" = 0 ]; then
  json_lines "$tmp/out"
  training
  images
  interruption
  full_disk
elif [ "${CLDANN_REQUIRE_DEVICE:-0}" = 1 ] || [ "$rc" != 5 ]; then
  wrong "devices: exit code $rc"
elif [ -z "$failed" ]; then
  echo "skipped in part: no OpenCL device"
  exit 77
fi
[ -z "$failed" ]
