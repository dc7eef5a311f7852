#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-3-Clause
# PyTorch's twin of the climate workload gives the engine's losses, from the
# same files and start values.

losses=$top_builddir/tests/workloads/component/twin_losses
generate=$top_builddir/workloads/generate/hpcai500-generate
twin=$top_srcdir/contrib/frameworks/pytorch/deepcam.py

setup() {
    [ -x "$losses" ] && [ -x "$generate" ] || skip "the generator was not built (FFTW is missing)"
    dir=$(mktemp -d)
    mkdir "$dir/run"
    "$generate" deepcam,class=tiny --train 64 --validation 16 --out "$dir/set"
    "$losses" deepcam,class=tiny,seed=3 "$dir/set" "$dir/run"
    export PYTHONDONTWRITEBYTECODE=1
}

teardown() {
    rm -rf "$dir"
}

@test "the first losses agree to 5 digits" {
    run /usr/bin/python3 "$twin" "$dir/set" --compare "$dir/run"
    echo "$output"
    [ "$status" -ne 77 ] || skip "$output"
    [ "$status" -eq 0 ]
    [ "$(grep -c 'off by' <<<"$output")" -eq 5 ]
}
