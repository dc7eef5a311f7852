/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The driver with a science of its own: what a maker says is in the files, in
 * every kind of layout, and the baselines see each sample's features once.
 */
#include <config.h>

#include "tests/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <hdf5.h>

#include "workloads/generate/gen_set.h"

enum { H = 6, W = 4, C = 2, CUTS = 3, TRAIN = 10, VALIDATION = 5, PER_FILE = 4, PER_CHUNK = 3 };

static const struct field fields[] = {
    {.name = "x",
     .axes = "cyx",
     .size = {C},
     .least = -1e9,
     .greatest = 1e9,
     .stored = NUMBER_FLOAT},
    {.name = "label",
     .axes = "",
     .whole = true,
     .least = 0,
     .greatest = 255,
     .stored = NUMBER_UINT8},
    {.name = "mask", .axes = "yx", .greatest = 9, .stored = NUMBER_INT32, .optional = true},
};

enum { LAST, PARTS, SINGLE, CUT };

static const struct layout layouts[] = {
    [LAST] = {"last", false, {{{"x"}, "nyxc"}, {{"label"}, "n"}, {{"mask"}, "nyx"}}},
    [PARTS] = {"parts", false, {{{"g/deep/a", "g/b"}, "nyx"}, {{"g/label"}, "n"}, {{NULL}, ""}}},
    [SINGLE] = {"single", false, {{{"x"}, "cyx"}, {{"label"}, ""}, {{"mask"}, "yx"}}},
    [CUT] = {"cut", true, {{{"x"}, "yxc"}, {{"label"}, ""}, {{NULL}, ""}}},
};

static const struct data_class class = {.class = CLASS_TINY,
                                        .size = {0, 0, H, W},
                                        .train = TRAIN,
                                        .validation = VALIDATION,
                                        .cuts = CUTS,
                                        .per_file = PER_FILE,
                                        .per_chunk = PER_CHUNK,
                                        .deflate = 1,
                                        .deflates = 2};

static const struct science toy = {
    .name = "toy",
    .title = "toys",
    .version = 7,
    .seed = 5,
    .stem = "toy",
    .fields = fields,
    .n_fields = 3,
    .layouts = layouts,
    .n_layouts = 4,
    .classes = &class,
    .n_classes = 1,
    .baselines = {"mean", "count"},
};

/* A validation sample's number is short and different. */
static long number(uint64_t sample)
{
    return sample < GENERATOR_VALIDATION ? (long)sample
                                         : 50 + (long)(sample - GENERATOR_VALIDATION);
}

static float value(uint64_t seed, long n, size_t c, size_t y, size_t x)
{
    return (float)(seed * 1000000) + (float)(n * 10000) + (float)(c * 1000 + y * 50 + x);
}

struct maker {
    const struct layout *layout;
    uint64_t refuse; /* sample, UINT64_MAX: none */
};

static uint64_t refused = UINT64_MAX;

static void *toy_open(const struct data_class *c, const struct layout *l, struct err *e)
{
    struct maker *m = calloc(1, sizeof *m);

    (void)e;
    assert_ptr_equal(c, &class);
    *m = (struct maker){l, refused};
    return m;
}

static int toy_make(void *maker, uint64_t seed, uint64_t sample, void *const field[],
                    float *features, struct err *e)
{
    const struct maker *m = maker;
    const size_t k = m->layout->cut ? CUTS : 1, h = k * H, w = k * W;
    const bool last = m->layout->place[0].axes[strlen(m->layout->place[0].axes) - 1] == 'c';
    const long n = number(sample);
    float *v = field[0];
    int32_t *mask = field[2];

    if (sample == m->refuse)
        return err_set(e, "sample %ld is refused", n);
    for (size_t c = 0; c < C; c++)
        for (size_t y = 0; y < h; y++)
            for (size_t x = 0; x < w; x++)
                v[last ? (y * w + x) * C + c : (c * h + y) * w + x] = value(seed, n, c, y, x);
    *(uint8_t *)field[1] = (uint8_t)n;
    for (int32_t i = 0; i < H * W; i++)
        mask[i] = i - (int32_t)n;
    for (size_t i = 0; i < k * k; i++) {
        features[2 * i] = (float)n;
        features[2 * i + 1] = 1;
    }
    return 0;
}

