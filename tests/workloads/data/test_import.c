/* SPDX-License-Identifier: BSD-3-Clause */
/* Old formats: classic NetCDF in its three versions, raw numbers with a sidecar, CSV; what
 * becomes of them as HDF5; what is refused, and with which words. */
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
#include <unistd.h>

#include "tests/workloads/data/fixture.h"
#include "workloads/data/import.h"

/* ---- what came out ----------------------------------------------------- */

enum { MOST = 8, VALUES = 64 };

struct got {
    int n;
    const char *only; /* NULL: all are wanted */
    struct {
        char name[64];
        int rank;
        uint64_t dims[IMPORT_AXES], values;
        float v[VALUES];
    } array[MOST];
};

static bool wants(void *ctx, const char *name)
{
    const struct got *g = ctx;

    return !g->only || strcmp(g->only, name) == 0;
}

static int keep(void *ctx, const struct import_array *a, struct err *e)
{
    struct got *g = ctx;

    (void)e;
    assert_true(g->n < MOST && a->values <= VALUES);
    snprintf(g->array[g->n].name, sizeof g->array[0].name, "%s", a->name);
    g->array[g->n].rank = a->rank;
    g->array[g->n].values = a->values;
    memcpy(g->array[g->n].dims, a->dims, sizeof a->dims);
    memcpy(g->array[g->n].v, a->v, (size_t)a->values * sizeof *a->v);
    g->n++;
    return 0;
}

static int take(struct got *g, enum import_format format, const void *data, size_t size,
                const char *sidecar, struct err *e)
{
    const struct import_sink to = {wants, keep, g};
    unsigned char *exact = malloc(size + !size); /* so that an overrun is seen */

    memcpy(exact, data, size);
    g->n = 0;
    int rc = import_bytes(format, exact, size, "old", sidecar, &to, e);
    free(exact);
    return rc;
}

static void assert_values(const struct got *g, int i, const char *name, int rank,
                          const uint64_t *dims, const float *v)
{
    assert_string_equal(g->array[i].name, name);
    assert_int_equal(g->array[i].rank, rank);
    for (int k = 0; k < rank; k++)
        assert_int_equal(g->array[i].dims[k], dims[k]);
    for (uint64_t k = 0; k < g->array[i].values; k++)
        if (!(isnan(v[k]) ? isnan(g->array[i].v[k]) : v[k] == g->array[i].v[k]))
            fail_msg("%s[%d] is %g, not %g", name, (int)k, (double)g->array[i].v[k], (double)v[k]);
}

/* ---- a classic file ----------------------------------------------------- */

struct bytes {
    unsigned char b[4096];
    size_t n;
    int version;
};

static void put_big(struct bytes *f, uint64_t v, size_t bytes)
{
    for (size_t i = bytes; i-- > 0;)
        f->b[f->n++] = (unsigned char)(v >> (8 * i));
}

static void put_count(struct bytes *f, uint64_t v)
{
    put_big(f, v, f->version == 5 ? 8 : 4);
}

static void put_name(struct bytes *f, const char *name)
{
    put_count(f, strlen(name));
    memcpy(f->b + f->n, name, strlen(name));
    f->n += (strlen(name) + 3) / 4 * 4;
}

static void put_double(struct bytes *f, double v)
{
    uint64_t bits;

    memcpy(&bits, &v, sizeof bits);
    put_big(f, bits, 8);
}

static void put_dimension(struct bytes *f, const char *name, uint64_t length)
{
    put_name(f, name);
    put_count(f, length);
}

/* A variable's head; attributes: a float _FillValue, a double scale_factor and add_offset
 * when scaled. begin is filled in later: where it stands is returned. */
static size_t put_variable(struct bytes *f, const char *name, int rank, const int *dims,
                           unsigned type, bool scaled)
{
    put_name(f, name);
    put_count(f, (uint64_t)rank);
    for (int i = 0; i < rank; i++)
        put_count(f, (uint64_t)dims[i]);
    put_big(f, scaled ? 12 : 0, 4);
    put_count(f, scaled ? 4 : 0);
    if (scaled) {
        put_name(f, "units");
        put_big(f, 2, 4);
        put_count(f, 1);
        f->b[f->n] = 'K', f->n += 4;
        put_name(f, "_FillValue");
        put_big(f, 3, 4);
        put_count(f, 1);
        put_big(f, (uint16_t)-999, 2), f->n += 2;
        put_name(f, "scale_factor");
        put_big(f, 6, 4);
        put_count(f, 1);
        put_double(f, 0.5);
        put_name(f, "add_offset");
        put_big(f, 6, 4);
        put_count(f, 1);
        put_double(f, 100);
    }
    put_big(f, type, 4);
    put_count(f, 0);
    size_t at = f->n;
    put_big(f, 0, f->version == 1 ? 4 : 8);
    return at;
}

