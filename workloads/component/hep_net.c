/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/component/hep_net.h"

#include "workloads/component/layers.h"

#include <stdio.h>

/* kernel x kernel, same padding. */
static struct tensor *conv(const struct place *p, struct tensor *x, const char *name, long out,
                           int kernel, int stride)
{
    return layer_conv(p, x, name, out, WINDOW(kernel, stride, kernel / 2));
}

/* conv and its norm, numbered i in a block. */
static struct tensor *conv_norm(const struct place *p, struct tensor *x, const char *block, int i,
                                long out, int kernel, int stride)
{
    char name[LAYER_NAME];

    snprintf(name, sizeof name, "%.20s.conv%d", block, i);
    x = conv(p, x, name, out, kernel, stride);
    snprintf(name, sizeof name, "%.20s.bn%d", block, i);
    return layer_norm(p, x, name);
}

/* What x becomes beside a stage's first block: as large as the block's output. */
static struct tensor *shortcut(const struct place *p, struct tensor *x, const char *block, long out,
                               int stride)
{
    char name[LAYER_NAME];

    snprintf(name, sizeof name, "%.18s.downsample.0", block);
    x = conv(p, x, name, out, 1, stride);
    snprintf(name, sizeof name, "%.18s.downsample.1", block);
    return layer_norm(p, x, name);
}

/* 1 x 1 to `inner`, 3 x 3 of that stride, 1 x 1 to 4 inner; + x; ReLU. */
static struct tensor *bottleneck(const struct place *p, struct tensor *x, const char *block,
                                 long inner, int stride, bool first)
{
    struct tensor *t = op_relu(conv_norm(p, x, block, 1, inner, 1, 1));

    t = op_relu(conv_norm(p, t, block, 2, inner, 3, stride));
    t = conv_norm(p, t, block, 3, 4 * inner, 1, 1);
    return op_relu(op_add(t, first ? shortcut(p, x, block, 4 * inner, stride) : x));
}

/* Logits of N x C. */
static struct tensor *head(const struct place *p, struct tensor *x, const char *name)
{
    long channels = tensor_shape(x).d[1];
    struct param *w = layer_param(p, SHAPE(HEP_CLASSES, channels), HE, name, "weight");

    return op_dense(x, w, layer_param(p, SHAPE(HEP_CLASSES), ZEROS, name, "bias"));
}

struct tensor *hep_resnet(struct model *m, int group, struct tensor *x,
                          const struct hep_resnet *shape)
{
    const struct place p = {m, group};
    char block[LAYER_NAME];

    x = op_relu(layer_norm(&p, conv(&p, x, "conv1", shape->width, 7, 2), "bn1"));
    x = op_maxpool(x, WINDOW(3, 2, 1));
    for (int i = 0; i < HEP_STAGES; i++)
        for (int k = 0; k < shape->blocks[i]; k++) {
            snprintf(block, sizeof block, "layer%d.%d", i + 1, k);
            x = bottleneck(&p, x, block, shape->width << i, i > 0 && k == 0 ? 2 : 1, k == 0);
        }
    return head(&p, op_global_avgpool(x), "fc");
}

struct tensor *hep_cnn(struct model *m, int group, struct tensor *x, const struct hep_cnn *shape)
{
    const struct place p = {m, group};
    char name[LAYER_NAME];

    for (int i = 0; i <= shape->stages; i++) {
        long in = tensor_shape(x).d[1];
        snprintf(name, sizeof name, "conv%d", i + 1);
        struct param *w = layer_param(&p, SHAPE(shape->width, in, 3, 3), HE, name, "weight");
        x = op_conv(x, w, layer_param(&p, SHAPE(shape->width), ZEROS, name, "bias"),
                    WINDOW(3, 1, 1));
        if (i == shape->stages)
            break;
        x = op_dropout(op_maxpool(op_relu(x), WINDOW(2, 2, 0)), shape->dropout);
    }
    return head(&p, op_global_avgpool(x), "fc");
}
