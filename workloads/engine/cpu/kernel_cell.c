/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One loop for all four: for each place of the result, a box of places of the
 * source, each with a weight that is a product over the dimensions.
 *
 *   result N B R b, source N B F b (blocks of b channels, kernel_map.h)
 *   to[n][B][r][.] = sum over f in box(r) of w0 w1 w2 from[n][B][f][.]
 */
#include <config.h>

#include "workloads/engine/cpu/kernel_cell.h"

#include <string.h>

enum { LANES = 64 }; /* channels at a time */

/* What one place of the result sees in one dimension. */
struct span {
    long from, to;   /* places of the source */
    float weight[8]; /* of the first eight; further ones: as the last */
};

typedef void span_of(const struct cells *c, int d, long at, struct span *s);

static long at_least(long a, long b)
{
    return a > b ? a : b;
}

static long at_most(long a, long b)
{
    return a < b ? a : b;
}

static float weight_at(const struct span *s, long p)
{
    return s->weight[at_most(p - s->from, 7)];
}

/* ---- spans ------------------------------------------------------------ */

/* Taps of output q that are in the input. */
static void taps(const struct cells *c, int d, long q, long *from, long *to)
{
    long first = q * c->S[d] - c->P[d];

    *from = at_least(first, 0);
    *to = at_most(first + c->K[d], c->I[d]);
}

static void pool_span(const struct cells *c, int d, long q, struct span *s)
{
    taps(c, d, q, &s->from, &s->to);
    for (int i = 0; i < 8; i++)
        s->weight[i] = 1.0f / (float)(s->to - s->from);
}

/* Weight of cell p for place q: 1 where q lies in it, or 1 - the distance of
 * their middles in cells, the border repeated. */
static float cell_weight(const struct cells *c, int d, long q, long p)
{
    float at = ((float)q + 0.5f) / (float)c->S[d] - 0.5f, last = (float)(c->I[d] - 1);

    if (c->how == UPSAMPLE_NEAREST)
        return q / c->S[d] == p ? 1 : 0;
    at = at < 0 ? 0 : at > last ? last : at;
    float far = at > (float)p ? at - (float)p : (float)p - at;
    return far < 1 ? 1 - far : 0;
}

static void up_span(const struct cells *c, int d, long q, struct span *s)
{
    long p = q / c->S[d];

    s->from = at_least(p - 1, 0);
    s->to = at_most(p + 2, c->I[d]);
    for (long i = s->from; i < s->to; i++)
        s->weight[i - s->from] = cell_weight(c, d, q, i);
}

/* ---- the loop --------------------------------------------------------- */

struct plane {
    const void *from;
    enum tensor_dtype dtype;
    size_t at;        /* of the plane in `from` [values] */
    const long *size; /* of the source */
    long b;
};

static void gather_box(const struct plane *p, const struct span s[3], long lane, long n,
                       float sum[LANES])
{
    float v[LANES];

    memset(sum, 0, (size_t)n * sizeof *sum);
    for (long i = s[0].from; i < s[0].to; i++)
        for (long j = s[1].from; j < s[1].to; j++)
            for (long k = s[2].from; k < s[2].to; k++) {
                float w = weight_at(&s[0], i) * weight_at(&s[1], j) * weight_at(&s[2], k);
                size_t place = (size_t)((i * p->size[1] + j) * p->size[2] + k);

                if (w == 0)
                    continue;
                map_load(v, p->from, p->dtype, p->at + place * (size_t)p->b + (size_t)lane, n);
#pragma omp simd
                for (long c = 0; c < n; c++)
                    sum[c] += w * v[c];
            }
}

static void gather(const struct cells *c, const struct map *m, const long R[3], const long F[3],
                   span_of *spans, const void *from, void *to)
{
    long planes = m->N * m->B, size = F[0] * F[1] * F[2];

#pragma omp parallel for collapse(2) schedule(static)
    for (long plane = 0; plane < planes; plane++)
        for (long i = 0; i < R[0] * R[1]; i++) {
            struct plane p = {from, m->dtype, (size_t)(plane * size * m->b), F, m->b};
            struct span s[3];
            float sum[LANES];

            spans(c, 0, i / R[1], &s[0]);
            spans(c, 1, i % R[1], &s[1]);
            for (long k = 0; k < R[2]; k++) {
                size_t at = (size_t)((plane * R[0] * R[1] + i) * R[2] + k) * (size_t)m->b;

                spans(c, 2, k, &s[2]);
                for (long lane = 0; lane < m->b; lane += LANES) {
                    long n = at_most(m->b - lane, LANES);

                    gather_box(&p, s, lane, n, sum);
                    map_store(to, m->dtype, at + (size_t)lane, sum, n);
                }
            }
        }
}