/* The mean of the training part's first features, and how many rows there are. */
static int toy_baselines(const float *train, size_t n, const float *validation, size_t m,
                         double v[SCIENCE_BASELINES], struct err *e)
{
    v[0] = v[1] = 0;
    for (size_t i = 0; i < n; i++) {
        v[0] += train[2 * i] / (double)n;
        v[1] += train[2 * i + 1];
    }
    for (size_t i = 0; i < m; i++) {
        if (validation[2 * i] < 50)
            return err_set(e, "a training sample is judged");
        v[1] += 100 * validation[2 * i + 1];
    }
    return 0;
}

static void toy_notes(const struct data_class *c, struct manifest *m)
{
    manifest_note(m, "size", "%ld x %ld", c->size[2], c->size[3]);
}

static const struct generator generator = {.science = &toy,
                                           .features = 2,
                                           .open = toy_open,
                                           .close = free,
                                           .make = toy_make,
                                           .baselines = toy_baselines,
                                           .notes = toy_notes};

static char root[64];

static int setup(void **state)
{
    (void)state;
    refused = UINT64_MAX;
    strcpy(root, "test-set-XXXXXX");
    return mkdtemp(root) ? 0 : -1;
}

static int teardown(void **state)
{
    char command[100];

    (void)state;
    snprintf(command, sizeof command, "rm -r %s", root);
    return system(command);
}

static void start(struct gen_set *s, const char *name, int layout)
{
    struct err e = ERR_INIT;
    char out[128];

    snprintf(out, sizeof out, "%s/%s", root, name);
    assert_int_equal(gen_set_init(s, &generator, &class, &layouts[layout], 5, 0, 0, out, &e), 0);
    assert_int_equal(gen_set_begin(s, &e), 0);
}

/* A set made by so many processes, one after the other. */
static void make(struct gen_set *s, const char *name, int layout, uint64_t size)
{
    struct err e = ERR_INIT;
    _Atomic uint64_t made = 0;
    uint64_t missing;

    start(s, name, layout);
    for (uint64_t r = 0; r < size; r++)
        assert_int_equal(gen_set_share(s, r, size, &made, &e), 0);
    assert_int_equal(made, s->train + s->validation);
    if (gen_set_finish(s, &missing, &e) != 1)
        fail_msg("%s, %d missing", e.text, (int)missing);
}

/* One dataset as it lies. */
struct set {
    int rank;
    hsize_t dims[6], chunk[6]; /* chunk[0] 0: contiguous */
    size_t bytes;              /* of a number */
    H5T_class_t kind;
    double value[4096];
};

static void read_set(const char *file, const char *name, struct set *s)
{
    char path[160];

    memset(s, 0, sizeof *s);
    snprintf(path, sizeof path, "%s/%s", root, file);
    hid_t f = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    if (f < 0)
        fail_msg("%s is not there", path);
    hid_t d = H5Dopen2(f, name, H5P_DEFAULT), space = H5Dget_space(d), type = H5Dget_type(d);
    hid_t p = H5Dget_create_plist(d);
    s->rank = H5Sget_simple_extent_dims(space, s->dims, NULL);
    if (H5Pget_layout(p) == H5D_CHUNKED)
        H5Pget_chunk(p, 6, s->chunk);
    assert_int_equal(H5Pget_nfilters(p), s->chunk[0] ? 1 : 0);
    s->bytes = H5Tget_size(type);
    s->kind = H5Tget_class(type);
    assert_true(H5Sget_simple_extent_npoints(space) <= 4096);
    assert_true(H5Dread(d, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, s->value) >= 0);
    H5Pclose(p);
    H5Tclose(type);
    H5Sclose(space);
    H5Dclose(d);
    H5Fclose(f);
}

