/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/engine/cpu/kernel_tokens.h"

#include <math.h>

#include "workloads/engine/cpu/kernel_act.h"
#include "workloads/engine/cpu/kernel_lanes.h"

#if defined(__x86_64__)
#define WIDE __attribute__((target("avx512f,avx512vl,avx512bw,avx512dq,fma")))
#else
#define WIDE
#define lanes_cpu(dtype) false
#endif

/* Values that are converted at a time: stay in the first-level cache; columns of a sum
 * over rows that one thread takes. */
enum { PIECE = 512, COLUMNS = 32 };

/* What a kernel is given; each reads what it needs. */
struct job {
    const struct tokens *t;
    size_t count; /* GELU: values in all */
    const void *x, *dy;
    void *to;
    const float *gamma, *beta;
    const float *at;
    float *made, *dgamma, *dbeta;
    float eps;
    bool add;
};

typedef void unit(const struct job *j, long i);

/* Units 0 .. n - 1, in AVX-512's instructions where this CPU has them. */
static void each(const struct job *j, long n, unit *plain, unit *wide)
{
    unit *const run = lanes_cpu(TENSOR_F32) ? wide : plain;

#pragma omp parallel for schedule(static)
    for (long i = 0; i < n; i++)
        run(j, i);
}

/* name() by both sets of instructions. */
#define BOTH(name)                                                                                 \
    WIDE static void name##_wide(const struct job *j, long i)                                      \
    {                                                                                              \
        name(j, i);                                                                                \
    }                                                                                              \
    static void name##_plain(const struct job *j, long i)                                          \
    {                                                                                              \
        name(j, i);                                                                                \
    }

static long least(long a, long b)
{
    return a < b ? a : b;
}

/* ---- layer norm: a unit is a row --------------------------------------- */

ACT_INLINE void norm_row(const struct job *j, long r)
{
    const long D = j->t->D;
    const size_t row = (size_t)(r * D);
    float v[PIECE], sum = 0, squares = 0;

    /* 1: the mean */
    for (long d = 0; d < D; d += PIECE) {
        const long n = D - d < PIECE ? D - d : PIECE;
        map_widen(v, j->x, j->t->dtype, row + (size_t)d, n);
#pragma omp simd reduction(+ : sum)
        for (long i = 0; i < n; i++)
            sum += v[i];
    }
    const float mean = sum / (float)D;
    /* 2: the variance */
    for (long d = 0; d < D; d += PIECE) {
        const long n = D - d < PIECE ? D - d : PIECE;
        map_widen(v, j->x, j->t->dtype, row + (size_t)d, n);
#pragma omp simd reduction(+ : squares)
        for (long i = 0; i < n; i++)
            squares += (v[i] - mean) * (v[i] - mean);
    }
    const float inv = 1 / sqrtf(squares / (float)D + j->eps);
    j->made[2 * r] = mean;
    j->made[2 * r + 1] = inv;
    /* 3: the row */
    for (long d = 0; d < D; d += PIECE) {
        const long n = D - d < PIECE ? D - d : PIECE;
        map_widen(v, j->x, j->t->dtype, row + (size_t)d, n);
#pragma omp simd
        for (long i = 0; i < n; i++)
            v[i] = j->gamma[d + i] * ((v[i] - mean) * inv) + j->beta[d + i];
        map_narrow(j->to, j->t->dtype, row + (size_t)d, v, n);
    }
}
BOTH(norm_row)

/* dx = inv (g - mean of g - x^ mean of g x^), g = gamma dy */
ACT_INLINE void norm_data_row(const struct job *j, long r)
{
    const long D = j->t->D;
    const size_t row = (size_t)(r * D);
    const float mean = j->at[2 * r], inv = j->at[2 * r + 1];
    float v[PIECE], g[PIECE], sum = 0, along = 0;

    for (int pass = 0; pass < 2; pass++) {
        const float off = sum / (float)D, by = along / (float)D;
        for (long d = 0; d < D; d += PIECE) {
            const long n = D - d < PIECE ? D - d : PIECE;
            map_widen(v, j->x, j->t->dtype, row + (size_t)d, n);
            map_widen(g, j->dy, j->t->dtype, row + (size_t)d, n);
#pragma omp simd
            for (long i = 0; i < n; i++) {
                v[i] = (v[i] - mean) * inv;
                g[i] *= j->gamma[d + i];
            }
            if (pass == 1) {
#pragma omp simd
                for (long i = 0; i < n; i++)
                    v[i] = inv * (g[i] - off - v[i] * by);
                map_narrow(j->to, j->t->dtype, row + (size_t)d, v, n);
                continue;
            }
#pragma omp simd reduction(+ : sum, along)
            for (long i = 0; i < n; i++) {
                sum += g[i];
                along += g[i] * v[i];
            }
        }
    }
}
BOTH(norm_data_row)

