/* SPDX-License-Identifier: BSD-3-Clause */
/* Every operator of the reference back end against finite differences, and
 * what graph rewrites, plans and partial batches must not change. */
#include <config.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/workloads/engine/harness.h"
#include "workloads/engine/backend.h"

enum { PROBES = 6 }; /* values of each input and parameter that are nudged */

/* Central difference of the loss (taken in double from the outputs). */
static double slope_of(const struct op_case *c, int which, int at)
{
    double loss[2];

    for (int side = 0; side < 2; side++) {
        struct run_options o = {.nudged = which, .at = at, .by = side ? -c->step : c->step};
        struct outcome out = outcome_run(c, &o);

        loss[side] = outcome_loss(c, &out, 0);
        outcome_free(&out);
    }
    return (loss[0] - loss[1]) / (2 * (double)c->step);
}

static void check_differences(const struct op_case *c)
{
    struct run_options o = {0};
    struct outcome out = outcome_run(c, &o);

    assert_float_equal(out.parts[1].v[0], outcome_loss(c, &out, 0),
                       1e-6 * (1 + fabs(outcome_loss(c, &out, 0))));
    for (int i = 2; i < out.n; i++) {
        const struct outcome_part *p = &out.parts[i];
        double size = 0;

        if (!strncmp(p->name, "state", 5))
            continue;

        for (size_t k = 0; k < p->n; k++)
            size = fmax(size, fabs((double)p->v[k]));
        for (int k = 0; k < PROBES; k++) {
            int at = (int)((size_t)k * 7919 % p->n);
            double s = slope_of(c, i - 2, at);

            if (!(fabs(s - (double)p->v[at]) <= 4e-3 * size + 2e-5))
                fail_msg("%s: gradient of %s[%d] is %g, the difference quotient %g", c->name,
                         p->name, at, (double)p->v[at], s);
        }
    }
    outcome_free(&out);
}

static bool stops(const struct op_case *c)
{
    return !strcmp(c->name, "stop");
}

static void test_finite_differences(void **state)
{
    (void)state;
    for (int i = 0; i < n_op_cases; i++)
        if (!stops(&op_cases[i]) && op_cases[i].step > 0)
            check_differences(&op_cases[i]);
}

static void test_stop_gradient(void **state)
{
    struct run_options o = {0};

    (void)state;
    for (int i = 0; i < n_op_cases; i++) {
        if (!stops(&op_cases[i]))
            continue;
        struct outcome out = outcome_run(&op_cases[i], &o);
        double first = 0;
        for (size_t k = 0; k < out.parts[3].n; k++)
            first += fabs((double)out.parts[3].v[k]);
        assert_true(first > 0);
        for (size_t k = 0; k < out.parts[5].n; k++)
            assert_true(out.parts[5].v[k] == 0);
        outcome_free(&out);
    }
}

/* Runs the case both ways: the same bits must come. Returns how much more
 * memory the first takes. */
static double same_bits(const struct op_case *c, const struct run_options *a,
                        const struct run_options *b)
{
    const char *worst = "";
    struct outcome one = outcome_run(c, a), two = outcome_run(c, b);

    if (outcome_distance(&one, &two, &worst) != 0)
        fail_msg("%s on %s: %s depends on the plan", c->name, a->backend, worst);
    double more = (double)one.memory.activation_bytes - (double)two.memory.activation_bytes;
    outcome_free(&one);
    outcome_free(&two);
    return more;
}

/* With and without reuse of memory, and in a second pass over memory that the
 * first has left dirty. */
static void test_reuse_changes_nothing(void **state)
{
    (void)state;
    for (int k = 0; engine_backend_name(k); k++)
        for (int i = 0; i < 2 * n_op_cases; i++) {
            struct run_options none = {.backend = engine_backend_name(k),
                                       .compute = i % 2 ? TENSOR_BF16 : TENSOR_F32,
                                       .no_reuse = true};
            struct run_options reuse = none;

            reuse.no_reuse = false;
            reuse.repeats = 1;
            assert_true(same_bits(&op_cases[i / 2], &reuse, &none) <= 0);
        }
}

