/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Forward and towards the input are one loop: a result's place j R + r (r < R) sees
 * the source's places j F + off, one for each tap that meets it; all places with the same
 * r see the same taps.
 *
 *   forward   R = 1, F = S, off = k D - P
 *   data      R = S, F = 1, off = (r + P - k D) / S, of the k for which S divides it
 */
#include <config.h>

#include "workloads/engine/cpu/kernel_depthwise.h"

#include "workloads/engine/cpu/kernel_lanes.h"

#include <string.h>

/* Taps of a window that the vector kernels know: of a row, and rows of them. */
enum { ROW_TAPS = 16, LINES = 64 };

/* Parts of a sum over samples and rows. */
enum { PARTS = 8 };

static long taps_of_window(const struct depthwise *g)
{
    return g->K[0] * g->K[1] * g->K[2];
}

/* Sixteens of channels in a block, and in a sample. */
static long sixteens(const struct map *m)
{
    return (m->b + LANES - 1) / LANES;
}

static long groups(const struct map *m)
{
    return m->B * sixteens(m);
}

size_t depthwise_scratch_bytes(const struct depthwise *g)
{
    return (size_t)(groups(&g->x) * LANES * taps_of_window(g) * PARTS) * sizeof(double);
}

/* ---- one of the two ways ----------------------------------------------- */

struct way {
    const struct depthwise *g;
    const struct map *from, *to;
    const long *F, *R; /* their places */
    bool back;
};

static struct way forward_way(const struct depthwise *g)
{
    return (struct way){g, &g->x, &g->y, g->I, g->Q, false};
}

static struct way data_way(const struct depthwise *g)
{
    return (struct way){g, &g->y, &g->x, g->Q, g->I, true};
}

/* How far results with the same taps lie apart, and what they see. */
static long result_step(const struct way *v, int d)
{
    return v->back ? v->g->S[d] : 1;
}

static long source_step(const struct way *v, int d)
{
    return v->back ? 1 : v->g->S[d];
}

/* Where tap k of results r, r + step, ... lies in the source of result 0; false: it
 * meets none. */
static bool tap_offset(const struct way *v, int d, long r, long k, long *off)
{
    const struct depthwise *g = v->g;
    long at = v->back ? r + g->P[d] - k * g->D[d] : k * g->D[d] - g->P[d];

    if (v->back && at % g->S[d])
        return false;
    *off = v->back ? at / g->S[d] : at;
    return true;
}

/* The place of the source that tap k of result r is, -1: none. */
static long tap_place(const struct way *v, int d, long r, long k)
{
    long step = result_step(v, d), off;

    if (!tap_offset(v, d, r % step, k, &off))
        return -1;
    off += r / step * source_step(v, d);
    return off >= 0 && off < v->F[d] ? off : -1;
}

/* ---- the loop, in any layout ------------------------------------------- */

static float weight_at(const float *w, enum tensor_dtype dtype, long i)
{
    return dtype == TENSOR_BF16 ? bf16_to(bf16_of(w[i])) : w[i];
}

static void split(long at, const long size[3], long out[3])
{
    out[2] = at % size[2];
    out[1] = at / size[2] % size[1];
    out[0] = at / size[2] / size[1];
}

/* The source's place that tap k of a result is, -1: none. */
static long place_of(const struct way *v, const long r[3], const long k[3])
{
    long at = 0;

    for (int d = 0; d < 3; d++) {
        long f = tap_place(v, d, r[d], k[d]);

        if (f < 0)
            return -1;
        at = at * v->F[d] + f;
    }
    return at;
}

static float result_plain(const struct way *v, const float *w, const void *from, long n, long c,
                          long place)
{
    long taps = taps_of_window(v->g), r[3], k[3];
    float sum = 0;

    split(place, v->R, r);
    for (long t = 0; t < taps; t++) {
        float value;

        split(t, v->g->K, k);
        long at = place_of(v, r, k);
        if (at < 0)
            continue;
        map_load(&value, from, v->from->dtype, map_index(v->from, n, c, at), 1);
        sum += value * weight_at(w, v->from->dtype, c * taps + t);
    }
    return sum;
}

