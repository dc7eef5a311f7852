/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What assess.c and assess_*.c share; nobody else includes it.
 *
 * Life:    plain values. Failure: as said. Threads: one.
 */
#ifndef VALIDATE_ASSESS_INNER_H
#define VALIDATE_ASSESS_INNER_H

#include "reports/validate/assess.h"

/* What was measured between two nodes: bytes/s and seconds, NAN what was not. */
struct assess_pair {
    int round, from, to; /* nodes */
    double value[ASSESS_WAYS];
    int runs[ASSESS_WAYS];    /* of its own past; 0: too few */
    double away[ASSESS_WAYS]; /* of its own median from the baseline, on the scale of losses */
};

/* Its number; -1: it is not one of them. */
int assess_find(const struct assess *a, const char *name);

/* A group of no entries yet, with room for so many; NULL: out of memory. */
struct assess_group *assess_new_group(struct assess *a, int metric, const char *class, int most);
void assess_add_entry(struct assess_group *g, int node, int metric, double loss,
                      struct variance_node own);
/* The noise of the group's metric, of the past or the prior; metrics: judged together. */
int assess_noise(struct assess *a, const char *class, int metrics, struct assess_group *g,
                 struct judge_history *h, struct err *e);

/* After pairs have come and before their losses are asked for. -1: out of memory. */
int assess_index_links(struct assess *a);
int assess_look_at_links(struct assess *a, struct err *e);
/* Of an end of links in a round: the median over its partners, NAN none. room: [n_pairs]. */
double assess_end_loss(const struct assess *a, int round, int node, int metric, double *room);
/* Whether an end met so many partners in the look that it may be named. */
bool assess_names(const struct assess *a, int node, int metric);

/* Of entry i of a group in a round; NAN: none. room: [n_pairs]. */
double assess_entry_loss(const struct assess *a, const struct assess_group *g, int i, int round,
                         double *room);
/* The fresh rounds of an entry that was gated: d[K], their median and the answer. -1: out of
 * memory. */
int assess_answer(const struct assess *a, const struct assess_group *g, int i, double *d, int *K,
                  double *D, enum judge_answer *answer);

#endif
