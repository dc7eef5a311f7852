/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/engine/cpu/kernel_attention.h"

#include <math.h>
#include <string.h>

#include "workloads/engine/cpu/kernel_act.h"
#include "workloads/engine/cpu/kernel_lanes.h"

#ifdef _OPENMP
#include <omp.h>
#endif

/* T: tokens in a tile; the most rows and registers of a block of a product. */
enum { T = 64, ROWS = 8, REGISTERS = 4 };

typedef float lanes __attribute__((vector_size(LANES * sizeof(float))));
typedef float lanes_at __attribute__((vector_size(LANES * sizeof(float)), aligned(4), may_alias));

#if defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 32")
#endif

#if defined(__x86_64__)
#define WIDE __attribute__((target("avx512f,avx512vl,avx512bw,avx512dq,fma")))
#else
#define WIDE
#define lanes_cpu(dtype) false
#endif

/* ---- products of tiles -------------------------------------------------- */

/* A matrix: element (r, c) is at p[r row + c column]. */
struct view {
    const float *p;
    long row, column;
};

/* c[rows][16 registers] (+)= a[rows][K] b[K][16 registers]; sums stay in registers. */
ACT_INLINE void block(const int rows, const int registers, long K, struct view a, const float *b,
                      long ldb, float *c, long ldc, bool add)
{
    lanes sum[ROWS][REGISTERS];

    UNROLL for (int i = 0; i < rows; i++) UNROLL for (int v = 0; v < registers; v++) sum[i][v] =
        add ? (lanes) * (const lanes_at *)(c + i * ldc + v * LANES) : (lanes){0};
    for (long k = 0; k < K; k++) {
        const float *from = a.p + k * a.column;
        lanes w[REGISTERS];

        UNROLL for (int v = 0; v < registers; v++) w[v] =
            *(const lanes_at *)(b + k * ldb + v * LANES);
        UNROLL for (int i = 0; i < rows; i++) UNROLL for (int v = 0; v < registers; v++)
            sum[i][v] += from[i * a.row] * w[v];
    }
    UNROLL for (int i = 0; i < rows; i++) UNROLL for (int v = 0; v < registers; v++) *
        (lanes_at *)(c + i * ldc + v * LANES) = sum[i][v];
}

/* All rows of so many columns. */
ACT_INLINE void strip(const int registers, long M, long K, struct view a, const float *b, long ldb,
                      float *c, long ldc, bool add)
{
    const long rows = registers > 2 ? ROWS / 2 : ROWS;
    long m = 0;

    for (; m + rows <= M; m += rows) {
        const struct view at = {a.p + m * a.row, a.row, a.column};
        if (registers > 2)
            block(ROWS / 2, registers, K, at, b, ldb, c + m * ldc, ldc, add);
        else
            block(ROWS, registers, K, at, b, ldb, c + m * ldc, ldc, add);
    }
    for (; m < M; m++)
        block(1, registers, K, (struct view){a.p + m * a.row, a.row, a.column}, b, ldb, c + m * ldc,
              ldc, add);
}

/* c M x N (+)= a M x K times b K x N; N a multiple of 16, b and c row major. */
ACT_INLINE void product(long M, long N, long K, struct view a, const float *b, long ldb, float *c,
                        long ldc, bool add)
{
    long n = 0;

    for (; n + 4 * LANES <= N; n += 4 * LANES)
        strip(4, M, K, a, b + n, ldb, c + n, ldc, add);
    for (; n + 2 * LANES <= N; n += 2 * LANES)
        strip(2, M, K, a, b + n, ldb, c + n, ldc, add);
    for (; n < N; n += LANES)
        strip(1, M, K, a, b + n, ldb, c + n, ldc, add);
}

/* ---- a head ------------------------------------------------------------- */

/* What of one head and sample a tile works on. */
struct head {
    const struct attention *a;
    const void *qkv;
    long row;    /* of the sample's first token */
    long column; /* of the head's first value */
    long D, pad; /* pad: d rounded up to whole registers */
};

enum part { QUERY, KEY, VALUE };