static void set_begin(struct bytes *f, size_t at)
{
    const size_t bytes = f->version == 1 ? 4 : 8;

    for (size_t i = 0; i < bytes; i++)
        f->b[at + i] = (unsigned char)((uint64_t)f->n >> (8 * (bytes - 1 - i)));
}

static void begin_file(struct bytes *f, int version, uint64_t records)
{
    *f = (struct bytes){.version = version};
    memcpy(f->b, "CDF", 3);
    f->b[3] = (unsigned char)version;
    f->n = 4;
    put_count(f, records);
}

/* lat(2) as doubles, sst(time 3, 2) as scaled shorts, step(time 3) as ints, a title as
 * text; two variables with records: they are padded, and lie in turns. */
static void make_file(struct bytes *f, int version, uint64_t records)
{
    size_t begin[4];

    begin_file(f, version, records);
    put_big(f, 10, 4), put_count(f, 3);
    put_dimension(f, "time", 0);
    put_dimension(f, "lat", 2);
    put_dimension(f, "letters", 5);
    put_big(f, 12, 4), put_count(f, 1); /* of the file */
    put_name(f, "history");
    put_big(f, 2, 4), put_count(f, 3);
    memcpy(f->b + f->n, "old", 3), f->n += 4;
    put_big(f, 11, 4), put_count(f, 4);
    begin[0] = put_variable(f, "lat", 1, (int[]){1}, 6, false);
    begin[1] = put_variable(f, "sst", 2, (int[]){0, 1}, 3, true);
    begin[2] = put_variable(f, "step", 1, (int[]){0}, 4, false);
    begin[3] = put_variable(f, "title", 1, (int[]){2}, 2, false);
    set_begin(f, begin[0]);
    put_double(f, -45), put_double(f, 45);
    set_begin(f, begin[3]);
    memcpy(f->b + f->n, "ocean", 5), f->n += 8;
    set_begin(f, begin[1]);
    f->n += 4;
    set_begin(f, begin[2]);
    f->n -= 4;
    for (int r = 0; r < 3; r++) {
        put_big(f, (uint64_t)(10 + r), 2); /* 105 + r / 2 */
        put_big(f, r == 1 ? (uint16_t)-999 : (uint16_t)(-r), 2);
        put_big(f, (uint32_t)(-7 * r), 4);
    }
}

static const float lat[] = {-45, 45}, steps[] = {0, -7, -14};
static const float sst[] = {105, 100, 105.5F, NAN, 106, 99};

static void classic_files_of_all_versions(void **state)
{
    static const int versions[] = {1, 2, 5};
    struct bytes f;
    struct got g = {.n = 0};
    struct err e = ERR_INIT;

    (void)state;
    for (int i = 0; i < 6; i++) {
        const int version = versions[i % 3];
        const uint64_t not_counted = version == 5 ? UINT64_MAX : UINT32_MAX;
        make_file(&f, version, i < 3 ? 3 : not_counted);
        if (take(&g, IMPORT_NETCDF, f.b, f.n, NULL, &e) < 0)
            fail_msg("%s", e.text);
        assert_int_equal(g.n, 3);
        assert_values(&g, 0, "lat", 1, (uint64_t[]){2}, lat);
        assert_values(&g, 1, "sst", 2, (uint64_t[]){3, 2}, sst);
        assert_values(&g, 2, "step", 1, (uint64_t[]){3}, steps);
    }
    g.only = "step";
    assert_int_equal(take(&g, IMPORT_NETCDF, f.b, f.n, NULL, &e), 0);
    assert_int_equal(g.n, 1);
}

