/* SPDX-License-Identifier: BSD-3-Clause */
/* On the CPU: all operators but those that multiply matrices. */
#include <config.h>

#include "workloads/engine/cpu/cpu.h"
#include "workloads/engine/loss.h"

#include <string.h>

int cpu_epilogue_grad(const struct exec *x, struct node *n, struct err *e)
{
    struct tensor *t = n->out[0];

    (void)e;
    map_act_grad(n->act, n->slope, t->dtype, exec_value(x, t), exec_grad(x, t), exec_grad(x, t),
                 cpu_count(t));
    return 0;
}

int cpu_nothing_prepare(struct dnn *d, struct node *n, struct err *e)
{
    (void)d, (void)n, (void)e;
    return 0;
}

/* ---- max-pool -------------------------------------------------------- */

static int pool_prepare(struct dnn *d, struct node *n, struct err *e)
{
    struct pool *p = &cpu_node_of(n)->pool;
    struct tensor *in = n->in[0], *out = n->out[0];

    (void)d;
    if (cpu_set_kind(out, cpu_kind(in), e))
        return -1;
    *p = (struct pool){.in = cpu_map(in), .out = cpu_map(out), .act = n->act, .slope = n->slope};
    cpu_window_sizes(n, p->I, p->Q, p->K, p->S, p->P);
    if (p->K[0] * p->K[1] * p->K[2] > UINT16_MAX)
        return err_set(e, "%s: a pooling window of %ld values is larger than the engine's %d",
                       n->name, p->K[0] * p->K[1] * p->K[2], UINT16_MAX);
    n->separate_act = false;
    n->work.bytes = pool_work_bytes(p);
    return 0;
}

static int pool_run_forward(const struct exec *x, struct node *n, struct err *e)
{
    (void)e;
    pool_forward(&cpu_node_of(n)->pool, exec_value(x, n->in[0]), exec_value(x, n->out[0]),
                 exec_at(x, &n->work));
    return 0;
}

static int pool_run_data(const struct exec *x, struct node *n, struct err *e)
{
    (void)e;
    pool_backward(&cpu_node_of(n)->pool, exec_value(x, n->out[0]), exec_grad(x, n->out[0]),
                  exec_at(x, &n->work), exec_at(x, n->in_grad[0]));
    return 0;
}

const struct cpu_row cpu_maxpool = {pool_prepare, {pool_run_forward, NULL, NULL, pool_run_data}};

/* ---- average pool and upsample --------------------------------------- */

static int cell_prepare(struct dnn *d, struct node *n, struct err *e)
{
    struct cells *c = &cpu_node_of(n)->cells;

    (void)d;
    if (cpu_set_kind(n->out[0], cpu_kind(n->in[0]), e))
        return -1;
    *c = (struct cells){.in = cpu_map(n->in[0]), .out = cpu_map(n->out[0]), .how = n->upsample};
    cpu_window_sizes(n, c->I, c->Q, c->K, c->S, c->P);
    if (n->in[0]->shape.n == 4)
        c->S[0] = 1;
    return 0;
}

static int avg_forward(const struct exec *x, struct node *n, struct err *e)
{
    (void)e;
    avgpool_forward(&cpu_node_of(n)->cells, exec_value(x, n->in[0]), exec_value(x, n->out[0]));
    return 0;
}

static int avg_data(const struct exec *x, struct node *n, struct err *e)
{
    (void)e;
    avgpool_backward(&cpu_node_of(n)->cells, exec_grad(x, n->out[0]), exec_at(x, n->in_grad[0]));
    return 0;
}

static int up_forward(const struct exec *x, struct node *n, struct err *e)
{
    (void)e;
    upsample_forward(&cpu_node_of(n)->cells, exec_value(x, n->in[0]), exec_value(x, n->out[0]));
    return 0;
}

static int up_data(const struct exec *x, struct node *n, struct err *e)
{
    (void)e;
    upsample_backward(&cpu_node_of(n)->cells, exec_grad(x, n->out[0]), exec_at(x, n->in_grad[0]));
    return 0;
}

const struct cpu_row cpu_avgpool = {cell_prepare, {avg_forward, NULL, NULL, avg_data}};
const struct cpu_row cpu_upsample = {cell_prepare, {up_forward, NULL, NULL, up_data}};

/* ---- value by value -------------------------------------------------- */

