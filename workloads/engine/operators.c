/* SPDX-License-Identifier: BSD-3-Clause */
/* Building graphs: every operator checks its inputs and knows its output's
 * shape. */
#include <config.h>

#include "workloads/engine/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- pieces ----------------------------------------------------------- */

struct tensor *node_simple(enum op op, int n_in, struct tensor *const *in,
                           const struct shape *shape, struct node **node)
{
    for (int i = 0; i < n_in; i++)
        if (!in[i])
            return NULL;
    struct graph *g = in[0]->graph;
    for (int i = 1; i < n_in; i++)
        if (in[i]->graph != g) {
            model_fail(g->model, "%s in graph '%s' takes a tensor of graph '%s'", op_name(op),
                       g->name, in[i]->graph->name);
            return NULL;
        }
    if (g->compiled) {
        model_fail(g->model, "%s is added to graph '%s' after it was compiled", op_name(op),
                   g->name);
        return NULL;
    }
    struct node *n = graph_node(g, op, n_in, in);
    if (node)
        *node = n;
    return n ? node_output(n, shape) : NULL;
}

/* "(4, 32, 64, 64)" for sentences. */
static const char *shape_text(const struct shape *s, char *buf, size_t size)
{
    int at = snprintf(buf, size, "(");

    for (int i = 0; i < s->n && at < (int)size; i++)
        at += snprintf(buf + at, size - (size_t)at, "%s%ld", i ? ", " : "", s->d[i]);
    if (at < (int)size)
        snprintf(buf + at, size - (size_t)at, ")");
    return buf;
}

struct tensor *node_refuse(struct tensor *x, enum op op, const char *why)
{
    char buf[80];

    model_fail(x->graph->model, "%s in graph '%s' cannot take an input of shape %s: %s",
               op_name(op), x->graph->name, shape_text(&x->shape, buf, sizeof buf), why);
    return NULL;
}

static bool same_shape(const struct shape *a, const struct shape *b)
{
    return a->n == b->n && !memcmp(a->d, b->d, (size_t)a->n * sizeof a->d[0]);
}

/* ---- operators -------------------------------------------------------- */

/* What is not said of dimension i. */
static void ones(struct window *w, int i)
{
    w->stride[i] = w->stride[i] ? w->stride[i] : 1;
    w->dilation[i] = w->dilation[i] ? w->dilation[i] : 1;
}

static bool is_negative(const struct window *w, int i)
{
    return w->stride[i] < 0 || w->dilation[i] < 0 || w->before[i] < 0 || w->after[i] < 0;
}

static bool is_pool(enum op op)
{
    return op == OP_MAXPOOL || op == OP_AVGPOOL;
}

/* Normalises the window to the tensor's 2 or 3 dimensions and gives the
 * output's shape but its channels. */
static int window_shape(struct tensor *x, enum op op, struct window *w, struct shape *out)
{
    int dims = x->shape.n - 2;

    if (dims < 2 || dims > 3)
        return node_refuse(x, op, "it must have a batch, channels and 2 or 3 dimensions"), -1;
    *out = x->shape;
    for (int i = 0; i < dims; i++) {
        ones(w, i);
        long span = (long)(w->kernel[i] - 1) * w->dilation[i] + 1;
        long room = x->shape.d[2 + i] + w->before[i] + w->after[i] - span;
        if (w->kernel[i] < 1 || is_negative(w, i))
            return node_refuse(x, op, "the window has a negative number in it"), -1;
        if (room < 0)
            return node_refuse(x, op, "the window is larger than the padded input"), -1;
        if (is_pool(op) && w->dilation[i] != 1)
            return node_refuse(x, op, "only a convolution's window can be dilated"), -1;
        if (is_pool(op) && (w->before[i] >= w->kernel[i] || w->after[i] >= w->kernel[i]))
            return node_refuse(x, op, "a window would see nothing but padding"), -1;
        out->d[2 + i] = room / w->stride[i] + 1;
    }
    return 0;
}

void node_name_by_weight(struct node *n, const struct param *w)
{
    const char *dot = strrchr(w->name, '.');
    int len = dot ? (int)(dot - w->name) : (int)strlen(w->name);

    snprintf(n->name, sizeof n->name, "%.*s", len, w->name);
}

