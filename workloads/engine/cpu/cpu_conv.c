/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Convolution on the CPU and its transpose: oneDNN, and kernel_wgrad for few
 * channels.
 *
 * Both nodes own a convolution from `src` to `dst`. A transposed one has its
 * input at dst and its output at src: its forward pass is the convolution's
 * data gradient, its data gradient the convolution's forward pass, its weight
 * gradient the convolution's with the two sides changed. (oneDNN's own
 * deconvolution wraps the same, and hides how the weights lie.) Its bias and
 * activation, and the bias's gradient, are kernels of our own.
 */
#include <config.h>

#include "workloads/engine/cpu/cpu.h"

enum conv_op {
    CONV_FORWARD,
    CONV_WEIGHTS,
    CONV_DATA,
    CONV_GRADIENT, /* weight gradient to its plain place */
    CONV_GRADIENT_ADD
};

enum conv_piece {
    PIECE_LIBRARY, /* scratch of WEIGHTS: the library's */
    PIECE_GRADIENT,
    PIECE_BIAS
};

static bool transposed(const struct node *n)
{
    return n->op == OP_DECONV;
}

static struct tensor *src_of(const struct node *n)
{
    return transposed(n) ? n->out[0] : n->in[0];
}

static struct tensor *dst_of(const struct node *n)
{
    return transposed(n) ? n->in[0] : n->out[0];
}

/* Which of the convolution's passes the node's FORWARD and DATA are. */
static enum conv_op forward_op(const struct node *n)
{
    return transposed(n) ? CONV_DATA : CONV_FORWARD;
}

static enum conv_op data_op(const struct node *n)
{
    return transposed(n) ? CONV_FORWARD : CONV_DATA;
}

/* Layouts that convolutions of one node share. */
struct conv_layouts {
    struct dnn_layout *src, *dst, *weights, *plain, *gradient, *bias;
};

static void conv_layouts_fini(struct conv_layouts *l)
{
    dnn_layout_destroy(l->src);
    dnn_layout_destroy(l->dst);
    dnn_layout_destroy(l->weights);
    dnn_layout_destroy(l->plain);
    dnn_layout_destroy(l->gradient);
    dnn_layout_destroy(l->bias);
}

/* As it lies, or as the convolution wants it. */
static struct dnn_layout *end_layout(const struct tensor *t, struct err *e)
{
    return t->value.format ? cpu_layout(t, e) : cpu_layout_create(&t->shape, t->dtype, DNN_ANY, e);
}

static int conv_layouts_init(struct conv_layouts *l, const struct node *n, struct err *e)
{
    const struct shape *w = &n->weight->shape, bias = SHAPE(n->out[0]->shape.d[1]);

    *l = (struct conv_layouts){0};
    l->src = end_layout(src_of(n), e);
    l->dst = end_layout(dst_of(n), e);
    l->weights = cpu_layout_create(w, n->out[0]->dtype, DNN_ANY, e);
    l->plain = cpu_layout_create(w, TENSOR_F32, DNN_PLAIN, e);
    l->gradient = cpu_layout_create(w, TENSOR_F32, DNN_ANY, e);
    l->bias = cpu_layout_create(&bias, TENSOR_F32, DNN_PLAIN, e);
    return l->src && l->dst && l->weights && l->plain && l->gradient && l->bias ? 0 : -1;
}

static struct dnn_conv conv_of(const struct node *n, const struct conv_layouts *l)
{
    struct dnn_conv c = {
        .src = l->src,
        .weights = l->weights,
        .dst = l->dst,
        .training = graph_view(n->graph).backward,
    };

    if (!transposed(n)) {
        c.bias = n->bias ? l->bias : NULL;
        c.post = n->act == ACT_TANH      ? DNN_POST_TANH
                 : n->act == ACT_SIGMOID ? DNN_POST_SIGMOID
                 : n->act == ACT_LEAKY   ? DNN_POST_LEAKY
                                         : DNN_POST_NONE;
        c.alpha = n->slope;
    }
    for (int i = 0; i < 3; i++) {
        c.stride[i] = n->window.stride[i];
        c.before[i] = n->window.before[i];
        c.after[i] = n->window.after[i];
    }
    return c;
}

/* A layout that the own kernels do not know is replaced by row major. */
static int known(struct dnn_layout **l, const struct dnn_op *op, enum dnn_arg arg,
                 const struct tensor *t, struct err *e)
{
    const struct dnn_layout *chosen = dnn_op_layout(op, arg);
    bool other = dnn_layout_kind(chosen) == DNN_OTHER;

    dnn_layout_destroy(*l);
    *l = other ? cpu_layout_create(&t->shape, t->dtype, DNN_PLAIN, e) : dnn_layout_copy(chosen, e);
    return !*l ? -1 : other;
}

