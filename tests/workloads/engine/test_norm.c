/* SPDX-License-Identifier: BSD-3-Clause */
/* Batch normalisation over ranks: N ranks are one rank, with dropout, an uneven
 * last batch and a rank without a sample; running statistics by their formula,
 * in evaluation, in a frozen group; what is refused. */
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

#include "tests/workloads/engine/harness.h"
#include "tests/workloads/engine/ranks.h"

enum { STEPS = 4, WIDTH = 18, SAMPLE = 3 * 5 * 4, VALUES = 5 * WIDTH };
static const long step_rows[STEPS] = {6, 6, 5, 2};

struct net {
    struct model *m;
    struct graph *g;
    int group;
    struct param *params[6];
    struct state *states[2];
    struct tensor *x, *t, *loss, *y;
};

/* Two norms in a row of convolutions; the second adds the first's output. */
static void net_create(struct net *n, const char *backend, struct comm *c, long batch, bool local,
                       float dropout, bool frozen)
{
    struct engine_config config = {.backend = backend, .threads = 1, .seed = 3, .comm = c};
    struct optimizer sgd = {.kind = OPTIMIZER_SGD, .momentum = 0.9f};
    struct err e = ERR_INIT;

    n->m = model_create(&config, &e);
    n->group = model_group(n->m, "all", &sgd);
    n->g = graph_create(n->m, "g", batch);
    n->x = graph_input(n->g, "x", SHAPE(3, 5, 4), CHANNELS_FIRST);
    n->t = graph_input(n->g, "t", SHAPE(2), CHANNELS_FIRST);
    n->params[0] = model_param(n->m, n->group, "c.w", SHAPE(WIDTH, 3, 3, 3), HE);
    n->params[1] =
        model_param(n->m, n->group, "n.gamma", SHAPE(WIDTH), (struct init){INIT_CONSTANT, 1});
    n->params[2] = model_param(n->m, n->group, "n.beta", SHAPE(WIDTH), ZEROS);
    n->params[3] = model_param(n->m, n->group, "d.w", SHAPE(2, WIDTH), XAVIER);
    n->states[0] = model_state(n->m, "n.mean", SHAPE(WIDTH), 0);
    n->states[1] = model_state(n->m, "n.variance", SHAPE(WIDTH), 1);
    struct batch_norm b = {.gamma = n->params[1],
                           .beta = n->params[2],
                           .mean = n->states[0],
                           .variance = n->states[1],
                           .eps = 1e-5f,
                           .momentum = 0.1f,
                           .local = local};
    struct tensor *h =
        op_relu(op_batch_norm(op_conv(n->x, n->params[0], NULL, WINDOW(3, 1, 1)), &b));
    h = op_dropout(op_global_avgpool(h), dropout);
    n->y = graph_output(op_dense(h, n->params[3], NULL));
    n->loss = op_mse(n->y, n->t, NULL);
    if (frozen)
        graph_freeze(n->g, n->group);
    if (engine_compile(n->g, frozen ? NULL : n->loss, &e) || engine_start(n->m, &e)) {
        fprintf(stderr, "%s\n", e.text);
        abort();
    }
}

static void feed(struct net *n, const uint64_t *ids, long rows, long global_rows)
{
    float x[8 * SAMPLE], t[16];
    struct err e = ERR_INIT;

    for (long i = 0; i < rows; i++) {
        for (int k = 0; k < SAMPLE; k++)
            x[i * SAMPLE + k] = 2 + 3 * noise((unsigned)ids[i], (unsigned long)k);
        t[2 * i] = noise(500, ids[i]);
        t[2 * i + 1] = noise(501, ids[i]);
    }
    struct engine_step s = {.rows = rows, .global_rows = global_rows, .ids = ids, .epoch = 1};
    if (engine_begin(n->g, &s, &e) || engine_feed(n->g, n->x, x, &e) ||
        engine_feed(n->g, n->t, t, &e)) {
        fprintf(stderr, "%s\n", e.text);
        abort();
    }
}

static double step(struct net *n, const uint64_t *ids, long rows, long global_rows)
{
    struct err e = ERR_INIT;
    float loss;

    feed(n, ids, rows, global_rows);
    model_zero(n->m, n->group);
    if (engine_forward(n->g, ENGINE_TRAIN, &e) || engine_backward(n->g, true, &e) ||
        engine_read(n->g, n->loss, &loss, 1, &e) || model_step(n->m, n->group, 0.05, &e)) {
        fprintf(stderr, "%s\n", e.text);
        abort();
    }
    return (double)loss;
}