/* The output lies as the input does. */
static int same_prepare(struct dnn *d, struct node *n, struct err *e)
{
    (void)d;
    return cpu_has_format(n->out[0]) ? cpu_set_kind(n->out[0], cpu_kind(n->in[0]), e) : 0;
}

static int act_forward(const struct exec *x, struct node *n, struct err *e)
{
    (void)e;
    map_act(n->act, n->slope, n->out[0]->dtype, exec_value(x, n->in[0]), exec_value(x, n->out[0]),
            cpu_count(n->out[0]));
    if (n->act == ACT_SIGMOID) {
        struct map m = cpu_map(n->out[0]);

        map_pad(&m, exec_value(x, n->out[0]));
    }
    return 0;
}

static int act_data(const struct exec *x, struct node *n, struct err *e)
{
    (void)e;
    map_act_grad(n->act, n->slope, n->out[0]->dtype, exec_value(x, n->out[0]),
                 exec_grad(x, n->out[0]), exec_at(x, n->in_grad[0]), cpu_count(n->out[0]));
    return 0;
}

static int scale_forward(const struct exec *x, struct node *n, struct err *e)
{
    (void)e;
    map_axpy(n->factor, n->out[0]->dtype, exec_value(x, n->in[0]), NULL, exec_value(x, n->out[0]),
             cpu_count(n->out[0]));
    return 0;
}

static int scale_data(const struct exec *x, struct node *n, struct err *e)
{
    (void)e;
    map_axpy(n->factor, n->out[0]->dtype, exec_grad(x, n->out[0]), NULL, exec_at(x, n->in_grad[0]),
             cpu_count(n->out[0]));
    return 0;
}

static int dropout_forward(const struct exec *x, struct node *n, struct err *e)
{
    struct map m = cpu_map(n->out[0]);

    (void)e;
    map_dropout(&m, exec_step(x), n, x->train, exec_value(x, n->in[0]), exec_value(x, n->out[0]));
    return 0;
}

static int dropout_data(const struct exec *x, struct node *n, struct err *e)
{
    struct map m = cpu_map(n->out[0]);

    (void)e;
    map_dropout(&m, exec_step(x), n, x->train, exec_grad(x, n->out[0]), exec_at(x, n->in_grad[0]));
    return 0;
}

const struct cpu_row cpu_act = {same_prepare, {act_forward, NULL, NULL, act_data}};
const struct cpu_row cpu_scale = {same_prepare, {scale_forward, NULL, NULL, scale_data}};
const struct cpu_row cpu_dropout = {same_prepare, {dropout_forward, NULL, NULL, dropout_data}};
const struct cpu_row cpu_stop = {same_prepare, {NULL}};

/* ---- two inputs ------------------------------------------------------- */

int cpu_second_prepare(struct dnn *d, struct node *n, int to, int back, size_t *bytes,
                       struct err *e)
{
    struct cpu_node *p = cpu_node_of(n);
    struct dnn_layout *first = cpu_layout(n->in[0], e), *second = cpu_layout(n->in[1], e);
    int rc = first && second ? 0 : -1;

    *bytes = 0;
    if (!rc && !dnn_layout_equal(first, second)) {
        p->op[to] = dnn_reorder(d, second, first, false, e);
        p->op[back] = p->op[to] ? dnn_reorder(d, first, second, false, e) : NULL;
        *bytes = dnn_layout_bytes(first);
        rc = p->op[back] ? 0 : -1;
    }
    dnn_layout_destroy(first);
    dnn_layout_destroy(second);
    return rc;
}

/* ---- sum ------------------------------------------------------------- */

/* The second input is brought into the layout of the first where it lies
 * otherwise. */
enum add_op { ADD_FORWARD, ADD_DATA };

static int add_prepare(struct dnn *d, struct node *n, struct err *e)
{
    size_t *scratch = &n->scratch[PASS_FORWARD].bytes;

    if (same_prepare(d, n, e) || cpu_second_prepare(d, n, ADD_FORWARD, ADD_DATA, scratch, e))
        return -1;
    if (*scratch)
        n->in_place_grad = false;
    return 0;
}

static int add_forward(const struct exec *x, struct node *n, struct err *e)
{
    struct dnn_op *op = cpu_node_of(n)->op[ADD_FORWARD];
    void *second = exec_value(x, n->in[1]), *scratch = exec_at(x, &n->scratch[PASS_FORWARD]);

    if (op && dnn_run(op, (void *[DNN_ARGS]){[DNN_SRC] = second, [DNN_DST] = scratch}, e))
        return -1;
    map_axpy(1, n->out[0]->dtype, exec_value(x, n->in[0]), op ? scratch : second,
             exec_value(x, n->out[0]), cpu_count(n->out[0]));
    return 0;
}

