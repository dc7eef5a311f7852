/* SPDX-License-Identifier: BSD-3-Clause */
/* Whatever is not a file of samples is refused with one sentence. */
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
#include <sys/wait.h>
#include <unistd.h>

#include "tests/workloads/data/fixture.h"
#include "tests/workloads/data/spoil.h"
#include "workloads/data/chunk.h"
#include "workloads/data/dataset.h"
#include "workloads/data/science_cosmo.h"

enum { SAMPLE_BYTES = 8 * 8 * 8 * 4 * sizeof(float) + 64 };

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

/* two.hdf5 is spoilt, one.hdf5 before it is good. */
static void bad_files_are_refused(void **state)
{
    _Alignas(64) char sample[SAMPLE_BYTES];
    const struct spoil *s;
    char path[300];

    (void)state;
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    snprintf(path, sizeof path, "%s/train/two.hdf5", folder);
    for (size_t i = 0; (s = spoil_at(i)); i++) {
        struct err e = ERR_INIT;
        fixture_write(folder, "train/one.hdf5", &(struct fixture){.sample = 1});
        fixture_write(folder, "train/two.hdf5", &(struct fixture){.sample = 2});
        struct dataset *d = dataset_open(folder, DATASET_TRAIN, &science_cosmo, &edge_8, &e);
        assert_non_null(d);
        s->spoil(path);
        assert_int_equal(dataset_read(d, 0, sample, NULL, &e), 0);
        if (dataset_read(d, 1, sample, NULL, &e) != -1)
            fail_msg("row %zu was taken", i);
        const size_t at = strlen(path);
        if (strncmp(e.text, path, at) != 0 || !spoil_is_said(s, e.text + at))
            fail_msg("row %zu: '%s', expected '%s%s'", i, e.text, path, s->sentence);
        dataset_close(d);
        remove(path);
    }
}

/* The same as the first file: nothing is said of what was before. */
static void a_bad_first_file_is_refused(void **state)
{
    char path[300], want[700];
    struct err e = ERR_INIT;

    (void)state;
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    snprintf(path, sizeof path, "%s/train/one.hdf5", folder);
    fixture_write(folder, "train/one.hdf5", &(struct fixture){0});
    spoil_put(path, "x", H5T_STD_I16LE, 4, (hsize_t[]){8, 8, 9, 4}, 0, NULL);
    assert_null(dataset_open(folder, DATASET_TRAIN, &science_cosmo, NULL, &e));
    snprintf(want, sizeof want,
             "%s: fits no layout of N-body cubes: layout 'cut': dataset 'x' is (8,8,9,4), "
             "expected (D,D,D,4) with sides up to 65536; layout 'raw': dataset 'full' is missing",
             path);
    assert_string_equal(e.text, want);
    spoil_without(path, "x");
    assert_null(dataset_open(folder, DATASET_TRAIN, &science_cosmo, NULL, &e));
    snprintf(want, sizeof want,
             "%s: fits no layout of N-body cubes: layout 'cut': dataset 'x' is missing; layout "
             "'raw': dataset 'full' is missing",
             path);
    assert_string_equal(e.text, want);
    fixture_write(folder, "train/one.hdf5", &(struct fixture){.raw = true, .edge = 12});
    assert_null(dataset_open(folder, DATASET_TRAIN, &science_cosmo, &edge_8, &e));
    snprintf(want, sizeof want,
             "%s: fits no layout of N-body cubes: layout 'cut': dataset 'x' is missing; layout "
             "'raw': dataset 'full' is (12,12,12,4), expected a multiple of (8,8,8,4)",
             path);
    assert_string_equal(e.text, want);
}

/* Whether plain HDF5, in a process of its own, reads the set with the plugin. */
static bool library_loads_it(const char *path)
{
    static int16_t v[8 * 8 * 8 * 4];
    int status = -1;
    pid_t pid = fork();

    if (pid == 0) {
        H5PLset_loading_state(H5PL_ALL_PLUGIN);
        H5PLappend(getenv("HDF5_PLUGIN_PATH"));
        hid_t f = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT), set = H5Dopen2(f, "x", H5P_DEFAULT);
        herr_t rc = H5Dread(set, H5T_NATIVE_INT16, H5S_ALL, H5S_ALL, H5P_DEFAULT, v);
        _exit(rc >= 0 && getenv(FOREIGN_FILTER_RAN) ? 0 : 1);
    }
    waitpid(pid, &status, 0);
    return status == 0;
}

/* HDF5_PLUGIN_PATH (main) names a folder with the very filter. */
static void no_filter_of_others_is_loaded(void **state)
{
    _Alignas(64) char sample[SAMPLE_BYTES];
    char path[300];
    struct err e = ERR_INIT;

    (void)state;
    fixture_write(folder, "train/one.hdf5", &(struct fixture){.sample = 1});
    fixture_write(folder, "train/two.hdf5", &(struct fixture){.sample = 2});
    snprintf(path, sizeof path, "%s/train/two.hdf5", folder);
    struct dataset *d = dataset_open(folder, DATASET_TRAIN, &science_cosmo, &edge_8, &e);
    assert_non_null(d);
    spoil_foreign_filter(path);
    assert_int_equal(dataset_read(d, 1, sample, NULL, &e), -1);
    assert_non_null(strstr(e.text, "its values cannot be read"));
    assert_null(getenv(FOREIGN_FILTER_RAN));
    assert_true(library_loads_it(path)); /* or the above says nothing */
    spoil_no_hdf5(path); /* then HDF5 1.12 asks whoever is there, until one knows the file */
    assert_int_equal(dataset_read(d, 1, sample, NULL, &e), -1);
    assert_null(getenv(FOREIGN_FILTER_RAN));
    dataset_close(d);
}

static void float_cubes_are_finite(void **state)
{
    _Alignas(64) char sample[SAMPLE_BYTES];
    float v[8 * 8 * 8 * 4] = {0};
    char path[300];
    struct err e = ERR_INIT;

    (void)state;
    fixture_write(folder, "train/one.hdf5", &(struct fixture){.type = H5T_IEEE_F32LE});
    snprintf(path, sizeof path, "%s/train/one.hdf5", folder);
    v[99] = INFINITY;
    spoil_put(path, "x", H5T_IEEE_F32LE, 4, (hsize_t[]){8, 8, 8, 4}, H5T_NATIVE_FLOAT, v);
    struct dataset *d = dataset_open(folder, DATASET_TRAIN, &science_cosmo, NULL, &e);
    assert_non_null(d);
    assert_int_equal(dataset_read(d, 0, sample, NULL, &e), -1);
    assert_non_null(
        strstr(e.text, "dataset 'x' has inf at [0][3][0][3], expected finite numbers from 0"));
    dataset_close(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define ROW(t) cmocka_unit_test_setup_teardown(t, make_folder, remove_folder)
        ROW(bad_files_are_refused),
        ROW(a_bad_first_file_is_refused),
        ROW(float_cubes_are_finite),
        ROW(no_filter_of_others_is_loaded),
#undef ROW
    };

    setenv("HDF5_PLUGIN_PATH", FILTER_FOLDER, 1); /* before HDF5 looks for it */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
