/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From a graph to a plan, in this order:
 *   commute    max-pool before a monotone activation (an eighth of the data)
 *   precision  dtype of each tensor; casts where types or layouts meet
 *   fuse       activations into the operator before them, as the back end can
 *   gradients  which are needed, where each part of a sum is written
 *   prepare    the back end chooses formats and bytes
 *   schedule   the list of instructions
 *   place      lifetimes over that list, sharing in place, one arena
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
static void commute(struct graph *g)
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
static int precision(struct graph *g)
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
static void fuse(struct graph *g)
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

static void number(struct graph *g)
{
    for (int i = 0; i < g->n_nodes; i++)
        g->nodes[i]->id = i;
    for (int i = 0; i < g->n_tensors; i++)
        g->tensors[i]->id = i;
}

/* ---- gradients -------------------------------------------------------- */

/* Whether a gradient goes from node n to its input i. */
static bool passes(const struct node *n, int i)
{
    switch (op_rows[n->op].grads) {
    case GRADS_NONE:
        return false;
    case GRADS_FIRST:
        return i == 0;
    case GRADS_HOST:
        return n->host->backward != NULL;
    default:
        return true;
    }
}

/* needs_grad of a tensor: the loss depends on it, and it depends on something
 * that wants a gradient. */
static int mark_gradients(struct graph *g)
{
    bool *reach = calloc((size_t)g->n_tensors, sizeof *reach);

    if (!reach)
        return model_fail(g->model, "out of memory while compiling graph '%s'", g->name);
    reach[g->loss->id] = true;
    for (int i = g->n_nodes - 1; i >= 0; i--) {
        struct node *n = g->nodes[i];
        bool reached = false;

        for (int k = 0; k < n->n_out; k++)
            reached |= reach[n->out[k]->id];
        for (int k = 0; k < n->n_in && reached; k++)
            reach[n->in[k]->id] |= passes(n, k);
    }
    for (int i = 0; i < g->n_nodes; i++) {
        struct node *n = g->nodes[i];
        bool wants = n->op == OP_INPUT && n->out[0]->want_grad;

        n->weights_wanted = n->weight && !g->frozen[n->weight->group] && reach[n->out[0]->id];
        wants |= n->weights_wanted;
        for (int k = 0; k < n->n_in; k++)
            wants |= passes(n, k) && n->in[k]->needs_grad;
        for (int k = 0; k < n->n_out; k++)
            n->out[k]->needs_grad = wants && reach[n->out[k]->id];
    }
    free(reach);
    return 0;
}

static bool in_backward(const struct node *n)
{
    for (int k = 0; k < n->n_out; k++)
        if (n->out[k]->needs_grad)
            return true;
    return false;
}

/* The first part of a sum is written in place, each later one into a buffer
 * of its own and added. A node that is only another name for its input hands
 * its own gradient on. */
static int split_gradients(struct graph *g)
{
    for (int i = g->n_nodes - 1; i >= 0; i--) {
        struct node *n = g->nodes[i];

        for (int k = 0; k < n->n_in && in_backward(n); k++) {
            struct tensor *t = n->in[k];

            if (!passes(n, k) || !t->needs_grad)
                continue;
            if (t->parts++ == 0)
                n->in_grad[k] = &t->grad;
            else if (!(n->in_grad[k] = model_append(g->model, (void ***)&g->temps, &g->n_temps,
                                                    sizeof *n->in_grad[k])))
                return -1;
        }
    }
    return 0;
}

/* ---- prepare ---------------------------------------------------------- */

