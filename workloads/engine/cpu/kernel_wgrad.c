/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One row of outputs of 16 or 32 channels times the window's values that lie
 * in a row of the input (width x channels of the kernel, side by side once the
 * input is channels last): sums stay in registers over the row.
 *
 *     sum[b][t][16] += dy[b][w][16] x[w S C + t]      t < T, b < 2
 *
 * With T = 12 (3 wide, 4 channels) and two blocks that is 24 sums, 24
 * multiply-adds for 14 loads.
 *
 * Measured on one thread of a Sapphire Rapids (peak 172 GFLOP/s), 4 channels
 * to 32, 64^3, batch 4: see contrib/bench/kernel_bench.c.
 */
#include <config.h>

#include "workloads/engine/cpu/kernel_wgrad.h"

#include <string.h>

enum {
    LANES = 16, /* output channels in a block */
    WIDE = 12,  /* most window values that are summed at a time */
    BLOCKS = 2, /* blocks that are treated at a time */
    SPAN = 64,  /* outputs of a row that are treated at a time */
    PARTS = 32, /* whose sums are made apart */
    MANY = 8    /* input channels from which on oneDNN is fine */
};

typedef float lanes __attribute__((vector_size(LANES * sizeof(float))));

#if defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 32")
#endif

/* What is derived from the geometry. */
struct plan {
    long width;           /* values of a window row: K[2] C */
    long chunks;          /* of WIDE in it */
    long lines;           /* rows of a window: K[0] K[1] */
    long blocks, pairs;   /* of output channels */
    long side[3];         /* of the padded input */
    long line;            /* floats of a padded row, with slack behind it */
    size_t padded_floats; /* of the whole padded input */
    size_t sums;          /* floats of one part */
    long rows, parts;
};

static struct plan plan_of(const struct wgrad *g)
{
    struct plan p = {.width = g->K[2] * g->x.C, .lines = g->K[0] * g->K[1]};

    p.chunks = (p.width + WIDE - 1) / WIDE;
    p.blocks = (g->dy.C + LANES - 1) / LANES;
    p.pairs = (p.blocks + BLOCKS - 1) / BLOCKS;
    for (int i = 0; i < 3; i++)
        p.side[i] = (g->Q[i] - 1) * g->S[i] + g->K[i];
    p.line = p.side[2] * g->x.C;
    p.padded_floats =
        (size_t)(g->x.N * p.side[0] * p.side[1] * p.line + WIDE + LANES - 1) / LANES * LANES;
    p.sums = (size_t)p.pairs * (size_t)(p.lines * p.chunks * WIDE + 1) * BLOCKS * LANES;
    p.rows = g->x.N * g->Q[0] * g->Q[1];
    p.parts = p.rows < PARTS ? p.rows : PARTS;
    return p;
}

bool wgrad_suits(const struct wgrad *g)
{
    return g->x.C <= MANY && g->dy.C >= LANES / 2;
}

size_t wgrad_scratch_bytes(const struct wgrad *g)
{
    struct plan p = plan_of(g);

    return (p.padded_floats + (size_t)p.parts * p.sums) * sizeof(float);
}

/* ---- packing ---------------------------------------------------------- */

/* One row of the input, channels last and with its padding. */
static void pack_row(const struct wgrad *g, const struct plan *p, const void *x, float *to, long n,
                     long z, long y)
{
    long iz = z - g->P[0], iy = y - g->P[1], C = g->x.C;

    memset(to, 0, (size_t)p->line * sizeof *to);
    if (iz < 0 || iz >= g->I[0] || iy < 0 || iy >= g->I[1])
        return;
    long first = (iz * g->I[1] + iy) * g->I[2];
    long end = p->side[2] - g->P[2] < g->I[2] ? p->side[2] - g->P[2] : g->I[2];
    if (g->x.b == C && end > 0) {
        map_load(to + g->P[2] * C, x, g->x.dtype, map_index(&g->x, n, 0, first), end * C);
        return;
    }
    for (long c = 0; c < C; c++) {
        const size_t at = map_index(&g->x, n, c, first), step = (size_t)g->x.b;
        float *t = to + g->P[2] * C + c;

        if (g->x.dtype == TENSOR_F32)
            for (long i = 0; i < end; i++)
                t[i * C] = ((const float *)x)[at + (size_t)i * step];
        else
            for (long i = 0; i < end; i++)
                t[i * C] = bf16_to(((const uint16_t *)x)[at + (size_t)i * step]);
    }
}

static void pack_input(const struct wgrad *g, const struct plan *p, const void *x, float *to)
{
#pragma omp parallel for collapse(2) schedule(static)
    for (long nz = 0; nz < g->x.N * p->side[0]; nz++)
        for (long y = 0; y < p->side[1]; y++)
            pack_row(g, p, x, to + (nz * p->side[1] + y) * p->line, nz / p->side[0],
                     nz % p->side[0], y);
    memset(to + g->x.N * p->side[0] * p->side[1] * p->line, 0,
           (p->padded_floats - (size_t)(g->x.N * p->side[0] * p->side[1] * p->line)) * sizeof *to);
}