static void gather_plain(const struct way *v, const float *w, const float *bias, const void *from,
                         void *to)
{
    const struct map *m = v->to;

#pragma omp parallel for collapse(2) schedule(static)
    for (long n = 0; n < m->N; n++)
        for (long c = 0; c < m->C; c++)
            for (long s = 0; s < m->S; s++) {
                float sum = result_plain(v, w, from, n, c, s) + (bias ? bias[c] : 0);

                map_store(to, m->dtype, map_index(m, n, c, s), &sum, 1);
            }
    map_pad(m, to);
}

static void weights_plain(const struct depthwise *g, const void *x, const void *dy, bool add,
                          float *dw)
{
    const struct way v = forward_way(g);
    const long taps = taps_of_window(g);

#pragma omp parallel for schedule(static)
    for (long i = 0; i < g->x.C * taps; i++) {
        long k[3], q[3];
        double sum = 0;

        split(i % taps, g->K, k);
        for (long n = 0; n < g->x.N; n++)
            for (long s = 0; s < g->y.S; s++) {
                float a, b;

                split(s, g->Q, q);
                long at = place_of(&v, q, k);
                if (at < 0)
                    continue;
                map_load(&a, x, g->x.dtype, map_index(&g->x, n, i / taps, at), 1);
                map_load(&b, dy, g->y.dtype, map_index(&g->y, n, i / taps, s), 1);
                sum += (double)a * (double)b;
            }
        dw[i] = (float)(add ? (double)dw[i] + sum : sum);
    }
}

/* ---- AVX-512 ---------------------------------------------------------- */

#if defined(__x86_64__)

/* Sixteen channels of one block, the last ones of it fewer, are a register. */
static bool vectors(const struct depthwise *g)
{
    return g->x.b >= LANES / 2 && lanes_cpu(g->x.dtype) && g->K[2] <= ROW_TAPS &&
           g->K[0] * g->K[1] <= LINES;
}

AVX512_INLINE __m512 load_some(const void *p, size_t at, __mmask16 some, bool bf16)
{
    if (!bf16)
        return _mm512_maskz_loadu_ps(some, (const float *)p + at);
    __m256i h = _mm256_maskz_loadu_epi16(some, (const uint16_t *)p + at);
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(h), 16));
}

AVX512_INLINE void store_some(void *p, size_t at, __mmask16 some, __m512 v, bool bf16)
{
    if (bf16)
        _mm256_mask_storeu_epi16((uint16_t *)p + at, some, (__m256i)_mm512_cvtneps_pbh(v));
    else
        _mm512_mask_storeu_ps((float *)p + at, some, v);
}

/* A sixteen of channels: its block in a sample, the first of them there, how many. */
struct sixteen {
    long block, lane;
    unsigned some; /* a bit each */
};

static struct sixteen sixteen_of(const struct map *m, long group)
{
    struct sixteen s = {.block = group / sixteens(m), .lane = group % sixteens(m) * LANES};
    long n = m->b - s.lane < LANES ? m->b - s.lane : LANES;

    s.some = (1u << n) - 1;
    return s;
}

/* packed[group][tap][16], zeros behind the last channel; rounded as the tensors are. */
static void pack(const struct depthwise *g, const float *w, float *packed)
{
    const long taps = taps_of_window(g);

    for (long group = 0; group < groups(&g->x); group++) {
        const struct sixteen s = sixteen_of(&g->x, group);

        for (long t = 0; t < taps; t++)
            for (long i = 0; i < LANES; i++) {
                const long c = s.block * g->x.b + s.lane + i;
                const bool there = s.lane + i < g->x.b && c < g->x.C;

                *packed++ = there ? weight_at(w, g->x.dtype, c * taps + t) : 0;
            }
    }
}

/* Taps of one row that results of one kind see. */
struct taps {
    int n;
    long k[ROW_TAPS], off[ROW_TAPS];
};

static struct taps taps_of(const struct way *v, long r)
{
    struct taps t = {.n = 0};

    for (long k = 0; k < v->g->K[2]; k++)
        if (tap_offset(v, 2, r, k, &t.off[t.n]))
            t.k[t.n++] = k;
    return t;
}

