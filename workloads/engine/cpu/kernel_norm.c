/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/engine/cpu/kernel_norm.h"

#include "workloads/engine/cpu/kernel_lanes.h"

#include <math.h>
#include <string.h>

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
    const long wide = 2 * n->map.C, piece = 64;

#pragma omp parallel for schedule(static) if (n->rows * wide > 16384)
    for (long from = 0; from < wide; from += piece) {
        long to = from + piece < wide ? from + piece : wide;

        memset(sums + from, 0, (size_t)(to - from) * sizeof *sums);
        for (long i = 0; i < n->rows; i++)
#pragma omp simd
            for (long c = from; c < to; c++)
                sums[c] += part[i * wide + c];
    }
}

/* How the places of a strip become others, by channel. */
struct affine {
    float a[LANES], b[LANES], c[LANES];
};

/* ---- AVX-512 ---------------------------------------------------------- */

#if defined(__x86_64__)

/* sum[] += v, square[] += v^2 over the places of one strip. */
AVX512_INLINE void stats_lanes(const void *x, const struct strip *s, long places, bool bf16,
                               double sum[LANES], double square[LANES])
{
    __m512d s0 = _mm512_setzero_pd(), s1 = s0, q0 = s0, q1 = s0;

    for (long p = 0; p < places; p++) {
        __m512 v = lanes_load(x, s->at + (size_t)p * s->step, bf16);
        __m512d lo = lanes_low(v), hi = lanes_high(v);

        s0 = _mm512_add_pd(s0, lo);
        s1 = _mm512_add_pd(s1, hi);
        q0 = _mm512_fmadd_pd(lo, lo, q0);
        q1 = _mm512_fmadd_pd(hi, hi, q1);
    }
    _mm512_storeu_pd(sum, s0);
    _mm512_storeu_pd(sum + 8, s1);
    _mm512_storeu_pd(square, q0);
    _mm512_storeu_pd(square + 8, q1);
}

AVX512 static void stats_f32(const void *x, const struct strip *s, long places, double sum[LANES],
                             double square[LANES])
{
    stats_lanes(x, s, places, false, sum, square);
}

AVX512 static void stats_bf16(const void *x, const struct strip *s, long places, double sum[LANES],
                              double square[LANES])
{
    stats_lanes(x, s, places, true, sum, square);
}

/* y = leaky(a x + b [+ z]) */
AVX512_INLINE void forward_lanes(const struct affine *k, float slope, const void *x, const void *z,
                                 void *y, const struct strip *s, long places, bool bf16,
                                 bool stream)
{
    __m512 a = _mm512_loadu_ps(k->a), b = _mm512_loadu_ps(k->b);

    for (long p = 0; p < places; p++) {
        size_t at = s->at + (size_t)p * s->step;
        __m512 v = _mm512_fmadd_ps(a, lanes_load(x, at, bf16), b);

        if (z)
            v = _mm512_add_ps(v, lanes_load(z, at, bf16));
        lanes_store(y, at, lanes_leaky(v, lanes_positive(v), slope), bf16, stream);
    }
}

/* dx = a dy + b x + c [, dz = dy] */
AVX512_INLINE void backward_lanes(const struct affine *k, const void *x, const void *dy, void *dx,
                                  void *dz, const struct strip *s, long places, bool bf16,
                                  bool stream)
{
    __m512 a = _mm512_loadu_ps(k->a), b = _mm512_loadu_ps(k->b), c = _mm512_loadu_ps(k->c);

    for (long p = 0; p < places; p++) {
        size_t at = s->at + (size_t)p * s->step;
        __m512 v = _mm512_fmadd_ps(b, lanes_load(x, at, bf16), c);

        __m512 d = lanes_load(dy, at, bf16);
        lanes_store(dx, at, _mm512_fmadd_ps(a, d, v), bf16, stream);
        if (dz)
            lanes_store(dz, at, d, bf16, stream);
    }
}

/* dy becomes what it is before leaky(); sum[] += dy, cross[] += dy (x - mean). As
 * DATA will read it: rounded, in bfloat16. */
