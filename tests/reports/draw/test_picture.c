/* SPDX-License-Identifier: BSD-3-Clause */
/* Pictures of arrays, by their points: colours of values and classes, what is not a
 * number, words, what is refused. */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <math.h>
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reports/draw/canvas.h"
#include "reports/draw/glyphs.h"
#include "reports/draw/panels.h"

enum { NOT_A_VALUE = 0xff00ff };

/* A folder of its own, in which the tests work. */
static char folder[] = "/tmp/hpcai500-picture.XXXXXX";

static int enter(void **state)
{
    (void)state;
    return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int leave(void **state)
{
    (void)state;
    unlink("x.png");
    return chdir("/") || rmdir(folder);
}

static int files_here(void)
{
    DIR *d = opendir(".");
    int n = -2; /* . and .. */

    assert_non_null(d);
    while (readdir(d))
        n++;
    closedir(d);
    return n;
}

static struct canvas read_back(const char *path)
{
    png_image image = {.version = PNG_IMAGE_VERSION};
    struct canvas c;
    struct err e = ERR_INIT;

    assert_true(png_image_begin_read_from_file(&image, path));
    image.format = PNG_FORMAT_RGB;
    assert_int_equal(canvas_init(&c, image.width, image.height, &e), 0);
    assert_true(png_image_finish_read(&image, NULL, c.rgb, 0, NULL));
    return c;
}

static uint32_t at(const struct canvas *c, long x, long y)
{
    const uint8_t *p = c->rgb + (y * c->width + x) * 3;

    return (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
}

/* Points of a colour; *x, *y take the upper left one. */
static long count(const struct canvas *c, uint32_t colour, long *x, long *y)
{
    long n = 0;

    *x = *y = -1;
    for (long j = 0; j < c->height; j++)
        for (long i = 0; i < c->width; i++)
            if (at(c, i, j) == colour && n++ == 0) {
                *x = i;
                *y = j;
            }
    return n;
}

/* ---- colours ----------------------------------------------------------- */

/* sRGB to Oklab (Ottosson 2020). */
static void oklab(uint32_t colour, double lab[3])
{
    double v[3], l, m, s;

    for (int i = 0; i < 3; i++) {
        const double x = (colour >> (16 - 8 * i) & 255) / 255.0;
        v[i] = x <= 0.04045 ? x / 12.92 : pow((x + 0.055) / 1.055, 2.4);
    }
    l = cbrt(0.4122214708 * v[0] + 0.5363325363 * v[1] + 0.0514459929 * v[2]);
    m = cbrt(0.2119034982 * v[0] + 0.6806995451 * v[1] + 0.1073969566 * v[2]);
    s = cbrt(0.0883024619 * v[0] + 0.2817188376 * v[1] + 0.6299787005 * v[2]);
    lab[0] = 0.2104542553 * l + 0.7936177850 * m - 0.0040720468 * s;
    lab[1] = 1.9779984951 * l - 2.4285922050 * m + 0.4505937099 * s;
    lab[2] = 0.0259040371 * l + 0.7827717662 * m - 0.8086757660 * s;
}

/* Sixteen steps: each as far as the others but for rounding to 8 bits, always lighter. */
static void the_palette_is_even(void **state)
{
    double last[3], lab[3], least = INFINITY, most = 0;

    (void)state;
    oklab(canvas_palette(0), last);
    for (int i = 1; i <= 16; i++) {
        oklab(canvas_palette(i / 16.0), lab);
        const double step =
            sqrt(pow(lab[0] - last[0], 2) + pow(lab[1] - last[1], 2) + pow(lab[2] - last[2], 2));
        assert_true(lab[0] > last[0] + 0.03);
        least = fmin(least, step);
        most = fmax(most, step);
        memcpy(last, lab, sizeof last);
    }
    assert_true(most < 1.15 * least);
    assert_true(canvas_palette(-1) == canvas_palette(0) && canvas_palette(7) == canvas_palette(1));
}

static void classes_have_colours_of_their_own(void **state)
{
    (void)state;
    for (int i = 0; i < 16; i++)
        for (int k = 0; k < i; k++) {
            double a[3], b[3];
            oklab(canvas_class(i), a);
            oklab(canvas_class(k), b);
            assert_true(hypot(hypot(a[0] - b[0], a[1] - b[1]), a[2] - b[2]) > 0.04);
        }
}

/* ---- words ------------------------------------------------------------- */

static void glyphs_lie_on_their_grid(void **state)
{
    (void)state;
    for (unsigned c = ' '; c <= '~'; c++) {
        const char *g = glyph(c);
        assert_true((c == ' ') == (*g == '\0'));
        for (const char *s = g; *s; s += *s == ' ' ? 1 : 2)
            if (*s != ' ') {
                assert_in_range(s[0], '0', '6');
                assert_in_range(s[1], '0', '9');
            }
        for (unsigned k = ' '; k < c; k++)
            if (strcmp(glyph(k), g) == 0) /* capital O and the digit alone are alike */
                assert_true(k == '0' && c == 'O');
    }
    assert_ptr_equal(glyph(200), glyph(5000));
}

static void words_are_drawn(void **state)
{
    struct err e = ERR_INIT;
    struct canvas c;
    long x, y;

    (void)state;
    assert_int_equal(canvas_init(&c, 60, 30, &e), 0);
    /* 7 points for 7 units: L is 4 wide, and a gap of 2 behind it */
    assert_true(canvas_text_width(7, "L") == 6 && canvas_text_width(14, "L") == 12);
    assert_true(canvas_text_width(7, "LL\xc3\xa9") == 6 + 6 + 6); /* one box for two bytes */
    assert_true(canvas_text(&c, 10.5, 20, 7, 0x000000, "L") == 6);
    assert_true(at(&c, 10, 16) < 0x303030); /* the stem */
    assert_true(at(&c, 12, 19) < 0xa0a0a0); /* the foot */
    assert_true(at(&c, 12, 15) == 0xffffff && at(&c, 20, 16) == 0xffffff);
    canvas_rect(&c, -5, -5, 8, 8, 0x123456); /* what lies outside is not drawn */
    assert_int_equal(count(&c, 0x123456, &x, &y), 9);
    canvas_fini(&c);
}

/* ---- panels ------------------------------------------------------------ */

/* The picture of one panel, read back. */
static struct canvas drawn(struct picture *p)
{
    struct err e = ERR_INIT;

    if (picture_write(p, "x.png", &e) < 0)
        fail_msg("%s", e.text);
    picture_fini(p);
    return read_back("x.png");
}

static struct panel *panel(struct picture *p, long height, long width)
{
    struct err e = ERR_INIT;
    struct panel *panel = picture_panel(p, height, width, &e);

    assert_non_null(panel);
    return panel;
}

/* Each value is a square of 224 / 2 points; the bar has the ends' colours too. */
static void values_have_their_colours(void **state)
{
    static const float values[] = {0, 4, NAN, 1};
    static struct picture p;
    struct panel *one = panel(&p, 2, 2);
    long x, y;

    (void)state;
    memcpy(one->values, values, sizeof values);
    one->scale = SCALE_LINEAR;
    struct canvas c = drawn(&p);
    assert_int_equal(count(&c, NOT_A_VALUE, &x, &y), 112 * 112);
    assert_true(at(&c, x, y - 112) == canvas_palette(0));
    assert_true(at(&c, x + 112, y - 1) == canvas_palette(1));
    assert_true(at(&c, x + 223, y + 111) == canvas_palette(0.25));
    assert_true(count(&c, canvas_palette(0.25), &x, &y) >= 112 * 112);
    canvas_fini(&c);
}

/* asinh(v / s): s, the median of what is not 0, is 1 here. */
static void a_wide_range_is_logarithmic(void **state)
{
    static const float values[] = {0, 1, 1, 1, 1, 1, 1, 1000, 30};
    static struct picture p;
    const double far = asinh(1000);
    long x, y;

    (void)state;
    for (int i = 0; i < 2; i++) {
        struct panel *one = panel(&p, 3, 3);
        memcpy(one->values, values, sizeof values);
        one->scale = i ? SCALE_LINEAR : SCALE_AUTO;
        struct canvas c = drawn(&p);
        assert_true(count(&c, canvas_palette(i ? 0.03 : asinh(30) / far), &x, &y) >= 74 * 74);
        assert_true(count(&c, canvas_palette(i ? 0.001 : asinh(1) / far), &x, &y) >= 6 * 74 * 74);
        canvas_fini(&c);
    }
}

static void classes_have_a_legend(void **state)
{
    static const char *const names[] = {"none", "pit", "crack", NULL};
    static struct picture p;
    struct panel *one = panel(&p, 2, 2);
    long x, y;

    (void)state;
    memcpy(one->values, (float[]){0, 1, 7, 1}, 4 * sizeof(float)); /* 7 is not a class */
    one->classes = 3;
    one->names = names;
    struct canvas c = drawn(&p);
    assert_int_equal(count(&c, NOT_A_VALUE, &x, &y), 112 * 112);
    assert_in_range(count(&c, canvas_class(1), &x, &y), 2 * 112 * 112 + 49, 2 * 112 * 112 + 81);
    assert_in_range(count(&c, canvas_class(2), &x, &y), 49, 81); /* of the legend alone */
    canvas_fini(&c);
}

/* What is longer than 512 is reduced; nothing rare is lost. */
static void large_arrays_are_reduced(void **state)
{
    static struct picture p;
    struct panel *values = panel(&p, 600, 1200), *mask = panel(&p, 600, 1200);
    long x, y;

    (void)state;
    for (int i = 0; i < 600 * 1200; i++) {
        values->values[i] = (float)(i % 2);
        mask->values[i] = 0;
    }
    values->values[77] = NAN;
    mask->values[77] = 2;
    mask->classes = 3;
    struct canvas c = drawn(&p);
    assert_int_equal(count(&c, NOT_A_VALUE, &x, &y), 1);
    assert_in_range(count(&c, canvas_class(2), &x, &y), 1 + 49, 1 + 81);
    assert_true(c.width < 2 * 512);
    canvas_fini(&c);
}

static void refusals_leave_nothing(void **state)
{
    static struct picture p;
    struct canvas huge = {0};
    struct err e = ERR_INIT;

    (void)state;
    assert_int_equal(canvas_init(&huge, 20000, 10, &e), -1);
    assert_string_equal(e.text,
                        "a picture of 20000 x 10 points is too large: 16384 along an edge at most");
    panel(&p, 1, 1)->values[0] = 1;
    unlink("x.png");
    assert_int_equal(picture_write(&p, "no/such.png", &e), -1);
    assert_string_equal(e.text, "no/such.png cannot be written: No such file or directory");
    assert_int_equal(picture_write(&p, ".", &e), -1);
    assert_int_equal(files_here(), 0);
    for (int i = 1; i < PICTURE_PANELS; i++)
        panel(&p, 1, 1);
    assert_null(picture_panel(&p, 1, 1, &e));
    assert_string_equal(e.text, "more than 64 panels in a picture");
    picture_fini(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_palette_is_even),
        cmocka_unit_test(classes_have_colours_of_their_own),
        cmocka_unit_test(glyphs_lie_on_their_grid),
        cmocka_unit_test(words_are_drawn),
        cmocka_unit_test(values_have_their_colours),
        cmocka_unit_test(a_wide_range_is_logarithmic),
        cmocka_unit_test(classes_have_a_legend),
        cmocka_unit_test(large_arrays_are_reduced),
        cmocka_unit_test(refusals_leave_nothing),
    };
    return cmocka_run_group_tests(tests, enter, leave);
}
