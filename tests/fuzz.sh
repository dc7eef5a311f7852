#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# fuzz.sh FILE [SECONDS]: builds a fuzzer, tests/FOLDER/fuzz_NAME.c, with clang's
# libFuzzer, ASan and UBSan and what its lines "links:" name (fuzz.h), and runs
# it from its corpus for so long (10). What it finds is left in a new folder,
# which is named; the tree is not written to. Exit 77: it cannot be built here.
# FUZZ_FOLDER names a folder of its own to the fuzzer, whose seeds/ is a corpus.
set -eu
file=$1
seconds=${2:-10}
top=${top_srcdir:-$(cd "$(dirname "$0")/.." && pwd)}
build=${top_builddir:-$top/build}
name=$(basename "$file" .c)
corpus=$(dirname "$file")/corpus/${name#fuzz_}
[ -d "$corpus" ] || corpus=
work=$(mktemp -d "${TMPDIR:-/tmp}/hpcai500-fuzz.XXXXXX")
mkdir "$work/found" "$work/seeds"

# skip SENTENCE
skip() {
    echo "fuzz.sh: $1" >&2
    rm -r "$work"
    exit 77
}

echo 'int LLVMFuzzerTestOneInput(const char *p, long n);
int LLVMFuzzerTestOneInput(const char *p, long n) { return p && n < 0; }' >"$work/probe.c"
clang -fsanitize=fuzzer "$work/probe.c" -o "$work/probe" 2>/dev/null ||
    skip "no clang with libFuzzer here (Debian: clang, libclang-rt-dev)"

# sources_of FOLDER: those of the first library of its local.mk, but what the
# fuzzer includes
sources_of() {
    sed -n '/_la_SOURCES = /,/[^\\]$/p' "$top/$1/local.mk" | sed '/[^\\]$/q' |
        grep -o '%D%/[a-z0-9_]*\.c' | sed "s,%D%,$1," | while read -r one; do
            grep -q "#include \"$one\"" "$file" || echo "$top/$one"
        done
}

sources="" cflags="" libs=""
for word in $(sed -n 's/^ \* links: //p' "$file"); do
    case $word in
        pkg:*) library=${word#pkg:}
            pkg-config --exists "$library" || skip "$name wants $library, which pkg-config does not know"
            cflags="$cflags $(pkg-config --cflags "$library")" libs="$libs $(pkg-config --libs "$library")" ;;
        opt:*) library=${word#opt:}
            ! pkg-config --exists "$library" ||
                cflags="$cflags $(pkg-config --cflags "$library")" libs="$libs $(pkg-config --libs "$library")" ;;
        lib:*) sources="$sources $(sources_of "${word#lib:}")" ;;
        *) sources="$sources $top/$word" ;;
    esac
done
# An object for each source, so that ccache, where clang is one of its names,
# compiles once what several fuzzers link.
objects=
for source in "$file" $sources; do
    object=$work/$(printf %s "$source" | tr / _).o
    # shellcheck disable=SC2086
    clang -std=gnu11 -D_GNU_SOURCE -g -O1 -fsanitize=fuzzer,address,undefined \
        -fno-sanitize-recover=undefined -DHPCAI500_SYSCONFDIR='"/etc/hpcai500"' \
        -DHPCAI500_BINDIR='"/usr/bin"' -I"$build" -I"$top" $cflags -c "$source" -o "$object"
    objects="$objects $object"
done
# shellcheck disable=SC2086
clang -fsanitize=fuzzer,address,undefined $objects $libs -lm -o "$work/fuzz"
# HDF5 leaks what it made of files that it refuses, and asks for as much memory
# as a header says: what is touched counts (rss).
echo leak:libhdf5 >"$work/suppress"
export FUZZ_FOLDER="$work" ASAN_OPTIONS=allocator_may_return_null=1 \
    LSAN_OPTIONS="suppressions=$work/suppress"
rc=0
# shellcheck disable=SC2046
"$work/fuzz" -max_total_time="$seconds" -max_len=8192 $(sed -n 's/^ \* runs: //p' "$file") \
    -artifact_prefix="$work/" "$work/found" "$work/seeds" ${corpus:+"$corpus"} >"$work/log" 2>&1 || rc=$?

# fail LOG: what was found stays
fail() {
    tail -n 40 "$1" >&2
    echo "fuzz.sh: the input that fails is in $work" >&2
    exit 1
}

# Of a library that is not ours ("forgives: NAME") the failures are counted that
# happen in it, or in libc when it calls it: it has a frame further in than any
# of this tree. Whatever else was found is a failure. (libFuzzer's own exit code
# is 1 when its last job found something.)
library=$(sed -n 's/^ \* forgives: //p' "$file")
theirs=0
for input in "$work"/crash-* "$work"/oom-* "$work"/timeout-*; do
    [ -f "$input" ] || continue
    [ -n "$library" ] || fail "$work/log"
    "$work/fuzz" "$input" >"$work/again" 2>&1 || true
    inner=$(grep -F -e "$library" -e " $top/" "$work/again" | grep -m 1 '^ *#[0-9]* 0x' || true)
    case $inner in
        *"$library"*) theirs=$((theirs + 1)) ;;
        *) fail "$work/again" ;;
    esac
done
[ $rc -eq 0 ] || { [ $theirs -gt 0 ] && grep -q '^INFO: exiting: ' "$work/log"; } || fail "$work/log"
[ $theirs -eq 0 ] || echo "$theirs inputs that $library itself does not survive"
tail -n 2 "$work/log"
rm -r "$work"