/* One variable alone with records of three bytes: they are not padded. */
static void records_of_one_variable_lie_close(void **state)
{
    static const float want[] = {1, 2, 3, 4, 5, -6};
    struct bytes f;
    struct got g = {.n = 0};
    struct err e = ERR_INIT;

    (void)state;
    begin_file(&f, 1, 2);
    put_big(&f, 10, 4), put_count(&f, 2);
    put_dimension(&f, "time", 0);
    put_dimension(&f, "x", 3);
    put_big(&f, 0, 8);
    put_big(&f, 11, 4), put_count(&f, 1);
    set_begin(&f, put_variable(&f, "v", 2, (int[]){0, 1}, 1, false));
    for (int i = 0; i < 6; i++)
        f.b[f.n++] = (unsigned char)(int)want[i];
    if (take(&g, IMPORT_NETCDF, f.b, f.n, NULL, &e) < 0)
        fail_msg("%s", e.text);
    assert_values(&g, 0, "v", 2, (uint64_t[]){2, 3}, want);
}

/* Every part of a good file, and every file with a byte changed, is read or refused with
 * words; nothing is read past its end. */
static void damaged_files_are_refused(void **state)
{
    struct bytes f;
    struct got g = {.n = 0};
    struct err e = ERR_INIT;

    (void)state;
    make_file(&f, 1, 3);
    for (size_t n = 0; n < f.n; n++) {
        e.text[0] = '\0';
        assert_int_equal(take(&g, IMPORT_NETCDF, f.b, n, NULL, &e), -1);
        assert_true(e.text[0] != '\0');
    }
    assert_string_equal(e.text,
                        "old: variable 'step' goes past the end of the file: it was cut off");
    for (size_t i = 0; i < f.n; i++) {
        const unsigned char kept = f.b[i];
        for (int change = 1; change < 256; change += 51) {
            f.b[i] = (unsigned char)(kept + change);
            e.text[0] = '\0';
            if (f.n && take(&g, IMPORT_NETCDF, f.b, f.n, NULL, &e) < 0)
                assert_true(e.text[0] != '\0');
        }
        f.b[i] = kept;
    }
    assert_int_equal(take(&g, IMPORT_NETCDF, "\211HDF\r\n\032\n....", 12, NULL, &e), -1);
    assert_string_equal(e.text, "old is an HDF5 file (NetCDF-4 is): it needs no import");
    assert_int_equal(take(&g, IMPORT_NETCDF, "CDF\7....", 8, NULL, &e), -1);
    assert_string_equal(e.text, "old: classic NetCDF of version 7; 1, 2 and 5 are known");
    assert_int_equal(take(&g, IMPORT_NETCDF, "GRIB....", 8, NULL, &e), -1);
    assert_string_equal(e.text, "old is not a classic NetCDF file");
}

/* ---- raw ---------------------------------------------------------------- */

static void raw_numbers_of_every_type(void **state)
{
    static const struct {
        const char *sidecar;
        const char *bytes;
        size_t size;
        float v[2];
    } rows[] = {
        {"type=int8\ndims=2", "\x05\xfe", 2, {5, -2}},
        {"type=uint8\ndims=2", "\x05\xfe", 2, {5, 254}},
        {"type = int16\ndims = 2 # two", "\x05\x00\xfe\xff", 4, {5, -2}},
        {"order=big\ntype=int16\ndims=2", "\x00\x05\xff\xfe", 4, {5, -2}},
        {"type=uint16\ndims=2", "\x05\x00\xfe\xff", 4, {5, 65534}},
        {"type=int32\ndims=1,2\nskip=3", "abc\x05\x00\x00\x00\xfe\xff\xff\xff", 11, {5, -2}},
        {"type=uint32\ndims=2", "\x05\x00\x00\x00\x00\x00\x00\x80", 8, {5, 2147483648.0F}},
        {"type=int64\ndims=1", "\xfe\xff\xff\xff\xff\xff\xff\xff", 8, {-2, 0}},
        {"type=uint64\norder=big\ndims=1", "\x00\x00\x00\x01\x00\x00\x00\x00", 8, {4294967296.0F}},
        {"type=float32\ndims=2", "\x00\x00\xc0\x3f\x00\x00\x00\xc0", 8, {1.5F, -2}},
        {"type=float64\norder=big\ndims=1", "\xbf\xf8\x00\x00\x00\x00\x00\x00", 8, {-1.5F}},
        {"type=int8\ndims=2\nmissing=-2\nscale=2\noffset=1", "\x05\xfe", 2, {11, NAN}},
    };
    struct got g = {.n = 0};
    struct err e = ERR_INIT;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (take(&g, IMPORT_RAW, rows[i].bytes, rows[i].size, rows[i].sidecar, &e) < 0)
            fail_msg("%s: %s", rows[i].sidecar, e.text);
        assert_int_equal(g.n, 1);
        assert_values(&g, 0, "data", g.array[0].rank, g.array[0].dims, rows[i].v);
    }
}

