/* SPDX-License-Identifier: BSD-3-Clause */
/* A science's samples are read alike from every published layout; what fits none
 * is refused with what each lacks, and a wrong value with where it stands. */
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
#include "tests/workloads/data/made_up.h"
#include "tests/workloads/data/spoil.h"
#include "workloads/data/chunk.h"
#include "workloads/data/dataset.h"

enum { CELLS = MADE_Y * MADE_X, SAMPLE_BYTES = 2048 };

static char folder[256];

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

static struct dataset *must_open(const struct data_class *c)
{
    struct err e = ERR_INIT;
    struct dataset *d = dataset_open(folder, DATASET_TRAIN, &made_up, c, &e);

    if (!d)
        fail_msg("%s", e.text);
    assert_true(dataset_info(d)->sample_bytes <= SAMPLE_BYTES);
    return d;
}

/* A block holds sample number s. */
static void assert_sample(const struct dataset_info *info, const void *sample, int s, bool weight)
{
    for (int i = 0; i < MADE_C * CELLS; i++)
        if (dataset_value(info, sample, MADE_UP_IMAGE, (uint64_t)i) !=
            made_up_image(s, i / CELLS, i / MADE_X % MADE_Y, i % MADE_X))
            fail_msg("value %d of sample %d is wrong", i, s);
    for (int i = 0; i < CELLS; i++)
        if (dataset_value(info, sample, MADE_UP_MASK, (uint64_t)i) !=
            made_up_mask(s, i / MADE_X, i % MADE_X))
            fail_msg("cell %d of the mask of sample %d is wrong", i, s);
    assert_true(dataset_value(info, sample, MADE_UP_LABEL, 0) == made_up_label(s));
    assert_true((float)dataset_value(info, sample, MADE_UP_WEIGHT, 0) ==
                (weight ? made_up_weight(s) : 1));
}

/* However the file is stored, in whatever order samples are asked for. */
static void layouts_read_alike(void **state)
{
    const struct made_file rows[] = {
        {.n = 7},
        {.n = 7, .first = 3, .chunk = 1, .filter = filter_deflated},
        {.n = 7, .chunk = 3, .filter = filter_shuffled},
        {.n = 7, .chunk = 7, .rows = 4, .filter = filter_checksummed},
        {.n = 7, .chunk = 3, .image = H5T_STD_U8LE, .other = H5T_STD_I64LE},
        {.n = 7, .chunk = 2, .image = H5T_IEEE_F64BE, .filter = filter_shuffled},
        {.n = 7, .image = H5T_STD_I32BE, .other = H5T_STD_U8LE},
        {.n = 5, .image = H5T_STD_I16BE, .no_weight = true, .columns = true},
        {.n = 5, .chunk = 2, .no_weight = true, .columns = true, .filter = filter_deflated},
        {.layout = "events", .n = 6},
        {.layout = "events", .n = 6, .chunk = 4, .filter = filter_all_three},
        {.layout = "events", .n = 6, .chunk = 4, .rows = 1, .image = H5T_STD_U8LE},
        {.layout = "events", .n = 1, .image = H5T_IEEE_F32BE, .other = H5T_STD_I64BE},
        {.layout = "single"},
        {.layout = "single", .first = 9, .image = H5T_STD_I64BE, .no_weight = true},
    };
    _Alignas(64) char sample[SAMPLE_BYTES];
    struct err e = ERR_INIT;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct made_file *m = &rows[i];
        const bool events = m->layout && strcmp(m->layout, "events") == 0;
        made_up_write(folder, "train/a.h5", m);
        struct dataset *d = must_open(i % 2 ? &made_up_class : NULL);
        const struct dataset_info *info = dataset_info(d);
        assert_string_equal(info->layout->name, m->layout ? m->layout : "flat");
        assert_int_equal(info->samples, m->n ? m->n : 1);
        assert_true(info->whole && info->files == 1 && info->stored_bytes > 0);
        for (int k = 0; k < 3 * (int)info->samples; k++) {
            const int s = k * 5 % (int)info->samples;
            memset(sample, 0xff, sizeof sample);
            if (dataset_read(d, (uint64_t)s, sample, NULL, &e) < 0)
                fail_msg("row %zu: %s", i, e.text);
            assert_sample(info, sample, m->first + s, !events && !m->no_weight);
        }
        assert_int_equal(dataset_read(d, info->samples, sample, NULL, &e), -1);
        dataset_close(d);
    }
}

