#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-3-Clause
# Each fuzzer for some seconds on each check; longer by hand: fuzz.sh FILE 600

@test "what parses hostile text holds under libFuzzer for some seconds" {
    n=0 skipped=""
    for file in $(find "$top_srcdir/tests" -name "fuzz_*.c" | sort); do
        run "$top_srcdir/tests/fuzz.sh" "$file" 2
        echo "$file: $output"
        if [ "$status" -eq 77 ]; then
            skipped=$output
            continue
        fi
        [ "$status" -eq 0 ]
        n=$((n + 1))
    done
    [ $n -gt 0 ] || skip "$skipped"
}

# It would tell: a fuzzer of a function that does not hold, and one that
# overruns what it was given.
@test "what does not hold is found" {
    mkdir -p "$BATS_TEST_TMPDIR/corpus/bad"
    cd "$BATS_TEST_TMPDIR"
    export TMPDIR=$BATS_TEST_TMPDIR
    echo seed >corpus/bad/seed
    ignoring='runs: -fork=1 -ignore_crashes=1\n * forgives: libsomebody' # as fuzz_sample.c has
    for body in 'must(size < 2 || data[0] != 65, "no A"); return 0;' 'static volatile int seen; seen = data[size]; return 0;' \
        'static volatile int seen; seen = data[size]; return 1 - 1;'; do
        lines='links:'; [[ $body != *'1 - 1'* ]] || lines=$ignoring
        printf '/*\n * '"$lines"'\n */\n#include "tests/fuzz.h"\nint LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)\n{ %s }\n' \
            "$body" >fuzz_bad.c
        run "$top_srcdir/tests/fuzz.sh" fuzz_bad.c 20
        [ "$status" -ne 77 ] || skip "$output"
        echo "$output"
        [ "$status" -eq 1 ]
        [[ "$output" == *"no A does not hold"* || "$output" == *heap-buffer-overflow* ]]
        [[ "$output" == *"the input that fails is in $BATS_TEST_TMPDIR"* ]]
    done
}
