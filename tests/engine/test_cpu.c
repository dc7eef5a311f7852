/* SPDX-License-Identifier: BSD-3-Clause */
/* The back end for CPUs against the reference: every operator, in shapes that
 * do not fit its blocks; the same bits twice and for any number of threads. */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/engine/harness.h"

static void test_cases_f32(void **state)
{
    (void)state;
    for (int i = 0; i < n_op_cases; i++)
        check_op(&op_cases[i], "cpu", "ref", TENSOR_F32, 2, 3e-6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases_f32),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
