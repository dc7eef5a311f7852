/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * `hpcai500 data check`: every value is looked at once and the first wrong one
 * named, what is slow is called slow and nothing else, and files that fit no
 * layout are told what they lack. check_values.c is compiled into this program
 * with regions of a few values.
 */
#define CHECK_REGION_BYTES 256
#include "workloads/data/check_values.c"

#include "tests/unit.h"

#include <float.h>
#include <sys/stat.h>
#include <unistd.h>

#include <hdf5.h>

#include "workloads/data/science_cosmo.h"

/* ---- files ---- */

struct made {
    const char *path; /* dataset */
    hid_t stored, held;
    int rank;
    hsize_t dims[5], chunk[5]; /* chunk[0] 0: contiguous */
    void (*filter)(hid_t properties);
    const void *values; /* NULL: never written */
};

static char root[64], file[128];

static int setup(void **state)
{
    (void)state;
    strcpy(root, "test-check-XXXXXX");
    if (!mkdtemp(root))
        return -1;
    snprintf(file, sizeof file, "%s/f.h5", root);
    return 0;
}

static int teardown(void **state)
{
    char command[100];

    (void)state;
    snprintf(command, sizeof command, "rm -r %s", root);
    return system(command);
}

static void gzip(hid_t p)
{
    H5Pset_deflate(p, 1);
}

static void shuffled(hid_t p)
{
    H5Pset_shuffle(p);
    H5Pset_deflate(p, 3);
}

static void scaled(hid_t p)
{
    H5Pset_scaleoffset(p, H5Z_SO_INT, H5Z_SO_INT_MINBITS_DEFAULT);
}

static void compact(hid_t p)
{
    H5Pset_layout(p, H5D_COMPACT);
}

static void write_file(const char *path, hsize_t userblock, int n, const struct made *sets)
{
    hid_t c = H5Pcreate(H5P_FILE_CREATE);
    H5Pset_userblock(c, userblock);
    hid_t f = H5Fcreate(path, H5F_ACC_TRUNC, c, H5P_DEFAULT);

    assert_true(f >= 0);
    for (int i = 0; i < n; i++) {
        const struct made *m = &sets[i];
        hid_t space = H5Screate_simple(m->rank, m->dims, NULL);
        hid_t p = H5Pcreate(H5P_DATASET_CREATE);
        if (m->chunk[0])
            H5Pset_chunk(p, m->rank, m->chunk);
        if (m->filter)
            m->filter(p);
        hid_t d = H5Dcreate2(f, m->path, m->stored, space, H5P_DEFAULT, p, H5P_DEFAULT);
        assert_true(d >= 0);
        if (m->values)
            assert_true(H5Dwrite(d, m->held, H5S_ALL, H5S_ALL, H5P_DEFAULT, m->values) >= 0);
        H5Dclose(d);
        H5Pclose(p);
        H5Sclose(space);
    }
    H5Fclose(f);
    H5Pclose(c);
}

/* ---- a science ---- */

enum { N = 10, H = 6, W = 5, C = 3 };

static const struct field fields[] = {
    {.name = "x", .axes = "yxc", .least = -100, .greatest = 1e6, .stored = NUMBER_FLOAT},
    {.name = "label", .axes = "", .whole = true, .least = 1, .greatest = 3, .stored = NUMBER_UINT8},
};

enum { MANY, LAST, ALONE, CUT };

static const struct layout layouts[] = {
    [MANY] = {"many", false, {{{"x"}, "nyxc"}, {{"label"}, "n"}}},
    [LAST] = {"last", false, {{{"last"}, "yxcn"}, {{"label"}, "n"}}},
    [ALONE] = {"alone", false, {{{"alone"}, "yxc"}, {{"label"}, ""}}},
    [CUT] = {"cut", true, {{{"cut"}, "yxc"}, {{"label"}, ""}}},
};

static const struct data_class class = {.class = CLASS_TINY, .size = {C, 0, 64, 64}};

static const struct science toy = {.name = "toy",
                                   .title = "toys",
                                   .fields = fields,
                                   .n_fields = 2,
                                   .layouts = layouts,
                                   .n_layouts = 4};

static void probe_toy(struct sample_file *f, const struct data_class *c, struct sample_form *form)
{
    struct err e = ERR_INIT;

    if (sample_probe(f, file, 0, &toy, c, form, &e) < 0)
        fail_msg("%s", e.text);
}

/* ---- values ---- */