static struct dnn_op *make(struct dnn *d, const struct node *n, enum conv_op which,
                           const struct conv_layouts *l, struct err *e)
{
    struct dnn_conv c = conv_of(n, l);

    if (which == CONV_FORWARD)
        return dnn_conv_forward(d, &c, e);
    c.bias = NULL;
    return dnn_conv_data(d, &c, e);
}

/* The node's forward pass chooses the layouts of its ends. */
static int conv_prepare_forward(struct dnn *d, struct node *n, struct conv_layouts *l,
                                struct err *e)
{
    struct cpu_node *p = cpu_node_of(n);
    enum conv_op which = forward_op(n);
    bool data = which == CONV_DATA;

    for (int round = 0;; round++) {
        dnn_op_destroy(p->op[which]);
        p->op[which] = make(d, n, which, l, e);
        if (!p->op[which])
            return -1;
        int src = known(&l->src, p->op[which], data ? DNN_DIFF_SRC : DNN_SRC, src_of(n), e);
        int dst = known(&l->dst, p->op[which], data ? DNN_DIFF_DST : DNN_DST, dst_of(n), e);
        if (src < 0 || dst < 0)
            return -1;
        if ((!src && !dst) || round)
            break;
    }
    n->scratch[PASS_FORWARD].bytes = dnn_op_scratch(p->op[which]);
    if (!n->in[0]->value.format && cpu_set_layout(n->in[0], transposed(n) ? l->dst : l->src, e))
        return -1;
    return cpu_set_layout(n->out[0], transposed(n) ? l->src : l->dst, e);
}

/* Few channels in three dimensions: kernel_wgrad.h says why. */
static bool conv_prepare_few(struct node *n)
{
    struct wgrad *g = &cpu_node_of(n)->wgrad;

    *g = (struct wgrad){.x = cpu_map(n->in[0]), .dy = cpu_map(n->out[0])};
    cpu_window_sizes(n, g->I, g->Q, g->K, g->S, g->P);
    if (transposed(n) || n->in[0]->shape.n < 5 || !wgrad_suits(g))
        return false;
    n->scratch[PASS_WEIGHTS].bytes = wgrad_scratch_bytes(g);
    return true;
}

static int conv_prepare_weights(struct dnn *d, struct node *n, struct conv_layouts *l,
                                struct err *e)
{
    struct cpu_node *p = cpu_node_of(n);
    struct buffer *scratch = &n->scratch[PASS_WEIGHTS];
    struct dnn_conv c = conv_of(n, l);
    struct map out = cpu_map(n->out[0]);

    if (conv_prepare_few(n))
        return 0;

    c.weights = l->gradient;
    p->op[CONV_WEIGHTS] = dnn_conv_weights(d, &c, e);
    if (!p->op[CONV_WEIGHTS])
        return -1;
    const struct dnn_layout *made = dnn_op_layout(p->op[CONV_WEIGHTS], DNN_DIFF_WEIGHTS);
    p->op[CONV_GRADIENT] = dnn_reorder(d, made, l->plain, false, e);
    p->op[CONV_GRADIENT_ADD] = dnn_reorder(d, made, l->plain, true, e);
    if (!p->op[CONV_GRADIENT] || !p->op[CONV_GRADIENT_ADD])
        return -1;
    cpu_piece_add(scratch, &p->piece[PIECE_LIBRARY], dnn_op_scratch(p->op[CONV_WEIGHTS]));
    cpu_piece_add(scratch, &p->piece[PIECE_GRADIENT], dnn_layout_bytes(made));
    cpu_piece_add(scratch, &p->piece[PIECE_BIAS],
                  transposed(n) ? (size_t)(out.N * out.C) * sizeof(double)
                                : dnn_layout_bytes(l->bias));
    return 0;
}

static int conv_prepare_data(struct dnn *d, struct node *n, struct conv_layouts *l, struct err *e)
{
    struct cpu_node *p = cpu_node_of(n);
    enum conv_op which = data_op(n);

    p->op[which] = make(d, n, which, l, e);
    if (!p->op[which])
        return -1;
    n->scratch[PASS_DATA].bytes = dnn_op_scratch(p->op[which]);
    return 0;
}

/* weights[]: those of CONV_FORWARD, of CONV_DATA. */
static int conv_prepare_copies(struct dnn *d, struct node *n, struct err *e)
{
    struct cpu_node *p = cpu_node_of(n);

    for (int data = 0; data < 2; data++) {
        const struct dnn_op *op = p->op[data ? CONV_DATA : CONV_FORWARD];

        if (!op)
            continue;
        p->weights[data] = cpu_copy(d, n, dnn_op_layout(op, DNN_WEIGHTS), e);
        if (!p->weights[data])
            return -1;
    }
    return 0;
}