AVX512_INLINE void sums_lanes(const double mean[LANES], float slope, const void *x, const void *y,
                              void *dy, const struct strip *s, long places, bool bf16,
                              double sum[LANES], double cross[LANES])
{
    __m512d m0 = _mm512_loadu_pd(mean), m1 = _mm512_loadu_pd(mean + 8);
    __m512d s0 = _mm512_setzero_pd(), s1 = s0, c0 = s0, c1 = s0;

    for (long p = 0; p < places; p++) {
        size_t at = s->at + (size_t)p * s->step;
        __m512 d = lanes_load(dy, at, bf16), v = lanes_load(x, at, bf16);

        if (y) {
            d = lanes_leaky(d, lanes_positive(lanes_load(y, at, bf16)), slope);
            lanes_store(dy, at, d, bf16, false);
            if (bf16)
                d = lanes_load(dy, at, bf16);
        }
        __m512d lo = lanes_low(d), hi = lanes_high(d);
        s0 = _mm512_add_pd(s0, lo);
        s1 = _mm512_add_pd(s1, hi);
        c0 = _mm512_fmadd_pd(lo, _mm512_sub_pd(lanes_low(v), m0), c0);
        c1 = _mm512_fmadd_pd(hi, _mm512_sub_pd(lanes_high(v), m1), c1);
    }
    _mm512_storeu_pd(sum, s0);
    _mm512_storeu_pd(sum + 8, s1);
    _mm512_storeu_pd(cross, c0);
    _mm512_storeu_pd(cross + 8, c1);
}

AVX512 static void forward_f32(const struct affine *k, float slope, const void *x, const void *z,
                               void *y, const struct strip *s, long places, bool stream)
{
    if (stream)
        forward_lanes(k, slope, x, z, y, s, places, false, true);
    else
        forward_lanes(k, slope, x, z, y, s, places, false, false);
}

AVX512 static void forward_bf16(const struct affine *k, float slope, const void *x, const void *z,
                                void *y, const struct strip *s, long places, bool stream)
{
    if (stream)
        forward_lanes(k, slope, x, z, y, s, places, true, true);
    else
        forward_lanes(k, slope, x, z, y, s, places, true, false);
}

AVX512 static void backward_f32(const struct affine *k, const void *x, const void *dy, void *dx,
                                void *dz, const struct strip *s, long places, bool stream)
{
    if (stream)
        backward_lanes(k, x, dy, dx, dz, s, places, false, true);
    else
        backward_lanes(k, x, dy, dx, dz, s, places, false, false);
}

AVX512 static void backward_bf16(const struct affine *k, const void *x, const void *dy, void *dx,
                                 void *dz, const struct strip *s, long places, bool stream)
{
    if (stream)
        backward_lanes(k, x, dy, dx, dz, s, places, true, true);
    else
        backward_lanes(k, x, dy, dx, dz, s, places, true, false);
}

AVX512 static void sums_f32(const double mean[LANES], float slope, const void *x, const void *y,
                            void *dy, const struct strip *s, long places, double sum[LANES],
                            double cross[LANES])
{
    sums_lanes(mean, slope, x, y, dy, s, places, false, sum, cross);
}

AVX512 static void sums_bf16(const double mean[LANES], float slope, const void *x, const void *y,
                             void *dy, const struct strip *s, long places, double sum[LANES],
                             double cross[LANES])
{
    sums_lanes(mean, slope, x, y, dy, s, places, true, sum, cross);
}

static void fence(void)
{
    _mm_sfence();
}

/* Whole registers of channels, and an activation that is one of them. */
static bool vectors(const struct norm *n)
{
    return lanes_suit(&n->map) && (n->act == ACT_NONE || n->act == ACT_LEAKY);
}

static bool is_bf16(const struct norm *n)
{
    return n->map.dtype == TENSOR_BF16;
}

static float slope_of(const struct norm *n)
{
    return n->act == ACT_LEAKY ? n->slope : 1;
}
#else
static void fence(void)
{
}

static bool vectors(const struct norm *n)
{
    (void)n;
    return false;
}
#endif

/* ---- any layout ------------------------------------------------------- */

static void stats_plain(const struct map *m, const void *x, const struct strip *s,
                        double sum[LANES], double square[LANES])
{
    memset(sum, 0, LANES * sizeof *sum);
    memset(square, 0, LANES * sizeof *square);
    for (long p = 0; p < m->S; p++) {
        float v[LANES];

        map_load(v, x, m->dtype, s->at + (size_t)p * s->step, s->lanes);
#pragma omp simd
        for (long c = 0; c < s->lanes; c++) {
            sum[c] += (double)v[c];
            square[c] += (double)v[c] * (double)v[c];
        }
    }
}