/* A row of results: the rows of the source that it sees, and of each the first of its K2
 * taps. */
struct row {
    const void *from;
    void *to;
    const float *w; /* [taps][16] */
    int n;
    size_t line[LINES];
    long tap[LINES];
    long b, places, step; /* values from place to place; places of a source's row; F */
    __mmask16 some;
    float bias[LANES];
};

/* Results [j, end) of those taps; step: between them in `to`. inside: all taps are. */
AVX512_INLINE void places_lanes(const struct row *r, const struct taps *t, int n, long j, long end,
                                size_t at, size_t step, bool inside, bool bf16)
{
    const __m512 bias = _mm512_loadu_ps(r->bias);

    for (; j < end; j++, at += step) {
        __m512 sum = bias;

        for (int l = 0; l < r->n; l++)
            for (int i = 0; i < n; i++) {
                const long f = j * r->step + t->off[i];

                if (!inside && (f < 0 || f >= r->places))
                    continue;
                __m512 v = load_some(r->from, r->line[l] + (size_t)(f * r->b), r->some, bf16);
                sum = _mm512_fmadd_ps(_mm512_load_ps(r->w + (r->tap[l] + t->k[i]) * LANES), v, sum);
            }
        store_some(r->to, at, r->some, sum, bf16);
    }
}

/* Results [0, count) of those taps: the two ends tap by tap, what is between as a whole. */
AVX512_INLINE void kind_lanes(const struct row *r, const struct taps *t, long count, size_t at,
                              size_t step, bool bf16)
{
    long first = 0, end = count;

    for (int i = 0; i < t->n; i++) {
        /* j step + off lies in [0, places) */
        const long low = t->off[i] < 0 ? (-t->off[i] + r->step - 1) / r->step : 0;
        const long room = r->places - t->off[i];
        const long high = room > 0 ? (room + r->step - 1) / r->step : 0;

        first = low > first ? low : first;
        end = high < end ? high : end;
    }
    first = first < count ? first : count;
    end = end > first ? end : first;
    places_lanes(r, t, t->n, 0, first, at, step, false, bf16);
    if (t->n == 3) /* most often: unrolled */
        places_lanes(r, t, 3, first, end, at + (size_t)first * step, step, true, bf16);
    else
        places_lanes(r, t, t->n, first, end, at + (size_t)first * step, step, true, bf16);
    places_lanes(r, t, t->n, end, count, at + (size_t)end * step, step, false, bf16);
}

AVX512 static void kind_f32(const struct row *r, const struct taps *t, long count, size_t at,
                            size_t step)
{
    kind_lanes(r, t, count, at, step, false);
}

AVX512 static void kind_bf16(const struct row *r, const struct taps *t, long count, size_t at,
                             size_t step)
{
    kind_lanes(r, t, count, at, step, true);
}

/* The rows of the source that row (r0, r1) of the results sees. */
static void see_lines(const struct way *v, struct row *r, size_t plane, long r0, long r1)
{
    const long *K = v->g->K;

    r->n = 0;
    for (long k0 = 0; k0 < K[0]; k0++)
        for (long k1 = 0; k1 < K[1]; k1++) {
            const long f0 = tap_place(v, 0, r0, k0), f1 = tap_place(v, 1, r1, k1);

            if (f0 < 0 || f1 < 0)
                continue;
            r->line[r->n] = plane + (size_t)((f0 * v->F[1] + f1) * v->F[2] * r->b);
            r->tap[r->n++] = (k0 * K[1] + k1) * K[2];
        }
}