/* Memory has the file's order of axes, and parts one behind the other. */
static void memory_has_the_files_order(void **state)
{
    static const struct {
        const char *layout;
        long stride[3];
    } rows[] = {{"flat", {1, MADE_X * MADE_C, MADE_C}},
                {"events", {CELLS, MADE_X, 1}},
                {"single", {CELLS, MADE_X, 1}}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        made_up_write(
            folder, "train/a.h5",
            &(struct made_file){
                .layout = rows[i].layout, .n = 1, .image = H5T_STD_U8LE, .no_weight = true});
        struct dataset *d = must_open(NULL);
        const struct dataset_field *f = dataset_info(d)->field;
        assert_int_equal(f[MADE_UP_IMAGE].rank, 3);
        for (int j = 0; j < 3; j++)
            assert_int_equal(f[MADE_UP_IMAGE].stride[j], rows[i].stride[j]);
        assert_int_equal(f[MADE_UP_IMAGE].dims[1], MADE_Y);
        assert_int_equal(f[MADE_UP_IMAGE].values, MADE_C * CELLS);
        /* parts may be of several types */
        assert_int_equal(f[MADE_UP_IMAGE].type, i == 1 ? NUMBER_FLOAT : NUMBER_INT16);
        assert_string_equal(f[MADE_UP_IMAGE].stored, "uint8");
        assert_int_equal(f[MADE_UP_WEIGHT].type, NUMBER_FLOAT);
        assert_string_equal(f[MADE_UP_WEIGHT].stored, "");
        for (int k = 0; k < made_up.n_fields; k++)
            assert_int_equal(f[k].offset % 64, 0);
        dataset_close(d);
    }
}

/* All but field 0, which is not even opened where files have one sample. */
static void the_rest_is_read_alone(void **state)
{
    _Alignas(64) char sample[SAMPLE_BYTES];
    char path[300];
    struct err e = ERR_INIT;

    (void)state;
    snprintf(path, sizeof path, "%s/train/a.h5", folder);
    for (int single = 0; single < 2; single++) {
        made_up_write(
            folder, "train/a.h5",
            &(struct made_file){.layout = single ? "single" : "flat", .n = 1, .first = 4});
        struct dataset *d = must_open(NULL);
        const struct dataset_info *info = dataset_info(d);
        if (single)
            spoil_without(path, "image");
        memset(sample, 0x5a, sizeof sample);
        assert_int_equal(dataset_read_rest(d, 0, sample, &e), 0);
        assert_true(dataset_value(info, sample, MADE_UP_LABEL, 0) == made_up_label(4));
        for (size_t i = 0; i < info->field[MADE_UP_LABEL].offset; i++)
            assert_int_equal(sample[i], 0x5a);
        dataset_close(d);
    }
}

static int take_all(void *arg, const void *sample, const void *values, long first, long n,
                    struct err *e)
{
    const struct dataset_info *info = arg;
    const long slowest = info->field[MADE_UP_IMAGE].stride[0] == CELLS ? MADE_C : MADE_Y;

    (void)e;
    assert_int_equal(first, 0);
    assert_int_equal(n, slowest);
    assert_ptr_equal(values, sample); /* its place in the block */
    assert_sample(info, sample, 2, info->field[MADE_UP_WEIGHT].stored[0] != '\0');
    return 0;
}