static struct head head_of(const struct attention *a, const void *qkv, long at)
{
    return (struct head){.a = a,
                         .qkv = qkv,
                         .row = at / a->heads * a->N,
                         .column = at % a->heads * a->d,
                         .D = a->heads * a->d,
                         .pad = (a->d + LANES - 1) / LANES * LANES};
}

static inline size_t element(const struct head *h, enum part part, long token)
{
    return (size_t)((h->row + token) * 3 * h->D + (long)part * h->D + h->column);
}

static inline long tile_of(const struct attention *a, long first)
{
    return a->N - first < T ? a->N - first : T;
}

/* n tokens from `first` on, [n][pad]: where they lie, if that is float32 in whole
 * registers, else copied to room. */
ACT_INLINE struct view tile(const struct head *h, enum part part, long first, long n, float *room)
{
    const enum tensor_dtype dtype = h->a->dtype;

    if (dtype == TENSOR_F32 && h->pad == h->a->d)
        return (struct view){(const float *)h->qkv + element(h, part, first), 3 * h->D, 1};
    for (long i = 0; i < n; i++) {
        map_widen(room + i * h->pad, h->qkv, dtype, element(h, part, first + i), h->a->d);
        for (long c = h->a->d; c < h->pad; c++)
            room[i * h->pad + c] = 0;
    }
    return (struct view){room, h->pad, 1};
}

/* Rows of T tokens, those past n zero: [T][pad] from D-wide rows at `at`, times factor. */
ACT_INLINE void rows_of(const struct head *h, const void *p, size_t at, long stride, long n,
                        float factor, float *to)
{
    memset(to, 0, (size_t)(T * h->pad) * sizeof *to);
    for (long i = 0; i < n; i++) {
        float *row = to + i * h->pad;
        map_widen(row, p, h->a->dtype, at + (size_t)(i * stride), h->a->d);
#pragma omp simd
        for (long c = 0; c < h->a->d; c++)
            row[c] *= factor;
    }
}

/* to[c][i] = from[i][c]: [pad][T] */
ACT_INLINE void turn(const struct head *h, const float *from, float *to)
{
    for (long c = 0; c < h->a->d; c++)
        for (long i = 0; i < T; i++)
            to[c * T + i] = from[i * h->pad + c];
}

static inline float scale_of(const struct attention *a)
{
    return 1 / sqrtf((float)a->d);
}

/* ---- forward: a tile of queries ----------------------------------------- */

/* Floats of a thread: q, q turned, keys, values, output, scores; per query. */
static size_t forward_floats(long pad)
{
    return (size_t)(5 * T * pad + T * T + 3 * T);
}

/* Scores s[j][i] of n keys become exp(s - most), with the maximum and the sum of each
 * query brought up to date; by[i]: what all before is to be multiplied by. */
ACT_INLINE void weigh(float *s, long n, float *most, float *sum, float *by)
{
    float next[T];

    memcpy(next, most, sizeof next);
    for (long j = 0; j < n; j++)
#pragma omp simd
        for (long i = 0; i < T; i++)
            next[i] = s[j * T + i] > next[i] ? s[j * T + i] : next[i];
#pragma omp simd
    for (long i = 0; i < T; i++) {
        by[i] = act_exp(most[i] - next[i]);
        sum[i] *= by[i];
        most[i] = next[i];
    }
    for (long j = 0; j < n; j++)
#pragma omp simd
        for (long i = 0; i < T; i++) {
            s[j * T + i] = act_exp(s[j * T + i] - next[i]);
            sum[i] += s[j * T + i];
        }
}

