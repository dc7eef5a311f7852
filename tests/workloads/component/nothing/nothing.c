/* SPDX-License-Identifier: BSD-3-Clause */
/* Its workload: the mean of three numbers, by a network of one layer. */
#include <config.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "workloads/component/harness.h"

extern const struct science science_nothing;
extern const struct workload workload_nothing;

static const struct recipe recipes[] = {
    {.class = CLASS_TINY,
     .model = "line",
     .batch = 8,
     .epochs = 20,
     .optimizer = {.kind = OPTIMIZER_SGD, .momentum = 0.9F},
     .schedule = {.base = 0.1},
     .target = 0.01,
     .parameters = 4,
     .notes = "init=xavier"},
};

static int make(const void *ctx, const struct loader_sample *in, float *const out[], struct err *e)
{
    (void)ctx;
    (void)e;
    memcpy(out[0], in->field[0], 3 * sizeof(float));
    memcpy(out[1], in->field[1], sizeof(float));
    return 0;
}

static void build(struct net *n, const struct recipe *r, const struct data_class *c,
                  const void *feed)
{
    struct param *w = model_param(n->model, n->group, "w", SHAPE(1, 3), XAVIER);
    struct param *b = model_param(n->model, n->group, "b", SHAPE(1), ZEROS);

    (void)r;
    (void)c;
    (void)feed;
    n->feed[0] = graph_input(n->graph, "x", SHAPE(3), CHANNELS_FIRST);
    n->feed[1] = graph_input(n->graph, "mean", SHAPE(1), CHANNELS_FIRST);
    struct tensor *y = graph_keep_f32(op_dense(n->feed[0], w, b));
    n->loss = op_mse(y, n->feed[1], NULL);
    n->out[0] = graph_output(y);
}

static void describe(const struct recipe *r, const struct data_class *c, char *text, size_t size)
{
    (void)r;
    (void)c;
    snprintf(text, size, "of three numbers");
}

static int observe(struct tally *t, const struct loader_batch *b, const float *const out[],
                   struct err *e)
{
    const char *nap = getenv("NOTHING_NAP"); /* a test needs the time to kill it */

    (void)e;
    if (nap)
        nanosleep(&(struct timespec){.tv_nsec = atol(nap)}, NULL);
    for (int i = 0; i < b->n; i++) {
        t->sums[0] += fabs((double)(out[0][i] - b->feed[1][i]));
        t->sums[1] += fabs((double)b->feed[1][i]);
        t->sums[2]++;
    }
    return 0;
}

static void judge(const struct tally *t, struct judgement *j)
{
    j->quality = t->sums[0] / t->sums[2];
    j->trivial = t->sums[1] / t->sums[2];
}

static const struct component nothing = {
    .name = "nothing",
    .title = "The mean",
    .science = &science_nothing,
    .metric = "mae",
    .domain_title = "mean of the training labels",
    .recipes = recipes,
    .n_recipes = 1,
    .make = make,
    .build = build,
    .describe = describe,
    .observe = observe,
    .judge = judge,
};

const struct workload workload_nothing = HARNESS_WORKLOAD(&nothing);
