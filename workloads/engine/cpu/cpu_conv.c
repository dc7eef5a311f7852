/* SPDX-License-Identifier: BSD-3-Clause */
/* Convolution on the CPU: oneDNN, and kernel_wgrad for few channels. */
#include <config.h>

#include "workloads/engine/cpu/cpu.h"

enum conv_op {
    CONV_FORWARD,
    CONV_WEIGHTS,
    CONV_DATA,
    CONV_TO_FORWARD, /* masters to the weights of forward, of data */
    CONV_TO_DATA,
    CONV_GRADIENT, /* weight gradient to its plain place */
    CONV_GRADIENT_ADD
};

enum conv_piece {
    PIECE_FORWARD, /* own: weights of forward, of data */
    PIECE_DATA,
    PIECE_LIBRARY, /* scratch of WEIGHTS: the library's */
    PIECE_GRADIENT,
    PIECE_BIAS
};

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

static int conv_layouts_init(struct conv_layouts *l, const struct node *n, struct err *e)
{
    const struct tensor *in = n->in[0], *out = n->out[0];
    const struct shape *w = &n->weight->shape, bias = SHAPE(out->shape.d[1]);

    *l = (struct conv_layouts){0};
    l->src =
        in->value.format ? cpu_layout(in, e) : cpu_layout_create(&in->shape, in->dtype, DNN_ANY, e);
    l->dst = cpu_layout_create(&out->shape, out->dtype, DNN_ANY, e);
    l->weights = cpu_layout_create(w, in->dtype, DNN_ANY, e);
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
        .bias = n->bias ? l->bias : NULL,
        .dst = l->dst,
        .training = graph_view(n->graph).backward,
        .post = n->act == ACT_TANH      ? DNN_POST_TANH
                : n->act == ACT_SIGMOID ? DNN_POST_SIGMOID
                : n->act == ACT_LEAKY   ? DNN_POST_LEAKY
                                        : DNN_POST_NONE,
        .alpha = n->slope,
    };

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

/* Forward chooses the layouts of its ends. */
static int conv_prepare_forward(struct dnn *d, struct node *n, struct conv_layouts *l,
                                struct err *e)
{
    struct cpu_node *p = cpu_node_of(n);
    struct tensor *in = n->in[0], *out = n->out[0];

    for (int round = 0;; round++) {
        struct dnn_conv c = conv_of(n, l);

        dnn_op_destroy(p->op[CONV_FORWARD]);
        p->op[CONV_FORWARD] = dnn_conv_forward(d, &c, e);
        if (!p->op[CONV_FORWARD])
            return -1;
        int src = known(&l->src, p->op[CONV_FORWARD], DNN_SRC, in, e);
        int dst = known(&l->dst, p->op[CONV_FORWARD], DNN_DST, out, e);
        if (src < 0 || dst < 0)
            return -1;
        if ((!src && !dst) || round)
            break;
    }
    if (!in->value.format && cpu_set_layout(in, l->src, e))
        return -1;
    return cpu_set_layout(out, l->dst, e);
}

/* Few channels in three dimensions: kernel_wgrad.h says why. */
static bool conv_prepare_few(struct node *n)
{
    struct wgrad *g = &cpu_node_of(n)->wgrad;

    *g = (struct wgrad){.x = cpu_map(n->in[0]), .dy = cpu_map(n->out[0])};
    cpu_window_sizes(n, g->I, g->Q, g->K, g->S, g->P);
    if (n->in[0]->shape.n < 5 || !wgrad_suits(g))
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
    cpu_piece_add(scratch, &p->piece[PIECE_BIAS], dnn_layout_bytes(l->bias));
    return 0;
}

static int conv_prepare_data(struct dnn *d, struct node *n, struct conv_layouts *l, struct err *e)
{
    struct cpu_node *p = cpu_node_of(n);
    struct dnn_conv c = conv_of(n, l);

    c.bias = NULL;
    p->op[CONV_DATA] = dnn_conv_data(d, &c, e);
    if (!p->op[CONV_DATA])
        return -1;
    n->scratch[PASS_DATA].bytes = dnn_op_scratch(p->op[CONV_DATA]);
    const struct dnn_layout *wanted = dnn_op_layout(p->op[CONV_DATA], DNN_WEIGHTS);
    const struct dnn_layout *forward = dnn_op_layout(p->op[CONV_FORWARD], DNN_WEIGHTS);
    if (dnn_layout_equal(wanted, forward)) {
        p->piece[PIECE_DATA] = p->piece[PIECE_FORWARD];
        return 0;
    }
    cpu_piece_add(&n->own, &p->piece[PIECE_DATA], dnn_layout_bytes(wanted));
    p->op[CONV_TO_DATA] = dnn_reorder(d, l->plain, wanted, false, e);
    return p->op[CONV_TO_DATA] ? 0 : -1;
}

