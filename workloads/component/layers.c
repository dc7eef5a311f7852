/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/component/layers.h"

#include <stdio.h>

enum { FULL_SIZE = 64 };

struct param *layer_param(const struct place *p, struct shape shape, struct init init,
                          const char *name, const char *what)
{
    char text[FULL_SIZE];

    snprintf(text, sizeof text, "%s.%s", name, what);
    return model_param(p->model, p->group, text, shape, init);
}

static struct state *state(const struct place *p, long channels, float value, const char *name,
                           const char *what)
{
    char text[FULL_SIZE];

    snprintf(text, sizeof text, "%s.%s", name, what);
    return model_state(p->model, text, SHAPE(channels), value);
}

struct tensor *layer_conv(const struct place *p, struct tensor *x, const char *name, long out,
                          struct window win)
{
    if (!x)
        return NULL;
    const struct shape shape = SHAPE(out, tensor_shape(x).d[1], win.kernel[0], win.kernel[1]);
    return op_conv(x, layer_param(p, shape, HE, name, "weight"), NULL, win);
}

struct tensor *layer_norm(const struct place *p, struct tensor *x, const char *name)
{
    const struct init one = {INIT_CONSTANT, 1};

    if (!x)
        return NULL;
    long channels = tensor_shape(x).d[1];
    struct batch_norm b = {
        .gamma = layer_param(p, SHAPE(channels), one, name, "weight"),
        .beta = layer_param(p, SHAPE(channels), ZEROS, name, "bias"),
        .mean = state(p, channels, 0, name, "running_mean"),
        .variance = state(p, channels, 1, name, "running_var"),
        .eps = 1e-5f,
        .momentum = 0.1f,
    };

    return op_batch_norm(x, &b);
}
