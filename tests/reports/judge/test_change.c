/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The change-point test keeps its word: its false-alarm rate, its power, and
 * what it calls a step or a drift. Seeds are fixed: the same answer each time.
 *
 * test_change --table prints the critical values that change.c holds.
 */
#include <config.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reports/judge/change.h"
#include "tests/unit.h"

/* ---- noise ---- */

static uint64_t seed_state;

/* splitmix64 */
static uint64_t bits(void)
{
    uint64_t z = seed_state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static double uniform(void)
{
    return ((double)(bits() >> 11) + 0.5) / 9007199254740992.0;
}

static double normal(void)
{
    return sqrt(-2 * log(uniform())) * cos(2 * M_PI * uniform());
}

/* Student's t with three degrees of freedom: outliers. */
static double student(void)
{
    double a = normal(), b = normal(), c = normal();
    return normal() / sqrt((a * a + b * b + c * c) / 3);
}

/* What a benchmark that is printed with three digits gives: ties. */
static double coarse(void)
{
    return floor(normal() * 4) / 4;
}

static const struct {
    const char *name;
    double (*draw)(void);
} noises[] = {{"normal", normal}, {"student", student}, {"coarse", coarse}};

/* ---- the table ---- */

static int by_number(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The share CHANGE_RATE of shuffles has a larger T. */
static double simulate(int n, int shuffles)
{
    double *x = malloc((size_t)n * sizeof *x), *t = malloc((size_t)shuffles * sizeof *t);
    int cut;

    for (int i = 0; i < shuffles; i++) {
        for (int k = 0; k < n; k++)
            x[k] = uniform();
        t[i] = change_statistic(x, n, &cut);
    }
    qsort(t, (size_t)shuffles, sizeof *t, by_number);
    double c = t[(int)((1 - CHANGE_RATE) * shuffles)];
    free(x);
    free(t);
    return c;
}

static int print_table(void)
{
    static const int sizes[] = {12, 13, 14, 15,  16,  18,  20,  25,  30,
                                40, 50, 70, 100, 150, 200, 300, 500, 1000};

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        seed_state = 20261122u + i;
        printf("    {%d, %.4f},\n", sizes[i], simulate(sizes[i], 200000));
        fflush(stdout);
    }
    return 0;
}

/* ---- false alarms ---- */

/* Of 4,000 series without a change 1 %, 40, may be marked; within a binomial
 * bound of 1 in 10,000: at most 66, and (no test that never fires) at least
 * 18; ties and short series only make it rarer. */
static void test_false_alarms(void **state)
{
    static const int sizes[] = {12, 17, 25, 40, 85, 170, 333};
    struct change c[CHANGE_MOST];
    double x[333];

    (void)state;
    for (size_t k = 0; k < sizeof noises / sizeof *noises; k++)
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
            int n = sizes[s], alarms = 0;
            seed_state = 1000 * k + s;
            for (int i = 0; i < 4000; i++) {
                for (int j = 0; j < n; j++)
                    x[j] = 100 + noises[k].draw();
                alarms += change_find(x, n, c) > 0;
            }
            print_message("%-8s n=%-4d %5.2f %% false alarms\n", noises[k].name, n, alarms / 40.0);
            assert_true(alarms >= (n >= 25 && k < 2 ? 18 : 0) && alarms <= 66);
        }
}

/* ---- what is there is found ---- */

/* A series of n with `shift` noise widths added: from `at` on (a step), or
 * growing to it (a drift). */
static void make(double *x, int n, int at, double shift, enum change_kind kind,
                 double (*draw)(void))
{
    for (int i = 0; i < n; i++)
        x[i] = 100 + draw() + (kind == CHANGE_DRIFT ? shift * i / (n - 1) : i >= at ? shift : 0);
}