static int conv_prepare(struct dnn *d, struct node *n, struct err *e)
{
    struct conv_layouts l;
    int rc = -1;

    if (conv_layouts_init(&l, n, e) || conv_prepare_forward(d, n, &l, e))
        goto out;
    if (n->weights_wanted && conv_prepare_weights(d, n, &l, e))
        goto out;
    if (n->in_grad[0] && conv_prepare_data(d, n, &l, e))
        goto out;
    rc = conv_prepare_copies(d, n, e);
out:
    conv_layouts_fini(&l);
    return rc;
}

/* One of the two passes that multiply with the weights. */
static int conv_run(const struct exec *x, struct node *n, enum conv_op which, void *from, void *to,
                    const struct buffer *scratch, struct err *e)
{
    struct cpu_node *p = cpu_node_of(n);

    return dnn_run(p->op[which],
                   (void *[DNN_ARGS]){
                       [DNN_SRC] = from,
                       [DNN_DIFF_DST] = from,
                       [DNN_WEIGHTS] = exec_copy(x, p->weights[which == CONV_DATA]),
                       [DNN_BIAS] = n->bias ? exec_master(x, n->bias) : NULL,
                       [DNN_DST] = to,
                       [DNN_DIFF_SRC] = to,
                       [DNN_SCRATCH] = exec_at(x, scratch),
                   },
                   e);
}

static int conv_forward(const struct exec *x, struct node *n, struct err *e)
{
    void *y = exec_value(x, n->out[0]);

    if (conv_run(x, n, forward_op(n), exec_value(x, n->in[0]), y, &n->scratch[PASS_FORWARD], e))
        return -1;
    if (transposed(n) && (n->bias || n->act != ACT_NONE)) {
        struct map m = cpu_map(n->out[0]);

        map_bias(&m, n->bias ? exec_master(x, n->bias) : NULL, n->act, n->slope, y);
    }
    return 0;
}

static void bias_gradient(const struct exec *x, const struct node *n, const float *made)
{
    float *to = exec_gradient(x, n->bias);

    for (size_t i = 0; i < n->bias->count; i++)
        to[i] = n->bias->has_gradient ? to[i] + made[i] : made[i];
}

static int conv_weights(const struct exec *x, struct node *n, struct err *e)
{
    struct cpu_node *p = cpu_node_of(n);
    const struct buffer *scratch = &n->scratch[PASS_WEIGHTS];
    void *gradient = cpu_piece(x, scratch, &p->piece[PIECE_GRADIENT]);
    void *bias = cpu_piece(x, scratch, &p->piece[PIECE_BIAS]);
    void *value = exec_value(x, n->in[0]), *dy = exec_grad(x, n->out[0]);
    enum conv_op last = n->weight->has_gradient ? CONV_GRADIENT_ADD : CONV_GRADIENT;

    if (!p->op[CONV_WEIGHTS]) {
        wgrad_run(0, &p->wgrad, value, dy, n->weight->has_gradient, exec_gradient(x, n->weight),
                  n->bias && n->bias->has_gradient, n->bias ? exec_gradient(x, n->bias) : NULL,
                  exec_at(x, scratch));
        return 0;
    }
    if (dnn_run(p->op[CONV_WEIGHTS],
                (void *[DNN_ARGS]){
                    [DNN_SRC] = transposed(n) ? dy : value,
                    [DNN_DIFF_DST] = transposed(n) ? value : dy,
                    [DNN_DIFF_WEIGHTS] = gradient,
                    [DNN_DIFF_BIAS] = bias,
                    [DNN_SCRATCH] = cpu_piece(x, scratch, &p->piece[PIECE_LIBRARY]),
                },
                e))
        return -1;
    if (n->bias && transposed(n)) {
        struct map m = cpu_map(n->out[0]);

        map_bias_sums(&m, dy, n->bias->has_gradient, exec_gradient(x, n->bias), bias);
    } else if (n->bias) {
        bias_gradient(x, n, bias);
    }
    return dnn_run(
        p->op[last],
        (void *[DNN_ARGS]){[DNN_SRC] = gradient, [DNN_DST] = exec_gradient(x, n->weight)}, e);
}

static int conv_data(const struct exec *x, struct node *n, struct err *e)
{
    return conv_run(x, n, data_op(n), exec_grad(x, n->out[0]), exec_at(x, n->in_grad[0]),
                    &n->scratch[PASS_DATA], e);
}

const struct cpu_row cpu_conv = {conv_prepare,
                                 {conv_forward, cpu_epilogue_grad, conv_weights, conv_data}};
