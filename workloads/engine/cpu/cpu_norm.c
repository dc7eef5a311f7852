/* SPDX-License-Identifier: BSD-3-Clause */
/* Batch normalisation on the CPU: kernel_norm, and the term that is added
 * brought into the layout of x where it lies otherwise. */
#include <config.h>

#include "workloads/engine/cpu/cpu.h"
#include "workloads/engine/norm.h"

#include <string.h>

enum norm_op { NORM_TERM, NORM_TERM_GRAD };

static int norm_prepare(struct dnn *d, struct node *n, struct err *e)
{
    size_t *scratch = &n->scratch[PASS_FORWARD].bytes;

    if (cpu_has_format(n->out[0]) && cpu_set_kind(n->out[0], cpu_kind(n->in[0]), e))
        return -1;
    struct map m = cpu_map(n->in[0]);
    n->work.bytes = (size_t)m.C * 2 * sizeof(double);
    n->scratch[PASS_STATS].bytes = n->scratch[PASS_SUMS].bytes = norm_scratch_bytes(&m);
    return n->n_in < 2 ? 0 : cpu_second_prepare(d, n, NORM_TERM, NORM_TERM_GRAD, scratch, e);
}

static struct norm norm_of(const struct exec *x, struct node *n)
{
    return (struct norm){
        .map = cpu_map(n->in[0]), .rows = exec_rows(x, n->in[0]), .act = n->act, .slope = n->slope};
}

static int norm_run_stats(const struct exec *x, struct node *n, struct err *e)
{
    struct norm k = norm_of(x, n);

    (void)e;
    norm_stats(&k, exec_value(x, n->in[0]), exec_at(x, &n->scratch[PASS_STATS]),
               exec_at(x, &n->sums));
    return 0;
}

static int norm_run_forward(const struct exec *x, struct node *n, struct err *e)
{
    struct norm k = norm_of(x, n);
    struct dnn_op *op = cpu_node_of(n)->op[NORM_TERM];
    void *z = n->n_in > 1 ? exec_value(x, n->in[1]) : NULL;

    if (op) {
        void *as_x = exec_at(x, &n->scratch[PASS_FORWARD]);

        if (dnn_run(op, (void *[DNN_ARGS]){[DNN_SRC] = z, [DNN_DST] = as_x}, e))
            return -1;
        z = as_x;
    }
    norm_settle(x, n);
    norm_forward(&k, exec_at(x, &n->work), exec_master(x, n->weight), exec_master(x, n->bias),
                 exec_value(x, n->in[0]), z, exec_value(x, n->out[0]));
    return 0;
}

static int norm_run_sums(const struct exec *x, struct node *n, struct err *e)
{
    struct norm k = norm_of(x, n);

    (void)e;
    norm_back_sums(&k, exec_at(x, &n->work), exec_value(x, n->in[0]),
                   n->act == ACT_NONE ? NULL : exec_value(x, n->out[0]), exec_grad(x, n->out[0]),
                   exec_at(x, &n->scratch[PASS_SUMS]), exec_at(x, &n->back));
    return 0;
}

static int norm_run_weights(const struct exec *x, struct node *n, struct err *e)
{
    (void)e;
    norm_weights(x, n);
    return 0;
}

static int norm_run_data(const struct exec *x, struct node *n, struct err *e)
{
    struct norm k = norm_of(x, n);
    struct dnn_op *op = cpu_node_of(n)->op[NORM_TERM_GRAD];
    void *dy = exec_grad(x, n->out[0]);

    void *dz = n->n_in > 1 && n->in_grad[1] ? exec_at(x, n->in_grad[1]) : NULL;

    if (n->in_grad[0])
        norm_backward(&k, exec_at(x, &n->work), exec_master(x, n->weight), exec_at(x, &n->back),
                      norm_count(x, n), exec_value(x, n->in[0]), dy, exec_at(x, n->in_grad[0]),
                      op ? NULL : dz);
    if (dz && op)
        return dnn_run(op, (void *[DNN_ARGS]){[DNN_SRC] = dy, [DNN_DST] = dz}, e);
    if (dz && !n->in_grad[0])
        memmove(dz, dy, n->out[0]->grad.bytes);
    return 0;
}

const struct cpu_row cpu_batch_norm = {norm_prepare,
                                       {[PASS_FORWARD] = norm_run_forward,
                                        [PASS_WEIGHTS] = norm_run_weights,
                                        [PASS_DATA] = norm_run_data,
                                        [PASS_STATS] = norm_run_stats,
                                        [PASS_SUMS] = norm_run_sums}};
