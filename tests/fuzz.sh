#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# fuzz.sh FILE [SECONDS]: builds a fuzzer, tests/FOLDER/fuzz_NAME.c, with clang's
# libFuzzer, ASan and UBSan and what its lines "links:" name (fuzz.h), and runs
# it from its corpus for so long (10). What it finds is left in a new folder,
# which is named; the tree is not written to. Exit 77: it cannot be built here.
set -eu
file=$1
seconds=${2:-10}
top=${top_srcdir:-$(cd "$(dirname "$0")/.." && pwd)}
build=${top_builddir:-$top/build}
name=$(basename "$file" .c)
corpus=$(dirname "$file")/corpus/${name#fuzz_}
work=$(mktemp -d "${TMPDIR:-/tmp}/hpcai500-fuzz.XXXXXX")
mkdir "$work/found"

# skip SENTENCE
skip() {
    echo "fuzz.sh: $1" >&2
    rm -r "$work"
    exit 77
}

echo 'int LLVMFuzzerTestOneInput(const char *p, long n);
int LLVMFuzzerTestOneInput(const char *p, long n) { return p && n < 0; }' >"$work/probe.c"
clang -fsanitize=fuzzer "$work/probe.c" -o "$work/probe" 2>/dev/null ||
    skip "no clang with libFuzzer here (Debian: clang, libclang-rt-14-dev)"

sources="" flags=""
for word in $(sed -n 's/^ \* links: //p' "$file"); do
    case $word in
        pkg:*) library=${word#pkg:}
            found=$(pkg-config --cflags --libs "$library" 2>/dev/null) ||
                skip "$name wants $library, which pkg-config does not know"
            flags="$flags $found" ;;
        *) sources="$sources $top/$word" ;;
    esac
done
# shellcheck disable=SC2086
clang -std=gnu11 -D_GNU_SOURCE -g -O1 -fsanitize=fuzzer,address,undefined \
    -fno-sanitize-recover=undefined -DHPCAI500_SYSCONFDIR='"/etc/hpcai500"' \
    -DHPCAI500_BINDIR='"/usr/bin"' -I"$build" -I"$top" "$file" $sources $flags -lm -o "$work/fuzz"
if "$work/fuzz" -max_total_time="$seconds" -max_len=8192 -artifact_prefix="$work/" \
    "$work/found" "$corpus" >"$work/log" 2>&1; then
    tail -n 2 "$work/log"
    rm -r "$work"
else
    tail -n 40 "$work/log" >&2
    echo "fuzz.sh: the input that fails is in $work" >&2
    exit 1
fi
