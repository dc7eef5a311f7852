/* SPDX-License-Identifier: BSD-3-Clause */
/* Which files are a split of a folder, which of them has a sample, and what the
 * samples of a set must have in common. */
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
#include "tests/workloads/data/spoil.h"
#include "workloads/data/dataset.h"
#include "workloads/data/manifest.h"
#include "workloads/data/sample_pool.h"
#include "workloads/data/science_cosmo.h"

enum { SAMPLE_BYTES = 2048 };

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

static struct dataset *must_open(enum dataset_split split)
{
    struct err e = ERR_INIT;
    struct dataset *d = dataset_open(folder, split, &made_up, &made_up_class, &e);

    if (!d)
        fail_msg("%s", e.text);
    return d;
}

/* Sample i of a set is sample number s, by its label and a value. */
static void assert_is(struct dataset *d, uint64_t i, int s)
{
    _Alignas(64) char sample[SAMPLE_BYTES];
    struct err e = ERR_INIT;

    if (dataset_read(d, i, sample, NULL, &e) < 0)
        fail_msg("%s", e.text);
    assert_true(dataset_value(dataset_info(d), sample, MADE_UP_LABEL, 0) == made_up_label(s));
    assert_true(dataset_value(dataset_info(d), sample, MADE_UP_IMAGE, 0) ==
                made_up_image(s, 0, 0, 0));
}

static void bad_folders_are_refused(void **state)
{
    char want[600];
    struct err e = ERR_INIT;

    (void)state;
    assert_null(dataset_open("no/such/folder", DATASET_TRAIN, &science_cosmo, &edge_8, &e));
    assert_string_equal(e.text, "no/such/folder: No such file or directory");
    assert_null(dataset_open(folder, DATASET_VALIDATION, &science_cosmo, &edge_8, &e));
    snprintf(want, sizeof want, "%s/validation: no .hdf5 or .h5 file in it", folder);
    assert_string_equal(e.text, want);
    fixture_write(folder, "validation/a.h5", &(struct fixture){.edge = 8});
    assert_null(dataset_open(folder, DATASET_VALIDATION, &science_cosmo,
                             &(struct data_class){.size = {0, 4, 4, 4}}, &e));
    snprintf(want, sizeof want,
             "%s/validation/a.h5: fits no layout of N-body cubes: layout 'cut': dataset 'x' is "
             "(8,8,8,4), expected (4,4,4,4); layout 'raw': dataset 'full' is missing",
             folder);
    assert_string_equal(e.text, want);
    snprintf(want, sizeof want, "%s/validation", folder);
    fixture_remove(want);
    assert_null(dataset_open(folder, DATASET_VALIDATION, &science_cosmo, &edge_8, &e));
    snprintf(want, sizeof want,
             "%s: has neither a folder 'validation' of .hdf5 files nor a file validation.h5",
             folder);
    assert_string_equal(e.text, want);
}

/* Folders go before files, and every name of the split is tried. */
static void splits_are_found(void **state)
{
    static const char *const names[] = {"valid.hdf5", "valid.h5",        "val.hdf5",
                                        "val.h5",     "validation.hdf5", "validation.h5"};
    char path[300];

    (void)state;
    snprintf(path, sizeof path, "%s/validation", folder);
    rmdir(path);
    for (int i = 0; i < 6; i++) { /* each goes before those that are there already */
        made_up_write(folder, names[i], &(struct made_file){.n = 2, .first = i});
        struct dataset *d = must_open(DATASET_VALIDATION);
        assert_int_equal(dataset_info(d)->samples, 2);
        assert_is(d, 0, i);
        dataset_close(d);
    }
    mkdir(path, 0777);
    made_up_write(folder, "validation/a.h5", &(struct made_file){.n = 3, .first = 11});
    struct dataset *d = must_open(DATASET_VALIDATION);
    assert_int_equal(dataset_info(d)->samples, 3);
    assert_is(d, 2, 13);
    dataset_close(d);
}