/* All results of row `line` (of R0 R1) of one sixteen of channels of one sample. */
static void row_vectors(const struct way *v, const float *packed, const float *bias,
                        const void *from, void *to, long n, long group, long line)
{
    const struct map *m = v->to;
    const struct sixteen s = sixteen_of(m, group);
    const long plane = n * m->B + s.block, step = result_step(v, 2);
    struct row r = {.from = from,
                    .to = to,
                    .w = packed + group * taps_of_window(v->g) * LANES,
                    .b = m->b,
                    .places = v->F[2],
                    .step = source_step(v, 2),
                    .some = (__mmask16)s.some};

    for (long i = 0; bias && i < LANES && s.block * m->b + s.lane + i < m->C; i++)
        r.bias[i] = bias[s.block * m->b + s.lane + i];
    see_lines(v, &r, (size_t)(plane * v->from->S * m->b + s.lane), line / v->R[1], line % v->R[1]);
    const size_t at = (size_t)((plane * m->S + line * v->R[2]) * m->b + s.lane);
    for (long k = 0; k < step && k < v->R[2]; k++) {
        const struct taps t = taps_of(v, k);
        const long count = (v->R[2] - k + step - 1) / step;

        (m->dtype == TENSOR_BF16 ? kind_bf16 : kind_f32)(&r, &t, count, at + (size_t)(k * m->b),
                                                         (size_t)(step * m->b));
    }
}

static void gather_vectors(const struct way *v, const float *w, const float *bias, const void *from,
                           void *to, float *packed)
{
    pack(v->g, w, packed);
#pragma omp parallel for collapse(3) schedule(static)
    for (long n = 0; n < v->to->N; n++)
        for (long group = 0; group < groups(v->to); group++)
            for (long line = 0; line < v->R[0] * v->R[1]; line++)
                row_vectors(v, packed, bias, from, to, n, group, line);
}

/* ---- their weights ---- */

/* Sum over q in [q, end) of dy[q] x[q S]; rows that begin at those values. */
AVX512_INLINE __m512 tap_sum(const struct row *r, const void *dy, size_t dy_at, size_t x_at, long n,
                             bool bf16)
{
    const size_t dy_step = (size_t)r->b, x_step = (size_t)(r->b * r->step);
    __m512 sum[4] = {_mm512_setzero_ps(), _mm512_setzero_ps(), _mm512_setzero_ps(),
                     _mm512_setzero_ps()};

    for (long q = 0; q + 4 <= n; q += 4, dy_at += 4 * dy_step, x_at += 4 * x_step)
        for (size_t i = 0; i < 4; i++)
            sum[i] = _mm512_fmadd_ps(load_some(dy, dy_at + i * dy_step, r->some, bf16),
                                     load_some(r->from, x_at + i * x_step, r->some, bf16), sum[i]);
    for (long q = n / 4 * 4; q < n; q++, dy_at += dy_step, x_at += x_step)
        sum[0] = _mm512_fmadd_ps(load_some(dy, dy_at, r->some, bf16),
                                 load_some(r->from, x_at, r->some, bf16), sum[0]);
    return _mm512_add_ps(_mm512_add_ps(sum[0], sum[1]), _mm512_add_ps(sum[2], sum[3]));
}

/* What one row of dy (n places from dy_at on) adds to the sums [taps][16] of the taps
 * that it sees. */
AVX512_INLINE void row_sums(const struct row *r, const struct taps *t, const void *dy, size_t dy_at,
                            long n, double *all, bool bf16)
{
    for (int l = 0; l < r->n; l++)
        for (int i = 0; i < t->n; i++) {
            const long off = t->off[i], room = r->places - off;
            const long first = off < 0 ? (-off + r->step - 1) / r->step : 0;
            const long most = room > 0 ? (room + r->step - 1) / r->step : 0;
            const long end = most < n ? most : n;

            if (first >= end)
                continue;
            __m512 sum =
                tap_sum(r, dy, dy_at + (size_t)(first * r->b),
                        r->line[l] + (size_t)((first * r->step + off) * r->b), end - first, bf16);
            double *sums = all + (r->tap[l] + t->k[i]) * LANES;
            _mm512_storeu_pd(sums, _mm512_add_pd(_mm512_loadu_pd(sums), lanes_low(sum)));
            _mm512_storeu_pd(sums + 8, _mm512_add_pd(_mm512_loadu_pd(sums + 8), lanes_high(sum)));
        }
}

AVX512 static void row_sums_f32(const struct row *r, const struct taps *t, const void *dy,
                                size_t dy_at, long n, double *all)
{
    row_sums(r, t, dy, dy_at, n, all, false);
}

