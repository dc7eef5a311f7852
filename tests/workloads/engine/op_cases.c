/* SPDX-License-Identifier: BSD-3-Clause */
/* Small graphs, each about one operator or one meeting of operators. */
#include <config.h>

#include "tests/workloads/engine/harness.h"

#include <string.h>

static struct tensor *conv(struct case_build *b, struct tensor *x, long out, struct window w,
                           bool bias)
{
    struct shape in = tensor_shape(x), s = {.n = in.n};

    s.d[0] = out;
    s.d[1] = in.d[1];
    for (int i = 2; i < in.n; i++)
        s.d[i] = w.kernel[i - 2];
    struct param *weight = case_param(b, s);
    return op_conv(x, weight, bias ? case_param(b, SHAPE(out)) : NULL, w);
}

static struct tensor *dense(struct case_build *b, struct tensor *x, long out, bool bias)
{
    struct param *weight = case_param(b, SHAPE(out, tensor_shape(x).d[1]));

    return op_dense(x, weight, bias ? case_param(b, SHAPE(out)) : NULL);
}

static struct tensor *conv2d(struct case_build *b)
{
    return conv(b, case_input(b, SHAPE(3, 6, 5), CHANNELS_FIRST), 4, WINDOW(3, 1, 1), true);
}

static struct tensor *conv2d_stride(struct case_build *b)
{
    return conv(b, case_input(b, SHAPE(2, 7, 8), CHANNELS_LAST), 3, WINDOW(3, 2, 1), true);
}

static struct tensor *conv2d_uneven(struct case_build *b)
{
    struct window w = {{2, 3}, {1, 2}, {0, 1}, {1, 2}, {0}};

    return conv(b, case_input(b, SHAPE(2, 5, 6), CHANNELS_FIRST), 3, w, false);
}

static struct tensor *conv2d_1x1(struct case_build *b)
{
    return conv(b, case_input(b, SHAPE(5, 4, 4), CHANNELS_FIRST), 2, WINDOW(1, 1, 0), true);
}

static struct tensor *conv3d(struct case_build *b)
{
    return conv(b, case_input(b, SHAPE(2, 4, 5, 3), CHANNELS_FIRST), 3, WINDOW(3, 1, 1), true);
}

static struct tensor *conv3d_stride(struct case_build *b)
{
    return conv(b, case_input(b, SHAPE(2, 5, 5, 6), CHANNELS_LAST), 2, WINDOW(2, 2, 0), true);
}

/* wide enough for blocked formats, with a remainder */
static struct tensor *conv3d_wide(struct case_build *b)
{
    struct tensor *x =
        conv(b, case_input(b, SHAPE(4, 4, 4, 4), CHANNELS_LAST), 20, WINDOW(3, 1, 1), true);

    return conv(b, x, 17, WINDOW(3, 1, 1), true);
}

/* on maps of four places and of one: weight gradients as products */
static struct tensor *conv2d_small_map(struct case_build *b)
{
    struct tensor *x =
        conv(b, case_input(b, SHAPE(2, 2, 2), CHANNELS_FIRST), 130, WINDOW(1, 1, 0), false);
    x = op_scale(conv(b, x, 129, WINDOW(3, 1, 1), true), 0.1f);
    return op_scale(conv(b, x, 128, WINDOW(3, 2, 1), true), 0.1f);
}

/* taps two and three apart, a stride across */
static struct tensor *conv2d_dilated(struct case_build *b)
{
    struct window w = {{3, 2}, {1, 2}, {2, 3}, {2, 3}, {2, 3}};

    return conv(b, case_input(b, SHAPE(3, 6, 7), CHANNELS_FIRST), 4, w, true);
}

/* ASPP's: between blocks, taps further apart than the map is large */
static struct tensor *conv2d_atrous(struct case_build *b)
{
    struct tensor *x =
        conv(b, case_input(b, SHAPE(2, 5, 4), CHANNELS_FIRST), 17, WINDOW(1, 1, 0), false);
    struct tensor *far = conv(b, x, 16, DILATED(3, 6), false);