static int prepare(struct graph *g, struct err *e)
{
    struct model *m = g->model;

    for (int i = 0; i < g->n_tensors; i++) {
        struct tensor *t = g->tensors[i];

        t->value.bytes = plain_bytes(&t->shape, t->dtype);
        t->grad.bytes = t->needs_grad ? t->value.bytes : 0;
    }
    if (m->backend->prepare(g, m->context, e))
        return -1;
    for (int i = 0; i < g->n_nodes; i++)
        for (int k = 0; k < g->nodes[i]->n_in; k++) {
            struct buffer *b = g->nodes[i]->in_grad[k];

            if (b && b != &g->nodes[i]->in[k]->grad) {
                b->bytes = g->nodes[i]->in[k]->grad.bytes;
                b->format = g->nodes[i]->in[k]->grad.format;
            }
        }
    return 0;
}

/* ---- schedule --------------------------------------------------------- */

static bool fused_act(const struct node *n)
{
    return n->op != OP_ACT && n->act != ACT_NONE;
}

/* The lists under enum pass in backend.h, for values. */
static bool reads_in(const struct node *n, enum pass pass, int k)
{
    bool sums = op_rows[n->op].sums;

    return pass == PASS_FORWARD || (k == 0 && (pass == PASS_STATS || pass == PASS_SUMS)) ||
           (pass == PASS_WEIGHTS && k == 0 && !sums) ||
           (pass == PASS_DATA && n->needs_in && (k == 0 || !sums));
}

static bool reads_out(const struct node *n, enum pass pass)
{
    bool sums = op_rows[n->op].sums;

    return pass == PASS_ACT || (pass == PASS_SUMS && fused_act(n)) ||
           (pass == PASS_DATA && (n->needs_out || (fused_act(n) && !n->separate_act && !sums)));
}

/* The tensor whose memory t is another name for. */
static struct tensor *base_of(struct tensor *t)
{
    while (t->producer->alias)
        t = t->producer->in[0];
    return t;
}

/* Whether it is read after the step, by whatever name: it cannot move. */
static bool is_read(const struct graph *g, const struct tensor *t)
{
    for (int i = 0; i < g->n_tensors; i++)
        if (g->tensors[i]->output && base_of(g->tensors[i]->read_as) == t)
            return true;
    return false;
}

/* Has the value made a second time, once, if it was not to be kept. */
static void remake(struct graph *g, struct tensor *t)
{
    t = base_of(t);
    struct node *n = t->producer;
    if (!t->recompute || t->remade_at || n->op == OP_INPUT || n->op == OP_HOST ||
        op_rows[n->op].sums || is_read(g, t))
        return;
    for (int k = 0; k < n->n_in; k++)
        remake(g, n->in[k]);
    t->remade_at = g->n_instructions;
    t->again.bytes = t->value.bytes;
    n->scratch_again.bytes = n->scratch[PASS_FORWARD].bytes;
    g->instructions[g->n_instructions++] =
        (struct instruction){.kind = INSTRUCTION_RUN, .node = n, .again = true};
}

static void add_run(struct graph *g, struct node *n, enum pass pass)
{
    for (int k = 0; k < n->n_in && pass != PASS_FORWARD; k++)
        if (reads_in(n, pass, k))
            remake(g, n->in[k]);
    if (reads_out(n, pass))
        remake(g, n->out[0]);
    g->instructions[g->n_instructions++] =
        (struct instruction){.kind = INSTRUCTION_RUN, .node = n, .pass = pass};
}

/* The sum over ranks of what STATS or SUMS left. */
static void add_reduce(struct graph *g, struct node *n, enum pass pass, struct buffer *b)
{
    if (!n->local)
        g->instructions[g->n_instructions++] =
            (struct instruction){.kind = INSTRUCTION_REDUCE, .node = n, .pass = pass, .dst = b};
}

static void schedule_forward(struct graph *g, struct node *n)
{
    if (op_rows[n->op].sums) {
        add_run(g, n, PASS_STATS);
        add_reduce(g, n, PASS_STATS, &n->sums);
    }
    add_run(g, n, PASS_FORWARD);
}

