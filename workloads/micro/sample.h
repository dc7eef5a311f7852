/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Samples of a row: quantiles, the slowest rank, orders drawn from a seed.
 *
 * Life:    arrays are the caller's. Failure: none.
 * Threads: pure functions.
 */
#ifndef MICRO_SAMPLE_H
#define MICRO_SAMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reports/core/micro_row.h"

/* Sorts; the mean of the two in the middle for an even n; NAN for n = 0. */
double sample_median(double *v, int n);

/* Sorted v, fastest first: the value that part of them (0 < part <= 1) reached or
 * beat, by nearest rank; NAN for n = 0. */
double sample_reached(const double *v, int n, double part);

/* Fills median, p95, p99, best, slowest and slowest_rank of a row from its samples
 * and parts; samples that are not finite are left out. Without samples they are
 * unmeasured, for `why`. Returns the number of samples that counted, -1 when out of
 * memory. */
int sample_summarise(struct micro_row *r, const char *why);

/* order: a permutation of 0 to n-1 that depends on (seed, purpose, round) only. */
void sample_order(int *order, int n, uint64_t seed, uint32_t purpose, uint32_t round);

#endif
