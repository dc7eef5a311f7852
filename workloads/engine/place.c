/* SPDX-License-Identifier: BSD-3-Clause */
/* Lifetimes over the list of instructions, sharing in place, one arena. */
#include <config.h>

#include "workloads/engine/internal.h"

#include <stdlib.h>

/* Calls f for every buffer in the arena. */
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
    const struct tensor *b = tensor_base(t);

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
        if (node_reads_in(n, p, k))
            touch_value(g, n->in[k], i);
    for (int k = 0; k < n->n_out; k++) {
        if (p == PASS_FORWARD || node_reads_out(n, p))
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

int graph_place(struct graph *g)
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
    return 0;
}
