/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Convolution on the CPU and its transpose: oneDNN, kernel_wgrad for few
 * channels, and a product of matrices for weight gradients on small maps.
 *
 * Both nodes own a convolution from `src` to `dst`. A transposed one has its
 * input at dst and its output at src: its forward pass is the convolution's
 * data gradient, its data gradient the convolution's forward pass, its weight
 * gradient the convolution's with the two sides changed. (oneDNN's own
 * deconvolution wraps the same, and hides how the weights lie.) Its bias and
 * activation, and the bias's gradient, are kernels of our own.
 *
 * Layouts. The node's forward pass chooses how what nobody has laid out yet
 * lies; otherwise a pass takes the tensors as they lie. Where the library has
 * nothing for that but its reference loop (2.6: gradients towards few channels
 * that are not in padded blocks, 8 to 8 channels, windows as large as the map),
 * other layouts are tried, and that end is brought there and back through
 * scratch memory.
 */
#include <config.h>

#include "workloads/engine/cpu/cpu.h"

/* Operations and scratch pieces; those at the end: for each of the passes and
 * its two ends. */
enum conv_op {
    CONV_FORWARD, /* the passes of the convolution */
    CONV_WEIGHTS,
    CONV_DATA,
    CONV_GRADIENT, /* weight gradient to its plain place; the product makes it there */
    CONV_GRADIENT_ADD,
    CONV_TURN /* reorder of an end */
};

enum conv_piece {
    PIECE_GRADIENT,
    PIECE_BIAS,
    PIECE_LIBRARY,                /* of each pass: the library's */
    PIECE_END = PIECE_LIBRARY + 3 /* an end in another layout */
};

enum { SRC_END, DST_END, ENDS };

/* By pass: what its ends are called, and which of them it writes. */
static const struct {
    enum dnn_arg end[ENDS];
    int written; /* -1: neither */
} passes[] = {
    [CONV_FORWARD] = {{DNN_SRC, DNN_DST}, DST_END},
    [CONV_WEIGHTS] = {{DNN_SRC, DNN_DIFF_DST}, -1},
    [CONV_DATA] = {{DNN_DIFF_SRC, DNN_DIFF_DST}, SRC_END},
};

static bool transposed(const struct node *n)
{
    return n->op == OP_DECONV;
}

/* The own ways of a weight gradient know no dilation. */
static bool dilated(const struct node *n)
{
    bool yes = false;

    for (int i = 0; i + 2 < n->in[0]->shape.n; i++)
        yes = yes || n->window.dilation[i] > 1;
    return yes;
}

static struct tensor *end_of(const struct node *n, int end)
{
    return (end == SRC_END) == transposed(n) ? n->out[0] : n->in[0];
}

/* Which of the convolution's passes the node's are. */
static enum conv_op forward_op(const struct node *n)
{
    return transposed(n) ? CONV_DATA : CONV_FORWARD;
}

static enum conv_op data_op(const struct node *n)
{
    return transposed(n) ? CONV_FORWARD : CONV_DATA;
}

static struct buffer *scratch_of(struct node *n, enum conv_op which)
{
    return &n->scratch[which == CONV_WEIGHTS    ? PASS_WEIGHTS
                       : which == forward_op(n) ? PASS_FORWARD
                                                : PASS_DATA];
}

/* ---- one pass --------------------------------------------------------- */

struct conv_layouts {
    struct dnn_layout *end[ENDS], *weights, *bias;
};

static void layouts_fini(struct conv_layouts *l)
{
    for (int i = 0; i < ENDS; i++)
        dnn_layout_destroy(l->end[i]);
    dnn_layout_destroy(l->weights);
    dnn_layout_destroy(l->bias);
}

/* How an end lies: as the tensor does (as the library likes where that is not
 * settled), or in that kind of layout. */
enum { AS_IT_LIES = -1 };

