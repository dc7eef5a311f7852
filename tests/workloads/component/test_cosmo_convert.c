/* SPDX-License-Identifier: BSD-3-Clause */
/* Every level of vector instructions gives the bits of the definition. */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/workloads/data/fixture.h"
#include "workloads/component/cosmo_convert.h"

enum { CHANNELS = COSMO_CHANNELS, AXES = CONVERT_AXES };

static const struct cosmo_norm norms[] = {{{0}, {0}}, {{0.5F, 1.25F, 0, -3}, {1, 0.3F, 7, 1.5F}}};

/* Counts of every size, small ones more often, the largest too. */
static void *cube_of(long edge, enum number type)
{
    const long n = edge * edge * edge * CHANNELS;
    int16_t *counts = malloc((size_t)n * sizeof *counts);
    float *floats = malloc((size_t)n * sizeof *floats);
    uint32_t r = 7;

    for (long i = 0; i < n; i++) {
        r = r * 1664525 + 1013904223;
        counts[i] = (int16_t)(r >> 17 >> (r >> 5) % 16);
        floats[i] = (float)counts[i] + 0.25F;
    }
    counts[n / 2] = INT16_MAX;
    counts[n - 1] = INT16_MAX;
    if (type == NUMBER_INT16)
        free(floats);
    else
        free(counts);
    return type == NUMBER_INT16 ? (void *)counts : (void *)floats;
}

/* The definition, cell by cell, written apart from the code. */
static float value(const struct convert *c, const void *cube, const long at[AXES], int channel)
{
    const long i = ((at[0] * c->edge + at[1]) * c->edge + at[2]) * CHANNELS + channel;

    if (c->type == NUMBER_FLOAT)
        return (log1pf(((const float *)cube)[i]) - c->norm.shift[channel]) * c->norm.scale[channel];
    return ((float)log1p((double)((const int16_t *)cube)[i]) - c->norm.shift[channel]) *
           c->norm.scale[channel];
}

