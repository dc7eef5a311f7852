/* SPDX-License-Identifier: BSD-3-Clause */
/* Weights as the library wants them: copies of the masters, one for each
 * parameter and layout. */
#include <config.h>

#include "workloads/engine/cpu/cpu.h"

#include <stdlib.h>

/* copy.format */
struct weights {
    struct dnn_layout *layout;
    struct dnn_op *make; /* from the masters */
};

static bool same(const void *format, const void *wanted)
{
    const struct weights *w = format;

    return w && dnn_layout_equal(w->layout, wanted);
}

static int make_format(struct dnn *d, struct copy *c, const struct dnn_layout *l, struct err *e)
{
    struct dnn_layout *master = cpu_layout_create(&c->param->shape, TENSOR_F32, DNN_PLAIN, e);
    struct weights *w = c->format = calloc(1, sizeof *w);

    if (!w)
        err_set(e, "out of memory for a copy of '%s'", c->param->name);
    if (w && master) {
        w->layout = dnn_layout_copy(l, e);
        w->make = w->layout ? dnn_reorder(d, master, l, false, e) : NULL;
    }
    dnn_layout_destroy(master);
    return w && w->make ? 0 : -1;
}

struct copy *cpu_copy(struct dnn *d, struct node *n, const struct dnn_layout *l, struct err *e)
{
    struct copy *c = node_copy(n, n->weight, dnn_layout_bytes(l), same, l);

    if (!c)
        err_set(e, "out of memory for a copy of '%s'", n->weight->name);
    return c && (c->format || !make_format(d, c, l, e)) ? c : NULL;
}

int cpu_copy_refresh(const struct exec *x, const struct copy *c, struct err *e)
{
    const struct weights *w = c->format;

    return dnn_run(
        w->make,
        (void *[DNN_ARGS]){[DNN_SRC] = exec_master(x, c->param), [DNN_DST] = exec_copy(x, c)}, e);
}

const struct dnn_op *cpu_copy_op(const struct copy *c)
{
    return ((const struct weights *)c->format)->make;
}

void cpu_copy_forget(struct copy *c)
{
    struct weights *w = c->format;

    if (!w)
        return;
    dnn_op_destroy(w->make);
    dnn_layout_destroy(w->layout);
    free(w);
    c->format = NULL;
}
