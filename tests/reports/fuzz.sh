#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# fuzz.sh TARGET [SECONDS]: builds tests/reports/fuzz_TARGET.c with clang's
# libFuzzer, ASan and UBSan, and runs it from the corpus of its name for so
# long (10). What it finds is left in a new folder, which is named; the tree
# is not written to. Exit 77: no clang with libFuzzer here.
set -eu
target=$1
seconds=${2:-10}
top=${top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
build=${top_builddir:-$top/build}
work=$(mktemp -d "${TMPDIR:-/tmp}/hpcai500-fuzz.XXXXXX")
mkdir "$work/found"

# The sources under test; libcjson for what reads JSON.
core="$top/reports/err.c $top/reports/nearest.c $top/reports/config.c"
places="-DHPCAI500_SYSCONFDIR=\"/etc/hpcai500\" -DHPCAI500_BINDIR=\"/usr/bin\""
case $target in
record | journal)
    [ "$target" = record ] || core="$core $top/reports/journal.c"
    for m in crc32c fdio fields record record_fields record_file record_json result runspec sha256 utf8; do
        core="$core $top/reports/$m.c"
    done
    libs="-lcjson -lm"
    ! grep -q 'define HAVE_ZLIB 1' "$build/config.h" || libs="$libs -lz" ;;
witness)
    for m in fields sha256 utf8 witness witness_read; do core="$core $top/reports/$m.c"; done
    libs="-lcjson -lm" ;;
*) libs= ;;
esac

echo 'int LLVMFuzzerTestOneInput(const char *p, long n);
int LLVMFuzzerTestOneInput(const char *p, long n) { return p && n < 0; }' >"$work/probe.c"
if ! clang -fsanitize=fuzzer "$work/probe.c" -o "$work/probe" 2>/dev/null; then
    echo "fuzz.sh: no clang with libFuzzer here (Debian: clang, libclang-rt-14-dev)" >&2
    rm -r "$work"
    exit 77
fi
clang -std=gnu11 -D_GNU_SOURCE -g -O1 -fsanitize=fuzzer,address,undefined \
    -fno-sanitize-recover=undefined $places -I"$build" -I"$top" "$top/tests/reports/fuzz_$target.c" \
    $core $libs -o "$work/fuzz"
if "$work/fuzz" -max_total_time="$seconds" -max_len=8192 -artifact_prefix="$work/" \
    "$work/found" "$top/tests/reports/corpus/$target" >"$work/log" 2>&1; then
    tail -n 2 "$work/log"
    rm -r "$work"
else
    tail -n 40 "$work/log" >&2
    echo "fuzz.sh: the input that fails is in $work" >&2
    exit 1
fi
