/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The back end for CPUs: oneDNN for what multiplies and for changes of layout,
 * own kernels for the rest.
 *
 * Layouts flow forward: a convolution takes its input as it lies, chooses how
 * its output lies, and everything up to the next convolution keeps that; so
 * there is no reorder between neighbouring layers. A gradient lies as its
 * value does. Weights are copied from the float32 masters into the layout of
 * each pass when the parameters have changed.
 *
 * Threads: see cpu_threads.h for where they run.
 */
#include <config.h>

#include "workloads/engine/cpu_threads.h"
#include "workloads/engine/kernel_map.h"
#include "workloads/engine/kernel_pool.h"
#include "workloads/engine/kernel_wgrad.h"
#include "workloads/engine/onednn.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#ifdef _OPENMP
#include <omp.h>
#endif

/* How a tensor lies: buffer.format. A value and its gradient share one. */
struct format {
    struct dnn_layout *layout;
    struct map map;
};

/* What a node keeps: node.priv. Operations that it does not need are NULL. */
enum { OPS_MAX = 8 };

struct piece {
    size_t at, bytes;
};

struct cpu_node {
    struct dnn_op *op[OPS_MAX];  /* meaning: by operator, see below */
    struct piece piece[OPS_MAX]; /* parts of own and scratch: likewise */
    struct pool pool;
    struct wgrad wgrad;
};

/* ---- formats ---------------------------------------------------------- */

static enum dnn_type type_of(enum tensor_dtype dtype)
{
    return dtype == TENSOR_BF16 ? DNN_BF16 : DNN_F32;
}

static struct dnn_layout *layout_create(const struct shape *s, enum tensor_dtype dtype,
                                        enum dnn_kind kind, struct err *e)
{
    return dnn_layout_create(type_of(dtype), s->n, s->d, kind, e);
}

static long block_of(enum dnn_kind kind, long C)
{
    switch (kind) {
    case DNN_LAST:
        return C;
    case DNN_BLOCK16:
        return 16;
    case DNN_BLOCK8:
        return 8;
    default:
        return 1;
    }
}

static struct map map_of(const struct shape *s, enum tensor_dtype dtype, enum dnn_kind kind)
{
    struct map m = {.N = s->d[0], .C = s->n > 1 ? s->d[1] : 1, .S = 1, .dtype = dtype};

    for (int i = 2; i < s->n; i++)
        m.S *= s->d[i];
    m.b = block_of(kind, m.C);
    m.B = (m.C + m.b - 1) / m.b;
    return m;
}

/* Whether the tensor has a format at all, or is row major by the rules. */
static bool has_format(const struct tensor *t)
{
    return !t->plain && t->shape.n > 2;
}

/* Gives the tensor that layout, which is copied. */
static int set_layout(struct tensor *t, const struct dnn_layout *l, struct err *e)
{
    struct format *f = calloc(1, sizeof *f);

    if (!f)
        return err_set(e, "out of memory for the layout of a tensor");
    f->layout = dnn_layout_copy(l, e);
    if (!f->layout) {
        free(f);
        return -1;
    }
    f->map = map_of(&t->shape, t->dtype, dnn_layout_kind(l));
    t->value.format = f;
    t->value.bytes = dnn_layout_bytes(l);
    if (t->needs_grad) {
        t->grad.format = f;
        t->grad.bytes = t->value.bytes;
    }
    return 0;
}

static int set_kind(struct tensor *t, enum dnn_kind kind, struct err *e)
{
    struct dnn_layout *l = layout_create(&t->shape, t->dtype, kind, e);
    int rc = l ? set_layout(t, l, e) : -1;

    dnn_layout_destroy(l);
    return rc;
}

/* An input lies as its first reader wants it; one that does not care gets it
 * row major. */
static int settle(struct tensor *t, struct err *e)
{
    return has_format(t) && !t->value.format ? set_kind(t, DNN_PLAIN, e) : 0;
}

static struct map tensor_map(const struct tensor *t)
{
    const struct format *f = t->value.format;

    return f ? f->map : map_of(&t->shape, t->dtype, DNN_PLAIN);
}

static enum dnn_kind tensor_kind(const struct tensor *t)
{
    const struct format *f = t->value.format;

    return f ? dnn_layout_kind(f->layout) : DNN_PLAIN;
}

/* A layout of the caller's own, of a tensor as it lies. */
static struct dnn_layout *tensor_layout(const struct tensor *t, struct err *e)
{
    const struct format *f = t->value.format;

    return f ? dnn_layout_copy(f->layout, e) : layout_create(&t->shape, t->dtype, DNN_PLAIN, e);
}

