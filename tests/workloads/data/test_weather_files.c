/* SPDX-License-Identifier: BSD-3-Clause */
/* Files of weather as published: DeepCAM's, a moment each, channels last, float labels,
 * stats.h5 beside the parts; ExtremeWeather's, many moments each, channels first, without
 * masks. Thousands of files, chunks that do not fit. */
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
#include <sys/stat.h>
#include <unistd.h>

#include "tests/workloads/data/fixture.h"
#include "tests/workloads/data/made_up.h"
#include "workloads/data/check.h"
#include "workloads/data/dataset.h"
#include "workloads/data/science_weather.h"

enum { C = WEATHER_CHANNELS, H = 6, W = 8, PLACES = H * W };

static const char *folder;

/* What moment s has. */
static float value(int s, int c, int y, int x)
{
    return (float)(s * 1000 + c * 100 + y * 10 + x) / 8 - 40;
}

static int label(int s, int y, int x)
{
    return (s + y * x) % WEATHER_CLASSES;
}

static hid_t create(const char *name)
{
    char path[512];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(file >= 0);
    return file;
}

/* As DeepCAM has it; labels of that type, 0: none. */
static void write_moment(const char *name, int s, hid_t labels, const hsize_t chunk[3])
{
    const struct made_set data = {.path = "climate/data",
                                  .type = H5T_IEEE_F32LE,
                                  .held = H5T_NATIVE_FLOAT,
                                  .rank = 3,
                                  .dims = {H, W, C},
                                  .chunk = {chunk[0], chunk[1], chunk[2]},
                                  .filter = chunk[0] ? filter_shuffled : NULL};
    const struct made_set masks = {.path = "climate/labels_0",
                                   .type = labels,
                                   .held = H5T_NATIVE_FLOAT,
                                   .rank = 2,
                                   .dims = {H, W},
                                   .chunk = {chunk[0], chunk[1]}};
    float x[PLACES * C], m[PLACES];
    hid_t file = create(name);

    for (int i = 0; i < PLACES; i++) {
        m[i] = (float)label(s, i / W, i % W);
        for (int c = 0; c < C; c++)
            x[i * C + c] = value(s, c, i / W, i % W);
    }
    made_up_put(file, &data, x);
    if (labels)
        made_up_put(file, &masks, m);
    H5Fclose(file);
}

static void write_stats(const char *name, hid_t type, hsize_t n)
{
    float mean[2 * C];
    hid_t file = create(name);

    for (int c = 0; c < 2 * C; c++)
        mean[c] = (float)c / 4;
    made_up_put(
        file,
        &(struct made_set){
            .path = "climate/mean", .type = type, .held = H5T_NATIVE_FLOAT, .rank = 1, .dims = {n}},
        mean);
    H5Fclose(file);
}

/* As ExtremeWeather has it: n moments from `first` on. */
static void write_year(const char *name, int first, int n, const hsize_t chunk[4])
{
    const struct made_set images = {.path = "images",
                                    .type = H5T_IEEE_F32LE,
                                    .held = H5T_NATIVE_FLOAT,
                                    .rank = 4,
                                    .dims = {(hsize_t)n, C, H, W},
                                    .chunk = {chunk[0], chunk[1], chunk[2], chunk[3]},
                                    .filter = chunk[0] ? filter_deflated : NULL};
    const struct made_set boxes = {.path = "boxes",
                                   .type = H5T_STD_I32LE,
                                   .held = H5T_NATIVE_FLOAT,
                                   .rank = 3,
                                   .dims = {(hsize_t)n, WEATHER_BOXES, WEATHER_BOX}};
    float *x = malloc((size_t)n * C * PLACES * sizeof *x);
    float *b = calloc((size_t)n * WEATHER_BOXES * WEATHER_BOX, sizeof *b);
    hid_t file = create(name);

    for (int i = 0; i < n * C * PLACES; i++)
        x[i] = value(first + i / (C * PLACES), i / PLACES % C, i / W % H, i % W);
    made_up_put(file, &images, x);
    made_up_put(file, &boxes, b);
    H5Fclose(file);
    free(x);
    free(b);
}

static struct dataset *must_open(enum dataset_split split)
{
    struct err e = ERR_INIT;
    struct dataset *d = dataset_open(folder, split, &science_weather, NULL, &e);

    if (!d)
        fail_msg("%s", e.text);
    return d;
}

