/* SPDX-License-Identifier: BSD-3-Clause */
/* Fully connected layers on the CPU: oneDNN. */
#include <config.h>

#include "workloads/engine/cpu/cpu.h"

/* y = x w' + b: the weights O x I are read as I x O. In bfloat16 weights[0] is a
 * copy of them, in float32 the masters serve. */
enum dense_op { DENSE_FORWARD, DENSE_WEIGHTS, DENSE_WEIGHTS_ADD, DENSE_DATA };

struct dense_layouts {
    struct dnn_layout *x, *y, *w, *wt, *yt, *dw, *b;
};

static void dense_layouts_fini(struct dense_layouts *l)
{
    struct dnn_layout *all[] = {l->x, l->y, l->w, l->wt, l->yt, l->dw, l->b};

    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        dnn_layout_destroy(all[i]);
}

static int dense_layouts_init(struct dense_layouts *l, const struct node *n, struct err *e)
{
    enum tensor_dtype dt = n->out[0]->dtype;
    long N = n->in[0]->shape.d[0], I = n->in[0]->shape.d[1], O = n->out[0]->shape.d[1];

    *l = (struct dense_layouts){
        .x = cpu_layout_create(&SHAPE(N, I), dt, DNN_PLAIN, e),
        .y = cpu_layout_create(&SHAPE(N, O), dt, DNN_PLAIN, e),
        .w = cpu_layout_create(&SHAPE(O, I), dt, DNN_PLAIN, e),
        .wt = cpu_layout_create(&SHAPE(I, O), dt, DNN_TRANSPOSED, e),
        .yt = cpu_layout_create(&SHAPE(O, N), dt, DNN_TRANSPOSED, e),
        .dw = cpu_layout_create(&SHAPE(O, I), TENSOR_F32, DNN_PLAIN, e),
        .b = cpu_layout_create(&SHAPE(1, O), TENSOR_F32, DNN_PLAIN, e),
    };
    return l->x && l->y && l->w && l->wt && l->yt && l->dw && l->b ? 0 : -1;
}

static int dense_prepare(struct dnn *d, struct node *n, struct err *e)
{
    struct cpu_node *p = cpu_node_of(n);
    struct dense_layouts l;
    int rc = -1;

    if (dense_layouts_init(&l, n, e))
        goto out;
    p->op[DENSE_FORWARD] = dnn_matmul(d, l.x, l.wt, n->bias ? l.b : NULL, l.y, false, e);
    if (!p->op[DENSE_FORWARD])
        goto out;
    n->scratch[PASS_FORWARD].bytes = dnn_op_scratch(p->op[DENSE_FORWARD]);
    for (int add = 0; add < 2 && n->weights_wanted; add++) {
        struct dnn_op *op = dnn_matmul(d, l.yt, l.x, NULL, l.dw, add, e);

        if (!op)
            goto out;
        p->op[DENSE_WEIGHTS + add] = op;
        if (dnn_op_scratch(op) > n->scratch[PASS_WEIGHTS].bytes)
            n->scratch[PASS_WEIGHTS].bytes = dnn_op_scratch(op);
    }
    if (n->in_grad[0]) {
        p->op[DENSE_DATA] = dnn_matmul(d, l.y, l.w, NULL, l.x, false, e);
        if (!p->op[DENSE_DATA])
            goto out;
        n->scratch[PASS_DATA].bytes = dnn_op_scratch(p->op[DENSE_DATA]);
    }
    if (n->out[0]->dtype == TENSOR_BF16) {
        p->weights[0] = cpu_copy(d, n, l.w, e);
        if (!p->weights[0])
            goto out;
    }
    rc = 0;
out:
    dense_layouts_fini(&l);
    return rc;
}

static void *dense_matrix(const struct exec *x, struct node *n)
{
    const struct copy *c = cpu_node_of(n)->weights[0];

    return c ? exec_copy(x, c) : exec_master(x, n->weight);
}

static int dense_forward(const struct exec *x, struct node *n, struct err *e)
{
    struct tensor *y = n->out[0];
    int rc = dnn_run(cpu_node_of(n)->op[DENSE_FORWARD],
                     (void *[DNN_ARGS]){
                         [DNN_SRC] = exec_value(x, n->in[0]),
                         [DNN_WEIGHTS] = dense_matrix(x, n),
                         [DNN_BIAS] = n->bias ? exec_master(x, n->bias) : NULL,
                         [DNN_DST] = exec_value(x, y),
                         [DNN_SCRATCH] = exec_at(x, &n->scratch[PASS_FORWARD]),
                     },
                     e);

    if (!rc && n->act != ACT_NONE)
        map_act(n->act, n->slope, y->dtype, exec_value(x, y), exec_value(x, y), cpu_count(y));
    return rc;
}

static int dense_weights(const struct exec *x, struct node *n, struct err *e)
{
    struct tensor *y = n->out[0];

    if (n->bias)
        map_bias_grad(y->dtype, exec_grad(x, y), y->shape.d[0], y->shape.d[1],
                      n->bias->has_gradient, exec_gradient(x, n->bias));
    return dnn_run(cpu_node_of(n)->op[DENSE_WEIGHTS + n->weight->has_gradient],
                   (void *[DNN_ARGS]){
                       [DNN_SRC] = exec_grad(x, y),
                       [DNN_WEIGHTS] = exec_value(x, n->in[0]),
                       [DNN_DST] = exec_gradient(x, n->weight),
                       [DNN_SCRATCH] = exec_at(x, &n->scratch[PASS_WEIGHTS]),
                   },
                   e);
}

static int dense_data(const struct exec *x, struct node *n, struct err *e)
{
    return dnn_run(cpu_node_of(n)->op[DENSE_DATA],
                   (void *[DNN_ARGS]){
                       [DNN_SRC] = exec_grad(x, n->out[0]),
                       [DNN_WEIGHTS] = dense_matrix(x, n),
                       [DNN_DST] = exec_at(x, n->in_grad[0]),
                       [DNN_SCRATCH] = exec_at(x, &n->scratch[PASS_DATA]),
                   },
                   e);
}

const struct dnn_op *cpu_dense_library(const struct node *n, enum pass pass)
{
    const struct cpu_node *p = n->priv;

    return pass == PASS_FORWARD   ? p->op[DENSE_FORWARD]
           : pass == PASS_WEIGHTS ? p->op[DENSE_WEIGHTS]
           : pass == PASS_DATA    ? p->op[DENSE_DATA]
                                  : NULL;
}

const struct cpu_row cpu_dense = {dense_prepare,
                                  {dense_forward, cpu_epilogue_grad, dense_weights, dense_data}};
