/* SPDX-License-Identifier: BSD-3-Clause */
/* Building graphs: every operator checks its inputs and knows its output's
 * shape. What an operator is to the compiler stands in one table. */
#include <config.h>

#include "workloads/engine/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct op_row op_rows[OP_COUNT] = {
    [OP_INPUT] = {.name = "input"},
    [OP_CONV] = {.name = "conv", .multiplies = true, .fuses = true, .counts = true},
    [OP_MAXPOOL] = {.name = "maxpool", .fuses = true},
    [OP_AVGPOOL] = {.name = "avgpool"},
    [OP_UPSAMPLE] = {.name = "upsample"},
    [OP_BATCH_NORM] = {.name = "batch_norm", .fuses = true, .needs_in = true, .sums = true},
    [OP_ACT] = {.name = "act", .needs_out = true, .in_place = true, .in_place_grad = true},
    [OP_SCALE] = {.name = "scale", .in_place = true, .in_place_grad = true},
    [OP_FLATTEN] = {.name = "flatten", .alias = true},
    [OP_DENSE] = {.name = "dense", .multiplies = true, .fuses = true, .counts = true},
    [OP_DROPOUT] = {.name = "dropout", .in_place = true, .in_place_grad = true},
    [OP_ADD] = {.name = "add", .in_place = true, .in_place_grad = true},
    [OP_MUL] = {.name = "mul", .needs_in = true},
    [OP_CONCAT] = {.name = "concat"},
    [OP_SLICE] = {.name = "slice"},
    [OP_STOP] = {.name = "stop", .alias = true, .grads = GRADS_NONE},
    [OP_MSE] = {.name = "mse", .needs_in = true, .island = true, .grads = GRADS_FIRST},
    [OP_MAE] = {.name = "mae", .island = true, .grads = GRADS_NONE},
    [OP_BCE] = {.name = "bce", .needs_in = true, .island = true, .grads = GRADS_FIRST},
    [OP_SMOOTH_L1] = {.name = "smooth_l1", .needs_in = true, .island = true, .grads = GRADS_FIRST},
    [OP_CROSS_ENTROPY] = {.name = "cross_entropy",
                          .needs_in = true,
                          .island = true,
                          .grads = GRADS_FIRST},
    [OP_CAST] = {.name = "cast"},
    [OP_HOST] = {.name = "host", .needs_in = true, .island = true, .grads = GRADS_HOST},
};

const char *op_name(enum op op)
{
    return op_rows[op].name;
}

/* ---- pieces ----------------------------------------------------------- */

struct graph *graph_create(struct model *m, const char *name, long batch)
{
    if (!m)
        return NULL;
    if (batch < 1 || m->started) {
        model_fail(m, "graph '%s' has a batch of %ld or comes after engine_start()", name, batch);
        return NULL;
    }
    struct graph *g = model_append(m, (void ***)&m->graphs, &m->n_graphs, sizeof *g);
    if (!g)
        return NULL;
    g->model = m;
    g->batch = batch;
    snprintf(g->name, sizeof g->name, "%s", name);
    return g;
}

static void free_all(void **items, int n)
{
    for (int i = 0; i < n; i++)
        free(items[i]);
    free(items);
}

void graph_release(struct graph *g)
{
    if (g->model->backend->release)
        g->model->backend->release(g, g->model->context);
}

void graph_destroy(struct graph *g)
{
    if (!g)
        return;
    graph_release(g);
    for (int i = 0; i < g->n_nodes; i++) {
        free((void *)g->nodes[i]->host);
        free(g->nodes[i]->table);
    }
    free_all((void **)g->nodes, g->n_nodes);
    free_all((void **)g->tensors, g->n_tensors);
    free_all((void **)g->temps, g->n_temps);
    free(g->instructions);
    free(g->slots);
    free(g->parent);
    free(g->bucket_ready);
    free(g);
}