static void has_shape(const struct set *s, int rank, const hsize_t *dims, const hsize_t *chunk)
{
    assert_int_equal(s->rank, rank);
    for (int i = 0; i < rank; i++) {
        assert_int_equal(s->dims[i], dims[i]);
        assert_int_equal(s->chunk[i], chunk ? chunk[i] : 0);
    }
}

/* Files of 4, 4, 2 and 4, 1 samples, channels last. */
static void many_samples_share_a_file(void **state)
{
    static const struct {
        const char *file;
        long first;
        hsize_t samples;
    } rows[] = {{"s/train/toy_0000000.hdf5", 0, 4},
                {"s/train/toy_0000001.hdf5", 4, 4},
                {"s/train/toy_0000002.hdf5", 8, 2},
                {"s/validation/toy_0000000.hdf5", 50, 4},
                {"s/validation/toy_0000001.hdf5", 54, 1}};
    struct gen_set s;
    struct set x, label, mask;

    (void)state;
    make(&s, "s", LAST, 1);
    assert_int_equal(s.train + s.validation, 5);
    for (size_t i = 0; i < 5; i++) {
        const hsize_t n = rows[i].samples, chunk = n < PER_CHUNK ? n : PER_CHUNK;
        read_set(rows[i].file, "x", &x);
        read_set(rows[i].file, "label", &label);
        read_set(rows[i].file, "mask", &mask);
        has_shape(&x, 4, (hsize_t[]){n, H, W, C}, (hsize_t[]){chunk, H, W, C});
        has_shape(&label, 1, &n, NULL);
        has_shape(&mask, 3, (hsize_t[]){n, H, W}, (hsize_t[]){chunk, H, W});
        assert_true(x.kind == H5T_FLOAT && x.bytes == 4);
        assert_true(label.kind == H5T_INTEGER && label.bytes == 1);
        assert_true(mask.kind == H5T_INTEGER && mask.bytes == 4);
        for (hsize_t j = 0; j < n * H * W * C; j++)
            assert_true(x.value[j] == value(5, rows[i].first + (long)(j / (H * W * C)), j % C,
                                            j / (W * C) % H, j / C % W));
        for (hsize_t j = 0; j < n; j++)
            assert_true(label.value[j] == (double)rows[i].first + (double)j);
        for (hsize_t j = 0; j < n * H * W; j++)
            assert_true(mask.value[j] ==
                        (double)(j % (H * W)) - (double)rows[i].first - (double)(j / (H * W)));
    }
}

/* The first axis is spread over datasets in groups; a field is not there. */
static void parts_lie_apart(void **state)
{
    static const char *const names[] = {"g/deep/a", "g/b"};
    struct gen_set s;
    struct set x;

    (void)state;
    make(&s, "s", PARTS, 1);
    for (size_t c = 0; c < C; c++) {
        read_set("s/train/toy_0000001.hdf5", names[c], &x);
        has_shape(&x, 3, (hsize_t[]){4, H, W}, (hsize_t[]){PER_CHUNK, H, W});
        for (hsize_t j = 0; j < 4 * H * W; j++)
            assert_true(x.value[j] == value(5, 4 + (long)(j / (H * W)), c, j / W % H, j % W));
    }
    read_set("s/train/toy_0000001.hdf5", "g/label", &x);
    assert_true(x.value[3] == 7);
    char path[128];
    snprintf(path, sizeof path, "%s/s/train/toy_0000001.hdf5", root);
    hid_t f = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    assert_true(H5Lexists(f, "mask", H5P_DEFAULT) == 0);
    H5Fclose(f);
}

static void one_sample_has_a_file(void **state)
{
    struct gen_set s;
    struct set x;

    (void)state;
    make(&s, "s", SINGLE, 1);
    assert_int_equal(s.train, TRAIN);
    assert_int_equal(s.validation, VALIDATION);
    read_set("s/train/toy_0000009.hdf5", "x", &x);
    has_shape(&x, 3, (hsize_t[]){C, H, W}, (hsize_t[]){C, H, W});
    for (hsize_t j = 0; j < C * H * W; j++)
        assert_true(x.value[j] == value(5, 9, j / (H * W), j / W % H, j % W));
    read_set("s/validation/toy_0000004.hdf5", "label", &x);
    has_shape(&x, 0, NULL, NULL);
    assert_true(x.value[0] == 54);
}

