/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Series of steps whose limit is known, made from Philox: n ranks, one a node, that
 * load, compute and exchange one bucket by direct messages (reduce-scatter, then
 * all-gather), as the step model has it. What was stamped goes through
 * workloads/steps.h as in a run, so that the whole way from stamps to a cause is
 * under test.
 *
 * Life: synth_make() fills a case that borrows from the synth.
 */
#ifndef DIAGNOSE_SYNTH_H
#define DIAGNOSE_SYNTH_H

#include <stdint.h>

#include "reports/diagnose/cause.h"

enum { SYNTH_RANKS = 8, SYNTH_STEPS = 256 };

struct synth {
    /* what is asked; seconds, or parts of the processors' time */
    int n;
    uint64_t seed;
    double compute, noise, common;    /* of a step; jitter of each rank, and of all at once */
    double slower[SYNTH_RANKS];       /* part by which a rank computes longer */
    double quota[SYNTH_RANKS];        /* withheld by a quota, per second of compute */
    double foreign[SYNTH_RANKS];      /* withheld by others */
    double byte_seconds[SYNTH_RANKS]; /* of each rank's sending */
    double bytes, software;           /* of a bucket; of a phase */
    double produce[SYNTH_RANKS];      /* of a batch by the loader */
    double lib;                       /* inside the exchange during backward */
    double late[SYNTH_RANKS];         /* run delay of a rank while it should send */
    /* what comes out */
    struct cause_node nodes[SYNTH_RANKS];
    char names[SYNTH_RANKS][16];
};

/* A healthy run: 40 ms of compute, 1.7 MB at 3 GB/s, data in memory. */
struct synth synth_healthy(int n, double noise, uint64_t seed);

/* Plays it and fills what a run measures of it. */
void synth_make(struct synth *s, struct cause_case *c);

#endif
