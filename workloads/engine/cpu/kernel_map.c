/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/engine/cpu/kernel_map.h"

#include <string.h>

#include "workloads/engine/cpu/kernel_act.h"
#include "workloads/engine/cpu/kernel_lanes.h"

/* Values that are converted at a time: stay in the first-level cache. */
enum { PIECE = 512 };

void map_load(float *to, const void *p, enum tensor_dtype dtype, size_t at, long n)
{
    map_widen(to, p, dtype, at, n);
}

void map_store(void *p, enum tensor_dtype dtype, size_t at, const float *from, long n)
{
    map_narrow(p, dtype, at, from, n);
}

/* ---- the same for all values ------------------------------------------ */

/* n values from element `at` on, in the instructions of whoever inlines it. */
ACT_INLINE void act_values(enum act act, float slope, enum tensor_dtype dtype, const void *x,
                           void *y, size_t at, long n)
{
    float v[PIECE];

    map_widen(v, x, dtype, at, n);
    act_piece(act, slope, v, n);
    map_narrow(y, dtype, at, v, n);
}

ACT_INLINE void act_grad_values(enum act act, float slope, enum tensor_dtype dtype, const void *y,
                                const void *dy, void *dx, size_t at, long n)
{
    float v[PIECE], d[PIECE];

    map_widen(v, y, dtype, at, n);
    map_widen(d, dy, dtype, at, n);
    act_grad_piece(act, slope, v, d, n);
    map_narrow(dx, dtype, at, d, n);
}

#if defined(__x86_64__)
/* Without those of bfloat16, which no compiler makes of a loop. */
#define WIDE __attribute__((target("avx512f,avx512vl,avx512bw,avx512dq,fma")))

WIDE static void act_wide(enum act act, float slope, enum tensor_dtype dtype, const void *x,
                          void *y, size_t at, long n)
{
    act_values(act, slope, dtype, x, y, at, n);
}

WIDE static void act_grad_wide(enum act act, float slope, enum tensor_dtype dtype, const void *y,
                               const void *dy, void *dx, size_t at, long n)
{
    act_grad_values(act, slope, dtype, y, dy, dx, at, n);
}

static bool wide(void)
{
    return lanes_cpu(TENSOR_F32);
}
#else
#define act_wide      act_values
#define act_grad_wide act_grad_values

static bool wide(void)
{
    return false;
}
#endif

static long pieces(size_t count)
{
    return (long)((count + PIECE - 1) / PIECE);
}

static long piece_length(size_t count, long i)
{
    size_t left = count - (size_t)i * PIECE;

    return (long)(left < PIECE ? left : PIECE);
}

void map_act(enum act act, float slope, enum tensor_dtype dtype, const void *x, void *y,
             size_t count)
{
    const bool fast = wide();

#pragma omp parallel for schedule(static)
    for (long i = 0; i < pieces(count); i++) {
        const size_t at = (size_t)i * PIECE;

        if (fast)
            act_wide(act, slope, dtype, x, y, at, piece_length(count, i));
        else
            act_values(act, slope, dtype, x, y, at, piece_length(count, i));
    }
}

void map_act_grad(enum act act, float slope, enum tensor_dtype dtype, const void *y, const void *dy,
                  void *dx, size_t count)
{
    const bool fast = wide();

#pragma omp parallel for schedule(static)
    for (long i = 0; i < pieces(count); i++) {
        const size_t at = (size_t)i * PIECE;

        if (fast)
            act_grad_wide(act, slope, dtype, y, dy, dx, at, piece_length(count, i));
        else
            act_grad_values(act, slope, dtype, y, dy, dx, at, piece_length(count, i));
    }
}

void map_axpy(float factor, enum tensor_dtype dtype, const void *x, const void *z, void *y,
              size_t count)
{
#pragma omp parallel for schedule(static)
    for (long i = 0; i < pieces(count); i++) {
        float v[PIECE], w[PIECE];
        long n = piece_length(count, i);

        map_load(v, x, dtype, (size_t)i * PIECE, n);
        if (z)
            map_load(w, z, dtype, (size_t)i * PIECE, n);
        else
            memset(w, 0, sizeof w);
#pragma omp simd
        for (long k = 0; k < n; k++)
            v[k] = factor * v[k] + w[k];
        map_store(y, dtype, (size_t)i * PIECE, v, n);
    }
}

