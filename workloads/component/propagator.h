/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a network's forecasts are held against, and the latitude-weighted errors of all of
 * them. A state is C x H x W normalised values, rows by latitude, columns around the globe.
 *
 * The ridge propagator: each row of places has a linear step of its own, from the 3 x 3
 * places about one (those of the next rows and columns; the edge rows repeat) in all
 * variables, and 1, to what the variables change by; fitted by least squares with a ridge
 * on the training set. Steps follow each other like the network's.
 *
 * Error and anomaly correlation, per variable, with L(row) = cos(latitude) over its mean
 * (Rasp et al. 2020, arXiv 2002.00469): sqrt(mean of L (f - o)^2); sum of L f' o' over
 * sqrt(sum of L f'^2, sum of L o'^2), with ' less the climatology of the row. Means of the
 * variables.
 *
 * Life:    propagator_init() ... propagator_fini(), which zeroed memory may have, too.
 * Failure: -1 and a sentence: no memory, too many variables.
 * Threads: pure but for init, add and solve.
 */
#ifndef COMPONENT_PROPAGATOR_H
#define COMPONENT_PROPAGATOR_H

#include <stddef.h>

#include "reports/core/err.h"

enum { PROPAGATOR_VARIABLES = 20, PROPAGATOR_INPUTS = 9 * PROPAGATOR_VARIABLES + 1 };

struct propagator {
    long C, H, W;
    long inputs;     /* 9 C + 1 */
    double *gram;    /* [H][inputs][inputs], while it is fitted */
    double *against; /* [H][inputs][C] */
    float *step;     /* [H][inputs][C] */
};

int propagator_init(struct propagator *p, long C, long H, long W, struct err *e);
void propagator_fini(struct propagator *p);

/* Adds a pair of states, one step apart, every so many columns; then solves. */
void propagator_add(struct propagator *p, const float *now, const float *next, long every);
int propagator_solve(struct propagator *p, struct err *e);

/* to: the state a step behind `from`. */
void propagator_step(const struct propagator *p, const float *from, float *to);

/* Of a forecast against what came; climatology: [C][H]. latitude: degrees of the edges, of
 * rows that are equally far apart. */
struct forecast_error {
    double rmse, acc;
};
struct forecast_error forecast_error(long C, long H, long W, double latitude,
                                     const float *climatology, const float *forecast,
                                     const float *truth);

#endif