/* Nine samples a file: 10 are rounded up to two files. */
static void a_cut_file_is_whole(void **state)
{
    struct gen_set s;
    struct manifest m;
    struct set x;
    struct err e = ERR_INIT;

    (void)state;
    make(&s, "s", CUT, 1);
    assert_int_equal(s.train, 2);
    assert_int_equal(s.train_samples, 18);
    assert_int_equal(s.validation, 1);
    read_set("s/train/toy_0000001.hdf5", "x", &x);
    has_shape(&x, 3, (hsize_t[]){CUTS * H, CUTS * W, C}, (hsize_t[]){CUTS * H, CUTS * W, C});
    for (hsize_t j = 0; j < CUTS * H * CUTS * W * C; j++)
        assert_true(x.value[j] == value(5, 1, j % C, j / (CUTS * W * C), j / C % (CUTS * W)));
    assert_int_equal(manifest_read(&m, s.out, NULL, &e), 0);
    assert_true(m.baseline[0].value == 0.5); /* nine rows of file 0, nine of file 1 */
    assert_true(m.baseline[1].value == 18 + 100 * 9);
    manifest_fini(&m);
}

static void the_manifest_says_what_was_made(void **state)
{
    struct gen_set s;
    struct manifest m;
    struct err e = ERR_INIT;

    (void)state;
    make(&s, "s", LAST, 1);
    assert_int_equal(manifest_read(&m, s.out, NULL, &e), 0);
    assert_string_equal(m.science, "toy");
    assert_string_equal(m.layout, "last");
    assert_int_equal(m.generator, 7);
    assert_int_equal(m.seed, 5);
    assert_int_equal(m.train, 3);
    assert_int_equal(m.train_samples, TRAIN);
    assert_int_equal(m.validation_samples, VALIDATION);
    assert_null(strstr(m.build, "  "));
    assert_int_equal(m.n_notes, 1);
    assert_string_equal(m.note[0].text, "6 x 4");
    assert_int_equal(m.n_baselines, 2);
    assert_string_equal(m.baseline[0].name, "mean");
    assert_true(m.baseline[0].value == 4.5); /* of 0 ... 9: no row of a short file too much */
    assert_true(m.baseline[1].value == TRAIN + 100 * VALIDATION);
    assert_int_equal(manifest_verify(&m, s.out, m.n_files, &e), 0);
    manifest_fini(&m);
    assert_int_equal(gen_set_begin(&s, &e), 1); /* it is there */
}

static void any_number_of_processes_makes_the_same(void **state)
{
    char command[200];

    (void)state;
    for (int layout = 0; layout < 4; layout++) {
        struct gen_set one, three;
        char a[16], b[16];
        snprintf(a, sizeof a, "one%d", layout);
        snprintf(b, sizeof b, "three%d", layout);
        make(&one, a, layout, 1);
        make(&three, b, layout, 3);
        snprintf(command, sizeof command, "diff -r %s/%s %s/%s", root, a, root, b);
        assert_int_equal(system(command), 0);
    }
}

/* What is whole stays, and the next process goes on from there. */
static void a_failed_sample_ends_the_share(void **state)
{
    struct gen_set s;
    struct err e = ERR_INIT;
    _Atomic uint64_t made = 0;
    struct stat before, after;
    uint64_t missing;
    char path[160];

    (void)state;
    start(&s, "s", LAST);
    refused = 6;
    assert_int_equal(gen_set_share(&s, 0, 1, &made, &e), -1);
    assert_string_equal(e.text, "sample 6 is refused");
    assert_int_equal(made, 1);
    assert_int_equal(gen_set_finish(&s, &missing, &e), 0);
    assert_int_equal(missing, 4);
    snprintf(path, sizeof path, "%s/s.partial/train/toy_0000001.hdf5", root);
    assert_int_equal(access(path, F_OK), -1);
    snprintf(path, sizeof path, "%s/s.partial/train/toy_0000000.hdf5", root);
    assert_int_equal(stat(path, &before), 0);
    refused = UINT64_MAX;
    make(&s, "s", LAST, 2);
    snprintf(path, sizeof path, "%s/s/train/toy_0000000.hdf5", root);
    assert_int_equal(stat(path, &after), 0);
    assert_int_equal(before.st_ino, after.st_ino);
}