struct graph_view graph_view(const struct graph *g)
{
    return (struct graph_view){
        .n_nodes = g->n_nodes,
        .n_tensors = g->n_tensors,
        .nodes = g->nodes,
        .tensors = g->tensors,
        .batch = g->batch,
        .backward = g->loss != NULL,
        .threads = g->model->config.threads,
    };
}

struct node *graph_node(struct graph *g, enum op op, int n_in, struct tensor *const *in)
{
    struct node *n = model_append(g->model, (void ***)&g->nodes, &g->n_nodes, sizeof *n);

    if (!n)
        return NULL;
    n->op = op;
    n->id = g->n_nodes - 1;
    n->graph = g;
    n->n_in = n_in;
    for (int i = 0; i < n_in; i++) {
        n->in[i] = in[i];
        in[i]->n_uses++;
    }
    n->needs_in = op_rows[op].needs_in;
    n->needs_out = op_rows[op].needs_out;
    n->in_place = op_rows[op].in_place;
    n->in_place_grad = op_rows[op].in_place_grad;
    n->alias = op_rows[op].alias;
    n->separate_act = true;
    snprintf(n->name, sizeof n->name, "%s%d", op_rows[op].name, n->id);
    return n;
}

struct tensor *node_output(struct node *n, const struct shape *shape)
{
    struct graph *g = n->graph;
    struct tensor *t = model_append(g->model, (void ***)&g->tensors, &g->n_tensors, sizeof *t);

    if (!t)
        return NULL;
    t->graph = g;
    t->id = g->n_tensors - 1;
    t->shape = *shape;
    t->producer = n;
    n->out[n->n_out++] = t;
    return t;
}

