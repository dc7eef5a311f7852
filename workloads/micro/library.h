/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The library's products, through the engine: a graph of one operator, its
 * numbers small and whole, so that results are exact in float32, and in
 * bfloat16 but for the last rounding.
 *
 * Life:    library_close() frees; NULL is fine.
 * Failure: NULL or -1 and a sentence.
 * Threads: one, which uses `threads` OpenMP threads.
 */
#ifndef MICRO_LIBRARY_H
#define MICRO_LIBRARY_H

#include <stdbool.h>
#include <stdint.h>

#include "reports/core/err.h"

enum library_kind { LIBRARY_MATMUL, LIBRARY_CONVOLUTION };

struct library;

/* edge: of the matrices (edge x edge x edge), or channels in and out of a 3 x 3
 * convolution on 56 x 56 (MATMUL ignores rows). rows: batch. */
struct library *library_open(enum library_kind kind, const char *backend, bool bf16, int threads,
                             long edge, long rows, uint64_t seed, struct err *e);
void library_close(struct library *l);

/* FLOP of a forward pass, by the engine's count. */
double library_flop(const struct library *l);
/* "1024x1024x1024" */
const char *library_shape(const struct library *l);

/* One pass, then >= 4,096 of the results against sums in double, and all results
 * of a matrix product by Freivalds' test. */
int library_check(void *ctx, long *wrong, struct err *e);
int library_run(void *ctx, long times, long *wrong, struct err *e);

#endif