/* By name, and without what is no sample. */
static void files_of_a_folder_are_read_in_order(void **state)
{
    static const struct {
        const char *name;
        int n;
    } files[] = {{"train/c.h5", 1}, {"train/a.hdf5", 3}, {"train/d.h5", 5}, {"train/b.h5", 4}};
    static const int order[] = {1, 3, 0, 2};
    char path[300];
    uint64_t i = 0;
    FILE *f;

    (void)state;
    for (int k = 0; k < 4; k++)
        made_up_write(folder, files[k].name,
                      &(struct made_file){.n = files[k].n, .first = 100 * k});
    snprintf(path, sizeof path, "%s/train/stats.h5", folder); /* would not open */
    assert_non_null(f = fopen(path, "w"));
    fclose(f);
    snprintf(path, sizeof path, "%s/train/README.txt", folder);
    assert_non_null(f = fopen(path, "w"));
    fclose(f);
    struct dataset *d = must_open(DATASET_TRAIN);
    assert_int_equal(dataset_info(d)->files, 4);
    assert_int_equal(dataset_info(d)->samples, 13);
    assert_null(dataset_info(d)->group_start);
    for (int k = 0; k < 4; k++)
        for (int j = 0; j < files[order[k]].n; j++)
            assert_is(d, i++, 100 * order[k] + j);
    assert_is(d, 3, 300); /* and at random */
    assert_is(d, 2, 102);
    dataset_close(d);
}

/* Chunks never span files; the last of a file may be short. The mask's are the
 * longest, by 2. */
static void groups_share_chunks(void **state)
{
    static const uint64_t start[] = {0, 5, 7, 11, 12, 14};
    struct err e = ERR_INIT;

    (void)state;
    made_up_write(folder, "train/a.h5", &(struct made_file){.n = 7, .chunk = 3});
    made_up_write(folder, "train/b.h5", &(struct made_file){.n = 4, .chunk = 8});
    made_up_write(folder, "train/c.h5", &(struct made_file){.n = 1});
    made_up_write(folder, "train/d.h5", &(struct made_file){.n = 2, .chunk = 2, .rows = 4});
    struct dataset *d = must_open(DATASET_TRAIN);
    const struct dataset_info *info = dataset_info(d);
    assert_int_equal(info->groups, 5);
    assert_memory_equal(info->group_start, start, sizeof start);
    /* Of the first file: 5 samples by the mask's chunks of 5, which may touch 3
     * chunks of 3 images. Labels and weights are kept whole. */
    assert_int_equal(info->group_bytes,
                     sizeof(float) * (9 * MADE_C * MADE_Y * MADE_X + 5 * MADE_Y * MADE_X));
    dataset_close(d);
    /* nothing is shared */
    made_up_write(folder, "train/a.h5", &(struct made_file){.n = 7});
    made_up_write(folder, "train/b.h5", &(struct made_file){.n = 1, .chunk = 8});
    made_up_write(folder, "train/d.h5", &(struct made_file){.n = 2});
    d = dataset_open(folder, DATASET_TRAIN, &made_up, NULL, &e);
    assert_non_null(d);
    assert_null(dataset_info(d)->group_start);
    assert_int_equal(dataset_info(d)->groups, 0);
    dataset_close(d);
}

/* What one file has the others must have. */
static void files_agree(void **state)
{
    const struct {
        struct made_file m;
        const char *sentence;
    } rows[] = {
        {{.n = 2, .image = H5T_STD_U8LE}, "dataset 'data' is uint8, expected float32 as before"},
        {{.layout = "events", .n = 2}, "dataset 'data' is missing"},
    };
    char want[600];

    (void)state;
    made_up_write(folder, "train/a.h5", &(struct made_file){.n = 2});
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct err e = ERR_INIT;
        made_up_write(folder, "train/b.h5", &rows[i].m);
        assert_null(dataset_open(folder, DATASET_TRAIN, &made_up, NULL, &e));
        snprintf(want, sizeof want, "%s/train/b.h5: %s", folder, rows[i].sentence);
        assert_string_equal(e.text, want);
    }
    /* but an optional field is each file's own */
    made_up_write(folder, "train/b.h5", &(struct made_file){.n = 2, .no_weight = true});
    struct dataset *d = must_open(DATASET_TRAIN);
    for (uint64_t i = 0; i < 4; i++) {
        _Alignas(64) char sample[SAMPLE_BYTES];
        assert_int_equal(dataset_read(d, i, sample, NULL, NULL), 0);
        assert_true((float)dataset_value(dataset_info(d), sample, MADE_UP_WEIGHT, 0) ==
                    (i < 2 ? made_up_weight((int)i) : 1));
    }
    dataset_close(d);
}

