#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-3-Clause
# A short fuzz of the run text on each check; longer by hand: fuzz.sh runspec 600

@test "the run text holds under libFuzzer for a few seconds" {
    run "$top_srcdir/tests/reports/fuzz.sh" runspec 4
    [ "$status" -ne 77 ] || skip "$output"
    echo "$output"
    [ "$status" -eq 0 ]
}

@test "records and journals hold under libFuzzer for a few seconds" {
    grep -q 'define HAVE_CJSON 1' "$top_builddir/config.h" || skip "no cJSON in this build"
    run "$top_srcdir/tests/reports/fuzz.sh" record 3
    [ "$status" -ne 77 ] || skip "$output"
    echo "$output"
    [ "$status" -eq 0 ]
    run "$top_srcdir/tests/reports/fuzz.sh" journal 3
    [ "$status" -ne 77 ] || skip "$output"
    echo "$output"
    [ "$status" -eq 0 ]
}

@test "the configuration holds under libFuzzer for a few seconds" {
    run "$top_srcdir/tests/reports/fuzz.sh" config 3
    [ "$status" -ne 77 ] || skip "$output"
    echo "$output"
    [ "$status" -eq 0 ]
}
