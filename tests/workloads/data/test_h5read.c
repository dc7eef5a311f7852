/* SPDX-License-Identifier: BSD-3-Clause */
/* Whatever HDF5 can store is read to the same numbers. */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/workloads/data/fixture.h"
#include "tests/workloads/data/spoil.h"
#include "workloads/data/chunk.h"
#include "workloads/data/dataset.h"
#include "workloads/data/science_cosmo.h"

static char folder[256];
static const struct data_class edge_8 = {.size = {0, 8, 8, 8}};

static int make_folder(void **state)
{
    (void)state;
    fixture_folder(folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    fixture_remove(folder);
    return 0;
}

static void assert_sample(const struct dataset_info *info, const void *sample, int number,
                          const int corner[3])
{
    for (int i = 0; i < 8 * 8 * 8 * 4; i++) {
        int want = value_at(number, corner[0] + i / 256, corner[1] + i / 32 % 8,
                            corner[2] + i / 4 % 8, i % 4);
        double have = dataset_value(info, sample, COSMO_X, (uint64_t)i);
        if (have != want)
            fail_msg("value %d is %g, expected %d", i, have, want);
    }
    for (int i = 0; i < 4; i++)
        assert_true((float)dataset_value(info, sample, COSMO_Y, (uint64_t)i) ==
                    label_at(number, i));
}

/* 0: what the fixture has when nothing is said. */
static const char *stored_name(hid_t type)
{
    return type == 0                ? "int16"
           : type == H5T_STD_U8LE   ? "uint8"
           : type == H5T_STD_U16LE  ? "uint16"
           : type == H5T_STD_I16BE  ? "int16"
           : type == H5T_STD_I32LE  ? "int32"
           : type == H5T_STD_I32BE  ? "int32"
           : type == H5T_STD_I64BE  ? "int64"
           : type == H5T_STD_I8LE   ? "int8"
           : type == H5T_IEEE_F32LE ? "float32"
           : type == H5T_IEEE_F32BE ? "float32"
                                    : "float64";
}

/* Every storage, type and chunking gives the same values. */
static void any_storage_reads_alike(void **state)
{
    const struct {
        struct fixture x;
        enum number type;
    } rows[] = {
        {{0}, NUMBER_INT16},
        {{.chunk = {8, 8, 8, 4}, .filter = filter_deflated}, NUMBER_INT16},
        {{.chunk = {8, 8, 8, 4}}, NUMBER_INT16},
        {{.chunk = {3, 5, 8, 4}, .filter = filter_deflated}, NUMBER_INT16},
        {{.chunk = {3, 5, 7, 3}, .filter = filter_shuffled}, NUMBER_INT16},
        {{.chunk = {1, 8, 2, 1}, .filter = filter_shuffled_only}, NUMBER_INT16},
        {{.chunk = {4, 4, 4, 4}, .filter = filter_checksummed}, NUMBER_INT16},
        {{.chunk = {4, 4, 4, 4}, .filter = filter_all_three}, NUMBER_INT16},
        {{.chunk = {4, 4, 4, 4}, .filter = filter_packed}, NUMBER_INT16},
        {{.chunk = {4, 4, 4, 4}, .filter = filter_scaled}, NUMBER_INT16},
        {{.chunk = {4, 4, 4, 4}, .filter = filter_szipped}, NUMBER_INT16},
        {{.userblock = 512, .chunk = {4, 4, 4, 4}, .filter = filter_deflated}, NUMBER_INT16},
        {{.chunk = {3, 5, 7, 3}, .filter = filter_summed_first}, NUMBER_INT16},
        {{.chunk = {3, 5, 7, 3}, .filter = filter_twice}, NUMBER_INT16},
        {{.filter = filter_compact}, NUMBER_INT16},
        {{.type = H5T_STD_I16BE}, NUMBER_INT16},
        {{.type = H5T_STD_U8LE, .chunk = {4, 8, 8, 4}, .filter = filter_deflated}, NUMBER_INT16},
        {{.type = H5T_STD_U16LE}, NUMBER_FLOAT},
        {{.type = H5T_STD_I64BE, .chunk = {3, 8, 5, 4}, .filter = filter_checksummed},
         NUMBER_FLOAT},
        {{.type = H5T_STD_I16BE, .chunk = {3, 8, 5, 2}, .filter = filter_shuffled}, NUMBER_INT16},
        {{.type = H5T_IEEE_F64LE, .filter = filter_compact}, NUMBER_FLOAT},
        {{.userblock = 512}, NUMBER_INT16},
        {{.userblock = 512, .type = H5T_STD_I32BE}, NUMBER_FLOAT},
        {{.type = H5T_STD_I32LE}, NUMBER_FLOAT},
        {{.type = H5T_IEEE_F32LE}, NUMBER_FLOAT},
        {{.type = H5T_IEEE_F32LE, .chunk = {3, 8, 5, 4}, .filter = filter_shuffled}, NUMBER_FLOAT},
        {{.type = H5T_IEEE_F32BE, .chunk = {3, 8, 5, 4}, .filter = filter_shuffled}, NUMBER_FLOAT},
        {{.type = H5T_IEEE_F64LE}, NUMBER_FLOAT},
        {{.type = H5T_IEEE_F64BE, .chunk = {3, 5, 7, 3}, .filter = filter_all_three}, NUMBER_FLOAT},
        {{.type = H5T_STD_I8LE, .chunk = {8, 1, 3, 4}, .filter = filter_deflated}, NUMBER_INT16},
        {{.raw = true, .chunk = {8, 8, 8, 4}, .filter = filter_deflated}, NUMBER_INT16},
    };
    _Alignas(64) char sample[8 * 8 * 8 * 4 * sizeof(float) + 64];
    struct err e = ERR_INIT;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fixture x = rows[i].x;
        x.sample = (int)i;
        fixture_write(folder, "train/one.hdf5", &x);
        struct dataset *d = dataset_open(folder, DATASET_TRAIN, &science_cosmo, &edge_8, &e);
        if (!d)
            fail_msg("row %zu: %s", i, e.text);
        const struct dataset_info *info = dataset_info(d);
        assert_int_equal(info->field[COSMO_X].type, rows[i].type);
        assert_string_equal(info->field[COSMO_X].stored, stored_name(x.type));
        assert_int_equal(info->samples, 1);
        assert_string_equal(info->layout->name, x.raw ? "raw" : "cut");
        assert_true(info->whole && !info->generated);
        if (dataset_read(d, 0, sample, NULL, &e) < 0)
            fail_msg("row %zu: %s", i, e.text);
        assert_sample(info, sample, x.sample, (int[]){0, 0, 0});
        dataset_close(d);
    }
}

