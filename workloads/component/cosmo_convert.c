/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/component/cosmo_convert.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "workloads/philox.h"

/* A stream of the seed that meets no other. */
#define SYMMETRY_KEY UINT64_C(0x73796d6d65747279)

enum {
    AXES = CONVERT_AXES,
    C = COSMO_CHANNELS,
    COUNTS = INT16_MAX + 1,
    TILE = 8,     /* cells of the output's rows that are made at a time, and ... */
    TILE_FAST = 8 /* ... along the axis whose cells are neighbours in the file,
                   * when that is another: both sides then stay in the cache */
};

/* n cells of a row of the output: at + o[k] are their places in the planes, in
 * values; x is where the first one's channels go. */
typedef void row_fn(const struct convert *c, const void *planes, long at, const long *o, long n,
                    float *x);

static void row_counts(const struct convert *c, const void *planes, long at, const long *o, long n,
                       float *x)
{
    const int16_t *from = planes;
    const float *t = c->table;

    for (long k = 0; k < n; k++) {
        const int16_t *cell = from + (at + o[k]);
        for (int i = 0; i < C; i++)
            x[k * C + i] = t[i * COUNTS + cell[i]];
    }
}

static void row_floats(const struct convert *c, const void *planes, long at, const long *o, long n,
                       float *x)
{
    for (long k = 0; k < n; k++)
        for (int i = 0; i < C; i++)
            x[k * C + i] = (log1pf(((const float *)planes)[at + o[k] + i]) - c->norm.shift[i]) *
                           c->norm.scale[i];
}

#if defined(__x86_64__)
#define AVX512 __attribute__((target("avx512f,avx512vl,avx512bw,avx512dq")))

/* A cell is 8 bytes. */
static inline long long cell_at(const int16_t *cell)
{
    long long v;

    memcpy(&v, cell, sizeof v);
    return v;
}

/* The first counts of each channel, in registers: most cells have no others. */
struct few {
    __m512 low[C], high[C]; /* 0 to 15, 16 to 31 */
};

enum { FEW = 32 };

/* Sixteen counts below FEW, channel by channel: what is not looked up yet is
 * still a count. */
AVX512 static inline __m512 look_up(const struct few *few, __m512i counts)
{
    for (int i = 0; i < C; i++)
        counts = _mm512_castps_si512(_mm512_mask2_permutex2var_ps(
            few->low[i], counts, (__mmask16)(0x1111 << i), few->high[i]));
    return _mm512_castsi512_ps(counts);
}

/* Four cells side by side: one store of a cache line, past the cache where it
 * is a whole one, since the trainer reads it much later. */
AVX512 static void row_avx512(const struct convert *c, const void *planes, long at, const long *o,
                              long n, float *x)
{
    const __m512i base = _mm512_broadcast_i32x4(_mm_setr_epi32(0, COUNTS, 2 * COUNTS, 3 * COUNTS));
    const bool whole = (uintptr_t)x % 64 == 0;
    const __m256i many = _mm256_set1_epi16((int16_t) ~(FEW - 1));
    const int16_t *from = planes;
    struct few few;
    long k = 0;

    for (int i = 0; i < C; i++) {
        few.low[i] = _mm512_loadu_ps(c->table + i * COUNTS);
        few.high[i] = _mm512_loadu_ps(c->table + i * COUNTS + FEW / 2);
    }
    for (; k + 4 <= n; k += 4) {
        const int16_t *cell[] = {from + (at + o[k]), from + (at + o[k + 1]), from + (at + o[k + 2]),
                                 from + (at + o[k + 3])};
        __m256i cells = o[k + 3] - o[k] == 3 * C
                            ? _mm256_loadu_si256((const void *)cell[0])
                            : _mm256_setr_epi64x(cell_at(cell[0]), cell_at(cell[1]),
                                                 cell_at(cell[2]), cell_at(cell[3]));
        __m512i counts = _mm512_cvtepu16_epi32(cells);
        __m512 fed =
            _mm256_test_epi16_mask(cells, many)
                ? _mm512_i32gather_ps(_mm512_add_epi32(counts, base), c->table, sizeof(float))
                : look_up(&few, counts);
        if (whole)
            _mm512_stream_ps(x + k * C, fed);
        else
            _mm512_storeu_ps(x + k * C, fed);
    }
    row_counts(c, planes, at, o + k, n - k, x + k * C);
}
#endif