void map_mul(enum tensor_dtype dtype, const void *x, const void *z, void *y, size_t count)
{
#pragma omp parallel for schedule(static)
    for (long i = 0; i < pieces(count); i++) {
        float v[PIECE], w[PIECE];
        long n = piece_length(count, i);

        map_load(v, x, dtype, (size_t)i * PIECE, n);
        map_load(w, z, dtype, (size_t)i * PIECE, n);
#pragma omp simd
        for (long k = 0; k < n; k++)
            v[k] *= w[k];
        map_store(y, dtype, (size_t)i * PIECE, v, n);
    }
}

/* ---- by place --------------------------------------------------------- */

/* The mask is a function of the element's number in its sample, row major and
 * channels first, whatever the layout: four elements share one Philox block. */
void map_dropout(const struct map *m, const struct step_block *step, const struct node *n,
                 bool train, const void *x, void *y)
{
    float keep = train ? 1 / (1 - n->factor) : 1;
    uint32_t limit = train ? dropout_limit(n->factor) : 0;

    if (y != x)
        memset(y, 0, map_count(m) * dtype_bytes(m->dtype));
#pragma omp parallel for collapse(2) schedule(static)
    for (long r = 0; r < m->N; r++)
        for (long c = 0; c < m->C; c++) {
            uint32_t words[4] = {0};

            for (long s = 0; s < m->S; s++) {
                uint32_t element = (uint32_t)(c * m->S + s);
                size_t at = map_index(m, r, c, s);
                float v;

                if (s == 0 || element % 4 == 0)
                    dropout_words(step, n, r, element, words);
                map_load(&v, x, m->dtype, at, 1);
                v = words[element % 4] >= limit ? v * keep : 0;
                map_store(y, m->dtype, at, &v, 1);
            }
        }
}

void map_channels(const struct map *from, const void *x, long a, const struct map *to, void *y,
                  long b, long count)
{
    size_t bytes = dtype_bytes(to->dtype);
    long run = 1; /* channels that lie side by side in both */

    while (run < count && a % from->b + run < from->b && b % to->b + run < to->b &&
           from->b % (2 * run) == 0 && to->b % (2 * run) == 0 && a % (2 * run) == 0 &&
           b % (2 * run) == 0 && count % (2 * run) == 0)
        run *= 2;
    /* Whole blocks: the places of one lie in a row. */
    bool whole = from->b == run && to->b == run;
    size_t piece = (size_t)run * bytes * (whole ? (size_t)to->S : 1);

#pragma omp parallel for collapse(2) schedule(static)
    for (long n = 0; n < to->N; n++)
        for (long c = 0; c < count; c += run)
            for (long s = 0; s < (whole ? 1 : to->S); s++)
                memcpy((char *)y + map_index(to, n, b + c, s) * bytes,
                       (const char *)x + map_index(from, n, a + c, s) * bytes, piece);
}

void map_pad(const struct map *m, void *y)
{
    size_t bytes = dtype_bytes(m->dtype);
    long used = m->C % m->b;

    if (m->B * m->b == m->C)
        return;
#pragma omp parallel for collapse(2) schedule(static)
    for (long n = 0; n < m->N; n++)
        for (long s = 0; s < m->S; s++)
            memset((char *)y +
                       (((size_t)(n * m->B + m->B - 1) * (size_t)m->S + (size_t)s) * (size_t)m->b +
                        (size_t)used) *
                           bytes,
                   0, (size_t)(m->b - used) * bytes);
}

/* n values `step` apart, n <= PIECE, to a row of the tensor. */
static void feed_plain(const struct map *m, void *y, size_t to, const float *x, long step, long n)
{
    float v[PIECE];

    if (step == 1) {
        map_store(y, m->dtype, to, x, n);
        return;
    }
    for (long i = 0; i < n; i++)
        v[i] = x[i * step];
    map_store(y, m->dtype, to, v, n);
}