/* More files than are kept open at a time, there and back. */
static void many_files_take_turns(void **state)
{
    enum { FILES = 70 };
    char name[32];

    (void)state;
    for (int i = 0; i < FILES; i++) {
        snprintf(name, sizeof name, "train/s%03d.h5", i);
        made_up_write(folder, name, &(struct made_file){.n = 2, .first = 2 * i, .chunk = 2});
    }
    struct dataset *d = must_open(DATASET_TRAIN);
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < 2 * FILES; i++)
            assert_is(d, (uint64_t)(i * 37 % (2 * FILES)), i * 37 % (2 * FILES));
    /* all fits the cache: image, mask, weight and label of each file once */
    assert_int_equal(dataset_decoded(d), 4 * FILES);
    dataset_close(d);
}

/* What somebody reads is not closed for another, and is opened once. */
static void files_in_use_stay_open(void **state)
{
    enum { FILES = SAMPLE_POOL_FILES };
    const struct sample_file *f[FILES];
    struct sample_form form;
    struct sample_file first;
    char name[32], path[300];
    double found = 0;
    struct err e = ERR_INIT;

    (void)state;
    for (int i = 0; i < FILES; i++) {
        snprintf(name, sizeof name, "train/s%03d.h5", i);
        made_up_write(folder, name, &(struct made_file){.n = 2});
    }
    snprintf(path, sizeof path, "%s/train/s000.h5", folder);
    assert_int_equal(sample_probe(&first, path, 0, &made_up, NULL, &form, &e), 0);
    sample_close(&first);
    struct sample_pool *p = sample_pool_create(&e);
    for (int i = 0; i < FILES; i++) {
        snprintf(path, sizeof path, "%s/train/s%03d.h5", folder, i);
        assert_non_null(f[i] = sample_pool_take(p, (uint64_t)i, path, 0, &form, &found, &e));
    }
    for (int i = 0; i < FILES; i++)
        for (int k = 0; k < i; k++)
            assert_ptr_not_equal(f[i], f[k]);
    const double first_time = found;
    assert_true(first_time > 0);
    assert_ptr_equal(sample_pool_take(p, 3, "not opened", 0, &form, &found, &e), f[3]);
    assert_true(found == first_time); /* it was open */
    sample_pool_give(p, f[3]);
    sample_pool_give(p, f[7]); /* the only one that is free now */
    snprintf(path, sizeof path, "%s/train/s007.h5", folder);
    const struct sample_file *other = sample_pool_take(p, 1000, path, 0, &form, &found, &e);
    assert_non_null(other);
    for (int i = 0; i < FILES; i++)
        if (i != 7) {
            assert_true(f[i]->h5.open && other != f[i]);
            sample_pool_give(p, f[i]);
        }
    sample_pool_give(p, other);
    sample_pool_destroy(p);
}

static void write_manifest(const struct manifest *m)
{
    char path[300];

    snprintf(path, sizeof path, "%s/" MANIFEST_NAME, folder);
    FILE *f = fopen(path, "w");
    assert_int_equal(manifest_write(m, f), 0);
    fclose(f);
}