static const struct level {
    const char *name;
    row_fn *counts;
} levels[] = {
#if defined(__x86_64__)
    {"avx512", row_avx512},
#endif
    {"plain", row_counts},
};

static bool has_level(const struct level *l)
{
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (l->counts == row_avx512)
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
               __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq");
#endif
    return l->counts == row_counts;
}

/* The i-th of those that this CPU has; NULL past the end. */
static const struct level *level_at(int i)
{
    for (size_t k = 0; k < sizeof levels / sizeof levels[0]; k++)
        if (has_level(&levels[k]) && i-- == 0)
            return &levels[k];
    return NULL;
}

const char *convert_level(int i)
{
    const struct level *l = level_at(i);

    return l ? l->name : NULL;
}

int convert_init(struct convert *c, long edge, enum number type, const struct cosmo_norm *norm,
                 struct err *e)
{
    *c = (struct convert){.type = type, .edge = edge, .norm = *norm};
    if (edge > CONVERT_MAX_EDGE)
        return err_set(e, "cubes of %ld^3 cells, expected at most %d^3", edge, CONVERT_MAX_EDGE);
    bool given = false;
    for (int i = 0; i < C; i++)
        given = given || norm->scale[i] != 0;
    for (int i = 0; i < C && !given; i++) {
        c->norm.shift[i] = 0;
        c->norm.scale[i] = 1;
    }
    c->table = malloc(C * (size_t)COUNTS * sizeof *c->table);
    if (!c->table)
        return err_set(e, "no memory for a table of %d counts", COUNTS);
    for (int i = 0; i < C; i++)
        for (long n = 0; n < COUNTS; n++)
            c->table[i * COUNTS + n] =
                ((float)log1p((double)n) - c->norm.shift[i]) * c->norm.scale[i];
    return 0;
}

void convert_fini(struct convert *c)
{
    free(c->table);
    c->table = NULL;
}

