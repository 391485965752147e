#!/usr/bin/env bash
# Builds, tests and measures the package on a Mac, beside Accelerate, and prints one Markdown table.
# It has never run on a Mac: whoever runs it first, please send what it prints, errors included.
#
# usage: run.sh [--no-tests] > table.md
#
# Needs Xcode 26 or its command line tools, or a Swift 6.2 toolchain with them. What it does is told
# on the standard error; the log of the tests is left where that says.
# Exit status: 0 a table was printed; 1 something failed, of which the table tells; 77 SKIPPED.
set -u -o pipefail

if [ "$(uname -s)" != Darwin ]; then
  echo "SKIPPED: this is $(uname -s), and what is measured here is macOS"
  exit 77
fi
tests=yes
case ${1-} in
  '') ;;
  --no-tests) tests=no ;;
  *) sed -n '5,9p' "$0"; exit 2 ;;
esac

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
cd "$root" || exit 1
work=$(mktemp -d) || exit 1
shapes=1024x1024x1024,512x4096x4096,8x4096x4096,1x4096x4096
status=0

say() { printf '%s\n' "$*" >&2; }

# row WHAT HOW VALUE
row() { printf '| %s | %s | %s |\n' "$1" "$2" "$3"; }

# failure WHAT FILE: a row with the last line of a log, and the log for whoever looks.
failure() {
  row "$1" 'FAILED' "$(tail -n 1 "$2" | tr -d '|' | cut -c 1-120)"
  say "FAILED: $1; the end of $2:"
  tail -n 20 "$2" >&2
  status=1
}

fact() { sysctl -n "$1" 2> /dev/null || echo unknown; }

# columns FILE NAME...: the named columns of a CSV file without quotes, separated by blanks.
columns() {
  local file=$1
  shift
  awk -F , -v names="$*" '
    NR == 1 { count = split(names, wanted, " "); for (i = 1; i <= NF; i++) place[$i] = i; next }
    { for (i = 1; i <= count; i++) printf "%s ", $(place[wanted[i]]); print "" }' "$file"
}

machine() {
  row machine 'processor, model' "$(fact machdep.cpu.brand_string), $(fact hw.model)"
  row cores 'fast, slow' "$(fact hw.perflevel0.logicalcpu), $(fact hw.perflevel1.logicalcpu)"
  row 'L2 of fast cores, memory' bytes "$(fact hw.perflevel0.l2cachesize), $(fact hw.memsize)"
  row macOS "$(uname -m)" "$(sw_vers -productVersion) ($(sw_vers -buildVersion))"
  row Swift 'swift --version' "$(swift --version 2> /dev/null | head -n 1)"
  row commit 'git rev-parse' "$(git rev-parse --short HEAD 2> /dev/null || echo unknown)"
  row load 'before' "$(fact vm.loadavg)"
}

run_tests() {
  say 'tests, several minutes'
  if swift test > "$work/test.log" 2>&1; then
    row tests 'swift test' \
      "$(grep -E 'Test run with' "$work/test.log" | tail -n 1 | sed 's/^[^T]*//')"
  else
    failure 'swift test' "$work/test.log"
    # The first tests that fail.
    grep -E 'recorded an issue|error:' "$work/test.log" | head -n 5 | tr -d '|' | cut -c 1-160 |
      while IFS= read -r line; do row 'swift test' issue "$line"; done
  fi
  say "log: $work/test.log"
}

accelerate() {
  if ! clang -O2 -DACCELERATE_NEW_LAPACK "$here/accelerate.c" -framework Accelerate \
    -o "$work/accelerate" > "$work/accelerate.log" 2>&1; then
    failure 'Accelerate cblas_sgemm' "$work/accelerate.log"
    return
  fi
  say 'Accelerate'
  # shellcheck disable=SC2086 # a shape is a word
  VECLIB_MAXIMUM_THREADS=1 "$work/accelerate" ${shapes//,/ } > "$work/accelerate.txt"
  # shellcheck disable=SC2086
  "$work/accelerate" ${shapes//,/ } > "$work/accelerate-all.txt"
  local shape gops spread
  while read -r shape gops spread; do
    row "Accelerate cblas_sgemm, FP32, $shape" 'one thread, G op/s (spread)' "$gops ($spread)"
  done < "$work/accelerate.txt"
  while read -r shape gops spread; do
    row "Accelerate cblas_sgemm, FP32, $shape" 'its own threads, G op/s (spread)' "$gops ($spread)"
  done < "$work/accelerate-all.txt"
}

gemm() {
  say 'products'
  local formats=fp32,bf16,int8_row,mxint8,mxfp4,mxint8:mxfp4,mxfp8_e4m3,nvfp4
  if ! "$bench" gemm --csv --quiet --threads 1 --shapes "$shapes" --formats "$formats" \
    > "$work/gemm.csv" 2> "$work/gemm.log"; then
    failure 'fmtbench gemm' "$work/gemm.log"
    return
  fi
  local a b m n k unit gops share peer ratio
  columns "$work/gemm.csv" a b m n k unit gops peak_ratio |
    while read -r a b m n k unit gops share; do
      peer=$(awk -v shape="${m}x${n}x${k}" '$1 == shape { print $2 }' \
        "$work/accelerate.txt" 2> /dev/null)
      ratio=$(awk -v x="$gops" -v y="${peer:-0}" \
        'BEGIN { if (y > 0) printf "%.2f", x / y; else printf "unknown" }')
      row "gemm $a x $b, ${m}x${n}x${k}, $unit" \
        'one thread, G op/s; of peak; of Accelerate FP32 with one thread' \
        "$(printf '%.1f; %.2f; %s' "$gops" "$share" "$ratio")"
    done
}

speed() {
  say 'encoding and decoding'
  if ! "$bench" speed --csv --quiet --threads 1 --formats mxfp8_e4m3,mxint8,mxfp4,nvfp4 \
    --direction encode,decode > "$work/speed.csv" 2> "$work/speed.log"; then
    failure 'fmtbench speed' "$work/speed.log"
    return
  fi
  local format direction placement rate share
  columns "$work/speed.csv" format direction placement gelements_per_s limit_ratio |
    while read -r format direction placement rate share; do
      row "$direction $format, $placement" 'one thread, G elements/s; of the limit' \
        "$(printf '%.2f; %.2f' "$rate" "$share")"
    done
}

train() {
  say 'training'
  if ! "$bench" train --csv --quiet --recipe bf16,mxfp8,nvfp4,mxfp4 --seeds 1 --steps 40 \
    > "$work/train.csv" 2> "$work/train.log"; then
    failure 'fmtbench train' "$work/train.log"
    return
  fi
  local recipe seconds ratio
  columns "$work/train.csv" recipe step_seconds step_ratio |
    while read -r recipe seconds ratio; do
      row "training step, $recipe" 'ms; of the FP32 step' \
        "$(awk -v s="$seconds" -v r="$ratio" 'BEGIN { printf "%.1f; %.2f", 1000 * s, r }')"
    done
}

echo '| what | how | result |'
echo '|---|---|---|'
machine
say 'release build, several minutes'
if ! swift build -c release --product fmtbench > "$work/build.log" 2>&1; then
  failure 'swift build -c release' "$work/build.log"
  [ "$tests" = no ] || run_tests
  exit "$status"
fi
bench=$(swift build -c release --show-bin-path)/fmtbench
row 'kernel level' 'fmtbench list' "$("$bench" list 2> /dev/null | sed -n 's/^kernel level: //p')"
accelerate
gemm
speed
train
[ "$tests" = no ] || run_tests
exit "$status"