/* Files, sizes and baselines of a generated set are its manifest's. */
static void manifests_are_believed(void **state)
{
    struct manifest_file files[3] = {
        {.path = "train/b.h5"}, {.path = "train/c.h5"}, {.path = "validation/a.h5"}};
    struct manifest m = {.science = "cosmo",
                         .class_name = "tiny",
                         .layout = "cut",
                         .generator = science_cosmo.version,
                         .build = "b",
                         .seed = 1,
                         .train = 2,
                         .validation = 1,
                         .train_samples = 2,
                         .validation_samples = 1,
                         .files = files,
                         .n_files = 3};
    _Alignas(64) char sample[16448];
    char path[300], want[400];
    struct err e = ERR_INIT;
    struct stat st;

    (void)state;
    fixture_write(folder, "train/a.h5", &(struct fixture){.sample = 1}); /* not listed */
    for (int i = 0; i < 3; i++) {
        fixture_write(folder, files[i].path, &(struct fixture){.sample = 2 + i});
        snprintf(path, sizeof path, "%s/%s", folder, files[i].path);
        assert_int_equal(stat(path, &st), 0);
        files[i].bytes = (uint64_t)st.st_size;
        memset(files[i].sha256, '0', 64);
    }
    assert_true(manifest_baseline(&m, "ridge_mae", 0.125));
    write_manifest(&m);
    struct dataset *d = dataset_open(folder, DATASET_TRAIN, &science_cosmo, &edge_8, &e);
    if (!d)
        fail_msg("%s", e.text);
    const struct dataset_info *info = dataset_info(d);
    assert_true(info->generated && info->whole);
    assert_int_equal(info->samples, 2);
    assert_int_equal(info->stored_bytes, (files[0].bytes + files[1].bytes) / 2);
    assert_int_equal(strlen(info->manifest_sha256), 64);
    assert_string_equal(info->baseline[0].reason, "the manifest does not have it");
    assert_true(!info->baseline[1].reason && info->baseline[1].value == 0.125);
    assert_int_equal(dataset_read(d, 1, sample, NULL, &e), 0);
    assert_true(dataset_value(info, sample, COSMO_X, 5) == value_at(3, 0, 0, 1, 1));
    dataset_close(d);

    files[1].bytes++;
    write_manifest(&m);
    d = dataset_open(folder, DATASET_TRAIN, &science_cosmo, &edge_8, &e);
    assert_non_null(d);
    assert_int_equal(dataset_read(d, 0, sample, NULL, &e), 0);
    assert_int_equal(dataset_read(d, 1, sample, NULL, &e), -1);
    snprintf(want, sizeof want, "%s/train/c.h5: %llu bytes, expected %llu", folder,
             (unsigned long long)files[1].bytes - 1, (unsigned long long)files[1].bytes);
    assert_string_equal(e.text, want);
    dataset_close(d);

    assert_null(dataset_open(folder, DATASET_TRAIN, &made_up, NULL, &e));
    snprintf(want, sizeof want, "%s: its manifest says data of 'cosmo', expected 'made_up'",
             folder);
    assert_string_equal(e.text, want);
}

/* Folders with neither part: the last eighth by name, at least one file. */
static void unsplit_folders_are_split(void **state)
{
    struct err e = ERR_INIT;
    char path[300], want[400];

    (void)state;
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, i ? "validation" : "train");
        rmdir(path);
    }
    for (int n = 1; n <= 17; n++) { /* written in an order that is not that of the names */
        const int number = n * 5 % 17;
        const int validation = n / 8 > 1 ? n / 8 : 1;
        int names[17], have = 0;
        snprintf(path, sizeof path, "climo_%04d.h5", 2000 + number);
        made_up_write(folder, path, &(struct made_file){.n = 2, .first = 2 * number});
        for (int k = 0; k < 17; k++)
            for (int m = 1; m <= n; m++)
                if (m * 5 % 17 == k)
                    names[have++] = k;
        for (int split = DATASET_TRAIN; n > 1 && split <= DATASET_VALIDATION; split++) {
            const int first = split == DATASET_TRAIN ? 0 : n - validation;
            struct dataset *d = must_open((enum dataset_split)split);
            const uint64_t samples = dataset_info(d)->samples;
            assert_true(dataset_info(d)->split_here);
            assert_int_equal(samples, 2 * (split == DATASET_TRAIN ? n - validation : validation));
            assert_is(d, 0, 2 * names[first]);
            assert_is(d, samples - 1, 2 * names[first + (int)samples / 2 - 1] + 1);
            dataset_close(d);
        }
        if (n == 1) {
            assert_null(dataset_open(folder, DATASET_TRAIN, &made_up, NULL, &e));
            snprintf(want, sizeof want,
                     "%s: has one file and no folders 'train' and 'validation'; a set needs files "
                     "for both",
                     folder);
            assert_string_equal(e.text, want);
        }
    }
    /* Where one part is there, the other is missing, and nothing is split. */
    snprintf(path, sizeof path, "%s/train", folder);
    mkdir(path, 0777);
    assert_null(dataset_open(folder, DATASET_VALIDATION, &made_up, NULL, &e));
    snprintf(want, sizeof want,
             "%s: has neither a folder 'validation' of .hdf5 files nor a file validation.h5",
             folder);
    assert_string_equal(e.text, want);
}

