/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Inside p2p: what an end measures of a link, and the rows that are made of it.
 *
 * Life:    plain data; p2p_ends_fini() frees.
 * Failure: -1 and a sentence, on all ranks.
 * Threads: the one that may talk to the other ranks.
 */
#ifndef MICRO_P2P_H
#define MICRO_P2P_H

#include "agent/micro/network.h"

enum { LINK_SAMPLES = 40 };

/* Ranks that stand for a node, or all of one node. */
struct ends {
    int n, own; /* own: index of this rank, -1 when it is not one */
    int *rank;  /* [n] */
};

/* Of one end towards another. */
struct link {
    int32_t to; /* index of the end; -1: they never met */
    int32_t trips, messages;
    int32_t n_latency, n_bandwidth;
    int64_t wrong;
    struct condition sum;
    double latency[LINK_SAMPLES], bandwidth[LINK_SAMPLES];
};

int p2p_ends(const struct micro_host *h, struct ends *ends, struct err *e);
void p2p_ends_fini(struct ends *ends);

/* Collective. links: [ends->n] of this end. Rank 0 hands over all rows. */
int p2p_rows(const struct micro_host *h, const struct ends *ends, const struct link *links,
             struct err *e);
/* The one row of a run without links. */
int p2p_no_link(const struct micro_host *h, struct err *e);

#endif
