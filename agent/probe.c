/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How fast this rank trains: two layers of a 3-D network, forward, backward
 * and step, through the engine itself. FLOP are the engine's own count, so
 * that the figure means what a plan's FLOP mean.
 */
#include <config.h>

#include "agent/resources.h"

#include <stdlib.h>

#include "reports/core/clock.h"
#include "workloads/engine/engine.h"

enum { ROWS = 2, CHANNELS = 4, SMALL = 8, LARGE = 32, REPEATS = 3 };

/* A step this long on the small cube says enough. */
static const double slow_seconds = 0.02;

static struct tensor *stage(struct model *m, int group, struct tensor *t, const char *name, long in,
                            long out)
{
    struct param *w = model_param(m, group, name, SHAPE(out, in, 3, 3, 3), XAVIER);

    return op_leaky_relu(op_maxpool(op_conv(t, w, NULL, WINDOW(3, 1, 1)), WINDOW(2, 2, 0)), 0.3f);
}

static int one_step(struct model *m, struct graph *g, int group, struct tensor *x, struct tensor *y,
                    const float *data, struct err *e)
{
    static const uint64_t ids[ROWS] = {0, 1};
    struct engine_step step = {.rows = ROWS, .global_rows = ROWS, .ids = ids};

    model_zero(m, group);
    return engine_begin(g, &step, e) < 0 || engine_feed(g, x, data, e) < 0 ||
                   engine_feed(g, y, data, e) < 0 || engine_forward(g, ENGINE_TRAIN, e) < 0 ||
                   engine_backward(g, true, e) < 0 || model_step(m, group, 0, e) < 0
               ? -1
               : 0;
}

/* FLOP/s and the seconds of a step on cubes of that edge. */
static int measure(const struct engine_config *config, long edge, double *rate, double *seconds,
                   struct err *e)
{
    const struct optimizer sgd = {.kind = OPTIMIZER_SGD};
    size_t n = (size_t)ROWS * CHANNELS * (size_t)(edge * edge * edge);
    float *data = calloc(n, sizeof *data), loss;
    struct model *m = data ? model_create(config, e) : NULL;
    int rc = -1;

    if (!m) {
        free(data);
        return data ? -1 : err_set(e, "out of memory for the speed probe");
    }
    int group = model_group(m, "all", &sgd);
    struct graph *g = graph_create(m, "probe", ROWS);
    struct tensor *x = graph_input(g, "x", SHAPE(CHANNELS, edge, edge, edge), CHANNELS_LAST);
    struct tensor *t = stage(m, group, x, "conv1.weight", CHANNELS, 16);
    t = stage(m, group, t, "conv2.weight", 16, 32);
    struct tensor *y = graph_input(g, "y", SHAPE(32, edge / 4, edge / 4, edge / 4), CHANNELS_LAST);
    struct tensor *end = op_mse(t, y, NULL);
    if (engine_compile(g, end, e) < 0 || engine_start(m, e) < 0)
        goto out;
    *seconds = 0;
    for (int i = 0; i <= REPEATS; i++) { /* the first warms up */
        double begin = clock_now();
        if (one_step(m, g, group, x, y, data, e) < 0 || engine_read(g, end, &loss, 1, e) < 0)
            goto out;
        double took = clock_now() - begin;
        if (i == 1 || (i > 1 && took < *seconds))
            *seconds = took;
    }
    *rate = graph_flop(g).executed * ROWS / *seconds;
    rc = 0;
out:
    model_destroy(m);
    free(data);
    return rc;
}

int resources_probe(struct resources *r, struct comm *c, const struct runspec *spec, struct err *e)
{
    struct engine_config config = {
        .backend = spec->engine == ENGINE_AUTO ? engine_backend_name(0)
                                               : runspec_engine_name(spec->engine),
        .threads = spec->threads ? spec->threads : r->threads,
        .compute = spec->dtype == DTYPE_BF16 ? TENSOR_BF16 : TENSOR_F32,
        .seed = 1,
        .comm = comm_self(),
        .now = clock_now,
    };
    double rate = 0, seconds = 0;

    int rc = measure(&config, SMALL, &rate, &seconds, e);
    if (rc == 0 && seconds < slow_seconds)
        rc = measure(&config, LARGE, &rate, &seconds, e);
    if (comm_agree(c, rc, e) < 0 || c->reduce(c, &rate, 1, COMM_MIN, e) < 0)
        return -1;
    r->flop_per_second = rate;
    return 0;
}
