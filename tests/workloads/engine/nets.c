/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "tests/workloads/engine/nets.h"

#include <stdio.h>

/* Numbers its parameters in the order in which they are asked for. */
struct maker {
    struct model *m;
    struct graph *g;
    int group, n;
};

static const char *next_name(struct maker *k, const char *what)
{
    static char name[64];

    snprintf(name, sizeof name, "%s%d", what, k->n++);
    return name;
}

static struct param *param(struct maker *k, struct shape s)
{
    return model_param(k->m, k->group, next_name(k, "w"), s, HE);
}

/* A square or cubic window of `kernel`, on the dimensions of x. */
static struct shape weight_shape(const struct tensor *x, long first, long second, int kernel)
{
    struct shape s = tensor_shape(x);

    s.d[0] = first;
    s.d[1] = second;
    for (int i = 2; i < s.n; i++)
        s.d[i] = kernel;
    return s;
}

static struct tensor *conv_in(struct maker *k, struct tensor *x, long out, struct window w,
                              bool bias)
{
    struct shape s = weight_shape(x, out, tensor_shape(x).d[1], w.kernel[0]);

    return op_conv(x, param(k, s), bias ? param(k, SHAPE(out)) : NULL, w);
}

static struct tensor *conv(struct maker *k, struct tensor *x, long out, int kernel, int stride,
                           bool bias)
{
    return conv_in(k, x, out, WINDOW(kernel, stride, kernel / 2), bias);
}

static struct tensor *deconv(struct maker *k, struct tensor *x, long out, struct window w)
{
    struct shape s = weight_shape(x, tensor_shape(x).d[1], out, w.kernel[0]);

    return op_deconv(x, param(k, s), param(k, SHAPE(out)), w);
}

static struct tensor *norm(struct maker *k, struct tensor *x)
{
    struct shape C = SHAPE(tensor_shape(x).d[1]);
    struct batch_norm b = {
        .gamma = param(k, C), .beta = param(k, C), .eps = 1e-5f, .momentum = 0.1f};

    b.mean = model_state(k->m, next_name(k, "mean"), C, 0);
    b.variance = model_state(k->m, next_name(k, "variance"), C, 1);
    return op_batch_norm(x, &b);
}

static struct tensor *dense(struct maker *k, struct tensor *x, long out)
{
    struct param *w = param(k, SHAPE(out, tensor_shape(x).d[1]));

    return op_dense(x, w, param(k, SHAPE(out)));
}

static struct tensor *image(const struct net *net, struct maker *k, long channels)
{
    return graph_input(k->g, "x", SHAPE(channels, net->side, net->side), CHANNELS_FIRST);
}

static struct maker maker_of(struct model *m, struct graph *g, int group)
{
    return (struct maker){m, g, group, 0};
}

/* ---- regression and classification ------------------------------------ */

static struct tensor *cosmoflow(const struct net *net, struct model *m, struct graph *g, int group)
{
    struct maker k = maker_of(m, g, group);
    struct tensor *x =
        graph_input(g, "x", SHAPE(4, net->side, net->side, net->side), CHANNELS_LAST);

    for (int i = 0; i < net->levels; i++)
        x = op_leaky_relu(op_maxpool(conv(&k, x, net->width << i, 3, 1, true), WINDOW(2, 2, 0)),
                          0.3f);
    x = op_leaky_relu(dense(&k, op_flatten(x), 128), 0.3f);
    x = op_leaky_relu(dense(&k, x, 64), 0.3f);
    return op_mse(op_tanh(dense(&k, x, 4)), graph_input(g, "y", SHAPE(4), CHANNELS_FIRST), NULL);
}

static struct tensor *bottleneck(struct maker *k, struct tensor *x, long width, int stride,
                                 bool first)
{
    struct tensor *y = op_relu(norm(k, conv(k, x, width, 1, 1, false)));

    y = op_relu(norm(k, conv(k, y, width, 3, stride, false)));
    y = norm(k, conv(k, y, 4 * width, 1, 1, false));
    if (first)
        x = norm(k, conv(k, x, 4 * width, 1, stride, false));
    return op_relu(op_add(y, x));
}

