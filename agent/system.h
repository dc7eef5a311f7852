/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The machine and the software on it, as this process sees them. Libraries
 * are described as loaded, not as found when this was built.
 *
 * Life:    plain structs. Failure: none: what cannot be seen is unknown with
 *          the reason. Threads: any, after MPI_Init.
 */
#ifndef AGENT_SYSTEM_H
#define AGENT_SYSTEM_H

#include "reports/record/record.h"

/* This node: its name as given, host name, inventory, build id, whether the plugin announced itself. */
void system_node(struct record_node *node, const char *name);

/* What the facts need to be told. */
struct system_told {
    int ranks, ranks_per_node, threads;
    int thread_level;       /* of MPI_Init_thread */
    const char *processors; /* of this rank */
    const char *engine, *dtype;
    const char *data_dir, *out_dir;
};
void system_facts(struct record_fact facts[FACT_COUNT], const struct system_told *told);

#endif
