/* SPDX-License-Identifier: BSD-3-Clause */
/* The back end for CPUs against the reference: every operator, in shapes that
 * do not fit its blocks; the same bits twice. */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/workloads/engine/harness.h"
#include "workloads/engine/backend.h"

/* float32 sums of a few hundred products in another order: some 10 ulp of
 * 6e-8. bfloat16: both sides round every stored value to 2^-9; where their
 * float32 sums straddle a border they end one step of 2^-8 apart. A gradient
 * that is rounded twice on its way may be two such steps off. */
#define F32_TOLERANCE  3e-6
#define BF16_TOLERANCE 0x1p-7

static void test_cases_f32(void **state)
{
    (void)state;
    for (int i = 0; i < n_op_cases; i++)
        check_op(&op_cases[i], "cpu", "ref", TENSOR_F32, 2, F32_TOLERANCE);
}

static bool no_bf16(void)
{
    const char *why = engine_backend_cpu.refuses(TENSOR_BF16);

    if (why)
        print_message("skipped: %s\n", why);
    return why != NULL;
}

static void test_cases_bf16(void **state)
{
    (void)state;
    if (no_bf16())
        skip();
    for (int i = 0; i < n_op_cases; i++) {
        /* a step of rounding may move the largest of a window */
        bool pools_after = strstr(op_cases[i].name, "cosmo") != NULL;

        check_op(&op_cases[i], "cpu", "ref", TENSOR_BF16, 2, pools_after ? 0.2 : BF16_TOLERANCE);
    }
}

/* ---- sizes ------------------------------------------------------------ */

/* Of the graph under test; a case has no argument. */
static struct sizes {
    int dims;
    long in, out, batch;
    enum host_layout layout;
    bool pool;
} now;

/* Two convolutions, so that the second has a gradient towards its input, and
 * an activation that is fused; odd sides, uneven strides. */
static struct tensor *sized(struct case_build *b)
{
    struct shape cube = SHAPE(now.in, 7, 5, 6), map = SHAPE(now.in, 9, 7);
    struct tensor *x = case_input(b, now.dims == 3 ? cube : map, now.layout);

    for (int i = 0; i < 2; i++) {
        long from = i ? now.out : now.in;
        struct shape w3 = SHAPE(now.out, from, 3, 3, 3), w2 = SHAPE(now.out, from, 3, 3);
        struct window win = WINDOW(3, 1, 1);

        win.stride[1] = i ? 2 : 1;
        struct param *w = case_param(b, now.dims == 3 ? w3 : w2);
        x = op_leaky_relu(op_conv(x, w, case_param(b, SHAPE(now.out)), win), 0.3f);
        if (!i && now.pool)
            x = op_maxpool(x, WINDOW(2, 2, 0));
    }
    return x;
}

static void test_sizes(void **state)
{
    static const long channels[] = {1, 3, 4, 5, 16, 17};
    struct op_case c = {"", sized, 0, 0};
    char name[64];

    (void)state;
    for (unsigned k = 0; k < 6 * 6 * 2; k++) {
        now = (struct sizes){.dims = k % 2 ? 2 : 3,
                             .in = channels[k / 2 % 6],
                             .out = channels[k / 12],
                             .batch = 1 + k % 3,
                             .layout = k % 5 ? CHANNELS_LAST : CHANNELS_FIRST,
                             .pool = k % 4 < 2};
        snprintf(name, sizeof name, "%d-D, %ld to %ld channels, batch %ld%s", now.dims, now.in,
                 now.out, now.batch, now.pool ? ", pooled" : "");
        c.name = name;
        c.batch = now.batch;
        check_op(&c, "cpu", "ref", TENSOR_F32, 2, F32_TOLERANCE);
        if (!now.pool && k % 3 == 0 && !engine_backend_cpu.refuses(TENSOR_BF16))
            check_op(&c, "cpu", "ref", TENSOR_BF16, 2, BF16_TOLERANCE);
    }
}

/* ---- determinism ------------------------------------------------------ */

static void test_same_bits(void **state)
{
    (void)state;
    for (int i = 0; i < n_op_cases; i++)
        for (int threads = 1; threads <= 3; threads++) {
            struct run_options o = {.backend = "cpu", .threads = threads, .repeats = 1};
            struct outcome a = outcome_run(&op_cases[i], &o);
            o.no_reuse = true;
            o.repeats = 0;
            struct outcome b = outcome_run(&op_cases[i], &o);
            const char *worst = "";

            if (outcome_distance(&a, &b, &worst) != 0)
                fail_msg("%s with %d threads: %s is not the same twice", op_cases[i].name, threads,
                         worst);
            outcome_free(&a);
            outcome_free(&b);
        }
}

static void test_bf16_is_refused_with_a_sentence(void **state)
{
    const char *why = engine_backend_cpu.refuses(TENSOR_BF16);

    (void)state;
    assert_null(engine_backend_cpu.refuses(TENSOR_F32));
    assert_true(!why == !!__builtin_cpu_supports("avx512bf16"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases_f32),
        cmocka_unit_test(test_cases_bf16),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_same_bits),
        cmocka_unit_test(test_bf16_is_refused_with_a_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