int node_check_params(struct tensor *x, enum op op, const struct param *w, const struct param *b)
{
    long O = w->shape.d[op == OP_DECONV];

    if (w->model != x->graph->model || (b && b->model != w->model))
        return node_refuse(x, op, "its parameters belong to another model"), -1;
    if (b && (b->shape.n != 1 || b->shape.d[0] != O))
        return node_refuse(x, op, "the bias does not have one value per output channel"), -1;
    if (b && b->group != w->group)
        return node_refuse(x, op, "weight and bias are in different groups"), -1;
    return 0;
}

/* A node with a weight, a bias and a window, and the shape of its output. */
static struct tensor *windowed(enum op op, struct tensor *x, struct param *w, struct param *b,
                               const struct window *win, const struct shape *out)
{
    struct node *n;
    struct tensor *y = node_simple(op, 1, &x, out, &n);

    if (!y)
        return NULL;
    n->weight = w;
    n->bias = b;
    n->window = *win;
    node_name_by_weight(n, w);
    return y;
}

static bool is_kernel_of(const struct window *win, const struct param *w)
{
    for (int i = 2; i < w->shape.n; i++)
        if (w->shape.d[i] != win->kernel[i - 2])
            return false;
    return true;
}

struct tensor *op_conv(struct tensor *x, struct param *w, struct param *b, struct window win)
{
    struct shape out;

    if (!x || !w)
        return NULL;
    if (window_shape(x, OP_CONV, &win, &out) || node_check_params(x, OP_CONV, w, b))
        return NULL;
    if (w->shape.n != x->shape.n || w->shape.d[1] != x->shape.d[1])
        return node_refuse(x, OP_CONV, "the weight's input channels are not those of the input");
    if (!is_kernel_of(&win, w))
        return node_refuse(x, OP_CONV, "the window's kernel is not that of the weight");
    out.d[1] = w->shape.d[0];
    return windowed(OP_CONV, x, w, b, &win, &out);
}

struct tensor *op_depthwise(struct tensor *x, struct param *w, struct param *b, struct window win)
{
    struct shape out;

    if (!x || !w)
        return NULL;
    if (window_shape(x, OP_DEPTHWISE, &win, &out) || node_check_params(x, OP_DEPTHWISE, w, b))
        return NULL;
    if (w->shape.n != x->shape.n || w->shape.d[0] != x->shape.d[1] || w->shape.d[1] != 1)
        return node_refuse(x, OP_DEPTHWISE, "the weight must begin with its channels and 1");
    if (!is_kernel_of(&win, w))
        return node_refuse(x, OP_DEPTHWISE, "the window's kernel is not that of the weight");
    return windowed(OP_DEPTHWISE, x, w, b, &win, &out);
}

static int deconv_shape(struct tensor *x, const struct param *w, struct window *win,
                        struct shape *out)
{
    if (x->shape.n < 4 || w->shape.n != x->shape.n || w->shape.d[0] != x->shape.d[1])
        return node_refuse(
                   x, OP_DECONV,
                   "it must have 2 or 3 dimensions, and the channels that the weight begins "
                   "with"),
               -1;
    *out = x->shape;
    out->d[1] = w->shape.d[1];
    if (!is_kernel_of(win, w))
        return node_refuse(x, OP_DECONV, "the window's kernel is not that of the weight"), -1;
    for (int i = 0; i < x->shape.n - 2; i++) {
        ones(win, i);
        if (is_negative(win, i))
            return node_refuse(x, OP_DECONV, "the window has a negative number in it"), -1;
        if (win->dilation[i] != 1)
            return node_refuse(x, OP_DECONV, "only a convolution's window can be dilated"), -1;
        out->d[2 + i] = (x->shape.d[2 + i] - 1) * win->stride[i] + win->kernel[i] - win->before[i] -
                        win->after[i];
        if (out->d[2 + i] < 1)
            return node_refuse(x, OP_DECONV, "nothing is left of the output"), -1;
    }
    return 0;
}

struct tensor *op_deconv(struct tensor *x, struct param *w, struct param *b, struct window win)
{
    struct shape out;

    if (!x || !w)
        return NULL;
    if (deconv_shape(x, w, &win, &out) || node_check_params(x, OP_DECONV, w, b))
        return NULL;
    return windowed(OP_DECONV, x, w, b, &win, &out);
}

