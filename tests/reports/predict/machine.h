/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A machine whose truth is known: n ranks, one a node, that load, compute and sum
 * buckets message by message, each with its own noise. It is written apart from
 * reports/predict/play.c on purpose: what that one takes together (a rank's messages,
 * all readiness at once) happens here piece by piece.
 *
 * Life:    machine_run() fills the machine's own arrays; machine_fini() frees them.
 */
#ifndef PREDICT_MACHINE_H
#define PREDICT_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

#include "reports/predict/series.h"

enum { MACHINE_RANKS = 16 };

struct machine {
    /* what it is; seconds */
    int n;
    uint64_t seed;
    double cpu, noise, common;      /* own work; jitter of each rank, and of all at once */
    double fixed;                   /* part of own work that rows do not change */
    double rows;                    /* of a step, 1: as measured */
    double withheld[MACHINE_RANKS]; /* per second of own work */
    double inv[MACHINE_RANKS];      /* per byte that the rank sends */
    double alpha, software, wire_noise;
    int buckets;
    double bytes[SERIES_BUCKETS], ready[SERIES_BUCKETS];
    int borders;
    double read, decode; /* worker seconds of a batch; 0: data in memory */
    int workers, ahead;
    double lib, tail, update, between;
    int micro;
    /* what a run of it measures */
    struct series_step *step;
    struct series_loader *loader;
    double *last;
    bool *first;
};

/* 40 ms of work, 1.7 MB in four buckets at 3 GB/s, data in memory. */
struct machine machine_healthy(int n, uint64_t seed);

/* Runs so many steps in epochs of 128; the series borrows from the machine. */
void machine_run(struct machine *m, long steps, struct series *s);
void machine_fini(struct machine *m);

/* Period of a long run of it with other noise: the truth. */
double machine_period(const struct machine *m);

#endif