    return op_scale(op_concat(2, (struct tensor *[]){conv(b, x, 16, DILATED(3, 2), true), far}),
                    0.1f);
}

static struct tensor *depthwise(struct case_build *b, struct tensor *x, struct window w, bool bias)
{
    struct shape in = tensor_shape(x), s = {.n = in.n, .d = {in.d[1], 1}};

    for (int i = 2; i < in.n; i++)
        s.d[i] = w.kernel[i - 2];
    struct param *weight = case_param(b, s);
    return op_depthwise(x, weight, bias ? case_param(b, SHAPE(in.d[1])) : NULL, w);
}

static struct tensor *depthwise2d(struct case_build *b)
{
    return depthwise(b, case_input(b, SHAPE(3, 6, 5), CHANNELS_FIRST), WINDOW(3, 1, 1), true);
}

static struct tensor *depthwise_uneven(struct case_build *b)
{
    struct window w = {{2, 3}, {3, 1}, {0, 2}, {1, 1}, {1, 2}};

    return depthwise(b, case_input(b, SHAPE(2, 7, 6), CHANNELS_LAST), w, false);
}

static struct tensor *depthwise3d(struct case_build *b)
{
    struct window w = {{2, 3, 3}, {2, 1, 2}, {0, 1, 1}, {0, 1, 1}, {1, 1, 1}};

    return depthwise(b, case_input(b, SHAPE(2, 4, 5, 6), CHANNELS_LAST), w, true);
}

/* Xception's: blocks with a remainder; stride 2, then dilation 2, then a factor and a
 * shift for each channel */
static struct tensor *depthwise_wide(struct case_build *b)
{
    struct tensor *x =
        conv(b, case_input(b, SHAPE(3, 9, 8), CHANNELS_FIRST), 18, WINDOW(1, 1, 0), true);

    x = conv(b, depthwise(b, x, WINDOW(3, 2, 1), false), 17, WINDOW(1, 1, 0), false);
    x = op_relu(op_scale(x, 0.3f));
    x = depthwise(b, depthwise(b, x, DILATED(3, 2), false), WINDOW(1, 1, 0), true);
    return conv(b, x, 2, WINDOW(1, 1, 0), false);
}

static struct tensor *deconv(struct case_build *b, struct tensor *x, long out, struct window w,
                             bool bias)
{
    struct shape in = tensor_shape(x), s = {.n = in.n};

    s.d[0] = in.d[1];
    s.d[1] = out;
    for (int i = 2; i < in.n; i++)
        s.d[i] = w.kernel[i - 2];
    struct param *weight = case_param(b, s);
    return op_deconv(x, weight, bias ? case_param(b, SHAPE(out)) : NULL, w);
}

/* a U-Net's: each output has one tap */
static struct tensor *deconv2d(struct case_build *b)
{
    return deconv(b, case_input(b, SHAPE(3, 4, 3), CHANNELS_FIRST), 4, WINDOW(2, 2, 0), true);
}

/* a DCGAN's: taps overlap, the border is cut */
static struct tensor *deconv2d_overlap(struct case_build *b)
{
    return deconv(b, case_input(b, SHAPE(2, 3, 4), CHANNELS_LAST), 3, WINDOW(4, 2, 1), false);
}

/* PyTorch's padding 1 and output_padding 1: twice the size */
static struct tensor *deconv2d_twice(struct case_build *b)
{
    struct window w = {{3, 3}, {2, 2}, {1, 1}, {0, 0}, {1, 1}};
    struct tensor *x =
        conv(b, case_input(b, SHAPE(2, 3, 4), CHANNELS_FIRST), 16, WINDOW(1, 1, 0), false);

    return deconv(b, op_scale(deconv(b, x, 16, w, false), 0.1f), 3, w, false);
}

/* outputs without a tap; sides and cuts that differ */
static struct tensor *deconv2d_uneven(struct case_build *b)
{
    struct window w = {{2, 3}, {3, 1}, {0, 1}, {1, 2}, {0}};

