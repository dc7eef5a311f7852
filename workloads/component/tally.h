/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What an evaluation collects on its way: sums, and scored samples. A rank adds
 * what it saw; the harness sums and gathers over the ranks; then metrics are
 * pure functions over it (metric.h).
 *
 * Life:    zeroed is empty; tally_fini() frees the list.
 * Failure: memory.
 * Threads: one.
 */
#ifndef COMPONENT_TALLY_H
#define COMPONENT_TALLY_H

#include "workloads/metric.h"

enum { TALLY_SUMS = 64 };

struct tally {
    double seen[TALLY_SUMS]; /* of the first training epoch, all ranks: read only */
    double sums[TALLY_SUMS];
    struct score *scores; /* [n_scores] */
    size_t n_scores, room;
};

int tally_score(struct tally *t, const struct score *s, struct err *e);

/* Begins an evaluation: nothing seen but `seen`. */
void tally_clear(struct tally *t);

/* Sums over the ranks, and the scores of all, sorted, on every rank. Collective. */
int tally_join(struct tally *t, struct comm *comm, struct err *e);

void tally_fini(struct tally *t);

#endif