/* v1.5: the stride is in the 3 x 3 convolution. */
static struct tensor *resnet(const struct net *net, struct model *m, struct graph *g, int group)
{
    static const int full[4] = {3, 4, 6, 3};
    struct maker k = maker_of(m, g, group);
    struct tensor *x = op_relu(norm(&k, conv(&k, image(net, &k, 3), net->width, 7, 2, false)));
    int stages = net->levels ? 3 : 4;

    x = op_maxpool(x, WINDOW(3, 2, 1));
    for (int i = 0; i < stages; i++)
        for (int j = 0; j < (net->levels ? net->levels : full[i]); j++)
            x = bottleneck(&k, x, net->width << i, i && !j ? 2 : 1, !j);
    x = dense(&k, op_global_avgpool(x), 2);
    return op_cross_entropy(x, graph_input(g, "y", SHAPE(1), CHANNELS_FIRST), NULL, NULL);
}

static struct tensor *hepcnn(const struct net *net, struct model *m, struct graph *g, int group)
{
    struct maker k = maker_of(m, g, group);
    struct tensor *x = image(net, &k, 3);

    for (int i = 0; i < net->levels; i++)
        x = op_dropout(op_maxpool(op_relu(conv(&k, x, net->width, 3, 1, true)), WINDOW(2, 2, 0)),
                       0.5f);
    x = dense(&k, op_global_avgpool(op_relu(conv(&k, x, net->width, 3, 1, true))), 2);
    return op_cross_entropy(x, graph_input(g, "y", SHAPE(1), CHANNELS_FIRST), NULL, NULL);
}

/* ---- segmentation ----------------------------------------------------- */

static struct tensor *twice(struct maker *k, struct tensor *x, long width)
{
    x = op_relu(norm(k, conv(k, x, width, 3, 1, false)));
    return op_relu(norm(k, conv(k, x, width, 3, 1, false)));
}

static struct tensor *unet(const struct net *net, struct model *m, struct graph *g, int group)
{
    struct maker k = maker_of(m, g, group);
    struct tensor *skip[8], *x = image(net, &k, 1);

    for (int i = 0; i < net->levels; i++) {
        skip[i] = twice(&k, x, net->width << i);
        x = op_maxpool(skip[i], WINDOW(2, 2, 0));
    }
    x = twice(&k, x, net->width << net->levels);
    for (int i = net->levels - 1; i >= 0; i--) {
        struct tensor *up = deconv(&k, x, net->width << i, WINDOW(2, 2, 0));

        x = twice(&k, op_concat(2, (struct tensor *[]){skip[i], up}), net->width << i);
    }
    x = conv(&k, x, 6, 1, 1, true);
    struct tensor *t = graph_input(g, "t", SHAPE(net->side, net->side), CHANNELS_FIRST);
    return op_cross_entropy(x, t, NULL, NULL);
}

/* ---- a GAN ------------------------------------------------------------ */

/* TensorFlow's SAME: one before, two after. */
static const struct window same5 = {{5, 5}, {2, 2}, {1, 1}, {2, 2}, {0}};

static struct tensor *discriminator(const struct net *net, struct maker *k, struct tensor *x)
{
    for (int i = 0; i < net->levels; i++) {
        x = conv_in(k, x, net->width << i, same5, true);
        x = op_leaky_relu(i ? norm(k, x) : x, 0.2f);
    }
    return dense(k, op_flatten(x), 1);
}

/* Its dense layer is a transposed convolution of one place. */
static struct tensor *generator(const struct net *net, struct maker *k)
{
    long width = net->width << (net->levels - 1), side = net->side >> net->levels;
    struct tensor *x = graph_input(k->g, "z", SHAPE(64, 1, 1), CHANNELS_FIRST);

    x = op_relu(norm(k, deconv(k, x, width, WINDOW((int)side, 1, 0))));
    for (int i = 1; i < net->levels; i++)
        x = op_relu(norm(k, deconv(k, x, width >> i, same5)));
    return op_tanh(deconv(k, x, 1, same5));
}