static int layouts_init(struct conv_layouts *l, const struct node *n, enum conv_op which,
                        const int kind[ENDS], struct err *e)
{
    const struct shape *w = &n->weight->shape, bias = SHAPE(n->out[0]->shape.d[1]);

    *l = (struct conv_layouts){.weights = NULL};
    for (int i = 0; i < ENDS; i++) {
        struct tensor *t = end_of(n, i);
        enum dnn_kind as = kind[i] == AS_IT_LIES ? DNN_ANY : (enum dnn_kind)kind[i];

        l->end[i] = kind[i] == AS_IT_LIES && t->value.format
                        ? cpu_layout(t, e)
                        : cpu_layout_create(&t->shape, t->dtype, as, e);
        if (!l->end[i])
            return -1;
    }
    l->weights =
        cpu_layout_create(w, which == CONV_WEIGHTS ? TENSOR_F32 : n->out[0]->dtype, DNN_ANY, e);
    l->bias = cpu_layout_create(&bias, TENSOR_F32, DNN_PLAIN, e);
    return l->weights && l->bias ? 0 : -1;
}

static struct dnn_conv conv_of(const struct node *n, enum conv_op which,
                               const struct conv_layouts *l)
{
    struct dnn_conv c = {
        .src = l->end[SRC_END],
        .weights = l->weights,
        .dst = l->end[DST_END],
        .training = graph_view(n->graph).backward,
    };

    if (n->bias && which != CONV_DATA && !transposed(n))
        c.bias = l->bias;
    if (!transposed(n)) {
        c.post = n->act == ACT_TANH      ? DNN_POST_TANH
                 : n->act == ACT_SIGMOID ? DNN_POST_SIGMOID
                 : n->act == ACT_LEAKY   ? DNN_POST_LEAKY
                                         : DNN_POST_NONE;
        c.alpha = n->slope;
    }
    for (int i = 0; i < 3; i++) {
        c.stride[i] = n->window.stride[i];
        c.between[i] = n->window.dilation[i] > 1 ? n->window.dilation[i] - 1 : 0;
        c.before[i] = n->window.before[i];
        c.after[i] = n->window.after[i];
    }
    return c;
}

static struct dnn_op *make(struct dnn *d, const struct node *n, enum conv_op which,
                           const int kind[ENDS], struct err *e)
{
    static struct dnn_op *(*const create[])(struct dnn * d, const struct dnn_conv *c,
                                            struct err *e) = {
        [CONV_FORWARD] = dnn_conv_forward,
        [CONV_WEIGHTS] = dnn_conv_weights,
        [CONV_DATA] = dnn_conv_data,
    };
    struct conv_layouts l;
    struct dnn_op *op = NULL;

    if (!layouts_init(&l, n, which, kind, e)) {
        struct dnn_conv c = conv_of(n, which, &l);

        op = create[which](d, &c, e);
    }
    layouts_fini(&l);
    return op;
}

/* Whether the own kernels can read and write what it chose for ends that are
 * not settled yet. */
static bool known(const struct node *n, enum conv_op which, const struct dnn_op *op)
{
    bool good = true;

    for (int i = 0; i < ENDS; i++)
        if (!end_of(n, i)->value.format)
            good &= dnn_layout_kind(dnn_op_layout(op, passes[which].end[i])) != DNN_OTHER;
    return good;
}

/* The first of these that has an implementation worth the name; the last one,
 * where none has. */
static struct dnn_op *choose(struct dnn *d, const struct node *n, enum conv_op which, struct err *e)
{
    static const int tries[][ENDS] = {
        {AS_IT_LIES, AS_IT_LIES},   {DNN_ANY, AS_IT_LIES},     {AS_IT_LIES, DNN_ANY},
        {DNN_ANY, DNN_ANY},         {DNN_BLOCK16, AS_IT_LIES}, {AS_IT_LIES, DNN_BLOCK16},
        {DNN_BLOCK16, DNN_BLOCK16}, {DNN_PLAIN, DNN_BLOCK16},  {DNN_BLOCK16, DNN_PLAIN},
        {DNN_LAST, DNN_LAST},       {DNN_PLAIN, DNN_PLAIN},
    };
    const int last = (int)(sizeof tries / sizeof tries[0]) - 1;

    for (int i = 0; i < last; i++) {
        struct err quiet = ERR_INIT;
        struct dnn_op *op = make(d, n, which, tries[i], &quiet);

        if (op && !dnn_op_is_reference(op) && known(n, which, op))
            return op;
        dnn_op_destroy(op);
    }
    return make(d, n, which, tries[last], e);
}

