/* SPDX-License-Identifier: BSD-3-Clause */
/* Rounds whose truth is known: gains, their intervals, and when nothing is said. */
#include <config.h>

#include "reports/diagnose/ablation.h"

#include <math.h>
#include <string.h>

#include "reports/judge/random.h"
#include "tests/unit.h"

/* Eight rounds of base, data from memory and empty exchange; drift over the rounds. */
static struct result_ablation rounds(uint64_t seed, double gain, double noise)
{
    struct random g = RANDOM_SEED(seed);
    struct result_ablation r = {.rounds = RESULT_ROUNDS, .steps = 16};

    r.made[ARM_BASE] = r.made[ARM_MEMORY] = r.made[ARM_EMPTY] = true;
    for (int i = 0; i < 20; i++)
        random_bits(&g);
    for (int i = 0; i < RESULT_ROUNDS; i++) {
        const double drift = exp(0.1 * i);
        r.seconds[i][ARM_BASE] = 0.04 * drift * exp(noise * random_normal(&g));
        r.seconds[i][ARM_MEMORY] = 0.04 * drift * exp(noise * random_normal(&g));
        r.seconds[i][ARM_EMPTY] = 0.04 * (1 - gain) * drift * exp(noise * random_normal(&g));
    }
    return r;
}

/* Half of the drift would hide 15 %; rounds are pairs, so it does not. */
static void test_gain(void **state)
{
    int covered = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= 50; seed++) {
        const struct result_ablation r = rounds(seed, 0.15, 0.03);
        struct ablation a;
        ablation_judge(&r, &a);
        assert_null(a.why);
        assert_true(a.arm[ARM_EMPTY].made && a.arm[ARM_MEMORY].made && !a.arm[ARM_BASE].made);
        assert_false(a.arm[ARM_ALONE].made);
        assert_true(fabs(a.arm[ARM_EMPTY].gain - 0.15) < 0.08);
        assert_true(a.arm[ARM_EMPTY].low <= a.arm[ARM_EMPTY].gain &&
                    a.arm[ARM_EMPTY].gain <= a.arm[ARM_EMPTY].high);
        covered += a.arm[ARM_EMPTY].low < 0.15 && 0.15 < a.arm[ARM_EMPTY].high;
    }
    assert_true(covered >= 40);
}

static void test_noisy(void **state)
{
    const struct result_ablation r = rounds(3, 0.15, 0.4);
    struct ablation a;

    (void)state;
    ablation_judge(&r, &a);
    assert_true(a.arm[ARM_EMPTY].noisy);
}

/* Other work in one arm of a round drops it; in most rounds, everything. */
static void test_foreign(void **state)
{
    struct result_ablation r = rounds(3, 0.15, 0.02);
    struct ablation a;

    (void)state;
    r.delay[2][ARM_EMPTY] = 0.2;
    r.seconds[2][ARM_EMPTY] = 1;
    ablation_judge(&r, &a);
    assert_null(a.why);
    assert_int_equal(a.dropped, 1);
    assert_true(fabs(a.arm[ARM_EMPTY].gain - 0.15) < 0.05);
    for (int i = 0; i < 5; i++)
        r.delay[i][ARM_BASE] = 0.3;
    ablation_judge(&r, &a);
    assert_string_equal(a.why,
                        "others' work came or went between its blocks: repeat it on quiet nodes");
    assert_true(isnan(a.arm[ARM_EMPTY].gain) && !a.arm[ARM_EMPTY].made);
}

/* The same load in all arms is a steady one. */
static void test_steady_load(void **state)
{
    struct result_ablation r = rounds(3, 0.15, 0.02);
    struct ablation a;

    (void)state;
    for (int i = 0; i < RESULT_ROUNDS; i++)
        for (int k = 0; k < ARM_COUNT; k++)
            r.delay[i][k] = 0.3;
    ablation_judge(&r, &a);
    assert_null(a.why);
    assert_int_equal(a.dropped, 0);
}

static void test_none(void **state)
{
    const struct result_ablation r = {.rounds = 0};
    struct ablation a;

    (void)state;
    ablation_judge(&r, &a);
    assert_string_equal(a.why, "no ablation was made");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gain),    cmocka_unit_test(test_noisy),
        cmocka_unit_test(test_foreign), cmocka_unit_test(test_steady_load),
        cmocka_unit_test(test_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