/* n outputs from place `at` on of one block of channels, [n][16]: where they lie
 * already as wanted, there; else copied, as many channels at a time as lie side by
 * side. */
static inline __attribute__((always_inline)) const float *pack_block(const struct wgrad *g,
                                                                     const void *dy, long row_n,
                                                                     long block, long at, long n,
                                                                     float *copy)
{
    const struct map *m = &g->dy;
    const long first = block * LANES, end = first + LANES < m->C ? first + LANES : m->C;

    if (m->b == LANES && block < m->B) {
        size_t from = map_index(m, row_n, first, at);

        if (m->dtype == TENSOR_F32)
            return (const float *)dy + from;
        map_widen(copy, dy, m->dtype, from, n * LANES);
        return copy;
    }
    if (m->b % LANES == 0 && first + LANES <= m->C) { /* a part of a wider block */
        for (long i = 0; i < n; i++)
            map_widen(copy + i * LANES, dy, m->dtype, map_index(m, row_n, first, at + i), LANES);
        return copy;
    }
    memset(copy, 0, (size_t)(n * LANES) * sizeof *copy);
    for (long c = first, run; c < end; c += run) {
        run = m->b - c % m->b < end - c ? m->b - c % m->b : end - c;
        for (long i = 0; i < n; i++)
            map_widen(copy + i * LANES + c - first, dy, m->dtype, map_index(m, row_n, c, at + i),
                      run);
    }
    return copy;
}

/* ---- sums ------------------------------------------------------------- */

/* The shape above; T and B are constants where it is inlined. */
static inline __attribute__((always_inline)) void
sum_row(float *sum, const float *const dy[BLOCKS], const float *x, long n, long step, int T, int B)
{
    lanes s[BLOCKS * WIDE];

    UNROLL
    for (int i = 0; i < T * B; i++)
        memcpy(&s[i], sum + i * LANES, sizeof s[i]);
    for (long w = 0; w < n; w++, x += step) {
        lanes d[BLOCKS];

        UNROLL
        for (int b = 0; b < B; b++)
            memcpy(&d[b], dy[b] + w * LANES, sizeof d[b]);
        UNROLL
        for (int t = 0; t < T; t++) {
            UNROLL
            for (int b = 0; b < B; b++)
                s[t * B + b] += d[b] * x[t];
        }
    }
    UNROLL
    for (int i = 0; i < T * B; i++)
        memcpy(sum + i * LANES, &s[i], sizeof s[i]);
}

/* db[b][16] += dy[b][w][16] */
static inline __attribute__((always_inline)) void sum_bias(float *sum, const float *dy, long n)
{
    lanes s;

    memcpy(&s, sum, sizeof s);
    for (long w = 0; w < n; w++) {
        lanes d;

        memcpy(&d, dy + w * LANES, sizeof d);
        s += d;
    }
    memcpy(sum, &s, sizeof s);
}

/* A chunk of T values, a multiple of 3 up to WIDE; what lies behind the window
 * is summed into places that nobody reads. `tile`: how many sums fit the
 * registers. */
static inline __attribute__((always_inline)) void sum_chunk(float *sum,
                                                            const float *const dy[BLOCKS],
                                                            const float *x, long n, long step,
                                                            long T, long B, bool roomy)
{
    if (!roomy) {
        for (long t = 0; t < T; t += 3)
            for (long b = 0; b < B; b++)
                for (long k = t; k < t + 3; k++)
                    sum_row(sum + (k * B + b) * LANES, dy + b, x + k, n, step, 1, 1);
        return;
    }
    if (B == 2)
        switch ((T + 2) / 3) {
        case 1:
            sum_row(sum, dy, x, n, step, 3, 2);
            return;
        case 2:
            sum_row(sum, dy, x, n, step, 6, 2);
            return;
        case 3:
            sum_row(sum, dy, x, n, step, 9, 2);
            return;
        default:
            sum_row(sum, dy, x, n, step, 12, 2);
            return;
        }
    if (T <= 6)
        sum_row(sum, dy, x, n, step, 6, 1);
    else
        sum_row(sum, dy, x, n, step, 12, 1);
}

