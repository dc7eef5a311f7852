/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Kernels that go over tensors value by value, in any layout that convolutions
 * like: N, C/b, S, b with b channels side by side (b = 1: row major; b = C:
 * channels last; b = 16: blocks, the last one padded with zeros).
 *
 * Every kernel converts pieces to float32, computes there and rounds once.
 *
 * Life:    a map is plain data.
 * Failure: none.
 * Threads: the OpenMP threads that are set; work is cut in fixed pieces, so
 *          results do not depend on their number.
 */
#ifndef CPU_KERNEL_MAP_H
#define CPU_KERNEL_MAP_H

#include <string.h>

#include "workloads/engine/backend.h"

struct map {
    long N, C, S; /* samples, channels, places in one channel */
    long b, B;    /* channels in a block, blocks in a sample: B b >= C */
    enum tensor_dtype dtype;
};

static inline size_t map_index(const struct map *m, long n, long c, long s)
{
    return (size_t)(((n * m->B + c / m->b) * m->S + s) * m->b + c % m->b);
}

/* Values with padding, and bytes of one. */
static inline size_t map_count(const struct map *m)
{
    return (size_t)(m->N * m->B * m->S * m->b);
}

static inline size_t dtype_bytes(enum tensor_dtype dtype)
{
    return dtype == TENSOR_BF16 ? sizeof(uint16_t) : sizeof(float);
}

/* n values from element `at` of p to floats, in the instructions of whoever inlines it. */
static inline __attribute__((always_inline)) void
map_widen(float *to, const void *p, enum tensor_dtype dtype, size_t at, long n)
{
    if (dtype == TENSOR_F32) {
        memcpy(to, (const float *)p + at, (size_t)n * sizeof *to);
        return;
    }
    const uint16_t *h = (const uint16_t *)p + at;
#pragma omp simd
    for (long i = 0; i < n; i++)
        to[i] = bf16_to(h[i]);
}

/* And back, rounded to the nearest. */
static inline __attribute__((always_inline)) void map_narrow(void *p, enum tensor_dtype dtype,
                                                             size_t at, const float *from, long n)
{
    if (dtype == TENSOR_F32) {
        memcpy((float *)p + at, from, (size_t)n * sizeof *from);
        return;
    }
    uint16_t *h = (uint16_t *)p + at;
#pragma omp simd
    for (long i = 0; i < n; i++)
        h[i] = bf16_of(from[i]);
}

/* Both by a call. */
void map_load(float *to, const void *p, enum tensor_dtype dtype, size_t at, long n);
void map_store(void *p, enum tensor_dtype dtype, size_t at, const float *from, long n);

/* y = act(x) over count values; y may be x. */
void map_act(enum act act, float slope, enum tensor_dtype dtype, const void *x, void *y,
             size_t count);
/* dx = dy x act'(x), from y = act(x); dx may be dy. */
void map_act_grad(enum act act, float slope, enum tensor_dtype dtype, const void *y, const void *dy,
                  void *dx, size_t count);
/* y = factor x + z; z may be NULL. */
void map_axpy(float factor, enum tensor_dtype dtype, const void *x, const void *z, void *y,
              size_t count);
/* y = x z; y may be either. */
void map_mul(enum tensor_dtype dtype, const void *x, const void *z, void *y, size_t count);

/* y = x kept / (1 - p), the same forward and backward. */
void map_dropout(const struct map *m, const struct step_block *step, const struct node *n,
                 bool train, const void *x, void *y);

/* Copies `count` channels from channel a of one tensor to channel b of another
 * with the same N, S, dtype. */
void map_channels(const struct map *from, const void *x, long a, const struct map *to, void *y,
                  long b, long count);
/* Makes the padding zero. */
void map_pad(const struct map *m, void *y);

/* y from `rows` float32 samples; channels last or first; the rest is zero. */
void map_feed(const struct map *m, void *y, const float *data, enum host_layout layout, long rows);

/* y = act(y + bias[c]) in place, bias may be NULL; the padding is left as it is. */
void map_bias(const struct map *m, const float *bias, enum act act, float slope, void *y);
/* db[c] (+)= sum over samples, then places, of dy; scratch: N C doubles. */
void map_bias_sums(const struct map *m, const void *dy, bool add, float *db, double *scratch);
/* db[c] (+)= sum over rows of dy[row][c], plain. */
void map_bias_grad(enum tensor_dtype dtype, const void *dy, long rows, long C, bool add, float *db);

#endif