static void sinks_take_samples_of_many(void **state)
{
    static const char *const layouts[] = {"flat", "events"};
    _Alignas(64) char sample[SAMPLE_BYTES];
    struct err e = ERR_INIT;

    (void)state;
    for (int i = 0; i < 2; i++) {
        struct chunk_scratch scratch = {0};
        made_up_write(folder, "train/a.h5",
                      &(struct made_file){.layout = layouts[i], .n = 5, .chunk = 2});
        struct dataset *d = must_open(NULL);
        const struct dataset_sink sink = {take_all, (void *)(uintptr_t)dataset_info(d)};
        assert_int_equal(dataset_read_with(d, &scratch, 2, sample, &sink, NULL, &e), 0);
        chunk_scratch_fini(&scratch);
        dataset_close(d);
    }
}

/* Python's booleans are names for numbers. */
static void booleans_are_numbers(void **state)
{
    static const signed char yes[] = {1, 0, 1};
    _Alignas(64) char sample[SAMPLE_BYTES];
    char path[300];
    struct err e = ERR_INIT;

    (void)state;
    made_up_write(folder, "train/a.h5", &(struct made_file){.n = 3});
    snprintf(path, sizeof path, "%s/train/a.h5", folder);
    hid_t names = H5Tenum_create(H5T_STD_I8LE);
    H5Tenum_insert(names, "FALSE", &(signed char){0});
    H5Tenum_insert(names, "TRUE", &(signed char){1});
    spoil_put(path, "label", names, 1, (hsize_t[]){3}, names, yes);
    H5Tclose(names);
    struct dataset *d = must_open(NULL);
    for (uint64_t i = 0; i < 3; i++) {
        assert_int_equal(dataset_read(d, i, sample, NULL, &e), 0);
        assert_true(dataset_value(dataset_info(d), sample, MADE_UP_LABEL, 0) == yes[i]);
    }
    dataset_close(d);
}

/* Sets of a file of 4 samples that take the place of others. */
static void put_floats(const char *path, const char *name, int rank, const hsize_t *dims,
                       size_t where, float value)
{
    float v[4 * MADE_C * CELLS] = {0};

    v[where] = value;
    spoil_put(path, name, H5T_IEEE_F32LE, rank, dims, H5T_NATIVE_FLOAT, v);
}

static const hsize_t four[] = {4}, three[] = {3}, images[] = {4, MADE_Y, MADE_X, MADE_C},
                     parts[] = {4, MADE_Y, MADE_X}, masks[] = {MADE_Y, 4, MADE_X};

static void nan_image(const char *path)
{
    put_floats(path, "data", 4, images, (2 * CELLS + 3 * MADE_X + 7) * MADE_C + 1, NAN);
}

static void negative_image(const char *path)
{
    put_floats(path, "data", 4, images, (2 * CELLS + 5 * MADE_X + 9) * MADE_C + 2, -0.5f);
}

static void nan_part(const char *path)
{
    put_floats(path, "all/events/g", 3, parts, 2 * CELLS + 4 * MADE_X + 1, INFINITY);
}

static void label_of_none(const char *path)
{
    put_floats(path, "label", 1, four, 2, 6);
}

static void half_a_label(const char *path)
{
    put_floats(path, "label", 1, four, 2, 1.5f);
}

static void integer_label_of_none(const char *path)
{
    spoil_put(path, "label", H5T_STD_I8LE, 1, four, H5T_NATIVE_INT, (int[]){0, 1, -1, 3});
}

static void negative_weight(const char *path)
{
    put_floats(path, "weight", 1, four, 2, -0.25f);
}

static void nan_weight(const char *path)
{
    put_floats(path, "weight", 1, four, 2, NAN);
}

static void mask_of_none(const char *path)
{
    put_floats(path, "all/mask", 3, masks, (3 * 4 + 2) * MADE_X + 8, 10);
}

/* As integers, which are looked at in other ways than floats; the last cell, and
 * one of the many before it. */
static void put_bytes(const char *path, size_t where)
{
    unsigned char v[4 * CELLS] = {0};

    v[where] = 11;
    spoil_put(path, "mask", H5T_STD_U8LE, 3, parts, H5T_NATIVE_UCHAR, v);
}

static void integer_mask_of_none(const char *path)
{
    put_bytes(path, 2 * CELLS + MADE_X + 2);
}

