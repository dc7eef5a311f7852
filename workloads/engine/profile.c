/* SPDX-License-Identifier: BSD-3-Clause */
/* Where the time of training steps went, by operator and by part of the step. */
#include <config.h>

#include "workloads/engine/internal.h"

#include <string.h>

double profile_now(const struct model *m)
{
    return m->config.now ? m->config.now() : 0;
}

double profile_lap(const struct model *m, double *since)
{
    const double before = *since;

    *since = profile_now(m);
    return *since - before;
}

void profile_book(struct model *m, enum engine_part part, double *since)
{
    m->parts[part] += profile_lap(m, since);
}

static const char *implementation_of(const struct instruction *in, const struct backend *b)
{
    const char *library = NULL;

    if (in->kind == INSTRUCTION_REDUCE)
        return "ranks";
    if (in->node->op == OP_HOST)
        return "host";
    if (in->kind == INSTRUCTION_RUN && b->implementation)
        library = b->implementation(in->node, in->pass);
    return library ? library : "own";
}

/* The type that the pass computes in: that of what it reads or writes beside sums. */
static enum tensor_dtype dtype_of(const struct instruction *in)
{
    if (in->kind == INSTRUCTION_ADD)
        return in->tensor->dtype;
    return in->kind == INSTRUCTION_REDUCE ? TENSOR_F32 : in->node->out[0]->dtype;
}

bool graph_profile(const struct graph *g, int i, struct engine_profile_row *row)
{
    static const char *const passes[PASS_COUNT] = {"forward", "act",   "weights",
                                                   "data",    "stats", "sums"};
    static const char *const others[] = {
        [INSTRUCTION_ADD] = "add", [INSTRUCTION_REDUCE] = "reduce"};

    if (i < 0 || i >= g->n_instructions)
        return false;
    const struct instruction *in = &g->instructions[i];
    *row = (struct engine_profile_row){
        .name = in->node->name,
        .op = op_name(in->node->op),
        .pass = in->again                     ? "again"
                : in->kind == INSTRUCTION_RUN ? passes[in->pass]
                                              : others[in->kind],
        .implementation = implementation_of(in, g->model->backend),
        .dtype = dtype_of(in),
        .seconds = in->seconds,
        .least = in->least,
        .flop = in->kind == INSTRUCTION_RUN ? node_flop(in->node, in->pass) : 0,
        .bytes = in->kind == INSTRUCTION_RUN   ? node_bytes(in->node, in->pass)
                 : in->kind == INSTRUCTION_ADD ? 3 * (double)in->dst->bytes
                                               : 2 * (double)in->dst->bytes,
        .calls = in->calls,
    };
    return true;
}

double model_profile(const struct model *m, enum engine_part part)
{
    return m->parts[part];
}

void model_profile_reset(struct model *m)
{
    memset(m->parts, 0, sizeof m->parts);
    for (int i = 0; i < m->n_graphs; i++)
        for (int k = 0; k < m->graphs[i]->n_instructions; k++) {
            struct instruction *in = &m->graphs[i]->instructions[k];

            in->seconds = in->least = 0;
            in->calls = 0;
        }
}
