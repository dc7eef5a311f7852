/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The back end for CPUs: oneDNN for what multiplies and for changes of layout,
 * own kernels for the rest.
 *
 * Layouts flow forward: a convolution takes its input as it lies, chooses how
 * its output lies, and everything up to the next convolution keeps that; so
 * there is no reorder between neighbouring layers. A gradient lies as its
 * value does. Weights are copied from the float32 masters into the layouts that
 * passes want when they have changed (cpu_copy.c).
 *
 * Threads: see cpu_threads.h for where they run.
 */
#include <config.h>

#include "workloads/engine/cpu/cpu.h"
#include "workloads/engine/cpu/cpu_threads.h"

#include <stdlib.h>

static const struct cpu_row nothing = {cpu_nothing_prepare, {NULL}};

static const struct cpu_row *const rows[OP_COUNT] = {
    [OP_INPUT] = &nothing,
    [OP_CONV] = &cpu_conv,
    [OP_MAXPOOL] = &cpu_maxpool,
    [OP_AVGPOOL] = &cpu_avgpool,
    [OP_UPSAMPLE] = &cpu_upsample,
    [OP_BATCH_NORM] = &cpu_batch_norm,
    [OP_ACT] = &cpu_act,
    [OP_SCALE] = &cpu_scale,
    [OP_FLATTEN] = &cpu_flatten,
    [OP_DENSE] = &cpu_dense,
    [OP_DROPOUT] = &cpu_dropout,
    [OP_ADD] = &cpu_add,
    [OP_MUL] = &cpu_mul,
    [OP_CONCAT] = &cpu_concat,
    [OP_SLICE] = &cpu_slice,
    [OP_DECONV] = &cpu_conv,
    [OP_DEPTHWISE] = &cpu_depthwise,
    [OP_STOP] = &cpu_stop,
    [OP_MSE] = &cpu_loss,
    [OP_MAE] = &cpu_loss,
    [OP_BCE] = &cpu_loss,
    [OP_SMOOTH_L1] = &cpu_loss,
    [OP_CROSS_ENTROPY] = &cpu_loss,
    [OP_CAST] = &cpu_cast,
    [OP_HOST] = &nothing,
    [OP_PATCHES] = &cpu_patches,
    [OP_UNPATCH] = &cpu_unpatch,
    [OP_POSITIONS] = &cpu_positions,
    [OP_LAYER_NORM] = &cpu_layer_norm,
    [OP_GELU] = &cpu_gelu,
    [OP_ATTENTION] = &cpu_attention,
};

static const char *cpu_refuses(enum tensor_dtype compute)
{
    __builtin_cpu_init();
    if (compute == TENSOR_BF16 && !__builtin_cpu_supports("avx512bf16"))
        return "this CPU has no bfloat16 instructions (AVX512_BF16): dtype=f32 is faster and "
               "more precise here";
    return NULL;
}

static int cpu_open(struct model *m, void **context, struct err *e)
{
    (void)m;
    cpu_threads_place();
    *context = dnn_open(e);
    return *context ? 0 : -1;
}

static void cpu_close(void *context)
{
    dnn_close(context);
}

/* A sigmoid makes something of the zeros in the padding of blocks: the library
 * clears them, the pool does not. */
static bool cpu_fuses(const struct node *n, enum act act, float slope)
{
    (void)slope;
    return act == ACT_LEAKY || act == ACT_TANH || (act == ACT_SIGMOID && n->op != OP_MAXPOOL);
}

static int prepare_node(struct dnn *d, struct node *n, struct err *e)
{
    n->priv = calloc(1, sizeof(struct cpu_node));
    if (!n->priv)
        return err_set(e, "out of memory for operator '%s'", n->name);
    for (int i = 0; i < n->n_in && rows[n->op] != &cpu_conv; i++) /* which chooses */
        if (cpu_settle(n->in[i], e))
            return -1;
    return rows[n->op]->prepare(d, n, e);
}

static int cpu_prepare(struct graph *g, void *context, struct err *e)
{
    struct graph_view v = graph_view(g);

    for (int i = 0; i < v.n_nodes; i++)
        if (prepare_node(context, v.nodes[i], e))
            return err_prefix(e, "%s", v.nodes[i]->name);
    for (int i = 0; i < v.n_tensors; i++)
        if (cpu_settle(v.tensors[i], e))
            return -1;
    return 0;
}

static void cpu_release(struct graph *g, void *context)
{
    struct graph_view v = graph_view(g);

    (void)context;
    for (int i = 0; i < v.n_nodes; i++) {
        struct cpu_node *p = v.nodes[i]->priv;

        for (int k = 0; p && k < OPS_MAX; k++)
            dnn_op_destroy(p->op[k]);
        free(p);
        v.nodes[i]->priv = NULL;
    }
    for (int i = 0; i < v.n_tensors; i++) {
        struct format *f = v.tensors[i]->value.format;

        if (f)
            dnn_layout_destroy(f->layout);
        free(f);
        v.tensors[i]->value.format = v.tensors[i]->grad.format = NULL;
    }
}

static int cpu_run(const struct exec *x, struct node *n, enum pass pass, struct err *e)
{
    cpu_run_fn *run = rows[n->op]->run[pass];

    if (!run)
        return err_set(e, "the cpu engine cannot run pass %d of %s", (int)pass, op_name(n->op));
    return run(x, n, e);
}

static bool cpu_how(const struct node *n, int i, const char **what, const char **name)
{
    const struct cpu_node *p = n->priv;
    const struct dnn_op *op = NULL;

    for (int k = 0; k < OPS_MAX && p && !op; k++)
        if (p->op[k] && i-- == 0)
            op = p->op[k];
    for (int k = 0; k < n->n_copies && !op; k++)
        if (i-- == 0)
            op = cpu_copy_op(n->copies[k]);
    if (!op)
        return false;
    *what = dnn_op_what(op);
    *name = dnn_op_how(op);
    return true;
}

static const char *cpu_implementation(const struct node *n, enum pass pass)
{
    static cpu_library_fn *const library[OP_COUNT] = {[OP_CONV] = cpu_conv_library,
                                                      [OP_DECONV] = cpu_conv_library,
                                                      [OP_DENSE] = cpu_dense_library};
    const struct dnn_op *op = library[n->op] && n->priv ? library[n->op](n, pass) : NULL;

    return op ? dnn_op_how(op) : NULL;
}

static int cpu_accumulate(const struct exec *x, struct tensor *t, const struct buffer *dst,
                          const struct buffer *src, struct err *e)
{
    (void)e;
    map_axpy(1, t->dtype, exec_at(x, dst), exec_at(x, src), exec_at(x, dst), cpu_count(t));
    return 0;
}

static int cpu_feed(const struct exec *x, struct tensor *t, const float *data, long n_rows,
                    struct err *e)
{
    struct map m = cpu_map(t);

    (void)e;
    map_feed(&m, exec_value(x, t), data, t->layout, n_rows);
    return 0;
}

const struct backend engine_backend_cpu = {
    .name = "cpu",
    .refuses = cpu_refuses,
    .open = cpu_open,
    .close = cpu_close,
    .fuses = cpu_fuses,
    .prepare = cpu_prepare,
    .release = cpu_release,
    .refresh = cpu_copy_refresh,
    .forget = cpu_copy_forget,
    .run = cpu_run,
    .how = cpu_how,
    .implementation = cpu_implementation,
    .accumulate = cpu_accumulate,
    .feed = cpu_feed,
};
