/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Plays training steps on a machine that is described in a few numbers: how long
 * does a step take? Own work, loader and disturbances are what a run measured, block
 * by block; only the exchange and the loader's queue are a model:
 *
 *     loader    ahead batches ready at most; while the trainer computes as many workers
 *               produce as take one core together, while it waits all
 *     exchange  direct: each rank sends its piece of a bucket to every other
 *               (reduce-scatter), then its sum to all (all-gather); a message takes
 *               alpha + bytes x inv_j of the sender j, one after the other; c is the
 *               software of a phase. Sums of at most 64 KiB in all are sent whole, in one
 *               phase. Messages move between operators only, and whenever a rank waits.
 *     inside    one node: ranks meet in shared memory, which takes so long for a byte
 *
 * That is what agent/comm does; an algorithm that it does not have is not played.
 *
 *     go_j = obs(j, max_i obs(i, max_i r_i))              everybody came by
 *     e1_j = max(go_j, busy_j) + (n-1)(alpha + S/n inv_j)
 *     P_i  = obs(i, max over j != i of e1_j + c)
 *     e2_j = max(busy_j, obs(j, P_j)) + (n-1)(alpha + S/n inv_j)
 *     D_i  = obs(i, max_j e2_j + c)                       own sends must be out, too
 *     x_i  = max(a_i, max_b D_i + residual_i) + update_i
 *
 * obs(i, t): t when rank i has nothing left to compute at t, else its next border.
 *
 * Life:    a play borrows the series, the fit and its blocks; play_period() keeps
 *          nothing.
 * Failure: NAN when out of memory.
 * Threads: pure functions.
 */
#ifndef PREDICT_PLAY_H
#define PREDICT_PLAY_H

#include <stdint.h>

#include "reports/predict/series.h"

enum { PLAY_RANKS = 1024 };

/* What the steps say of the exchange; fit.h finds it. */
struct exchange {
    double inv[SERIES_RANKS];   /* seconds for a byte that rank j sends */
    double alpha;               /* of a message */
    double software;            /* c */
    double inside;              /* seconds for a byte in shared memory; NAN: by messages */
    double usual[SERIES_RANKS]; /* median of what rank i waits after all had arrived */
};

struct play {
    const struct series *s;
    const struct exchange *x;
    const long *block; /* [blocks] first steps of what is played, in order */
    int blocks;
    uint64_t seed; /* of independent draws */
    /* What a what-if changes; 1: as measured. */
    int ranks;                                  /* rank i is like rank i % s->ranks */
    bool independent;                           /* each rank draws blocks for itself */
    double cpu, withheld, software_cpu, update; /* lib and tail; the optimiser */
    double inv, alpha, software, residual;
    double read, decode; /* of the loader; read: of what is above the page cache */
    int workers;
    int micro;   /* passes before a sum */
    double rows; /* of a step on a rank */
    int buckets;
    double bytes[SERIES_BUCKETS], ready[SERIES_BUCKETS];
};

/* The run as it was. */
void play_init(struct play *p, const struct series *s, const struct exchange *x, const long *block,
               int blocks);

/* Mean period [s] of the steps: blocks in order, as often as makes 128 steps; the
 * first eighth is left out. */
double play_period(const struct play *p);

/* When each rank has the sums of a step that all finish at 0, after `own` seconds
 * each: first half and end of the last bucket, both after 0. For the fit. */
void play_exchange(const struct play *p, double own, double half[], double end[]);

/* Rank i's wait after the last arrival `last` in a measured step. */
double play_wire(const struct series_step *step, double last);

#endif
