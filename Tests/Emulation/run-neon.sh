#!/usr/bin/env bash
# Runs the kernels of every level that this machine has or can emulate, and compares what they
# compute with golden.txt. README.md beside this file tells what that proves.
#
# usage: run-neon.sh [--sanitize] [--update]
#   --sanitize  runs the native levels under the address and undefined-behaviour sanitizers instead
#   --update    writes elements.inc from the library and golden.txt from the portable level first
#
# Exit status: 0 every level agrees; 1 some level does not, or something failed to build;
# 77 every level that ran agrees, and NEON ones were SKIPPED.
# Environment: CLANG and QEMU name the programs; SYSROOT the arm64 C library's folder.
set -u -o pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
levels=$root/Sources/CKernelLevels
kernels=$root/Sources/CBlockKernels
products=$root/Sources/CProductKernels
training=$root/Sources/CTrainingKernels
clang=${CLANG:-clang}
qemu=${QEMU:-$(command -v qemu-aarch64 || command -v qemu-aarch64-static || true)}
sysroot=${SYSROOT:-/usr/aarch64-linux-gnu}
# What SwiftPM gives to C in release builds; contraction is the sources' own business.
flags=(-O2 -Wall -Wextra -Wno-unused-parameter "-I$levels/include" "-I$kernels/include"
  "-I$products/include" "-I$training/include")
sources=("$here"/Driver/*.c "$levels"/*.c "$kernels"/Levels/*.c "$products"/Levels/*.c
  "$training"/Levels/*.c)
failures=0 skipped=0

sanitize=no update=no
for argument in "$@"; do
  case $argument in
    --sanitize) sanitize=yes ;;
    --update) update=yes ;;
    *) sed -n '5,7p' "$0"; exit 2 ;;
  esac
done

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

# run NAME COMMAND...: one level's output against the golden one.
run() {
  local name=$1 seconds=$SECONDS
  shift
  if ! "$@" > "$work/output.txt" 2> "$work/errors.txt"; then
    printf 'FAILED   %s: the driver ended early\n' "$name"
    tail -n 20 "$work/errors.txt"
    failures=$((failures + 1))
  elif ! cmp -s "$work/output.txt" "$here/golden.txt"; then
    printf 'FAILED   %s: these cases differ from golden.txt\n' "$name"
    diff "$here/golden.txt" "$work/output.txt" | sed -n 's/^> [0-9a-f]* /           /p' | head -n 20
    failures=$((failures + 1))
  else
    printf 'PASSED   %s: %s cases, %s s\n' "$name" "$(grep -c . "$work/output.txt")" \
      "$((SECONDS - seconds))"
  fi
}

# skip REASON [WHAT]: the levels that did not run are all NEON ones, or WHAT.
skip() {
  printf '\n*** SKIPPED: %s\n*** The kernels of %s were NOT run.\n\n' "$1" "${2:-NEON}"
  skipped=1
}

# Warnings are shown where building fails.
build() {
  if ! "$@" 2> "$work/errors.txt"; then
    tail -n 40 "$work/errors.txt"
    echo "FAILED   to build with $1"
    exit 1
  fi
}

if ! command -v "$clang" > /dev/null; then
  echo "FAILED   no clang on the path; the Swift toolchain has one"
  exit 1
fi

if [ "$update" = yes ]; then
  (cd "$root" && BLOCKFORMATS_UPDATE_EMULATION=1 swift test --filter EmulationTableTests) || exit 1
fi

native=("$clang" "${flags[@]}")
if [ "$sanitize" = yes ]; then
  # Kernels take values at any address.
  native+=(-g -fsanitize=address,undefined -fno-sanitize=alignment -fno-sanitize-recover=all)
fi
build "${native[@]}" "${sources[@]}" -lm -o "$work/native"
if [ "$update" = yes ]; then
  "$work/native" run portable > "$work/golden.txt" && cp "$work/golden.txt" "$here/golden.txt" ||
    exit 1
fi
suffix=
[ "$sanitize" = yes ] && suffix=', sanitized'
for level in $("$work/native" levels); do
  run "$level ($(uname -m)$suffix)" "$work/native" run "$level"
done

emulate() {
  if [ -z "$qemu" ] || ! command -v "$qemu" > /dev/null; then
    skip "${qemu:-qemu-aarch64} is missing (Debian: qemu-user)"
    return
  fi
  if [ ! -e "$sysroot/lib/libc.a" ]; then
    skip "no arm64 C library in $sysroot (Debian: gcc-aarch64-linux-gnu libc6-dev-arm64-cross)"
    return
  fi
  local target=("$clang" --target=aarch64-linux-gnu "--sysroot=$sysroot" --gcc-toolchain=/usr
    -isystem "$sysroot/include" -fuse-ld=lld -static)
  if ! echo 'int main(void) { return 0; }' |
    "${target[@]}" -x c - -o "$work/probe" 2> "$work/errors.txt"; then
    tail -n 3 "$work/errors.txt"
    skip "$clang cannot build for aarch64-linux-gnu"
    return
  fi
  build "${target[@]}" "${flags[@]}" "${sources[@]}" -lm -o "$work/arm64"
  # Emulators older than the instructions on matrices lack the highest level.
  local found highest
  found=$("$qemu" -cpu max "$work/arm64" levels)
  highest=$(tail -n 1 <<< "$found")
  [ "$highest" = neon_matrix ] || skip "$qemu has no instructions on matrices" neon_matrix
  # Processors with all instructions, without those on matrices, and without dot products: the
  # levels must be found in each, and the environment must lower them only.
  local cpu wish expected level
  while read -r cpu wish expected; do
    level=$(BLOCKFORMATS_KERNEL_LEVEL=$wish "$qemu" -cpu "$cpu" "$work/arm64" best)
    if [ "$level" = "$expected" ]; then
      printf 'PASSED   detection on %s, asked for %s: %s\n' "$cpu" "$wish" "$level"
    else
      printf 'FAILED   detection on %s, asked for %s: %s instead of %s\n' "$cpu" "$wish" "$level" \
        "$expected"
      failures=$((failures + 1))
    fi
  done << END
max anything $highest
max neon_dot neon_dot
max neon neon
max portable portable
max avx2 $highest
neoverse-n1 neon_matrix neon_dot
neoverse-n1 neon neon
cortex-a53 neon_dot neon
cortex-a53 portable portable
END
  for level in $found; do
    run "$level (arm64, emulated)" "$qemu" -cpu max "$work/arm64" run "$level"
  done
}

case $(uname -m) in
  arm64 | aarch64) ;;  # The levels above were NEON's.
  *) [ "$sanitize" = yes ] || emulate ;;
esac

if [ "$failures" -gt 0 ]; then
  trap - EXIT
  echo "VERDICT: $failures FAILED; the drivers are left in $work"
  exit 1
elif [ "$skipped" = 1 ]; then
  echo 'VERDICT: every level that ran agrees with golden.txt; SKIPPED some of NEON'
  exit 77
fi
echo 'VERDICT: every level that ran agrees with golden.txt'