/* ---- ranks ------------------------------------------------------------ */

struct run {
    const char *backend;
    bool local;
    double loss[STEPS];
    float values[VALUES]; /* gamma, beta, mean, variance, dense */
};

static int train(struct comm *c, void *arg)
{
    struct run *r = arg;
    struct err e = ERR_INIT;
    struct net n;
    uint64_t at = 0;

    net_create(&n, r->backend, c, (6 + c->size - 1) / c->size, r->local, 0.3f, false);
    for (int s = 0; s < STEPS; s++) {
        uint64_t ids[8];
        long rows = 0;

        for (long i = 0; i < step_rows[s]; i++)
            if (i % c->size == c->rank)
                ids[rows++] = at + (uint64_t)i;
        at += (uint64_t)step_rows[s];
        double loss = step(&n, ids, rows, step_rows[s]);
        c->reduce(c, &loss, 1, COMM_SUM, &e);
        if (c->rank == 0)
            r->loss[s] = loss;
    }
    /* the last rank: its states are those of all */
    if (c->rank == c->size - 1) {
        param_get(n.params[1], PARAM_VALUE, r->values, WIDTH, NULL);
        param_get(n.params[2], PARAM_VALUE, r->values + WIDTH, WIDTH, NULL);
        state_get(n.states[0], r->values + 2 * WIDTH, WIDTH, NULL);
        state_get(n.states[1], r->values + 3 * WIDTH, WIDTH, NULL);
        float dense[2 * WIDTH];
        param_get(n.params[3], PARAM_VALUE, dense, 2 * WIDTH, NULL);
        memcpy(r->values + 4 * WIDTH, dense, WIDTH * sizeof *dense);
    }
    model_destroy(n.m);
    return 0;
}

static struct run run_with(const char *backend, int ranks, bool local)
{
    struct run r = {.backend = backend, .local = local};

    assert_int_equal(ranks_run(ranks, train, &r), 0);
    return r;
}

static double distance(const struct run *a, const struct run *b)
{
    double most = 0;

    for (int s = 0; s < STEPS; s++)
        most = fmax(most, fabs(a->loss[s] - b->loss[s]) / fabs(b->loss[s]));
    for (int i = 0; i < VALUES; i++)
        most = fmax(most, fabs((double)a->values[i] - (double)b->values[i]) /
                              fmax(fabs((double)b->values[i]), 0.05));
    return most;
}

static void test_ranks_are_one(void **state)
{
    (void)state;
    for (int i = 0; engine_backend_name(i); i++) {
        const char *backend = engine_backend_name(i);
        struct run one = run_with(backend, 1, false);

        for (int n = 2; n <= 4; n++) {
            struct run many = run_with(backend, n, false);

            if (!(distance(&many, &one) < 1e-5))
                fail_msg("%s: %d ranks differ from one by %g", backend, n, distance(&many, &one));
        }
        /* what is local is another workload, and is so on more than one rank only */
        struct run local = run_with(backend, 2, true), alone = run_with(backend, 1, true);
        assert_true(distance(&local, &one) > 1e-3);
        assert_true(distance(&alone, &one) == 0);
    }
}

/* ---- a rank that fails ------------------------------------------------- */

/* Between two norms: rank 1 fails in its third forward, or in its backward. */
struct failing {
    int rank, forwards, backwards;
    bool in_backward;
};

static int pass_on(void *ctx, const struct engine_step *step, const float *const *in,
                   float *const *out, struct err *e)
{
    struct failing *f = ctx;

    memcpy(out[0], in[0], (size_t)step->rows * WIDTH * sizeof(float));
    if (f->rank == 1 && !f->in_backward && ++f->forwards == 3)
        return err_set(e, "the third forward fails");
    return 0;
}

static int pass_back(void *ctx, const struct engine_step *step, const float *const *in,
                     const float *const *out_grad, float *const *in_grad, struct err *e)
{
    struct failing *f = ctx;

    (void)in;
    memcpy(in_grad[0], out_grad[0], (size_t)step->rows * WIDTH * sizeof(float));
    if (f->rank == 1 && f->in_backward && ++f->backwards == 3)
        return err_set(e, "the third backward fails");
    return 0;
}

static struct batch_norm norm_of(struct model *m, int group, const char *name)
{
    char names[4][16];

    for (int i = 0; i < 4; i++)
        snprintf(names[i], sizeof names[i], "%s.%d", name, i);
    return (struct batch_norm){
        model_param(m, group, names[0], SHAPE(WIDTH), (struct init){INIT_CONSTANT, 1}),
        model_param(m, group, names[1], SHAPE(WIDTH), ZEROS),
        model_state(m, names[2], SHAPE(WIDTH), 0),
        model_state(m, names[3], SHAPE(WIDTH), 1),
        1e-5f,
        0.1f,
        false};
}

