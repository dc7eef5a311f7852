/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/engine/cpu/kernel_norm.h"

#include <string.h>

enum { LANES = 16 }; /* channels at a time */

/* One sample's LANES or fewer channels, that lie side by side. */
struct strip {
    long n;      /* sample */
    long c;      /* first channel */
    long lanes;  /* real channels */
    size_t at;   /* first value */
    size_t step; /* to the next place */
};

static long strips_of(const struct map *m)
{
    return m->B * ((m->b + LANES - 1) / LANES);
}

static struct strip strip_at(const struct map *m, long sample, long i)
{
    long per_block = (m->b + LANES - 1) / LANES, lane = i % per_block * LANES;
    long block = i / per_block, c = block * m->b + lane, wide = m->b - lane;
    struct strip s = {sample, c, wide < LANES ? wide : LANES,
                      (size_t)((sample * m->B + block) * m->S * m->b + lane), (size_t)m->b};

    if (c + s.lanes > m->C)
        s.lanes = m->C > c ? m->C - c : 0;
    return s;
}

size_t norm_scratch_bytes(const struct map *m)
{
    return (size_t)(m->N * m->C) * 2 * sizeof(double);
}

/* sums[2c] = sum over real samples, in order, of part[n][c]. */
static void over_samples(const struct norm *n, const double *part, double *sums)
{
    memset(sums, 0, (size_t)n->map.C * 2 * sizeof *sums);
    for (long i = 0; i < n->rows; i++)
        for (long c = 0; c < 2 * n->map.C; c++)
            sums[c] += part[i * 2 * n->map.C + c];
}

void norm_stats(const struct norm *n, const void *x, void *scratch, double *sums)
{
    const struct map *m = &n->map;
    double *part = scratch;

#pragma omp parallel for collapse(2) schedule(static)
    for (long i = 0; i < n->rows; i++)
        for (long k = 0; k < strips_of(m); k++) {
            struct strip s = strip_at(m, i, k);
            double sum[LANES] = {0}, square[LANES] = {0};
            float v[LANES];

            for (long p = 0; p < m->S; p++) {
                map_load(v, x, m->dtype, s.at + (size_t)p * s.step, s.lanes);
#pragma omp simd
                for (long c = 0; c < s.lanes; c++) {
                    sum[c] += (double)v[c];
                    square[c] += (double)v[c] * (double)v[c];
                }
            }
            for (long c = 0; c < s.lanes; c++) {
                part[(i * m->C + s.c + c) * 2] = sum[c];
                part[(i * m->C + s.c + c) * 2 + 1] = square[c];
            }
        }
    over_samples(n, part, sums);
}

static float activate(const struct norm *n, float v)
{
    float one;

    if (n->act == ACT_NONE)
        return v;
    if (n->act == ACT_LEAKY)
        return v > 0 ? v : n->slope * v;
    map_act(n->act, n->slope, TENSOR_F32, &v, &one, 1);
    return one;
}

void norm_forward(const struct norm *n, const double *at, const float *gamma, const float *beta,
                  const void *x, const void *z, void *y)
{
    const struct map *m = &n->map;

#pragma omp parallel for collapse(2) schedule(static)
    for (long i = 0; i < m->N; i++)
        for (long k = 0; k < strips_of(m); k++) {
            struct strip s = strip_at(m, i, k);
            float scale[LANES], shift[LANES], v[LANES], w[LANES] = {0};

            for (long c = 0; c < s.lanes; c++) {
                double a = (double)gamma[s.c + c] * at[2 * (s.c + c) + 1];

                scale[c] = (float)a;
                shift[c] = (float)((double)beta[s.c + c] - at[2 * (s.c + c)] * a);
            }
            for (long p = 0; p < m->S; p++) {
                size_t to = s.at + (size_t)p * s.step;

                map_load(v, x, m->dtype, to, s.lanes);
                if (z)
                    map_load(w, z, m->dtype, to, s.lanes);
#pragma omp simd
                for (long c = 0; c < s.lanes; c++)
                    v[c] = scale[c] * v[c] + shift[c] + w[c];
                for (long c = 0; c < s.lanes && n->act != ACT_NONE; c++)
                    v[c] = activate(n, v[c]);
                map_store(y, m->dtype, to, v, s.lanes);
            }
        }
    map_pad(m, y);
}

/* d becomes the gradient before the activation. */
static void before_act(const struct norm *n, const void *y, size_t at, long lanes, float *d)
{
    float v[LANES];

    if (n->act == ACT_NONE)
        return;
    map_load(v, y, n->map.dtype, at, lanes);
    map_act_grad(n->act, n->slope, TENSOR_F32, v, d, d, (size_t)lanes);
}

void norm_back_sums(const struct norm *n, const double *at, const void *x, const void *y, void *dy,
                    void *scratch, double *back)
{
    const struct map *m = &n->map;
    double *part = scratch;

#pragma omp parallel for collapse(2) schedule(static)
    for (long i = 0; i < m->N; i++)
        for (long k = 0; k < strips_of(m); k++) {
            struct strip s = strip_at(m, i, k);
            double sum[LANES] = {0}, cross[LANES] = {0};
            float v[LANES], d[LANES];

            for (long p = 0; p < m->S; p++) {
                size_t to = s.at + (size_t)p * s.step;

                map_load(v, x, m->dtype, to, s.lanes);
                map_load(d, dy, m->dtype, to, s.lanes);
                if (n->act != ACT_NONE) {
                    before_act(n, y, to, s.lanes, d);
                    map_store(dy, m->dtype, to, d, s.lanes);
                    map_load(d, dy, m->dtype, to, s.lanes); /* as DATA will read it */
                }
                for (long c = 0; c < s.lanes; c++) {
                    const double *a = &at[2 * (s.c + c)];

                    sum[c] += (double)d[c];
                    cross[c] += (double)d[c] * (((double)v[c] - a[0]) * a[1]);
                }
            }
            for (long c = 0; c < s.lanes; c++) {
                part[(i * m->C + s.c + c) * 2] = sum[c];
                part[(i * m->C + s.c + c) * 2 + 1] = cross[c];
            }
        }
    over_samples(n, part, back);
}

void norm_backward(const struct norm *n, const double *at, const float *gamma, const double *back,
                   double count, const void *x, const void *dy, void *dx)
{
    const struct map *m = &n->map;

#pragma omp parallel for collapse(2) schedule(static)
    for (long i = 0; i < m->N; i++)
        for (long k = 0; k < strips_of(m); k++) {
            struct strip s = strip_at(m, i, k);
            float a[LANES], b[LANES], d[LANES], v[LANES], g[LANES];

            /* dx = a dy + b x + d */
            for (long c = 0; c < s.lanes; c++) {
                double mean = at[2 * (s.c + c)], inv = at[2 * (s.c + c) + 1];
                double all = i < n->rows ? (double)gamma[s.c + c] * inv : 0;
                double slope = all * inv * back[2 * (s.c + c) + 1] / count;

                a[c] = (float)all;
                b[c] = (float)-slope;
                d[c] = (float)(slope * mean - all * back[2 * (s.c + c)] / count);
            }
            for (long p = 0; p < m->S; p++) {
                size_t to = s.at + (size_t)p * s.step;

                map_load(v, x, m->dtype, to, s.lanes);
                map_load(g, dy, m->dtype, to, s.lanes);
#pragma omp simd
                for (long c = 0; c < s.lanes; c++)
                    v[c] = a[c] * g[c] + b[c] * v[c] + d[c];
                map_store(dx, m->dtype, to, v, s.lanes);
            }
        }
    map_pad(m, dx);
}
