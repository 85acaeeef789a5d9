#!/bin/sh
# test_examples.sh: each program of examples/ compiles without a warning with what pkg-config says of cldann and nothing else
# (and OpenCL, for host.c), runs, and prints what it promises. Against the build tree; or, where CLDANN_INSTALLED names a folder
# of libraries, against the cldann that is installed there.
set -eu
root=$(cd "${CLDANN_SRCDIR:-$(dirname "$0")/..}" && pwd)
build=$(cd "${CLDANN_BUILDDIR:-.}" && pwd)
if [ -n "${CLDANN_INSTALLED-}" ]; then
  pc=$CLDANN_INSTALLED/pkgconfig libs=$CLDANN_INSTALLED
else
  pc=$build libs=$build/.libs
fi
PKG_CONFIG_PATH=$pc${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}
LD_LIBRARY_PATH=$libs${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
export PKG_CONFIG_PATH LD_LIBRARY_PATH
cc=${CC:-cc}
pkg_config=${PKG_CONFIG:-pkg-config}

command -v "$pkg_config" >/dev/null 2>&1 || { echo "skipped: no pkg-config"; exit 77; }
[ -e "$libs/libcldann.so" ] || { echo "skipped: no shared library in $libs (--disable-shared?)"; exit 77; }
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

compile() { # NAME FLAG...
  name=$1
  shift
  cp "$root/examples/$name.c" "$tmp" # away from src/, whose header must not be found by chance
  # shellcheck disable=SC2046,SC2086 # words are meant
  (cd "$tmp" && $cc -std=c99 -Wall -Wextra -Wpedantic -Werror "$name.c" $("$pkg_config" --cflags --libs cldann) "$@" -o "$name")
}
run() { # NAME ARGUMENT...: its output is in $tmp/out
  rc=0
  (cd "$tmp" && "./$@") >"$tmp/out" 2>&1 || rc=$?
  cat "$tmp/out"
  [ "$rc" = 0 ] || { echo "$1: exit status $rc"; exit 1; }
}
above() { # FIGURE LEAST
  awk -v a="$1" -v b="$2" 'BEGIN { exit !(a > b) }' || { echo "$1 is not above $2"; exit 1; }
}
value() { sed -n "s/^$1 *source [0-9.]* *target \([0-9.]*\)\$/\1/p" "$tmp/out"; } # LINE'S BEGINNING

# shellcheck disable=SC2046 # words are meant
compile host $("$pkg_config" --cflags --libs OpenCL 2>/dev/null || echo -lOpenCL)
compile predict
compile blobs
if ! "$build/cldann" devices >"$tmp/out" 2>&1; then
  [ "${CLDANN_REQUIRE_DEVICE-}" != 1 ] || { cat "$tmp/out"; exit 1; }
  echo "skipped: compiled, but there is no OpenCL device"
  exit 77
fi
run blobs model
above "$(value dann)" 0.7
above 0.65 "$(value source-only)"
printf '0,0\n0,1\n1,-1\n1,0\n' >"$tmp/points.csv" # the centres: two of the source, two of the target
run predict model/model.safetensors points.csv
awk 'NF == 3 && $2 >= 0.5 && $1 == (NR + 1) % 2 { n++ } END { exit !(n == 4 && NR == 4) }' "$tmp/out" ||
  { echo "predict: not the classes 0 1 0 1"; exit 1; }
run host
above "$(value "")" 0.7
grep -q '^and the program goes on' "$tmp/out"