/* A filter that was left out of one chunk (its mask says so) is not undone. */
static void masked_filters_are_left_out(void **state)
{
    const hsize_t at[4] = {0};
    _Alignas(64) char sample[8 * 8 * 8 * 4 * sizeof(float) + 64];
    int16_t v[8 * 8 * 8 * 4];
    char path[300];
    struct err e = ERR_INIT;

    (void)state;
    fixture_write(folder, "train/one.hdf5",
                  &(struct fixture){.chunk = {8, 8, 8, 4}, .filter = filter_shuffled});
    snprintf(path, sizeof path, "%s/train/one.hdf5", folder);
    for (int i = 0; i < 8 * 8 * 8 * 4; i++)
        v[i] = (int16_t)value_at(0, i / 256, i / 32 % 8, i / 4 % 8, i % 4);
    hid_t f = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT), set = H5Dopen2(f, "x", H5P_DEFAULT);
    assert_true(H5Dwrite_chunk(set, H5P_DEFAULT, 3, at, sizeof v, v) >= 0);
    H5Dclose(set);
    H5Fclose(f);
    struct dataset *d = dataset_open(folder, DATASET_TRAIN, &science_cosmo, &edge_8, &e);
    assert_non_null(d);
    assert_int_equal(dataset_read(d, 0, sample, NULL, &e), 0);
    assert_sample(dataset_info(d), sample, 0, (int[]){0, 0, 0});
    dataset_close(d);
}

