/* SPDX-License-Identifier: BSD-3-Clause */
/* What of a sample becomes which panel, by the tables of an invented science. */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <float.h>
#include <stdlib.h>
#include <string.h>

#include "workloads/view/view.h"

enum { CUBE, MASK, SPECTRUM, LABEL, PAIR, FIELDS };
enum { Z = 4, Y = 2, X = 3, C = 2 };

static const char *const channels[] = {"first [K]", "second [m]", NULL};
static const char *const kinds[] = {"none", "some", "many", NULL};

static const struct field fields[FIELDS] = {
    [CUBE] = {.name = "cube", .title = "a cube", .axes = "zyxc", .names = channels},
    [MASK] = {.name = "mask",
              .title = "a mask",
              .axes = "yx",
              .whole = true,
              .greatest = 2,
              .names = kinds},
    [SPECTRUM] = {.name = "spectrum", .title = "a spectrum", .axes = "x"},
    [LABEL] = {.name = "label",
               .title = "a label",
               .axes = "",
               .whole = true,
               .greatest = 2,
               .names = kinds},
    [PAIR] = {.name = "pair", .title = "two numbers", .axes = "c"},
};

static const struct science science = {
    .name = "none", .title = "things", .fields = fields, .n_fields = FIELDS};

/* Its values in memory: the cube channels first, as a file may have it. */
static struct {
    float cube[C * Z * Y * X], mask[Y * X], spectrum[5], label, pair[2];
} sample;

static struct dataset_info info = {
    .science = &science,
    .field = {
        [CUBE] = {NUMBER_FLOAT, "float32", 4, {Z, Y, X, C}, {Y * X, X, 1, Z *Y *X}, C *Z *Y *X, 0},
        [MASK] =
            {NUMBER_FLOAT, "uint8", 2, {Y, X}, {X, 1}, Y *X, offsetof(__typeof__(sample), mask)},
        [SPECTRUM] =
            {NUMBER_FLOAT, "float32", 1, {5}, {1}, 5, offsetof(__typeof__(sample), spectrum)},
        [LABEL] = {NUMBER_FLOAT, "", 0, {0}, {0}, 1, offsetof(__typeof__(sample), label)},
        [PAIR] = {NUMBER_FLOAT, "float32", 1, {2}, {1}, 2, offsetof(__typeof__(sample), pair)},
    }};

static struct picture picture;

static void draw(int k)
{
    struct err e = ERR_INIT;

    if (view_field(&picture, &info, &sample, k, SCALE_LOG, &e) < 0)
        fail_msg("%s", e.text);
}

static int clear(void **state)
{
    (void)state;
    picture_fini(&picture);
    memset(&picture, 0, sizeof picture);
    return 0;
}

static float cube_value(int c, int z, int y, int x)
{
    return (float)(1000 * c + 100 * z + 10 * y + x);
}

/* A row of means along z, one of the middle slices; a panel a channel. */
static void cubes_are_means_and_slices(void **state)
{
    (void)state;
    for (int c = 0; c < C; c++)
        for (int z = 0; z < Z; z++)
            for (int y = 0; y < Y; y++)
                for (int x = 0; x < X; x++)
                    sample.cube[((c * Z + z) * Y + y) * X + x] = cube_value(c, z, y, x);
    draw(CUBE);
    assert_int_equal(picture.n_panels, 4);
    for (int i = 0; i < 4; i++) {
        const struct panel *p = &picture.panel[i];
        assert_string_equal(p->title, i % 2 ? "cube: second [m]" : "cube: first [K]");
        assert_string_equal(p->note, i < 2 ? "mean along z" : "slice z = 2");
        assert_true(p->height == Y && p->width == X && p->axis[0] == 'y' && p->axis[1] == 'x');
        assert_true(p->row == (i % 2 == 0) && p->scale == SCALE_LOG && p->classes == 0);
        for (int y = 0; y < Y; y++)
            for (int x = 0; x < X; x++)
                assert_true(p->values[y * X + x] ==
                            cube_value(i % 2, 0, y, x) + (i < 2 ? 150 : 200));
    }
}

static void masks_have_classes(void **state)
{
    (void)state;
    for (int i = 0; i < Y * X; i++)
        sample.mask[i] = (float)(i % 3);
    draw(MASK);
    assert_int_equal(picture.n_panels, 1);
    assert_string_equal(picture.panel[0].title, "mask");
    assert_int_equal(picture.panel[0].classes, 3);
    assert_ptr_equal(picture.panel[0].names, kinds);
    assert_memory_equal(picture.panel[0].values, sample.mask, sizeof sample.mask);
}

static void spectra_are_strips(void **state)
{
    (void)state;
    sample.spectrum[4] = 7;
    draw(SPECTRUM);
    assert_int_equal(picture.n_panels, 1);
    assert_string_equal(picture.panel[0].title, "spectrum: a spectrum");
    assert_true(picture.panel[0].height == 1 && picture.panel[0].width == 5);
    assert_true(picture.panel[0].values[4] == 7 && picture.panel[0].axis[0] == '\0');
}

static void numbers_are_words(void **state)
{
    (void)state;
    sample.label = 2;
    sample.pair[0] = 0.25f;
    sample.pair[1] = -3;
    draw(LABEL);
    draw(PAIR);
    assert_int_equal(picture.n_panels, 0);
    assert_int_equal(picture.n_lines, 3);
    assert_string_equal(picture.line[0],
                        "label\tmany (2)\ta label (not in the file: this is taken)");
    assert_string_equal(picture.line[1], "pair 0\t0.25\ttwo numbers");
    assert_string_equal(picture.line[2], "pair 1\t-3\ttwo numbers");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(cubes_are_means_and_slices, clear),
        cmocka_unit_test_teardown(masks_have_classes, clear),
        cmocka_unit_test_teardown(spectra_are_strips, clear),
        cmocka_unit_test_teardown(numbers_are_words, clear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