/* What check_values() finds in field k. */
static struct check_field *look(int k)
{
    static struct check_field to;
    struct sample_file f;
    struct sample_form form;
    struct err e = ERR_INIT;

    to = (struct check_field){.field = &fields[k], .least = INFINITY, .greatest = -INFINITY};
    to.levels = k == 1 ? 3 : 0;
    probe_toy(&f, NULL, &form);
    if (check_values(&f, &form, k, &to, &e) < 0)
        fail_msg("%s", e.text);
    sample_close(&f);
    return &to;
}

static void write_many(const float *x, const float *label, const hsize_t chunk[4])
{
    const struct made sets[] = {
        {"x",
         H5T_IEEE_F32BE,
         H5T_NATIVE_FLOAT,
         4,
         {N, H, W, C},
         {chunk[0], chunk[1], chunk[2], chunk[3]},
         chunk[0] ? shuffled : NULL,
         x},
        {"label", H5T_IEEE_F64LE, H5T_NATIVE_FLOAT, 1, {N}, {0}, NULL, label}};

    write_file(file, 0, 2, sets);
}

/* However the set is stored and however few fit at a time. */
static void every_value_is_looked_at_once(void **state)
{
    static const hsize_t chunks[][4] = {
        {0},          {1, H, W, C}, {3, H, W, C}, {N, H, W, C}, {4, 4, 4, 2},
        {1, 1, 1, 1}, {N, 1, 1, 1}, {1, H, 1, C}, {2, 5, W, C},
    };
    static float x[N * H * W * C], label[N];
    double sum = 0;

    (void)state;
    for (int i = 0; i < N * H * W * C; i++) {
        x[i] = (float)(i * i % 1009);
        sum += x[i];
    }
    for (int i = 0; i < N; i++)
        label[i] = (float)(i < 2 ? 1 : i < 5 ? 2 : 3);
    for (size_t i = 0; i < sizeof chunks / sizeof chunks[0]; i++) {
        write_many(x, label, chunks[i]);
        const struct check_field *to = look(0);
        assert_int_equal(to->values, N * H * W * C);
        assert_true(to->sum == sum && to->least == 0 && to->greatest == 1008);
        assert_int_equal(to->not_finite + to->out_of_range + to->fractions, 0);
        assert_string_equal(to->first_bad, "");
    }
    const struct check_field *to = look(1);
    assert_int_equal(to->values, N);
    assert_int_equal(to->count[0], 2);
    assert_int_equal(to->count[1], 3);
    assert_int_equal(to->count[2], 5);
}

static void wrong_values_are_counted_and_the_first_named(void **state)
{
    static float x[N * H * W * C], label[N] = {1, 2, 3, 1.5F, 2, 0, 4, NAN, 3, 3};
    char want[256];

    (void)state;
    x[((7 * H + 3) * W + 2) * C + 1] = NAN;
    x[((7 * H + 3) * W + 2) * C + 2] = -INFINITY;
    x[((8 * H + 0) * W + 0) * C + 0] = -101;
    x[((9 * H + 5) * W + 4) * C + 2] = 1e7F;
    x[0] = -100; /* still good */
    write_many(x, label, (hsize_t[]){3, H, W, C});
    const struct check_field *to = look(0);
    assert_int_equal(to->not_finite, 2);
    assert_int_equal(to->out_of_range, 2);
    assert_true(to->least == -101 && to->greatest == 1e7);
    snprintf(want, sizeof want, "%s: dataset 'x' at [7][3][2][1] is nan", file);
    assert_string_equal(to->first_bad, want);
    to = look(1);
    assert_int_equal(to->not_finite, 1);
    assert_int_equal(to->out_of_range, 2);
    assert_int_equal(to->fractions, 1);
    assert_int_equal(to->count[0] + to->count[1] + to->count[2], 6);
    snprintf(want, sizeof want, "%s: dataset 'label' at [3] is 1.5", file);
    assert_string_equal(to->first_bad, want);
}

/* ---- speed ---- */

static unsigned char noise[64 * 64 * C * 4];