/* a unit is a block of columns */
ACT_INLINE void norm_weights_columns(const struct job *j, long block)
{
    const long D = j->t->D, d = block * COLUMNS, n = D - d < COLUMNS ? D - d : COLUMNS;
    double along[COLUMNS] = {0}, sum[COLUMNS] = {0};
    float v[COLUMNS], g[COLUMNS];

    for (long r = 0; r < j->t->R; r++) {
        const float mean = j->at[2 * r], inv = j->at[2 * r + 1];
        map_widen(v, j->x, j->t->dtype, (size_t)(r * D + d), n);
        map_widen(g, j->dy, j->t->dtype, (size_t)(r * D + d), n);
#pragma omp simd
        for (long i = 0; i < n; i++) {
            along[i] += (double)(g[i] * ((v[i] - mean) * inv));
            sum[i] += (double)g[i];
        }
    }
    for (long i = 0; i < n; i++) {
        j->dgamma[d + i] = (float)((j->add ? (double)j->dgamma[d + i] : 0) + along[i]);
        j->dbeta[d + i] = (float)((j->add ? (double)j->dbeta[d + i] : 0) + sum[i]);
    }
}
BOTH(norm_weights_columns)

void tokens_norm_forward(const struct tokens *t, const float *gamma, const float *beta, float eps,
                         const void *x, float *at, void *y)
{
    const struct job j = {
        .t = t, .x = x, .to = y, .gamma = gamma, .beta = beta, .made = at, .eps = eps};

    each(&j, t->R, norm_row_plain, norm_row_wide);
}

void tokens_norm_data(const struct tokens *t, const float *gamma, const float *at, const void *x,
                      const void *dy, void *dx)
{
    const struct job j = {.t = t, .x = x, .dy = dy, .to = dx, .gamma = gamma, .at = at};

    each(&j, t->R, norm_data_row_plain, norm_data_row_wide);
}

void tokens_norm_weights(const struct tokens *t, const float *at, const void *x, const void *dy,
                         bool add, float *dgamma, float *dbeta)
{
    const struct job j = {
        .t = t, .x = x, .dy = dy, .at = at, .dgamma = dgamma, .dbeta = dbeta, .add = add};

    each(&j, (t->D + COLUMNS - 1) / COLUMNS, norm_weights_columns_plain, norm_weights_columns_wide);
}

/* ---- positions -------------------------------------------------------- */

void tokens_add(const struct tokens *t, long N, const float *p, const void *x, void *y)
{
#pragma omp parallel for schedule(static)
    for (long r = 0; r < t->R; r++) {
        const float *own = p + r % N * t->D;
        float v[PIECE];

        for (long d = 0; d < t->D; d += PIECE) {
            const long n = least(PIECE, t->D - d);
            map_widen(v, x, t->dtype, (size_t)(r * t->D + d), n);
#pragma omp simd
            for (long i = 0; i < n; i++)
                v[i] += own[d + i];
            map_narrow(y, t->dtype, (size_t)(r * t->D + d), v, n);
        }
    }
}

void tokens_add_grad(const struct tokens *t, long N, const void *dy, bool add, float *dp)
{
#pragma omp parallel for schedule(static)
    for (long k = 0; k < N; k++)
        for (long d = 0; d < t->D; d += PIECE) {
            const long n = least(PIECE, t->D - d);
            double sum[PIECE] = {0};
            float v[PIECE];

            for (long r = k; r < t->R; r += N) {
                map_widen(v, dy, t->dtype, (size_t)(r * t->D + d), n);
                for (long i = 0; i < n; i++)
                    sum[i] += (double)v[i];
            }
            for (long i = 0; i < n; i++) {
                float *to = &dp[k * t->D + d + i];
                *to = (float)((add ? (double)*to : 0) + sum[i]);
            }
        }
}

