/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a run measured of its steady steps, step by step and rank by rank, and what
 * it measured of its parts: all that the step simulator knows. Nothing here is a
 * guess: what was not measured is NAN or 0, and the what-ifs that need it refuse.
 *
 * One step of one rank (workloads/steps.h has the picture):
 *
 *     exit of k-1   asks      i1                     r      a          exit of k
 *        |--update,--|--input--|--lib, cpu, withheld--|-tail-|---wait---|
 *           between
 *
 * Units:   seconds, bytes; moments on one clock of all ranks.
 * Life:    the series borrows its arrays.
 * Failure: series_check() says in one sentence why steps cannot be simulated.
 * Threads: pure functions.
 */
#ifndef PREDICT_SERIES_H
#define PREDICT_SERIES_H

#include <stdbool.h>

#include "reports/core/err.h"

enum {
    SERIES_BUCKETS = 16,
    SERIES_RANKS = 64,  /* that a series holds; a larger run has chosen ones */
    SERIES_LEAST = 64,  /* steady steps below which nothing is predicted */
    SERIES_BLOCK = 16,  /* consecutive steps that are drawn together */
    SERIES_POINTS = 17, /* of the curve of gradients */
};

/* One rank's step. Floats: 24 bits of a step are a ten-millionth of it. */
struct series_step {
    double ready;   /* r: the last gradient is there */
    float between;  /* from the step before: agreement, other */
    float input;    /* waited for the loader */
    float cpu;      /* own work without what follows */
    float withheld; /* had no core in [i1, a] */
    float lib;      /* inside the exchange before r, and in sums that are part of the network */
    float tail;     /* r to a */
    float half;     /* r to the end of the last sum's first half; < 0: not known */
    float exit;     /* r to the end of the last wait */
    float update;   /* exit to the end of the step */
    float produce;  /* worker seconds of the batch in the loader; < 0: not known */
};

/* The loader of a rank: worker seconds of a batch. NAN: not measured. */
struct series_loader {
    double read;   /* reading, wall: falls with a faster storage ... */
    double cached; /* ... down to this: the same bytes from the page cache */
    double decode; /* inflate and make(), CPU: falls with a faster processor */
};

/* The transport's own test, through the transport of the run. NAN: not measured. */
struct series_transport {
    double alpha;     /* seconds of a message ... */
    double low, high; /* ... and its interval */
    double software;  /* c: seconds of a phase that no byte takes, from small sums */
};

struct series {
    int ranks, nodes;
    long steps;
    const struct series_step *step; /* rank i, step k: [i * steps + k] */
    const double *last;             /* [steps] the last rank's r */
    const bool *first; /* [steps] there is no period before it: an epoch begins, or steps lack */

    int buckets; /* of the exchange; 0: none */
    double bytes[SERIES_BUCKETS];
    double ready[SERIES_BUCKETS]; /* part of own work after which it is ready; the last: 1 */
    /* Part of the gradients' bytes that is ready after k/16 of own work; [0] < 0: not known. */
    double curve[SERIES_POINTS];
    int borders; /* operators of a step: sums move between them; 0: not known */

    int workers, ahead;                 /* of a loader */
    const struct series_loader *loader; /* [ranks]; NULL: not measured */
    struct series_transport transport;

    long rows;                      /* of a step on a rank, mean */
    double memory_low, memory_high; /* part of own work bound by memory; NAN */
    double bf16;             /* own work in bf16 / in f32 by the operators' measurements; NAN */
    double half_batch;       /* own work at half the rows / at all; NAN */
    double yardstick_moved;  /* the processor's end against its start, |ln|; NAN */
    double yardstick_spread; /* standard deviation of its ln; NAN */
    double clock_bound;      /* of the ranks' clocks; 0: one clock */
    bool split;              /* the clocks can tell skew from wire */
    double met;              /* seconds of a step in sums inside forward and backward, in lib too */
    double cores_left;       /* cores of a rank beside its threads and loader; NAN */
};

/* A series in which nothing is known. */
void series_init(struct series *s);

/* Whether its steps can be simulated: enough of them, finite, one clock. */
int series_check(const struct series *s, struct err *e);

/* Own work of a step: [i1, r] without the exchange's software. */
static inline double series_own(const struct series_step *p)
{
    return (double)p->cpu + (double)p->withheld;
}

static inline const struct series_step *series_at(const struct series *s, int rank, long k)
{
    return &s->step[(long)rank * s->steps + k];
}

/* Fills last[steps] with the largest r of the series' ranks: all there are. */
void series_arrivals(const struct series *s, double *last);

/* Mean period of steps [from, to): from last arrival to last arrival, within epochs. */
double series_period(const struct series *s, long from, long to);

/* Parts of that period of the mean rank: what a resource can give at most. */
struct series_parts {
    double input, own, withheld, exchange; /* seconds: exchange after the last arrival */
};
struct series_parts series_split(const struct series *s);

#endif
