/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which node is slower than the others allow, by the rule for nodes without a history
 * (validation of a cluster's nodes, of links: polish.h).
 *
 * Life:    plain values. Failure: none.
 * Threads: pure function.
 */
#ifndef MICRO_OUTLIER_H
#define MICRO_OUTLIER_H

#include <stdbool.h>

enum { OUTLIER_LEAST_NODES = 4 };

/* Spread of a rate from healthy node to healthy node where nothing else is known. */
#define OUTLIER_COMPUTE 0.01
#define OUTLIER_MEMORY  0.02
#define OUTLIER_STORAGE 0.10

struct outlier {
    int node;     /* index; -1 nobody */
    double loss;  /* ln(median of the others / its rate) */
    double limit; /* that this is above */
};

/*
 * rates[n]: of each node, > 0 (NAN: did not measure it). error: standard error of one of
 * them, relative, from the repeats. prior: OUTLIER_x. rows: that are judged alike in this
 * run. room[n].
 *
 * A node's loss is taken against the median of the others. The scale is s^2 = prior^2 +
 * error^2, from eight nodes on at least 1.4826 x the median absolute deviation of all,
 * with the uncertainty of the others' median: s sqrt(1 + 1.57 / (n - 1)). The limit is
 * Student's t of 4 degrees of freedom for 1 % over all nodes and rows. The node with the
 * greatest loss is named when that is above it; nobody with fewer than four nodes.
 */
struct outlier outlier_find(const double *rates, int n, double error, double prior, int rows,
                            double *room);

#endif
