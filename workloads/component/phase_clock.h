/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A rank's wall time, split over phases: at any moment exactly one runs, so
 * that they sum to the time since phase_clock_start(). Some phases have parts
 * (splits.def), of which exactly one runs: a phase begins in one, and
 * phase_clock_part() goes on to another.
 *
 * Threads: one.
 */
#ifndef COMPONENT_PHASE_CLOCK_H
#define COMPONENT_PHASE_CLOCK_H

#include <string.h>

#include "reports/core/result.h"

struct phase_clock {
    double (*now)(void);
    double start, since;
    enum phase at;
    double seconds[PHASE_COUNT];
    double part_since;
    enum phase_part part;          /* SPLIT_COUNT: none */
    double parts[SPLIT_COUNT + 1]; /* the last: of phases that have none */
};

/* The part in which a phase begins. */
static inline enum phase_part phase_clock_first_part(enum phase p)
{
    switch (p) {
    case PHASE_STAGING:
        return SPLIT_staging_compute;
    case PHASE_EVALUATION:
        return SPLIT_evaluation_compute;
    case PHASE_CHECKPOINT:
        return SPLIT_checkpoint_output;
    default:
        return SPLIT_COUNT;
    }
}

static inline void phase_clock_start(struct phase_clock *c, double (*now)(void), enum phase p)
{
    memset(c, 0, sizeof *c);
    c->now = now;
    c->start = c->since = c->part_since = now();
    c->at = p;
    c->part = phase_clock_first_part(p);
}

static inline void phase_clock_book_part(struct phase_clock *c, double t, enum phase_part part)
{
    c->parts[c->part] += t - c->part_since;
    c->part_since = t;
    c->part = part;
}

/* Ends the running phase and begins p; returns the moment. */
static inline double phase_clock_to(struct phase_clock *c, enum phase p)
{
    double t = c->now();

    c->seconds[c->at] += t - c->since;
    c->since = t;
    c->at = p;
    phase_clock_book_part(c, t, phase_clock_first_part(p));
    return t;
}

/* Ends the running part of the phase and begins another of it. */
static inline void phase_clock_part(struct phase_clock *c, enum phase_part part)
{
    phase_clock_book_part(c, c->now(), part);
}

/* Says that so many of the seconds booked on `from` belong to `to`. */
static inline void phase_clock_move(struct phase_clock *c, enum phase from, enum phase to,
                                    double seconds)
{
    c->seconds[from] -= seconds;
    c->seconds[to] += seconds;
}

#endif