struct tensor *op_maxpool(struct tensor *x, struct window win)
{
    struct shape out;
    struct node *n;

    if (!x || window_shape(x, OP_MAXPOOL, &win, &out))
        return NULL;
    struct tensor *y = node_simple(OP_MAXPOOL, 1, &x, &out, &n);
    if (y)
        n->window = win;
    return y;
}

struct tensor *op_avgpool(struct tensor *x, struct window win)
{
    struct shape out;
    struct node *n;

    if (!x || window_shape(x, OP_AVGPOOL, &win, &out))
        return NULL;
    struct tensor *y = node_simple(OP_AVGPOOL, 1, &x, &out, &n);
    if (y)
        n->window = win;
    return y;
}

struct tensor *op_global_avgpool(struct tensor *x)
{
    struct window all = WINDOW(1, 1, 0);

    if (!x)
        return NULL;
    for (int i = 2; i < x->shape.n; i++)
        all.kernel[i - 2] = (int)x->shape.d[i];
    return op_flatten(op_avgpool(x, all));
}

struct tensor *op_upsample_by(struct tensor *x, const int factor[3], enum upsample how)
{
    struct window win = WINDOW(1, 1, 0);
    struct node *n;

    if (!x)
        return NULL;
    struct shape out = x->shape;
    bool good = out.n >= 4;
    for (int i = 0; i + 2 < out.n; i++) {
        good = good && factor[i] >= 1;
        win.stride[i] = factor[i];
        out.d[2 + i] *= factor[i];
    }
    if (!good)
        return node_refuse(x, OP_UPSAMPLE,
                           "it must have 2 or 3 dimensions and the factor must be 1 or more");
    struct tensor *y = node_simple(OP_UPSAMPLE, 1, &x, &out, &n);
    if (!y)
        return NULL;
    n->window = win;
    n->upsample = how;
    return y;
}

struct tensor *op_upsample(struct tensor *x, int factor, enum upsample how)
{
    return op_upsample_by(x, (const int[3]){factor, factor, factor}, how);
}

struct tensor *op_batch_norm(struct tensor *x, const struct batch_norm *b)
{
    struct node *n;

    if (!x || !b->gamma || !b->beta || !b->mean || !b->variance)
        return NULL;
    if (node_check_params(x, OP_BATCH_NORM, b->gamma, b->beta))
        return NULL;
    if (x->shape.n < 2 || x->shape.d[0] % x->graph->batch)
        return node_refuse(x, OP_BATCH_NORM, "it has no channels, or no rows of samples");
    size_t C = (size_t)x->shape.d[1];
    if (b->gamma->count != C || b->mean->count != C || b->variance->count != C)
        return node_refuse(x, OP_BATCH_NORM,
                           "parameters and states must have one value per channel");
    if (!(b->eps > 0) || !(b->momentum >= 0 && b->momentum <= 1))
        return node_refuse(x, OP_BATCH_NORM, "eps must be above 0, momentum between 0 and 1");
    struct tensor *y = node_simple(OP_BATCH_NORM, 1, &x, &x->shape, &n);
    if (!y)
        return NULL;
    n->weight = b->gamma;
    n->bias = b->beta;
    n->state[0] = b->mean;
    n->state[1] = b->variance;
    n->eps = b->eps;
    n->momentum = b->momentum;
    n->local = b->local;
    n->separate_act = false;
    n->sums.bytes = n->back.bytes = 2 * C * sizeof(double);
    node_name_by_weight(n, b->gamma);
    return y;
}

static struct tensor *activation(struct tensor *x, enum act act, float slope)
{
    struct node *n;

    if (!x)
        return NULL;
    if (!(slope >= 0 && slope <= 1))
        return node_refuse(x, OP_ACT, "the slope must lie between 0 and 1");
    struct tensor *y = node_simple(OP_ACT, 1, &x, &x->shape, &n);
    if (!y)
        return NULL;
    n->act = act;
    n->slope = slope;
    return y;
}

struct tensor *op_leaky_relu(struct tensor *x, float slope)
{
    return activation(x, ACT_LEAKY, slope);
}

struct tensor *op_relu(struct tensor *x)
{
    return activation(x, ACT_LEAKY, 0);
}

struct tensor *op_tanh(struct tensor *x)
{
    return activation(x, ACT_TANH, 0);
}