    return deconv(b, case_input(b, SHAPE(5, 3, 4), CHANNELS_FIRST), 2, w, true);
}

/* a generator's last layer */
static struct tensor *deconv2d_one(struct case_build *b)
{
    struct tensor *x =
        conv(b, case_input(b, SHAPE(2, 4, 3), CHANNELS_FIRST), 16, WINDOW(1, 1, 0), false);

    return op_tanh(op_scale(deconv(b, x, 1, WINDOW(4, 2, 1), false), 0.1f));
}

static struct tensor *deconv3d(struct case_build *b)
{
    struct window w = {{2, 3, 2}, {2, 1, 2}, {0, 1, 1}, {0, 1, 0}, {0}};

    return deconv(b, case_input(b, SHAPE(2, 3, 4, 2), CHANNELS_LAST), 3, w, true);
}

/* between convolutions: blocks with a remainder, an epilogue, a skip */
static struct tensor *deconv_wide(struct case_build *b)
{
    struct tensor *x =
        conv(b, case_input(b, SHAPE(3, 4, 3), CHANNELS_FIRST), 17, WINDOW(3, 1, 1), true);
    struct tensor *y = op_tanh(deconv(b, op_scale(x, 0.1f), 18, WINDOW(2, 2, 0), true));

    y = op_scale(op_concat(2, (struct tensor *[]){y, y}), 0.1f);
    y = op_sigmoid(deconv(b, y, 17, WINDOW(3, 1, 1), true));
    return conv(b, y, 1, WINDOW(1, 1, 0), true);
}

static struct tensor *maxpool2d(struct case_build *b)
{
    return op_maxpool(case_input(b, SHAPE(3, 6, 6), CHANNELS_FIRST), WINDOW(2, 2, 0));
}

static struct tensor *maxpool2d_overlap(struct case_build *b)
{
    return op_maxpool(case_input(b, SHAPE(2, 6, 5), CHANNELS_FIRST), WINDOW(3, 2, 1));
}

static struct tensor *maxpool3d(struct case_build *b)
{
    return op_maxpool(case_input(b, SHAPE(2, 4, 4, 4), CHANNELS_FIRST), WINDOW(2, 2, 0));
}

static struct tensor *maxpool3d_odd(struct case_build *b)
{
    return op_maxpool(case_input(b, SHAPE(2, 5, 4, 5), CHANNELS_LAST), WINDOW(2, 2, 0));
}

static struct tensor *norm(struct case_build *b, struct tensor *x, bool local)
{
    struct shape C = SHAPE(tensor_shape(x).d[1]);
    struct batch_norm n = {.gamma = case_param(b, C),
                           .beta = case_param(b, C),
                           .mean = case_state(b, C, 0),
                           .variance = case_state(b, C, 1),
                           .eps = 1e-2f,
                           .momentum = 0.1f,
                           .local = local};

    return op_batch_norm(x, &n);
}

static struct tensor *norm_map(struct case_build *b)
{
    return norm(b, case_input(b, SHAPE(3, 4, 5), CHANNELS_FIRST), false);
}

static struct tensor *norm_rows(struct case_build *b)
{
    return norm(b, case_input(b, SHAPE(5), CHANNELS_FIRST), true);
}

/* blocks with padding, and an epilogue */
static struct tensor *norm_wide(struct case_build *b)
{
    struct tensor *x =
        conv(b, case_input(b, SHAPE(2, 3, 4, 3), CHANNELS_LAST), 18, WINDOW(1, 1, 0), false);

    return op_leaky_relu(norm(b, x, false), 0.3f);
}

/* a residual block: the term is the input, or another norm, both ways round */
static struct tensor *norm_residual(struct case_build *b)
{
    struct tensor *x = case_input(b, SHAPE(17, 4, 3), CHANNELS_FIRST);
    struct tensor *y = norm(b, conv(b, x, 17, WINDOW(3, 1, 1), false), false);

    x = op_relu(op_add(y, x));
    y = norm(b, conv(b, x, 17, WINDOW(1, 1, 0), false), false);
    return op_tanh(op_add(norm(b, x, true), y));
}

