/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "tests/workloads/engine/trainer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/workloads/engine/harness.h"

/* Not cmocka's: ranks are threads here, and a rank that fails ends all. */
static void must(int rc, const struct err *e)
{
    if (!rc)
        return;
    fprintf(stderr, "trainer: %s\n", e->text);
    abort();
}

static struct param *add(struct trainer *t, const char *name, struct shape shape, struct init init)
{
    t->names[t->n_params] = name;
    return t->params[t->n_params++] = model_param(t->m, t->group, name, shape, init);
}

static struct tensor *block(struct trainer *t, struct tensor *x, const char *weight,
                            const char *bias, long out)
{
    struct param *w = add(t, weight, SHAPE(out, tensor_shape(x).d[1], 3, 3, 3), XAVIER);
    struct param *b = add(t, bias, SHAPE(out), ZEROS);

    x = op_conv(x, w, b, WINDOW(3, 1, 1));
    return op_maxpool(op_leaky_relu(x, 0.3f), WINDOW(2, 2, 0));
}

static struct tensor *dense(struct trainer *t, struct tensor *x, const char *weight,
                            const char *bias, long out)
{
    struct param *w = add(t, weight, SHAPE(out, tensor_shape(x).d[1]), XAVIER);

    return op_dense(x, w, add(t, bias, SHAPE(out), ZEROS));
}

void trainer_create(struct trainer *t, const struct engine_config *config, long batch,
                    float dropout, const struct optimizer *o)
{
    struct err e = ERR_INIT;

    *t = (struct trainer){.m = model_create(config, &e)};
    must(t->m ? 0 : -1, &e);
    t->group = model_group(t->m, "all", o);
    t->g = graph_create(t->m, "train", batch);
    t->x =
        graph_input(t->g, "x", SHAPE(4, TRAINER_SIDE, TRAINER_SIDE, TRAINER_SIDE), CHANNELS_LAST);
    t->y = graph_input(t->g, "y", SHAPE(4), CHANNELS_FIRST);
    struct tensor *h = block(t, t->x, "conv1.weight", "conv1.bias", 16);
    h = op_flatten(block(t, h, "conv2.weight", "conv2.bias", 32));
    h = op_leaky_relu(dense(t, h, "fc1.weight", "fc1.bias", 24), 0.3f);
    h = op_dropout(h, dropout);
    h = op_leaky_relu(dense(t, h, "fc2.weight", "fc2.bias", 12), 0.3f);
    h = op_dropout(h, dropout);
    h = graph_keep_f32(dense(t, h, "fc3.weight", "fc3.bias", 4));
    t->out = graph_output(op_scale(op_tanh(h), 1.2f));
    t->loss = op_mse(t->out, t->y, NULL);
    t->mae = op_mae(t->out, t->y, NULL);
    must(engine_compile(t->g, t->loss, &e), &e);
    must(engine_start(t->m, &e), &e);
}

void trainer_destroy(struct trainer *t)
{
    model_destroy(t->m);
}

void trainer_sample(uint64_t id, float *cube, float *label)
{
    for (int k = 0; k < 4; k++)
        label[k] = noise(900 + (unsigned)k, id);
    for (int i = 0; i < TRAINER_CUBE; i++) {
        int s = i / 4 % TRAINER_SIDE;
        cube[i] = noise(2000 + (unsigned)id, (unsigned long)i) +
                  label[i % 4] * sinf(0.9f * (float)s + label[(i + 1) % 4]);
    }
}

float trainer_step(struct trainer *t, const uint64_t *ids, long rows, long global_rows,
                   uint64_t epoch, double rate)
{
    struct err e = ERR_INIT;
    float *cubes = calloc((size_t)(rows + 1) * TRAINER_CUBE, sizeof *cubes);
    float labels[64], loss = NAN;

    for (long i = 0; i < rows; i++)
        trainer_sample(ids[i], cubes + i * TRAINER_CUBE, labels + 4 * i);
    must(engine_begin(t->g,
                      &(struct engine_step){
                          .rows = rows, .global_rows = global_rows, .ids = ids, .epoch = epoch},
                      &e),
         &e);
    must(engine_feed(t->g, t->x, cubes, &e), &e);
    must(engine_feed(t->g, t->y, labels, &e), &e);
    model_zero(t->m, t->group);
    must(engine_forward(t->g, ENGINE_TRAIN, &e), &e);
    must(engine_backward(t->g, true, &e), &e);
    must(engine_read(t->g, t->loss, &loss, 1, &e), &e);
    must(model_step(t->m, t->group, rate, &e), &e);
    free(cubes);
    return loss;
}
