/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/node/network.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "reports/core/sha256.h"
#include "workloads/engine/engine.h"
#include "workloads/philox.h"

/* Rows x 1 x 16 x 16 -> 8 maps -> pool -> 16 maps -> pool -> 10 classes. */
enum { ROWS = 16, EDGE = 16, MAPS = 8, KERNEL = 3, CLASSES = 10, BATCHES = 16, PARAMS = 6 };

enum { PIXELS = EDGE * EDGE, FLAT = 2 * MAPS * (EDGE / 4) * (EDGE / 4) };

static const float rate = 0.01F;

struct network {
    struct model *model;
    struct graph *graph;
    struct tensor *x, *t, *loss;
    int group;
    struct param *params[PARAMS];
    long step;
    uint64_t ids[ROWS];
    float *images, *classes; /* of all batches */
};

static double now_of_nobody(void)
{
    return 0;
}

/* Pixels in [-1, 1), exact; classes. */
static void draw(struct network *n, uint64_t seed)
{
    const uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};

    for (uint32_t i = 0; i < BATCHES * ROWS; i++) {
        for (uint32_t p = 0; p < PIXELS; p += 4) {
            uint32_t at[4] = {i, p, 0, UINT32_C(0x6e6f6465)};
            philox4x32(at, key, at);
            for (uint32_t k = 0; k < 4; k++)
                n->images[i * PIXELS + p + k] = (float)(at[k] >> 8) / 8388608.0F - 1;
        }
        n->classes[i] = (float)(i % CLASSES);
    }
}

static int build(struct network *n, struct err *e)
{
    static const struct optimizer sgd = {.kind = OPTIMIZER_SGD, .momentum = 0.9F};
    struct model *m = n->model;
    struct param **p = n->params;

    n->group = model_group(m, "all", &sgd);
    p[0] = model_param(m, n->group, "conv1.weight", SHAPE(MAPS, 1, KERNEL, KERNEL), HE);
    p[1] = model_param(m, n->group, "conv1.bias", SHAPE(MAPS), ZEROS);
    p[2] = model_param(m, n->group, "conv2.weight", SHAPE(2 * MAPS, MAPS, KERNEL, KERNEL), HE);
    p[3] = model_param(m, n->group, "conv2.bias", SHAPE(2 * MAPS), ZEROS);
    p[4] = model_param(m, n->group, "dense.weight", SHAPE(CLASSES, FLAT), XAVIER);
    p[5] = model_param(m, n->group, "dense.bias", SHAPE(CLASSES), ZEROS);
    n->graph = graph_create(m, "train", ROWS);
    n->x = graph_input(n->graph, "x", SHAPE(1, EDGE, EDGE), CHANNELS_FIRST);
    n->t = graph_input(n->graph, "t", SHAPE(1), CHANNELS_FIRST);
    struct tensor *y = op_relu(op_conv(n->x, p[0], p[1], WINDOW(KERNEL, 1, 1)));
    y = op_maxpool(y, WINDOW(2, 2, 0));
    y = op_relu(op_conv(y, p[2], p[3], WINDOW(KERNEL, 1, 1)));
    y = op_flatten(op_maxpool(y, WINDOW(2, 2, 0)));
    n->loss = op_cross_entropy(op_dense(y, p[4], p[5]), n->t, NULL, NULL);
    return engine_compile(n->graph, n->loss, e) < 0 || engine_start(m, e) < 0 ? -1 : 0;
}

struct network *network_open(const char *backend, int threads, uint64_t seed, struct err *e)
{
    struct engine_config config = {.backend = backend,
                                   .threads = threads,
                                   .compute = TENSOR_F32,
                                   .seed = seed,
                                   .comm = comm_self(),
                                   .now = now_of_nobody};
    struct network *n = calloc(1, sizeof *n);

    if (n) {
        n->images = malloc(sizeof *n->images * BATCHES * ROWS * PIXELS);
        n->classes = malloc(sizeof *n->classes * BATCHES * ROWS);
    }
    if (!n || !n->images || !n->classes) {
        err_set(e, "out of memory for the network of the replicas");
        network_close(n);
        return NULL;
    }
    draw(n, seed);
    if ((n->model = model_create(&config, e)) && build(n, e) == 0)
        return n;
    network_close(n);
    return NULL;
}

void network_close(struct network *n)
{
    if (!n)
        return;
    if (n->model)
        model_destroy(n->model);
    free(n->images);
    free(n->classes);
    free(n);
}

int network_step(struct network *n, struct err *e)
{
    long batch = n->step % BATCHES;
    struct engine_step step = {
        .rows = ROWS, .global_rows = ROWS, .ids = n->ids, .epoch = (uint64_t)(n->step / BATCHES)};

    for (long i = 0; i < ROWS; i++)
        n->ids[i] = (uint64_t)(batch * ROWS + i);
    if (engine_begin(n->graph, &step, e) < 0 ||
        engine_feed(n->graph, n->x, n->images + batch * ROWS * PIXELS, e) < 0 ||
        engine_feed(n->graph, n->t, n->classes + batch * ROWS, e) < 0)
        return -1;
    model_zero(n->model, n->group);
    if (engine_forward(n->graph, ENGINE_TRAIN, e) < 0 || engine_backward(n->graph, true, e) < 0 ||
        model_step(n->model, n->group, rate, e) < 0)
        return -1;
    n->step++;
    return 0;
}

int network_digest(struct network *n, char digest[17], struct err *e)
{
    float values[CLASSES * FLAT];
    char hex[SHA256_HEX_SIZE];
    struct sha256 s;

    sha256_init(&s);
    for (int i = 0; i < PARAMS; i++) {
        struct shape shape = param_shape(n->params[i]);
        size_t count = shape_count(&shape);
        if (param_get(n->params[i], PARAM_VALUE, values, count, e) < 0)
            return -1;
        for (size_t k = 0; k < count; k++)
            if (!isfinite(values[k]))
                return err_set(e, "a weight of the replica is not finite after %ld steps", n->step);
        sha256_add(&s, values, count * sizeof *values);
    }
    sha256_hex(&s, hex);
    snprintf(digest, 17, "%.16s", hex);
    return 0;
}
