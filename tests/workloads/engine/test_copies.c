/* SPDX-License-Identifier: BSD-3-Clause */
/* Weight copies of the back end for CPUs: one for each parameter and layout,
 * however many nodes and graphs read it; made once after each change. */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/workloads/engine/harness.h"
#include "workloads/engine/internal.h"

enum { CHANNELS = 16, SIDE = 6, BATCH = 2, VALUES = BATCH * CHANNELS * SIDE * SIDE };

static const struct optimizer sgd = {.kind = OPTIMIZER_SGD};

static void must(int rc, const struct err *e)
{
    if (rc)
        fail_msg("%s", e->text);
}

static struct model *model_of(const char *backend)
{
    struct err e = ERR_INIT;
    struct engine_config c = {
        .backend = backend, .threads = 2, .seed = 5, .comm = comm_self(), .bucket_bytes = 1};
    struct model *m = model_create(&c, &e);

    if (!m)
        fail_msg("%s", e.text);
    return m;
}

static struct param *weight(struct model *m, int group, const char *name)
{
    return model_param(m, group, name, SHAPE(CHANNELS, CHANNELS, 3, 3), HE);
}

/* h = tanh(conv(h)), `times` over: as a recurrence is unrolled. */
struct net {
    struct graph *g;
    struct tensor *x, *t, *y, *loss;
};

static struct net unrolled(struct model *m, const char *name, struct param *const w[], int n,
                           int times, bool train)
{
    struct err e = ERR_INIT;
    struct net net = {.g = graph_create(m, name, BATCH)};
    struct tensor *h;

    h = net.x = graph_input(net.g, "x", SHAPE(CHANNELS, SIDE, SIDE), CHANNELS_FIRST);
    net.t = graph_input(net.g, "t", SHAPE(CHANNELS, SIDE, SIDE), CHANNELS_FIRST);
    for (int i = 0; i < times; i++)
        h = op_tanh(op_conv(h, w[i % n], NULL, WINDOW(3, 1, 1)));
    net.y = graph_output(h);
    net.loss = graph_output(op_mse(h, net.t, NULL));
    must(engine_compile(net.g, train ? net.loss : NULL, &e), &e);
    return net;
}

static void pass(struct net *net, bool backward)
{
    struct err e = ERR_INIT;
    static const uint64_t ids[BATCH] = {1, 2};
    float v[VALUES];

    for (int i = 0; i < VALUES; i++)
        v[i] = noise(1, (unsigned long)i);
    must(engine_begin(net->g,
                      &(struct engine_step){.rows = BATCH, .global_rows = BATCH, .ids = ids}, &e),
         &e);
    must(engine_feed(net->g, net->x, v, &e), &e);
    must(engine_feed(net->g, net->t, v, &e), &e);
    must(engine_forward(net->g, backward ? ENGINE_TRAIN : ENGINE_EVAL, &e), &e);
    if (backward)
        must(engine_backward(net->g, true, &e), &e);
}

static void train(struct model *m, struct net *net, int group)
{
    struct err e = ERR_INIT;

    model_zero(m, group);
    pass(net, true);
    must(model_step(m, group, 0.1, &e), &e);
}

/* Bytes of the copies of a net whose one weight is used so often. */
static uint64_t bytes_of(int times, int *copies)
{
    struct model *m = model_of("cpu");
    struct param *w = weight(m, model_group(m, "all", &sgd), "w");

    unrolled(m, "net", &w, 1, times, true);
    uint64_t bytes = model_memory(m).weight_bytes;
    *copies = m->n_copies;
    model_destroy(m);
    return bytes;
}

static void test_uses_share(void **state)
{
    int few, many;

    (void)state;
    assert_true(bytes_of(2, &few) == bytes_of(9, &many));
    assert_int_equal(few, many);
    assert_in_range(many, 1, 2); /* forward's layout, and data's where it differs */
}

/* Once after each change, whatever reads it: here seven nodes of two graphs. */
static void test_once_a_step(void **state)
{
    struct err e = ERR_INIT;
    struct model *m = model_of("cpu");
    int group = model_group(m, "all", &sgd);
    struct param *w = weight(m, group, "w");
    struct net a = unrolled(m, "train", &w, 1, 4, true), b = unrolled(m, "look", &w, 1, 3, false);

    (void)state;
    must(engine_start(m, &e), &e);
    for (int step = 0; step < 3; step++) {
        for (int i = 0; i < 2; i++) {
            pass(&b, false);
            model_zero(m, group);
            pass(&a, true);
        }
        must(model_step(m, group, 0.1, &e), &e);
        assert_true(model_stats(m, true).refreshed == (uint64_t)m->n_copies);
    }
    assert_in_range(m->n_copies, 1, 3); /* forward's, data's; at most one of its own without loss */
    model_destroy(m);
}

/* A step of one group leaves the copies of another as they are. */
static void test_groups_apart(void **state)
{
    struct err e = ERR_INIT;
    struct model *m = model_of("cpu");
    int body = model_group(m, "body", &sgd), head = model_group(m, "head", &sgd);
    struct param *w[2] = {weight(m, body, "w"), weight(m, head, "v")};
    struct net net = unrolled(m, "net", w, 2, 2, true);
    int heads = 0;

    (void)state;
    must(engine_start(m, &e), &e);
    for (int i = 0; i < m->n_copies; i++)
        heads += m->copies[i]->param == w[1];
    for (int i = 0; i < 2; i++) {
        model_stats(m, true);
        model_zero(m, body);
        train(m, &net, head);
    }
    assert_true(heads > 0 && heads < m->n_copies &&
                model_stats(m, true).refreshed == (uint64_t)heads);
    model_destroy(m);
}

/* What is read after a change is the change: steps and sets, on both back ends. */
static void test_never_stale(void **state)
{
    static float v[CHANNELS * CHANNELS * 9], y[2][VALUES];
    const char *backends[2] = {"cpu", "ref"};

    (void)state;
    for (int k = 0; k < 2; k++) {
        struct err e = ERR_INIT;
        struct model *m = model_of(backends[k]);
        int group = model_group(m, "all", &sgd);
        struct param *w = weight(m, group, "w");
        struct net a = unrolled(m, "train", &w, 1, 2, true);
        struct net b = unrolled(m, "look", &w, 1, 2, false);

        must(engine_start(m, &e), &e);
        train(m, &a, group);
        pass(&b, false);
        for (int i = 0; i < CHANNELS * CHANNELS * 9; i++)
            v[i] = 0.1f * noise(3, (unsigned long)i);
        must(param_set(w, v, sizeof v / sizeof v[0], &e), &e);
        pass(&b, false);
        must(engine_read(b.g, b.y, y[k], VALUES, &e), &e);
        model_destroy(m);
    }
    /* outputs in (-1, 1) of 144 products in another order, twice */
    for (int i = 0; i < VALUES; i++)
        assert_float_equal(y[0][i], y[1][i], 2e-6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_uses_share),
        cmocka_unit_test(test_once_a_step),
        cmocka_unit_test(test_groups_apart),
        cmocka_unit_test(test_never_stale),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