/* What is computed a second time is the same. */
static void test_recompute_changes_nothing(void **state)
{
    (void)state;
    for (int k = 0; engine_backend_name(k); k++) {
        struct run_options kept = {.backend = engine_backend_name(k)}, again = kept;

        again.recompute = true;
        again.repeats = 1;
        for (int i = 0; i < n_op_cases; i++)
            same_bits(&op_cases[i], &again, &kept);
    }
}

static void test_rewrites_change_nothing(void **state)
{
    (void)state;
    for (int i = 0; i < n_op_cases; i++) {
        struct run_options o = {.no_rewrite = true};
        struct outcome a = outcome_run(&op_cases[i], &o);
        o.no_rewrite = false;
        struct outcome b = outcome_run(&op_cases[i], &o);
        const char *worst = "";

        if (outcome_distance(&b, &a, &worst) > 1e-6)
            fail_msg("%s: rewriting changes %s", op_cases[i].name, worst);
        outcome_free(&a);
        outcome_free(&b);
    }
}

/* A lifetime that ends too early must show: else the comparison above could
 * not fail. */
static void test_short_plan_is_found(void **state)
{
    int found = 0;

    (void)state;
    for (int i = 0; i < n_op_cases; i++) {
        struct run_options o = {.shorten = 1};
        struct outcome a = outcome_run(&op_cases[i], &o);
        o.shorten = 0;
        o.no_reuse = true;
        struct outcome b = outcome_run(&op_cases[i], &o);
        const char *worst = "";

        found += !(outcome_distance(&a, &b, &worst) == 0);
        outcome_free(&a);
        outcome_free(&b);
    }
    assert_true(found >= n_op_cases / 3);
}

/* Samples past the real ones change nothing: two of three samples in a batch
 * of three are a batch of two. */
static void test_partial_batch(void **state)
{
    (void)state;
    for (int i = 0; i < n_op_cases; i++) {
        struct op_case small = op_cases[i];
        struct run_options o = {.rows = (int)op_cases[i].batch - 1};

        if (!o.rows)
            continue;
        struct outcome a = outcome_run(&op_cases[i], &o);
        assert_float_equal(a.parts[1].v[0], outcome_loss(&small, &a, o.rows),
                           1e-6 * (1 + (double)a.parts[1].v[0]));
        outcome_free(&a);
    }
}

static void test_bf16_is_near(void **state)
{
    (void)state;
    for (int i = 0; i < n_op_cases; i++) {
        struct run_options o = {.compute = TENSOR_F32};
        struct outcome a = outcome_run(&op_cases[i], &o);
        o.compute = TENSOR_BF16;
        struct outcome b = outcome_run(&op_cases[i], &o);
        const char *worst = "";
        double d = outcome_distance(&b, &a, &worst);

        /* rounding moves the largest of a window, or crosses 0: gradients take other ways */
        bool kinks = strstr(op_cases[i].name, "cosmo") || strstr(op_cases[i].name, "residual");
        if (!(d < (kinks ? 0.3 : 0.02)))
            fail_msg("%s: bf16 is off by %g in %s", op_cases[i].name, d, worst);
        outcome_free(&a);
        outcome_free(&b);
    }
}

/* Those that have no case have tests of their own: test_model (host nodes),
 * test_losses (the metric). */
static void test_every_operator_has_a_case(void **state)
{
    unsigned long seen = 1UL << OP_HOST | 1UL << OP_MAE;

    (void)state;
    for (int i = 0; i < n_op_cases; i++) {
        struct run_options o = {.compute = TENSOR_BF16};
        struct outcome out = outcome_run(&op_cases[i], &o);

        seen |= out.operators;
        outcome_free(&out);
    }
    for (int op = 0; op < OP_COUNT; op++)
        if (!(seen & 1UL << op))
            fail_msg("no op case has %s in it", op_name((enum op)op));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_operator_has_a_case),
        cmocka_unit_test(test_finite_differences),
        cmocka_unit_test(test_stop_gradient),
        cmocka_unit_test(test_reuse_changes_nothing),
        cmocka_unit_test(test_recompute_changes_nothing),
        cmocka_unit_test(test_rewrites_change_nothing),
        cmocka_unit_test(test_short_plan_is_found),
        cmocka_unit_test(test_partial_batch),
        cmocka_unit_test(test_bf16_is_near),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