/* ---- GELU: a unit is a piece of values --------------------------------- */

ACT_INLINE void gelu_piece(const struct job *j, long i)
{
    const size_t from = (size_t)i * PIECE;
    const long n = j->count - from < PIECE ? (long)(j->count - from) : PIECE;
    float v[PIECE];

    map_widen(v, j->x, j->t->dtype, from, n);
#pragma omp simd
    for (long k = 0; k < n; k++) {
        float density;
        v[k] *= act_normal(v[k], &density);
    }
    map_narrow(j->to, j->t->dtype, from, v, n);
}
BOTH(gelu_piece)

ACT_INLINE void gelu_grad_piece(const struct job *j, long i)
{
    const size_t from = (size_t)i * PIECE;
    const long n = j->count - from < PIECE ? (long)(j->count - from) : PIECE;
    float v[PIECE], g[PIECE];

    map_widen(v, j->x, j->t->dtype, from, n);
    map_widen(g, j->dy, j->t->dtype, from, n);
#pragma omp simd
    for (long k = 0; k < n; k++) {
        float density;
        const float below = act_normal(v[k], &density);
        g[k] *= below + v[k] * density;
    }
    map_narrow(j->to, j->t->dtype, from, g, n);
}
BOTH(gelu_grad_piece)

static long pieces(size_t count)
{
    return (long)((count + PIECE - 1) / PIECE);
}

void tokens_gelu(enum tensor_dtype dtype, const void *x, void *y, size_t count)
{
    const struct tokens t = {.dtype = dtype};
    const struct job j = {.t = &t, .count = count, .x = x, .to = y};

    each(&j, pieces(count), gelu_piece_plain, gelu_piece_wide);
}

void tokens_gelu_grad(enum tensor_dtype dtype, const void *x, const void *dy, void *dx,
                      size_t count)
{
    const struct tokens t = {.dtype = dtype};
    const struct job j = {.t = &t, .count = count, .x = x, .dy = dy, .to = dx};

    each(&j, pieces(count), gelu_grad_piece_plain, gelu_grad_piece_wide);
}

/* ---- patches ----------------------------------------------------------- */

/* Row r of the patches and its counterpart in the map; the bits move as they are. */
static void move_row(const struct patches *s, long r, bool gather, const char *from, char *to)
{
    const struct map *m = &s->map;
    const long across = s->W / s->p, N = s->H / s->p * across, row = m->C * s->p * s->p;
    const long b = r / N, y = r % N / across * s->p, x = r % N % across * s->p;
    const size_t bytes = dtype_bytes(m->dtype), step = (size_t)m->b * bytes;
    const size_t side = m->b == 1 ? (size_t)s->p : 1; /* values that lie together in both */

    for (long c = 0; c < m->C; c++)
        for (long i = 0; i < s->p; i++) {
            const size_t in_map = map_index(m, b, c, (y + i) * s->W + x) * bytes;
            const size_t in_row = (size_t)(r * row + (c * s->p + i) * s->p) * bytes;

            for (size_t k = 0; k < (size_t)s->p; k += side) {
                const size_t a = in_map + k * step, z = in_row + k * bytes;
                memcpy(to + (gather ? z : a), from + (gather ? a : z), side * bytes);
            }
        }
}

static void move_rows(const struct patches *s, bool gather, const void *from, void *to)
{
    const long R = s->map.N * (s->H / s->p) * (s->W / s->p);

#pragma omp parallel for schedule(static)
    for (long r = 0; r < R; r++)
        move_row(s, r, gather, from, to);
}

void patches_gather(const struct patches *s, const void *map, void *rows)
{
    move_rows(s, true, map, rows);
}

void patches_scatter(const struct patches *s, const void *rows, void *map)
{
    move_rows(s, false, rows, map);
}