static void sidecars_that_do_not_fit(void **state)
{
    static const char keys[] =
        "expected type=, dims=, order=, dataset=, skip=, missing=, scale= or offset= and its value "
        "(see man hpcai500-data)";
    static const struct {
        const char *sidecar, *wrong;
    } rows[] = {
        {"type=int8\ndims=3", "old has 2 bytes, and its sidecar says more"},
        {"type=int8\ndims=1", "old has 2 bytes, and its sidecar says fewer"},
        {"type=int8\ndims=4294967296,4294967296", "old has 2 bytes, and its sidecar says more"},
        {"type=float64\ndims=4294967296,536870912", "old has 2 bytes, and its sidecar says more"},
        {"dims=2", "the sidecar of old: type= and dims= must be said"},
        {"type=int8", "the sidecar of old: type= and dims= must be said"},
        {"type=int8\ndims=2\norder=middle", keys},
        {"type=int7", keys},
        {"type=int8\ndims=1,2,3,4,5,6,7", keys},
        {"dims=0", keys},
        {"skip=-1", keys},
        {"scale=much", keys},
        {"dataset=", keys},
        {"colour=red", keys},
        {"type", keys},
    };
    struct got g = {.n = 0};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct err e = ERR_INIT;
        assert_int_equal(take(&g, IMPORT_RAW, "ab", 2, rows[i].sidecar, &e), -1);
        const size_t n = strlen(e.text), k = strlen(rows[i].wrong);
        if (n < k || strcmp(e.text + n - k, rows[i].wrong) != 0)
            fail_msg("%s: %s", rows[i].sidecar, e.text);
    }
}

/* ---- CSV ---------------------------------------------------------------- */

static void columns_become_arrays(void **state)
{
    static const struct {
        const char *text, *first, *second;
        float a[2], b[2];
    } rows[] = {
        {"x,y\n1,2\n3,4\n", "x", "y", {1, 3}, {2, 4}},
        {"\"sea level\";y\r\n1;\r\n3;NA", "sea level", "y", {1, 3}, {NAN, NAN}},
        {"# remark\n\n1\t2\n\n# more\n-3e2\tnan\n", "c0", "c1", {1, -300}, {2, NAN}},
        {"a/b,.\n 1 , 2 \n3,4", "a_b", "_", {1, 3}, {2, 4}},
        {"1,2\n3,4", "c0", "c1", {1, 3}, {2, 4}},
    };
    struct got g = {.n = 0};
    struct err e = ERR_INIT;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (take(&g, IMPORT_CSV, rows[i].text, strlen(rows[i].text), NULL, &e) < 0)
            fail_msg("%s: %s", rows[i].text, e.text);
        assert_int_equal(g.n, 2);
        assert_values(&g, 0, rows[i].first, 1, (uint64_t[]){2}, rows[i].a);
        assert_values(&g, 1, rows[i].second, 1, (uint64_t[]){2}, rows[i].b);
    }
}

static void tables_that_are_not_of_numbers(void **state)
{
    static const struct {
        const char *text, *wrong;
    } rows[] = {
        {"", "old: no line of numbers in it"},
        {"x,y\n", "old: no line of numbers in it"},
        {"x,y\n1,2\n\n3,four\n", "old, line 4, column 2: 'four' is not a number"},
        {"1,2\n1,2,3\n", "old, line 2: 3 cells, expected 2"},
        {"1,2\n1\n", "old, line 2: 1 cells, expected 2"},
        {"1\n1234567890123456789012345678901234567890123456789012345678901234567890\n",
         "old, line 2, column 1: 'a long text' is not a number"},
    };
    struct got g = {.n = 0};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct err e = ERR_INIT;
        assert_int_equal(take(&g, IMPORT_CSV, rows[i].text, strlen(rows[i].text), NULL, &e), -1);
        assert_string_equal(e.text, rows[i].wrong);
    }
}

/* ---- as HDF5 ------------------------------------------------------------ */

static const char *folder;

static void write_file(const char *name, const void *data, size_t size)
{
    char path[512];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, size, f), size);
    fclose(f);
}

