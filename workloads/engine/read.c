/* SPDX-License-Identifier: BSD-3-Clause */
/* What a step gives back, the only part that waits for a device. */
#include <config.h>

#include "workloads/engine/internal.h"

#include <string.h>

int engine_read(struct graph *g, struct tensor *t, float *out, size_t n, struct err *e)
{
    if (graph_check_started(g, "engine_read()", e))
        return -1;
    if (!t || t->graph != g || !t->output)
        return err_set(e, "graph '%s' is asked for a tensor that is not its output", g->name);
    if (n != shape_count(&t->shape))
        return err_set(e, "an output of graph '%s' has %zu values, not %zu", g->name,
                       shape_count(&t->shape), n);
    if (g->model->abandoned) {
        memset(out, 0, n * sizeof *out);
        return 0;
    }
    if (!g->ran)
        return err_set(e, "engine_read() of graph '%s' comes before engine_forward()", g->name);
    double since = profile_now(g->model);
    memcpy(out, exec_value(&g->exec, t->read_as), n * sizeof *out);
    if (g->exec.train)
        profile_book(g->model, ENGINE_PART_READ, &since);
    return 0;
}

int engine_read_grad(struct graph *g, struct tensor *t, float *out, size_t n, struct err *e)
{
    if (graph_check_started(g, "engine_read_grad()", e))
        return -1;
    if (!t || t->graph != g || !t->want_grad)
        return err_set(e, "graph '%s' is asked for a gradient that was not wanted", g->name);
    if (n != shape_count(&t->shape))
        return err_set(e, "an input of graph '%s' has %zu values, not %zu", g->name,
                       shape_count(&t->shape), n);
    if (g->model->abandoned) {
        memset(out, 0, n * sizeof *out);
        return 0;
    }
    if (!g->ran_back)
        return err_set(e, "engine_read_grad() of graph '%s' comes before engine_backward()",
                       g->name);
    if (t->needs_grad)
        memcpy(out, exec_grad(&g->exec, t), n * sizeof *out);
    else
        memset(out, 0, n * sizeof *out);
    return 0;
}

const struct engine_stamps *model_stamps(const struct model *m)
{
    return &m->stamps;
}