static void last_cell_of_none(const char *path)
{
    put_bytes(path, 3 * CELLS - 1);
}

/* Of 4 samples the third is wrong; the others are read. */
static void wrong_values_are_refused(void **state)
{
    static const struct {
        void (*spoil)(const char *path);
        bool events;
        const char *sentence;
    } rows[] = {
        {nan_image, false,
         "dataset 'data' has nan at [2][3][7][1], expected finite numbers from 0"},
        {negative_image, false,
         "dataset 'data' has -0.5 at [2][5][9][2], expected finite numbers from 0"},
        {nan_part, true,
         "dataset 'all/events/g' has inf at [2][4][1], expected finite numbers from 0"},
        {label_of_none, false, "dataset 'label' has 6 at [2], expected whole numbers from 0 to 5"},
        {half_a_label, false, "dataset 'label' has 1.5 at [2], expected whole numbers from 0 to 5"},
        {integer_label_of_none, false,
         "dataset 'label' has -1 at [2], expected whole numbers from 0 to 5"},
        {negative_weight, false,
         "dataset 'weight' has -0.25 at [2], expected finite numbers from 0"},
        {nan_weight, false, "dataset 'weight' has nan at [2], expected finite numbers from 0"},
        {mask_of_none, true,
         "dataset 'all/mask' has 10 at [3][2][8], expected whole numbers from 0 to 9"},
        {integer_mask_of_none, false,
         "dataset 'mask' has 11 at [2][1][2], expected whole numbers from 0 to 9"},
        {last_cell_of_none, false,
         "dataset 'mask' has 11 at [2][6][9], expected whole numbers from 0 to 9"},
    };
    _Alignas(64) char sample[SAMPLE_BYTES];
    char path[300], want[700];

    (void)state;
    snprintf(path, sizeof path, "%s/train/a.h5", folder);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        made_up_write(folder, "train/a.h5",
                      &(struct made_file){.layout = rows[i].events ? "events" : "flat", .n = 4});
        rows[i].spoil(path);
        struct dataset *d = must_open(NULL);
        for (uint64_t s = 0; s < 4; s++) {
            struct err e = ERR_INIT;
            assert_int_equal(dataset_read(d, s, sample, NULL, &e), s == 2 ? -1 : 0);
            snprintf(want, sizeof want, "%s: %s", path, rows[i].sentence);
            if (s == 2)
                assert_string_equal(e.text, want);
        }
        dataset_close(d);
    }
}

static void no_mask(const char *path)
{
    spoil_without(path, "mask");
}

static void labels_of_three(const char *path)
{
    put_floats(path, "label", 1, three, 0, 0);
}

static void channels_first(const char *path)
{
    put_floats(path, "data", 4, (hsize_t[]){4, MADE_C, MADE_Y, MADE_X}, 0, 0);
}

static void other_mask(const char *path)
{
    put_floats(path, "mask", 3, (hsize_t[]){4, MADE_X, MADE_Y}, 0, 0);
}

static void labels_per_cell(const char *path)
{
    put_floats(path, "label", 2, (hsize_t[]){4, 2}, 0, 0);
}

static void no_samples(const char *path)
{
    spoil_put(path, "data", H5T_IEEE_F32LE, 4, (hsize_t[]){0, MADE_Y, MADE_X, MADE_C}, 0, NULL);
}

#define OTHERS                                                                                     \
    "; layout 'events': dataset 'all/events/r' is missing; layout 'single': dataset 'image' is "   \
    "missing"

