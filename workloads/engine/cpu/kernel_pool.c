/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/engine/cpu/kernel_pool.h"

#include "workloads/engine/cpu/kernel_lanes.h"

#include <math.h>
#include <string.h>

size_t pool_winner_bytes(const struct pool *p)
{
    return p->K[0] * p->K[1] * p->K[2] <= 256 ? 1 : sizeof(uint16_t);
}

size_t pool_work_bytes(const struct pool *p)
{
    return map_count(&p->out) * pool_winner_bytes(p);
}

static inline long tap_place(const struct pool *p, const long q[3], const long k[3])
{
    long at = 0;

    for (int i = 0; i < 3; i++) {
        long r = q[i] * p->S[i] + k[i] - p->P[i];

        if (r < 0 || r >= p->I[i])
            return -1;
        at = at * p->I[i] + r;
    }
    return at;
}

static inline void split(long at, const long size[3], long out[3])
{
    out[2] = at % size[2];
    out[1] = at / size[2] % size[1];
    out[0] = at / size[2] / size[1];
}

static inline void winner_set(void *work, size_t bytes, size_t at, int v)
{
    if (bytes == 1)
        ((uint8_t *)work)[at] = (uint8_t)v;
    else
        ((uint16_t *)work)[at] = (uint16_t)v;
}

static inline int winner_get(const void *work, size_t bytes, size_t at)
{
    return bytes == 1 ? ((const uint8_t *)work)[at] : ((const uint16_t *)work)[at];
}

/* Output place q, channels [c, c + n) of one block. x: the block's input. */
static void forward_lanes(const struct pool *p, const void *x, size_t x_at, const long q[3],
                          float best[LANES], int where[LANES], long c, long n)
{
    int taps = (int)(p->K[0] * p->K[1] * p->K[2]);
    bool first = true;
    long k[3];

    for (int t = 0; t < taps; t++) {
        float v[LANES];

        split(t, p->K, k);
        long at = tap_place(p, q, k);
        if (at < 0)
            continue;
        map_load(v, x, p->in.dtype, x_at + (size_t)(at * p->in.b + c), n);
        for (long i = 0; i < n; i++) {
            bool wins = first || v[i] > best[i];

            best[i] = wins ? v[i] : best[i];
            where[i] = wins ? t : where[i];
        }
        first = false;
    }
}

static inline float act_value(const struct pool *p, float v)
{
    if (p->act == ACT_TANH)
        return tanhf(v);
    return p->act == ACT_NONE || v > 0 ? v : p->slope * v;
}

static inline float act_slope(const struct pool *p, float y)
{
    if (p->act == ACT_TANH)
        return 1 - y * y;
    return p->act == ACT_NONE || y > 0 ? 1 : p->slope;
}

void pool_forward_plain(const struct pool *p, const void *x, void *y, void *work)
{
    size_t bytes = pool_winner_bytes(p);
    long b = p->in.b;

#pragma omp parallel for collapse(2) schedule(static)
    for (long block = 0; block < p->in.N * p->in.B; block++)
        for (long at = 0; at < p->out.S; at++) {
            size_t y_at = (size_t)((block * p->out.S + at) * b);
            long q[3];

            split(at, p->Q, q);
            for (long c = 0; c < b; c += LANES) {
                long n = c + LANES < b ? LANES : b - c;
                float best[LANES];
                int where[LANES];

                forward_lanes(p, x, (size_t)(block * p->in.S * b), q, best, where, c, n);
                for (long i = 0; i < n; i++) {
                    best[i] = act_value(p, best[i]);
                    winner_set(work, bytes, y_at + (size_t)(c + i), where[i]);
                }
                map_store(y, p->out.dtype, y_at + (size_t)c, best, n);
            }
        }
}

void pool_backward_plain(const struct pool *p, const void *y, const void *dy, const void *work,
                         void *dx)
{
    size_t bytes = pool_winner_bytes(p), size = dtype_bytes(p->in.dtype);
    long b = p->in.b;

#pragma omp parallel for schedule(static)
    for (long block = 0; block < p->in.N * p->in.B; block++) {
        size_t x_at = (size_t)(block * p->in.S * b);

        memset((char *)dx + x_at * size, 0, (size_t)(p->in.S * b) * size);
        for (long at = 0; at < p->out.S; at++) {
            long q[3], k[3];

            split(at, p->Q, q);
            for (long c = 0; c < b; c++) {
                size_t y_at = (size_t)((block * p->out.S + at) * b + c);
                float v, d, sum;

                split(winner_get(work, bytes, y_at), p->K, k);
                size_t to = x_at + (size_t)(tap_place(p, q, k) * b + c);
                map_load(&v, y, p->out.dtype, y_at, 1);
                map_load(&d, dy, p->out.dtype, y_at, 1);
                map_load(&sum, dx, p->in.dtype, to, 1);
                sum += d * act_slope(p, v);
                map_store(dx, p->in.dtype, to, &sum, 1);
            }
        }
    }
}

