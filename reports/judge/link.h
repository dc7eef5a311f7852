/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which node has the slow link, when only pairs can be measured?
 *
 * Rounds: in each, every node has one partner and all pairs work at the same time.
 * link_rounds() of them are enough: 5 (odd, so that there is a true median), all
 * n - 1 up to 6 nodes. One round says that a pair is slow; two make even rings, in
 * which "one end or the other" has no answer. From three on the graph of pairs must
 * be connected and have an odd ring: link_partners() draws again until it has.
 *
 * Values: a pair is as slow as its slower end (bandwidth), so
 *
 *     value of an end = median over its partners of the loss of the pair
 *     peel: of all ends above their limit (judge.h) take the worst, leave its pairs
 *           out of the others' medians, judge again, until none is above
 *
 * An end whose partners were all peeled has its best pair's value: it cannot be
 * slower. Without peeling, three bad nodes of 16 would make innocent ones slow.
 * Median polish (sum of two ends) is the wrong model here: it names fewer.
 *
 * Directions are ends of their own: of n nodes, end i is "out of node i", end n + i
 * "into node i", and a pair is (out of a, into b).
 *
 * Failure: -1 out of memory.
 * Threads: pure functions; the same seed draws the same rounds.
 */
#ifndef JUDGE_LINK_H
#define JUDGE_LINK_H

#include <stdint.h>

#include "reports/judge/judge.h"

enum {
    LINK_NAMES = 3,  /* partners, so that a node may be named and not only the pair */
    LINK_ROUNDS = 5, /* of many nodes */
    LINK_ALL = 6     /* up to so many nodes: everyone with everyone */
};

struct link_pair {
    int a, b; /* its ends */
    double loss;
};

/* Rounds for n nodes: 0 for one, at most LINK_ROUNDS. */
int link_rounds(int n);

/* partner[round * n + i] of node i, -1: it rests (n odd). 0, or -1. */
int link_partners(int n, int rounds, uint64_t seed, int *partner);

/* Judges ends[0..n_ends) by the losses of pairs: fills their `loss`, then seen and
 * look as judge_look() does. own, own_runs and group are the caller's. */
int link_look(const struct judge_history *h, struct judge_node *ends, int n_ends,
              const struct link_pair *pairs, int n_pairs, struct judge_seen *seen,
              struct judge_look *look);

#endif
