# SPDX-License-Identifier: BSD-3-Clause
# The parts that need no daemon; in a real Slurm: tests/cluster
include tests/spank/plugin/local.mk
include tests/spank/relay/local.mk
include tests/spank/witness/local.mk
include tests/spank/account/local.mk
include tests/spank/collect/local.mk
include tests/spank/doctor/local.mk
include tests/spank/validate/local.mk