static size_t tensor_count(const struct tensor *t)
{
    struct map m = tensor_map(t);

    return map_count(&m);
}

/* The next piece of a buffer. */
static void piece_add(struct buffer *b, struct piece *p, size_t bytes)
{
    p->at = b->bytes;
    p->bytes = bytes;
    b->bytes += (bytes + 63) / 64 * 64;
}

static void *piece_of(const struct exec *x, const struct buffer *b, const struct piece *p)
{
    return (char *)exec_at(x, b) + p->at;
}

static struct cpu_node *priv_of(struct node *n)
{
    return n->priv;
}

/* ---- convolution ------------------------------------------------------ */

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
        in->value.format ? tensor_layout(in, e) : layout_create(&in->shape, in->dtype, DNN_ANY, e);
    l->dst = layout_create(&out->shape, out->dtype, DNN_ANY, e);
    l->weights = layout_create(w, in->dtype, DNN_ANY, e);
    l->plain = layout_create(w, TENSOR_F32, DNN_PLAIN, e);
    l->gradient = layout_create(w, TENSOR_F32, DNN_ANY, e);
    l->bias = layout_create(&bias, TENSOR_F32, DNN_PLAIN, e);
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
        .post = n->act == ACT_TANH    ? DNN_POST_TANH
                : n->act == ACT_LEAKY ? DNN_POST_LEAKY
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
    *l = other ? layout_create(&t->shape, t->dtype, DNN_PLAIN, e) : dnn_layout_copy(chosen, e);
    return !*l ? -1 : other;
}

/* Forward chooses the layouts of its ends. */
static int conv_prepare_forward(struct dnn *d, struct node *n, struct conv_layouts *l,
                                struct err *e)
{
    struct cpu_node *p = priv_of(n);
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
    if (!in->value.format && set_layout(in, l->src, e))
        return -1;
    return set_layout(out, l->dst, e);
}

/* Sizes of a window's ends in three dimensions; two are three with size 1. */
static void window_sizes(const struct node *n, long I[3], long Q[3], long K[3], long S[3],
                         long P[3])
{
    const struct shape *in = &n->in[0]->shape, *out = &n->out[0]->shape;
    int skip = 5 - in->n;

    for (int i = 0; i < 3; i++) {
        bool real = i >= skip;

        I[i] = real ? in->d[2 + i - skip] : 1;
        Q[i] = real ? out->d[2 + i - skip] : 1;
        K[i] = real ? n->window.kernel[i - skip] : 1;
        S[i] = real ? n->window.stride[i - skip] : 1;
        P[i] = real ? n->window.before[i - skip] : 0;
    }
}

/* Few channels in three dimensions: kernel_wgrad.h says why. */
static bool conv_prepare_few(struct node *n)
{
    struct wgrad *g = &priv_of(n)->wgrad;

    *g = (struct wgrad){.x = tensor_map(n->in[0]), .dy = tensor_map(n->out[0])};
    window_sizes(n, g->I, g->Q, g->K, g->S, g->P);
    if (n->in[0]->shape.n < 5 || !wgrad_suits(g))
        return false;
    n->scratch[PASS_WEIGHTS].bytes = wgrad_scratch_bytes(g);
    return true;
}

static int conv_prepare_weights(struct dnn *d, struct node *n, struct conv_layouts *l,
                                struct err *e)
{
    struct cpu_node *p = priv_of(n);
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
    piece_add(scratch, &p->piece[PIECE_LIBRARY], dnn_op_scratch(p->op[CONV_WEIGHTS]));
    piece_add(scratch, &p->piece[PIECE_GRADIENT], dnn_layout_bytes(made));
    piece_add(scratch, &p->piece[PIECE_BIAS], dnn_layout_bytes(l->bias));
    return 0;
}

static int conv_prepare_data(struct dnn *d, struct node *n, struct conv_layouts *l, struct err *e)
{
    struct cpu_node *p = priv_of(n);
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
    piece_add(&n->own, &p->piece[PIECE_DATA], dnn_layout_bytes(wanted));
    p->op[CONV_TO_DATA] = dnn_reorder(d, l->plain, wanted, false, e);
    return p->op[CONV_TO_DATA] ? 0 : -1;
}