/* 64 x 64 x 3 floats a sample: 48 KiB. */
static const struct {
    const char *set, *title;
    hsize_t dims[4], chunk[4];
    int rank;
    void (*filter)(hid_t);
    hsize_t userblock;
    const void *values;
    const char *sentence; /* a part of the one that is said; NULL: none */
} speeds[] = {
    {"x", "contiguous", {100, 64, 64, C}, {0}, 4, NULL, 0, NULL, NULL},
    {"x", "a sample a chunk", {100, 64, 64, C}, {1, 64, 64, C}, 4, gzip, 0, NULL, NULL},
    {"x", "many a chunk, kept", {1000, 64, 64, C}, {1000, 64, 64, C}, 4, gzip, 0, NULL, NULL},
    {"x", "automatic chunks, kept", {1000, 64, 64, C}, {63, 8, 8, 1}, 4, gzip, 0, NULL, NULL},
    {"x",
     "many a chunk, too many",
     {30000, 64, 64, C},
     {30000, 8, 64, C},
     4,
     gzip,
     0,
     NULL,
     "dataset 'x': 30000 samples share chunks of 1.47 GB, more than can be kept (1.07 GB)"},
    {"x",
     "tiny chunks",
     {100, 64, 64, C},
     {1, 8, 8, C},
     4,
     gzip,
     0,
     NULL,
     "a sample lies in 64 chunks of 768 bytes"},
    {"x", "fewer chunks", {100, 64, 64, C}, {1, 8, 16, C}, 4, gzip, 0, NULL, NULL},
    {"last",
     "samples along the last axis",
     {64, 64, C, 100},
     {0},
     4,
     NULL,
     0,
     NULL,
     "a sample lies in 12288 places of 4 bytes"},
    {"alone", "one sample", {64, 64, C}, {0}, 3, NULL, 0, NULL, NULL},
    {"alone", "noise", {64, 64, C}, {64, 64, C}, 3, gzip, 0, noise, "its compression saves"},
    {"alone", "noise as it is", {64, 64, C}, {64, 64, C}, 3, NULL, 0, noise, NULL},
    {"alone",
     "a filter of HDF5",
     {64, 64, C},
     {64, 64, C},
     3,
     scaled,
     0,
     noise,
     "'alone': scaleoffset: only the HDF5 library"},
    {"alone",
     "behind a user block",
     {64, 64, C},
     {64, 64, C},
     3,
     NULL,
     512,
     noise,
     "'alone': behind a user block: only"},
    {"cut",
     "cut out of one chunk",
     {128, 128, C},
     {128, 128, C},
     3,
     NULL,
     0,
     NULL,
     "a sample is 1/4 of the chunks"},
    {"cut", "cut along chunks", {128, 128, C}, {64, 64, C}, 3, NULL, 0, NULL, NULL},
    {"cut",
     "cut out of rows",
     {128, 128, C},
     {32, 128, C},
     3,
     NULL,
     0,
     NULL,
     "a sample is 1/2 of the chunks"},
    {"cut",
     "cut across chunks: 2, 3 of 40 rows",
     {128, 128, C},
     {40, 128, C},
     3,
     NULL,
     0,
     NULL,
     "a sample is 1/3 of the chunks"},
    {"alone", "in the header", {64, 64, C}, {0}, 3, compact, 0, noise, NULL},
    {"cut",
     "cut out of one piece",
     {128, 128, C},
     {0},
     3,
     NULL,
     0,
     NULL,
     "a sample lies in 64 places of 768 bytes"},
};

static void what_is_slow_is_said(void **state)
{
    static struct check c;
    uint64_t r = 1;

    (void)state;
    for (size_t i = 0; i < sizeof noise; i++)
        noise[i] = (unsigned char)((r = r * 6364136223846793005U + 1442695040888963407U) >> 56);
    for (size_t i = 0; i < sizeof speeds / sizeof speeds[0]; i++) {
        struct made sets[] = {{.path = speeds[i].set, .rank = speeds[i].rank},
                              {.path = "label", .stored = H5T_STD_U8LE, .rank = 0}};
        struct sample_file f;
        struct sample_form form;
        sets[0].stored = sets[0].held =
            speeds[i].filter == scaled ? H5T_NATIVE_INT : H5T_NATIVE_FLOAT;
        memcpy(sets[0].dims, speeds[i].dims, sizeof speeds[i].dims);
        memcpy(sets[0].chunk, speeds[i].chunk, sizeof speeds[i].chunk);
        sets[0].filter = speeds[i].filter;
        sets[0].values = speeds[i].values;
        if (speeds[i].set[0] == 'x' || speeds[i].set[0] == 'l') {
            sets[1].rank = 1;
            sets[1].dims[0] = speeds[i].set[0] == 'x' ? speeds[i].dims[0] : speeds[i].dims[3];
            sets[1].chunk[0] = sets[1].dims[0]; /* few values a sample: read once a file */
            sets[1].filter = gzip;
            sets[1].held = H5T_NATIVE_UCHAR;
            sets[1].values = noise;
        }
        write_file(file, speeds[i].userblock, 2, sets);
        probe_toy(&f, &class, &form);
        c.n_slow = 0;
        check_speed(&c, &f, &form);
        sample_close(&f);
        if (c.n_slow != (speeds[i].sentence != NULL) ||
            (c.n_slow && !strstr(c.slow[0], speeds[i].sentence)))
            fail_msg("%s: %d sentences: %s", speeds[i].title, c.n_slow, c.n_slow ? c.slow[0] : "");
    }
}

