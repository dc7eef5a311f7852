#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-3-Clause
# Every operator, loss and state gives what PyTorch gives, forward and backward.

setup() {
    dir=$(mktemp -d)
}

teardown() {
    rm -rf "$dir"
}

ours() {
    run "$top_builddir/tests/workloads/engine/engine_ops" "$dir" "$1"
    [ "$status" -ne 77 ] || skip "$output"
    [ "$status" -eq 0 ]
}

theirs() {
    run /usr/bin/python3 "$top_srcdir/tests/workloads/engine/torch_ops.py" "$dir"
    echo "$output"
    [ "$status" -ne 77 ] || skip "$output"
}

@test "every operator of ref is PyTorch's" {
    ours ref
    theirs
    [ "$status" -eq 0 ]
}

@test "every operator of cpu is PyTorch's" {
    ours cpu
    theirs
    [ "$status" -eq 0 ]
}

@test "an operator that is off is found" {
    ours ref
    cp "$dir/deconv2d.train.param1.f32" "$dir/save"
    tail -c +5 "$dir/save" > "$dir/deconv2d.train.param1.f32"
    head -c 4 "$dir/save" >> "$dir/deconv2d.train.param1.f32"
    theirs
    [ "$status" -eq 1 ]
    [[ "$output" == *"deconv2d.train: param1 is off by"* ]]
    mv "$dir/save" "$dir/deconv2d.train.param1.f32"
    sed -i 's/^case deconv2d[.]train/case novelty.train/' "$dir/index.txt"
    for f in "$dir"/deconv2d.train.*; do cp "$f" "${f/deconv2d/novelty}"; done
    theirs
    [ "$status" -eq 1 ]
    [[ "$output" == *"novelty is not written with PyTorch yet"* ]]
}
