/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ablation: after training, steps of the run's own network are timed with something
 * taken away (reports/core/ablation.def), in rounds of one block of each arm, in an
 * order that the seed shuffles. Rate 0: the update costs what it costs, values stay.
 *
 *     block    4 steps that do not count, then as many as the slowest rank makes in
 *              half a second, at least 16; the count is agreed before
 *     memory   one batch again and again: the loader's threads sleep, so their cores are
 *              free, too
 *     rebuild  another network of half the threads, or half the rows, or over the ranks of
 *              each node alone, all nodes at the same time: 16 steps first
 *     budget   never more than training took, nor than the run's time leaves: arms are
 *              left out from the last on, then blocks are of 16 steps; if that does not
 *              fit, none is made; a run that is told to end makes no further round
 *
 * A rank that fails in a block goes on with idle steps to the block's end.
 *
 * Life:    the networks are the call's; the loader's next batch is another one.
 * Failure: -1 and a sentence, on all ranks. What cannot be made is a reason in the
 *          result.
 * Threads: the one that may talk to the other ranks.
 */
#ifndef COMPONENT_ABLATE_H
#define COMPONENT_ABLATE_H

#include "workloads/component/harness.h"

struct ablate {
    const struct component *component;
    const struct recipe *recipe;
    const struct runspec *spec;
    const struct workload_host *host;
    struct net *net;
    struct loader *loader;
    const void *feed;
    long batch;             /* global */
    double step_seconds;    /* mean step of training, this rank; <= 0: not known */
    double trained_seconds; /* the budget */
};

int ablate_run(const struct ablate *a, struct result_ablation *r, struct err *e);

#endif
