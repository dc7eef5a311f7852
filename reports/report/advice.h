/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is worth doing and buying for a workload's run, in the order in which it
 * should be done: what costs nothing first, all of it together; then what is left for
 * money, against "more nodes of the same" for the same money.
 *
 *     free       changes that leave batch and sums as they are: buckets, loader workers,
 *                precision. Each whose 90 % interval lies above 1 is taken, the best of
 *                its kind; those that change the batch are shown, per sample, but not
 *                taken: what they do to the epochs is another question (quality.h)
 *     saved      mix x nodes x life cost of a node x (1 - 1 / gain), at both ends
 *     worth it   saved > price at the lower end of the gain; not worth it: saved < price
 *                at the upper end; else undecided
 *     rival      nodes for the same money: k = 1 + price / (nodes x life cost); gain of
 *                k by the power law through strong scaling to twice the nodes
 *     advised    worth it, and its lower end above the upper end of the rival
 *
 * Without a price file gains are all there is; without a mix no sum of the site; on
 * cores that others use nothing is advised. A factor is its seller's claim.
 *
 * Life:    plain data; the words of a price file are copied.
 * Failure: -1 and a sentence: out of memory, or the run cannot be simulated at all.
 * Threads: pure functions.
 */
#ifndef REPORT_ADVICE_H
#define REPORT_ADVICE_H

#include "reports/predict/predict.h"
#include "reports/predict/quality.h"
#include "reports/report/prices.h"

enum { ADVICE_FREE = 8, ADVICE_TAKEN = 4, ADVICE_BUYS = 8 };

struct advice_free {
    struct what what;
    struct prediction gain;
    struct quality quality; /* where quality_differs() */
    bool taken;
};

enum worth { WORTH_UNKNOWN, WORTH_IT, WORTH_NOT, WORTH_UNDECIDED };

struct advice_buy {
    char name[PRICES_WORD]; /* of the price file; "": without one */
    struct what what;
    bool known;                   /* its resource is one that can be asked for */
    struct prediction gain;       /* on top of what is free */
    struct quality quality;       /* likewise, where quality_differs() */
    double price;                 /* NAN: no price file */
    double saved_low, saved_high; /* of the site, over the life of its nodes; NAN: no mix */
    double gain_per_1000;         /* percent; NAN */
    enum worth worth;
    struct prediction rival; /* the nodes that it would buy */
    double rival_nodes;      /* how many times the nodes */
    bool advised;
};

struct advice {
    struct replay replay;
    bool shared;
    struct advice_free free[ADVICE_FREE];
    int n_free;
    struct what taken[ADVICE_TAKEN]; /* all of it together */
    int n_taken;
    struct prediction together; /* where n_taken */
    struct advice_buy buy[ADVICE_BUYS];
    int n_buys;
    double mix; /* NAN: the price file has none for this workload */
};

/* p: NULL without a price file; node: its row of the run's hardware, may be NULL;
 * workload: its name in [mix]; nodes: of the run. */
int advise(const struct predictor *s, const struct prices *p, const struct price_node *node,
           const char *workload, double nodes, struct advice *a, struct err *e);

/* Time to quality of what was asked; call it after advise(). */
void advice_quality(const struct quality_run *q, struct advice *a);

/* Price of an option for so many nodes. One of nodes has a price for each new one; without
 * one it is a node's life. NAN: node is NULL, and that is needed. */
double advice_price(const struct prices *p, const struct price_node *node,
                    const struct price_buy *b, double nodes);

/* Money of a run: of so many nodes for so many seconds, failures included; NAN. */
double advice_run_price(const struct prices *p, const struct price_node *node, double nodes,
                        double seconds);

#endif
