#!/bin/sh
# test_tune.sh: cldann tune from outside, on kernels of which some ways are broken on purpose: one does not compile, one is
# wrong, one crashes and one never ends. They must be left out and the rest measured; the file that comes of it must be taken,
# change no bit, and be refused where it cannot be right. CLDANN_BIN names another binary.
set -u
# shellcheck source=tests/cli_steps.sh
. "$(dirname "$0")/cli_steps.sh"
unset CLDANN_TUNING CLDANN_DATA CLDANN_KERNEL_PATH
XDG_CONFIG_HOME=$tmp/config
export XDG_CONFIG_HOME

told() { grep -q -e "$1" "$tmp/err" || wrong "cldann tune does not tell: $1"; }

run devices --json
if [ "$rc" != 0 ]; then
  [ "${CLDANN_REQUIRE_DEVICE:-0}" != 1 ] || { wrong "devices: exit code $rc"; exit 1; }
  echo "skipped: no OpenCL device"
  exit 77
fi
grep -q '"default": true, "type": "CPU"' "$tmp/out" || { echo "skipped: the default device is no CPU"; exit 77; }

cat >"$tmp/one.conf" <<'END'
method = "source-only";
steps = 60;
log_every = 30;
batch = 64;
net = {
  input = [1, 1, 2];
  features = ( { op = "dense"; units = 96; name = "wide"; } );
  label_head = ( { op = "dense"; units = 2; name = "label"; }, { op = "softmax_xent"; name = "loss"; } );
  domain_head = ( { op = "reversal"; }, { op = "dense"; units = 2; name = "domain"; }, { op = "softmax_xent"; } );
};
data = {
  source = { kind = "blobs"; }; target = { kind = "blobs"; };
  source_test = { kind = "blobs"; }; target_test = { kind = "blobs"; };
};
END
conf=$tmp/one.conf
file=$tmp/config/cldann/tuning.conf

# Tiles of 4, 5 and 6 rows, and panels of 6; the rule takes another here.
mkdir "$tmp/cl"
cp "$root"/cl/*.cl "$root"/cl/*.clh "$tmp/cl/"
chmod u+w "$tmp"/cl/*
awk '{ print }
  /^kernel void gemm_tile\(/ { inside = 1 }
  inside && /\{$/ {
    print "#if defined(KC) && MR == 6\n#error broken on purpose\n#elif MR == 4\n  if (m > 0) *(global int *)(size_t)(m - m + 16) = 1;"
    print "#elif MR == 5\n  for (volatile int i = 0; m > 0; i++) continue;\n#endif"
    inside = 0
  }
  /^  for \(int i = 0; i < k; i\+\+\) \{$/ && !done { print "#if MR == 6\n    if (i == 1) continue;\n#endif"; done = 1 }' \
  "$root/cl/gemm.cl" >"$tmp/cl/gemm.cl"
CLDANN_KERNEL_PATH=$tmp/cl
export CLDANN_KERNEL_PATH

run tune "$conf" --pass 'gemm 64x96x2' --json --limit 3
[ "$rc" = 0 ] || wrong "tune: exit code $rc"
if "$bin" devices --json | head -n 1 | grep -q '"vector_width": 16'; then # others try other tiles
  told 'panel=1.* rows=6: .*broken on purpose'
  told 'panel=0.* rows=4: crashed'
  told 'panel=0.* rows=5: took too long'
  told 'panel=0.* rows=6: .*is wrong'
fi
tail -n 1 "$tmp/out" | grep -q '"type": "tuning"' || wrong "tune --json: the last line is no tuning"
[ -s "$file" ] || wrong "tune wrote no file"
! grep -q 'panel=0.*rows=[456]\|panel=1.*rows=6' "$file" || wrong "tune took a broken way"
[ "$(ls "$tmp/config/cldann")" = tuning.conf ] || wrong "tune left something beside its file"
unset CLDANN_KERNEL_PATH

# A file of our own, so that what follows does not hang on what was faster.
pass='gemm 64x96x2' way='generic'
run tune "$conf" --choice "$pass: $way" --json
[ "$rc" = 0 ] || wrong "tune --choice: exit code $rc"
grep -q "\"of\": \"$pass\", \"use\": \"$way\"" "$tmp/out" || wrong "tune --choice: no result"
run devices --json
name=$(sed -n '1s/.*"name": "\([^"]*\)".*/\1/p' "$tmp/out")
write() { # DEVICE WAY
  printf 'tuning = ( { device = "%s"; platform = "*"; driver = "*";\n  choices = ( { of = "%s"; use = "%s"; } ); } );\n' \
    "$1" "$pass" "$2" >"$tmp/own.conf"
}
write "$name" "$way"
run train "$conf" --tuning none --out "$tmp/a"
grep -q 'tuning: no tuning; all ' "$tmp/err" || wrong "train --tuning none does not say so"
run train "$conf" --tuning "$tmp/own.conf" --out "$tmp/b"
grep -q "tuning: $tmp/own.conf; 1 of " "$tmp/err" || wrong "train does not tell the tuning file and its part"
CLDANN_TUNING=$tmp/own.conf
export CLDANN_TUNING
run plan "$conf"
grep -q "^$pass  *$way (tuning)" "$tmp/out" || wrong "CLDANN_TUNING was not heard by plan"
unset CLDANN_TUNING
write 'pthread-*' 'cpu panel=0 v=4 nv=1 rows=7'
write "${name%???}*" 'cpu panel=0 v=16 nv=1 rows=1'
run train "$conf" --tuning "$tmp/own.conf" --out "$tmp/c"
if [ "$rc" = 0 ]; then # devices with narrower vectors have no such tile
  cmp -s "$tmp/a/model.safetensors" "$tmp/c/model.safetensors" || wrong "another tile gave other weights"
