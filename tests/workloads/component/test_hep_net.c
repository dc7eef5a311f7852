/* SPDX-License-Identifier: BSD-3-Clause */
/* The networks of particle physics have the published sizes, and learn. */
#include <config.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "workloads/component/hep_net.h"

/* One graph of a net over images of `edge`, batch 1. */
struct net {
    struct model *model;
    struct graph *graph;
    struct tensor *x, *label, *weight, *loss;
};

static struct net net_of(const struct hep_resnet *resnet, const struct hep_cnn *cnn, long edge,
                         long batch)
{
    const struct engine_config config = {
        .backend = "ref", .threads = 1, .seed = 3, .comm = comm_self()};
    const struct optimizer adam = {.kind = OPTIMIZER_ADAM, OPTIMIZER_ADAM_COMMON};
    struct err e = ERR_INIT;
    struct net n = {.model = model_create(&config, &e)};
    int group = model_group(n.model, "all", &adam);

    n.graph = graph_create(n.model, "hep", batch);
    n.x = graph_input(n.graph, "x", SHAPE(HEP_CHANNELS, edge, edge), CHANNELS_FIRST);
    n.label = graph_input(n.graph, "label", SHAPE(1), CHANNELS_FIRST);
    n.weight = graph_input(n.graph, "weight", SHAPE(1), CHANNELS_FIRST);
    struct tensor *logits =
        resnet ? hep_resnet(n.model, group, n.x, resnet) : hep_cnn(n.model, group, n.x, cnn);
    n.loss = op_cross_entropy(logits, n.label, NULL, n.weight);
    if (engine_compile(n.graph, n.loss, &e) < 0)
        fail_msg("%s", e.text);
    return n;
}

/* Parameters as published (ResNet-50 v1.5 of two classes; Kurth et al. SC'17
 * for HEP-CNN) or by the same arithmetic; GFLOP forward, 2 per multiply-add. */
static void sizes_are_published(void **state)
{
    static const struct {
        const char *name;
        struct hep_resnet resnet;
        struct hep_cnn cnn;
        long edge;
        unsigned long long parameters;
        double gflop;
    } rows[] = {
        {"ResNet-50", {64, {3, 4, 6, 3}}, {0}, 64, 23512130, 0.6673},
        {"small ResNet", {16, {2, 2, 2, 2}}, {0}, 64, 880210, 0},
        {"tiny ResNet", {16, {1, 1, 1, 0}}, {0}, 32, 127506, 0},
        {"HEP-CNN", {0}, {128, 4, 0.5f}, 224, 594178, 5.260},
        {"HEP-CNN 64", {0}, {128, 4, 0.5f}, 64, 594178, 0},
        {"small HEP-CNN", {0}, {64, 4, 0.5f}, 64, 149634, 0},
        {"tiny HEP-CNN", {0}, {16, 3, 0.1f}, 32, 7442, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct net n =
            net_of(rows[i].resnet.width ? &rows[i].resnet : NULL, &rows[i].cnn, rows[i].edge, 1);
        unsigned long long got = model_parameters(n.model, -1);
        double gflop = graph_flop(n.graph).forward / 1e9;
        if (got != rows[i].parameters)
            fail_msg("%s: %llu parameters where %llu are right", rows[i].name, got,
                     rows[i].parameters);
        if (rows[i].gflop > 0 && fabs(gflop / rows[i].gflop - 1) > 1e-3) /* 4 digits given */
            fail_msg("%s: %.4f GFLOP where %.4f are right", rows[i].name, gflop, rows[i].gflop);
        model_destroy(n.model);
    }
}

/* Eight images of noise, whose labels are learnt by heart: the loss falls to a
 * tenth. Guards against a graph through which no gradient flows. */
static void learns_by_heart(void **state)
{
    static const struct hep_resnet resnet = {16, {1, 1, 0, 0}};
    static const struct hep_cnn cnn = {16, 2, 0};
    enum { ROWS = 8, EDGE = 16, STEPS = 60 };
    static float x[ROWS * HEP_CHANNELS * EDGE * EDGE], label[ROWS], weight[ROWS];
    uint64_t ids[ROWS];

    (void)state;
    for (int i = 0; i < ROWS; i++) {
        ids[i] = (uint64_t)i;
        label[i] = (float)(i % 2);
        weight[i] = 1;
    }
    for (size_t i = 0; i < sizeof x / sizeof *x; i++)
        x[i] = sinf((float)(i * i % 1009));
    for (int k = 0; k < 2; k++) {
        struct net n = net_of(k ? NULL : &resnet, &cnn, EDGE, ROWS);
        struct err e = ERR_INIT;
        float first = 0, loss = 0;
        int rc = engine_start(n.model, &e);
        for (int i = 0; rc == 0 && i < STEPS; i++) {
            const struct engine_step step = {ROWS, ROWS, ids, 0};
            rc = engine_begin(n.graph, &step, &e) | engine_feed(n.graph, n.x, x, &e) |
                 engine_feed(n.graph, n.label, label, &e) |
                 engine_feed(n.graph, n.weight, weight, &e);
            model_zero(n.model, 0);
            rc |= engine_forward(n.graph, ENGINE_TRAIN, &e) | engine_backward(n.graph, true, &e) |
                  engine_read(n.graph, n.loss, &loss, 1, &e) | model_step(n.model, 0, 5e-3, &e);
            first = i ? first : loss;
        }
        if (rc)
            fail_msg("%s", e.text);
        if (!(loss < first / 10))
            fail_msg("net %d: loss %g from %g", k, (double)loss, (double)first);
        model_destroy(n.model);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_are_published),
        cmocka_unit_test(learns_by_heart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