/* ---- AVX-512 ---------------------------------------------------------- */

/*
 * On groups of 16 channels one register is one place. Windows that do not overlap
 * are undone row by row, each place written once; others plane by plane, where
 * each output adds to the place of its winner.
 */
#if defined(__x86_64__)

static bool vectors(const struct pool *p)
{
    return lanes_suit(&p->in) && p->out.b == p->in.b && pool_winner_bytes(p) == 1 &&
           p->act != ACT_TANH && p->act != ACT_SIGMOID;
}

/* Each place of the input is in one window at most, and no window has padding. */
static bool disjoint(const struct pool *p)
{
    bool fits = true;

    for (int i = 0; i < 3; i++)
        fits = fits && p->K[i] == p->S[i] && p->P[i] == 0 && p->Q[i] * p->S[i] <= p->I[i];
    return fits;
}

/* Taps [from, to) of output q in dimension d that are in the input, and the place
 * of tap 0. inside: all are. */
static inline __attribute__((always_inline)) long taps(const struct pool *p, int d, long q,
                                                       bool inside, long *from, long *to)
{
    long first = q * p->S[d] - p->P[d], end = p->I[d] - first;

    *from = inside || first >= 0 ? 0 : -first;
    *to = inside || end >= p->K[d] ? p->K[d] : end;
    return first;
}

/* Row (q0, q1) of outputs, 16 channels from `lane` of one block. */
AVX512_INLINE void forward_row(const struct pool *p, const void *x, void *y, uint8_t *work,
                               long block, long lane, long row, bool bf16, bool inside)
{
    float slope = p->act == ACT_LEAKY ? p->slope : 1;
    long b = p->in.b, a0, e0, a1, e1;
    long r0 = taps(p, 0, row / p->Q[1], inside, &a0, &e0);
    long r1 = taps(p, 1, row % p->Q[1], inside, &a1, &e1);
    size_t to = (size_t)((block * p->out.S + row * p->Q[2]) * b + lane);
    size_t plane = (size_t)(block * p->in.S * b + lane);

    for (long q2 = 0; q2 < p->Q[2]; q2++, to += (size_t)b) {
        long a2, e2, r2 = taps(p, 2, q2, inside, &a2, &e2);
        size_t from = plane + (size_t)((((r0 + a0) * p->I[1] + r1 + a1) * p->I[2] + r2 + a2) * b);
        int t = (int)((a0 * p->K[1] + a1) * p->K[2] + a2);
        __m512 best = lanes_load(x, from, bf16); /* the first tap */
        __m128i where = _mm_set1_epi8((char)t);

        for (long k0 = a0; k0 < e0; k0++)
            for (long k1 = a1; k1 < e1; k1++) {
                from = plane + (size_t)((((r0 + k0) * p->I[1] + r1 + k1) * p->I[2] + r2 + a2) * b);
                t = (int)((k0 * p->K[1] + k1) * p->K[2] + a2);
                for (long k2 = a2; k2 < e2; k2++, t++, from += (size_t)b) {
                    __m512 v = lanes_load(x, from, bf16);
                    __mmask16 wins = _mm512_cmp_ps_mask(v, best, _CMP_GT_OQ);

                    best = _mm512_mask_mov_ps(best, wins, v);
                    where = _mm_mask_mov_epi8(where, wins, _mm_set1_epi8((char)t));
                }
            }
        lanes_store(y, to, lanes_leaky(best, lanes_positive(best), slope), bf16, false);
        _mm_storeu_si128((__m128i *)(work + to), where);
    }
}

/* The gradient before the activation, of output `at`. */
AVX512_INLINE __m512 output_grad(const struct pool *p, const void *y, const void *dy, size_t at,
                                 bool bf16)
{
    float slope = p->act == ACT_LEAKY ? p->slope : 1;

    return lanes_leaky(lanes_load(dy, at, bf16), lanes_positive(lanes_load(y, at, bf16)), slope);
}

