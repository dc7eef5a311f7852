#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-3-Clause
# PyTorch's twin of the inspection workload gives the engine's losses, from the
# same files and start values.

load twins.bash

setup() {
    twin_of defect
}

@test "the first losses agree to 5 digits" {
    first_losses_agree
}

@test "a loss that is off is found" {
    awk 'NR == 5 { $2 *= 1.00003 } 1' "$dir/run/steps.txt" >"$dir/wrong"
    mv "$dir/wrong" "$dir/run/steps.txt"
    python "$twin" "$dir/set" --compare "$dir/run"
    [ "$status" -eq 1 ]
}
