#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-3-Clause
# A short fuzz of the reader of bundles on each check.

@test "bundles hold under libFuzzer for a few seconds" {
    run "$top_srcdir/tests/spank/fuzz.sh" bundle 3
    [ "$status" -ne 77 ] || skip "$output"
    echo "$output"
    [ "$status" -eq 0 ]
}