static int conv_prepare(struct dnn *d, struct node *n, struct err *e)
{
    struct cpu_node *p = priv_of(n);
    struct conv_layouts l;
    int rc = -1;

    if (conv_layouts_init(&l, n, e) || conv_prepare_forward(d, n, &l, e))
        goto out;
    n->scratch[PASS_FORWARD].bytes = dnn_op_scratch(p->op[CONV_FORWARD]);
    const struct dnn_layout *w = dnn_op_layout(p->op[CONV_FORWARD], DNN_WEIGHTS);
    piece_add(&n->own, &p->piece[PIECE_FORWARD], dnn_layout_bytes(w));
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
    struct cpu_node *p = priv_of(n);
    float *master = exec_master(x, n->weight);

    for (int data = 0; data < 2; data++) {
        struct dnn_op *op = p->op[data ? CONV_TO_DATA : CONV_TO_FORWARD];
        void *to = piece_of(x, &n->own, &p->piece[data ? PIECE_DATA : PIECE_FORWARD]);

        if (op && dnn_run(op, (void *[DNN_ARGS]){[DNN_SRC] = master, [DNN_DST] = to}, e))
            return -1;
    }
    return 0;
}

static int conv_forward(const struct exec *x, struct node *n, struct err *e)
{
    struct cpu_node *p = priv_of(n);

    return dnn_run(p->op[CONV_FORWARD],
                   (void *[DNN_ARGS]){
                       [DNN_SRC] = exec_value(x, n->in[0]),
                       [DNN_WEIGHTS] = piece_of(x, &n->own, &p->piece[PIECE_FORWARD]),
                       [DNN_BIAS] = n->bias ? exec_master(x, n->bias) : NULL,
                       [DNN_DST] = exec_value(x, n->out[0]),
                       [DNN_SCRATCH] = exec_at(x, &n->scratch[PASS_FORWARD]),
                   },
                   e);
}

static int conv_weights(const struct exec *x, struct node *n, struct err *e)
{
    struct cpu_node *p = priv_of(n);
    const struct buffer *scratch = &n->scratch[PASS_WEIGHTS];
    void *gradient = piece_of(x, scratch, &p->piece[PIECE_GRADIENT]);
    float *bias = piece_of(x, scratch, &p->piece[PIECE_BIAS]);
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
                    [DNN_SCRATCH] = piece_of(x, scratch, &p->piece[PIECE_LIBRARY]),
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
    struct cpu_node *p = priv_of(n);

    return dnn_run(p->op[CONV_DATA],
                   (void *[DNN_ARGS]){
                       [DNN_DIFF_SRC] = exec_at(x, n->in_grad[0]),
                       [DNN_WEIGHTS] = piece_of(x, &n->own, &p->piece[PIECE_DATA]),
                       [DNN_DIFF_DST] = exec_grad(x, n->out[0]),
                       [DNN_SCRATCH] = exec_at(x, &n->scratch[PASS_DATA]),
                   },
                   e);
}

/* In place, the gradient behind the epilogue becomes that before it. */
static int epilogue_grad(const struct exec *x, struct node *n, struct err *e)
{
    struct tensor *t = n->out[0];

    (void)e;
    map_act_grad(n->act, n->slope, t->dtype, exec_value(x, t), exec_grad(x, t), exec_grad(x, t),
                 tensor_count(t));
    return 0;
}

/* ---- dense ------------------------------------------------------------ */

/* y = x w' + b: the weights O x I are read as I x O. In bfloat16 `own` is a
 * copy of them, in float32 the masters serve. */
enum dense_op { DENSE_FORWARD, DENSE_WEIGHTS, DENSE_WEIGHTS_ADD, DENSE_DATA, DENSE_COPY };

struct dense_layouts {
    struct dnn_layout *x, *y, *w, *wt, *yt, *dw, *b, *master;
};

static void dense_layouts_fini(struct dense_layouts *l)
{
    struct dnn_layout *all[] = {l->x, l->y, l->w, l->wt, l->yt, l->dw, l->b, l->master};

    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        dnn_layout_destroy(all[i]);
}

static int dense_layouts_init(struct dense_layouts *l, const struct node *n, struct err *e)
{
    enum tensor_dtype dt = n->out[0]->dtype;
    long N = n->in[0]->shape.d[0], I = n->in[0]->shape.d[1], O = n->out[0]->shape.d[1];

    *l = (struct dense_layouts){
        .x = layout_create(&SHAPE(N, I), dt, DNN_PLAIN, e),
        .y = layout_create(&SHAPE(N, O), dt, DNN_PLAIN, e),
        .w = layout_create(&SHAPE(O, I), dt, DNN_PLAIN, e),
        .wt = layout_create(&SHAPE(I, O), dt, DNN_TRANSPOSED, e),
        .yt = layout_create(&SHAPE(O, N), dt, DNN_TRANSPOSED, e),
        .dw = layout_create(&SHAPE(O, I), TENSOR_F32, DNN_PLAIN, e),
        .b = layout_create(&SHAPE(1, O), TENSOR_F32, DNN_PLAIN, e),
        .master = layout_create(&SHAPE(O, I), TENSOR_F32, DNN_PLAIN, e),
    };
    return l->x && l->y && l->w && l->wt && l->yt && l->dw && l->b && l->master ? 0 : -1;
}