/* All rows of one part. */
static inline __attribute__((always_inline)) void sum_part(const struct wgrad *g,
                                                           const struct plan *p, const float *x,
                                                           const void *dy, float *sums, long part,
                                                           bool roomy)
{
    float copy[BLOCKS][SPAN * LANES] __attribute__((aligned(64)));
    long from = p->rows * part / p->parts, to = p->rows * (part + 1) / p->parts;
    long step = g->S[2] * g->x.C;

    memset(sums, 0, p->sums * sizeof *sums);
    for (long row = from; row < to; row++) {
        long q1 = row % g->Q[1], q0 = row / g->Q[1] % g->Q[0], n = row / g->Q[1] / g->Q[0];
        float *sum = sums;

        for (long pair = 0; pair < p->pairs; pair++) {
            long B = p->blocks - pair * BLOCKS < BLOCKS ? p->blocks - pair * BLOCKS : BLOCKS;
            float *next = sum + (p->lines * p->chunks * WIDE + 1) * BLOCKS * LANES;

            for (long at = 0; at < g->Q[2]; at += SPAN) {
                long count = g->Q[2] - at < SPAN ? g->Q[2] - at : SPAN;
                const float *d[BLOCKS] = {NULL};
                float *s = sum;

                for (long b = 0; b < B; b++) {
                    d[b] = pack_block(g, dy, n, pair * BLOCKS + b,
                                      (q0 * g->Q[1] + q1) * g->Q[2] + at, count, copy[b]);
                    sum_bias(next - (BLOCKS - b) * LANES, d[b], count);
                }
                for (long k = 0; k < p->lines; k++) {
                    long z = q0 * g->S[0] + k / g->K[1], y = q1 * g->S[1] + k % g->K[1];
                    const float *line =
                        x + ((n * p->side[0] + z) * p->side[1] + y) * p->line + at * step;

                    for (long c = 0; c < p->chunks; c++, s += WIDE * BLOCKS * LANES) {
                        long T = p->width - c * WIDE < WIDE ? p->width - c * WIDE : WIDE;

                        sum_chunk(s, d, line + c * WIDE, count, step, T, B, roomy);
                    }
                }
            }
            sum = next;
        }
    }
}

typedef void part_fn(const struct wgrad *g, const struct plan *p, const float *x, const void *dy,
                     float *sums, long part);

static void part_plain(const struct wgrad *g, const struct plan *p, const float *x, const void *dy,
                       float *sums, long part)
{
    sum_part(g, p, x, dy, sums, part, false);
}

#if defined(__x86_64__)
__attribute__((target("avx2,fma"))) static void part_avx2(const struct wgrad *g,
                                                          const struct plan *p, const float *x,
                                                          const void *dy, float *sums, long part)
{
    sum_part(g, p, x, dy, sums, part, false);
}

__attribute__((target("avx512f,avx512vl,avx512bw"))) static void
part_avx512(const struct wgrad *g, const struct plan *p, const float *x, const void *dy,
            float *sums, long part)
{
    sum_part(g, p, x, dy, sums, part, true);
}
#endif

static const struct level {
    const char *name;
    part_fn *run;
} levels[] = {
#if defined(__x86_64__)
    {"avx512", part_avx512},
    {"avx2", part_avx2},
#endif
    {"plain", part_plain},
};

static bool has_level(const struct level *l)
{
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (l->run == part_avx512)
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
               __builtin_cpu_supports("avx512bw");
    if (l->run == part_avx2)
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#endif
    return l->run == part_plain;
}

/* The i-th of those that this CPU has; NULL past the end. */
static const struct level *level_at(int i)
{
    for (size_t k = 0; k < sizeof levels / sizeof levels[0]; k++)
        if (has_level(&levels[k]) && i-- == 0)
            return &levels[k];
    return NULL;
}

const char *wgrad_level(int i)
{
    const struct level *l = level_at(i);

    return l ? l->name : NULL;
}

/* ---- all -------------------------------------------------------------- */

/* Adds the parts in order and writes where the parameters' gradients lie. */
static void collect(const struct wgrad *g, const struct plan *p, const float *sums, bool add_w,
                    float *dw, bool add_b, float *db)
{
    long taps = p->lines * g->K[2], C = g->x.C;
    size_t pair_floats = (size_t)(p->lines * p->chunks * WIDE + 1) * BLOCKS * LANES;

#pragma omp parallel for schedule(static)
    for (long o = 0; o < g->dy.C; o++) {
        long block = o / LANES, B = p->blocks - block / BLOCKS * BLOCKS;
        const float *mine = sums + (size_t)(block / BLOCKS) * pair_floats;

        B = B < BLOCKS ? B : BLOCKS;
        for (long i = 0; i < C * taps; i++) {
            long c = i / taps, k = i % taps / g->K[2], t = i % g->K[2] * C + c;
            size_t at = (size_t)((k * p->chunks + t / WIDE) * WIDE * BLOCKS * LANES +
                                 (t % WIDE * B + block % BLOCKS) * LANES + o % LANES);
            float sum = add_w ? dw[o * C * taps + i] : 0;

            for (long part = 0; part < p->parts; part++)
                sum += mine[(size_t)part * p->sums + at];
            dw[o * C * taps + i] = sum;
        }
        if (!db)
            continue;
        const float *bias = mine + pair_floats - (BLOCKS - block % BLOCKS) * LANES + o % LANES;
        float sum = add_b ? db[o] : 0;
        for (long part = 0; part < p->parts; part++)
            sum += bias[(size_t)part * p->sums];
        db[o] = sum;
    }
}

void wgrad_run(int level, const struct wgrad *g, const void *x, const void *dy, bool add_w,
               float *dw, bool add_b, float *db, void *scratch)
{
    struct plan p = plan_of(g);
    float *padded = scratch, *sums = padded + p.padded_floats;
    part_fn *part_sum = level_at(level)->run;

    pack_input(g, &p, x, padded);
#pragma omp parallel for schedule(static)
    for (long part = 0; part < p.parts; part++)
        part_sum(g, &p, padded, dy, sums + (size_t)part * p.sums, part);
    collect(g, &p, sums, add_w, dw, add_b, db);
}