/* The stated power, in 1,000 series each (a binomial bound below it). */
static void test_power(void **state)
{
    static const struct {
        int n, at;
        double shift;
        enum change_kind kind;
        int found, named, near; /* at least, of 1,000: marked; with the right name; cut within 2 */
    } cases[] = {
        {20, 10, 3, CHANGE_STEP, 980, 880, 870},  {40, 20, 2, CHANGE_STEP, 990, 870, 810},
        {40, 34, 3, CHANGE_STEP, 980, 940, 880},  {100, 50, 1, CHANGE_STEP, 920, 670, 420},
        {100, 90, 2, CHANGE_STEP, 960, 940, 820}, {40, 0, 4, CHANGE_DRIFT, 990, 920, 0},
        {100, 0, 3, CHANGE_DRIFT, 990, 950, 0},
    };
    double x[100];

    (void)state;
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        int found = 0, named = 0, near = 0;
        seed_state = 77 + k;
        for (int i = 0; i < 1000; i++) {
            struct change c[CHANGE_MOST];
            make(x, cases[k].n, cases[k].at, cases[k].shift, cases[k].kind, normal);
            int m = change_find(x, cases[k].n, c);
            found += m > 0;
            named += m == 1 && c[0].kind == cases[k].kind;
            near += m == 1 && abs(c[0].at - cases[k].at) <= 2;
        }
        print_message(
            "n=%-4d %s of %.0f widths at %d: found %.1f %%, so named %.1f %%, within 2: %.1f %%\n",
            cases[k].n, cases[k].kind == CHANGE_STEP ? "step " : "drift", cases[k].shift,
            cases[k].at, found / 10.0, named / 10.0, near / 10.0);
        assert_true(found >= cases[k].found);
        assert_true(named >= cases[k].named);
        assert_true(near >= cases[k].near);
    }
}

/* Slower nodes come back: two steps, both with their sizes. */
static void test_two_steps(void **state)
{
    struct change c[CHANGE_MOST];
    double x[90];

    (void)state;
    seed_state = 5;
    for (int i = 0; i < 90; i++)
        x[i] = (i >= 30 && i < 60 ? 93 : 100) + 0.5 * normal();
    assert_int_equal(change_find(x, 90, c), 2);
    assert_int_equal(c[0].at, 30);
    assert_int_equal(c[1].at, 60);
    assert_true(fabs(c[1].after / c[1].before - 100.0 / 93) < 0.01);
}

static void test_odd_series(void **state)
{
    struct change c[CHANGE_MOST];
    static double x[5000];
    int cut;

    (void)state;
    assert_int_equal(change_find(x, 0, c), 0);
    assert_int_equal(change_find(x, 5000, c), 0); /* all equal */
    for (int i = 0; i < 11; i++)
        x[i] = i;
    assert_int_equal(change_find(x, 11, c), 0); /* too short to say */
    for (int i = 0; i < 40; i++)
        x[i] = i < 20 ? 1 : 2; /* no noise at all */
    assert_int_equal(change_find(x, 40, c), 1);
    assert_int_equal(c[0].kind, CHANGE_STEP);
    assert_int_equal(c[0].at, 20);
    for (int i = 0; i < 40; i++)
        x[i] = i;
    assert_int_equal(change_find(x, 40, c), 1);
    assert_int_equal(c[0].kind, CHANGE_DRIFT);
    seed_state = 9;
    for (int i = 0; i < 40; i++)
        x[i] = normal();
    x[7] = 1e300; /* one outlier is not a change */
    x[31] = -1e300;
    assert_int_equal(change_find(x, 40, c), 0);
    seed_state = 12;
    for (int i = 0; i < 5000; i++)
        x[i] = normal() + (i >= 4500 ? 3 : 0); /* only the newest are looked at */
    assert_int_equal(change_find(x, 5000, c), 1);
    assert_true(c[0].at >= 4498 && c[0].at <= 4502);
    assert_int_equal(c[0].from, 5000 - CHANGE_LONGEST);
    assert_true(change_statistic(x, 5000, &cut) > 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_false_alarms),
        cmocka_unit_test(test_power),
        cmocka_unit_test(test_two_steps),
        cmocka_unit_test(test_odd_series),
    };

    if (argc > 1 && strcmp(argv[1], "--table") == 0)
        return print_table();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
