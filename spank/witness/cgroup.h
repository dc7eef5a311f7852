/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the job's control group counted on this node, as far as it is still
 * there: Slurm removes it with the job's last step, so at the epilog it is
 * only there while a step lives on (PrologFlags=Contain of some releases) or a
 * site keeps it.
 *
 * Looked for below `root` (NULL: /sys/fs/cgroup), both versions:
 *   v1  memory|cpuacct|blkio / slurm* / uid_UID / job_JOB
 *   v2  system.slice / *slurmstepd.scope / job_JOB
 *
 * Life, Threads: none. Failure: none; what is not there stays NAN and
 * w->cgroup_reason says why.
 */
#ifndef WITNESS_CGROUP_H
#define WITNESS_CGROUP_H

#include "spank/relay/witness.h"

/* Of w->job and w->uid, into w. */
void cgroup_read(struct witness *w, const char *root);

#endif
