# SPDX-License-Identifier: BSD-3-Clause
# The mathematics: knows no MPI, no Slurm, no counters.
include workloads/engine/local.mk
include workloads/data/local.mk
include workloads/component/local.mk
