#!/usr/bin/env bash
# Checks the sources for macOS on a machine that is none: see README.md beside this file for what
# that proves and what it does not.
#
# usage: check-sources.sh [c|swift]
#   c       compiles the C targets for arm64 and x86_64 against stubs of the system's headers
#   swift   type-checks the Swift targets for macOS 26 on arm64 against stubs of its modules
#   Neither: both.
#
# Exit status: 0 all that ran passed; 1 something did not; 77 nothing failed and something was
# SKIPPED.
# Environment: CLANG and SWIFTC name the compilers.
set -u -o pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
clang=${CLANG:-clang}
swiftc=${SWIFTC:-swiftc}
failures=0 skipped=0
case ${1-} in
  '') parts='c swift' ;;
  c | swift) parts=$1 ;;
  *) sed -n '5,8p' "$0"; exit 2 ;;
esac

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cd "$root" || exit 1

passed() { printf 'PASSED   %s\n' "$1"; }

failed() {
  printf 'FAILED   %s\n' "$1"
  grep -E -A 6 'error:' "$work/errors.txt" | head -n 60
  failures=$((failures + 1))
}

skip() {
  printf 'SKIPPED  %s\n' "$1"
  skipped=1
}

# MARK: - C

check_c() {
  local target source folder object count
  for target in arm64-apple-macosx26.0 x86_64-apple-macosx26.0; do
    if ! echo 'int x;' | "$clang" "--target=$target" -ffreestanding -c -x c - -o "$work/x.o" \
      2> "$work/errors.txt"; then
      skip "C for $target: $clang cannot compile for it"
      continue
    fi
    count=0
    : > "$work/all.txt"
    for source in Sources/C*/*.c Sources/C*/Levels/*.c; do
      folder=$(echo "$source" | cut -d / -f 1-2)
      object=$work/$(basename "$source").o
      # To machine code, so that assembly and its constraints are checked too.
      if "$clang" "--target=$target" -ffreestanding -std=gnu17 -O0 -Wall -Wextra \
        -Wno-unused-parameter -I "$here/Stubs/C" -I Sources/CKernelLevels/include \
        -I "$folder/include" -c "$source" -o "$object" 2>> "$work/all.txt"; then
        count=$((count + 1))
      fi
    done
    cp "$work/all.txt" "$work/errors.txt"
    if grep -q 'error:' "$work/all.txt"; then
      failed "C for $target"
    else
      passed "C for $target: $count files, $(grep -c 'warning:' "$work/all.txt") warnings"
      grep 'warning:' "$work/all.txt" | sort | uniq -c | head -n 10
    fi
  done
}

# MARK: - Swift

target=arm64-apple-macosx26.0

# frontend WORDS...: the compiler proper, which asks for no SDK.
frontend() {
  "$swiftc" -frontend "$@" -target "$target" -disable-objc-interop -resource-dir "$resources" \
    -plugin-path "$resources/host/plugins" -module-cache-path "$work/cache" \
    -I "$work/modules" -Xcc -ffreestanding > "$work/errors.txt" 2>&1
}

# standard NAME WORDS...: a module of the toolchain, from the interface that it has for this system.
# The interface tells of each declaration since which macOS it is there. What is replaced in it does
# not exist for arm64 or for macOS.
standard() {
  local name=$1 interface
  shift
  interface=$(find "$resources" -path "*/$name.swiftmodule/*.swiftinterface" \
    ! -name '*.private.*' | head -n 1)
  [ -n "$interface" ] || return 1
  sed -e "/^\/\/ swift-module-flags:/s/-target [^ ]*/-target $target/" -e '/^ *@backDeployed(/d' \
    -e '/^import Glibc$/d' -e 's/_stdlib_remainderl(self, other)/other/' \
    -e 's/_stdlib_squareRootl(self)/0/' -e 's/_swift_stdlib_gettid()/(0 as UInt32)/' \
    "$interface" > "$work/$name.swiftinterface"
  frontend -compile-module-from-interface "$@" -suppress-warnings -disable-availability-checking \
    -module-name "$name" -o "$work/modules/$name.swiftmodule" "$work/$name.swiftinterface"
}