/* borders: windows of one, two and four taps */
static struct tensor *avgpool2d(struct case_build *b)
{
    return op_avgpool(case_input(b, SHAPE(3, 6, 5), CHANNELS_FIRST), WINDOW(3, 2, 1));
}

static struct tensor *avgpool3d(struct case_build *b)
{
    struct tensor *x =
        conv(b, case_input(b, SHAPE(2, 5, 4, 6), CHANNELS_LAST), 17, WINDOW(1, 1, 0), false);

    return op_avgpool(x, WINDOW(2, 2, 0));
}

static struct tensor *global_avgpool(struct case_build *b)
{
    struct tensor *x =
        conv(b, case_input(b, SHAPE(3, 5, 7), CHANNELS_FIRST), 19, WINDOW(3, 1, 1), true);

    return dense(b, op_global_avgpool(x), 4, true);
}

static struct tensor *upsample(struct case_build *b, enum upsample how)
{
    struct tensor *x =
        conv(b, case_input(b, SHAPE(2, 4, 3), CHANNELS_FIRST), 18, WINDOW(1, 1, 0), false);
    struct tensor *y = case_input(b, SHAPE(2, 1, 2, 3), CHANNELS_LAST);

    y = op_flatten(op_upsample(y, 3, how));
    return op_concat(2, (struct tensor *[]){op_flatten(op_upsample(x, 2, how)), y});
}

static struct tensor *upsample_nearest(struct case_build *b)
{
    return upsample(b, UPSAMPLE_NEAREST);
}

static struct tensor *upsample_linear(struct case_build *b)
{
    return upsample(b, UPSAMPLE_LINEAR);
}

/* the mean of a map, laid out over it again; other factors by dimension */
static struct tensor *upsample_by(struct case_build *b)
{
    struct tensor *x =
        conv(b, case_input(b, SHAPE(2, 3, 4), CHANNELS_FIRST), 18, WINDOW(1, 1, 0), false);
    const struct window all = {{3, 4}, {1, 1}, {0, 0}, {0, 0}, {0, 0}};
    struct tensor *y = op_upsample_by(op_avgpool(x, all), (const int[3]){3, 12}, UPSAMPLE_NEAREST);

    return op_concat(
        2, (struct tensor *[]){y, op_upsample_by(x, (const int[3]){1, 3}, UPSAMPLE_LINEAR)});
}

/* after a convolution of 17 channels: an epilogue, and blocks with padding;
 * then alone, where the next operator reads the padding */
static struct tensor *sigmoid(struct case_build *b)
{
    struct tensor *x =
        conv(b, case_input(b, SHAPE(3, 5, 4), CHANNELS_FIRST), 17, WINDOW(1, 1, 0), true);

    x = op_sigmoid(op_scale(op_sigmoid(x), 2));
    return conv(b, x, 3, WINDOW(1, 1, 0), true);
}

static struct tensor *sigmoid_pool(struct case_build *b)
{
    struct tensor *x =
        conv(b, case_input(b, SHAPE(2, 4, 4), CHANNELS_FIRST), 17, WINDOW(1, 1, 0), true);

    return conv(b, op_sigmoid(op_maxpool(x, WINDOW(2, 2, 0))), 2, WINDOW(1, 1, 0), false);
}

/* the inputs lie differently; then twice the same */
static struct tensor *mul(struct case_build *b)
{
    struct tensor *x = case_input(b, SHAPE(18, 4, 3), CHANNELS_FIRST);
    struct tensor *y = conv(b, x, 18, WINDOW(1, 1, 0), true);
    struct tensor *z = op_mul(op_mul(case_input(b, SHAPE(18, 4, 3), CHANNELS_LAST), y), x);

    return op_scale(op_add(z, op_mul(y, y)), 0.1f);
}

static struct tensor *leaky(struct case_build *b)
{
    return op_leaky_relu(case_input(b, SHAPE(3, 4, 5), CHANNELS_FIRST), 0.3f);
}

