/* SPDX-License-Identifier: BSD-3-Clause */
/* Who meets whom, and the factors of nccl-tests. */
#include <config.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "agent/micro/network.h"

enum { MOST = 300 };

/* In each round partners are each other's, and nobody is in two pairs. */
static void test_pairs_are_mutual(void **state)
{
    static const int sizes[] = {2, 3, 4, 5, 15, 16, 17, 64, 101, MOST};

    (void)state;
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        int n = sizes[s];
        for (int round = 0; round < pairs_rounds(n); round++) {
            int resting = 0;
            for (int i = 0; i < n; i++) {
                int p = pairs_partner(i, round, n, 7);
                resting += p < 0;
                assert_true(p != i && p < n);
                if (p >= 0)
                    assert_int_equal(pairs_partner(p, round, n, 7), i);
            }
            assert_int_equal(resting, n % 2);
        }
    }
}

/* Up to 16 ends each pair meets exactly once. */
static void test_all_pairs_once(void **state)
{
    (void)state;
    for (int n = 2; n <= PAIRS_ALL; n++) {
        int met[PAIRS_ALL][PAIRS_ALL] = {{0}};
        for (int round = 0; round < pairs_rounds(n); round++)
            for (int i = 0; i < n; i++) {
                int p = pairs_partner(i, round, n, 3);
                if (p >= 0)
                    met[i][p]++;
            }
        for (int i = 0; i < n; i++)
            for (int j = 0; j < n; j++)
                assert_int_equal(met[i][j], i != j);
    }
}

/* Beyond, each end has other partners in each round, and others by another seed. */
static void test_random_partners(void **state)
{
    (void)state;
    for (int n = 17; n <= MOST; n += 7) {
        int same = 0;
        assert_int_equal(pairs_rounds(n) % 2, 1);
        for (int i = 0; i < n; i++) {
            for (int a = 0; a < pairs_rounds(n); a++) {
                int p = pairs_partner(i, a, n, 1);
                same += p == pairs_partner(i, a, n, 2);
                for (int b = 0; b < a; b++)
                    assert_true(p < 0 || p != pairs_partner(i, b, n, 1));
            }
        }
        assert_true(same < n * pairs_rounds(n));
    }
}

static void test_one_end_meets_nobody(void **state)
{
    (void)state;
    assert_int_equal(pairs_rounds(1), 0);
    assert_int_equal(pairs_rounds(0), 0);
}

/* nccl-tests, PERFORMANCE.md */
static void test_factors(void **state)
{
    (void)state;
    assert_true(network_factor(FACTOR_ALLREDUCE, 2) == 1);
    assert_true(network_factor(FACTOR_ALLREDUCE, 8) == 1.75);
    assert_true(network_factor(FACTOR_PART, 4) == 0.75);
    assert_true(network_factor(FACTOR_ONE, 8) == 1);
    assert_true(network_factor(FACTOR_ALLREDUCE, 1) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pairs_are_mutual), cmocka_unit_test(test_all_pairs_once),
        cmocka_unit_test(test_random_partners),  cmocka_unit_test(test_one_end_meets_nobody),
        cmocka_unit_test(test_factors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