static int dense_prepare(struct dnn *d, struct node *n, struct err *e)
{
    struct cpu_node *p = priv_of(n);
    struct dense_layouts l;
    int rc = -1;

    if (dense_layouts_init(&l, n, e))
        goto out;
    p->op[DENSE_FORWARD] = dnn_matmul(d, l.x, l.wt, n->bias ? l.b : NULL, l.y, false, e);
    if (!p->op[DENSE_FORWARD])
        goto out;
    n->scratch[PASS_FORWARD].bytes = dnn_op_scratch(p->op[DENSE_FORWARD]);
    for (int add = 0; add < 2 && n->weights_wanted; add++) {
        struct dnn_op *op = dnn_matmul(d, l.yt, l.x, NULL, l.dw, add, e);

        if (!op)
            goto out;
        p->op[DENSE_WEIGHTS + add] = op;
        if (dnn_op_scratch(op) > n->scratch[PASS_WEIGHTS].bytes)
            n->scratch[PASS_WEIGHTS].bytes = dnn_op_scratch(op);
    }
    if (n->in_grad[0]) {
        p->op[DENSE_DATA] = dnn_matmul(d, l.y, l.w, NULL, l.x, false, e);
        if (!p->op[DENSE_DATA])
            goto out;
        n->scratch[PASS_DATA].bytes = dnn_op_scratch(p->op[DENSE_DATA]);
    }
    if (n->out[0]->dtype == TENSOR_BF16) {
        n->own.bytes = dnn_layout_bytes(l.w);
        p->op[DENSE_COPY] = dnn_reorder(d, l.master, l.w, false, e);
        if (!p->op[DENSE_COPY])
            goto out;
    }
    rc = 0;
out:
    dense_layouts_fini(&l);
    return rc;
}

static int dense_refresh(const struct exec *x, struct node *n, struct err *e)
{
    return dnn_run(
        priv_of(n)->op[DENSE_COPY],
        (void *[DNN_ARGS]){[DNN_SRC] = exec_master(x, n->weight), [DNN_DST] = exec_at(x, &n->own)},
        e);
}

static void *dense_matrix(const struct exec *x, const struct node *n)
{
    return n->own.bytes ? exec_at(x, &n->own) : exec_master(x, n->weight);
}

static int dense_forward(const struct exec *x, struct node *n, struct err *e)
{
    struct tensor *y = n->out[0];
    int rc = dnn_run(priv_of(n)->op[DENSE_FORWARD],
                     (void *[DNN_ARGS]){
                         [DNN_SRC] = exec_value(x, n->in[0]),
                         [DNN_WEIGHTS] = dense_matrix(x, n),
                         [DNN_BIAS] = n->bias ? exec_master(x, n->bias) : NULL,
                         [DNN_DST] = exec_value(x, y),
                         [DNN_SCRATCH] = exec_at(x, &n->scratch[PASS_FORWARD]),
                     },
                     e);

    if (!rc && n->act != ACT_NONE)
        map_act(n->act, n->slope, y->dtype, exec_value(x, y), exec_value(x, y), tensor_count(y));
    return rc;
}

static int dense_weights(const struct exec *x, struct node *n, struct err *e)
{
    struct tensor *y = n->out[0];

    if (n->bias)
        map_bias_grad(y->dtype, exec_grad(x, y), y->shape.d[0], y->shape.d[1],
                      n->bias->has_gradient, exec_gradient(x, n->bias));
    return dnn_run(priv_of(n)->op[DENSE_WEIGHTS + n->weight->has_gradient],
                   (void *[DNN_ARGS]){
                       [DNN_SRC] = exec_grad(x, y),
                       [DNN_WEIGHTS] = exec_value(x, n->in[0]),
                       [DNN_DST] = exec_gradient(x, n->weight),
                       [DNN_SCRATCH] = exec_at(x, &n->scratch[PASS_WEIGHTS]),
                   },
                   e);
}

static int dense_data(const struct exec *x, struct node *n, struct err *e)
{
    return dnn_run(priv_of(n)->op[DENSE_DATA],
                   (void *[DNN_ARGS]){
                       [DNN_SRC] = exec_grad(x, n->out[0]),
                       [DNN_WEIGHTS] = dense_matrix(x, n),
                       [DNN_DST] = exec_at(x, n->in_grad[0]),
                       [DNN_SCRATCH] = exec_at(x, &n->scratch[PASS_DATA]),
                   },
                   e);
}

/* ---- max-pool --------------------------------------------------------- */