/* The same row backwards, windows apart: every place of theirs is written. */
AVX512_INLINE void backward_row(const struct pool *p, const void *y, const void *dy,
                                const uint8_t *work, void *dx, long block, long lane, long row,
                                bool bf16, bool stream)
{
    long b = p->in.b, q0 = row / p->Q[1], q1 = row % p->Q[1];
    size_t from = (size_t)((block * p->out.S + row * p->Q[2]) * b + lane);
    size_t plane = (size_t)(block * p->in.S * b + lane);

    for (long q2 = 0; q2 < p->Q[2]; q2++, from += (size_t)b) {
        __m512 d = output_grad(p, y, dy, from, bf16);
        __m128i where = _mm_loadu_si128((const __m128i *)(work + from));
        int t = 0;

        for (long k0 = 0; k0 < p->K[0]; k0++)
            for (long k1 = 0; k1 < p->K[1]; k1++) {
                long place =
                    ((q0 * p->K[0] + k0) * p->I[1] + q1 * p->K[1] + k1) * p->I[2] + q2 * p->K[2];
                size_t to = plane + (size_t)(place * b);

                for (long k2 = 0; k2 < p->K[2]; k2++, t++, to += (size_t)b) {
                    __mmask16 here = _mm_cmpeq_epi8_mask(where, _mm_set1_epi8((char)t));

                    lanes_store(dx, to, _mm512_maskz_mov_ps(here, d), bf16, stream);
                }
            }
    }
}

/* One output of overlapping windows adds to the places of its winners. */
AVX512_INLINE void backward_output(const struct pool *p, const long q[3], __m512 d, __m128i where,
                                   void *dx, size_t plane, bool bf16)
{
    long from[3], to[3], first[3];

    for (int i = 0; i < 3; i++)
        first[i] = taps(p, i, q[i], false, &from[i], &to[i]);
    for (long k0 = from[0]; k0 < to[0]; k0++)
        for (long k1 = from[1]; k1 < to[1]; k1++)
            for (long k2 = from[2]; k2 < to[2]; k2++) {
                int t = (int)((k0 * p->K[1] + k1) * p->K[2] + k2);
                __mmask16 here = _mm_cmpeq_epi8_mask(where, _mm_set1_epi8((char)t));

                if (!here)
                    continue;
                long place = ((first[0] + k0) * p->I[1] + first[1] + k1) * p->I[2] + first[2] + k2;
                size_t at = plane + (size_t)(place * p->in.b);
                __m512 sum = _mm512_add_ps(lanes_load(dx, at, bf16), _mm512_maskz_mov_ps(here, d));
                lanes_store(dx, at, sum, bf16, false);
            }
}

/* All outputs of one block, 16 channels. */
AVX512_INLINE void backward_plane(const struct pool *p, const void *y, const void *dy,
                                  const uint8_t *work, void *dx, long block, long lane, bool bf16)
{
    size_t plane = (size_t)(block * p->in.S * p->in.b + lane);
    long q[3];

    for (long i = 0; i < p->in.S; i++)
        lanes_store(dx, plane + (size_t)(i * p->in.b), _mm512_setzero_ps(), bf16, false);
    for (long i = 0; i < p->out.S; i++) {
        size_t at = (size_t)((block * p->out.S + i) * p->in.b + lane);

        split(i, p->Q, q);
        backward_output(p, q, output_grad(p, y, dy, at, bf16),
                        _mm_loadu_si128((const __m128i *)(work + at)), dx, plane, bf16);
    }
}

/* Places behind the last window. */
static void clear_rest(const struct pool *p, void *dx, long block)
{
    size_t place = (size_t)p->in.b * dtype_bytes(p->in.dtype);
    char *to = (char *)dx + (size_t)(block * p->in.S) * place;

    for (long z = 0; z < p->I[0]; z++)
        for (long y = 0; y < p->I[1]; y++) {
            bool seen = z < p->Q[0] * p->K[0] && y < p->Q[1] * p->K[1];
            long from = seen ? p->Q[2] * p->K[2] : 0;

            memset(to + (size_t)((z * p->I[1] + y) * p->I[2] + from) * place, 0,
                   (size_t)(p->I[2] - from) * place);
        }
}