static void define(const struct convert *c, unsigned permutation, unsigned reflect,
                   const long shift[AXES], const void *cube, float *x)
{
    static const int orders[6][AXES] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                        {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    const long D = c->edge;

    for (long cell = 0; cell < D * D * D; cell++) {
        const long out[AXES] = {cell / D / D, cell / D % D, cell % D};
        long at[AXES];
        for (int a = 0; a < AXES; a++)
            at[orders[permutation][a]] =
                ((reflect >> a & 1 ? D - 1 - out[a] : out[a]) + shift[a]) % D;
        for (int i = 0; i < CHANNELS; i++)
            x[cell * CHANNELS + i] = value(c, cube, at, i);
    }
}

/* So many planes at a time, from a copy that has no others. */
static void by_planes(int level, const struct convert *c, const struct convert_turn *t,
                      const void *cube, long many, float *x)
{
    const size_t plane = (size_t)(c->edge * c->edge * CHANNELS) *
                         (c->type == NUMBER_INT16 ? sizeof(int16_t) : sizeof(float));

    for (long first = 0; first < c->edge; first += many) {
        const long n = c->edge - first < many ? c->edge - first : many;
        void *planes = malloc((size_t)n * plane);
        memcpy(planes, (const char *)cube + (size_t)first * plane, (size_t)n * plane);
        convert_planes_at(level, c, t, planes, first, n, x);
        free(planes);
    }
}

static void all_symmetries(const struct convert *c, const void *cube, long step)
{
    const size_t bytes = (size_t)(c->edge * c->edge * c->edge * CHANNELS) * sizeof(float);
    float *want = malloc(bytes), *have = aligned_alloc(64, (bytes + 127) / 64 * 64);
    struct convert_turn t;

    for (unsigned turn = 0; turn < 48; turn++) {
        const long shift[AXES] = {turn % 2 * step, turn % 3 * step, turn % 5 * step};
        uint32_t parts[AXES];
        for (int a = 0; a < AXES; a++) /* of 2^32, rounded up: shift cells again */
            parts[a] = (uint32_t)((((uint64_t)(shift[a] % c->edge) << 32) + (uint64_t)c->edge - 1) /
                                  (uint64_t)c->edge);
        define(c, turn % 6, turn / 6, shift, cube, want);
        convert_turn_set(&t, c->edge, turn % 6, turn / 6, parts);
        for (int level = 0; convert_level(level); level++) {
            memset(have, 0xff, bytes + 4);
            by_planes(level, c, &t, cube, (long)turn % c->edge + 1, have);
            if (memcmp(have, want, bytes) != 0)
                fail_msg("level %s, edge %ld, turn %u: other values", convert_level(level), c->edge,
                         turn);
            assert_memory_equal((char *)have + bytes, "\xff\xff\xff\xff", 4); /* and no more */
        }
    }
    free(want);
    free(have);
}

static void every_level_gives_the_same_bits(void **state)
{
    static const int edges[] = {4, 5, 7, 8, 13, 16, 24};

    (void)state;
    for (size_t i = 0; i < sizeof edges / sizeof edges[0]; i++)
        for (int kind = 0; kind < 4; kind++) {
            const enum number type = kind & 1 ? NUMBER_FLOAT : NUMBER_INT16;
            struct convert c;
            void *cube = cube_of(edges[i], type);
            assert_int_equal(convert_init(&c, edges[i], type, &norms[kind >> 1], NULL), 0);
            all_symmetries(&c, cube, edges[i] / 3 + 1);
            convert_fini(&c);
            free(cube);
        }
}

/* What this machine tests is said; "plain" is everywhere, and last. */
static void levels_end_with_plain(void **state)
{
    int n = 0;

    (void)state;
    while (convert_level(n))
        print_message("level %d: %s\n", n, convert_level(n)), n++;
    assert_true(n >= 1);
    assert_string_equal(convert_level(n - 1), "plain");
#if defined(__x86_64__)
    assert_int_equal(n == 2, __builtin_cpu_supports("avx512dq") != 0);
#endif
}

/* ---- as the loader's function ----------------------------------------- */

enum { EDGE = 4, CELLS = EDGE * EDGE * EDGE, VALUES = CELLS * CHANNELS, SAMPLES = 23 };

static struct dataset *make_set(char path[256], hid_t type)
{
    struct err e = ERR_INIT;

    fixture_folder(path);
    for (int i = 0; i < SAMPLES; i++) {
        char name[64];
        snprintf(name, sizeof name, "train/s%03d.hdf5", i);
        fixture_write(path, name, &(struct fixture){.edge = EDGE, .sample = i, .type = type});
    }
    struct dataset *d = dataset_open(path, DATASET_TRAIN, &science_cosmo, NULL, &e);
    if (!d)
        fail_msg("%s", e.text);
    return d;
}

/* What sample i is fed as, in an epoch, and its parameters. */
static void feed(struct dataset *d, const struct convert *c, uint64_t i, uint64_t epoch,
                 bool augment, float *x, float *y)
{
    const struct dataset_info *info = dataset_info(d);
    struct loader_sample in = {
        .info = info, .id = i, .epoch = epoch, .seed = 4, .augment = augment, .count = EDGE};
    char *block = aligned_alloc(64, info->sample_bytes);
    float *const out[] = {x, y};
    struct err e = ERR_INIT;

    assert_int_equal(dataset_read(d, i, block, NULL, &e), 0);
    in.field[COSMO_X] = block + info->field[COSMO_X].offset;
    in.field[COSMO_Y] = block + info->field[COSMO_Y].offset;
    assert_int_equal(convert_sample(c, &in, out, &e), 0);
    free(block);
}

/* The norm of the first samples gives them mean 0 and variance 1 in each
 * channel, from counts as from floats; scale all 0 is log(1 + x) itself. */
static void norm_centres_the_channels(void **state)
{
    enum { MEASURED = 7 };
    float x[VALUES], y[4];

    (void)state;
    for (int floats = 0; floats < 2; floats++) {
        double sum[CHANNELS] = {0}, square[CHANNELS] = {0};
        struct cosmo_norm norm, all, none = {.shift = {0, 3}};
        struct convert plain, normed;
        struct err e = ERR_INIT;
        char path[256];
        struct dataset *d = make_set(path, floats ? H5T_IEEE_F32LE : H5T_STD_I16LE);
        const enum number type = dataset_info(d)->field[COSMO_X].type;
        assert_int_equal(type == NUMBER_FLOAT, floats);
        assert_int_equal(convert_measure(d, MEASURED, &norm, &e), 0);
        assert_int_equal(convert_init(&plain, EDGE, type, &none, &e), 0);
        assert_int_equal(convert_init(&normed, EDGE, type, &norm, &e), 0);
        for (int i = 0; i < SAMPLES; i++) {
            feed(d, &plain, (uint64_t)i, 0, false, x, y);
            for (int k = 0; k < VALUES; k++)
                assert_float_equal(x[k], log1p(value_at(i, k / 64, k / 16 % 4, k / 4 % 4, k % 4)),
                                   1e-6);
            assert_true(y[2] == label_at(i, 2));
            feed(d, &normed, (uint64_t)i, 0, false, x, y);
            for (int k = 0; k < VALUES && i < MEASURED; k++) {
                sum[k % 4] += (double)x[k];
                square[k % 4] += (double)(x[k] * x[k]);
            }
        }
        for (int c = 0; c < CHANNELS; c++) {
            assert_float_equal(sum[c] / (MEASURED * CELLS), 0, 1e-5);
            assert_float_equal(square[c] / (MEASURED * CELLS), 1, 1e-5);
        }
        /* more than there are: all of them, which is another norm */
        assert_int_equal(convert_measure(d, SAMPLES + 1, &all, &e), 0);
        assert_true(all.shift[0] != norm.shift[0]);
        convert_fini(&plain);
        convert_fini(&normed);
        dataset_close(d);
        fixture_remove(path);
    }
}

static int ascending(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;

    return (x > y) - (x < y);
}

/* The values of one channel, sorted; the sum of the corners. */
static float channel_of(const float *x, int channel, float sorted[CELLS])
{
    float corners = 0;

    for (int k = 0; k < CELLS; k++) {
        sorted[k] = x[k * CHANNELS + channel];
        corners += k % 4 % 3 == 0 && k / 4 % 4 % 3 == 0 && k / 16 % 3 == 0 ? sorted[k] : 0;
    }
    qsort(sorted, CELLS, sizeof *sorted, ascending);
    return corners;
}

/* A symmetry moves cells, all channels of one together, and changes nothing
 * else; another epoch has another one. A corner stays a corner, but where the box
 * is periodic. */
static void symmetries_only_move_cells(void **state)
{
    float plain[VALUES], moved[VALUES], later[VALUES], y[4], a[CELLS], b[CELLS];
    const struct cosmo_norm none = {{0}, {0}};
    struct err e = ERR_INIT;
    struct convert c;
    char path[256];

    (void)state;
    struct dataset *d = make_set(path, 0);
    assert_int_equal(convert_init(&c, EDGE, NUMBER_INT16, &none, &e), 0);
    for (int periodic = 0; periodic < 2; periodic++) {
        int same = 0, other = 0, shifted = 0;
        c.periodic = periodic;
        for (uint64_t i = 0; i < SAMPLES; i++) {
            feed(d, &c, i, 0, false, plain, y);
            feed(d, &c, i, 0, true, moved, y);
            feed(d, &c, i, 1, true, later, y);
            same += memcmp(plain, moved, sizeof plain) == 0;
            other += memcmp(moved, later, sizeof moved) != 0;
            for (int k = 0; k < CHANNELS; k++) {
                float from = channel_of(plain, k, a), to = channel_of(moved, k, b);
                shifted += fabsf(from - to) > 1e-4F;
                assert_memory_equal(a, b, sizeof a);
            }
        }
        assert_true(same <= 3); /* one in 48 is the identity */
        assert_true(other >= SAMPLES - 3);
        assert_true(periodic ? shifted > SAMPLES : shifted == 0);
    }
    convert_fini(&c);
    dataset_close(d);
    fixture_remove(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_level_gives_the_same_bits),
        cmocka_unit_test(levels_end_with_plain),
        cmocka_unit_test(norm_centres_the_channels),
        cmocka_unit_test(symmetries_only_move_cells),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