static void schedule_backward(struct graph *g, struct node *n)
{
    bool data = false;

    for (int k = 0; k < n->n_in; k++)
        data |= n->in_grad[k] != NULL;
    if (fused_act(n) && n->separate_act)
        add_run(g, n, PASS_ACT);
    if (op_rows[n->op].sums)
        add_run(g, n, PASS_SUMS);
    if (n->weights_wanted)
        add_run(g, n, PASS_WEIGHTS);
    if (op_rows[n->op].sums && data)
        add_reduce(g, n, PASS_SUMS, &n->back);
    if (data && !n->alias)
        add_run(g, n, PASS_DATA);
    for (int k = 0; k < n->n_in; k++)
        if (n->in_grad[k] && n->in_grad[k] != &n->in[k]->grad)
            g->instructions[g->n_instructions++] = (struct instruction){
                .kind = INSTRUCTION_ADD,
                .node = n,
                .pass = PASS_DATA,
                .tensor = n->in[k],
                .dst = &n->in[k]->grad,
                .src = n->alias ? &n->out[0]->grad : n->in_grad[k],
            };
}

static int schedule(struct graph *g)
{
    size_t most = (size_t)g->n_nodes * (PASS_COUNT + 3 + NODE_MAX_IN) + 1;

    g->instructions = calloc(most, sizeof *g->instructions);
    if (!g->instructions)
        return model_fail(g->model, "out of memory while compiling graph '%s'", g->name);
    for (int i = 0; i < g->n_nodes; i++)
        if (g->nodes[i]->op != OP_INPUT && !g->nodes[i]->alias)
            schedule_forward(g, g->nodes[i]);
    g->n_forward = g->n_instructions;
    for (int i = g->n_nodes - 1; i >= 0 && g->loss; i--)
        if (in_backward(g->nodes[i]))
            schedule_backward(g, g->nodes[i]);
    return 0;
}

/* ---- place ------------------------------------------------------------ */

/* Calls f for every buffer in the arena but the weight copies. */
static void each_buffer(struct graph *g, void (*f)(struct graph *g, struct buffer *b))
{
    f(g, &g->exec.step);
    for (int i = 0; i < g->n_tensors; i++) {
        f(g, &g->tensors[i]->value);
        f(g, &g->tensors[i]->grad);
        f(g, &g->tensors[i]->again);
    }
    for (int i = 0; i < g->n_temps; i++)
        f(g, g->temps[i]);
    for (int i = 0; i < g->n_nodes; i++) {
        f(g, &g->nodes[i]->work);
        f(g, &g->nodes[i]->sums);
        f(g, &g->nodes[i]->back);
        f(g, &g->nodes[i]->scratch_again);
        for (int p = 0; p < PASS_COUNT; p++)
            f(g, &g->nodes[i]->scratch[p]);
    }
}

static void count_slot(struct graph *g, struct buffer *b)
{
    (void)b;
    g->n_slots++;
}

static void new_slot(struct graph *g, struct buffer *b)
{
    b->slot = g->n_slots++;
    g->slots[b->slot] = (struct plan_slot){.bytes = b->bytes, .first = 1, .last = 0};
    g->parent[b->slot] = b->slot;
}

static int root(const struct graph *g, int slot)
{
    while (g->parent[slot] != slot)
        slot = g->parent[slot];
    return slot;
}

static void extend(struct plan_slot *s, int first, int last)
{
    if (s->first > s->last) {
        s->first = first;
        s->last = last;
        return;
    }
    s->first = first < s->first ? first : s->first;
    s->last = last > s->last ? last : s->last;
}

static void touch(struct graph *g, const struct buffer *b, int i)
{
    extend(&g->slots[root(g, b->slot)], i, i);
}

/* Holds from the first to the last instruction and beyond. */
static void pin(struct graph *g, const struct buffer *b)
{
    extend(&g->slots[root(g, b->slot)], -1, g->n_instructions);
}