/* Sample i of the set is moment s. */
static void assert_is(struct dataset *d, uint64_t i, int s, bool labelled)
{
    static _Alignas(64) char sample[(PLACES * (C + 1) + 64) * sizeof(float)];
    const struct dataset_info *info = dataset_info(d);
    struct err e = ERR_INIT;

    assert_true(info->sample_bytes <= sizeof sample);
    if (dataset_read(d, i, sample, NULL, &e) < 0)
        fail_msg("%s", e.text);
    for (int j = 0; j < C * PLACES; j++)
        assert_true(dataset_value(info, sample, WEATHER_DATA, (uint64_t)j) ==
                    (double)value(s, j / PLACES, j / W % H, j % W));
    for (int j = 0; j < PLACES; j++) {
        const double is = dataset_value(info, sample, WEATHER_LABELS, (uint64_t)j);
        assert_true(labelled ? is == label(s, j / W, j % W) : isnan(is));
    }
}

/* Contiguous, in chunks that cut all three axes, in one of their own; labels as floats,
 * doubles, bytes. */
static void deepcam_as_published(void **state)
{
    static const hsize_t chunks[][3] = {{0, 0, 0}, {5, 3, 7}, {6, 8, 16}, {1, 8, 16}};
    const hid_t types[] = {H5T_IEEE_F32LE, H5T_IEEE_F64BE, H5T_STD_U8LE, H5T_IEEE_F32LE};
    char name[64];

    folder = *state;
    for (int s = 0; s < 4; s++) {
        snprintf(name, sizeof name, "train/data-1979-01-0%d-00-1.h5", s + 1);
        write_moment(name, s, s == 0 ? types[0] : types[s], chunks[s]);
    }
    write_moment("validation/data-1999-01-01-00-1.h5", 9, H5T_IEEE_F32LE, chunks[1]);
    write_stats("stats.h5", H5T_IEEE_F64LE, C);
    struct dataset *d = must_open(DATASET_TRAIN);
    const struct dataset_info *info = dataset_info(d);
    struct err e = ERR_INIT;
    float mean[C];
    assert_int_equal(info->samples, 4);
    assert_string_equal(info->layout->name, "deepcam");
    assert_int_equal(dataset_can_train(d, &e), 0);
    for (int s = 0; s < 4; s++)
        assert_is(d, (uint64_t)s, s, true);
    assert_int_equal(dataset_beside(d, "stats.h5", "climate/mean", mean, C, &e), 0);
    for (int c = 0; c < C; c++)
        assert_true(mean[c] == (float)c / 4);
    assert_int_equal(dataset_beside(d, "other.h5", "climate/mean", mean, C, &e), 1);
    dataset_close(d);
    d = must_open(DATASET_VALIDATION);
    assert_int_equal(dataset_info(d)->samples, 1);
    assert_is(d, 0, 9, true);
    dataset_close(d);
}

/* Of another size, or without what is asked for. */
static void statistics_that_do_not_fit(void **state)
{
    static const hsize_t whole[3] = {0};
    char want[600];
    float mean[C];
    struct err e = ERR_INIT;

    folder = *state;
    write_moment("train/a.h5", 0, H5T_IEEE_F32LE, whole);
    write_stats("stats.h5", H5T_IEEE_F32LE, 2 * C);
    struct dataset *d = must_open(DATASET_TRAIN);
    assert_int_equal(dataset_beside(d, "stats.h5", "climate/mean", mean, C, &e), -1);
    snprintf(want, sizeof want,
             "%s/stats.h5: dataset 'climate/mean' does not have one axis of 16 numbers", folder);
    assert_string_equal(e.text, want);
    assert_int_equal(dataset_beside(d, "stats.h5", "climate/sqmean", mean, C, &e), -1);
    snprintf(want, sizeof want, "%s/stats.h5: dataset 'climate/sqmean' is missing", folder);
    assert_string_equal(e.text, want);
    dataset_close(d);
}

/* 2,400 names of 16 files: each is opened when it is read, and none stays so. */
static void thousands_of_files(void **state)
{
    enum { FILES = 2400, MADE = 16 };
    static const hsize_t whole[3] = {0};
    char path[512], made[512];

    folder = *state;
    for (int s = 0; s < MADE; s++) {
        snprintf(made, sizeof made, "made%d.h5", s);
        write_moment(made, s, H5T_IEEE_F32LE, whole);
        snprintf(made, sizeof made, "%s/made%d.h5", folder, s);
        for (int i = s; i < FILES; i += MADE) {
            snprintf(path, sizeof path, "%s/%s/data-%05d.h5", folder,
                     i < FILES - MADE ? "train" : "validation", i);
            assert_int_equal(link(made, path), 0);
        }
        unlink(made);
    }
    struct dataset *d = must_open(DATASET_TRAIN);
    assert_int_equal(dataset_info(d)->samples, FILES - MADE);
    for (int i = 0; i < FILES - MADE; i += 7)
        assert_is(d, (uint64_t)i, i % MADE, true);
    dataset_close(d);
}

