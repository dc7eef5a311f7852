/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How every row is measured: checked, warmed up, sampled in rounds, gathered.
 * micro.h says by which rules.
 *
 * Life:    rows borrow their context for the call.
 * Failure: -1 and a sentence, on all ranks.
 * Threads: the one that may talk to the other ranks.
 */
#ifndef MICRO_HARNESS_H
#define MICRO_HARNESS_H

#include "workloads/micro/condition.h"
#include "workloads/micro/micro.h"

enum { HARNESS_MOST_SAMPLES = 64 };

/* A row and how to do its work. */
struct harness_row {
    struct micro_row head;        /* name, what, shape, dtype, direction, bytes, threads, unit,
                            * more_is_better */
    double work;                  /* of one time, in the unit without "/s"; 0: a sample is
                            * seconds of one time */
    double (*value)(void *ctx);   /* of the last run(): the sample, in place of work / time */
    double (*seconds)(void *ctx); /* of the last run(): what of it counts; NULL: all */
    void *ctx;
    /* A rate of which nodes are compared: spread of healthy ones (outlier.h; 0: they are
     * not), and how many rows of its benchmark are. The node that stands out makes the
     * row SLOW. */
    double spread;
    int alike;
    /* Of a row that reads files: whether they are to be cold, and the part of them that
     * was in memory before the samples, at its worst (cold: most, warm: least); NAN
     * unknown. NULL: it reads none. */
    bool cold;
    double (*resident)(void *ctx);
    /* Does the work once and counts the numbers that are wrong. NULL: run() checks
     * as it goes. This rank alone, as the two others. */
    int (*check)(void *ctx, long *wrong, struct err *e);
    /* The work, so many times; adds to *wrong what it finds. */
    int (*run)(void *ctx, long times, long *wrong, struct err *e);
};

/* What one rank measured of a row. */
struct reading {
    int node;
    int n;           /* samples; 0: did not take part */
    long wrong;      /* numbers */
    double resident; /* NAN unknown */
    struct condition sum;
    double samples[HARNESS_MOST_SAMPLES];
};

/* Collective. Measures the row on all ranks, by turns where the host wants that, and
 * hands it to host->row on rank 0. position: of the row in the run, from 1. */
int harness_measure(const struct micro_host *h, struct harness_row *row, int position,
                    struct err *e);

/* Collective. Rank 0: own readings of all ranks (NULL elsewhere), to be freed. */
int harness_collect(const struct micro_host *h, const struct reading *own, struct reading **all,
                    struct err *e);

/* The word and the number for where the files lay, from the worst of all ranks. */
void harness_cache(struct micro_row *head, bool cold, double resident);

/* Collective. A row that no rank can measure, and why: SKIPPED. */
int harness_skip(const struct micro_host *h, struct micro_row *head, const char *why,
                 struct err *e);

/* Rank 0: makes a row of the readings: samples, parts, quantiles, conditions, status;
 * names the slowest node. head's texts and sizes stay. -1 when out of memory. */
int harness_fill(const struct micro_host *h, struct micro_row *head, const struct reading *all,
                 int position, struct err *e);

/* Collective. All rows of a benchmark, 0 to n - 1, in the order of the seed, until time
 * is over. measure: one row; position: of it, from 1. *done: how many were. */
int harness_rows(const struct micro_host *h, const char *name, int n,
                 int (*measure)(void *ctx, int row, int position, struct err *e), void *ctx,
                 int *done, struct err *e);

/* Collective: whether no row may begin any more, as time is over or a rank was told
 * to stop. */
int harness_over(const struct micro_host *h, bool *over, struct err *e);

/* Seconds that a row takes, for plans. */
double harness_seconds(const struct micro_host *h);

#endif
