/* SPDX-License-Identifier: BSD-3-Clause */
/* How a run's time is divided among its workloads. */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "agent/plan.h"

static struct run_plan plan_of(int n, const double *expected)
{
    struct run_plan plan = {.n = n};

    for (int i = 0; i < n; i++)
        plan.of[i].expected_seconds = expected[i];
    return plan;
}

/* Exact but for the rounding of a few operations: 1e-9 of seconds. */
static void test_shares(void **state)
{
    static const struct {
        int n;
        double expected[4], left, share[4]; /* each uses its share to the end */
    } table[] = {
        {1, {5}, 60, {60}},
        {3, {1, 1, 1}, 60, {20, 20, 20}},
        {3, {30, 20, 10}, 60, {30, 20, 10}}, /* what fits is not cut */
        {3, {300, 200, 100}, 60, {30, 20, 10}},
        {2, {0, 0}, 10, {5, 5}},       /* nothing is known */
        {2, {1000, 0}, 105, {100, 5}}, /* none starves: a tenth of the mean of 500 */
        {3, {0, 0, 90}, 96, {3, 93 * 4.5 / 94.5, 93 * 90 / 94.5}}, /* 3 of 3 + 3 + 90, ... */
    };

    (void)state;
    for (size_t t = 0; t < sizeof table / sizeof *table; t++) {
        struct run_plan plan = plan_of(table[t].n, table[t].expected);
        double left = table[t].left;
        for (int i = 0; i < table[t].n; i++) {
            double share = plan_share(&plan, i, left);
            assert_float_equal(share, table[t].share[i], 1e-9);
            left -= share;
        }
        assert_float_equal(left, 0, 1e-9);
    }
}

/* What the first does not use goes to those after it. */
static void test_rest(void **state)
{
    static const double expected[] = {60, 20, 40};
    struct run_plan plan = plan_of(3, expected);

    (void)state;
    assert_float_equal(plan_share(&plan, 0, 60), 30, 1e-9);
    assert_float_equal(plan_share(&plan, 1, 50), 50 / 3., 1e-9); /* 10 of 30 were used */
    assert_float_equal(plan_share(&plan, 2, 49), 49, 1e-9);
    assert_float_equal(plan_share(&plan, 2, -1), -1, 1e-9); /* the deadline is over */
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_shares), cmocka_unit_test(test_rest)};

    return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