/* The pass, and how its ends come to lie as it wants them. */
static int pass_prepare(struct dnn *d, struct node *n, enum conv_op which, struct err *e)
{
    struct cpu_node *p = cpu_node_of(n);
    struct buffer *scratch = scratch_of(n, which);
    struct dnn_op *op = p->op[which] = choose(d, n, which, e);

    if (!op)
        return -1;
    cpu_piece_add(scratch, &p->piece[PIECE_LIBRARY + which], dnn_op_scratch(op));
    for (int i = 0; i < ENDS; i++) {
        struct tensor *t = end_of(n, i);
        const struct dnn_layout *want = dnn_op_layout(op, passes[which].end[i]);
        int at = 2 * (int)which + i;

        if (!t->value.format && cpu_set_layout(t, want, e))
            return -1;
        const struct dnn_layout *lies = ((const struct format *)t->value.format)->layout;
        if (dnn_layout_equal(lies, want))
            continue;
        p->op[CONV_TURN + at] = passes[which].written == i ? dnn_reorder(d, want, lies, false, e)
                                                           : dnn_reorder(d, lies, want, false, e);
        if (!p->op[CONV_TURN + at])
            return -1;
        cpu_piece_add(scratch, &p->piece[PIECE_END + at], dnn_layout_bytes(want));
    }
    return 0;
}

/* Runs it between the tensors' src and dst; `more`: what it needs beside them. */
static int pass_run(const struct exec *x, struct node *n, enum conv_op which, void *src, void *dst,
                    void *more[DNN_ARGS], struct err *e)
{
    struct cpu_node *p = cpu_node_of(n);
    const struct buffer *scratch = scratch_of(n, which);
    void *end[ENDS] = {src, dst};

    for (int i = 0; i < ENDS; i++) {
        int at = 2 * (int)which + i;
        struct dnn_op *turn = p->op[CONV_TURN + at];
        void *own = turn ? cpu_piece(x, scratch, &p->piece[PIECE_END + at]) : end[i];

        if (turn && passes[which].written != i &&
            dnn_run(turn, (void *[DNN_ARGS]){[DNN_SRC] = end[i], [DNN_DST] = own}, e))
            return -1;
        more[passes[which].end[i]] = own;
    }
    more[DNN_SCRATCH] = cpu_piece(x, scratch, &p->piece[PIECE_LIBRARY + which]);
    if (dnn_run(p->op[which], more, e))
        return -1;
    int out = passes[which].written;
    struct dnn_op *turn = out < 0 ? NULL : p->op[CONV_TURN + 2 * (int)which + out];
    return turn ? dnn_run(turn,
                          (void *[DNN_ARGS]){
                              [DNN_SRC] = more[passes[which].end[out]], [DNN_DST] = end[out]},
                          e)
                : 0;
}

/* ---- prepare ---------------------------------------------------------- */

/* Few channels in three dimensions: kernel_wgrad.h says why. */
static bool conv_prepare_few(struct node *n)
{
    struct wgrad *g = &cpu_node_of(n)->wgrad;

    *g = (struct wgrad){.x = cpu_map(n->in[0]), .dy = cpu_map(n->out[0])};
    cpu_window_sizes(n, g->I, g->Q, g->K, g->S, g->P);
    if (transposed(n) || dilated(n) || n->in[0]->shape.n < 5 || !wgrad_suits(g))
        return false;
    n->scratch[PASS_WEIGHTS].bytes = wgrad_scratch_bytes(g);
    return true;
}

struct product_layouts {
    struct dnn_layout *dy, *x, *dw;
};

static int product_layouts_init(struct product_layouts *l, const struct node *n,
                                const struct unfold *u, struct err *e)
{
    enum tensor_dtype dtype = n->out[0]->dtype;
    long rows = unfold_rows(u), columns = unfold_columns(u), O = u->dy.C;

    *l = (struct product_layouts){
        .dy = cpu_layout_create(&SHAPE(O, rows), dtype, DNN_TRANSPOSED, e),
        .x = cpu_layout_create(&SHAPE(rows, columns), dtype, DNN_PLAIN, e),
        .dw = cpu_layout_create(&SHAPE(O, columns), TENSOR_F32, DNN_PLAIN, e),
    };
    return l->dy && l->x && l->dw ? 0 : -1;
}

