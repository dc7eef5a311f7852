/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which k nodes of a job to leave out: exactly k, the worst first. FAULTY and UNKNOWN, then
 * SLOW, then SUSPECT; then the slowest, by the worst of its metrics in scales of the noise;
 * of equals the one that comes later. The first node runs the batch script and is left out
 * last.
 *
 * Failure: -1 out of memory. Threads: pure function.
 */
#ifndef VALIDATE_SPARES_H
#define VALIDATE_SPARES_H

#include "reports/validate/assess.h"

/* After assess_decide(). spare[a->n] is filled, k < a->n (else a->n - 1 are left out).
 * Returns how many of those that stay are bad (FAULTY, UNKNOWN, SLOW): there are more than k,
 * or the first node is one. */
int spares_choose(const struct assess *a, int k, bool *spare);

/* How far node i is behind its like, in scales of the noise, by the worst of its metrics; 0
 * when it is not. *metric (may be NULL): which, -1: none; *loss: of it, in %. */
double spares_behind(const struct assess *a, int i, int *metric, double *loss);

#endif
