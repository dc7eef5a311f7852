/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/component/unet.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>

enum { MOST_LEVELS = 8 };

struct builder {
    struct model *model;
    int group;
    char scope[16]; /* "down0" */
};

static struct param *param(const struct builder *b, const char *name, struct shape shape,
                           struct init init)
{
    char full[48];

    snprintf(full, sizeof full, "%s.%s", b->scope, name);
    return model_param(b->model, b->group, full, shape, init);
}

static struct state *state(const struct builder *b, const char *name, int layer, long channels,
                           float value)
{
    char full[48];

    snprintf(full, sizeof full, "%s.bn%d.%s", b->scope, layer, name);
    return model_state(b->model, full, SHAPE(channels), value);
}

/* conv 3x3, batch norm, ReLU */
static struct tensor *layer(const struct builder *b, struct tensor *x, int i, long out)
{
    const struct init one = {INIT_CONSTANT, 1};
    char conv[24], scale[24], shift[24];

    snprintf(conv, sizeof conv, "conv%d.weight", i);
    snprintf(scale, sizeof scale, "bn%d.weight", i);
    snprintf(shift, sizeof shift, "bn%d.bias", i);
    struct param *w = param(b, conv, SHAPE(out, tensor_shape(x).d[1], 3, 3), HE);
    struct batch_norm bn = {.eps = 1e-5f, .momentum = 0.1f};
    bn.gamma = param(b, scale, SHAPE(out), one);
    bn.beta = param(b, shift, SHAPE(out), ZEROS);
    bn.mean = state(b, "mean", i, out, 0);
    bn.variance = state(b, "variance", i, out, 1);
    return op_relu(op_batch_norm(op_conv(x, w, NULL, WINDOW(3, 1, 1)), &bn));
}

static struct tensor *pair(const struct builder *b, struct tensor *x, long out)
{
    return layer(b, layer(b, x, 1, out), 2, out);
}

/* Twice the size, half the channels. Each value is a sum over `in` channels: a
 * variance of 1 / in keeps theirs. */
static struct tensor *up(const struct builder *b, struct tensor *x, long out)
{
    const long in = tensor_shape(x).d[1];
    const struct init normal = {INIT_NORMAL, 1 / sqrtf((float)in)};
    struct param *w = param(b, "deconv.weight", SHAPE(in, out, 2, 2), normal);
    struct param *bias = param(b, "deconv.bias", SHAPE(out), ZEROS);

    return op_deconv(x, w, bias, WINDOW(2, 2, 0));
}

struct tensor *unet_build(const struct unet *u, struct model *m, int group, struct tensor *x)
{
    struct builder b = {.model = m, .group = group};
    struct tensor *kept[MOST_LEVELS];

    assert(u->levels >= 1 && u->levels <= MOST_LEVELS);
    for (int l = 0; l <= u->levels; l++) {
        snprintf(b.scope, sizeof b.scope, "down%d", l);
        x = pair(&b, x, (long)u->width << l);
        if (l == u->levels)
            break;
        kept[l] = x;
        x = op_maxpool(x, WINDOW(2, 2, 0));
    }
    for (int l = u->levels - 1; l >= 0; l--) {
        snprintf(b.scope, sizeof b.scope, "up%d", l);
        struct tensor *both[2] = {kept[l], up(&b, x, (long)u->width << l)};
        x = pair(&b, op_concat(2, both), (long)u->width << l);
    }
    snprintf(b.scope, sizeof b.scope, "head");
    struct param *w = param(&b, "weight", SHAPE(u->classes, u->width, 1, 1), XAVIER);
    struct param *bias = param(&b, "bias", SHAPE(u->classes), ZEROS);
    return graph_keep_f32(op_conv(x, w, bias, WINDOW(1, 1, 0)));
}