/* Two slots become one piece of memory. */
static void unite(struct graph *g, int a, int b)
{
    a = root(g, a);
    b = root(g, b);
    if (a == b)
        return;
    struct plan_slot *from = &g->slots[b];
    if (from->first <= from->last)
        extend(&g->slots[a], from->first, from->last);
    if (from->bytes > g->slots[a].bytes)
        g->slots[a].bytes = from->bytes;
    *from = (struct plan_slot){.first = 1, .last = 0};
    g->parent[b] = a;
}

static void touch_value(struct graph *g, struct tensor *t, int i)
{
    const struct tensor *b = base_of(t);

    touch(g, b->remade_at && i >= b->remade_at ? &b->again : &b->value, i);
}

/* The lists under enum pass in backend.h, and nothing else. */
static void touch_run(struct graph *g, const struct instruction *in, int i)
{
    const struct node *n = in->node;
    enum pass p = in->pass;

    touch(g, in->again ? &n->scratch_again : &n->scratch[p], i);
    if (p != PASS_ACT && p != PASS_STATS && n->work.bytes)
        touch(g, &n->work, i);
    if (n->sums.bytes && (p == PASS_STATS || p == PASS_FORWARD))
        touch(g, &n->sums, i);
    if (n->back.bytes && (p == PASS_SUMS || p == PASS_WEIGHTS || p == PASS_DATA))
        touch(g, &n->back, i);
    for (int k = 0; k < n->n_in; k++)
        if (reads_in(n, p, k))
            touch_value(g, n->in[k], i);
    for (int k = 0; k < n->n_out; k++) {
        if (p == PASS_FORWARD || reads_out(n, p))
            touch_value(g, n->out[k], i);
        if (p != PASS_FORWARD && p != PASS_STATS && n->out[k]->needs_grad)
            touch(g, &n->out[k]->grad, i);
    }
    for (int k = 0; k < n->n_in && p == PASS_DATA; k++)
        if (n->in_grad[k])
            touch(g, n->in_grad[k], i);
}

static void lifetimes(struct graph *g)
{
    for (int i = 0; i < g->n_instructions; i++) {
        const struct instruction *in = &g->instructions[i];

        if (in->kind == INSTRUCTION_RUN) {
            touch_run(g, in, i);
        } else if (in->kind == INSTRUCTION_REDUCE) {
            touch(g, in->dst, i);
        } else {
            touch(g, in->dst, i);
            touch(g, in->src, i);
        }
    }
    pin(g, &g->exec.step);
    if (g->loss)
        pin(g, &g->loss->grad);
    for (int i = 0; i < g->n_tensors; i++) {
        struct tensor *t = g->tensors[i];

        if (t->producer->op == OP_INPUT)
            pin(g, &t->value);
        if (t->want_grad && t->needs_grad)
            pin(g, &t->grad);
        if (t->output)
            pin(g, &t->read_as->value);
    }
}

/* Nodes that are only another name: value with value, gradient with gradient
 * (the first part of a sum; later parts are added). */
static void unite_aliases(struct graph *g)
{
    for (int i = 0; i < g->n_nodes; i++) {
        struct node *n = g->nodes[i];

        if (!n->alias)
            continue;
        unite(g, n->in[0]->value.slot, n->out[0]->value.slot);
        if (n->in_grad[0] == &n->in[0]->grad)
            unite(g, n->in[0]->grad.slot, n->out[0]->grad.slot);
    }
}

/* Writes over an input that dies at this very instruction. */
static void share_in_place(struct graph *g)
{
    for (int i = 0; i < g->n_instructions; i++) {
        const struct node *n = g->instructions[i].node;
        const struct buffer *from = NULL, *to = NULL;

        if (g->instructions[i].kind != INSTRUCTION_RUN || g->instructions[i].again)
            continue;
        if (g->instructions[i].pass == PASS_FORWARD && n->in_place) {
            from = &n->in[0]->value;
            to = &n->out[0]->value;
        } else if (g->instructions[i].pass == PASS_DATA && n->in_place_grad) {
            from = &n->out[0]->grad;
            to = n->in_grad[0];
        }
        if (from && to && from->bytes == to->bytes && g->slots[root(g, from->slot)].last == i &&
            g->slots[root(g, to->slot)].first >= i)
            unite(g, from->slot, to->slot);
    }
}

