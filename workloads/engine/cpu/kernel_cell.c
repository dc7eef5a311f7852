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

#include "workloads/engine/cpu/kernel_lanes.h"

#include <string.h>

enum { WIDE = 64 }; /* channels at a time, in any layout */

/* What one place of the result sees in one dimension. */
struct span {
    long from, to;   /* places of the source */
    float weight[8]; /* of the first eight; further ones: as the last */
    bool whole;      /* the weights are right: there are not more that differ */
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
    s->whole = true;
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

/* Without the cells at its ends that have no weight. */
static void up_span(const struct cells *c, int d, long q, struct span *s)
{
    long p = q / c->S[d];

    s->from = at_least(p - 1, 0);
    s->to = at_most(p + 2, c->I[d]);
    while (cell_weight(c, d, q, s->from) == 0)
        s->from++;
    while (cell_weight(c, d, q, s->to - 1) == 0)
        s->to--;
    for (long i = s->from; i < s->to; i++)
        s->weight[i - s->from] = cell_weight(c, d, q, i);
    s->whole = true;
}

/* ---- spans of the way back -------------------------------------------- */

/* Outputs that see place p; their weights differ one by one (the border). */
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

/* Without the outputs at its ends that have no weight. */
static void back_span(const struct cells *c, int d, long p, struct span *s, bool pool,
                      weight_of *weight)
{
    seen_by(c, d, p, pool, &s->from, &s->to);
    while (s->from < s->to && weight(c, d, s->from, p) == 0)
        s->from++;
    while (s->from < s->to && weight(c, d, s->to - 1, p) == 0)
        s->to--;
    s->whole = s->to - s->from <= 8;
    for (long i = s->from; i < s->to && i < s->from + 8; i++)
        s->weight[i - s->from] = weight(c, d, i, p);
}

static void pool_back_span(const struct cells *c, int d, long p, struct span *s)
{
    back_span(c, d, p, s, true, tap_weight);
}

static void up_back_span(const struct cells *c, int d, long p, struct span *s)
{
    back_span(c, d, p, s, false, cell_weight);
}

/* ---- AVX-512 ---------------------------------------------------------- */

#if defined(__x86_64__)

/* Places of a source's row that are kept, and of a result's whose spans are. */
enum { ROW = 2048, PLACES = 64 };

/* One sixteen of channels of one plane of the source. */
struct lanes_plane {
    const void *from;
    size_t at;
    const long *F;
    long b; /* values from place to place */
};

/* row[f] = sum over i, j of w0 w1 from[i][j][f], in float32 */
AVX512_INLINE void rows_lanes(const struct lanes_plane *p, const struct span *s0,
                              const struct span *s1, float *row, bool bf16)
{
    for (long i = s0->from; i < s0->to; i++)
        for (long j = s1->from; j < s1->to; j++) {
            __m512 w = _mm512_set1_ps(weight_at(s0, i) * weight_at(s1, j));
            size_t at = p->at + (size_t)((i * p->F[1] + j) * p->F[2] * p->b);
            bool first = i == s0->from && j == s1->from;

            for (long f = 0; f < p->F[2]; f++, at += (size_t)p->b) {
                __m512 v = _mm512_mul_ps(w, lanes_load(p->from, at, bf16));

                if (!first)
                    v = _mm512_add_ps(v, _mm512_load_ps(row + f * LANES));
                _mm512_store_ps(row + f * LANES, v);
            }
        }
}

/* sum over f of w2 row[f] */
AVX512_INLINE __m512 span_lanes(const struct span *s, const float *row)
{
    const float *v = row + s->from * LANES;
    long n = s->to - s->from;
    __m512 sum = _mm512_mul_ps(_mm512_set1_ps(s->weight[0]), _mm512_load_ps(v));

    for (long k = 1; k < n; k++)
        sum = _mm512_fmadd_ps(_mm512_set1_ps(s->weight[k < 7 ? k : 7]),
                              _mm512_load_ps(v + k * LANES), sum);
    return sum;
}

/* to[r] for n results that stand b apart. */
AVX512_INLINE void results_lanes(const struct span *s2, long n, const float *row, void *to,
                                 size_t at, long b, bool bf16, bool stream)
{
    for (long r = 0; r < n; r++, at += (size_t)b)
        lanes_store(to, at, span_lanes(&s2[r], row), bf16, stream);
}

AVX512 static void rows_f32(const struct lanes_plane *p, const struct span *s0,
                            const struct span *s1, float *row)
{
    rows_lanes(p, s0, s1, row, false);
}

AVX512 static void rows_bf16(const struct lanes_plane *p, const struct span *s0,
                             const struct span *s1, float *row)
{
    rows_lanes(p, s0, s1, row, true);
}

AVX512 static void results_f32(const struct span *s2, long n, const float *row, void *to, size_t at,
                               long b, bool stream)
{
    if (stream)
        results_lanes(s2, n, row, to, at, b, false, true);
    else
        results_lanes(s2, n, row, to, at, b, false, false);
}

AVX512 static void results_bf16(const struct span *s2, long n, const float *row, void *to,
                                size_t at, long b, bool stream)
{
    if (stream)
        results_lanes(s2, n, row, to, at, b, true, true);
    else
        results_lanes(s2, n, row, to, at, b, true, false);
}

static bool same_span(const struct span *a, const struct span *b)
{
    return a->from == b->from && a->to == b->to &&
           !memcmp(a->weight, b->weight, (size_t)at_most(a->to - a->from, 8) * sizeof a->weight[0]);
}

/* All of plane's results with first place r0, sixteen channels: the source's rows
 * are summed into one, which is read by places; once, where rows see the same. */
static void slice_lanes(const struct cells *c, const struct map *m, const long R[3], span_of *spans,
                        const struct lanes_plane *p, void *to, size_t to_at, long r0)
{
    bool stream = lanes_stream(m), bf16 = m->dtype == TENSOR_BF16;
    struct span s0, s1 = {.from = -1}, s2[PLACES];
    float row[ROW * LANES] __attribute__((aligned(64)));

    spans(c, 0, r0, &s0);
    for (long at = 0; at < R[2]; at += PLACES) {
        long n = at_most(R[2] - at, PLACES);

        for (long k = 0; k < n; k++)
            spans(c, 2, at + k, &s2[k]);
        for (long r1 = 0; r1 < R[1]; r1++) {
            struct span now;

            spans(c, 1, r1, &now);
            if (!same_span(&now, &s1))
                (bf16 ? rows_bf16 : rows_f32)(p, &s0, &now, row);
            s1 = now;
            (bf16 ? results_bf16 : results_f32)(
                s2, n, row, to, to_at + (size_t)(((r0 * R[1] + r1) * R[2] + at) * m->b), m->b,
                stream);
        }
    }
}

/* Whether spans say all that places see, and every place sees something. */
static bool spans_whole(const struct cells *c, const long R[3], span_of *spans)
{
    for (int d = 0; d < 3; d++)
        for (long r = 0; r < R[d]; r++) {
            struct span s;

            spans(c, d, r, &s);
            if (!s.whole || s.from >= s.to)
                return false;
        }
    return true;
}

/* Whether it was done. */
static bool gather_lanes(const struct cells *c, const struct map *m, const long R[3],
                         const long F[3], span_of *spans, const void *from, void *to)
{
    long groups = m->b / LANES, size = F[0] * F[1] * F[2], results = R[0] * R[1] * R[2];

    if (!lanes_suit(m) || F[2] > ROW || !spans_whole(c, R, spans))
        return false;
#pragma omp parallel
    {
#pragma omp for collapse(2) schedule(static)
        for (long i = 0; i < m->N * m->B * groups; i++)
            for (long r0 = 0; r0 < R[0]; r0++) {
                long plane = i / groups, lane = i % groups * LANES;
                struct lanes_plane p = {from, (size_t)(plane * size * m->b + lane), F, m->b};

                slice_lanes(c, m, R, spans, &p, to, (size_t)(plane * results * m->b + lane), r0);
            }
        _mm_sfence();
    }
    return true;
}
#else
static bool gather_lanes(const struct cells *c, const struct map *m, const long R[3],
                         const long F[3], span_of *spans, const void *from, void *to)
{
    (void)c, (void)m, (void)R, (void)F, (void)spans, (void)from, (void)to;
    return false;
}
#endif

/* ---- the loop, in any layout ------------------------------------------- */

struct plane {
    const void *from;
    enum tensor_dtype dtype;
    size_t at;        /* of the plane in `from` [values] */
    const long *size; /* of the source */
    long b;
};

static void gather_box(const struct plane *p, const struct span s[3], long lane, long n,
                       float sum[WIDE])
{
    float v[WIDE];

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

    if (gather_lanes(c, m, R, F, spans, from, to))
        return;
#pragma omp parallel for collapse(2) schedule(static)
    for (long plane = 0; plane < planes; plane++)
        for (long i = 0; i < R[0] * R[1]; i++) {
            struct plane p = {from, m->dtype, (size_t)(plane * size * m->b), F, m->b};
            struct span s[3];
            float sum[WIDE];

            spans(c, 0, i / R[1], &s[0]);
            spans(c, 1, i % R[1], &s[1]);
            for (long k = 0; k < R[2]; k++) {
                size_t at = (size_t)((plane * R[0] * R[1] + i) * R[2] + k) * (size_t)m->b;

                spans(c, 2, k, &s[2]);
                for (long lane = 0; lane < m->b; lane += WIDE) {
                    long n = at_most(m->b - lane, WIDE);

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

static void scatter_row(const struct cells *c, bool pool, weight_of *weight, const long at[3],
                        const void *dy, size_t plane, void *dx, size_t to_at)
{
    const struct map *m = &c->in;
    float v[WIDE], sum[WIDE];
    long from[3], to[3];

    for (int d = 0; d < 3; d++)
        seen_by(c, d, at[d], pool, &from[d], &to[d]);
    for (long lane = 0; lane < m->b; lane += WIDE) {
        long n = at_most(m->b - lane, WIDE);

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
    if (!gather_lanes(c, &c->in, c->I, c->Q, pool_back_span, dy, dx))
        backward(c, true, tap_weight, dy, dx);
}

void upsample_backward(const struct cells *c, const void *dy, void *dx)
{
    if (!gather_lanes(c, &c->in, c->I, c->Q, up_back_span, dy, dx))
        backward(c, false, cell_weight, dy, dx);
}
