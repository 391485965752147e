#!/usr/bin/env bash
# Times every kernel step at every level of this machine, and prints a Markdown table.
#
# usage: run.sh [REPEATS]   measurements that a median is of, 15 by default
# Environment: CLANG names the compiler.
set -eu -o pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
levels=$root/Sources/CKernelLevels
kernels=$root/Sources/CBlockKernels
products=$root/Sources/CProductKernels
driver=$root/Tests/Emulation/Driver
clang=${CLANG:-clang}

processor() {
  case $(uname -s) in
    Darwin) sysctl -n machdep.cpu.brand_string ;;
    *) lscpu 2> /dev/null | sed -n 's/^Model name: *//p' | head -n 1 ;;
  esac
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# What SwiftPM gives to C in release builds.
"$clang" -O2 -Wall -Wextra -Wno-unused-parameter "-I$levels/include" "-I$kernels/include" \
  "-I$products/include" "-I$driver" "$here/kernels.c" "$driver/Table.c" "$levels"/*.c \
  "$kernels"/Levels/*.c -o "$work/kernels"

name=$(processor || true)
echo "- processor: ${name:-unknown}, $(uname -sm)"
echo "- compiler: $("$clang" --version | head -n 1), -O2"
echo "- date: $(date -u +%Y-%m-%d)"
echo "- load when started:$(uptime | sed 's/.*load average[s]*://')"
echo
"$work/kernels" "$@"