static struct tensor *relu(struct case_build *b)
{
    return op_relu(case_input(b, SHAPE(3, 4, 5), CHANNELS_FIRST));
}

static struct tensor *tanh_scale(struct case_build *b)
{
    return op_scale(op_tanh(case_input(b, SHAPE(12), CHANNELS_FIRST)), 1.2f);
}

static struct tensor *dense_bias(struct case_build *b)
{
    return dense(b, case_input(b, SHAPE(10), CHANNELS_FIRST), 7, true);
}

static struct tensor *dense_plain(struct case_build *b)
{
    return dense(b, case_input(b, SHAPE(5), CHANNELS_FIRST), 3, false);
}

static struct tensor *dense_act(struct case_build *b)
{
    return op_leaky_relu(dense(b, case_input(b, SHAPE(9), CHANNELS_FIRST), 8, true), 0.3f);
}

static struct tensor *flatten(struct case_build *b)
{
    struct tensor *x =
        conv(b, case_input(b, SHAPE(2, 4, 4, 2), CHANNELS_LAST), 3, WINDOW(3, 1, 1), true);

    return dense(b, op_flatten(x), 4, true);
}

static struct tensor *dropout(struct case_build *b)
{
    struct tensor *x = dense(b, case_input(b, SHAPE(6), CHANNELS_FIRST), 33, true);

    return dense(b, op_dropout(op_leaky_relu(x, 0.3f), 0.5f), 3, true);
}

static struct tensor *dropout_map(struct case_build *b)
{
    return op_dropout(case_input(b, SHAPE(3, 3, 5), CHANNELS_FIRST), 0.25f);
}

static struct tensor *add(struct case_build *b)
{
    struct tensor *x = case_input(b, SHAPE(3, 4, 4), CHANNELS_FIRST);
    struct tensor *y = conv(b, x, 3, WINDOW(3, 1, 1), true);

    return op_add(op_add(y, x), y); /* y twice, x twice */
}

static struct tensor *concat_slice(struct case_build *b)
{
    struct tensor *x = case_input(b, SHAPE(3, 4, 3), CHANNELS_FIRST);
    struct tensor *y = case_input(b, SHAPE(2, 4, 3), CHANNELS_FIRST);
    struct tensor *all = op_concat(3, (struct tensor *[]){y, x, y});

    return op_add(op_slice(all, 0, 3), op_slice(all, 3, 3));
}

static struct tensor *stop(struct case_build *b)
{
    struct tensor *x = case_input(b, SHAPE(6), CHANNELS_FIRST);

    struct tensor *y = dense(b, x, 4, true);

    return op_add(y, op_stop_gradient(dense(b, x, 4, true)));
}

/* an unrolled step: the same weights three times */
static struct tensor *shared(struct case_build *b)
{
    struct tensor *h = case_input(b, SHAPE(5), CHANNELS_FIRST);
    struct param *w = case_param(b, SHAPE(5, 5)), *bias = case_param(b, SHAPE(5));

    for (int t = 0; t < 3; t++)
        h = op_tanh(op_scale(op_dense(h, w, bias), 0.5f));
    return h;
}

/* what CosmoFlow is made of, in its order */
static struct tensor *cosmo(struct case_build *b)
{
    struct tensor *x = case_input(b, SHAPE(4, 8, 8, 8), CHANNELS_LAST);

    for (int i = 0; i < 2; i++) {
        x = op_scale(conv(b, x, 4 << i, WINDOW(3, 1, 1), true), 0.2f);
        x = op_maxpool(op_leaky_relu(x, 0.3f), WINDOW(2, 2, 0));
    }
    x = op_scale(dense(b, op_flatten(x), 12, true), 0.2f);
    x = op_dropout(op_leaky_relu(x, 0.3f), 0.5f);
    x = op_scale(dense(b, x, 6, true), 0.4f);
    x = op_leaky_relu(x, 0.3f);
    x = graph_keep_f32(op_scale(dense(b, x, 4, true), 0.4f));
    return op_scale(op_tanh(x), 1.2f);
}