struct tensor *op_sigmoid(struct tensor *x)
{
    return activation(x, ACT_SIGMOID, 0);
}

struct tensor *op_scale(struct tensor *x, float factor)
{
    struct node *n;
    struct tensor *y = x ? node_simple(OP_SCALE, 1, &x, &x->shape, &n) : NULL;

    if (y)
        n->factor = factor;
    return y;
}

struct tensor *op_flatten(struct tensor *x)
{
    if (!x)
        return NULL;
    if (x->shape.n < 2)
        return node_refuse(x, OP_FLATTEN, "it has no samples");
    struct shape out = SHAPE(x->shape.d[0], (long)(shape_count(&x->shape)) / x->shape.d[0]);
    return node_simple(OP_FLATTEN, 1, &x, &out, NULL);
}

struct tensor *op_dense(struct tensor *x, struct param *w, struct param *b)
{
    struct node *n;

    if (!x || !w)
        return NULL;
    if (node_check_params(x, OP_DENSE, w, b))
        return NULL;
    if (x->shape.n != 2 || w->shape.n != 2 || w->shape.d[1] != x->shape.d[1])
        return node_refuse(x, OP_DENSE, "it must be N x I with the weight O x I");
    struct shape out = SHAPE(x->shape.d[0], w->shape.d[0]);
    struct tensor *y = node_simple(OP_DENSE, 1, &x, &out, &n);
    if (!y)
        return NULL;
    n->weight = w;
    n->bias = b;
    node_name_by_weight(n, w);
    return y;
}

struct tensor *op_dropout(struct tensor *x, float p)
{
    struct node *n;

    if (!x)
        return NULL;
    if (!(p >= 0 && p < 1))
        return node_refuse(x, OP_DROPOUT, "the probability must lie in [0, 1)");
    if (x->shape.d[0] != x->graph->batch)
        return node_refuse(x, OP_DROPOUT, "its first dimension is not the batch");
    struct tensor *y = node_simple(OP_DROPOUT, 1, &x, &x->shape, &n);
    if (!y)
        return NULL;
    n->factor = p;
    n->random_id = (uint32_t)x->graph->n_random++;
    return y;
}

static struct tensor *pair(enum op op, struct tensor *x, struct tensor *y)
{
    struct tensor *in[] = {x, y};

    if (!x || !y)
        return NULL;
    if (!same_shape(&x->shape, &y->shape))
        return node_refuse(x, op, "the other input has another shape");
    return node_simple(op, 2, in, &x->shape, NULL);
}

struct tensor *op_add(struct tensor *x, struct tensor *y)
{
    return pair(OP_ADD, x, y);
}

struct tensor *op_mul(struct tensor *x, struct tensor *y)
{
    return pair(OP_MUL, x, y);
}

struct tensor *op_concat(int n, struct tensor *const *x)
{
    if (n < 1 || n > NODE_MAX_IN || !x[0])
        return NULL;
    struct shape out = x[0]->shape;
    if (out.n < 2)
        return node_refuse(x[0], OP_CONCAT, "it has no channels");
    for (int i = 1; i < n; i++) {
        if (!x[i])
            return NULL;
        struct shape one = x[i]->shape;
        out.d[1] += one.d[1];
        one.d[1] = x[0]->shape.d[1];
        if (!same_shape(&one, &x[0]->shape))
            return node_refuse(x[i], OP_CONCAT,
                               "it differs from the first in more than its channels");
    }
    return node_simple(OP_CONCAT, n, x, &out, NULL);
}

struct tensor *op_slice(struct tensor *x, long from, long count)
{
    struct node *n;

    if (!x)
        return NULL;
    if (x->shape.n < 2 || from < 0 || count < 1 || from + count > x->shape.d[1])
        return node_refuse(x, OP_SLICE, "it does not have those channels");
    struct shape out = x->shape;
    out.d[1] = count;
    struct tensor *y = node_simple(OP_SLICE, 1, &x, &out, &n);
    if (y)
        n->from = from;
    return y;
}

struct tensor *op_stop_gradient(struct tensor *x)
{
    return x ? node_simple(OP_STOP, 1, &x, &x->shape, NULL) : NULL;
}

/* classes: of cross-entropy, 1 for the others. */
static struct tensor *measure_of(enum op op, struct tensor *x, struct tensor *t,
                                 struct tensor *weight, long classes, struct node **n)
{
    struct tensor *in[] = {x, t, weight};
    struct shape scalar = SHAPE(1);

