/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/component/deeplab.h"

#include <math.h>
#include <stdio.h>

#include "workloads/component/layers.h"

struct builder {
    struct place at;
    const struct deeplab *d;
};

static long width(const struct builder *b, long published)
{
    const long sixteens = (published + 16L * b->d->divide - 1) / (16L * b->d->divide);

    return b->d->divide == 1 ? published : 16 * sixteens;
}

/* PyTorch's default for n inputs: uniform in +-1 / sqrt(n), here normal. */
static struct init default_of(long n)
{
    return (struct init){INIT_NORMAL, 1 / sqrtf(3 * (float)n)};
}

/* ---- layers ----------------------------------------------------------- */

static struct tensor *norm_relu(const struct builder *b, struct tensor *x, const char *name)
{
    return op_relu(layer_norm(&b->at, x, name));
}

/* conv NAME, BN NAME_bn, ReLU */
static struct tensor *conv(const struct builder *b, struct tensor *x, const char *name, long out,
                           struct window win)
{
    char bn[LAYER_NAME];

    snprintf(bn, sizeof bn, "%.20s_bn", name);
    return norm_relu(b, layer_conv(&b->at, x, name, out, win), bn);
}

/* depthwise NAME.dw, 1 x 1 NAME.pw */
static struct tensor *separable(const struct builder *b, struct tensor *x, const char *name,
                                long out, int stride, int dilation)
{
    struct window win = DILATED(3, dilation);
    char part[LAYER_NAME];

    if (!x)
        return NULL;
    win.stride[0] = win.stride[1] = stride;
    snprintf(part, sizeof part, "%.20s.dw", name);
    const struct shape shape = SHAPE(tensor_shape(x).d[1], 1, 3, 3);
    x = op_depthwise(x, layer_param(&b->at, shape, HE, part, "weight"), NULL, win);
    snprintf(part, sizeof part, "%.20s.pw", name);
    return layer_conv(&b->at, x, part, out, WINDOW(1, 1, 0));
}

/* ---- Xception --------------------------------------------------------- */

/* n seps to those widths, each with BN, ReLU between; tail > 0: one more of that stride
 * without BN, and a 1 x 1 beside. The sum, without its ReLU. */
static struct tensor *block(const struct builder *b, struct tensor *x, const char *name, int n,
                            const long out[], int tail)
{
    struct tensor *t = x;
    char part[LAYER_NAME];

    for (int i = 0; i < n; i++) {
        t = i > 0 ? op_relu(t) : t;
        snprintf(part, sizeof part, "%.16s.%d", name, i);
        t = separable(b, t, part, out[i], 1, 1);
        snprintf(part, sizeof part, "%.16s.%d.bn", name, i);
        t = layer_norm(&b->at, t, part);
    }
    if (!tail)
        return op_add(t, x);
    snprintf(part, sizeof part, "%.16s.%d", name, n);
    t = separable(b, t, part, out[n - 1], tail, 1);
    snprintf(part, sizeof part, "%.16s.skip", name);
    x = layer_conv(&b->at, x, part, out[n - 1], WINDOW(1, tail, 0));
    snprintf(part, sizeof part, "%.16s.skipbn", name);
    return op_add(layer_norm(&b->at, x, part), t);
}

/* *low: the first block's. */
static struct tensor *entry(const struct builder *b, struct tensor *x, struct tensor **low)
{
    static const long widths[] = {128, 256, 728};
    char name[LAYER_NAME];

    x = conv(b, x, "conv1", width(b, 32), WINDOW(3, 2, 1));
    x = conv(b, x, "conv2", width(b, 64), WINDOW(3, 1, 1));
    for (int i = 0; i < 3; i++) {
        const long out = width(b, widths[i]);

        snprintf(name, sizeof name, "block%d", i + 1);
        x = op_relu(block(b, x, name, 2, (const long[]){out, out}, 2));
        if (i == 0)
            *low = x;
    }
    return x;
}

static struct tensor *middle(const struct builder *b, struct tensor *x)
{
    const long w = width(b, 728), out[] = {w, w, w};
    char name[LAYER_NAME];

    for (int i = 0; i < b->d->middle; i++) {
        snprintf(name, sizeof name, "block%d", i + 4);
        x = op_relu(block(b, x, name, 3, out, 0));
    }
    return x;
}

/* "exit", then the published conv3 to conv5. */
static struct tensor *leave(const struct builder *b, struct tensor *x)
{
    static const long widths[] = {1536, 1536, 2048};
    char name[LAYER_NAME];