/* without the scales, so that activations can be fused */
static struct tensor *cosmo_fused(struct case_build *b)
{
    struct tensor *x = case_input(b, SHAPE(4, 8, 8, 8), CHANNELS_LAST);

    for (int i = 0; i < 3; i++)
        x = op_maxpool(op_leaky_relu(conv(b, x, 16, WINDOW(3, 1, 1), true), 0.3f), WINDOW(2, 2, 0));
    x = op_leaky_relu(dense(b, op_flatten(x), 12, true), 0.3f);
    return op_scale(dense(b, x, 4, true), 0.01f);
}

/* ---- tokens ------------------------------------------------------------ */

static struct tensor *norm_tokens(struct case_build *b, struct tensor *x, float eps)
{
    struct param *gamma = case_param(b, SHAPE(tensor_shape(x).d[1]));

    return op_layer_norm(x, gamma, case_param(b, SHAPE(tensor_shape(x).d[1])), eps);
}

/* patches of 2 x 2 through a dense layer to maps of two channels */
static struct tensor *patches(struct case_build *b)
{
    struct tensor *x = op_patches(case_input(b, SHAPE(3, 4, 6), CHANNELS_FIRST), 2);

    return op_unpatch(dense(b, x, 8, true), 2, 4, 6);
}

/* out of blocks with padding, and into a convolution; not as high as wide */
static struct tensor *patches_wide(struct case_build *b)
{
    struct tensor *x =
        conv(b, case_input(b, SHAPE(2, 6, 9), CHANNELS_LAST), 17, WINDOW(3, 1, 1), true);

    x = op_unpatch(op_scale(op_patches(x, 3), 0.1f), 3, 6, 9);
    return conv(b, op_scale(x, 0.3f), 3, WINDOW(1, 1, 0), true);
}

/* twice the same parameter: its gradients add up */
static struct tensor *positions(struct case_build *b)
{
    struct tensor *x = op_patches(case_input(b, SHAPE(2, 4, 6), CHANNELS_FIRST), 2);
    struct param *p = case_param(b, SHAPE(6, 8));

    return op_unpatch(op_positions(op_tanh(op_positions(x, p)), p), 2, 4, 6);
}

static struct tensor *layer_norm(struct case_build *b)
{
    struct tensor *x = op_patches(case_input(b, SHAPE(3, 4, 6), CHANNELS_FIRST), 2);

    return op_unpatch(norm_tokens(b, x, 1e-2f), 2, 4, 6);
}

/* rows that do not fit a piece of the kernel, shared parameters */
static struct tensor *layer_norm_long(struct case_build *b)
{
    struct tensor *x = dense(b, case_input(b, SHAPE(6), CHANNELS_FIRST), 520, true);
    struct param *gamma = case_param(b, SHAPE(520));
    struct param *beta = case_param(b, SHAPE(520));

    x = op_layer_norm(x, gamma, beta, 1e-2f);
    return dense(b, op_layer_norm(op_add(x, x), gamma, beta, 1e-2f), 3, false);
}

/* on blocks with padding, and on rows */
static struct tensor *gelu(struct case_build *b)
{
    struct tensor *x =
        conv(b, case_input(b, SHAPE(3, 5, 4), CHANNELS_FIRST), 17, WINDOW(1, 1, 0), true);

    x = conv(b, op_gelu(op_scale(x, 2)), 3, WINDOW(1, 1, 0), true);
    return dense(b, op_gelu(op_flatten(x)), 4, true);
}

/* heads of 4 values, which fit no register */
static struct tensor *attention(struct case_build *b)
{
    struct tensor *x = op_patches(case_input(b, SHAPE(2, 4, 6), CHANNELS_FIRST), 2);

    x = op_attention(dense(b, x, 3 * 8, true), 2);
    return op_unpatch(x, 2, 4, 6);
}

/* more tokens than two tiles have, heads of one register */
static struct tensor *attention_long(struct case_build *b)
{
    struct tensor *x = op_patches(case_input(b, SHAPE(2, 13, 10), CHANNELS_LAST), 1);