/* ---- files and folders of a science that is there ---- */

static int16_t counts[32 * 32 * 32 * 4];

/* Cubes of 32^3, of `edge`^3 where that is less, with these labels. */
static void write_cube(const char *name, hsize_t edge, const float y[4])
{
    char path[128];
    const struct made sets[] = {
        {"x", H5T_STD_I16LE, H5T_NATIVE_INT16, 4, {edge, edge, edge, 4}, {0}, NULL, counts},
        {"y", H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, 1, {4}, {0}, NULL, y}};

    snprintf(path, sizeof path, "%s/%s", root, name);
    write_file(path, 0, 2, sets);
}

static void make_folders(void)
{
    char path[128];

    snprintf(path, sizeof path, "%s/train", root);
    mkdir(path, 0777);
    snprintf(path, sizeof path, "%s/validation", root);
    mkdir(path, 0777);
}

static struct check *see(const char *path, bool values)
{
    static struct check c;
    struct err e = ERR_INIT;

    if (check_path(&c, path, values, &e) < 0)
        fail_msg("%s", e.text);
    return &c;
}

static const float y[4] = {0.25F, -0.5F, 0, 1};

static void a_good_folder_is_good(void **state)
{
    const struct check *c;

    (void)state;
    make_folders();
    write_cube("train/a.h5", 32, y);
    write_cube("train/b.h5", 32, y);
    write_cube("validation/a.h5", 32, y);
    c = see(root, true);
    assert_true(check_good(c));
    assert_ptr_equal(c->science, &science_cosmo);
    assert_string_equal(c->layout->name, "cut");
    assert_int_equal(c->n_parts, 2);
    assert_int_equal(c->part[0].samples, 2);
    assert_int_equal(c->part[1].samples, 1);
    assert_int_equal(c->part[0].field[COSMO_X].values, 2 * 32 * 32 * 32 * 4);
    assert_int_equal(c->part[0].field[COSMO_Y].values, 8);
    assert_true(c->part[1].field[COSMO_Y].least == -0.5 && c->part[1].field[COSMO_Y].sum == 0.75);
    assert_int_equal(c->part[0].field[COSMO_X].stored_bytes, 2 * sizeof counts);
    assert_string_equal(c->part[0].field[COSMO_X].type, "int16");
    assert_int_equal(c->n_classes, 2); /* tiny and small have 32^3, standard has not */
    assert_int_equal(c->class[0].class->class, CLASS_TINY);
    assert_int_equal(c->class[1].samples, 2);
    assert_int_equal(c->n_slow + c->n_tried, 0);
    c = see(root, false);
    assert_true(check_good(c));
    assert_int_equal(c->part[0].field[COSMO_X].values, 0);
}

static void a_file_that_is_not_like_the_first(void **state)
{
    const float wrong[4] = {0, NAN, 0, 0};
    const struct check *c;
    char want[256];

    (void)state;
    make_folders();
    write_cube("train/a.h5", 32, y);
    write_cube("train/b.h5", 16, y);
    write_cube("train/c.h5", 32, wrong);
    c = see(root, true);
    assert_false(check_good(c));
    assert_int_equal(c->problems, 2); /* b, and no validation part */
    snprintf(want, sizeof want, "%s/train/b.h5: dataset 'x' is (16,16,16,4), expected (32,32,32,4)",
             root);
    assert_string_equal(c->problem, want);
    assert_int_equal(c->part[0].files, 3);
    assert_int_equal(c->part[0].samples, 2);
    assert_int_equal(c->part[0].field[COSMO_Y].not_finite, 1);
    snprintf(want, sizeof want, "%s/train/c.h5: dataset 'y' at [1] is nan", root);
    assert_string_equal(c->part[0].field[COSMO_Y].first_bad, want);
}

