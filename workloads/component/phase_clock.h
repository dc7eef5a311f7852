/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A rank's wall time, split over phases: at any moment exactly one runs, so
 * that they sum to the time since phase_clock_start().
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
};

static inline void phase_clock_start(struct phase_clock *c, double (*now)(void), enum phase p)
{
    memset(c, 0, sizeof *c);
    c->now = now;
    c->start = c->since = now();
    c->at = p;
}

/* Ends the running phase and begins p; returns the moment. */
static inline double phase_clock_to(struct phase_clock *c, enum phase p)
{
    double t = c->now();

    c->seconds[c->at] += t - c->since;
    c->since = t;
    c->at = p;
    return t;
}

/* Says that so many of the seconds booked on `from` belong to `to`. */
static inline void phase_clock_move(struct phase_clock *c, enum phase from, enum phase to,
                                    double seconds)
{
    c->seconds[from] -= seconds;
    c->seconds[to] += seconds;
}

#endif