void convert_turn_set(struct convert_turn *t, long edge, unsigned permutation, unsigned reflect,
                      const uint32_t shift[AXES])
{
    static const int permutations[6][AXES] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                              {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    const long stride[AXES] = {edge * edge * C, edge * C, C};

    memcpy(t->from, permutations[permutation % 6], sizeof t->from);
    for (int a = 0; a < AXES; a++)
        for (long i = 0; i < edge; i++) {
            long at = reflect >> a & 1 ? edge - 1 - i : i;
            at = (at + (long)((uint64_t)shift[a] * (uint64_t)edge >> 32)) % edge;
            t->offset[a * edge + i] = stride[t->from[a]] * at;
        }
}

static long least(long a, long b)
{
    return a < b ? a : b;
}

/* Part of the output: cells low[a] to high[a] along each axis. */
struct box {
    long low[AXES], high[AXES];
};

/* The cells of the box, tile by tile. */
static void each_row(const struct convert *c, const struct convert_turn *t, row_fn *row,
                     const void *planes, long first, const struct box *x, float *out)
{
    const long edge = c->edge, skip = first * edge * edge * C;
    const long *o = t->offset;
    long tile[AXES] = {1, 1, edge}, b[AXES];

    if (t->from[2] != 2) {
        tile[2] = TILE;
        tile[t->from[0] == 2 ? 0 : 1] = TILE_FAST;
    }
    for (b[0] = x->low[0]; b[0] < x->high[0]; b[0] += tile[0])
        for (b[1] = x->low[1]; b[1] < x->high[1]; b[1] += tile[1])
            for (b[2] = x->low[2]; b[2] < x->high[2]; b[2] += tile[2])
                for (long i = b[0]; i < least(b[0] + tile[0], x->high[0]); i++)
                    for (long j = b[1]; j < least(b[1] + tile[1], x->high[1]); j++)
                        row(c, planes, o[i] + o[edge + j] - skip, o + 2 * edge + b[2],
                            least(tile[2], x->high[2] - b[2]),
                            out + ((i * edge + j) * edge + b[2]) * C);
}

/* Planes of the file are planes of the output along one axis: a run of them,
 * or two where the box was shifted. */
void convert_planes_at(int level, const struct convert *c, const struct convert_turn *t,
                       const void *planes, long first, long n, float *x)
{
    const struct level *l = level_at(level);
    row_fn *const row = c->type == NUMBER_INT16 ? l->counts : row_floats;
    const long edge = c->edge, low = first * edge * edge * C, high = low + n * edge * edge * C;
    const int axis = t->from[0] == 0 ? 0 : t->from[1] == 0 ? 1 : 2;
    const long *o = t->offset + axis * edge;
    struct box box = {{0}, {edge, edge, edge}};

    for (long i = 0; i < edge; i = box.high[axis] + 1) {
        while (i < edge && (o[i] < low || o[i] >= high))
            i++;
        box.low[axis] = box.high[axis] = i;
        while (box.high[axis] < edge && o[box.high[axis]] >= low && o[box.high[axis]] < high)
            box.high[axis]++;
        each_row(c, t, row, planes, first, &box, x);
    }
#if defined(__x86_64__)
    _mm_sfence(); /* stores past the cache, before another thread is told */
#endif
}

void convert_planes(const struct convert *c, const struct convert_turn *t, const void *planes,
                    long first, long n, float *x)
{
    convert_planes_at(0, c, t, planes, first, n, x);
}

int convert_sample(const void *ctx, const struct loader_sample *in, float *const out[],
                   struct err *e)
{
    const struct convert *c = ctx;
    uint32_t draw[4] = {0}, shift[4] = {0};
    struct convert_turn t;

    (void)e;
    if (in->augment)
        philox_at(in->seed ^ SYMMETRY_KEY, in->id, in->epoch * 2, draw);
    if (in->augment && c->periodic)
        philox_at(in->seed ^ SYMMETRY_KEY, in->id, in->epoch * 2 + 1, shift);
    convert_turn_set(&t, c->edge, draw[0] % 6, draw[1], shift);
    convert_planes(c, &t, in->field[COSMO_X], in->first, in->count, out[0]);
    memcpy(out[1], in->field[COSMO_Y], COSMO_PARAMETERS * sizeof *out[1]);
    return 0;
}

int convert_measure(struct dataset *data, uint64_t samples, struct cosmo_norm *norm, struct err *e)
{
    const struct dataset_info *info = dataset_info(data);
    const struct dataset_field *x = &info->field[COSMO_X];
    const uint64_t n = samples < info->samples ? samples : info->samples;
    double sum[C] = {0}, square[C] = {0};
    void *sample = NULL;
    int rc =
        posix_memalign(&sample, 64, info->sample_bytes) ? err_set(e, "no memory for a cube") : 0;

    for (uint64_t i = 0; rc == 0 && i < n; i++) {
        rc = dataset_read(data, i, sample, NULL, e);
        const int16_t *counts = (void *)((char *)sample + x->offset);
        const float *floats = (void *)counts;
        for (uint64_t k = 0; rc == 0 && k < x->values; k++) {
            double v = log1p(x->type == NUMBER_INT16 ? counts[k] : (double)floats[k]);
            sum[k % C] += v;
            square[k % C] += v * v;
        }
    }
    double cells = (double)n * (double)x->values / C;
    for (int c = 0; rc == 0 && c < C; c++) {
        double mean = sum[c] / cells, variance = square[c] / cells - mean * mean;
        norm->shift[c] = (float)mean;
        norm->scale[c] = variance > 0 ? (float)(1 / sqrt(variance)) : 1;
    }
    free(sample);
    return rc;
}
