/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How long a CPU quota has kept this process back. The quota may stand on its control
 * group or on any above it, of a job or not: whoever waits for a core does not care whose
 * it is. (The counter cgroup_throttled_seconds, which is one of the job's, does.)
 *
 * Failure: NAN.
 * Threads: any.
 */
#ifndef WORKLOADS_THROTTLED_H
#define WORKLOADS_THROTTLED_H

/* Seconds since the group exists, of the one that was kept back longest; NAN: no group
 * tells it. cgroup v1 and v2. */
double throttled_seconds(void);

#endif
