/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The field's own analysis: a logistic regression on the six observables of an
 * event (hep_observables()), fitted by Newton's method with the events'
 * weights. Own functions instead of libm's: the same bits on every CPU.
 *
 * Life:    plain data.
 * Failure: none; observables that say nothing get no weight (a ridge of 1e-6
 *          of the events' weight).
 * Threads: pure functions.
 */
#ifndef HEP_HEP_BASELINE_H
#define HEP_HEP_BASELINE_H

#include <stddef.h>

#include "workloads/generate/hep/hep.h"

struct hep_seen {
    double observable[HEP_OBSERVABLES];
    double weight; /* both classes should weigh the same */
    int label;     /* 1: signal */
};

struct hep_logistic {
    double mean[HEP_OBSERVABLES], deviation[HEP_OBSERVABLES];
    double slope[HEP_OBSERVABLES + 1]; /* the last: of 1 */
};

void hep_logistic_fit(const struct hep_seen *seen, size_t n, struct hep_logistic *l);

/* Log odds of signal. */
double hep_logistic_score(const struct hep_logistic *l, const double observable[HEP_OBSERVABLES]);

#endif