/* import_file() of folder/name into folder/out.h5; what it says in *said. */
static int import(const char *name, const char *const wanted[], char **said, struct err *e)
{
    char input[512], output[512];
    size_t size;
    struct import_order o = {.input = input, .output = output};

    snprintf(input, sizeof input, "%s/%s", folder, name);
    snprintf(output, sizeof output, "%s/out.h5", folder);
    while (wanted && wanted[o.n_wanted]) {
        o.wanted[o.n_wanted] = wanted[o.n_wanted];
        o.n_wanted++;
    }
    FILE *f = open_memstream(said, &size);
    int rc = import_file(&o, f, e);
    fclose(f);
    return rc;
}

static void arrays_become_datasets(void **state)
{
    struct bytes f;
    char path[512], *said;
    float v[6];
    struct err e = ERR_INIT;

    folder = *state;
    make_file(&f, 1, 3);
    write_file("old.nc", f.b, f.n);
    if (import("old.nc", (const char *const[]){"sst:sea/surface", "lat", NULL}, &said, &e) < 0)
        fail_msg("%s", e.text);
    assert_string_equal(said, "lat: 2, -45 to 45, 0 % missing\n"
                              "sea/surface: 3 x 2, 99 to 106, 16.7 % missing\n");
    free(said);
    snprintf(path, sizeof path, "%s/out.h5", folder);
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    hid_t set = H5Dopen2(file, "sea/surface", H5P_DEFAULT), space = H5Dget_space(set);
    hsize_t dims[2];
    assert_int_equal(H5Sget_simple_extent_dims(space, dims, NULL), 2);
    assert_true(dims[0] == 3 && dims[1] == 2);
    assert_true(H5Dread(set, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, v) >= 0);
    for (int i = 0; i < 6; i++)
        assert_true(isnan(sst[i]) ? isnan(v[i]) : v[i] == sst[i]);
    assert_true(H5Lexists(file, "step", H5P_DEFAULT) == 0);
    H5Sclose(space);
    H5Dclose(set);
    H5Fclose(file);
}

static void orders_that_cannot_be_filled(void **state)
{
    static const struct {
        const char *name;
        const char *wanted[3];
        const char *wrong;
    } rows[] = {
        {"old.nc", {"sst", "wind", NULL}, "old.nc has no array of numbers 'wind'"},
        {"old.nc", {"title", NULL}, "old.nc has no array of numbers 'title'"},
        {"old.nc",
         {"sst:/x", NULL},
         "'/x' is not the path of a dataset: give NAME:PATH, like SST:sea/sst"},
        {"old.nc",
         {"sst:", NULL},
         "'' is not the path of a dataset: give NAME:PATH, like SST:sea/sst"},
        {"old.nc",
         {"sst:x", "lat:x", NULL},
         "two arrays would be called 'x': choose with --variable"},
        {"old.nc", {"lat", "sst:lat/x", NULL}, "'lat/x' cannot be put into an HDF5 file"},
        {"old.wk1", {NULL}, "old.wk1: give --format=netcdf, raw or csv"},
        {"none.csv", {NULL}, "none.csv: No such file or directory"},
        {"old.raw", {NULL}, "old.raw.txt: No such file or directory"},
    };
    struct bytes f;
    char path[512], *said;

    folder = *state;
    make_file(&f, 1, 3);
    write_file("old.nc", f.b, f.n);
    write_file("old.raw", f.b, f.n);
    write_file("old.wk1", f.b, f.n);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct err e = ERR_INIT;
        H5E_auto2_t says;
        void *data;
        assert_int_equal(import(rows[i].name, rows[i].wanted, &said, &e), -1);
        const size_t n = strlen(e.text), k = strlen(rows[i].wrong);
        if (n < k || strcmp(e.text + n - k, rows[i].wrong) != 0)
            fail_msg("%s, not %s", e.text, rows[i].wrong);
        assert_true(H5Eget_auto2(H5E_DEFAULT, &says, &data) >= 0);
        assert_true(!says); /* HDF5 has nothing to say beside */
        free(said);
        snprintf(path, sizeof path, "%s/out.h5", folder);
        assert_int_equal(access(path, F_OK), -1);
    }
}

#define ROW(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(classic_files_of_all_versions),
        cmocka_unit_test(records_of_one_variable_lie_close),
        cmocka_unit_test(damaged_files_are_refused),
        cmocka_unit_test(raw_numbers_of_every_type),
        cmocka_unit_test(sidecars_that_do_not_fit),
        cmocka_unit_test(columns_become_arrays),
        cmocka_unit_test(tables_that_are_not_of_numbers),
        ROW(arrays_become_datasets),
        ROW(orders_that_cannot_be_filled),
    };

    return cmocka_run_group_tests_name("import", tests, NULL, NULL);
}
