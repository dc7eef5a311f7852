/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Rows of tokens, R x D row major in float32 or bfloat16: layer norm, positions, patches,
 * and GELU, which goes over any values. engine.h has the formulas. Every kernel converts
 * rows to float32, computes there and rounds once.
 *
 * Life, Failure: none.
 * Threads: the OpenMP threads that are set; the same bits for any number of them.
 */
#ifndef CPU_KERNEL_TOKENS_H
#define CPU_KERNEL_TOKENS_H

#include "workloads/engine/cpu/kernel_map.h"

struct tokens {
    long R, D;
    enum tensor_dtype dtype;
};

/* at: R pairs (mean, 1 / sqrt(v + eps)), which the others read. */
void tokens_norm_forward(const struct tokens *t, const float *gamma, const float *beta, float eps,
                         const void *x, float *at, void *y);
void tokens_norm_data(const struct tokens *t, const float *gamma, const float *at, const void *x,
                      const void *dy, void *dx);
/* dgamma, dbeta (+)= sums over rows in their order, in double. */
void tokens_norm_weights(const struct tokens *t, const float *at, const void *x, const void *dy,
                         bool add, float *dgamma, float *dbeta);

/* y[r] = x[r] + p[r % N]; y may be x. dp[n] (+)= sum over samples of dy. */
void tokens_add(const struct tokens *t, long N, const float *p, const void *x, void *y);
void tokens_add_grad(const struct tokens *t, long N, const void *dy, bool add, float *dp);

/* y = x Phi(x); dx = dy (Phi(x) + x phi(x)), dx may be dy. */
void tokens_gelu(enum tensor_dtype dtype, const void *x, void *y, size_t count);
void tokens_gelu_grad(enum tensor_dtype dtype, const void *x, const void *dy, void *dx,
                      size_t count);

/* A map of two dimensions (H x W places) in any layout to its patches of p x p, and back;
 * scatter leaves padding of blocks as it is. */
struct patches {
    struct map map;
    long H, W, p;
};
void patches_gather(const struct patches *s, const void *map, void *rows);
void patches_scatter(const struct patches *s, const void *rows, void *map);

#endif
