/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Changes of a graph before it is planned:
 *   commute    max-pool before a monotone activation (an eighth of the data)
 *   precision  dtype of each tensor; casts where types or layouts meet
 *   fuse       sums and activations into the operator before them, as the back
 *              end can
 */
#include <config.h>

#include "workloads/engine/internal.h"

#include <stdlib.h>
#include <string.h>

/* ---- commute ---------------------------------------------------------- */

static bool only_inside(const struct tensor *t)
{
    return t->n_uses == 1 && !t->output && t->graph->loss != t;
}

static int position(const struct graph *g, const struct node *n)
{
    int i = 0;

    while (g->nodes[i] != n)
        i++;
    return i;
}

/* act(x) = a, pool(a) = p   becomes   pool(x) = a, act(a) = p: leaky ReLU is
 * monotone, so the largest of the window stays the largest. */
void rewrite_commute(struct graph *g)
{
    for (int i = 0; i < g->n_nodes; i++) {
        struct node *pool = g->nodes[i];

        if (pool->op != OP_MAXPOOL)
            continue;
        struct tensor *a = pool->in[0], *p = pool->out[0];
        struct node *act = a->producer;
        if (act->op != OP_ACT || act->act != ACT_LEAKY || !only_inside(a) || a->f32 != p->f32)
            continue;
        int at = position(g, act);
        pool->in[0] = act->in[0];
        pool->out[0] = a;
        act->in[0] = a;
        act->out[0] = p;
        a->shape = p->shape;
        a->producer = pool;
        p->producer = act;
        g->nodes[at] = pool;
        g->nodes[i] = act;
    }
}

/* ---- precision -------------------------------------------------------- */

/* Inputs are stored in the type of those who read them; float32 when they
 * disagree. Those that only losses and host nodes read stay plain. */
static void type_input(struct graph *g, struct node *n)
{
    struct tensor *t = n->out[0];
    bool islands = false, others = false, compute = false;

    for (int i = 0; i < g->n_nodes; i++)
        for (int k = 0; k < g->nodes[i]->n_in; k++) {
            if (g->nodes[i]->in[k] != t)
                continue;
            islands |= op_rows[g->nodes[i]->op].island;
            others |= !op_rows[g->nodes[i]->op].island;
            compute |= op_rows[g->nodes[i]->op].multiplies && !g->nodes[i]->out[0]->f32;
        }
    t->plain = t->want_grad || !others;
    if (compute && !islands && !t->f32 && !t->want_grad)
        t->dtype = g->model->config.compute;
}

/* Multiplying operators compute in the policy's type, the others in that of
 * what they are given. */
static enum tensor_dtype compute_type(const struct node *n)
{
    enum tensor_dtype policy = n->graph->model->config.compute;

    if (op_rows[n->op].island)
        return TENSOR_F32;
    for (int i = 0; i < n->n_out; i++)
        if (n->out[i]->f32)
            return TENSOR_F32;
    if (op_rows[n->op].multiplies)
        return policy;
    for (int i = 0; i < n->n_in; i++)
        if (n->in[i]->dtype == TENSOR_F32)
            return TENSOR_F32;
    return policy;
}

static bool fits(const struct tensor *t, enum tensor_dtype dtype, bool plain)
{
    return t->dtype == dtype && (t->shape.n <= 2 || t->plain == plain);
}

struct order {
    struct node **nodes;
    int n;
};

/* t in that type and layout: itself, or a cast of it, made once. */
static struct tensor *cast(struct order *o, struct tensor *t, enum tensor_dtype dtype, bool plain)
{
    if (fits(t, dtype, plain))
        return t;
    for (int i = 0; i < o->n; i++)
        if (o->nodes[i]->op == OP_CAST && o->nodes[i]->in[0] == t &&
            fits(o->nodes[i]->out[0], dtype, plain))
            return o->nodes[i]->out[0];
    struct node *n = graph_node(t->graph, OP_CAST, 1, &t);
    struct tensor *y = n ? node_output(n, &t->shape) : NULL;
    if (!y)
        return NULL;
    y->dtype = dtype;
    y->plain = plain;
    o->nodes[o->n++] = n;
    return y;
}