AVX512 static void forward_f32(const struct pool *p, const void *x, void *y, uint8_t *work,
                               long block, long lane, long row, bool inside)
{
    if (inside)
        forward_row(p, x, y, work, block, lane, row, false, true);
    else
        forward_row(p, x, y, work, block, lane, row, false, false);
}

AVX512 static void forward_bf16(const struct pool *p, const void *x, void *y, uint8_t *work,
                                long block, long lane, long row, bool inside)
{
    if (inside)
        forward_row(p, x, y, work, block, lane, row, true, true);
    else
        forward_row(p, x, y, work, block, lane, row, true, false);
}

AVX512 static void backward_f32(const struct pool *p, const void *y, const void *dy,
                                const uint8_t *work, void *dx, long block, long lane, long row,
                                bool stream)
{
    if (stream)
        backward_row(p, y, dy, work, dx, block, lane, row, false, true);
    else
        backward_row(p, y, dy, work, dx, block, lane, row, false, false);
}

AVX512 static void backward_bf16(const struct pool *p, const void *y, const void *dy,
                                 const uint8_t *work, void *dx, long block, long lane, long row,
                                 bool stream)
{
    if (stream)
        backward_row(p, y, dy, work, dx, block, lane, row, true, true);
    else
        backward_row(p, y, dy, work, dx, block, lane, row, true, false);
}

AVX512 static void plane_f32(const struct pool *p, const void *y, const void *dy,
                             const uint8_t *work, void *dx, long block, long lane)
{
    backward_plane(p, y, dy, work, dx, block, lane, false);
}

AVX512 static void plane_bf16(const struct pool *p, const void *y, const void *dy,
                              const uint8_t *work, void *dx, long block, long lane)
{
    backward_plane(p, y, dy, work, dx, block, lane, true);
}

static void forward_vectors(const struct pool *p, const void *x, void *y, void *work)
{
    bool inside = disjoint(p);

#pragma omp parallel for collapse(2) schedule(static)
    for (long block = 0; block < p->in.N * p->in.B; block++)
        for (long row = 0; row < p->Q[0] * p->Q[1]; row++)
            for (long lane = 0; lane < p->in.b; lane += LANES)
                (p->in.dtype == TENSOR_BF16 ? forward_bf16 : forward_f32)(p, x, y, work, block,
                                                                          lane, row, inside);
}

static void backward_disjoint(const struct pool *p, const void *y, const void *dy, const void *work,
                              void *dx)
{
    bool stream = lanes_stream(&p->in);

#pragma omp parallel
    {
#pragma omp for collapse(2) schedule(static)
        for (long block = 0; block < p->in.N * p->in.B; block++)
            for (long row = 0; row < p->Q[0] * p->Q[1]; row++)
                for (long lane = 0; lane < p->in.b; lane += LANES)
                    (p->in.dtype == TENSOR_BF16 ? backward_bf16 : backward_f32)(
                        p, y, dy, work, dx, block, lane, row, stream);
#pragma omp for schedule(static)
        for (long block = 0; block < p->in.N * p->in.B; block++)
            clear_rest(p, dx, block);
        _mm_sfence();
    }
}

static void backward_planes(const struct pool *p, const void *y, const void *dy, const void *work,
                            void *dx)
{
#pragma omp parallel for collapse(2) schedule(static)
    for (long block = 0; block < p->in.N * p->in.B; block++)
        for (long lane = 0; lane < p->in.b; lane += LANES)
            (p->in.dtype == TENSOR_BF16 ? plane_bf16 : plane_f32)(p, y, dy, work, dx, block, lane);
}

static void backward_vectors(const struct pool *p, const void *y, const void *dy, const void *work,
                             void *dx)
{
    (disjoint(p) ? backward_disjoint : backward_planes)(p, y, dy, work, dx);
}
#endif

void pool_forward(const struct pool *p, const void *x, void *y, void *work)
{
#if defined(__x86_64__)
    if (vectors(p)) {
        forward_vectors(p, x, y, work);
        return;
    }
#endif
    pool_forward_plain(p, x, y, work);
}

void pool_backward(const struct pool *p, const void *y, const void *dy, const void *work, void *dx)
{
#if defined(__x86_64__)
    if (vectors(p)) {
        backward_vectors(p, y, dy, work, dx);
        return;
    }
#endif
    pool_backward_plain(p, y, dy, work, dx);
}
