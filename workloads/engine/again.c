/* SPDX-License-Identifier: BSD-3-Clause */
/* One operator of a graph again and again, a part at a time: what micro benchmarks
 * time. */
#include <config.h>

#include "workloads/engine/internal.h"

static bool belongs(const struct instruction *in, const struct node *n, enum engine_pass part)
{
    bool sums = op_rows[n->op].sums;

    if (in->node != n || in->again || in->kind == INSTRUCTION_ADD)
        return false;
    switch (in->pass) {
    case PASS_FORWARD:
    case PASS_STATS:
        return part == ENGINE_FORWARD;
    case PASS_WEIGHTS:
        return part == (sums ? ENGINE_DATA : ENGINE_WEIGHTS);
    default:
        return part == ENGINE_DATA;
    }
}

static int again(struct graph *g, const struct instruction *in, struct err *e)
{
    struct node *n = in->node;
    struct comm *c = g->model->config.comm;

    if (in->kind == INSTRUCTION_REDUCE)
        return c->reduce(c, exec_at(&g->exec, in->dst), (int)(in->dst->bytes / sizeof(double)),
                         COMM_SUM, e);
    if (in->pass == PASS_WEIGHTS) { /* written, not added to, as in a step */
        n->weight->has_gradient = false;
        if (n->bias)
            n->bias->has_gradient = false;
    }
    if (g->model->backend->run(&g->exec, n, in->pass, e))
        return err_prefix(e, "%s of graph '%s'", n->name, g->name);
    if (in->pass == PASS_WEIGHTS) {
        n->weight->has_gradient = true;
        if (n->bias)
            n->bias->has_gradient = true;
    }
    return 0;
}

int engine_again(struct tensor *y, enum engine_pass part, long times, struct err *e)
{
    struct graph *g = y->graph;
    const struct node *n = y->producer;

    if (!g->model->config.no_reuse || !g->model->config.no_rewrite)
        return err_set(e,
                       "engine_again() of graph '%s' needs a plan without reuse and rewrites: "
                       "what it reads may be gone",
                       g->name);
    if (!g->ran || (part != ENGINE_FORWARD && !g->ran_back))
        return err_set(e, "engine_again() of graph '%s' comes before the step that it repeats",
                       g->name);
    if (n->op == OP_HOST)
        return err_set(e, "engine_again() of graph '%s' cannot repeat host node '%s'", g->name,
                       n->name);
    engine_threads(g->model->config.threads);
    for (long t = 0; t < times; t++)
        for (int i = 0; i < g->n_instructions; i++)
            if (belongs(&g->instructions[i], n, part) && again(g, &g->instructions[i], e))
                return -1;
    return 0;
}

struct engine_cost engine_cost(const struct tensor *y, enum engine_pass part)
{
    const struct graph *g = y->graph;
    struct engine_cost cost = {0};

    for (int i = 0; i < g->n_instructions; i++) {
        const struct instruction *in = &g->instructions[i];

        if (!belongs(in, y->producer, part))
            continue;
        cost.parts++;
        if (in->kind != INSTRUCTION_RUN)
            continue;
        cost.flop += node_flop(in->node, in->pass);
        cost.bytes += node_bytes(in->node, in->pass);
    }
    return cost;
}
