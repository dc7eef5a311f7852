#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-3-Clause
# PyTorch's twin of the forecast workload gives the engine's losses, from the
# same files and start values.

load twins.bash

setup() {
    twin_of forecast
}

@test "the first losses agree to 5 digits" {
    first_losses_agree
}
