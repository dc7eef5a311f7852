#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Every fuzzer for an hour (or SECONDS each). What is printed is the last line
# of libFuzzer, with its count of runs and of covered edges.
#
# usage: fuzz.sh [SECONDS]
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT
(cd "$top" && [ -x configure ] || autoreconf -fi) > /dev/null 2>&1
(cd "$build" && "$top/configure" && make build_id.h) > "$build/log" 2>&1 || { tail "$build/log" >&2; exit 1; }
export top_srcdir=$top top_builddir=$build
for file in $(find "$top/tests" -name "fuzz_*.c" | sort); do
    echo "== $(basename "$file" .c)"
    "$top/tests/fuzz.sh" "$file" "${1:-3600}"
done