void avgpool_forward(const struct cells *c, const void *x, void *y)
{
    gather(c, &c->out, c->Q, c->I, pool_span, x, y);
}

void upsample_forward(const struct cells *c, const void *x, void *y)
{
    gather(c, &c->out, c->Q, c->I, up_span, x, y);
}

/* ---- backward --------------------------------------------------------- */

/* Outputs that see place p; their weights differ one by one (the border), so
 * they are computed at each. */
typedef float weight_of(const struct cells *c, int d, long q, long p);

static float tap_weight(const struct cells *c, int d, long q, long p)
{
    long from, to;

    taps(c, d, q, &from, &to);
    return p >= from && p < to ? 1.0f / (float)(to - from) : 0;
}

/* First and last output that may see place p. */
static void seen_by(const struct cells *c, int d, long p, bool pool, long *from, long *to)
{
    if (!pool) {
        *from = at_least((p - 1) * c->S[d], 0);
        *to = at_most((p + 2) * c->S[d], c->Q[d]);
        return;
    }
    long first = p + c->P[d] - c->K[d] + 1;
    *from = first > 0 ? (first + c->S[d] - 1) / c->S[d] : 0;
    *to = at_most((p + c->P[d]) / c->S[d] + 1, c->Q[d]);
}

static void scatter_row(const struct cells *c, bool pool, weight_of *weight, const long at[3],
                        const void *dy, size_t plane, void *dx, size_t to_at)
{
    const struct map *m = &c->in;
    float v[LANES], sum[LANES];
    long from[3], to[3];

    for (int d = 0; d < 3; d++)
        seen_by(c, d, at[d], pool, &from[d], &to[d]);
    for (long lane = 0; lane < m->b; lane += LANES) {
        long n = at_most(m->b - lane, LANES);

        memset(sum, 0, sizeof sum);
        for (long i = from[0]; i < to[0]; i++)
            for (long j = from[1]; j < to[1]; j++) {
                float wij = weight(c, 0, i, at[0]) * weight(c, 1, j, at[1]);

                for (long k = from[2]; wij != 0 && k < to[2]; k++) {
                    float w = wij * weight(c, 2, k, at[2]);
                    size_t q = plane + (size_t)((i * c->Q[1] + j) * c->Q[2] + k);

                    if (w == 0)
                        continue;
                    map_load(v, dy, m->dtype, q * (size_t)m->b + (size_t)lane, n);
#pragma omp simd
                    for (long z = 0; z < n; z++)
                        sum[z] += w * v[z];
                }
            }
        map_store(dx, m->dtype, to_at * (size_t)m->b + (size_t)lane, sum, n);
    }
}

static void backward(const struct cells *c, bool pool, weight_of *weight, const void *dy, void *dx)
{
    long planes = c->in.N * c->in.B, out = c->Q[0] * c->Q[1] * c->Q[2];

#pragma omp parallel for collapse(2) schedule(static)
    for (long plane = 0; plane < planes; plane++)
        for (long i = 0; i < c->I[0] * c->I[1]; i++)
            for (long k = 0; k < c->I[2]; k++) {
                long at[3] = {i / c->I[1], i % c->I[1], k};

                scatter_row(c, pool, weight, at, dy, (size_t)(plane * out), dx,
                            (size_t)((plane * c->I[0] * c->I[1] + i) * c->I[2] + k));
            }
}

void avgpool_backward(const struct cells *c, const void *dy, void *dx)
{
    backward(c, true, tap_weight, dy, dx);
}

void upsample_backward(const struct cells *c, const void *dy, void *dx)
{
    backward(c, false, cell_weight, dy, dx);
}