static int pool_prepare(struct dnn *d, struct node *n, struct err *e)
{
    struct pool *p = &priv_of(n)->pool;
    struct tensor *in = n->in[0], *out = n->out[0];

    (void)d;
    if (set_kind(out, tensor_kind(in), e))
        return -1;
    *p = (struct pool){
        .in = tensor_map(in), .out = tensor_map(out), .act = n->act, .slope = n->slope};
    window_sizes(n, p->I, p->Q, p->K, p->S, p->P);
    if (p->K[0] * p->K[1] * p->K[2] > UINT16_MAX)
        return err_set(e, "%s: a pooling window of %ld values is larger than the engine's %d",
                       n->name, p->K[0] * p->K[1] * p->K[2], UINT16_MAX);
    n->separate_act = false;
    n->work.bytes = pool_work_bytes(p);
    return 0;
}

static int pool_run_forward(const struct exec *x, struct node *n, struct err *e)
{
    (void)e;
    pool_forward(&priv_of(n)->pool, exec_value(x, n->in[0]), exec_value(x, n->out[0]),
                 exec_at(x, &n->work));
    return 0;
}

static int pool_run_data(const struct exec *x, struct node *n, struct err *e)
{
    (void)e;
    pool_backward(&priv_of(n)->pool, exec_value(x, n->out[0]), exec_grad(x, n->out[0]),
                  exec_at(x, &n->work), exec_at(x, n->in_grad[0]));
    return 0;
}

/* ---- value by value --------------------------------------------------- */

/* The output lies as the input does. */
static int same_prepare(struct dnn *d, struct node *n, struct err *e)
{
    (void)d;
    return has_format(n->out[0]) ? set_kind(n->out[0], tensor_kind(n->in[0]), e) : 0;
}

static int act_forward(const struct exec *x, struct node *n, struct err *e)
{
    (void)e;
    map_act(n->act, n->slope, n->out[0]->dtype, exec_value(x, n->in[0]), exec_value(x, n->out[0]),
            tensor_count(n->out[0]));
    return 0;
}

static int act_data(const struct exec *x, struct node *n, struct err *e)
{
    (void)e;
    map_act_grad(n->act, n->slope, n->out[0]->dtype, exec_value(x, n->out[0]),
                 exec_grad(x, n->out[0]), exec_at(x, n->in_grad[0]), tensor_count(n->out[0]));
    return 0;
}

static int scale_forward(const struct exec *x, struct node *n, struct err *e)
{
    (void)e;
    map_axpy(n->factor, n->out[0]->dtype, exec_value(x, n->in[0]), NULL, exec_value(x, n->out[0]),
             tensor_count(n->out[0]));
    return 0;
}

static int scale_data(const struct exec *x, struct node *n, struct err *e)
{
    (void)e;
    map_axpy(n->factor, n->out[0]->dtype, exec_grad(x, n->out[0]), NULL, exec_at(x, n->in_grad[0]),
             tensor_count(n->out[0]));
    return 0;
}

static int dropout_forward(const struct exec *x, struct node *n, struct err *e)
{
    struct map m = tensor_map(n->out[0]);

    (void)e;
    map_dropout(&m, exec_step(x), n, x->train, exec_value(x, n->in[0]), exec_value(x, n->out[0]));
    return 0;
}

static int dropout_data(const struct exec *x, struct node *n, struct err *e)
{
    struct map m = tensor_map(n->out[0]);

    (void)e;
    map_dropout(&m, exec_step(x), n, x->train, exec_grad(x, n->out[0]), exec_at(x, n->in_grad[0]));
    return 0;
}

/* ---- sum -------------------------------------------------------------- */

/* The second input is brought into the layout of the first where it lies
 * otherwise. */
enum add_op { ADD_FORWARD, ADD_DATA };

static int add_prepare(struct dnn *d, struct node *n, struct err *e)
{
    struct cpu_node *p = priv_of(n);
    struct dnn_layout *first = NULL, *second = NULL;
    int rc = -1;

    if (same_prepare(d, n, e))
        return -1;
    first = tensor_layout(n->in[0], e);
    second = tensor_layout(n->in[1], e);
    if (!first || !second)
        goto out;
    if (!dnn_layout_equal(first, second)) {
        p->op[ADD_FORWARD] = dnn_reorder(d, second, first, false, e);
        p->op[ADD_DATA] = dnn_reorder(d, first, second, false, e);
        if (!p->op[ADD_FORWARD] || !p->op[ADD_DATA])
            goto out;
        n->scratch[PASS_FORWARD].bytes = dnn_layout_bytes(first);
        n->in_place_grad = false;
    }
    rc = 0;
out:
    dnn_layout_destroy(first);
    dnn_layout_destroy(second);
    return rc;
}