static void product_layouts_fini(struct product_layouts *l)
{
    dnn_layout_destroy(l->dy);
    dnn_layout_destroy(l->x);
    dnn_layout_destroy(l->dw);
}

/* On small maps: kernel_unfold.h says why. */
static bool product_suits(struct node *n)
{
    struct unfold *u = &cpu_node_of(n)->unfold;

    *u = (struct unfold){.x = cpu_map(n->in[0]), .dy = cpu_map(n->out[0])};
    cpu_window_sizes(n, u->I, u->Q, u->K, u->S, u->P);
    return !transposed(n) && !dilated(n) && unfold_suits(u);
}

static int product_prepare(struct dnn *d, struct node *n, struct err *e)
{
    struct cpu_node *p = cpu_node_of(n);
    struct buffer *scratch = &n->scratch[PASS_WEIGHTS];
    struct product_layouts l;
    size_t library = 0;

    if (product_layouts_init(&l, n, &p->unfold, e) == 0)
        for (int add = 0; add < 2; add++) {
            struct dnn_op *op = dnn_matmul(d, l.dy, l.x, NULL, l.dw, add, e);
            if (!op)
                break;
            p->op[CONV_GRADIENT + add] = op;
            library = dnn_op_scratch(op) > library ? dnn_op_scratch(op) : library;
        }
    bool good = p->op[CONV_GRADIENT] && p->op[CONV_GRADIENT_ADD];
    if (good) {
        cpu_piece_add(scratch, &p->piece[PIECE_LIBRARY + CONV_WEIGHTS], library);
        cpu_piece_add(scratch, &p->piece[PIECE_END + 2 * CONV_WEIGHTS + SRC_END],
                      dnn_layout_bytes(l.x));
        cpu_piece_add(scratch, &p->piece[PIECE_END + 2 * CONV_WEIGHTS + DST_END],
                      dnn_layout_bytes(l.dy));
        cpu_piece_add(scratch, &p->piece[PIECE_BIAS],
                      (size_t)(p->unfold.dy.N * p->unfold.dy.C) * sizeof(double));
    }
    product_layouts_fini(&l);
    return good ? 0 : -1;
}

static int conv_prepare_weights(struct dnn *d, struct node *n, struct err *e)
{
    struct cpu_node *p = cpu_node_of(n);
    struct buffer *scratch = &n->scratch[PASS_WEIGHTS];
    struct map out = cpu_map(n->out[0]);

    if (conv_prepare_few(n))
        return 0;
    if (product_suits(n))
        return product_prepare(d, n, e);
    if (pass_prepare(d, n, CONV_WEIGHTS, e))
        return -1;
    const struct dnn_layout *made = dnn_op_layout(p->op[CONV_WEIGHTS], DNN_DIFF_WEIGHTS);
    struct dnn_layout *plain = cpu_layout_create(&n->weight->shape, TENSOR_F32, DNN_PLAIN, e);
    if (!plain)
        return -1;
    p->op[CONV_GRADIENT] = dnn_reorder(d, made, plain, false, e);
    p->op[CONV_GRADIENT_ADD] = dnn_reorder(d, made, plain, true, e);
    dnn_layout_destroy(plain);
    cpu_piece_add(scratch, &p->piece[PIECE_GRADIENT], dnn_layout_bytes(made));
    cpu_piece_add(scratch, &p->piece[PIECE_BIAS],
                  (size_t)out.C * (transposed(n) ? (size_t)out.N * sizeof(double) : sizeof(float)));
    return p->op[CONV_GRADIENT] && p->op[CONV_GRADIENT_ADD] ? 0 : -1;
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
    if (pass_prepare(d, n, forward_op(n), e))
        return -1;
    if (n->weights_wanted && conv_prepare_weights(d, n, e))
        return -1;
    if (n->in_grad[0] && pass_prepare(d, n, data_op(n), e))
        return -1;
    return conv_prepare_copies(d, n, e);
}

/* ---- run -------------------------------------------------------------- */

/* One of the two passes that multiply with the weights, from the node's input
 * side to its output side or back. */