    x = op_attention(op_scale(dense(b, x, 3 * 32, true), 2), 2);
    return op_unpatch(dense(b, x, 1, false), 1, 13, 10);
}

/* a block of a transformer, as it is built of all of them */
static struct tensor *transformer(struct case_build *b)
{
    struct tensor *x = op_patches(case_input(b, SHAPE(2, 4, 8), CHANNELS_FIRST), 2), *y;

    x = dense(b, x, 16, true);
    x = op_positions(x, case_param(b, SHAPE(8, 16)));
    y = norm_tokens(b, x, 1e-5f);
    y = op_scale(op_attention(op_scale(dense(b, y, 48, true), 0.3f), 2), 0.5f);
    x = op_add(x, op_scale(dense(b, y, 16, true), 0.3f));
    y = norm_tokens(b, x, 1e-5f);
    y = op_gelu(op_scale(dense(b, y, 32, true), 0.3f));
    x = op_add(x, op_scale(dense(b, y, 16, true), 0.3f));
    return op_unpatch(op_scale(x, 0.3f), 2, 4, 8);
}

/* ---- losses ------------------------------------------------------------ */

static struct tensor *mse_element(struct case_build *b)
{
    struct tensor *x = case_input(b, SHAPE(2, 3, 4), CHANNELS_FIRST);
    struct tensor *t = case_target(b, SHAPE(2, 3, 4), -1, 1, false);

    return op_mse(x, t, case_target(b, SHAPE(2, 3, 4), 0, 3, true));
}

static struct tensor *bce_row(struct case_build *b)
{
    struct tensor *x = op_scale(case_input(b, SHAPE(5), CHANNELS_FIRST), 2);
    struct tensor *t = case_target(b, SHAPE(5), 0, 1, false);

    return op_bce(x, t, case_target(b, SHAPE(1), 0, 2, false));
}

static struct tensor *smooth_l1(struct case_build *b)
{
    struct tensor *x = case_input(b, SHAPE(1, 4, 3), CHANNELS_FIRST);
    struct tensor *t = case_target(b, SHAPE(1, 4, 3), -2, 2, false);

    return op_smooth_l1(x, t, case_target(b, SHAPE(1, 4, 3), 0, 2, false), 0.5f);
}

/* some elements have no class */
static struct tensor *cross_entropy_map(struct case_build *b)
{
    static const float of[] = {0.5f, 2, 1.25f};
    struct tensor *x =
        conv(b, case_input(b, SHAPE(2, 4, 5), CHANNELS_FIRST), 3, WINDOW(1, 1, 0), true);
    struct tensor *t = case_target(b, SHAPE(1, 4, 5), -1, 4, true);

    return op_cross_entropy(x, t, of, case_target(b, SHAPE(1, 4, 5), 0, 2, false));
}

static struct tensor *cross_entropy_row(struct case_build *b)
{
    struct tensor *x = dense(b, case_input(b, SHAPE(6), CHANNELS_FIRST), 4, true);
    struct tensor *t = case_target(b, SHAPE(1), 0, 4, true);

    return op_cross_entropy(x, t, NULL, case_target(b, SHAPE(1), 0, 2, false));
}

/* two losses of the same output */
static struct tensor *losses_added(struct case_build *b)
{
    struct tensor *x = dense(b, case_input(b, SHAPE(4), CHANNELS_FIRST), 3, true);
    struct tensor *t = case_target(b, SHAPE(3), 0, 1, false);

    return op_add(op_mse(x, t, NULL), op_scale(op_bce(x, t, NULL), 0.5f));
}