/* What is refused as a sample can be looked at. */
static void anything_can_be_looked_at(void **state)
{
    static const float weights[] = {1, NAN, -3, 2};
    _Alignas(64) char sample[SAMPLE_BYTES];
    struct err e = ERR_INIT;
    char path[300];

    (void)state;
    made_up_write(folder, "train/a.h5", &(struct made_file){.n = 4});
    snprintf(path, sizeof path, "%s/train/a.h5", folder);
    spoil_put(path, "weight", H5T_IEEE_F32LE, 1, (hsize_t[]){4}, H5T_NATIVE_FLOAT, weights);
    struct dataset *d = must_open(DATASET_TRAIN);
    for (uint64_t i = 0; i < 4; i++) {
        assert_int_equal(dataset_read(d, i, sample, NULL, &e), i == 1 || i == 2 ? -1 : 0);
        assert_int_equal(dataset_look(d, i, sample, &e), 0);
        const double is = dataset_value(dataset_info(d), sample, MADE_UP_WEIGHT, 0);
        assert_true(i == 1 ? isnan(is) : is == (double)weights[i]);
        assert_true(dataset_value(dataset_info(d), sample, MADE_UP_LABEL, 0) ==
                    made_up_label((int)i));
    }
    assert_int_equal(dataset_look(d, 4, sample, &e), -1);
    dataset_close(d);
}

/* A file by itself, with and without a folder before its name. */
static void a_file_is_opened_alone(void **state)
{
    struct err e = ERR_INIT;
    char path[300], here[300];

    (void)state;
    made_up_write(folder, "alone.h5", &(struct made_file){.n = 3, .first = 5});
    snprintf(path, sizeof path, "%s/alone.h5", folder);
    assert_non_null(getcwd(here, sizeof here));
    for (int i = 0; i < 2; i++) {
        struct dataset *d = dataset_open_file(i ? "alone.h5" : path, &made_up, &made_up_class, &e);
        if (!d)
            fail_msg("%s", e.text);
        assert_int_equal(dataset_info(d)->samples, 3);
        assert_is(d, 2, 7);
        dataset_close(d);
        assert_int_equal(chdir(i ? here : folder), 0);
    }
    assert_null(dataset_open_file("no.h5", &made_up, NULL, &e));
    assert_non_null(strstr(e.text, "./no.h5: No such file or directory"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define ROW(t) cmocka_unit_test_setup_teardown(t, make_folder, remove_folder)
        ROW(bad_folders_are_refused),
        ROW(splits_are_found),
        ROW(files_of_a_folder_are_read_in_order),
        ROW(groups_share_chunks),
        ROW(files_agree),
        ROW(many_files_take_turns),
        ROW(files_in_use_stay_open),
        ROW(manifests_are_believed),
        ROW(anything_can_be_looked_at),
        ROW(unsplit_folders_are_split),
        ROW(a_file_is_opened_alone),
#undef ROW
    };

    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