fi

write 'some other device' "$way"
fails 3 'has nothing for' train "$conf" --tuning "$tmp/own.conf"
write "$name" 'cpu panel=0 v=16 nv=99 rows=8'
fails 3 "no way to do '$pass'" train "$conf" --tuning "$tmp/own.conf" --quiet
fails 3 "no way to do" tune "$conf" --choice "$pass: nonesuch"
fails 2 'nothing in this step' tune "$conf" --choice "gemm 1x1x1: generic"
fails 2 'PASS: WAY' tune "$conf" --choice "gemm"
echo 'tuning = ( {' >"$tmp/own.conf"
fails 3 'own.conf:' train "$conf" --tuning "$tmp/own.conf"
fails 4 "'cldann tune' makes it" train "$conf" --tuning "$tmp/nonesuch"
fails 3 'own.conf:' tune "$conf" --out "$tmp/own.conf" --quiet
[ "$(cat "$tmp/own.conf")" = 'tuning = ( {' ] || wrong "tune touched a file that it cannot read"

# What ships: its ways can all be done on the devices it is for.
rm -f "$file"
run devices --json
for_this=$(grep -c '"default": true.*"platform": "Portable Computing Language".*"vector_width": 16,' "$tmp/out")
run bench "$root/experiments/mnist-usps.conf" --batch 2 --json
[ "$rc" = 0 ] || wrong "with the tuning that ships: exit code $rc"
[ "$for_this" = 0 ] || grep -q 'built-in tuning; 3 of' "$tmp/out" || wrong "the tuning that ships is not taken"

# The user's own file: taken when there is one for this device, and no obstacle to whoever asks for none.
mkdir -p "$tmp/config/cldann"
write "$name" "$way"
cp "$tmp/own.conf" "$file"
run plan "$conf"
grep -q "^tuning: $file" "$tmp/out" || wrong "the user's file is not taken"
echo 'tuning = ();' >"$file"
run plan "$conf"
[ "$rc" = 0 ] || wrong "a user's file that says nothing: exit code $rc"
echo 'tuning = ( {' >"$file"
fails 3 'mend or remove it' plan "$conf"
run plan "$conf" --tuning none
[ "$rc" = 0 ] || wrong "--tuning none does not get past a broken file"
[ -z "$failed" ]