/* A simulation that is cut has as many samples as the class says. */
static void what_is_cut_has_the_classes_samples(void **state)
{
    const struct made sets[] = {
        {"full", H5T_STD_I16LE, H5T_NATIVE_INT16, 4, {64, 64, 64, 4}, {0}, NULL, NULL},
        {"unitPar", H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, 1, {4}, {0}, NULL, y}};
    const struct check *c;
    char path[128];

    (void)state;
    make_folders();
    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/%s/%d.h5", root, i ? "train" : "validation", i);
        write_file(path, 0, 2, sets);
    }
    c = see(root, false);
    assert_true(check_good(c));
    assert_string_equal(c->layout->name, "raw");
    assert_int_equal(c->n_tried, 0);
    assert_int_equal(c->class[0].samples, 16);
}

/* One thing that is wrong is enough. */
static void half_a_folder_is_not_good(void **state)
{
    char path[128];

    (void)state;
    make_folders();
    snprintf(path, sizeof path, "%s/train/a.h5", root);
    fclose(fopen(path, "w"));
    assert_false(check_good(see(root, true)));
    write_cube("train/a.h5", 32, y);
    assert_false(check_good(see(root, true)));
    write_cube("validation/a.h5", 32, y);
    assert_true(check_good(see(root, true)));
    counts[9] = -1; /* fewer particles than none */
    write_cube("validation/a.h5", 32, y);
    counts[9] = 0;
    assert_false(check_good(see(root, true)));
}

/* A NaN alone is not good either. */
static void a_wrong_value_is_not_good(void **state)
{
    const float wrong[4] = {0, NAN, 0, 0};

    (void)state;
    write_cube("a.h5", 32, wrong);
    snprintf(file, sizeof file, "%s/a.h5", root);
    assert_false(check_good(see(file, true)));
    assert_true(check_good(see(file, false)));
}

static void what_fits_no_layout_is_told_why(void **state)
{
    const struct made sets[] = {
        {"x", H5T_STD_I16LE, H5T_NATIVE_INT16, 4, {8, 8, 8, 4}, {0}, NULL, counts}};
    const struct check *c;
    int cosmo = 0;

    (void)state;
    write_file(file, 0, 1, sets);
    c = see(file, true);
    assert_false(check_good(c));
    assert_null(c->layout);
    assert_true(c->n_tried >= 2);
    for (int i = 0; i < c->n_tried; i++) {
        const bool cut = strcmp(c->tried[i].layout, "cut") == 0;
        if (strcmp(c->tried[i].science, "cosmo") != 0)
            continue;
        assert_string_equal(c->tried[i].lacks,
                            cut ? "dataset 'y' is missing" : "dataset 'full' is missing");
        cosmo++;
    }
    assert_int_equal(cosmo, 2);
}

static void a_size_that_no_class_has(void **state)
{
    const struct check *c;

    (void)state;
    write_cube("f.h5", 8, y);
    c = see(file, true);
    assert_true(check_good(c));
    assert_int_equal(c->n_classes, 0);
}

static void no_data_at_all(void **state)
{
    static struct check c;
    const struct check *seen;
    struct err e = ERR_INIT;
    char want[256];

    (void)state;
    assert_int_equal(check_path(&c, "no/such/file", true, &e), -1);
    assert_string_equal(e.text, "no/such/file: No such file or directory");
    assert_int_equal(check_path(&c, "", true, &e), -1);
    FILE *f = fopen(file, "w");
    fputs("tea", f);
    fclose(f);
    seen = see(file, true);
    assert_false(check_good(seen));
    assert_int_equal(seen->n_tried, 0);
    snprintf(want, sizeof want, "%s: not an HDF5 file", file);
    assert_int_equal(strncmp(seen->problem, want, strlen(want)), 0);
    seen = see(root, true); /* neither train nor validation */
    assert_false(check_good(seen));
    assert_int_equal(seen->problems, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define ROW(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
        ROW(every_value_is_looked_at_once),
        ROW(wrong_values_are_counted_and_the_first_named),
        ROW(what_is_slow_is_said),
        ROW(a_good_folder_is_good),
        ROW(a_file_that_is_not_like_the_first),
        ROW(what_is_cut_has_the_classes_samples),
        ROW(half_a_folder_is_not_good),
        ROW(a_wrong_value_is_not_good),
        ROW(what_fits_no_layout_is_told_why),
        ROW(a_size_that_no_class_has),
        ROW(no_data_at_all),
#undef ROW
    };

    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
