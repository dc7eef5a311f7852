/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/component/forecast_net.h"

#include <stdio.h>

static const struct init one = {INIT_CONSTANT, 1}, small = {INIT_NORMAL, 0.02f};

/* Where layers go, and what they are called before the dot. */
struct place {
    struct model *model;
    int group;
    char block[32];
};

static struct param *param(const struct place *p, const char *name, const char *what,
                           struct shape shape, struct init init)
{
    char text[64];

    snprintf(text, sizeof text, "%s%s.%s", p->block, name, what);
    return model_param(p->model, p->group, text, shape, init);
}

static struct tensor *dense(const struct place *p, struct tensor *x, const char *name, long out,
                            struct init init)
{
    struct param *w = param(p, name, "weight", SHAPE(out, tensor_shape(x).d[1]), init);

    return op_dense(x, w, param(p, name, "bias", SHAPE(out), ZEROS));
}

static struct tensor *norm(const struct place *p, struct tensor *x, const char *name)
{
    const struct shape D = SHAPE(tensor_shape(x).d[1]);
    struct param *gamma = param(p, name, "weight", D, one);

    return op_layer_norm(x, gamma, param(p, name, "bias", D, ZEROS), 1e-5f);
}

static struct tensor *block(const struct place *p, const struct forecast_net *f, struct tensor *x)
{
    struct tensor *y = dense(p, norm(p, x, "norm1"), "qkv", 3 * f->width, XAVIER);

    x = op_add(x, dense(p, op_attention(y, f->heads), "proj", f->width, XAVIER));
    y = op_gelu(dense(p, norm(p, x, "norm2"), "fc1", 4 * f->width, XAVIER));
    return op_add(x, dense(p, y, "fc2", f->width, XAVIER));
}

struct tensor *forecast_build(const struct forecast_net *f, struct model *m, int group,
                              struct tensor *x)
{
    struct place p = {.model = m, .group = group};

    if (!x)
        return NULL;
    const struct shape map = tensor_shape(x);
    const long N = forecast_tokens(f, map.d[2], map.d[3]);
    x = dense(&p, op_patches(x, f->patch), "embed", f->width, XAVIER);
    x = op_positions(x, param(&p, "positions", "weight", SHAPE(N, f->width), small));
    for (long i = 0; i < f->layers; i++) {
        snprintf(p.block, sizeof p.block, "block%ld.", i + 1);
        x = block(&p, f, x);
    }
    *p.block = '\0';
    x = dense(&p, norm(&p, x, "norm"), "head", map.d[1] * f->patch * f->patch, small);
    return op_unpatch(x, f->patch, map.d[2], map.d[3]);
}
