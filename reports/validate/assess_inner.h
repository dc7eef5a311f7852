/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What assess.c and assess_verdict.c share; nobody else includes it.
 *
 * Life:    plain values. Failure: as said. Threads: one.
 */
#ifndef VALIDATE_ASSESS_INNER_H
#define VALIDATE_ASSESS_INNER_H

#include "reports/validate/assess.h"

struct assess_pair {
    int round, from, to; /* nodes */
    double bandwidth, latency;
};

/* On the scale of judge_loss(). */
double assess_pair_loss(const struct assess_pair *p, int metric);
/* Of entry i of a group in a round; NAN: none. room: [n_pairs]. */
double assess_entry_loss(const struct assess *a, const struct assess_group *g, int i, int round,
                         double *room);
/* The fresh rounds of an entry that was gated: d[K], their median and the answer. -1: out of
 * memory. */
int assess_answer(const struct assess *a, const struct assess_group *g, int i, double *d, int *K,
                  double *D, enum judge_answer *answer);

#endif
