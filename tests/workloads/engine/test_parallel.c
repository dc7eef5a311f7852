/* SPDX-License-Identifier: BSD-3-Clause */
/* N ranks are one rank; the same run gives the same bits. Dropout is on, the
 * last steps are uneven, in the very last a rank has no sample at all. */
#include <config.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/workloads/engine/ranks.h"
#include "tests/workloads/engine/trainer.h"

enum { STEPS = 4, WEIGHTS = 64 };
static const long step_rows[STEPS] = {6, 6, 5, 2};

/* What one run leaves. */
struct run {
    const char *backend;
    int threads;
    const struct optimizer *rule;
    double loss[STEPS];
    float weights[WEIGHTS]; /* some of each layer */
    uint64_t exchanged;
};

static int train(struct comm *c, void *arg)
{
    struct run *r = arg;
    struct err e = ERR_INIT;
    struct trainer t;
    struct engine_config config = {
        .backend = r->backend, .threads = r->threads, .seed = 11, .comm = c, .bucket_bytes = 2048};
    uint64_t at = 0;

    trainer_create(&t, &config, (6 + c->size - 1) / c->size, 0.5f, r->rule);
    for (int s = 0; s < STEPS; s++) {
        uint64_t ids[8];
        long rows = 0;

        for (long i = 0; i < step_rows[s]; i++)
            if (i % c->size == c->rank)
                ids[rows++] = at + (uint64_t)i;
        at += (uint64_t)step_rows[s];
        double loss = (double)trainer_step(&t, ids, rows, step_rows[s], 1, 0.01);
        c->reduce(c, &loss, 1, COMM_SUM, &e);
        if (c->rank == 0)
            r->loss[s] = loss;
    }
    for (int i = 0; i < t.n_params && c->rank == 0; i++) {
        struct shape shape = param_shape(t.params[i]);
        size_t n = shape_count(&shape);
        float *v = malloc(n * sizeof *v);

        assert_int_equal(param_get(t.params[i], PARAM_VALUE, v, n, NULL), 0);
        for (int k = 0; k < 4; k++)
            r->weights[4 * i + k] = v[(size_t)k * 31 % n];
        free(v);
    }
    if (c->rank == 0)
        r->exchanged = model_stats(t.m, false).exchanged_bytes;
    trainer_destroy(&t);
    return 0;
}

static const struct optimizer sgd = {
    .kind = OPTIMIZER_SGD, .momentum = 0.9f, .weight_decay = 1e-3f};
static const struct optimizer lamb = {
    .kind = OPTIMIZER_LAMB, .weight_decay = 1e-2f, .clip = 0.05f, OPTIMIZER_LAMB_COMMON};

static struct run run_rule(const struct optimizer *rule, const char *backend, int ranks,
                           int threads)
{
    struct run r = {.backend = backend, .threads = threads, .rule = rule};

    assert_int_equal(ranks_run(ranks, train, &r), 0);
    return r;
}

static struct run run_with(const char *backend, int ranks, int threads)
{
    return run_rule(&sgd, backend, ranks, threads);
}

static double distance(const struct run *a, const struct run *b)
{
    double most = 0;

    for (int s = 0; s < STEPS; s++)
        most = fmax(most, fabs(a->loss[s] - b->loss[s]) / fabs(b->loss[s]));
    for (int i = 0; i < WEIGHTS; i++)
        most = fmax(most, fabs((double)a->weights[i] - (double)b->weights[i]) /
                              fmax(fabs((double)b->weights[i]), 0.01));
    return most;
}

static void test_ranks_are_one(void **state)
{
    (void)state;
    for (int i = 0; engine_backend_name(i); i++) {
        struct run one = run_with(engine_backend_name(i), 1, 1);

        assert_true(one.loss[0] > 0.01 && isfinite(one.loss[STEPS - 1]));
        assert_true(one.exchanged > 0);
        for (int n = 2; n <= 3; n++) {
            struct run many = run_with(engine_backend_name(i), n, 1);

            if (!(distance(&many, &one) < 1e-5))
                fail_msg("%s: %d ranks differ from one by %g", engine_backend_name(i), n,
                         distance(&many, &one));
        }
    }
}

/* Norms over whole parameters and over the whole gradient, which is cut into
 * buckets and summed over ranks. */
static void test_norms_over_ranks(void **state)
{
    (void)state;
    for (int i = 0; engine_backend_name(i); i++) {
        struct run one = run_rule(&lamb, engine_backend_name(i), 1, 1);
        struct run three = run_rule(&lamb, engine_backend_name(i), 3, 1);

        if (!(distance(&three, &one) < 1e-5))
            fail_msg("%s: 3 ranks differ from one by %g", engine_backend_name(i),
                     distance(&three, &one));
    }
}

static void test_same_bits(void **state)
{
    (void)state;
    for (int i = 0; engine_backend_name(i); i++)
        for (int n = 1; n <= 2; n++) {
            struct run a = run_with(engine_backend_name(i), n, 2);
            struct run b = run_with(engine_backend_name(i), n, 2);

            assert_memory_equal(a.loss, b.loss, sizeof a.loss);
            assert_memory_equal(a.weights, b.weights, sizeof a.weights);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ranks_are_one),
        cmocka_unit_test(test_norms_over_ranks),
        cmocka_unit_test(test_same_bits),
    };
    alarm(120); /* a rank that waits for ever ends */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
