/* SPDX-License-Identifier: BSD-3-Clause */
/* Graphs, their nodes and tensors, inputs and marks. */
#include <config.h>

#include "workloads/engine/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
