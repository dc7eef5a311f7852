#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-3-Clause
# PyTorch's twin of DeepLabv3+, of modules of its own: transposed convolutions with output
# padding, depthwise ones with groups, dilation; from the same files and start values.

load twins.bash

setup() {
    twin_of deepcam class=small,model=deeplab 8 3
}

@test "the first losses agree to 5 digits" {
    first_losses_agree --class small --model deeplab
}
