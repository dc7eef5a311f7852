#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-3-Clause
# PyTorch's twin of the particle physics workload gives the engine's losses, from
# the same files and start values.

losses=$top_builddir/tests/workloads/component/twin_losses
generate=$top_builddir/workloads/generate/hpcai500-generate
twin=$top_srcdir/contrib/frameworks/pytorch/hep.py

setup() {
    [ -x "$losses" ] && [ -x "$generate" ] || skip "the generator was not built (FFTW is missing)"
    dir=$(mktemp -d)
    mkdir "$dir/run"
    "$generate" hep,class=tiny --train 512 --validation 64 --out "$dir/set"
    export PYTHONDONTWRITEBYTECODE=1
}

teardown() {
    rm -rf "$dir"
}

compare() {
    run /usr/bin/python3 "$twin" "$dir/set" --compare "$dir/run" "$@"
    echo "$output"
    [ "$status" -ne 77 ] || skip "$output"
}

@test "ResNet's first losses agree to 5 digits" {
    "$losses" hep,class=tiny,seed=3 "$dir/set" "$dir/run"
    compare
    [ "$status" -eq 0 ]
    [ "$(grep -c 'off by' <<<"$output")" -eq 5 ]
}

@test "HEP-CNN's losses without dropout agree to 5 digits" {
    "$losses" hep,class=tiny,seed=3,model=hepcnn "$dir/set" "$dir/run" still
    compare --model hepcnn --still
    [ "$status" -eq 0 ]
    [ "$(grep -c 'off by' <<<"$output")" -eq 5 ]
}

@test "a loss that is off is found" {
    "$losses" hep,class=tiny,seed=3 "$dir/set" "$dir/run"
    awk 'NR == 5 { $2 *= 1.00003 } 1' "$dir/run/steps.txt" >"$dir/wrong"
    mv "$dir/wrong" "$dir/run/steps.txt"
    compare
    [ "$status" -eq 1 ]
}