static void set_offset(struct graph *g, struct buffer *b)
{
    b->offset = g->slots[root(g, b->slot)].offset;
}

/* Weight copies come behind the arena of the step. */
static void place_own(struct graph *g)
{
    g->own_bytes = 0;
    for (int i = 0; i < g->n_nodes; i++) {
        g->nodes[i]->own.offset = g->activation_bytes + g->own_bytes;
        g->own_bytes += plan_align(g->nodes[i]->own.bytes);
    }
}

static int place(struct graph *g)
{
    bool reuse = !g->model->config.no_reuse;
    int pair[2];

    each_buffer(g, count_slot);
    g->slots = calloc((size_t)g->n_slots, sizeof *g->slots);
    g->parent = calloc((size_t)g->n_slots, sizeof *g->parent);
    if (!g->slots || !g->parent)
        return model_fail(g->model, "out of memory while planning graph '%s'", g->name);
    g->n_slots = 0;
    each_buffer(g, new_slot);
    unite_aliases(g);
    lifetimes(g);
    g->no_reuse_bytes = plan_place(g->slots, g->n_slots, false);
    if (reuse)
        share_in_place(g);
    for (int i = 0; i < g->n_slots; i++)
        if (g->plan_shorten && g->slots[i].last < g->n_instructions &&
            g->slots[i].last - g->slots[i].first >= g->plan_shorten)
            g->slots[i].last -= g->plan_shorten;
    g->activation_bytes = plan_place(g->slots, g->n_slots, reuse);
    if (plan_conflict(g->slots, g->n_slots, pair))
        return model_fail(g->model, "the plan of graph '%s' puts slots %d and %d on one another",
                          g->name, pair[0], pair[1]);
    each_buffer(g, set_offset);
    for (int i = 0; i < g->n_tensors; i++)
        g->tensors[i]->at_first = g->tensors[i]->value.offset;
    place_own(g);
    return 0;
}

/* ---- all -------------------------------------------------------------- */

static int check(struct graph *g, struct tensor *loss)
{
    struct model *m = g->model;

    if (g->compiled || m->started)
        return model_fail(m, "graph '%s' is compiled twice or after engine_start()", g->name);
    if (loss && (loss->graph != g || shape_count(&loss->shape) != 1 || !loss->output))
        return model_fail(
            m, "the loss of graph '%s' is not a scalar of that graph marked as output", g->name);
    for (int i = 0; i < m->n_graphs; i++)
        if (m->graphs[i] != g && !strcmp(m->graphs[i]->name, g->name))
            return model_fail(m, "two graphs are called '%s'", g->name);
    return 0;
}

static int compile(struct graph *g, struct err *e)
{
    bool rewrite = !g->model->config.no_rewrite;

    if (rewrite)
        commute(g);
    if (precision(g))
        return -1;
    if (rewrite) {
        fuse_sums(g);
        fuse(g);
    }
    number(g);
    if (g->loss && (mark_gradients(g) || split_gradients(g)))
        return -1;
    g->exec.step.bytes = sizeof(struct step_block) + (size_t)g->batch * sizeof(uint64_t);
    if (prepare(g, e))
        return model_fail(g->model, "%s", e->text);
    return schedule(g) || place(g) ? -1 : 0;
}

int engine_compile(struct graph *g, struct tensor *loss, struct err *e)
{
    struct err local = ERR_INIT;

    if (!g)
        return err_set(e, "there is no graph to compile");
    if (!g->model->failed && !check(g, loss)) {
        g->loss = loss;
        engine_threads(g->model->config.threads);
        g->compiled = !compile(g, &local);
    }
    return g->model->failed ? err_set(e, "%s", g->model->first.text) : 0;
}