static int add_data(const struct exec *x, struct node *n, struct err *e)
{
    struct dnn_op *op = cpu_node_of(n)->op[ADD_DATA];
    void *dy = exec_grad(x, n->out[0]);

    if (n->in_grad[0])
        memmove(exec_at(x, n->in_grad[0]), dy, n->out[0]->grad.bytes);
    if (!n->in_grad[1])
        return 0;
    void *to = exec_at(x, n->in_grad[1]);
    if (op)
        return dnn_run(op, (void *[DNN_ARGS]){[DNN_SRC] = dy, [DNN_DST] = to}, e);
    memmove(to, dy, n->out[0]->grad.bytes);
    return 0;
}

const struct cpu_row cpu_add = {add_prepare, {add_forward, NULL, NULL, add_data}};

/* ---- product --------------------------------------------------------- */

/* As in the sum, the second input is brought into the first one's layout; its
 * gradient goes the other way. */
enum mul_op { MUL_SECOND, MUL_BACK };

static int mul_prepare(struct dnn *d, struct node *n, struct err *e)
{
    size_t *scratch = &n->scratch[PASS_FORWARD].bytes;

    if (same_prepare(d, n, e) || cpu_second_prepare(d, n, MUL_SECOND, MUL_BACK, scratch, e))
        return -1;
    n->scratch[PASS_DATA].bytes = *scratch;
    return 0;
}

/* The second input as the first one lies. */
static const void *second_of(const struct exec *x, struct node *n, enum pass pass, struct err *e)
{
    struct dnn_op *op = cpu_node_of(n)->op[MUL_SECOND];
    void *second = exec_value(x, n->in[1]), *scratch = exec_at(x, &n->scratch[pass]);

    if (!op)
        return second;
    return dnn_run(op, (void *[DNN_ARGS]){[DNN_SRC] = second, [DNN_DST] = scratch}, e) ? NULL
                                                                                       : scratch;
}

static int mul_forward(const struct exec *x, struct node *n, struct err *e)
{
    const void *second = second_of(x, n, PASS_FORWARD, e);

    if (!second)
        return -1;
    map_mul(n->out[0]->dtype, exec_value(x, n->in[0]), second, exec_value(x, n->out[0]),
            cpu_count(n->out[0]));
    return 0;
}

static int mul_data(const struct exec *x, struct node *n, struct err *e)
{
    struct dnn_op *back = cpu_node_of(n)->op[MUL_BACK];
    enum tensor_dtype dtype = n->out[0]->dtype;
    const void *dy = exec_grad(x, n->out[0]);
    size_t count = cpu_count(n->out[0]);

    if (n->in_grad[0]) {
        const void *second = second_of(x, n, PASS_DATA, e);

        if (!second)
            return -1;
        map_mul(dtype, dy, second, exec_at(x, n->in_grad[0]), count);
    }
    if (!n->in_grad[1])
        return 0;
    void *to = exec_at(x, n->in_grad[1]), *made = back ? exec_at(x, &n->scratch[PASS_DATA]) : to;
    map_mul(dtype, dy, exec_value(x, n->in[0]), made, count);
    return back ? dnn_run(back, (void *[DNN_ARGS]){[DNN_SRC] = made, [DNN_DST] = to}, e) : 0;
}

const struct cpu_row cpu_mul = {mul_prepare, {mul_forward, NULL, NULL, mul_data}};

/* ---- channels -------------------------------------------------------- */

static int concat_forward(const struct exec *x, struct node *n, struct err *e)
{
    struct map out = cpu_map(n->out[0]);
    long at = 0;

    (void)e;
    for (int k = 0; k < n->n_in; k++) {
        struct map in = cpu_map(n->in[k]);

        map_channels(&in, exec_value(x, n->in[k]), 0, &out, exec_value(x, n->out[0]), at, in.C);
        at += in.C;
    }
    map_pad(&out, exec_value(x, n->out[0]));
    return 0;
}

