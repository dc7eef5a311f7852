/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What this rank may use: processors, memory, and how fast it computes.
 *
 * Life:    no state.
 * Failure: -1 and a sentence, the same on all ranks.
 * Threads: the one that may talk to the other ranks.
 */
#ifndef AGENT_RESOURCES_H
#define AGENT_RESOURCES_H

#include <stdint.h>

#include "reports/core/runspec.h"
#include "workloads/comm.h"

struct resources {
    int threads;  /* cores of its mask, shared among the ranks of the node that have it */
    int cores;    /* likewise, of the rank that has fewest; whatever Slurm's words */
    double share; /* the same before it is made whole: below 1 where ranks outnumber cores */
    uint64_t memory_bytes;   /* least over all ranks; 0 unknown */
    char memory_source[192]; /* the limit that says so, memory.h */
    char processors[96];     /* of this rank, "0-3,8" */
    double flop_per_second;  /* of the slowest rank; set by resources_probe() */
};

/* Collective. node: number of this rank's node. */
int resources_find(struct resources *r, struct comm *c, int node, struct err *e);

/* Collective. Trains a small network for a moment through the engine that
 * the run will use, all ranks at once, and takes the slowest. About 0.3 s. */
int resources_probe(struct resources *r, struct comm *c, const struct runspec *spec, struct err *e);

#endif