/* All ranks make five steps; rank 1 abandons its model in the third. 0 when no
 * other failed and all took part in all sums. */
static int abandon(struct comm *c, void *arg)
{
    struct engine_config config = {.backend = "ref", .threads = 1, .comm = c};
    struct optimizer sgd = {.kind = OPTIMIZER_SGD};
    struct failing f = {.rank = c->rank, .in_backward = *(bool *)arg};
    struct err e = ERR_INIT;
    struct model *m = model_create(&config, &e);
    int group = model_group(m, "all", &sgd), rc = 0;
    struct graph *g = graph_create(m, "g", 2);
    struct tensor *x = graph_want_grad(graph_input(g, "x", SHAPE(WIDTH), CHANNELS_FIRST));
    struct tensor *t = graph_input(g, "t", SHAPE(WIDTH), CHANNELS_FIRST), *h;
    struct batch_norm first = norm_of(m, group, "a"), second = norm_of(m, group, "b");
    struct host_node host = {.name = "host",
                             .n_in = 1,
                             .n_out = 1,
                             .in = {op_batch_norm(x, &first)},
                             .out = {SHAPE(2, WIDTH)},
                             .ctx = &f,
                             .forward = pass_on,
                             .backward = pass_back};
    float xs[2 * WIDTH], ts[2 * WIDTH] = {0};
    uint64_t ids[2] = {0, 1};
    bool abandoned = false;

    op_host(g, &host, &h);
    struct tensor *loss = op_mse(op_batch_norm(h, &second), t, NULL);
    if (engine_compile(g, loss, &e) || engine_start(m, &e))
        return -1;
    for (int i = 0; i < 2 * WIDTH; i++)
        xs[i] = noise((unsigned)c->rank, (unsigned long)i);
    for (int s = 0; s < 5; s++)
        for (bool again = true; again;) {
            struct engine_step step = {.rows = 2, .global_rows = 2 * c->size, .ids = ids};

            model_zero(m, group);
            again = engine_begin(g, &step, &e) || engine_feed(g, x, xs, &e) ||
                    engine_feed(g, t, ts, &e) || engine_forward(g, ENGINE_TRAIN, &e) ||
                    engine_backward(g, true, &e) || model_step(m, group, 0.1, &e);
            if (again && abandoned)
                return -1;
            if (again)
                model_abandon(m);
            abandoned |= again;
        }
    rc = abandoned == (c->rank == 1) && model_stats(m, false).reductions == 5 * 4 ? 0 : -1;
    model_destroy(m);
    return rc;
}

/* Two norms, forward and backward: four sums a step, on every rank, whatever
 * happens to one of them. */
static void test_abandoned(void **state)
{
    (void)state;
    for (int in_backward = 0; in_backward < 2; in_backward++) {
        bool arg = in_backward;

        alarm(120);
        assert_int_equal(ranks_run(3, abandon, &arg), 0);
        alarm(0);
    }
}

/* ---- running statistics ----------------------------------------------- */

/* Of one step: mean and unbiased variance of the convolution, by hand from an
 * identity: the norm stands behind a 1x1 convolution of weight 1. */