stub() {
  local name=$1
  shift
  frontend -emit-module -parse-as-library -suppress-warnings -module-name "$name" "$@" \
    -o "$work/modules/$name.swiftmodule" "$here/Stubs/$name.swift"
}

# The targets of the package in the order of their dependencies.
swift_targets='CallerChecks NumericSupport UntrustedText StrictJSON SystemResources BlockFormats
  FormatMetrics QuantizedLinearAlgebra TensorFiles QuantizedCheckpoints TrainingRecipes LowPrecisionTraining
  CommandLineToolkit FormatBench'

# list FOLDER...: sets `files` to the Swift files of folders.
list() {
  local file
  files=()
  while IFS= read -r file; do files+=("$file"); done < <(find "$@" -name '*.swift' | sort)
}

check_swift() {
  local name includes=() module files=()
  resources=$("$swiftc" -print-target-info 2> /dev/null |
    sed -n 's/.*"runtimeResourcePath": "\(.*\)".*/\1/p')
  if [ -z "$resources" ]; then
    skip "Swift: $swiftc does not tell where its modules are"
    return
  fi
  mkdir -p "$work/modules"
  for module in 'Swift -parse-stdlib' 'SwiftOnoneSupport -parse-stdlib' \
    '_Concurrency -disable-implicit-string-processing-module-import' Synchronization \
    _StringProcessing; do
    # shellcheck disable=SC2086 # the words after the name
    if ! standard $module; then
      skip "Swift: the toolchain's module ${module%% *} does not compile for $target"
      grep -m 3 'error:' "$work/errors.txt"
      return
    fi
  done
  if ! stub Darwin -I "$here/Stubs/Darwin" -import-underlying-module ||
    ! stub Dispatch || ! stub Foundation -I "$here/Stubs/Darwin"; then
    failed 'stubs of system modules'
    return
  fi
  for name in Sources/C*/include; do
    name=$(basename "$(dirname "$name")")
    if [ ! -e "Sources/$name/include/module.modulemap" ]; then
      mkdir -p "$work/maps/$name"
      printf 'module %s { umbrella header "%s/Sources/%s/include/%s.h" export * }\n' \
        "$name" "$root" "$name" "$name" > "$work/maps/$name/module.modulemap"
      includes+=(-I "$work/maps/$name")
    fi
    includes+=(-I "Sources/$name/include")
  done
  for name in $swift_targets; do
    list "Sources/$name"
    if frontend -emit-module -parse-as-library -swift-version 6 -package-name blockformats \
      -enable-upcoming-feature ExistentialAny -enable-upcoming-feature InternalImportsByDefault \
      -enable-upcoming-feature MemberImportVisibility -enable-testing -module-name "$name" \
      -I "$here/Stubs/Darwin" "${includes[@]}" -o "$work/modules/$name.swiftmodule" \
      "${files[@]}"; then
      passed "Swift for $target: $name, ${#files[@]} files"
    else
      failed "Swift for $target: $name"
      return
    fi
  done
  # The main file and the tests need what has no stubs, and are parsed for macOS only.
  list Sources/fmtbench Tests
  local before=$failures
  for name in "${files[@]}"; do
    frontend -parse -swift-version 6 "$name" || failed "parsing $name for $target"
  done
  [ "$failures" -gt "$before" ] ||
    passed "Swift for $target: ${#files[@]} files of the executable and the tests, parsed only"
}

for part in $parts; do
  if ! command -v "$([ "$part" = c ] && echo "$clang" || echo "$swiftc")" > /dev/null; then
    skip "$part: no compiler on the path; the Swift toolchain has both"
  else
    "check_$part"
  fi
done

if [ "$failures" -gt 0 ]; then
  echo "VERDICT: $failures FAILED"
  exit 1
elif [ "$skipped" = 1 ]; then
  echo 'VERDICT: nothing failed; some was SKIPPED'
  exit 77
fi
echo 'VERDICT: all passed against stubs; nothing ran on macOS'
