/* SPDX-License-Identifier: BSD-3-Clause */
/* What an operator is to the compiler, in one table, and what a node of it
 * reads, computes and moves. */
#include <config.h>

#include "workloads/engine/internal.h"

const struct op_row op_rows[OP_COUNT] = {
    [OP_INPUT] = {.name = "input"},
    [OP_CONV] = {.name = "conv", .multiplies = true, .fuses = true, .flop = FLOP_OUT},
    [OP_DECONV] = {.name = "deconv", .multiplies = true, .fuses = true, .flop = FLOP_IN},
    [OP_MAXPOOL] = {.name = "maxpool", .fuses = true},
    [OP_AVGPOOL] = {.name = "avgpool"},
    [OP_UPSAMPLE] = {.name = "upsample"},
    [OP_BATCH_NORM] = {.name = "batch_norm", .fuses = true, .needs_in = true, .sums = true},
    [OP_ACT] = {.name = "act", .needs_out = true, .in_place = true, .in_place_grad = true},
    [OP_SCALE] = {.name = "scale", .in_place = true, .in_place_grad = true},
    [OP_FLATTEN] = {.name = "flatten", .alias = true},
    [OP_DENSE] = {.name = "dense", .multiplies = true, .fuses = true, .flop = FLOP_OUT},
    [OP_DROPOUT] = {.name = "dropout", .in_place = true, .in_place_grad = true},
    [OP_ADD] = {.name = "add", .in_place = true, .in_place_grad = true},
    [OP_MUL] = {.name = "mul", .needs_in = true},
    [OP_CONCAT] = {.name = "concat"},
    [OP_SLICE] = {.name = "slice"},
    [OP_STOP] = {.name = "stop", .alias = true, .grads = GRADS_NONE},
    [OP_MSE] = {.name = "mse", .needs_in = true, .island = true, .grads = GRADS_FIRST},
    [OP_MAE] = {.name = "mae", .island = true, .grads = GRADS_NONE},
    [OP_BCE] = {.name = "bce", .needs_in = true, .island = true, .grads = GRADS_FIRST},
    [OP_SMOOTH_L1] = {.name = "smooth_l1", .needs_in = true, .island = true, .grads = GRADS_FIRST},
    [OP_CROSS_ENTROPY] = {.name = "cross_entropy",
                          .needs_in = true,
                          .island = true,
                          .grads = GRADS_FIRST},
    [OP_CAST] = {.name = "cast"},
    [OP_HOST] = {.name = "host", .needs_in = true, .island = true, .grads = GRADS_HOST},
};

const char *op_name(enum op op)
{
    return op_rows[op].name;
}

/* ---- what a node reads ------------------------------------------------ */

bool node_fused_act(const struct node *n)
{
    return n->op != OP_ACT && n->act != ACT_NONE;
}

bool node_reads_in(const struct node *n, enum pass pass, int k)
{
    bool sums = op_rows[n->op].sums;

    return pass == PASS_FORWARD || (k == 0 && (pass == PASS_STATS || pass == PASS_SUMS)) ||
           (pass == PASS_WEIGHTS && k == 0 && !sums) ||
           (pass == PASS_DATA && n->needs_in && (k == 0 || !sums));
}

bool node_reads_out(const struct node *n, enum pass pass)
{
    bool sums = op_rows[n->op].sums;

    return pass == PASS_ACT || (pass == PASS_SUMS && node_fused_act(n)) ||
           (pass == PASS_DATA &&
            (n->needs_out || (node_fused_act(n) && !n->separate_act && !sums)));
}

struct tensor *tensor_base(struct tensor *t)
{
    while (t->producer->alias)
        t = t->producer->in[0];
    return t;
}

/* ---- FLOP ------------------------------------------------------------- */

double node_flop(const struct node *n, enum pass pass)
{
    if (op_rows[n->op].flop == FLOP_NONE || pass == PASS_ACT)
        return 0;
    const struct tensor *t = op_rows[n->op].flop == FLOP_IN ? n->in[0] : n->out[0];
    double each = 2;
    for (int i = 1; i < n->weight->shape.n; i++)
        each *= (double)n->weight->shape.d[i];
    return each * (double)shape_count(&t->shape);
}

double node_bytes(const struct node *n, enum pass pass)
{
    double bytes = 0;

    if (pass == PASS_STATS)
        return (double)n->in[0]->value.bytes;
    if (pass == PASS_SUMS)
        return (double)(n->in[0]->value.bytes + n->out[0]->grad.bytes);
    if (n->weight && pass != PASS_ACT)
        bytes += (double)(n->weight->count * sizeof(float));
    if (pass == PASS_WEIGHTS)
        bytes += (double)n->in[0]->value.bytes;
    for (int i = 0; i < n->n_out; i++)
        bytes += (double)(pass == PASS_FORWARD ? n->out[i]->value.bytes
                          : pass == PASS_ACT   ? n->out[i]->value.bytes + 2 * n->out[i]->grad.bytes
                                               : n->out[i]->grad.bytes);
    for (int i = 0; i < n->n_in; i++) {
        if (pass == PASS_FORWARD)
            bytes += (double)n->in[i]->value.bytes;
        else if (pass == PASS_DATA && n->in_grad[i])
            bytes += (double)n->in_grad[i]->bytes;
    }
    return bytes;
}

struct engine_flop graph_flop(const struct graph *g)
{
    struct engine_flop f = {0};

    for (int i = 0; i < g->n_nodes; i++) {
        const struct node *n = g->nodes[i];
        double one = node_flop(n, PASS_FORWARD) / (double)g->batch;

        f.forward += one;
        f.data_gradient += n->in_grad[0] ? one : 0;
        f.weight_gradient += n->weights_wanted ? one : 0;
    }
    f.executed = f.forward + f.data_gradient + f.weight_gradient;
    f.three_forward = 3 * f.forward;
    return f;
}