static int add_forward(const struct exec *x, struct node *n, struct err *e)
{
    struct dnn_op *op = priv_of(n)->op[ADD_FORWARD];
    void *second = exec_value(x, n->in[1]), *scratch = exec_at(x, &n->scratch[PASS_FORWARD]);

    if (op && dnn_run(op, (void *[DNN_ARGS]){[DNN_SRC] = second, [DNN_DST] = scratch}, e))
        return -1;
    map_axpy(1, n->out[0]->dtype, exec_value(x, n->in[0]), op ? scratch : second,
             exec_value(x, n->out[0]), tensor_count(n->out[0]));
    return 0;
}

static int add_data(const struct exec *x, struct node *n, struct err *e)
{
    struct dnn_op *op = priv_of(n)->op[ADD_DATA];
    void *dy = exec_grad(x, n->out[0]);

    if (n->in_grad[0])
        memmove(exec_at(x, n->in_grad[0]), dy, n->out[0]->grad.bytes);
    if (!n->in_grad[1])
        return 0;
    void *to = exec_at(x, n->in_grad[1]);
    if (op)
        return dnn_run(op, (void *[DNN_ARGS]){[DNN_SRC] = dy, [DNN_DST] = to}, e);
    memmove(to, dy, n->out[0]->grad.bytes);
    return 0;
}

/* ---- channels --------------------------------------------------------- */

static int concat_forward(const struct exec *x, struct node *n, struct err *e)
{
    struct map out = tensor_map(n->out[0]);
    long at = 0;

    (void)e;
    for (int k = 0; k < n->n_in; k++) {
        struct map in = tensor_map(n->in[k]);

        map_channels(&in, exec_value(x, n->in[k]), 0, &out, exec_value(x, n->out[0]), at, in.C);
        at += in.C;
    }
    map_pad(&out, exec_value(x, n->out[0]));
    return 0;
}

static int concat_data(const struct exec *x, struct node *n, struct err *e)
{
    struct map out = tensor_map(n->out[0]);
    long at = 0;

    (void)e;
    for (int k = 0; k < n->n_in; k++) {
        struct map in = tensor_map(n->in[k]);

        if (n->in_grad[k]) {
            map_channels(&out, exec_grad(x, n->out[0]), at, &in, exec_at(x, n->in_grad[k]), 0,
                         in.C);
            map_pad(&in, exec_at(x, n->in_grad[k]));
        }
        at += in.C;
    }
    return 0;
}

static int slice_forward(const struct exec *x, struct node *n, struct err *e)
{
    struct map in = tensor_map(n->in[0]), out = tensor_map(n->out[0]);

    (void)e;
    map_channels(&in, exec_value(x, n->in[0]), n->from, &out, exec_value(x, n->out[0]), 0, out.C);
    map_pad(&out, exec_value(x, n->out[0]));
    return 0;
}

static int slice_data(const struct exec *x, struct node *n, struct err *e)
{
    struct map in = tensor_map(n->in[0]), out = tensor_map(n->out[0]);
    void *to = exec_at(x, n->in_grad[0]);

    (void)e;
    memset(to, 0, map_count(&in) * dtype_bytes(in.dtype));
    map_channels(&out, exec_grad(x, n->out[0]), 0, &in, to, n->from, out.C);
    return 0;
}

/* ---- casts ------------------------------------------------------------ */

/* Of type, of layout, or both. Flattening is one: row major from the input's
 * layout, or nothing at all when that is row major. */
enum cast_op { CAST_FORWARD, CAST_DATA };

static int cast_make(struct dnn *d, struct node *n, struct dnn_layout *to, struct err *e)
{
    struct cpu_node *p = priv_of(n);
    struct dnn_layout *from = tensor_layout(n->in[0], e);

    if (from && to)
        p->op[CAST_FORWARD] = dnn_reorder(d, from, to, false, e);
    if (p->op[CAST_FORWARD] && n->in_grad[0])
        p->op[CAST_DATA] = dnn_reorder(d, to, from, false, e);
    dnn_layout_destroy(from);
    dnn_layout_destroy(to);
    return p->op[CAST_FORWARD] && (!n->in_grad[0] || p->op[CAST_DATA]) ? 0 : -1;
}

static int flatten_prepare(struct dnn *d, struct node *n, struct err *e)
{
    n->alias = tensor_kind(n->in[0]) == DNN_PLAIN;
    if (n->alias)
        return 0;
    return cast_make(d, n, layout_create(&n->in[0]->shape, n->out[0]->dtype, DNN_PLAIN, e), e);
}