static struct tensor *gan_loss(struct graph *g, struct tensor *logit)
{
    return op_bce(logit, graph_input(g, "t", SHAPE(1), CHANNELS_FIRST), NULL);
}

/* With a gradient towards its one channel. */
static struct tensor *dcgan_d(const struct net *net, struct model *m, struct graph *g, int group)
{
    struct maker k = maker_of(m, g, group);
    struct tensor *x = graph_want_grad(image(net, &k, 1));

    return gan_loss(g, discriminator(net, &k, x));
}

/* Generator and discriminator, whose gradient flows into it. */
static struct tensor *dcgan_g(const struct net *net, struct model *m, struct graph *g, int group)
{
    struct maker k = maker_of(m, g, group);
    struct tensor *x = generator(net, &k);

    return gan_loss(g, discriminator(net, &k, x));
}

/* ---- corners ---------------------------------------------------------- */

/* Few channels on both sides, forward and back: 8 to 8, 3 to 8, 8 to 1; a
 * transposed convolution to 3; a wide one. */
static struct tensor *few(const struct net *net, struct model *m, struct graph *g, int group)
{
    struct maker k = maker_of(m, g, group);
    struct tensor *x = conv(&k, graph_want_grad(image(net, &k, 3)), 8, 3, 1, true);

    x = op_relu(conv(&k, op_relu(x), 8, 3, 1, false));
    x = conv(&k, op_relu(conv(&k, x, 1, 3, 1, true)), net->width, 5, 1, true);
    x = deconv(&k, op_relu(x), 3, WINDOW(4, 2, 1));
    return op_mse(x, graph_input(g, "t", SHAPE(3, 2 * net->side, 2 * net->side), CHANNELS_FIRST),
                  NULL);
}

static struct tensor *few3d(const struct net *net, struct model *m, struct graph *g, int group)
{
    struct maker k = maker_of(m, g, group);
    long n = net->side;
    struct tensor *x = graph_want_grad(graph_input(g, "x", SHAPE(3, n, n, n), CHANNELS_FIRST));

    x = op_relu(conv(&k, x, 8, 3, 1, true));
    x = op_relu(conv(&k, conv(&k, x, 8, 3, 1, false), 1, 3, 1, false));
    x = deconv(&k, conv(&k, x, net->width, 3, 2, true), 3, WINDOW(2, 2, 0));
    return op_mse(x, graph_input(g, "t", SHAPE(3, n, n, n), CHANNELS_FIRST), NULL);
}

const struct net nets[] = {
    {"cosmoflow tiny", cosmoflow, 8, 32, 16, 4, 0},
    {"cosmoflow small", cosmoflow, 4, 64, 16, 4, 0},
    {"cosmoflow standard", cosmoflow, 2, 128, 32, 5, 8907556},
    {"resnet tiny", resnet, 32, 32, 16, 1, 127506},
    {"resnet-50", resnet, 32, 64, 64, 0, 23512130},
    {"hepcnn tiny", hepcnn, 32, 32, 16, 3, 7442},
    {"hepcnn", hepcnn, 2, 224, 128, 4, 594178},
    {"unet tiny", unet, 16, 64, 16, 3, 482534},
    {"unet of width 32", unet, 16, 128, 32, 4, 7762630},
    {"unet standard", unet, 2, 256, 64, 4, 31036806},
    {"dcgan d", dcgan_d, 8, 256, 64, 4, 4436225},
    {"dcgan d tiny", dcgan_d, 64, 32, 16, 3, 65729},
    {"dcgan g tiny", dcgan_g, 64, 32, 16, 3, 0},
    {"dcgan g small", dcgan_g, 16, 64, 32, 4, 0},
    {"few channels", few, 4, 24, 16, 0, 0},
    {"few channels 3-D", few3d, 2, 12, 16, 0, 0},
};
const int n_nets = sizeof nets / sizeof nets[0];