static int concat_data(const struct exec *x, struct node *n, struct err *e)
{
    struct map out = cpu_map(n->out[0]);
    long at = 0;

    (void)e;
    for (int k = 0; k < n->n_in; k++) {
        struct map in = cpu_map(n->in[k]);

        if (n->in_grad[k]) {
            map_channels(&out, exec_grad(x, n->out[0]), at, &in, exec_at(x, n->in_grad[k]), 0,
                         in.C);
            map_pad(&in, exec_at(x, n->in_grad[k]));
        }
        at += in.C;
    }
    return 0;
}

static int slice_forward(const struct exec *x, struct node *n, struct err *e)
{
    struct map in = cpu_map(n->in[0]), out = cpu_map(n->out[0]);

    (void)e;
    map_channels(&in, exec_value(x, n->in[0]), n->from, &out, exec_value(x, n->out[0]), 0, out.C);
    map_pad(&out, exec_value(x, n->out[0]));
    return 0;
}

static int slice_data(const struct exec *x, struct node *n, struct err *e)
{
    struct map in = cpu_map(n->in[0]), out = cpu_map(n->out[0]);
    void *to = exec_at(x, n->in_grad[0]);

    (void)e;
    memset(to, 0, map_count(&in) * dtype_bytes(in.dtype));
    map_channels(&out, exec_grad(x, n->out[0]), 0, &in, to, n->from, out.C);
    return 0;
}

const struct cpu_row cpu_concat = {same_prepare, {concat_forward, NULL, NULL, concat_data}};
const struct cpu_row cpu_slice = {same_prepare, {slice_forward, NULL, NULL, slice_data}};

/* ---- casts ----------------------------------------------------------- */

/* Of type, of layout, or both. Flattening is one: row major from the input's
 * layout, or nothing at all when that is row major. */
enum cast_op { CAST_FORWARD, CAST_DATA };

static int cast_make(struct dnn *d, struct node *n, struct dnn_layout *to, struct err *e)
{
    struct cpu_node *p = cpu_node_of(n);
    struct dnn_layout *from = cpu_layout(n->in[0], e);

    if (from && to)
        p->op[CAST_FORWARD] = dnn_reorder(d, from, to, false, e);
    if (p->op[CAST_FORWARD] && n->in_grad[0])
        p->op[CAST_DATA] = dnn_reorder(d, to, from, false, e);
    dnn_layout_destroy(from);
    dnn_layout_destroy(to);
    return p->op[CAST_FORWARD] && (!n->in_grad[0] || p->op[CAST_DATA]) ? 0 : -1;
}

static int flatten_prepare(struct dnn *d, struct node *n, struct err *e)
{
    n->alias = cpu_kind(n->in[0]) == DNN_PLAIN;
    if (n->alias)
        return 0;
    return cast_make(d, n, cpu_layout_create(&n->in[0]->shape, n->out[0]->dtype, DNN_PLAIN, e), e);
}

static int cast_prepare(struct dnn *d, struct node *n, struct err *e)
{
    if (same_prepare(d, n, e))
        return -1;
    return cast_make(d, n, cpu_layout(n->out[0], e), e);
}

static int cast_forward(const struct exec *x, struct node *n, struct err *e)
{
    return dnn_run(cpu_node_of(n)->op[CAST_FORWARD],
                   (void *[DNN_ARGS]){
                       [DNN_SRC] = exec_value(x, n->in[0]), [DNN_DST] = exec_value(x, n->out[0])},
                   e);
}

static int cast_data(const struct exec *x, struct node *n, struct err *e)
{
    return dnn_run(cpu_node_of(n)->op[CAST_DATA],
                   (void *[DNN_ARGS]){
                       [DNN_SRC] = exec_grad(x, n->out[0]), [DNN_DST] = exec_at(x, n->in_grad[0])},
                   e);
}

const struct cpu_row cpu_flatten = {flatten_prepare, {cast_forward, NULL, NULL, cast_data}};
const struct cpu_row cpu_cast = {cast_prepare, {cast_forward, NULL, NULL, cast_data}};

/* ---- losses ---------------------------------------------------------- */

static int run_loss_forward(const struct exec *x, struct node *n, struct err *e)
{
    (void)e;
    loss_forward(x, n);
    return 0;
}

static int run_loss_data(const struct exec *x, struct node *n, struct err *e)
{
    (void)e;
    loss_data(x, n);
    return 0;
}

const struct cpu_row cpu_loss = {cpu_nothing_prepare,
                                 {run_loss_forward, NULL, NULL, run_loss_data}};