static int cast_prepare(struct dnn *d, struct node *n, struct err *e)
{
    if (same_prepare(d, n, e))
        return -1;
    return cast_make(d, n, tensor_layout(n->out[0], e), e);
}

static int cast_forward(const struct exec *x, struct node *n, struct err *e)
{
    return dnn_run(priv_of(n)->op[CAST_FORWARD],
                   (void *[DNN_ARGS]){
                       [DNN_SRC] = exec_value(x, n->in[0]), [DNN_DST] = exec_value(x, n->out[0])},
                   e);
}

static int cast_data(const struct exec *x, struct node *n, struct err *e)
{
    return dnn_run(priv_of(n)->op[CAST_DATA],
                   (void *[DNN_ARGS]){
                       [DNN_SRC] = exec_grad(x, n->out[0]), [DNN_DST] = exec_at(x, n->in_grad[0])},
                   e);
}

/* ---- losses ----------------------------------------------------------- */

/* Weight of row r: 0 past the step's real samples. */
static double row_weight(const struct exec *x, const struct node *n, long r, long rows)
{
    if (r / (rows / x->batch) >= exec_step(x)->rows)
        return 0;
    return n->n_in > 2 ? (double)((const float *)exec_value(x, n->in[2]))[r] : 1;
}

static double loss_divisor(const struct exec *x, const struct shape *s)
{
    return (double)exec_step(x)->global_rows * (double)shape_count(s) / (double)x->batch;
}

/* Rows in double and in order, whatever the number of threads. */
static int loss_forward(const struct exec *x, struct node *n, struct err *e)
{
    const struct shape *s = &n->in[0]->shape;
    const float *a = exec_value(x, n->in[0]), *t = exec_value(x, n->in[1]);
    long per_row = (long)shape_count(s) / s->d[0];
    double sum = 0;

    (void)e;
    for (long r = 0; r < s->d[0]; r++) {
        double w = row_weight(x, n, r, s->d[0]), row = 0;

        for (long i = r * per_row; i < (r + 1) * per_row && w != 0; i++) {
            double diff = (double)a[i] - (double)t[i];

            row += n->op == OP_MSE ? diff * diff : fabs(diff);
        }
        sum += w != 0 ? w * row : 0;
    }
    *(float *)exec_value(x, n->out[0]) = (float)(sum / loss_divisor(x, s));
    return 0;
}

static int mse_data(const struct exec *x, struct node *n, struct err *e)
{
    const struct shape *s = &n->in[0]->shape;
    const float *a = exec_value(x, n->in[0]), *t = exec_value(x, n->in[1]);
    float *da = exec_at(x, n->in_grad[0]);
    long per_row = (long)shape_count(s) / s->d[0];
    double scale = 2 * (double)*(const float *)exec_grad(x, n->out[0]) / loss_divisor(x, s);

    (void)e;
#pragma omp parallel for schedule(static)
    for (long r = 0; r < s->d[0]; r++) {
        double w = row_weight(x, n, r, s->d[0]);

        for (long i = r * per_row; i < (r + 1) * per_row; i++)
            da[i] = w != 0 ? (float)(scale * w * ((double)a[i] - (double)t[i])) : 0;
    }
    return 0;
}

/* ---- the table -------------------------------------------------------- */

typedef int prepare_fn(struct dnn *d, struct node *n, struct err *e);
typedef int run_fn(const struct exec *x, struct node *n, struct err *e);

static int nothing_prepare(struct dnn *d, struct node *n, struct err *e)
{
    (void)d, (void)n, (void)e;
    return 0;
}

static const struct row {
    prepare_fn *prepare;
    int (*refresh)(const struct exec *x, struct node *n, struct err *e);
    run_fn *run[PASS_COUNT];
} rows[OP_COUNT] = {
    [OP_INPUT] = {nothing_prepare, NULL, {NULL}},
    [OP_CONV] = {conv_prepare,
                 conv_refresh,
                 {conv_forward, epilogue_grad, conv_weights, conv_data}},
    [OP_MAXPOOL] = {pool_prepare, NULL, {pool_run_forward, NULL, NULL, pool_run_data}},
    [OP_ACT] = {same_prepare, NULL, {act_forward, NULL, NULL, act_data}},
    [OP_SCALE] = {same_prepare, NULL, {scale_forward, NULL, NULL, scale_data}},
    [OP_FLATTEN] = {flatten_prepare, NULL, {cast_forward, NULL, NULL, cast_data}},
    [OP_DENSE] = {dense_prepare,
                  dense_refresh,
                  {dense_forward, epilogue_grad, dense_weights, dense_data}},
    [OP_DROPOUT] = {same_prepare, NULL, {dropout_forward, NULL, NULL, dropout_data}},
    [OP_ADD] = {add_prepare, NULL, {add_forward, NULL, NULL, add_data}},
    [OP_CONCAT] = {same_prepare, NULL, {concat_forward, NULL, NULL, concat_data}},
    [OP_SLICE] = {same_prepare, NULL, {slice_forward, NULL, NULL, slice_data}},
    [OP_STOP] = {same_prepare, NULL, {NULL}},
    [OP_MSE] = {nothing_prepare, NULL, {loss_forward, NULL, NULL, mse_data}},
    [OP_MAE] = {nothing_prepare, NULL, {loss_forward, NULL, NULL, NULL}},
    [OP_CAST] = {cast_prepare, NULL, {cast_forward, NULL, NULL, cast_data}},
    [OP_HOST] = {nothing_prepare, NULL, {NULL}},
};