/* A raw cube is cut into (S/D)^3 samples, however it is stored. */
static void raw_cubes_are_cut(void **state)
{
    const struct fixture rows[] = {
        {.edge = 16, .raw = true},
        {.edge = 16, .raw = true, .chunk = {16, 16, 16, 4}, .filter = filter_deflated},
        {.edge = 16, .raw = true, .chunk = {5, 6, 7, 4}, .filter = filter_shuffled},
        {.edge = 16, .raw = true, .chunk = {5, 6, 7, 2}, .filter = filter_checksummed},
    };
    _Alignas(64) char sample[8 * 8 * 8 * 4 * sizeof(float) + 64];
    struct err e = ERR_INIT;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        fixture_write(folder, "train/one.hdf5", &rows[i]);
        struct dataset *d = dataset_open(folder, DATASET_TRAIN, &science_cosmo, &edge_8, &e);
        assert_non_null(d);
        assert_int_equal(dataset_info(d)->samples, 8);
        assert_false(dataset_info(d)->whole);
        for (int part = 0; part < 8; part++) {
            uint64_t bytes = 0;
            assert_int_equal(dataset_read(d, (uint64_t)part, sample, &bytes, &e), 0);
            assert_true(bytes > 0);
            assert_sample(dataset_info(d), sample, 0,
                          (int[]){part / 4 * 8, part / 2 % 2 * 8, part % 2 * 8});
        }
        assert_int_equal(dataset_read(d, 8, sample, NULL, &e), -1);
        dataset_close(d);
    }
}

/* Labels become floats, whatever they are stored as. */
static void integer_labels_become_floats(void **state)
{
    static const int labels[] = {1, -2, 3, 4};
    _Alignas(64) char sample[8 * 8 * 8 * 4 * sizeof(float) + 64];
    char path[300];
    struct err e = ERR_INIT;

    (void)state;
    fixture_write(folder, "train/one.hdf5", &(struct fixture){0});
    snprintf(path, sizeof path, "%s/train/one.hdf5", folder);
    spoil_put(path, "y", H5T_STD_I64BE, 1, (hsize_t[]){4}, H5T_NATIVE_INT, labels);
    struct dataset *d = dataset_open(folder, DATASET_TRAIN, &science_cosmo, &edge_8, &e);
    assert_non_null(d);
    const struct dataset_info *info = dataset_info(d);
    assert_int_equal(info->field[COSMO_Y].type, NUMBER_FLOAT);
    assert_int_equal(dataset_read_rest(d, 0, sample, &e), 0);
    for (uint64_t i = 0; i < 4; i++)
        assert_true(dataset_value(info, sample, COSMO_Y, i) == labels[i]);
    dataset_close(d);
}

/* Puts a sample together from what a sink is given. */
struct pieces {
    const struct dataset_info *info;
    char *block;
    int calls;
    long next;
};

static int take_slab(void *arg, const void *sample, const void *values, long first, long n,
                     struct err *e)
{
    struct pieces *p = arg;
    const size_t slab = 8 * 8 * 4 * (p->info->field[COSMO_X].type == NUMBER_INT16 ? 2 : 4);

    (void)e;
    assert_int_equal(first, p->next);
    if (p->calls++ == 0) /* labels are there first */
        memcpy(p->block + p->info->field[COSMO_Y].offset,
               (const char *)sample + p->info->field[COSMO_Y].offset, 4 * sizeof(float));
    memcpy(p->block + (size_t)first * slab, values, (size_t)n * slab);
    p->next = first + n;
    return 0;
}

static int refuse_slab(void *arg, const void *sample, const void *values, long first, long n,
                       struct err *e)
{
    (void)arg, (void)sample, (void)values, (void)n;
    return first >= 4 ? err_set(e, "no more") : 0;
}