    x = block(b, x, "exit", 2, (const long[]){width(b, 728), width(b, 1024)}, 1);
    for (int i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "conv%d", i + 3);
        x = separable(b, x, name, width(b, widths[i]), 1, 2);
        snprintf(name, sizeof name, "conv%d_bn", i + 3);
        x = norm_relu(b, x, name);
    }
    return x;
}

/* ---- head ------------------------------------------------------------- */

/* The mean of the map, over it. */
static struct tensor *image_pool(const struct builder *b, struct tensor *x, long out)
{
    const struct init one = {INIT_CONSTANT, 1};
    const struct shape shape = tensor_shape(x);
    const int size[3] = {(int)shape.d[2], (int)shape.d[3], 1};
    const struct window all = {{size[0], size[1], 1}, {1, 1, 1}, {0}, {0}, {1, 1, 1}};

    x = layer_conv(&b->at, op_avgpool(x, all), "pool", out, WINDOW(1, 1, 0));
    x = op_depthwise(x, layer_param(&b->at, SHAPE(out, 1, 1, 1), one, "pool_affine", "weight"),
                     layer_param(&b->at, SHAPE(out), ZEROS, "pool_affine", "bias"),
                     WINDOW(1, 1, 0));
    return op_upsample_by(op_relu(x), size, UPSAMPLE_NEAREST);
}

static struct tensor *pyramid(const struct builder *b, struct tensor *x)
{
    const long out = width(b, 256);
    struct tensor *branch[5] = {conv(b, x, "aspp1", out, WINDOW(1, 1, 0))};
    char name[LAYER_NAME];

    if (!x)
        return NULL;
    for (int i = 1; i < 4; i++) {
        snprintf(name, sizeof name, "aspp%d", i + 1);
        branch[i] = conv(b, x, name, out, DILATED(3, 6 * i));
    }
    branch[4] = image_pool(b, x, out);
    return conv(b, op_concat(5, branch), "bottleneck", out, WINDOW(1, 1, 0));
}

/* Twice the size. */
static struct tensor *twice(const struct builder *b, struct tensor *x, const char *name, long out)
{
    const struct window win = {{3, 3, 1}, {2, 2, 1}, {1, 1, 0}, {0}, {1, 1, 1}};

    if (!x)
        return NULL;
    const struct shape shape = SHAPE(tensor_shape(x).d[1], out, 3, 3);
    return op_deconv(x, layer_param(&b->at, shape, default_of(9 * out), name, "weight"), NULL, win);
}

static struct tensor *twice_norm(const struct builder *b, struct tensor *x, const char *name,
                                 long out)
{
    char bn[LAYER_NAME];

    snprintf(bn, sizeof bn, "%.20s_bn", name);
    return norm_relu(b, twice(b, x, name, out), bn);
}

/* Of the decoder: kernel x kernel with PyTorch's start. */
static struct tensor *plain(const struct builder *b, struct tensor *x, const char *name, long out,
                            int kernel, bool bias)
{
    if (!x)
        return NULL;
    const long in = tensor_shape(x).d[1];
    struct param *w = layer_param(&b->at, SHAPE(out, in, kernel, kernel),
                                  default_of(in * kernel * kernel), name, "weight");
    return op_conv(x, w, bias ? layer_param(&b->at, SHAPE(out), ZEROS, name, "bias") : NULL,
                   WINDOW(kernel, 1, kernel / 2));
}

static struct tensor *decoder(const struct builder *b, struct tensor *x, struct tensor *low)
{
    const long out = width(b, 256);
    struct tensor *both[2];

    both[1] = conv(b, low, "low", width(b, 48), WINDOW(1, 1, 0));
    both[0] = twice_norm(b, twice_norm(b, x, "up1", out), "up2", out);
    x = op_concat(2, both);
    x = norm_relu(b, plain(b, x, "last1", out, 3, false), "last1_bn");
    x = norm_relu(b, plain(b, x, "last2", out, 3, false), "last2_bn");
    x = twice_norm(b, plain(b, x, "last3", out, 1, true), "up3", out);
    return graph_keep_f32(twice(b, x, "up4", b->d->classes));
}

struct tensor *deeplab_build(const struct deeplab *d, struct model *m, int group, struct tensor *x)
{
    const struct builder b = {{m, group}, d};
    struct tensor *low = NULL;

    x = leave(&b, middle(&b, entry(&b, x, &low)));
    return decoder(&b, pyramid(&b, x), low);
}
