#!/usr/bin/env bash
# Builds and runs the kernel suites under the address sanitizer, then under the sanitizer of undefined
# behaviour. One table of functions per instruction set is compiled into every build, so each run
# covers all levels of the machine.
#
#   Tests/sanitize.sh            both
#   Tests/sanitize.sh address    one of them
#   Tests/sanitize.sh undefined
#
# Each has a build folder of its own. Exits 0 if every run that could be made was clean, 1 if one
# was not; what could not be run says SKIPPED and is not a pass.
set -u
cd "$(dirname "$0")/.." || exit 1

suites='BlockFormatsTests\.Kernel'
verdicts=()
status=0

# Compiles and starts an empty program, which takes the compiler's and the runtime's support.
is_available() {
  local folder result
  folder=$(mktemp -d) || return 1
  printf 'int main(void) { return 0; }\n' > "$folder/main.c"
  printf 'print(1)\n' > "$folder/main.swift"
  "${CC:-clang}" -fsanitize="$1" "$folder/main.c" -o "$folder/c" > "$folder/log" 2>&1 &&
    "$folder/c" >> "$folder/log" 2>&1 &&
    swiftc -sanitize="$1" "$folder/main.swift" -o "$folder/swift" >> "$folder/log" 2>&1 &&
    "$folder/swift" >> "$folder/log" 2>&1
  result=$?
  [ "$result" -eq 0 ] || sed 's/^/  /' "$folder/log"
  rm -rf "$folder"
  return "$result"
}

check() {
  local name=$1 scratch=$2 log
  echo "== $name sanitizer"
  if ! is_available "$name"; then
    echo "SKIPPED: this toolchain cannot build and start a program with the $name sanitizer"
    verdicts+=("SKIPPED  $name: NOT RUN, the toolchain lacks it")
    return
  fi
  log=$(mktemp)
  # Swift's runtime keeps metadata for the life of the process, which is no leak of ours.
  ASAN_OPTIONS="detect_leaks=0:abort_on_error=0" \
    UBSAN_OPTIONS="halt_on_error=1:print_stacktrace=1" \
    swift test --sanitize="$name" --scratch-path "$scratch" --filter "$suites" 2>&1 | tee "$log"
  local result=${PIPESTATUS[0]}
  local ran
  ran=$(grep -Ec '(Test run with [1-9][0-9]* tests?.* passed)' "$log")
  if grep -Eq 'runtime error:|ERROR: AddressSanitizer' "$log"; then
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

case "${1:-both}" in
  address) check address .build-asan ;;
  undefined) check undefined .build-ubsan ;;
  both)
    check address .build-asan
    check undefined .build-ubsan
    ;;
  *)
    echo "usage: $0 [address|undefined]" >&2
    exit 2
    ;;
esac

echo
echo "== verdict"
printf '%s\n' "${verdicts[@]}"
exit "$status"