/* A sink is given the same sample in slabs, where these lie together in several. */
static void sinks_take_slabs(void **state)
{
    const struct {
        struct fixture x;
        int calls;
    } rows[] = {
        {{0}, 1},
        {{.chunk = {1, 8, 8, 4}, .filter = filter_shuffled}, 8},
        {{.chunk = {3, 8, 8, 4}, .filter = filter_deflated, .type = H5T_IEEE_F32BE}, 3},
        {{.chunk = {3, 8, 7, 4}}, 1},
        {{.type = H5T_STD_I32BE}, 1},
    };
    _Alignas(64) char sample[8 * 8 * 8 * 4 * sizeof(float) + 64];
    _Alignas(64) char block[sizeof sample];
    struct err e = ERR_INIT;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fixture x = rows[i].x;
        struct chunk_scratch scratch = {0};
        x.sample = (int)i;
        fixture_write(folder, "train/one.hdf5", &x);
        struct dataset *d = dataset_open(folder, DATASET_TRAIN, &science_cosmo, &edge_8, &e);
        assert_non_null(d);
        struct pieces p = {.info = dataset_info(d), .block = block};
        const struct dataset_sink sink = {take_slab, &p}, refuse = {refuse_slab, NULL};
        assert_int_equal(dataset_read_with(d, &scratch, 0, sample, &sink, NULL, &e), 0);
        assert_int_equal(p.calls, rows[i].calls);
        assert_int_equal(p.next, 8);
        assert_sample(p.info, block, x.sample, (int[]){0, 0, 0});
        if (p.calls > 1) {
            assert_int_equal(dataset_read_with(d, &scratch, 0, sample, &refuse, NULL, &e), -1);
            assert_string_equal(e.text, "no more");
        }
        chunk_scratch_fini(&scratch);
        dataset_close(d);
    }
}

/* A set of more chunks than are walked over for each, some of them never written,
 * which have the fill value. */
static void many_chunks_are_found(void **state)
{
    enum { EDGE = 24, CELLS = EDGE * EDGE * EDGE * 4 };
    const struct data_class edge = {.size = {0, EDGE, EDGE, EDGE}};
    static int16_t v[CELLS];
    _Alignas(64) static char sample[CELLS * 2 + 64];
    const hsize_t dims[] = {EDGE, EDGE, EDGE, 4}, chunk[] = {2, 2, 3, 4},
                  half[] = {EDGE / 2, EDGE, EDGE, 4};
    char path[300];
    struct err e = ERR_INIT;

    (void)state;
    fixture_write(folder, "train/one.hdf5", &(struct fixture){.edge = EDGE});
    snprintf(path, sizeof path, "%s/train/one.hdf5", folder);
    spoil_without(path, "x");
    for (int i = 0; i < CELLS; i++)
        v[i] = (int16_t)(i * 13 % 1009);
    hid_t f = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT), p = H5Pcreate(H5P_DATASET_CREATE);
    hid_t space = H5Screate_simple(4, dims, NULL), held = H5Screate_simple(4, half, NULL);
    H5Pset_chunk(p, 4, chunk);
    H5Pset_fill_value(p, H5T_NATIVE_INT, &(int){77});
    filter_shuffled(p);
    hid_t set = H5Dcreate2(f, "x", H5T_STD_I16BE, space, H5P_DEFAULT, p, H5P_DEFAULT);
    H5Sselect_hyperslab(space, H5S_SELECT_SET, (hsize_t[]){EDGE / 2, 0, 0, 0}, NULL, half, NULL);
    assert_true(H5Dwrite(set, H5T_NATIVE_INT16, held, space, H5P_DEFAULT, v) >= 0);
    H5Dclose(set);
    H5Sclose(held);
    H5Sclose(space);
    H5Pclose(p);
    H5Fclose(f);
    struct dataset *d = dataset_open(folder, DATASET_TRAIN, &science_cosmo, &edge, &e);
    assert_non_null(d);
    if (dataset_read(d, 0, sample, NULL, &e) < 0)
        fail_msg("%s", e.text);
    for (int i = 0; i < CELLS; i++)
        assert_int_equal(((const int16_t *)(const void *)sample)[i],
                         i < CELLS / 2 ? 77 : v[i - CELLS / 2]);
    dataset_close(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define ROW(t) cmocka_unit_test_setup_teardown(t, make_folder, remove_folder)
        ROW(any_storage_reads_alike), ROW(masked_filters_are_left_out),
        ROW(raw_cubes_are_cut),       ROW(integer_labels_become_floats),
        ROW(sinks_take_slabs),        ROW(many_chunks_are_found),
#undef ROW
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