    if (x->shape.d[0] % x->graph->batch)
        return node_refuse(x, op, "its first dimension is not a multiple of the batch");
    if (weight && shape_count(&weight->shape) != (size_t)x->shape.d[0] &&
        shape_count(&weight->shape) != shape_count(&x->shape) / (size_t)classes)
        return node_refuse(weight, op, "there must be one weight per row or one per element");
    struct tensor *y = node_simple(op, weight ? 3 : 2, in, &scalar, n);
    return graph_output(graph_keep_f32(y));
}

static struct tensor *point_loss(enum op op, struct tensor *x, struct tensor *t,
                                 struct tensor *weight, float factor)
{
    struct node *n;

    if (!x || !t)
        return NULL;
    if (!same_shape(&x->shape, &t->shape))
        return node_refuse(x, op, "the target has another shape");
    struct tensor *y = measure_of(op, x, t, weight, 1, &n);
    if (y)
        n->factor = factor;
    return y;
}

struct tensor *op_mse(struct tensor *x, struct tensor *t, struct tensor *weight)
{
    return point_loss(OP_MSE, x, t, weight, 0);
}

struct tensor *op_mae(struct tensor *x, struct tensor *t, struct tensor *weight)
{
    return point_loss(OP_MAE, x, t, weight, 0);
}

struct tensor *op_bce(struct tensor *x, struct tensor *t, struct tensor *weight)
{
    return point_loss(OP_BCE, x, t, weight, 0);
}

struct tensor *op_smooth_l1(struct tensor *x, struct tensor *t, struct tensor *weight, float beta)
{
    if (x && !(beta > 0))
        return node_refuse(x, OP_SMOOTH_L1, "beta must be above 0");
    return point_loss(OP_SMOOTH_L1, x, t, weight, beta);
}

/* The shape of x without dimension 1, or with a 1 there. */
static bool is_target_of(const struct shape *t, const struct shape *x)
{
    struct shape one = *x, none = *x;

    one.d[1] = 1;
    none.n--;
    memmove(none.d + 1, x->d + 2, (size_t)(x->n - 2) * sizeof x->d[0]);
    return same_shape(t, &one) || same_shape(t, &none);
}

struct tensor *op_cross_entropy(struct tensor *x, struct tensor *t, const float *of,
                                struct tensor *weight)
{
    struct node *n;

    if (!x || !t)
        return NULL;
    if (x->shape.n < 2 || !is_target_of(&t->shape, &x->shape))
        return node_refuse(x, OP_CROSS_ENTROPY,
                           "the target's shape is not that without the classes");
    long classes = x->shape.d[1];
    struct tensor *y = measure_of(OP_CROSS_ENTROPY, x, t, weight, classes, &n);
    if (!y || !of)
        return y;
    n->table = malloc((size_t)classes * sizeof *of);
    if (!n->table)
        return node_refuse(x, OP_CROSS_ENTROPY, "no memory for the weights of its classes");
    memcpy(n->table, of, (size_t)classes * sizeof *of);
    return y;
}

int op_host(struct graph *g, const struct host_node *h, struct tensor **out)
{
    if (!g)
        return -1;
    for (int i = 0; i < h->n_in; i++)
        if (!h->in[i])
            return -1;
    if (h->n_in > NODE_MAX_IN || h->n_out < 1 || h->n_out > NODE_MAX_OUT || g->compiled)
        return model_fail(g->model, "host node '%s' has %d inputs and %d outputs (at most %d, %d)",
                          h->name, h->n_in, h->n_out, NODE_MAX_IN, NODE_MAX_OUT);
    struct host_node *copy = malloc(sizeof *copy);
    struct node *n = copy ? graph_node(g, OP_HOST, h->n_in, h->in) : NULL;
    if (!n) {
        free(copy);
        return model_fail(g->model, "out of memory for host node '%s'", h->name);
    }
    *copy = *h;
    snprintf(n->name, sizeof n->name, "%s", h->name);
    copy->name = n->name;
    n->host = copy;
    for (int i = 0; i < h->n_out; i++) {
        out[i] = node_output(n, &h->out[i]);
        if (!out[i])
            return -1;
    }
    return 0;
}
