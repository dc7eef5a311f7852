/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * `sbatch --hpcai500=vet,spares=2 job.sh`: what the script learns of its nodes. The plugin
 * chooses for a script, the agent for a person in an allocation.
 *
 * The vet is the job's first step; its agent prints one line (agent/node/validate.h),
 *     hpcai500-vet ok|short INDEX:NODE[,INDEX:NODE...]
 * which is believed only when every index is that node's place among the job's and there are
 * as many as were asked for. If not, or if there is no line, the last nodes are left out: a
 * vet that fails costs the job nothing. It sets nothing that Slurm reads by itself.
 *
 * Life:    vet_fini() frees.
 * Failure: -1 and a sentence: there are no nodes to choose from. v is empty then.
 * Threads: pure functions.
 */
#ifndef CORE_VET_H
#define CORE_VET_H

#include <stdbool.h>

#include "reports/core/err.h"

#define ENV_VET "HPCAI500_VET" /* ok, short, failed */

struct vet {
    const char *state; /* of ENV_VET */
    char *nodes;       /* HPCAI500_NODES: to be used, commas between */
    char *spares;      /* HPCAI500_SPARES: left out */
    char *srun;        /* HPCAI500_SRUN: "-N2 -n16 -x n3" */
    char *hosts;       /* lines "n1 slots=8" */
};

/* said: what the agent printed, all of it; NULL: nothing. names: the job's nodes, a line each,
 * in its order. tasks: SLURM_TASKS_PER_NODE, "8(x2),4"; NULL: one each. */
int vet_choose(struct vet *v, const char *said, const char *names, const char *tasks, int spares,
               struct err *e);
void vet_fini(struct vet *v);

/* Lines for a shell that set the variables but that of the hosts, malloc; NULL: no memory:
 *     export HPCAI500_VET='ok'
 * Names of nodes have nothing that a shell would read. */
char *vet_exports(const struct vet *v);

#endif