static float act_value(const struct norm *n, float v)
{
    switch (n->act) {
    case ACT_LEAKY:
        return v > 0 ? v : n->slope * v;
    case ACT_TANH:
        return tanhf(v);
    case ACT_SIGMOID:
        return 1 / (1 + expf(-v));
    default:
        return v;
    }
}

/* From the output. */
static float act_slope(const struct norm *n, float y)
{
    switch (n->act) {
    case ACT_LEAKY:
        return y > 0 ? 1 : n->slope;
    case ACT_TANH:
        return 1 - y * y;
    case ACT_SIGMOID:
        return y * (1 - y);
    default:
        return 1;
    }
}

static void forward_plain(const struct norm *n, const struct affine *k, const void *x,
                          const void *z, void *y, const struct strip *s)
{
    const struct map *m = &n->map;
    float v[LANES], w[LANES] = {0};

    for (long p = 0; p < m->S; p++) {
        size_t at = s->at + (size_t)p * s->step;

        map_load(v, x, m->dtype, at, s->lanes);
        if (z)
            map_load(w, z, m->dtype, at, s->lanes);
        for (long c = 0; c < s->lanes; c++)
            v[c] = act_value(n, k->a[c] * v[c] + k->b[c] + w[c]);
        map_store(y, m->dtype, at, v, s->lanes);
    }
}

static void sums_plain(const struct norm *n, const double mean[LANES], const void *x, const void *y,
                       void *dy, const struct strip *s, double sum[LANES], double cross[LANES])
{
    const struct map *m = &n->map;
    float v[LANES], d[LANES], o[LANES];

    memset(sum, 0, LANES * sizeof *sum);
    memset(cross, 0, LANES * sizeof *cross);
    for (long p = 0; p < m->S; p++) {
        size_t at = s->at + (size_t)p * s->step;

        map_load(v, x, m->dtype, at, s->lanes);
        map_load(d, dy, m->dtype, at, s->lanes);
        if (y) {
            map_load(o, y, m->dtype, at, s->lanes);
            for (long c = 0; c < s->lanes; c++)
                d[c] *= act_slope(n, o[c]);
            map_store(dy, m->dtype, at, d, s->lanes);
            map_load(d, dy, m->dtype, at, s->lanes); /* as DATA will read it */
        }
        for (long c = 0; c < s->lanes; c++) {
            sum[c] += (double)d[c];
            cross[c] += (double)d[c] * ((double)v[c] - mean[c]);
        }
    }
}

static void backward_plain(const struct map *m, const struct affine *k, const void *x,
                           const void *dy, void *dx, void *dz, const struct strip *s)
{
    float v[LANES], g[LANES];

    for (long p = 0; p < m->S; p++) {
        size_t at = s->at + (size_t)p * s->step;

        map_load(v, x, m->dtype, at, s->lanes);
        map_load(g, dy, m->dtype, at, s->lanes);
        if (dz)
            map_store(dz, m->dtype, at, g, s->lanes);
#pragma omp simd
        for (long c = 0; c < s->lanes; c++)
            v[c] = k->a[c] * g[c] + (k->b[c] * v[c] + k->c[c]);
        map_store(dx, m->dtype, at, v, s->lanes);
    }
}

/* ---- strip by strip --------------------------------------------------- */

/* part[n][c] of one strip. */
static void keep_parts(const struct norm *n, const struct strip *s, const double a[LANES],
                       const double b[LANES], double *part)
{
    for (long c = 0; c < s->lanes; c++) {
        part[(s->n * n->map.C + s->c + c) * 2] = a[c];
        part[(s->n * n->map.C + s->c + c) * 2 + 1] = b[c];
    }
}

