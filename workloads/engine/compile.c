/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From a graph to a plan, in this order:
 *   rewrite.c  commute, precision, fuse
 *   gradients  which are needed, where each part of a sum is written
 *   prepare    the back end chooses formats and bytes
 *   schedule   the list of instructions
 *   place.c    lifetimes over that list, sharing in place, one arena
 */
#include <config.h>

#include "workloads/engine/internal.h"

#include <stdlib.h>
#include <string.h>

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

/* Whether it is read after the step, by whatever name: it cannot move. */
static bool is_read(const struct graph *g, const struct tensor *t)
{
    for (int i = 0; i < g->n_tensors; i++)
        if (g->tensors[i]->output && tensor_base(g->tensors[i]->read_as) == t)
            return true;
    return false;
}

/* Has the value made a second time, once, if it was not to be kept. */
static void remake(struct graph *g, struct tensor *t)
{
    t = tensor_base(t);
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
        if (node_reads_in(n, pass, k))
            remake(g, n->in[k]);
    if (node_reads_out(n, pass))
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
    if (node_fused_act(n) && n->separate_act)
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
        rewrite_commute(g);
    if (rewrite_precision(g))
        return -1;
    if (rewrite)
        rewrite_fuse(g);
    rewrite_number(g);
    if (g->loss && (mark_gradients(g) || split_gradients(g)))
        return -1;
    g->exec.step.bytes = sizeof(struct step_block) + (size_t)g->batch * sizeof(uint64_t);
    if (prepare(g, e))
        return model_fail(g->model, "%s", e->text);
    return schedule(g) || graph_place(g) ? -1 : 0;
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