ACT_INLINE void forward_tile(const struct attention *a, const void *qkv, void *y, float *sums,
                             float *room, long unit)
{
    const long tiles = (a->N + T - 1) / T, at = unit / tiles, first = unit % tiles * T;
    const struct head h = head_of(a, qkv, at);
    const long pad = h.pad, size = T * pad, n = tile_of(a, first);
    float *q = room, *turned = q + size, *keys = turned + size, *values = keys + size;
    float *out = values + size, *s = out + size, *most = s + T * T, *sum = most + T, *by = sum + T;

    rows_of(&h, qkv, element(&h, QUERY, first), 3 * h.D, n, scale_of(a), q);
    turn(&h, q, turned);
    memset(out, 0, (size_t)size * sizeof *out);
    for (long i = 0; i < T; i++) {
        most[i] = -1e30f;
        sum[i] = 0;
    }
    for (long j = 0; j < a->N; j += T) {
        const long keys_n = tile_of(a, j);
        const struct view k = tile(&h, KEY, j, keys_n, keys),
                          v = tile(&h, VALUE, j, keys_n, values);

        product(keys_n, T, a->d, k, turned, T, s, T, false);
        weigh(s, keys_n, most, sum, by);
        for (long i = 0; j > 0 && i < n; i++)
#pragma omp simd
            for (long c = 0; c < pad; c++)
                out[i * pad + c] *= by[i];
        product(n, pad, keys_n, (struct view){s, 1, T}, v.p, v.row, out, pad, true);
    }
    for (long i = 0; i < n; i++) {
        const float inv = 1 / sum[i];
#pragma omp simd
        for (long c = 0; c < pad; c++)
            out[i * pad + c] *= inv;
        map_narrow(y, a->dtype, (size_t)((h.row + first + i) * h.D + h.column), out + i * pad,
                   a->d);
        sums[at * a->N + first + i] = most[i] + logf(sum[i]);
    }
}

/* ---- backward: a head --------------------------------------------------- */

/* Floats of a thread: gradients of all keys and values; of a tile q, q turned, dy, dy
 * turned, dq, keys, values; weights and gradients of scores; per query. */
static size_t backward_floats(long N, long pad)
{
    return (size_t)(2 * N * pad + 7 * T * pad + 2 * T * T + 2 * T);
}

/* off[i] = dy_i y_i: what the softmax takes from each gradient of a query's weights; with
 * its sum of exponentials in least[i]. Both 0 past n. */
ACT_INLINE void query_sums(const struct head *h, const void *y, const float *sums, long first,
                           long n, const float *dy, float *least, float *off)
{
    const struct attention *a = h->a;
    float row[HEAD_VALUES];

    for (long i = 0; i < T; i++) {
        float sum = 0;

        least[i] = off[i] = 0;
        if (i >= n)
            continue;
        map_widen(row, y, a->dtype, (size_t)((h->row + first + i) * h->D + h->column), a->d);
#pragma omp simd reduction(+ : sum)
        for (long c = 0; c < a->d; c++)
            sum += row[c] * dy[i * h->pad + c];
        least[i] = sums[first + i];
        off[i] = sum;
    }
}

/* p = exp(s - least); ds = p (dp - off), in the places of s and dp. */
ACT_INLINE void weigh_again(float *s, float *dp, long n, const float *least, const float *off)
{
    for (long j = 0; j < n; j++)
#pragma omp simd
        for (long i = 0; i < T; i++) {
            const float p = act_exp(s[j * T + i] - least[i]);
            s[j * T + i] = p;
            dp[j * T + i] = p * (dp[j * T + i] - off[i]);
        }
}

/* n rows of a part's gradient, times factor. */
ACT_INLINE void put(const struct head *h, enum part part, long first, long n, float factor,
                    float *from, void *dqkv)
{
    for (long i = 0; i < n; i++) {
        float *row = from + i * h->pad;
#pragma omp simd
        for (long c = 0; c < h->a->d; c++)
            row[c] *= factor;
        map_narrow(dqkv, h->a->dtype, element(h, part, first + i), row, h->a->d);
    }
}

