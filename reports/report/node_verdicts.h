/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What validations said of nodes (reports/validate/verdicts.h): the newest verdict of each.
 *
 * A node of another cluster is another node; a verdict or a record that does not say its
 * cluster is taken for any.
 *
 * Life:    node_verdicts_of() takes the array, node_verdicts_fini() frees it.
 * Failure: -1 and a sentence: out of memory; the array is then freed.
 * Threads: pure functions.
 */
#ifndef REPORT_NODE_VERDICTS_H
#define REPORT_NODE_VERDICTS_H

#include "reports/validate/verdicts.h"

struct node_verdicts {
    int n;
    const struct verdict_line **of; /* by node, of a node the newest first */
    struct verdict_line *lines;
};

/* lines: from malloc(), in the order of their file; of one time the later line counts. */
int node_verdicts_of(struct node_verdicts *v, struct verdict_line *lines, int n, struct err *e);
void node_verdicts_fini(struct node_verdicts *v);

/* cluster "": any. NULL: there is none. */
const struct verdict_line *node_verdict(const struct node_verdicts *v, const char *node,
                                        const char *cluster);

#endif