static void test_running_statistics(void **state)
{
    (void)state;
    for (int b = 0; engine_backend_name(b); b++) {
        struct engine_config config = {
            .backend = engine_backend_name(b), .threads = 1, .comm = comm_self()};
        struct optimizer sgd = {.kind = OPTIMIZER_SGD};
        struct err e = ERR_INIT;
        struct model *m = model_create(&config, &e);
        int group = model_group(m, "all", &sgd);
        struct graph *g = graph_create(m, "g", 3);
        struct tensor *x = graph_input(g, "x", SHAPE(2, 2, 2), CHANNELS_FIRST);
        struct tensor *t = graph_input(g, "t", SHAPE(2, 2, 2), CHANNELS_FIRST);
        struct state *mean = model_state(m, "mean", SHAPE(2), 0);
        struct state *variance = model_state(m, "variance", SHAPE(2), 1);
        struct batch_norm n = {
            model_param(m, group, "gamma", SHAPE(2), (struct init){INIT_CONSTANT, 1}),
            model_param(m, group, "beta", SHAPE(2), ZEROS),
            mean,
            variance,
            1e-5f,
            0.25f,
            false};
        struct tensor *y = graph_output(op_batch_norm(x, &n)), *loss = op_mse(y, t, NULL);
        float xs[24], ts[24] = {0}, got[2], out[24];
        uint64_t ids[2] = {0, 1};

        assert_int_equal(engine_compile(g, loss, &e) | engine_start(m, &e), 0);
        for (int i = 0; i < 24; i++)
            xs[i] = i < 16 ? 10 + noise(1, (unsigned long)i) : 1e6f; /* the third row is not real */
        struct engine_step s = {.rows = 2, .global_rows = 2, .ids = ids};
        assert_int_equal(engine_begin(g, &s, &e) | engine_feed(g, x, xs, &e) |
                             engine_feed(g, t, ts, &e) | engine_forward(g, ENGINE_TRAIN, &e),
                         0);
        assert_int_equal(state_get(mean, got, 2, &e), 0);
        for (int c = 0; c < 2; c++) {
            double sum = 0, square = 0, far = 0;

            for (int i = 0; i < 16; i++)
                sum += i / 4 % 2 == c ? (double)xs[i] : 0;
            for (int i = 0; i < 16; i++)
                square += i / 4 % 2 == c ? pow((double)xs[i] - sum / 8, 2) : 0;
            far = (double)got[c] - 0.25 * sum / 8;
            assert_true(fabs(far) < 1e-5);
            float v[2];
            assert_int_equal(state_get(variance, v, 2, &e), 0);
            assert_true(fabs((double)v[c] - (0.75 + 0.25 * square / 7)) < 1e-5);
        }
        /* an evaluation takes them and leaves them */
        float v[2], again[2];
        state_get(variance, v, 2, &e);
        assert_int_equal(engine_forward(g, ENGINE_EVAL, &e) | engine_read(g, y, out, 24, &e), 0);
        for (int i = 0; i < 16; i++) {
            int c = i / 4 % 2;
            double wanted = ((double)xs[i] - (double)got[c]) / sqrt((double)v[c] + 1e-5);

            assert_true(fabs((double)out[i] - wanted) < 1e-4);
        }
        state_get(variance, again, 2, &e);
        assert_memory_equal(v, again, sizeof v);
        model_destroy(m);
    }
}

/* A graph that trains nothing of the group does not move its statistics. */
static void test_frozen(void **state)
{
    uint64_t ids[4] = {0, 1, 2, 3};
    struct err e = ERR_INIT;

    (void)state;
    for (int b = 0; engine_backend_name(b); b++) {
        float mean[WIDTH], zero[WIDTH] = {0};
        struct net n;

        net_create(&n, engine_backend_name(b), comm_self(), 4, false, 0, true);
        feed(&n, ids, 4, 4);
        assert_int_equal(engine_forward(n.g, ENGINE_TRAIN, &e), 0);
        assert_int_equal(state_get(n.states[0], mean, WIDTH, &e), 0);
        assert_memory_equal(mean, zero, sizeof mean);
        model_destroy(n.m);
    }
}

static void test_refusals(void **state)
{
    static const char *const sentences[] = {
        "batch_norm in graph 'g' cannot take an input of shape (2, 3, 4): parameters and states "
        "must have one value per channel",
        "batch_norm in graph 'g' cannot take an input of shape (2, 3, 4): eps must be above 0, "
        "momentum between 0 and 1",
    };

    (void)state;
    for (int i = 0; i < 2; i++) {
        struct err e = ERR_INIT;
        struct engine_config config = {.backend = "ref", .threads = 1, .comm = comm_self()};
        struct model *m = model_create(&config, &e);
        struct optimizer sgd = {.kind = OPTIMIZER_SGD};
        int group = model_group(m, "all", &sgd);
        struct graph *g = graph_create(m, "g", 2);
        struct tensor *x = graph_input(g, "x", SHAPE(3, 4), CHANNELS_FIRST);
        struct shape C = SHAPE(i ? 3 : 4);
        struct batch_norm n = {model_param(m, group, "gamma", C, ZEROS),
                               model_param(m, group, "beta", C, ZEROS),
                               model_state(m, "mean", C, 0),
                               model_state(m, "variance", C, 1),
                               i ? 0 : 1e-5f,
                               0.1f,
                               false};

        assert_null(op_batch_norm(x, &n));
        assert_int_equal(engine_compile(g, NULL, &e), -1);
        assert_string_equal(e.text, sentences[i]);
        model_destroy(m);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ranks_are_one),      cmocka_unit_test(test_abandoned),
        cmocka_unit_test(test_running_statistics), cmocka_unit_test(test_frozen),
        cmocka_unit_test(test_refusals),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