static const char *cpu_refuses(enum tensor_dtype compute)
{
    __builtin_cpu_init();
    if (compute == TENSOR_BF16 && !__builtin_cpu_supports("avx512bf16"))
        return "this CPU has no bfloat16 instructions (AVX512_BF16): dtype=f32 is faster and "
               "more precise here";
    return NULL;
}

static int cpu_open(struct model *m, void **context, struct err *e)
{
    (void)m;
    cpu_threads_place();
    *context = dnn_open(e);
    return *context ? 0 : -1;
}

static void cpu_close(void *context)
{
    dnn_close(context);
}

static bool cpu_fuses(const struct node *n, enum act act, float slope)
{
    (void)n, (void)slope;
    return act == ACT_LEAKY || act == ACT_TANH;
}

static int prepare_node(struct dnn *d, struct node *n, struct err *e)
{
    n->priv = calloc(1, sizeof(struct cpu_node));
    if (!n->priv)
        return err_set(e, "out of memory for operator '%s'", n->name);
    for (int i = 0; i < n->n_in && n->op != OP_CONV; i++)
        if (settle(n->in[i], e))
            return -1;
    return rows[n->op].prepare(d, n, e);
}

static int cpu_prepare(struct graph *g, void *context, struct err *e)
{
    struct graph_view v = graph_view(g);

    for (int i = 0; i < v.n_nodes; i++)
        if (prepare_node(context, v.nodes[i], e))
            return err_prefix(e, "%s", v.nodes[i]->name);
    for (int i = 0; i < v.n_tensors; i++)
        if (settle(v.tensors[i], e))
            return -1;
    return 0;
}

static void cpu_release(struct graph *g, void *context)
{
    struct graph_view v = graph_view(g);

    (void)context;
    for (int i = 0; i < v.n_nodes; i++) {
        struct cpu_node *p = v.nodes[i]->priv;

        for (int k = 0; p && k < OPS_MAX; k++)
            dnn_op_destroy(p->op[k]);
        free(p);
        v.nodes[i]->priv = NULL;
    }
    for (int i = 0; i < v.n_tensors; i++) {
        struct format *f = v.tensors[i]->value.format;

        if (f)
            dnn_layout_destroy(f->layout);
        free(f);
        v.tensors[i]->value.format = v.tensors[i]->grad.format = NULL;
    }
}

static int cpu_refresh(const struct exec *x, struct node *n, struct err *e)
{
    return rows[n->op].refresh(x, n, e);
}

static int cpu_run(const struct exec *x, struct node *n, enum pass pass, struct err *e)
{
    run_fn *run = rows[n->op].run[pass];

    if (!run)
        return err_set(e, "the cpu engine cannot run pass %d of %s", (int)pass, op_name(n->op));
    return run(x, n, e);
}

static int cpu_accumulate(const struct exec *x, struct tensor *t, const struct buffer *dst,
                          const struct buffer *src, struct err *e)
{
    (void)e;
    map_axpy(1, t->dtype, exec_at(x, dst), exec_at(x, src), exec_at(x, dst), tensor_count(t));
    return 0;
}

static int cpu_feed(const struct exec *x, struct tensor *t, const float *data, long n_rows,
                    struct err *e)
{
    struct map m = tensor_map(t);

    (void)e;
    map_feed(&m, exec_value(x, t), data, t->layout, n_rows);
    return 0;
}

const struct backend engine_backend_cpu = {
    .name = "cpu",
    .refuses = cpu_refuses,
    .open = cpu_open,
    .close = cpu_close,
    .fuses = cpu_fuses,
    .prepare = cpu_prepare,
    .release = cpu_release,
    .refresh = cpu_refresh,
    .run = cpu_run,
    .accumulate = cpu_accumulate,
    .feed = cpu_feed,
};
