/* SPDX-License-Identifier: BSD-3-Clause */
/* Draws have the distributions that they are named after. */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>

#include "workloads/generate/gen_draw.h"
#include "workloads/generate/gen_math.h"

enum { DRAWS = 1000000 };

static double uniform(struct draw *d)
{
    return draw_uniform(d);
}

static double between(struct draw *d)
{
    return draw_between(d, -3, 5);
}

static double logarithm(struct draw *d)
{
    return log(draw_log_between(d, exp(-1), exp(2)));
}

static double gamma_22(struct draw *d)
{
    return draw_gamma(d, 2.2);
}

static double poisson_small(struct draw *d)
{
    return draw_poisson(d, 0.8);
}

static double poisson_large(struct draw *d)
{
    return draw_poisson(d, 120);
}

static double chance(struct draw *d)
{
    return draw_chance(d, 0.3);
}

/* kurtosis: of the distribution, 3 for a normal one. */
static const struct row {
    const char *name;
    double (*draw)(struct draw *);
    double mean, variance, kurtosis;
} rows[] = {
    {"uniform", uniform, 0.5, 1.0 / 12, 1.8},
    {"between", between, 1, 64.0 / 12, 1.8},
    {"log between", logarithm, 0.5, 9.0 / 12, 1.8},
    {"normal", draw_normal, 0, 1, 3},
    {"exponential", draw_exponential, 1, 1, 9},
    {"gamma", gamma_22, 2.2, 2.2, 3 + 6 / 2.2},
    {"poisson .8", poisson_small, 0.8, 0.8, 3 + 1 / 0.8},
    {"poisson 120", poisson_large, 120, 120, 3 + 1 / 120.0},
    {"chance", chance, 0.3, 0.21, 3 + (1 - 6 * 0.21) / 0.21},
};

/* Mean and variance within five of their standard errors: sqrt(v / n) and v
 * sqrt((kurtosis - 1) / n). The seeds are fixed: what passes, passes always. */
static void moments_are_the_distribution_s(void **state)
{
    (void)state;
    for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++) {
        const struct row *w = &rows[r];
        double sum = 0, squares = 0;
        struct draw d;
        draw_init(&d, 11, r);
        for (int i = 0; i < DRAWS; i++) {
            double x = w->draw(&d) - w->mean;
            sum += x;
            squares += x * x;
        }
        double mean = sum / DRAWS, variance = squares / DRAWS - mean * mean;
        if (!(fabs(mean) < 5 * sqrt(w->variance / DRAWS)))
            fail_msg("%s: mean off by %g", w->name, mean);
        if (!(fabs(variance - w->variance) < 5 * w->variance * sqrt((w->kurtosis - 1) / DRAWS)))
            fail_msg("%s: variance %g where %g was expected", w->name, variance, w->variance);
    }
}

/* The normal's tails are there, and its two of a pair know nothing of each other. */
static void normals_are_independent_and_have_tails(void **state)
{
    int beyond = 0;
    double product = 0;
    struct draw d;

    (void)state;
    draw_init(&d, 12, 0);
    for (int i = 0; i < DRAWS; i++) {
        double x = draw_normal(&d), y = draw_normal(&d);
        product += x * y;
        beyond += (fabs(x) > 3) + (fabs(y) > 3);
    }
    /* 2.7 in 1,000; five standard errors of the count, and of a mean of unit variance */
    assert_true(fabs(beyond - 2 * DRAWS * 0.0026998) < 5 * sqrt(2 * DRAWS * 0.0027));
    assert_true(fabs(product / DRAWS) < 5 / sqrt(DRAWS));
}

static void a_stream_is_its_own(void **state)
{
    uint32_t block[4];
    struct draw a, b, c;

    (void)state;
    draw_init(&a, 7, 3);
    draw_init(&b, 7, 3);
    draw_init(&c, 7, 4);
    draw_normal(&b); /* what was drawn before does not stay */
    draw_init(&b, 7, 3);
    int same = 0;
    for (int i = 0; i < 1000; i++) {
        double x = draw_normal(&a);
        assert_true(x == draw_normal(&b));
        same += x == draw_normal(&c);
    }
    assert_int_equal(same, 0);
    draw_init(&a, 7, 3);
    philox_at(7, 3, 0, block);
    for (int i = 3; i >= 0; i--)
        assert_int_equal(draw_bits(&a), block[i]);
    philox_at(7, 3, 1, block);
    assert_int_equal(draw_bits(&a), block[3]);
}

/* 4e-16 of an angle up to pi is one rounding; the other's argument has two. */
static void angles_and_areas_are_libm_s(void **state)
{
    (void)state;
    for (int i = -300; i <= 300; i++)
        for (int j = -300; j <= 300; j++) {
            double y = i * 0.013, x = j * j * j * 1e-4;
            if (i == 0 && j == 0)
                continue;
            double got = gen_atan2(y, x), want = atan2(y, x);
            if (!(fabs(got - want) < 1e-15))
                fail_msg("atan2(%g, %g): %.17g for %.17g", y, x, got, want);
        }
    for (int i = -40000; i <= 40000; i++) {
        double x = i * fabs(i * 1e-3) * 1e-3, want = asinh(x);
        if (!(fabs(gen_asinh(x) - want) <= 2e-14 * fabs(want)))
            fail_msg("asinh(%g): %.17g for %.17g", x, gen_asinh(x), want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(moments_are_the_distribution_s),
        cmocka_unit_test(normals_are_independent_and_have_tails),
        cmocka_unit_test(a_stream_is_its_own),
        cmocka_unit_test(angles_and_areas_are_libm_s),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