/* A node with one output; NULL input: failed before. */
static struct tensor *simple(enum op op, int n_in, struct tensor *const *in,
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

static struct tensor *refuse(struct tensor *x, enum op op, const char *why)
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

/* ---- inputs and marks ------------------------------------------------- */

struct tensor *graph_input(struct graph *g, const char *name, struct shape sample,
                           enum host_layout layout)
{
    struct shape whole = {.n = sample.n + 1};

    if (!g)
        return NULL;
    if (sample.n < 1 || sample.n >= SHAPE_MAX) {
        model_fail(g->model, "input '%s' has %d dimensions besides the batch", name, sample.n);
        return NULL;
    }
    whole.d[0] = g->batch;
    memcpy(whole.d + 1, sample.d, (size_t)sample.n * sizeof sample.d[0]);
    struct node *n = graph_node(g, OP_INPUT, 0, NULL);
    if (!n)
        return NULL;
    snprintf(n->name, sizeof n->name, "%s", name);
    struct tensor *t = node_output(n, &whole);
    if (t)
        t->layout = layout;
    return t;
}

void graph_freeze(struct graph *g, int group)
{
    if (!g)
        return;
    if (group < 0 || group >= g->model->n_groups)
        model_fail(g->model, "graph '%s' freezes group %d, which does not exist", g->name, group);
    else
        g->frozen[group] = true;
}

struct tensor *graph_output(struct tensor *t)
{
    if (t)
        t->output = true;
    return t;
}

struct tensor *graph_want_grad(struct tensor *t)
{
    if (t && t->producer->op != OP_INPUT) {
        model_fail(t->graph->model, "only the gradient of an input can be wanted, not that of '%s'",
                   t->producer->name);
        return NULL;
    }
    if (t)
        t->want_grad = true;
    return t;
}

struct tensor *graph_keep_f32(struct tensor *t)
{
    if (t)
        t->f32 = true;
    return t;
}

struct tensor *graph_recompute(struct tensor *t)
{
    if (t)
        t->recompute = true;
    return t;
}

struct shape tensor_shape(const struct tensor *t)
{
    return t->shape;
}

/* ---- operators -------------------------------------------------------- */

/* Normalises the window to the tensor's 2 or 3 dimensions and gives the
 * output's shape but its channels. */
static int window_shape(struct tensor *x, enum op op, struct window *w, struct shape *out)
{
    int dims = x->shape.n - 2;

    if (dims < 2 || dims > 3)
        return refuse(x, op, "it must have a batch, channels and 2 or 3 dimensions"), -1;
    *out = x->shape;
    for (int i = 0; i < dims; i++) {
        if (!w->stride[i])
            w->stride[i] = 1;
        long room = x->shape.d[2 + i] + w->before[i] + w->after[i] - w->kernel[i];
        if (w->kernel[i] < 1 || w->stride[i] < 0 || w->before[i] < 0 || w->after[i] < 0)
            return refuse(x, op, "the window has a negative number in it"), -1;
        if (room < 0)
            return refuse(x, op, "the window is larger than the padded input"), -1;
        if (op != OP_CONV && (w->before[i] >= w->kernel[i] || w->after[i] >= w->kernel[i]))
            return refuse(x, op, "a window would see nothing but padding"), -1;
        out->d[2 + i] = room / w->stride[i] + 1;
    }
    return 0;
}

static void name_by_weight(struct node *n, const struct param *w)
{
    const char *dot = strrchr(w->name, '.');
    int len = dot ? (int)(dot - w->name) : (int)strlen(w->name);

    snprintf(n->name, sizeof n->name, "%.*s", len, w->name);
}

/* Weight O I ..., bias O: what every node with parameters asks. */
static int check_params(struct tensor *x, enum op op, const struct param *w, const struct param *b)
{
    if (w->model != x->graph->model || (b && b->model != w->model))
        return refuse(x, op, "its parameters belong to another model"), -1;
    if (b && (b->shape.n != 1 || b->shape.d[0] != w->shape.d[0]))
        return refuse(x, op, "the bias does not have one value per output channel"), -1;
    if (b && b->group != w->group)
        return refuse(x, op, "weight and bias are in different groups"), -1;
    return 0;
}

struct tensor *op_conv(struct tensor *x, struct param *w, struct param *b, struct window win)
{
    struct shape out;
    struct node *n;

    if (!x || !w)
        return NULL;
    if (window_shape(x, OP_CONV, &win, &out) || check_params(x, OP_CONV, w, b))
        return NULL;
    if (w->shape.n != x->shape.n || w->shape.d[1] != x->shape.d[1])
        return refuse(x, OP_CONV, "the weight's input channels are not those of the input");
    for (int i = 2; i < w->shape.n; i++)
        if (w->shape.d[i] != win.kernel[i - 2])
            return refuse(x, OP_CONV, "the window's kernel is not that of the weight");
    out.d[1] = w->shape.d[0];
    struct tensor *y = simple(OP_CONV, 1, &x, &out, &n);
    if (!y)
        return NULL;
    n->weight = w;
    n->bias = b;
    n->window = win;
    name_by_weight(n, w);
    return y;
}

struct tensor *op_maxpool(struct tensor *x, struct window win)
{
    struct shape out;
    struct node *n;

    if (!x || window_shape(x, OP_MAXPOOL, &win, &out))
        return NULL;
    struct tensor *y = simple(OP_MAXPOOL, 1, &x, &out, &n);
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
    struct tensor *y = simple(OP_AVGPOOL, 1, &x, &out, &n);
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

struct tensor *op_upsample(struct tensor *x, int factor, enum upsample how)
{
    struct node *n;

    if (!x)
        return NULL;
    if (x->shape.n < 4 || factor < 1)
        return refuse(x, OP_UPSAMPLE,
                      "it must have 2 or 3 dimensions and the factor must be 1 or more");
    struct shape out = x->shape;
    for (int i = 2; i < out.n; i++)
        out.d[i] *= factor;
    struct tensor *y = simple(OP_UPSAMPLE, 1, &x, &out, &n);
    if (!y)
        return NULL;
    n->window = WINDOW(1, factor, 0);
    n->upsample = how;
    return y;
}

struct tensor *op_batch_norm(struct tensor *x, const struct batch_norm *b)
{
    struct node *n;

    if (!x || !b->gamma || !b->beta || !b->mean || !b->variance)
        return NULL;
    if (check_params(x, OP_BATCH_NORM, b->gamma, b->beta))
        return NULL;
    if (x->shape.n < 2 || x->shape.d[0] % x->graph->batch)
        return refuse(x, OP_BATCH_NORM, "it has no channels, or no rows of samples");
    size_t C = (size_t)x->shape.d[1];
    if (b->gamma->count != C || b->mean->count != C || b->variance->count != C)
        return refuse(x, OP_BATCH_NORM, "parameters and states must have one value per channel");
    if (!(b->eps > 0) || !(b->momentum >= 0 && b->momentum <= 1))
        return refuse(x, OP_BATCH_NORM, "eps must be above 0, momentum between 0 and 1");
    struct tensor *y = simple(OP_BATCH_NORM, 1, &x, &x->shape, &n);
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
    name_by_weight(n, b->gamma);
    return y;
}

static struct tensor *activation(struct tensor *x, enum act act, float slope)
{
    struct node *n;

    if (!x)
        return NULL;
    if (!(slope >= 0 && slope <= 1))
        return refuse(x, OP_ACT, "the slope must lie between 0 and 1");
    struct tensor *y = simple(OP_ACT, 1, &x, &x->shape, &n);
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
    struct tensor *y = x ? simple(OP_SCALE, 1, &x, &x->shape, &n) : NULL;

    if (y)
        n->factor = factor;
    return y;
}

struct tensor *op_flatten(struct tensor *x)
{
    if (!x)
        return NULL;
    if (x->shape.n < 2)
        return refuse(x, OP_FLATTEN, "it has no samples");
    struct shape out = SHAPE(x->shape.d[0], (long)(shape_count(&x->shape)) / x->shape.d[0]);
    return simple(OP_FLATTEN, 1, &x, &out, NULL);
}

struct tensor *op_dense(struct tensor *x, struct param *w, struct param *b)
{
    struct node *n;

    if (!x || !w)
        return NULL;
    if (check_params(x, OP_DENSE, w, b))
        return NULL;
    if (x->shape.n != 2 || w->shape.n != 2 || w->shape.d[1] != x->shape.d[1])
        return refuse(x, OP_DENSE, "it must be N x I with the weight O x I");
    struct shape out = SHAPE(x->shape.d[0], w->shape.d[0]);
    struct tensor *y = simple(OP_DENSE, 1, &x, &out, &n);
    if (!y)
        return NULL;
    n->weight = w;
    n->bias = b;
    name_by_weight(n, w);
    return y;
}

struct tensor *op_dropout(struct tensor *x, float p)
{
    struct node *n;

    if (!x)
        return NULL;
    if (!(p >= 0 && p < 1))
        return refuse(x, OP_DROPOUT, "the probability must lie in [0, 1)");
    if (x->shape.d[0] != x->graph->batch)
        return refuse(x, OP_DROPOUT, "its first dimension is not the batch");
    struct tensor *y = simple(OP_DROPOUT, 1, &x, &x->shape, &n);
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
        return refuse(x, op, "the other input has another shape");
    return simple(op, 2, in, &x->shape, NULL);
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
        return refuse(x[0], OP_CONCAT, "it has no channels");
    for (int i = 1; i < n; i++) {
        if (!x[i])
            return NULL;
        struct shape one = x[i]->shape;
        out.d[1] += one.d[1];
        one.d[1] = x[0]->shape.d[1];
        if (!same_shape(&one, &x[0]->shape))
            return refuse(x[i], OP_CONCAT, "it differs from the first in more than its channels");
    }
    return simple(OP_CONCAT, n, x, &out, NULL);
}

struct tensor *op_slice(struct tensor *x, long from, long count)
{
    struct node *n;

    if (!x)
        return NULL;
    if (x->shape.n < 2 || from < 0 || count < 1 || from + count > x->shape.d[1])
        return refuse(x, OP_SLICE, "it does not have those channels");
    struct shape out = x->shape;
    out.d[1] = count;
    struct tensor *y = simple(OP_SLICE, 1, &x, &out, &n);
    if (y)
        n->from = from;
    return y;
}

struct tensor *op_stop_gradient(struct tensor *x)
{
    return x ? simple(OP_STOP, 1, &x, &x->shape, NULL) : NULL;
}

/* classes: of cross-entropy, 1 for the others. */
static struct tensor *measure_of(enum op op, struct tensor *x, struct tensor *t,
                                 struct tensor *weight, long classes, struct node **n)
{
    struct tensor *in[] = {x, t, weight};
    struct shape scalar = SHAPE(1);

    if (x->shape.d[0] % x->graph->batch)
        return refuse(x, op, "its first dimension is not a multiple of the batch");
    if (weight && shape_count(&weight->shape) != (size_t)x->shape.d[0] &&
        shape_count(&weight->shape) != shape_count(&x->shape) / (size_t)classes)
        return refuse(weight, op, "there must be one weight per row or one per element");
    struct tensor *y = simple(op, weight ? 3 : 2, in, &scalar, n);
    return graph_output(graph_keep_f32(y));
}

static struct tensor *point_loss(enum op op, struct tensor *x, struct tensor *t,
                                 struct tensor *weight, float factor)
{
    struct node *n;

    if (!x || !t)
        return NULL;
    if (!same_shape(&x->shape, &t->shape))
        return refuse(x, op, "the target has another shape");
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
        return refuse(x, OP_SMOOTH_L1, "beta must be above 0");
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
        return refuse(x, OP_CROSS_ENTROPY, "the target's shape is not that without the classes");
    long classes = x->shape.d[1];
    struct tensor *y = measure_of(OP_CROSS_ENTROPY, x, t, weight, classes, &n);
    if (!y || !of)
        return y;
    n->table = malloc((size_t)classes * sizeof *of);
    if (!n->table)
        return refuse(x, OP_CROSS_ENTROPY, "no memory for the weights of its classes");
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

/* ---- FLOP ------------------------------------------------------------- */

double node_flop(const struct node *n, enum pass pass)
{
    if (!op_rows[n->op].counts || pass == PASS_ACT)
        return 0;
    double per_output = 2; /* one multiply-add per weight of an output channel */
    for (int i = 1; i < n->weight->shape.n; i++)
        per_output *= (double)n->weight->shape.d[i];
    return per_output * (double)shape_count(&n->out[0]->shape);
}

double node_bytes(const struct node *n, enum pass pass)
{
    double bytes = 0;

    if (pass == PASS_STATS)
        return (double)n->in[0]->value.bytes;
    if (pass == PASS_SUMS)
        return (double)(n->in[0]->value.bytes + n->out[0]->grad.bytes);
    if (n->weight && pass != PASS_ACT)
        bytes += (double)(n->weight->count * sizeof(float));
    if (pass == PASS_WEIGHTS)
        bytes += (double)n->in[0]->value.bytes;
    for (int i = 0; i < n->n_out; i++)
        bytes += (double)(pass == PASS_FORWARD ? n->out[i]->value.bytes
                          : pass == PASS_ACT   ? n->out[i]->value.bytes + 2 * n->out[i]->grad.bytes
                                               : n->out[i]->grad.bytes);
    for (int i = 0; i < n->n_in; i++) {
        if (pass == PASS_FORWARD)
            bytes += (double)n->in[i]->value.bytes;
        else if (pass == PASS_DATA && n->in_grad[i])
            bytes += (double)n->in_grad[i]->bytes;
    }
    return bytes;
}

struct engine_flop graph_flop(const struct graph *g)
{
    struct engine_flop f = {0};

    for (int i = 0; i < g->n_nodes; i++) {
        const struct node *n = g->nodes[i];
        double one = node_flop(n, PASS_FORWARD) / (double)g->batch;

        f.forward += one;
        f.data_gradient += n->in_grad[0] ? one : 0;
        f.weight_gradient += n->weights_wanted ? one : 0;
    }
    f.executed = f.forward + f.data_gradient + f.weight_gradient;
    f.three_forward = 3 * f.forward;
    return f;
}