/* A year a file, split by the names of the files; no masks: not to be trained on. */
static void extremeweather_as_published(void **state)
{
    static const hsize_t chunks[][4] = {{0}, {2, 16, 3, 8}, {1, 16, 6, 8}};
    char path[300], want[700];
    struct err e = ERR_INIT;

    folder = *state;
    snprintf(path, sizeof path, "%s/train", folder);
    rmdir(path);
    snprintf(path, sizeof path, "%s/validation", folder);
    rmdir(path);
    write_year("climo_1979.h5", 0, 5, chunks[0]);
    write_year("climo_1980.h5", 5, 4, chunks[1]);
    write_year("climo_1981.h5", 9, 3, chunks[2]);
    struct dataset *d = must_open(DATASET_TRAIN);
    assert_string_equal(dataset_info(d)->layout->name, "extremeweather");
    assert_int_equal(dataset_info(d)->samples, 9);
    assert_true(dataset_info(d)->split_here);
    for (int s = 0; s < 9; s++)
        assert_is(d, (uint64_t)s, s, false);
    assert_int_equal(dataset_can_train(d, &e), -1);
    snprintf(want, sizeof want,
             "%s: layout 'extremeweather' without labels: it can be looked at, not trained or "
             "evaluated on",
             folder);
    assert_string_equal(e.text, want);
    dataset_close(d);
    d = must_open(DATASET_VALIDATION);
    assert_int_equal(dataset_info(d)->samples, 3);
    assert_is(d, 2, 11, false);
    dataset_close(d);
}

/* Masks in some files and not in others would be a set half of guesses. */
static void masks_are_in_all_files_or_in_none(void **state)
{
    static const hsize_t whole[3] = {0};
    _Alignas(64) char sample[(PLACES * (C + 1) + 64) * sizeof(float)];
    char want[600];
    struct err e = ERR_INIT;

    folder = *state;
    write_moment("train/a.h5", 0, H5T_IEEE_F32LE, whole);
    write_moment("train/b.h5", 1, 0, whole);
    struct dataset *d = must_open(DATASET_TRAIN);
    assert_int_equal(dataset_read(d, 1, sample, NULL, &e), -1);
    snprintf(want, sizeof want,
             "%s/train/b.h5: dataset 'climate/labels_0' is missing, and the first file has it",
             folder);
    assert_string_equal(e.text, want);
    dataset_close(d);
    write_moment("train/a.h5", 0, 0, whole);
    write_moment("train/b.h5", 1, H5T_IEEE_F32LE, whole);
    d = must_open(DATASET_TRAIN);
    assert_int_equal(dataset_can_train(d, NULL), -1);
    assert_int_equal(dataset_read(d, 1, sample, NULL, &e), -1);
    snprintf(want, sizeof want,
             "%s/train/b.h5: has a dataset 'climate/labels_0', and the first file does not",
             folder);
    assert_string_equal(e.text, want);
    dataset_close(d);
}

/* `data check` of both, in words. */
static void check_says_what_they_are(void **state)
{
    static const hsize_t whole[4] = {0};
    static struct check c;
    char path[600], *text = NULL;
    size_t size;
    struct err e = ERR_INIT;

    folder = *state;
    write_year("climo_1979.h5", 0, 2, whole);
    snprintf(path, sizeof path, "%s/climo_1979.h5", folder);
    assert_int_equal(check_path(&c, path, true, &e), 0);
    assert_true(check_good(&c));
    assert_string_equal(check_lacks(&c)->name, "labels");
    FILE *f = open_memstream(&text, &size);
    check_print(&c, f);
    fclose(f);
    assert_non_null(strstr(text, "climo_1979.h5: moments of weather, layout 'extremeweather'\n"));
    assert_non_null(strstr(text, "'images': float32 2 x 16 x 6 x 8"));
    assert_non_null(strstr(text, "labels      not stored: 0 background, 1 tropical cyclone"));
    assert_non_null(strstr(text, "for: being looked at; without labels it is not trained on\n"));
    free(text);
    write_moment("train/a.h5", 0, H5T_IEEE_F32LE, whole);
    snprintf(path, sizeof path, "%s/train/a.h5", folder);
    assert_int_equal(check_path(&c, path, true, &e), 0);
    assert_true(check_good(&c));
    assert_null(check_lacks(&c));
    assert_string_equal(c.layout->name, "deepcam");
    assert_int_equal(c.part[0].field[WEATHER_LABELS].levels, WEATHER_CLASSES);
}

#define ROW(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROW(deepcam_as_published),
        ROW(statistics_that_do_not_fit),
        ROW(thousands_of_files),
        ROW(extremeweather_as_published),
        ROW(masks_are_in_all_files_or_in_none),
        ROW(check_says_what_they_are),
    };

    return cmocka_run_group_tests_name("weather_files", tests, NULL, NULL);
}