static int conv_prepare(struct dnn *d, struct node *n, struct err *e)
{
    struct cpu_node *p = cpu_node_of(n);
    struct conv_layouts l;
    int rc = -1;

    if (conv_layouts_init(&l, n, e) || conv_prepare_forward(d, n, &l, e))
        goto out;
    n->scratch[PASS_FORWARD].bytes = dnn_op_scratch(p->op[CONV_FORWARD]);
    const struct dnn_layout *w = dnn_op_layout(p->op[CONV_FORWARD], DNN_WEIGHTS);
    cpu_piece_add(&n->own, &p->piece[PIECE_FORWARD], dnn_layout_bytes(w));
    p->op[CONV_TO_FORWARD] = dnn_reorder(d, l.plain, w, false, e);
    if (!p->op[CONV_TO_FORWARD])
        goto out;
    if (n->weights_wanted && conv_prepare_weights(d, n, &l, e))
        goto out;
    if (n->in_grad[0] && conv_prepare_data(d, n, &l, e))
        goto out;
    rc = 0;
out:
    conv_layouts_fini(&l);
    return rc;
}

static int conv_refresh(const struct exec *x, struct node *n, struct err *e)
{
    struct cpu_node *p = cpu_node_of(n);
    float *master = exec_master(x, n->weight);

    for (int data = 0; data < 2; data++) {
        struct dnn_op *op = p->op[data ? CONV_TO_DATA : CONV_TO_FORWARD];
        void *to = cpu_piece(x, &n->own, &p->piece[data ? PIECE_DATA : PIECE_FORWARD]);

        if (op && dnn_run(op, (void *[DNN_ARGS]){[DNN_SRC] = master, [DNN_DST] = to}, e))
            return -1;
    }
    return 0;
}

static int conv_forward(const struct exec *x, struct node *n, struct err *e)
{
    struct cpu_node *p = cpu_node_of(n);

    return dnn_run(p->op[CONV_FORWARD],
                   (void *[DNN_ARGS]){
                       [DNN_SRC] = exec_value(x, n->in[0]),
                       [DNN_WEIGHTS] = cpu_piece(x, &n->own, &p->piece[PIECE_FORWARD]),
                       [DNN_BIAS] = n->bias ? exec_master(x, n->bias) : NULL,
                       [DNN_DST] = exec_value(x, n->out[0]),
                       [DNN_SCRATCH] = exec_at(x, &n->scratch[PASS_FORWARD]),
                   },
                   e);
}

static int conv_weights(const struct exec *x, struct node *n, struct err *e)
{
    struct cpu_node *p = cpu_node_of(n);
    const struct buffer *scratch = &n->scratch[PASS_WEIGHTS];
    void *gradient = cpu_piece(x, scratch, &p->piece[PIECE_GRADIENT]);
    float *bias = cpu_piece(x, scratch, &p->piece[PIECE_BIAS]);
    enum conv_op last = n->weight->has_gradient ? CONV_GRADIENT_ADD : CONV_GRADIENT;

    if (!p->op[CONV_WEIGHTS]) {
        wgrad_run(0, &p->wgrad, exec_value(x, n->in[0]), exec_grad(x, n->out[0]),
                  n->weight->has_gradient, exec_gradient(x, n->weight),
                  n->bias && n->bias->has_gradient, n->bias ? exec_gradient(x, n->bias) : NULL,
                  exec_at(x, scratch));
        return 0;
    }
    if (dnn_run(p->op[CONV_WEIGHTS],
                (void *[DNN_ARGS]){
                    [DNN_SRC] = exec_value(x, n->in[0]),
                    [DNN_DIFF_DST] = exec_grad(x, n->out[0]),
                    [DNN_DIFF_WEIGHTS] = gradient,
                    [DNN_DIFF_BIAS] = bias,
                    [DNN_SCRATCH] = cpu_piece(x, scratch, &p->piece[PIECE_LIBRARY]),
                },
                e))
        return -1;
    if (n->bias) {
        float *to = exec_gradient(x, n->bias);

        for (size_t i = 0; i < n->bias->count; i++)
            to[i] = n->bias->has_gradient ? to[i] + bias[i] : bias[i];
    }
    return dnn_run(
        p->op[last],
        (void *[DNN_ARGS]){[DNN_SRC] = gradient, [DNN_DST] = exec_gradient(x, n->weight)}, e);
}

static int conv_data(const struct exec *x, struct node *n, struct err *e)
{
    struct cpu_node *p = cpu_node_of(n);

    return dnn_run(p->op[CONV_DATA],
                   (void *[DNN_ARGS]){
                       [DNN_DIFF_SRC] = exec_at(x, n->in_grad[0]),
                       [DNN_WEIGHTS] = cpu_piece(x, &n->own, &p->piece[PIECE_DATA]),
                       [DNN_DIFF_DST] = exec_grad(x, n->out[0]),
                       [DNN_SCRATCH] = exec_at(x, &n->scratch[PASS_DATA]),
                   },
                   e);
}

const struct cpu_row cpu_conv = {
    conv_prepare, conv_refresh, {conv_forward, cpu_epilogue_grad, conv_weights, conv_data}};
