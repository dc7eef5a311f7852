/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What limited a workload: what the ranks measured as a case of
 * reports/diagnose/cause.h, and its answer in the record.
 *
 * Failure: -1 when out of memory.
 * Threads: one.
 */
#ifndef AGENT_WHY_H
#define AGENT_WHY_H

#include "reports/record/record.h"

/* Of this rank and its node; what its fellows have is alike. */
struct why_host {
    double cores;       /* that a rank has for itself: below 1 where ranks outnumber them */
    double threads;     /* that a rank computes with */
    double node_memory; /* bytes that the node has */
    double left;        /* of them: that its ranks may use for files beside what they hold */
};

/* Rank 0: fills that workload's why from its result and ranks, and from the ceilings that the
 * run has measured before it. */
int why_find(struct record *r, int workload, const struct why_host *host);

#endif