/* What fits no layout says what each lacks. */
static void wrong_layouts_are_refused(void **state)
{
    static const struct {
        void (*spoil)(const char *path);
        const char *flat;
    } rows[] = {
        {no_mask, "dataset 'mask' is missing"},
        {labels_of_three, "dataset 'label' has 3 samples, expected 4 as in the one before it"},
        {channels_first, "dataset 'data' is (4,3,7,10), expected (n,y,x,3) with sides up to 65536"},
        {other_mask, "dataset 'mask' is (4,10,7), expected (n,7,10)"},
        {labels_per_cell, "dataset 'label' has 2 axes, expected 1: (n)"},
        {no_samples, "dataset 'data' has 0 samples, expected 1 to 2147483647"},
    };
    char path[300], want[800];

    (void)state;
    snprintf(path, sizeof path, "%s/train/a.h5", folder);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct err e = ERR_INIT;
        made_up_write(folder, "train/a.h5", &(struct made_file){.n = 4});
        rows[i].spoil(path);
        assert_null(dataset_open(folder, DATASET_TRAIN, &made_up, NULL, &e));
        snprintf(want, sizeof want, "%s: fits no layout of made-up images: layout 'flat': %s%s",
                 path, rows[i].flat, OTHERS);
        assert_string_equal(e.text, want);
    }
}

/* A layout in a group, of which one step or the last is a link. */
static void links_on_the_way_are_refused(void **state)
{
    static const struct {
        const char *name, *sentence;
    } rows[] = {
        {"all", "'all' is a link, expected a group"},
        {"all/events", "'all/events' is a link, expected a group"},
        {"all/events/g", "'all/events/g' is a link, expected a dataset"},
    };
    char path[300], want[800];

    (void)state;
    snprintf(path, sizeof path, "%s/train/a.h5", folder);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct err e = ERR_INIT;
        made_up_write(folder, "train/a.h5", &(struct made_file){.layout = "events", .n = 4});
        hid_t f = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
        H5Lmove(f, rows[i].name, f, "elsewhere", H5P_DEFAULT, H5P_DEFAULT);
        H5Lcreate_soft("/elsewhere", f, rows[i].name, H5P_DEFAULT, H5P_DEFAULT);
        H5Fclose(f);
        assert_null(dataset_open(folder, DATASET_TRAIN, &made_up, NULL, &e));
        snprintf(want, sizeof want,
                 "%s: fits no layout of made-up images: layout 'flat': dataset 'data' is missing; "
                 "layout 'events': %s; layout 'single': dataset 'image' is missing",
                 path, rows[i].sentence);
        assert_string_equal(e.text, want);
    }
}

/* HDF5's other decoders trust the file: they get one sample of field 0 at most. */
static void other_filters_decode_one_sample(void **state)
{
    _Alignas(64) char sample[SAMPLE_BYTES];
    char path[300];
    struct err e = ERR_INIT;

    (void)state;
    snprintf(path, sizeof path, "%s/train/a.h5", folder);
    for (hsize_t chunk = 1; chunk <= 2; chunk++) {
        const struct made_set s = {"data",
                                   H5T_STD_I16LE,
                                   H5T_NATIVE_FLOAT,
                                   4,
                                   {4, MADE_Y, MADE_X, MADE_C},
                                   {chunk, MADE_Y, MADE_X, MADE_C},
                                   filter_packed};
        float v[4 * MADE_C * CELLS] = {0};
        made_up_write(folder, "train/a.h5", &(struct made_file){.n = 4});
        spoil_without(path, "data");
        hid_t f = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
        made_up_put(f, &s, v);
        H5Fclose(f);
        struct dataset *d = dataset_open(folder, DATASET_TRAIN, &made_up, NULL, &e);
        assert_int_equal(d != NULL, chunk == 1);
        if (d)
            assert_int_equal(dataset_read(d, 3, sample, NULL, &e), 0);
        dataset_close(d);
    }
    assert_non_null(strstr(e.text, "dataset 'data' has other filters than deflate, shuffle and "
                                   "fletcher32, or lies behind a user block"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define ROW(t) cmocka_unit_test_setup_teardown(t, make_folder, remove_folder)
        ROW(layouts_read_alike),
        ROW(memory_has_the_files_order),
        ROW(the_rest_is_read_alone),
        ROW(sinks_take_samples_of_many),
        ROW(booleans_are_numbers),
        ROW(wrong_values_are_refused),
        ROW(wrong_layouts_are_refused),
        ROW(links_on_the_way_are_refused),
        ROW(other_filters_decode_one_sample),
#undef ROW
    };

    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
