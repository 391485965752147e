#!/usr/bin/env bash
# Builds and runs the kernel suites under the address sanitizer, then under the sanitizer of undefined
# behaviour, then, with suites of other work that threads share, under the thread sanitizer.
# One table of functions per instruction set is compiled into every build, so each run covers all
# levels of the machine.
#
#   Tests/sanitize.sh            all
#   Tests/sanitize.sh address    one of them
#   Tests/sanitize.sh undefined
#   Tests/sanitize.sh thread     knows what sanitize-thread.supp names
#
# Each has a build folder of its own. Exits 0 if every run that could be made was clean, 1 if one
# was not; what could not be run says SKIPPED and is not a pass.
set -u
cd "$(dirname "$0")/.." || exit 1

suites='BlockFormatsTests\.Kernel'
suites+='|QuantizedLinearAlgebraTests\.(Operand|Product|QuantizingProduct|Epilogue)'
suites+='|LowPrecisionTrainingTests\.(Function|[A-Z][a-z]*Kernel)'
threaded="$suites|BlockFormatsTests\.Thread|QuantizedLinearAlgebraTests\.ReferenceProduct"
threaded+='|FormatMetricsTests\.ErrorStatistics|LowPrecisionTrainingTests\.Linear'
suppressions=$PWD/Tests/sanitize-thread.supp
verdicts=()
status=0

folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
printf 'int main(void) { return 0; }\n' > "$folder/main.c"
printf 'print(1)\n' > "$folder/main.swift"

# Whether a tool compiles an empty program with some flags, and the program starts.
works() {
  local source=$1
  shift
  "$@" "$folder/$source" -o "$folder/program" > "$folder/log" 2>&1 &&
    "$folder/program" >> "$folder/log" 2>&1
}

# Sets `flags` to what makes `swift test` use a sanitizer; fails if nothing does.
#
# Swift's compiler has no sanitizer of undefined behaviour on Linux. What Swift leaves undefined is
# little, and the kernels are C, so there it is the C compiler alone that gets the flags.
find_flags() {
  if works main.swift swiftc -sanitize="$1"; then
    flags=("--sanitize=$1")
  elif [ "$1" = undefined ] && works main.c clang -fsanitize=undefined &&
    works main.swift swiftc -Xclang-linker -fsanitize=undefined; then
    echo "for the C target alone: Swift has no $1 sanitizer here"
    flags=(
      -Xcc -fsanitize=undefined -Xcc -fno-sanitize-recover=undefined
      -Xswiftc -Xclang-linker -Xswiftc -fsanitize=undefined)
  else
    sed 's/^/  /' "$folder/log"
    return 1
  fi
}

check() {
  local name=$1 scratch=$2 filter=$3 log flags
  echo "== $name sanitizer"
  if ! find_flags "$name"; then
    echo "SKIPPED: this toolchain cannot build and start a program with the $name sanitizer"
    verdicts+=("SKIPPED  $name: NOT RUN, the toolchain lacks it")
    return
  fi
  log=$(mktemp)
  # Swift's runtime keeps metadata for the life of the process, which is no leak of ours.
  ASAN_OPTIONS="detect_leaks=0:abort_on_error=0" \
    UBSAN_OPTIONS="halt_on_error=1:print_stacktrace=1" \
    TSAN_OPTIONS="suppressions='$suppressions'" \
    swift test "${flags[@]}" --scratch-path "$scratch" --filter "$filter" 2>&1 | tee "$log"
  local result=${PIPESTATUS[0]}
  local ran
  ran=$(grep -Ec '(Test run with [1-9][0-9]* tests?.* passed)' "$log")
  if grep -Eq 'runtime error:|ERROR: AddressSanitizer|WARNING: ThreadSanitizer' "$log"; then
    verdicts+=("FAILED   $name: the sanitizer reported an error")
    status=1
  elif [ "$result" -ne 0 ]; then
    verdicts+=("FAILED   $name: swift test ended with $result")
    status=1
  elif [ "$ran" -eq 0 ]; then
    verdicts+=("FAILED   $name: no test ran")
    status=1
  else
    verdicts+=("CLEAN    $name: $(grep -Eo 'Test run with .*' "$log" | tail -n 1)")
  fi
  rm -f "$log"
}

case "${1:-all}" in
  address) check address .build-asan "$suites" ;;
  undefined) check undefined .build-ubsan "$suites" ;;
  thread) check thread .build-tsan "$threaded" ;;
  all)
    check address .build-asan "$suites"
    check undefined .build-ubsan "$suites"
    check thread .build-tsan "$threaded"
    ;;
  *)
    echo "usage: $0 [address|undefined|thread]" >&2
    exit 2
    ;;
esac

echo
echo "== verdict"
printf '%s\n' "${verdicts[@]}"
exit "$status"