const struct op_case op_cases[] = {
    {"conv2d", conv2d, 3, 0.05f},
    {"conv2d_stride", conv2d_stride, 2, 0.05f},
    {"conv2d_uneven", conv2d_uneven, 2, 0.05f},
    {"conv2d_1x1", conv2d_1x1, 2, 0.05f},
    {"conv2d_small_map", conv2d_small_map, 3, 0.05f},
    {"conv2d_dilated", conv2d_dilated, 2, 0.05f},
    {"conv2d_atrous", conv2d_atrous, 2, 0.05f},
    {"depthwise2d", depthwise2d, 3, 0.05f},
    {"depthwise_uneven", depthwise_uneven, 2, 0.05f},
    {"depthwise3d", depthwise3d, 2, 0.05f},
    {"depthwise_wide", depthwise_wide, 2, 2e-3f},
    {"conv3d", conv3d, 2, 0.05f},
    {"conv3d_stride", conv3d_stride, 2, 0.05f},
    {"conv3d_wide", conv3d_wide, 2, 0.05f},
    {"deconv2d", deconv2d, 3, 0.05f},
    {"deconv2d_overlap", deconv2d_overlap, 2, 0.05f},
    {"deconv2d_twice", deconv2d_twice, 2, 0.05f},
    {"deconv2d_uneven", deconv2d_uneven, 2, 0.05f},
    {"deconv2d_one", deconv2d_one, 2, 0.02f},
    {"deconv3d", deconv3d, 2, 0.05f},
    {"deconv_wide", deconv_wide, 3, 2e-3f},
    {"maxpool2d", maxpool2d, 2, 2e-3f},
    {"maxpool2d_overlap", maxpool2d_overlap, 2, 2e-3f},
    {"maxpool3d", maxpool3d, 2, 2e-3f},
    {"maxpool3d_odd", maxpool3d_odd, 1, 2e-3f},
    {"norm_map", norm_map, 3, 0.02f},
    {"norm_rows", norm_rows, 4, 0.02f},
    {"norm_wide", norm_wide, 3, 1e-3f},
    {"norm_residual", norm_residual, 3, 0},
    {"avgpool2d", avgpool2d, 2, 0.05f},
    {"avgpool3d", avgpool3d, 2, 0.05f},
    {"global_avgpool", global_avgpool, 3, 0.05f},
    {"upsample_nearest", upsample_nearest, 2, 0.05f},
    {"upsample_linear", upsample_linear, 2, 0.05f},
    {"upsample_by", upsample_by, 2, 0.05f},
    {"sigmoid", sigmoid, 2, 5e-3f},
    {"sigmoid_pool", sigmoid_pool, 2, 2e-3f},
    {"mul", mul, 2, 5e-3f},
    {"leaky", leaky, 3, 0.02f},
    {"relu", relu, 3, 0.02f},
    {"tanh_scale", tanh_scale, 4, 2e-3f},
    {"dense", dense_bias, 4, 0.05f},
    {"dense_plain", dense_plain, 3, 0.05f},
    {"dense_act", dense_act, 4, 2e-3f},
    {"flatten", flatten, 2, 0.05f},
    {"dropout", dropout, 4, 2e-3f},
    {"dropout_map", dropout_map, 3, 0.02f},
    {"add", add, 2, 0.05f},
    {"concat_slice", concat_slice, 2, 0.05f},
    {"stop", stop, 3, 0.05f},
    {"shared", shared, 3, 2e-3f},
    {"cosmo", cosmo, 3, 1e-3f},
    {"cosmo_fused", cosmo_fused, 3, 0},
    {"patches", patches, 2, 0.05f},
    {"patches_wide", patches_wide, 2, 0.05f},
    {"positions", positions, 3, 5e-3f},
    {"layer_norm", layer_norm, 2, 5e-3f},
    {"layer_norm_long", layer_norm_long, 3, 2e-3f},
    {"gelu", gelu, 2, 2e-3f},
    {"attention", attention, 3, 5e-3f},
    {"attention_long", attention_long, 2, 5e-3f},
    {"transformer", transformer, 2, 2e-3f},
    {"mse_element", mse_element, 3, 0.05f},
    {"bce_row", bce_row, 4, 0.02f},
    {"smooth_l1", smooth_l1, 3, 1e-3f},
    {"cross_entropy_map", cross_entropy_map, 3, 0.02f},
    {"cross_entropy_row", cross_entropy_row, 5, 0.02f},
    {"losses_added", losses_added, 4, 0.02f},
};
const int n_op_cases = sizeof op_cases / sizeof op_cases[0];