void map_feed(const struct map *m, void *y, const float *data, enum host_layout layout, long rows)
{
    bool last = layout == CHANNELS_LAST;
    long step = last ? m->C : 1, plane = last ? 1 : m->S;
    bool same = m->b == (last ? m->C : 1) && m->B * m->b == m->C;

#pragma omp parallel for collapse(2) schedule(static)
    for (long n = 0; n < m->N; n++)
        for (long at = 0; at < m->S; at += PIECE) {
            long end = at + PIECE < m->S ? at + PIECE : m->S;
            const float *x = n < rows ? data + n * m->C * m->S : NULL;

            if (same && last && x) { /* the same order: S x C */
                map_store(y, m->dtype, map_index(m, n, 0, at), x + at * m->C, (end - at) * m->C);
                continue;
            }
            if (m->b == 1 && x) {
                for (long c = 0; c < m->C; c++)
                    feed_plain(m, y, map_index(m, n, c, at), x + c * plane + at * step, step,
                               end - at);
                continue;
            }
            for (long block = 0; block < m->B; block++)
                for (long s = at; s < end; s++)
                    for (long k = 0; k < m->b; k++) {
                        long c = block * m->b + k;
                        float v = x && c < m->C ? x[c * plane + s * step] : 0;

                        map_store(y, m->dtype, map_index(m, n, c, s), &v, 1);
                    }
        }
}

/* ---- bias of a map ----------------------------------------------------- */

/* Channels from c on that lie side by side, `real` of them not padding; `at`:
 * those of the first place. */
struct strip {
    long c, real;
    size_t at;
};

enum { STRIP = 16 };

static long strips_of(const struct map *m)
{
    return m->B * ((m->b + STRIP - 1) / STRIP);
}

static struct strip strip_at(const struct map *m, long n, long i)
{
    long per_block = (m->b + STRIP - 1) / STRIP, lane = i % per_block * STRIP;
    long block = i / per_block, c = block * m->b + lane;
    long wide = m->b - lane < STRIP ? m->b - lane : STRIP;

    return (struct strip){c, m->C - c < wide ? m->C - c : wide,
                          (size_t)((n * m->B + block) * m->S * m->b + lane)};
}

void map_bias(const struct map *m, const float *bias, enum act act, float slope, void *y)
{
#pragma omp parallel for collapse(2) schedule(static)
    for (long n = 0; n < m->N; n++)
        for (long i = 0; i < strips_of(m); i++) {
            struct strip s = strip_at(m, n, i);

            for (long p = 0; p < m->S && s.real > 0; p++) {
                size_t at = s.at + (size_t)(p * m->b);
                float v[STRIP];

                map_load(v, y, m->dtype, at, s.real);
#pragma omp simd
                for (long c = 0; c < s.real; c++)
                    v[c] += bias ? bias[s.c + c] : 0;
                if (act != ACT_NONE)
                    act_piece(act, slope, v, s.real);
                map_store(y, m->dtype, at, v, s.real);
            }
        }
}

void map_bias_sums(const struct map *m, const void *dy, bool add, float *db, double *scratch)
{
#pragma omp parallel for collapse(2) schedule(static)
    for (long n = 0; n < m->N; n++)
        for (long i = 0; i < strips_of(m); i++) {
            struct strip s = strip_at(m, n, i);
            double sum[STRIP] = {0};

            for (long p = 0; p < m->S && s.real > 0; p++) {
                float v[STRIP];

                map_load(v, dy, m->dtype, s.at + (size_t)(p * m->b), s.real);
#pragma omp simd
                for (long c = 0; c < s.real; c++)
                    sum[c] += (double)v[c];
            }
            for (long c = 0; c < s.real; c++)
                scratch[n * m->C + s.c + c] = sum[c];
        }
    for (long c = 0; c < m->C; c++) {
        double sum = add ? (double)db[c] : 0;

        for (long n = 0; n < m->N; n++)
            sum += scratch[n * m->C + c];
        db[c] = (float)sum;
    }
}

void map_bias_grad(enum tensor_dtype dtype, const void *dy, long rows, long C, bool add, float *db)
{
    enum { COLUMNS = 32 }; /* side by side: two lines of a cache */

#pragma omp parallel for schedule(static)
    for (long c = 0; c < C; c += COLUMNS) {
        const long n = c + COLUMNS < C ? COLUMNS : C - c;
        double sum[COLUMNS] = {0};
        float v[COLUMNS];

        for (long k = 0; k < n; k++)
            sum[k] = add ? (double)db[c + k] : 0;
        for (long r = 0; r < rows; r++) {
            map_widen(v, dy, dtype, (size_t)(r * C + c), n);
            for (long k = 0; k < n; k++)
                sum[k] += (double)v[k];
        }
        for (long k = 0; k < n; k++)
            db[c + k] = (float)sum[k];
    }
}