static int conv_run(const struct exec *x, struct node *n, enum conv_op which, void *in, void *out,
                    struct err *e)
{
    void *more[DNN_ARGS] = {
        [DNN_WEIGHTS] = exec_copy(x, cpu_node_of(n)->weights[which == CONV_DATA]),
        [DNN_BIAS] = n->bias ? exec_master(x, n->bias) : NULL,
    };

    return pass_run(x, n, which, transposed(n) ? out : in, transposed(n) ? in : out, more, e);
}

static int conv_forward(const struct exec *x, struct node *n, struct err *e)
{
    void *y = exec_value(x, n->out[0]);

    if (conv_run(x, n, forward_op(n), exec_value(x, n->in[0]), y, e))
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

static int conv_few(const struct exec *x, struct node *n)
{
    wgrad_run(0, &cpu_node_of(n)->wgrad, exec_value(x, n->in[0]), exec_grad(x, n->out[0]),
              n->weight->has_gradient, exec_gradient(x, n->weight),
              n->bias && n->bias->has_gradient, n->bias ? exec_gradient(x, n->bias) : NULL,
              exec_at(x, &n->scratch[PASS_WEIGHTS]));
    return 0;
}

static int conv_product(const struct exec *x, struct node *n, struct err *e)
{
    struct cpu_node *p = cpu_node_of(n);
    const struct buffer *scratch = &n->scratch[PASS_WEIGHTS];
    void *in = cpu_piece(x, scratch, &p->piece[PIECE_END + 2 * CONV_WEIGHTS + SRC_END]);
    void *out = cpu_piece(x, scratch, &p->piece[PIECE_END + 2 * CONV_WEIGHTS + DST_END]);
    const void *dy = exec_grad(x, n->out[0]);

    unfold_input(&p->unfold, exec_value(x, n->in[0]), in);
    unfold_gradient(&p->unfold, dy, out);
    if (n->bias)
        map_bias_sums(&p->unfold.dy, dy, n->bias->has_gradient, exec_gradient(x, n->bias),
                      cpu_piece(x, scratch, &p->piece[PIECE_BIAS]));
    return dnn_run(p->op[n->weight->has_gradient ? CONV_GRADIENT_ADD : CONV_GRADIENT],
                   (void *[DNN_ARGS]){[DNN_SRC] = out,
                                      [DNN_WEIGHTS] = in,
                                      [DNN_DST] = exec_gradient(x, n->weight),
                                      [DNN_SCRATCH] = cpu_piece(
                                          x, scratch, &p->piece[PIECE_LIBRARY + CONV_WEIGHTS])},
                   e);
}

static int conv_weights(const struct exec *x, struct node *n, struct err *e)
{
    struct cpu_node *p = cpu_node_of(n);

    if (!p->op[CONV_WEIGHTS])
        return p->op[CONV_GRADIENT] ? conv_product(x, n, e) : conv_few(x, n);
    const struct buffer *scratch = &n->scratch[PASS_WEIGHTS];
    void *gradient = cpu_piece(x, scratch, &p->piece[PIECE_GRADIENT]);
    void *bias = cpu_piece(x, scratch, &p->piece[PIECE_BIAS]);
    void *value = exec_value(x, n->in[0]), *dy = exec_grad(x, n->out[0]);
    void *more[DNN_ARGS] = {[DNN_DIFF_WEIGHTS] = gradient, [DNN_DIFF_BIAS] = bias};
    enum conv_op last = n->weight->has_gradient ? CONV_GRADIENT_ADD : CONV_GRADIENT;

    if (pass_run(x, n, CONV_WEIGHTS, transposed(n) ? dy : value, transposed(n) ? value : dy, more,
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
    return conv_run(x, n, data_op(n), exec_at(x, n->in_grad[0]), exec_grad(x, n->out[0]), e);
}

const struct dnn_op *cpu_conv_library(const struct node *n, enum pass pass)
{
    const struct cpu_node *p = n->priv;

    return pass == PASS_FORWARD   ? p->op[forward_op(n)]
           : pass == PASS_WEIGHTS ? p->op[p->op[CONV_WEIGHTS] ? CONV_WEIGHTS : CONV_GRADIENT]
           : pass == PASS_DATA    ? p->op[data_op(n)]
                                  : NULL;
}

const struct cpu_row cpu_conv = {conv_prepare,
                                 {conv_forward, cpu_epilogue_grad, conv_weights, conv_data}};