AVX512 static void row_sums_bf16(const struct row *r, const struct taps *t, const void *dy,
                                 size_t dy_at, long n, double *all)
{
    row_sums(r, t, dy, dy_at, n, all, true);
}

/* sums[taps][16] of one sixteen of channels over part `part` of all rows of dy. */
static void part_sums(const struct depthwise *g, const void *x, const void *dy, long group,
                      long part, double *sums)
{
    const struct way v = forward_way(g);
    const struct sixteen s = sixteen_of(&g->y, group);
    const struct taps t = taps_of(&v, 0);
    const long lines = g->Q[0] * g->Q[1], rows = g->y.N * lines;
    struct row r = {
        .from = x, .b = g->x.b, .places = g->I[2], .step = g->S[2], .some = (__mmask16)s.some};

    memset(sums, 0, (size_t)(taps_of_window(g) * LANES) * sizeof *sums);
    for (long i = rows * part / PARTS; i < rows * (part + 1) / PARTS; i++) {
        const long plane = i / lines * g->x.B + s.block, line = i % lines;

        see_lines(&v, &r, (size_t)(plane * g->x.S * r.b + s.lane), line / g->Q[1], line % g->Q[1]);
        (g->x.dtype == TENSOR_BF16 ? row_sums_bf16 : row_sums_f32)(
            &r, &t, dy, (size_t)((plane * g->y.S + line * g->Q[2]) * r.b + s.lane), g->Q[2], sums);
    }
}

static void weights_vectors(const struct depthwise *g, const void *x, const void *dy, bool add,
                            float *dw, double *sums)
{
    const long taps = taps_of_window(g), all = groups(&g->x);

#pragma omp parallel for collapse(2) schedule(static)
    for (long group = 0; group < all; group++)
        for (long part = 0; part < PARTS; part++)
            part_sums(g, x, dy, group, part, sums + (group * PARTS + part) * taps * LANES);
    for (long group = 0; group < all; group++) {
        const struct sixteen s = sixteen_of(&g->x, group);
        const double *from = sums + group * PARTS * taps * LANES;

        for (long i = 0; i < LANES && s.lane + i < g->x.b; i++) {
            const long c = s.block * g->x.b + s.lane + i;

            for (long t = 0; t < taps && c < g->x.C; t++) {
                double sum = add ? (double)dw[c * taps + t] : 0;

                for (long part = 0; part < PARTS; part++)
                    sum += from[(part * taps + t) * LANES + i];
                dw[c * taps + t] = (float)sum;
            }
        }
    }
}
#else
static bool vectors(const struct depthwise *g)
{
    (void)g;
    return false;
}

static void gather_vectors(const struct way *v, const float *w, const float *bias, const void *from,
                           void *to, float *packed)
{
    (void)packed;
    gather_plain(v, w, bias, from, to);
}

static void weights_vectors(const struct depthwise *g, const void *x, const void *dy, bool add,
                            float *dw, double *sums)
{
    (void)sums;
    weights_plain(g, x, dy, add, dw);
}
#endif

/* ---- which ------------------------------------------------------------- */

static void gather(const struct way *v, const float *w, const float *bias, const void *from,
                   void *to, void *scratch)
{
    if (vectors(v->g))
        gather_vectors(v, w, bias, from, to, scratch);
    else
        gather_plain(v, w, bias, from, to);
}

void depthwise_forward(const struct depthwise *g, const float *w, const float *bias, const void *x,
                       void *y, void *scratch)
{
    const struct way v = forward_way(g);

    gather(&v, w, bias, x, y, scratch);
}

void depthwise_data(const struct depthwise *g, const float *w, const void *dy, void *dx,
                    void *scratch)
{
    const struct way v = data_way(g);

    gather(&v, w, NULL, dy, dx, scratch);
}

void depthwise_weights(const struct depthwise *g, const void *x, const void *dy, bool add,
                       float *dw, void *scratch)
{
    if (vectors(g))
        weights_vectors(g, x, dy, add, dw, scratch);
    else
        weights_plain(g, x, dy, add, dw);
}
