/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Batch normalisation with a sum and an activation behind it, on the layouts
 * of kernel_map.h. engine.h has the formulas; sums over ranks lie between the
 * kernels and are the engine's.
 *
 *   x, z, y, dy, dx: N B S b (C channels, the first `rows` of N real)
 *   sums, back: C pairs of doubles; at: C pairs (mean, 1 / sqrt(v + eps))
 *
 * Sums are taken per sample and then over samples in order: the same bits for
 * any number of threads.
 *
 * Life, Failure: none.
 * Threads: the OpenMP threads that are set.
 */
#ifndef CPU_KERNEL_NORM_H
#define CPU_KERNEL_NORM_H

#include "workloads/engine/cpu/kernel_map.h"

struct norm {
    struct map map;
    long rows;
    enum act act;
    float slope;
};

/* Bytes that norm_stats() and norm_back_sums() need beside them. */
size_t norm_scratch_bytes(const struct map *m);

/* sums[2c] = sum of x, sums[2c + 1] = sum of x^2, over real rows. */
void norm_stats(const struct norm *n, const void *x, void *scratch, double *sums);

/* y = act(gamma (x - mean) inv + beta [+ z]); z NULL: none. Padding becomes 0. */
void norm_forward(const struct norm *n, const double *at, const float *gamma, const float *beta,
                  const void *x, const void *z, void *y);

/* dy becomes the gradient before the activation, in place; back[2c] = sum of
 * it, back[2c + 1] = sum of it times (x - mean) inv. */
void norm_back_sums(const struct norm *n, const double *at, const void *x, const void *y, void *dy,
                    void *scratch, double *back);

/* dx = gamma inv (dy - back[2c] / count - (x - mean) inv back[2c + 1] / count) in
 * real rows, 0 in the others; dz = dy, NULL: not wanted. */
void norm_backward(const struct norm *n, const double *at, const float *gamma, const double *back,
                   double count, const void *x, const void *dy, void *dx, void *dz);

#endif
