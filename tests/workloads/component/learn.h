/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A network that segments learns by heart: two samples, so many steps of the optimiser.
 *
 * Life:    plain functions for tests; the model is the caller's.
 * Failure: a failing assertion.
 */
#ifndef COMPONENT_LEARN_H
#define COMPONENT_LEARN_H

#include "tests/unit.h"
#include "workloads/engine/engine.h"

enum { LEARN_BATCH = 2 };

/* What build() makes of x, B x 1 x side x side. */
typedef struct tensor *learn_build(const void *net, struct model *m, int group, struct tensor *x);

/* A model whose one group "all" Adam trains. */
static inline struct model *learn_model(const char *backend, int *group)
{
    struct err e = ERR_INIT;
    struct engine_config config = {
        .backend = backend, .threads = 1, .seed = 3, .comm = comm_self()};
    struct optimizer adam = {.kind = OPTIMIZER_ADAM, OPTIMIZER_ADAM_COMMON};
    struct model *m = model_create(&config, &e);

    assert_non_null(m);
    *group = model_group(m, "all", &adam);
    return m;
}

static inline float learn_step(struct model *m, int group, struct graph *g,
                               struct tensor *const feed[2], const float *const values[2],
                               struct tensor *loss)
{
    const struct engine_step step = {
        .rows = LEARN_BATCH, .global_rows = LEARN_BATCH, .ids = (const uint64_t[]){0, 1}};
    struct err e = ERR_INIT;
    float got = 0;
    int rc = engine_begin(g, &step, &e);

    for (int k = 0; k < 2; k++)
        rc |= engine_feed(g, feed[k], values[k], &e);
    model_zero(m, group);
    rc |= engine_forward(g, ENGINE_TRAIN, &e) | engine_backward(g, true, &e) |
          engine_read(g, loss, &got, 1, &e) | model_step(m, group, 0.01, &e);
    if (rc)
        fail_msg("%s", e.text);
    return got;
}

/* The loss (cross-entropy of the classes t) falls below `part` of what it is at the
 * start, which is about that of no knowledge. x, t: LEARN_BATCH x side x side. */
static inline void learn_by_heart(learn_build *build, const void *net, long side, const float *x,
                                  const float *t, int steps, float part)
{
    struct err e = ERR_INIT;
    float first = 0, loss = 0;
    int group;
    struct model *m = learn_model(engine_backend_name(0), &group);
    struct graph *g = graph_create(m, "learns", LEARN_BATCH);
    struct tensor *const feed[2] = {graph_input(g, "x", SHAPE(1, side, side), CHANNELS_FIRST),
                                    graph_input(g, "t", SHAPE(side, side), CHANNELS_FIRST)};
    struct tensor *out = op_cross_entropy(build(net, m, group, feed[0]), feed[1], NULL, NULL);

    if (engine_compile(g, out, &e) < 0 || engine_start(m, &e) < 0)
        fail_msg("%s", e.text);
    for (int i = 0; i < steps; i++) {
        loss = learn_step(m, group, g, feed, (const float *const[]){x, t}, out);
        first = i == 0 ? loss : first;
    }
    assert_true(first > 0.5F && first < 4);
    if (!(loss < part * first))
        fail_msg("the loss went from %g to %g only", (double)first, (double)loss);
    model_destroy(m);
}

#endif