ACT_INLINE void backward_head(const struct attention *a, const void *qkv, const void *y,
                              const float *sums, const void *dy, void *dqkv, float *room, long at)
{
    const struct head h = head_of(a, qkv, at);
    const long pad = h.pad, size = T * pad;
    float *dk = room, *dv = dk + a->N * pad, *q = dv + a->N * pad, *q_turned = q + size;
    float *g = q_turned + size, *g_turned = g + size, *dq = g_turned + size;
    float *keys = dq + size, *values = keys + size, *s = values + size, *dp = s + T * T;
    float *least = dp + T * T, *off = least + T;

    memset(dk, 0, 2 * (size_t)(a->N * pad) * sizeof *dk);
    for (long first = 0; first < a->N; first += T) {
        const long n = tile_of(a, first);

        rows_of(&h, qkv, element(&h, QUERY, first), 3 * h.D, n, scale_of(a), q);
        rows_of(&h, dy, (size_t)((h.row + first) * h.D + h.column), h.D, n, 1, g);
        turn(&h, q, q_turned);
        turn(&h, g, g_turned);
        query_sums(&h, y, sums + at * a->N, first, n, g, least, off);
        memset(dq, 0, (size_t)size * sizeof *dq);
        for (long j = 0; j < a->N; j += T) {
            const long keys_n = tile_of(a, j);
            const struct view k = tile(&h, KEY, j, keys_n, keys);
            const struct view v = tile(&h, VALUE, j, keys_n, values);

            product(keys_n, T, a->d, k, q_turned, T, s, T, false);
            product(keys_n, T, a->d, v, g_turned, T, dp, T, false);
            weigh_again(s, dp, keys_n, least, off);
            product(keys_n, pad, T, (struct view){s, T, 1}, g, pad, dv + j * pad, pad, true);
            product(keys_n, pad, T, (struct view){dp, T, 1}, q, pad, dk + j * pad, pad, true);
            product(n, pad, keys_n, (struct view){dp, 1, T}, k.p, k.row, dq, pad, true);
        }
        put(&h, QUERY, first, n, scale_of(a), dq, dqkv);
    }
    put(&h, KEY, 0, a->N, 1, dk, dqkv);
    put(&h, VALUE, 0, a->N, 1, dv, dqkv);
}

/* ---- in both sets of instructions ---------------------------------------- */

WIDE static void forward_wide(const struct attention *a, const void *qkv, void *y, float *sums,
                              float *room, long unit)
{
    forward_tile(a, qkv, y, sums, room, unit);
}

static void forward_plain(const struct attention *a, const void *qkv, void *y, float *sums,
                          float *room, long unit)
{
    forward_tile(a, qkv, y, sums, room, unit);
}

WIDE static void backward_wide(const struct attention *a, const void *qkv, const void *y,
                               const float *sums, const void *dy, void *dqkv, float *room, long at)
{
    backward_head(a, qkv, y, sums, dy, dqkv, room, at);
}

static void backward_plain(const struct attention *a, const void *qkv, const void *y,
                           const float *sums, const void *dy, void *dqkv, float *room, long at)
{
    backward_head(a, qkv, y, sums, dy, dqkv, room, at);
}

/* Floats that one thread works with, whole lines of a cache. */
static size_t floats_of(const struct attention *a, bool backward)
{
    const long pad = (a->d + LANES - 1) / LANES * LANES;
    const size_t n = backward ? backward_floats(a->N, pad) : forward_floats(pad);

    return (n + LANES - 1) / LANES * LANES;
}

size_t attention_scratch_bytes(const struct attention *a, bool backward)
{
    return floats_of(a, backward) * (size_t)a->threads * sizeof(float);
}

static int thread_number(void)
{
#ifdef _OPENMP
    return omp_get_thread_num();
#else
    return 0;
#endif
}

void attention_forward(const struct attention *a, const void *qkv, void *y, float *sums,
                       void *scratch)
{
    const long units = a->B * a->heads * ((a->N + T - 1) / T);
    const bool wide = lanes_cpu(TENSOR_F32);

#pragma omp parallel for schedule(static) num_threads(a->threads)
    for (long u = 0; u < units; u++) {
        float *room = (float *)scratch + floats_of(a, false) * (size_t)thread_number();
        (wide ? forward_wide : forward_plain)(a, qkv, y, sums, room, u);
    }
}

void attention_backward(const struct attention *a, const void *qkv, const void *y,
                        const float *sums, const void *dy, void *dqkv, void *scratch)
{
    const bool wide = lanes_cpu(TENSOR_F32);

#pragma omp parallel for schedule(static) num_threads(a->threads)
    for (long at = 0; at < a->B * a->heads; at++) {
        float *room = (float *)scratch + floats_of(a, true) * (size_t)thread_number();
        (wide ? backward_wide : backward_plain)(a, qkv, y, sums, dy, dqkv, room, at);
    }
}
