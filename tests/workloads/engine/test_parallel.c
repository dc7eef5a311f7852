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

/* ---- a rank that fails ---- */

enum { LAYERS = 3, WIDTH = 8, FAILS_AT = 1, FAILING = 1 };

/* A chain of dense layers, a host node before the last but one: when its
 * backward fails, the bucket of the last layer is under way and two are not. */
struct chain {
    struct model *m;
    struct graph *g;
    int group, step, rank;
    struct tensor *x, *y, *loss;
    struct param *w[LAYERS];
};

static int pass_on(void *ctx, const struct engine_step *step, const float *const *in,
                   float *const *out, struct err *e)
{
    (void)ctx, (void)step, (void)e;
    memcpy(out[0], in[0], 2 * WIDTH * sizeof(float));
    return 0;
}

static int pass_back(void *ctx, const struct engine_step *step, const float *const *in,
                     const float *const *out_grad, float *const *in_grad, struct err *e)
{
    const struct chain *c = ctx;

    (void)step, (void)in;
    memcpy(in_grad[0], out_grad[0], 2 * WIDTH * sizeof(float));
    return c->rank == FAILING && c->step == FAILS_AT ? err_set(e, "the host node is broken") : 0;
}

static int chain_create(struct chain *c, struct comm *comm, struct err *e)
{
    static const char *const names[LAYERS] = {"a", "b", "c"};
    struct engine_config config = {
        .backend = "ref", .threads = 1, .seed = 3, .comm = comm, .bucket_bytes = 1};

    c->m = model_create(&config, e);
    c->group = model_group(c->m, "all", &sgd);
    c->g = graph_create(c->m, "g", 2);
    c->x = graph_input(c->g, "x", SHAPE(WIDTH), CHANNELS_FIRST);
    c->y = graph_input(c->g, "y", SHAPE(WIDTH), CHANNELS_FIRST);
    struct tensor *t = c->x;
    for (int i = 0; i < LAYERS; i++) {
        c->w[i] = model_param(c->m, c->group, names[i], SHAPE(WIDTH, WIDTH), XAVIER);
        t = op_dense(t, c->w[i], NULL);
        struct host_node node = {.name = "host",
                                 .n_in = 1,
                                 .in = {t},
                                 .n_out = 1,
                                 .out = {SHAPE(2, WIDTH)},
                                 .ctx = c,
                                 .forward = pass_on,
                                 .backward = pass_back};
        if (i == LAYERS - 2 && op_host(c->g, &node, &t) < 0)
            return -1;
    }
    c->loss = op_mse(t, c->y, NULL);
    return engine_compile(c->g, c->loss, e) < 0 || engine_start(c->m, e) < 0 ? -1 : 0;
}

static int chain_step(struct chain *c, bool idle, struct err *e)
{
    static const float x[2 * WIDTH] = {1, 2, 3, 4, 5, 6, 7, 8}, y[2 * WIDTH] = {1};
    static const uint64_t ids[2] = {0, 1};
    struct engine_step step = {.rows = 2, .global_rows = 6, .ids = ids};
    float loss;

    if (idle)
        model_abandon(c->m);
    model_zero(c->m, c->group);
    return engine_begin(c->g, &step, e) < 0 || engine_feed(c->g, c->x, x, e) < 0 ||
                   engine_feed(c->g, c->y, y, e) < 0 || engine_forward(c->g, ENGINE_TRAIN, e) < 0 ||
                   engine_backward(c->g, true, e) < 0 || model_step(c->m, c->group, 0.01, e) < 0 ||
                   engine_read(c->g, c->loss, &loss, 1, e) < 0
               ? -1
               : 0;
}

struct failing {
    float before[WIDTH * WIDTH]; /* of the failing rank, when it failed */
    float after[RANKS_MAX][LAYERS][WIDTH * WIDTH];
    char said[512];
    int failures[RANKS_MAX];
};

static int train_failing(struct comm *comm, void *arg)
{
    struct failing *f = arg;
    struct chain c = {.rank = comm->rank};
    struct err e = ERR_INIT;
    bool failed = false;

    if (chain_create(&c, comm, &e) < 0)
        return -1;
    for (c.step = 0; c.step < 4; c.step++) {
        if (chain_step(&c, failed, &e) == 0)
            continue;
        f->failures[comm->rank]++;
        snprintf(f->said, sizeof f->said, "%s", e.text);
        param_get(c.w[0], PARAM_VALUE, f->before, WIDTH * WIDTH, NULL);
        failed = true;
        if (chain_step(&c, true, &e) < 0) /* what is left of this step */
            return -1;
    }
    for (int i = 0; i < LAYERS; i++)
        param_get(c.w[i], PARAM_VALUE, f->after[comm->rank][i], WIDTH * WIDTH, NULL);
    model_destroy(c.m);
    return 0;
}

/* Nobody waits for it, the others' sums are theirs, its own model stays. */
static void test_a_failed_rank_takes_part(void **state)
{
    static struct failing f;

    (void)state;
    assert_int_equal(ranks_run(3, train_failing, &f), 0);
    assert_int_equal(f.failures[FAILING], 1);
    assert_int_equal(f.failures[0] + f.failures[2], 0);
    assert_string_equal(f.said, "host of graph 'g': the host node is broken");
    assert_memory_equal(f.after[0], f.after[2], sizeof f.after[0]);
    assert_memory_equal(f.before, f.after[FAILING][0], sizeof f.before);
    assert_memory_not_equal(f.after[0][0], f.after[FAILING][0], sizeof f.before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ranks_are_one),
        cmocka_unit_test(test_norms_over_ranks),
        cmocka_unit_test(test_same_bits),
        cmocka_unit_test(test_a_failed_rank_takes_part),
    };
    alarm(120); /* a rank that waits for ever ends */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
