/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What validate.c, validate_nodes.c and validate_rows.c share; nobody else includes it.
 *
 * Life:    plain values. Failure: -1 and a sentence, on all ranks. Threads: one.
 */
#ifndef NODE_VALIDATE_INNER_H
#define NODE_VALIDATE_INNER_H

#include "agent/node/validate.h"
#include "reports/validate/assess.h"

struct validation {
    const struct micro_host *h;
    bool own;         /* this rank starts its node's program */
    int *first;       /* [n_nodes]: the first rank of each node */
    struct assess *a; /* rank 0; else NULL */
    int round;        /* that is measured */
    double budget;    /* seconds of the tests of a node; 0: the profile's own */
    double measured;  /* when the last look or round ended */
    double apart;     /* seconds: least pause before a further round; 0 none yet */
};

/* Collective. The tests (NULL: the profile's) on the nodes of `wanted` [n_nodes]; lines are
 * handed to rank 0. */
int validate_nodes(struct validation *v, const char *only, const bool *wanted, struct err *e);

/* Rank 0: the rows of all that was found. */
int validate_rows(const struct validation *v, struct err *e);

#endif