void norm_stats(const struct norm *n, const void *x, void *scratch, double *sums)
{
    const struct map *m = &n->map;
    bool fast = vectors(n);

#pragma omp parallel for collapse(2) schedule(static)
    for (long i = 0; i < n->rows; i++)
        for (long k = 0; k < strips_of(m); k++) {
            struct strip s = strip_at(m, i, k);
            double sum[LANES], square[LANES];

            if (!fast)
                stats_plain(m, x, &s, sum, square);
#if defined(__x86_64__)
            else
                (is_bf16(n) ? stats_bf16 : stats_f32)(x, &s, m->S, sum, square);
#endif
            keep_parts(n, &s, sum, square, scratch);
        }
    over_samples(n, scratch, sums);
}

void norm_forward(const struct norm *n, const double *at, const float *gamma, const float *beta,
                  const void *x, const void *z, void *y)
{
    const struct map *m = &n->map;
    bool fast = vectors(n), stream = lanes_stream(m);

#pragma omp parallel
    {
#pragma omp for collapse(2) schedule(static)
        for (long i = 0; i < m->N; i++)
            for (long k = 0; k < strips_of(m); k++) {
                struct strip s = strip_at(m, i, k);
                struct affine f = {.a = {0}}; /* the padding stays 0 */

                for (long c = 0; c < s.lanes; c++) {
                    double a = (double)gamma[s.c + c] * at[2 * (s.c + c) + 1];

                    f.a[c] = (float)a;
                    f.b[c] = (float)((double)beta[s.c + c] - at[2 * (s.c + c)] * a);
                }
                if (!fast)
                    forward_plain(n, &f, x, z, y, &s);
#if defined(__x86_64__)
                else
                    (is_bf16(n) ? forward_bf16 : forward_f32)(&f, slope_of(n), x, z, y, &s, m->S,
                                                              stream);
#endif
            }
        fence();
    }
    if (!fast)
        map_pad(m, y);
}

void norm_back_sums(const struct norm *n, const double *at, const void *x, const void *y, void *dy,
                    void *scratch, double *back)
{
    const struct map *m = &n->map;
    bool fast = vectors(n);

    if (n->act == ACT_NONE)
        y = NULL;
#pragma omp parallel for collapse(2) schedule(static)
    for (long i = 0; i < m->N; i++)
        for (long k = 0; k < strips_of(m); k++) {
            struct strip s = strip_at(m, i, k);
            double mean[LANES] = {0}, sum[LANES], cross[LANES];

            for (long c = 0; c < s.lanes; c++)
                mean[c] = at[2 * (s.c + c)];
            if (!fast)
                sums_plain(n, mean, x, y, dy, &s, sum, cross);
#if defined(__x86_64__)
            else
                (is_bf16(n) ? sums_bf16 : sums_f32)(mean, slope_of(n), x, y, dy, &s, m->S, sum,
                                                    cross);
#endif
            for (long c = 0; c < s.lanes; c++)
                cross[c] *= at[2 * (s.c + c) + 1];
            keep_parts(n, &s, sum, cross, scratch);
        }
    over_samples(n, scratch, back);
}

void norm_backward(const struct norm *n, const double *at, const float *gamma, const double *back,
                   double count, const void *x, const void *dy, void *dx, void *dz)
{
    const struct map *m = &n->map;
    bool fast = vectors(n), stream = lanes_stream(m);

#pragma omp parallel
    {
#pragma omp for collapse(2) schedule(static)
        for (long i = 0; i < m->N; i++)
            for (long k = 0; k < strips_of(m); k++) {
                struct strip s = strip_at(m, i, k);
                struct affine f = {.a = {0}};

                for (long c = 0; c < s.lanes; c++) {
                    double mean = at[2 * (s.c + c)], inv = at[2 * (s.c + c) + 1];
                    double all = i < n->rows ? (double)gamma[s.c + c] * inv : 0;
                    double slope = all * inv * back[2 * (s.c + c) + 1] / count;

                    f.a[c] = (float)all;
                    f.b[c] = (float)-slope;
                    f.c[c] = (float)(slope * mean - all * back[2 * (s.c + c)] / count);
                }
                if (!fast)
                    backward_plain(m, &f, x, dy, dx, dz, &s);
#if defined(__x86_64__)
                else
                    (is_bf16(n) ? backward_bf16 : backward_f32)(&f, x, dy, dx, dz, &s, m->S,
                                                                stream);
#endif
            }
        fence();
    }
    if (!fast)
        map_pad(m, dx);
    if (!fast && dz)
        map_pad(m, dz);
}