/* Two processes may have made the same file at once. */
static void a_file_that_is_said_twice_counts_once(void **state)
{
    struct gen_set s;
    struct err e = ERR_INIT;
    _Atomic uint64_t made = 0;
    uint64_t missing;
    char command[200];

    (void)state;
    start(&s, "s", LAST);
    assert_int_equal(gen_set_share(&s, 0, 2, &made, &e), 0);
    snprintf(command, sizeof command, "cat %s/s.partial/part-* >%s/s.partial/part-again", root,
             root);
    assert_int_equal(system(command), 0);
    assert_int_equal(gen_set_finish(&s, &missing, &e), 0);
    assert_int_equal(missing, 2);
}

/* Another layout of the same set is another set. */
static void what_is_there_is_not_written_over(void **state)
{
    struct gen_set s, other;
    struct err e = ERR_INIT;
    char want[200];

    (void)state;
    make(&s, "s", LAST, 1);
    assert_int_equal(gen_set_init(&other, &generator, &class, &layouts[PARTS], 5, 0, 0, s.out, &e),
                     0);
    assert_int_equal(gen_set_begin(&other, &e), -1);
    snprintf(want, sizeof want,
             "%s/s holds another set (toy, class tiny, layout last, seed 5, 10 + 5 samples, build ",
             root);
    ;
    assert_int_equal(strncmp(e.text, want, strlen(want)), 0);
    start(&s, "t", LAST);
    memcpy(other.out, s.out, sizeof s.out);
    memcpy(other.partial, s.partial, sizeof s.partial);
    assert_int_equal(gen_set_begin(&other, &e), -1);
    assert_non_null(strstr(e.text, "holds an unfinished set of other settings"));
}

static void a_set_has_a_size(void **state)
{
    struct gen_set s;
    struct err e = ERR_INIT;

    (void)state;
    assert_int_equal(gen_set_init(&s, &generator, &class, &layouts[0], 5, 8, 2, "x///", &e), 0);
    assert_string_equal(s.partial, "x.partial");
    assert_int_equal(gen_set_bytes(&s), 10 * (H * W * C * 4 + 1 + H * W * 4) / 2);
    assert_int_equal(
        gen_set_init(&s, &generator, &class, &layouts[SINGLE], 5, MANIFEST_MAX_FILES, 1, "x", &e),
        -1);
    assert_string_equal(e.text, "1048577 files, expected at most 1048576");
    assert_int_equal(
        gen_set_init(&s, &generator, &class, &layouts[LAST], 5, MANIFEST_MAX_FILES, 1, "x", &e), 0);
}

/* Every science that can be read can be made. */
static void all_sciences_have_a_generator(void **state)
{
    (void)state;
    for (int i = 0; science_at(i); i++) {
        assert_non_null(generator_of(science_at(i)));
        assert_ptr_equal(generator_at(i)->science, science_at(i));
    }
    assert_null(generator_at(-1));
    assert_null(generator_of(&toy));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define ROW(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
        ROW(many_samples_share_a_file),
        ROW(parts_lie_apart),
        ROW(one_sample_has_a_file),
        ROW(a_cut_file_is_whole),
        ROW(the_manifest_says_what_was_made),
        ROW(any_number_of_processes_makes_the_same),
        ROW(a_failed_sample_ends_the_share),
        ROW(a_file_that_is_said_twice_counts_once),
        ROW(what_is_there_is_not_written_over),
        ROW(a_set_has_a_size),
        ROW(all_sciences_have_a_generator),
#undef ROW
    };

    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
