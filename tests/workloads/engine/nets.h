/* SPDX-License-Identifier: BSD-3-Clause */
/* Networks of the suite as graphs, to be compiled, not trained: shapes that a
 * back end must be good at. A table; tests walk it. */
#ifndef ENGINE_NETS_H
#define ENGINE_NETS_H

#include "workloads/engine/engine.h"

struct net {
    const char *name;
    /* Builds into g with parameters in the group, and returns the loss. */
    struct tensor *(*build)(const struct net *net, struct model *m, struct graph *g, int group);
    long batch, side, width;
    int levels;        /* of a U-Net; blocks in each stage of a residual net: 0: 3, 4, 6, 3 */
    double parameters; /* what is published or counted; 0: nobody has */
};

extern const struct net nets[];
extern const int n_nets;

#endif
