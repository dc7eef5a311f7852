/* SPDX-License-Identifier: BSD-3-Clause */
/* The run text of a suite of three workloads, for agent-two: the agent with the
 * workload of the tests under three names. */
#define RUNSPEC_WORKLOADS "tests/agent/two_workloads.def"
#include "reports/core/runspec_table.c"