static int type_node(struct order *o, struct node *n)
{
    enum tensor_dtype dtype = compute_type(n);
    bool plain = op_rows[n->op].island;

    for (int i = 0; i < n->n_in; i++) {
        struct tensor *t = cast(o, n->in[i], dtype, plain);

        if (!t)
            return -1;
        if (t != n->in[i]) {
            n->in[i]->n_uses--;
            t->n_uses++;
            n->in[i] = t;
        }
    }
    for (int i = 0; i < n->n_out; i++) {
        n->out[i]->dtype = dtype;
        n->out[i]->plain = plain;
    }
    o->nodes[o->n++] = n;
    return 0;
}

/* Sets all dtypes and puts the casts where they belong in the order. */
int rewrite_precision(struct graph *g)
{
    int n = g->n_nodes, rc = -1;
    size_t most = (size_t)n * (NODE_MAX_IN + NODE_MAX_OUT + 1);
    struct order o = {calloc(most + 1, sizeof *o.nodes), 0};

    if (!o.nodes)
        return model_fail(g->model, "out of memory while compiling graph '%s'", g->name);
    for (int i = 0; i < n; i++) {
        struct node *node = g->nodes[i];

        if (node->op == OP_INPUT) {
            type_input(g, node);
            o.nodes[o.n++] = node;
        } else if (type_node(&o, node)) {
            goto out;
        }
        for (int k = 0; k < node->n_out; k++) {
            struct tensor *t = node->out[k];

            t->read_as = t->output ? cast(&o, t, TENSOR_F32, true) : NULL;
            if (t->output && !t->read_as)
                goto out;
        }
    }
    memcpy(g->nodes, o.nodes, (size_t)g->n_nodes * sizeof *g->nodes);
    rc = 0;
out:
    free(o.nodes);
    return rc;
}

/* ---- fuse ------------------------------------------------------------- */

static void remove_node(struct graph *g, int at)
{
    free(g->nodes[at]);
    memmove(&g->nodes[at], &g->nodes[at + 1], (size_t)(g->n_nodes - at - 1) * sizeof *g->nodes);
    g->n_nodes--;
}

static void remove_tensor(struct graph *g, struct tensor *t)
{
    int at = 0;

    while (g->tensors[at] != t)
        at++;
    free(t);
    memmove(&g->tensors[at], &g->tensors[at + 1],
            (size_t)(g->n_tensors - at - 1) * sizeof *g->tensors);
    g->n_tensors--;
}

/* Batch norm, whose output only a sum reads, adds the other term itself: it
 * takes the sum's place in the order, where that term is there. */
static void fuse_sums(struct graph *g)
{
    for (int i = 0; i < g->n_nodes; i++) {
        struct node *add = g->nodes[i];

        for (int k = 0; k < 2 && add->op == OP_ADD; k++) {
            struct tensor *t = add->in[k];
            struct node *n = t->producer;

            if (!op_rows[n->op].sums || n->n_in != 1 || n->act != ACT_NONE || !only_inside(t) ||
                t->dtype != add->out[0]->dtype || add->in[1 - k]->dtype != t->dtype)
                continue;
            int at = position(g, n);
            n->in[n->n_in++] = add->in[1 - k];
            n->out[0] = add->out[0];
            n->out[0]->producer = n;
            remove_tensor(g, t);
            g->nodes[i] = n; /* remove_node() frees what is at its place */
            g->nodes[at] = add;
            remove_node(g, at);
            i--;
            break;
        }
    }
}

/* An activation becomes the epilogue of the node that makes its input. */
static void fuse_acts(struct graph *g)
{
    const struct backend *be = g->model->backend;

    for (int i = 0; i < g->n_nodes; i++) {
        struct node *act = g->nodes[i];

        if (act->op != OP_ACT || !be->fuses)
            continue;
        struct tensor *t = act->in[0];
        struct node *n = t->producer;
        if (!op_rows[n->op].fuses || n->act != ACT_NONE || !only_inside(t) ||
            t->dtype != act->out[0]->dtype || !be->fuses(n, act->act, act->slope))
            continue;
        n->act = act->act;
        n->slope = act->slope;
        n->out[0] = act->out[0];
        n->out[0]->producer = n;
        remove_tensor(g, t);
        remove_node(g, i--);
    }
}

void rewrite_fuse(struct graph *g)
{
    fuse_sums(g);
    fuse_acts(g);
}

void rewrite_number(struct graph *g)
{
    for (int i = 0; i < g->n_nodes; i++)
        g->nodes[i]->id = i;
    for (int i = 0; i < g->n_tensors; i++)
        g->tensors[i]->id = i;
}
