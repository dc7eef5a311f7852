/* SPDX-License-Identifier: BSD-3-Clause */
/* What a compiled graph is made of, and what its parts took. */
#include <config.h>

#include "workloads/engine/internal.h"

#include <string.h>

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
        .pass = in->kind == INSTRUCTION_RUN ? passes[in->pass] : others[in->kind],
        .seconds = in->seconds,
        .flop = in->kind == INSTRUCTION_RUN ? node_flop(in->node, in->pass) : 0,
        .bytes = in->kind == INSTRUCTION_RUN ? node_bytes(in->node, in->pass)
                                             : 3 * (double)in->dst->bytes,
        .calls = in->calls,
    };
    return true;
}

bool graph_implementation(const struct graph *g, int i, struct engine_implementation *row)
{
    const struct backend *b = g->model->backend;

    for (int k = 0; k < g->n_nodes && b->how; k++) {
        *row = (struct engine_implementation){.node = g->nodes[k]->name};
        for (int n = 0; b->how(g->nodes[k], n, &row->what, &row->name); n++)
            if (i-- == 0)
                return true;
    }
    return false;
}

int model_check_implementations(const struct model *m, struct err *e)
{
    struct engine_implementation row;

    for (int k = 0; k < m->n_graphs; k++)
        for (int i = 0; graph_implementation(m->graphs[k], i, &row); i++)
            if (!strncmp(row.name, "ref", 3))
                return err_set(e,
                               "graph '%s': the %s of '%s' is the library's reference loop "
                               "'%.40s', some 1,000 times slower than its others",
                               m->graphs[k]->name, row.what, row.node, row.name);
    return 0;
}
