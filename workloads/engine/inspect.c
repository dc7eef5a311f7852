/* SPDX-License-Identifier: BSD-3-Clause */
/* What a compiled graph is made of, and what its steps exchanged. */
#include <config.h>

#include "workloads/engine/internal.h"

#include <string.h>

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

struct engine_stats model_stats(struct model *m, bool reset)
{
    struct engine_stats s = m->stats;

    if (reset)
        m->stats = (struct engine_stats){0};
    return s;
}
