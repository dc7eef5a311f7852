#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-3-Clause
# The same net on the same samples gives the losses that PyTorch gives.

setup() {
    dir=$(mktemp -d)
}

teardown() {
    rm -rf "$dir"
}

agree() {
    run "$top_builddir/tests/workloads/engine/engine_losses" "$dir" "$@"
    [ "$status" -ne 77 ] || skip "$output"
    [ "$status" -eq 0 ]
    run env OMP_NUM_THREADS=2 /usr/bin/python3 "$top_srcdir/tests/workloads/engine/torch_losses.py" "$dir"
    echo "$output"
    [ "$status" -ne 77 ] || skip "$output"
    [ "$status" -eq 0 ]
}

@test "ref gives PyTorch's losses to 5 digits" {
    agree ref
}

@test "cpu gives PyTorch's losses to 5 digits" {
    agree cpu
}

@test "every update rule gives PyTorch's losses to 5 digits" {
    for rule in clip adam adamw rmsprop lamb; do
        echo "$rule"
        agree ref "$rule"
    done
}

@test "a loss that is off is found" {
    "$top_builddir/tests/workloads/engine/engine_losses" "$dir" ref
    /usr/bin/python3 -c 'import torch' || skip "no PyTorch"
    sed -i '5s/.*/0.5/' "$dir/losses.txt"
    run /usr/bin/python3 "$top_srcdir/tests/workloads/engine/torch_losses.py" "$dir"
    [ "$status" -eq 1 ]
}
