/* SPDX-License-Identifier: BSD-3-Clause */
/* What an operator is to the compiler, in one table, and what a node of it
 * reads, computes and moves. */
#include <config.h>

#include "workloads/engine/internal.h"

const struct op_row op_rows[OP_COUNT] = {
    [OP_INPUT] = {.name = "input"},
    [OP_CONV] = {.name = "conv", .multiplies = true, .fuses = true, .flop = FLOP_OUT},
    [OP_DECONV] = {.name = "deconv", .multiplies = true, .fuses = true, .flop = FLOP_IN},
    [OP_DEPTHWISE] = {.name = "depthwise", .multiplies = true, .flop = FLOP_OUT},
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
    [OP_PATCHES] = {.name = "patches"},
    [OP_UNPATCH] = {.name = "unpatch"},
    [OP_POSITIONS] = {.name = "positions", .in_place = true, .in_place_grad = true, .shifts = true},
    [OP_LAYER_NORM] = {.name = "layer_norm", .needs_in = true},
    [OP_GELU] = {.name = "gelu", .needs_in = true, .in_place_grad = true},
    [OP_ATTENTION] = {.name = "attention",
                      .needs_in = true,
                      .needs_out = true,
                      .multiplies = true,
                      .flop = FLOP_ATTENTION},
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
           (pass == PASS_WEIGHTS && k == 0 && !sums && !op_rows[n->op].shifts) ||
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
    if (op_rows[n->op].flop == FLOP_ATTENTION)
        return (pass == PASS_FORWARD ? 4 : 8) * (double)n->tokens *
               (double)shape_count(&n->out[0]->shape);
    const struct tensor *t = op_rows[n->op].flop == FLOP_IN ? n->in[0] : n->out[0];
    double each = 2;
    for (int i = 1; i < n->weight->shape.n; i++)
        each *= (double)n->weight->shape.d[i];
    return each * (double)shape_count(&t->shape);
}

/* Pairs (place, tap) of dimension i whose other end, place x stride + tap x dilation -
 * before, is one of so many places. */
static double taps_inside(const struct window *w, int i, long places, long others)
{
    double inside = 0;

    for (long q = 0; q < places; q++)
        for (int k = 0; k < w->kernel[i]; k++) {
            const long at = q * w->stride[i] + (long)k * w->dilation[i] - w->before[i];
            inside += at >= 0 && at < others;
        }
    return inside;
}

double node_needed_flop(const struct node *n, enum pass pass)
{
    double flop = node_flop(n, pass);

    if (n->op != OP_CONV && n->op != OP_DECONV && n->op != OP_DEPTHWISE)
        return flop;
    /* a transposed convolution runs from its input to its output as the other one
     * does from its output to its input */
    const struct shape *from = n->op != OP_DECONV ? &n->out[0]->shape : &n->in[0]->shape;
    const struct shape *to = n->op != OP_DECONV ? &n->in[0]->shape : &n->out[0]->shape;
    for (int i = 0; i + 2 < from->n; i++)
        flop *= taps_inside(&n->window, i, from->d[i + 2], to->d[i + 2]) /
                ((double)from->d[i + 2] * n->window.kernel[i]);
    return flop;
}

/* Bytes of a parameter as a pass reads it: the smallest of its copies, or the master. */
static double param_bytes(const struct node *n, const struct param *p)
{
    size_t bytes = p->count * sizeof(float);

    for (int i = 0; i < n->n_copies; i++)
        if (n->copies[i]->param == p && n->copies[i]->bytes < bytes)
            bytes = n->copies[i]->bytes;
    return (double)bytes;
}

static double params_bytes(const struct node *n, enum pass pass)
{
    const struct param *all[] = {n->weight, n->bias};
    double bytes = 0;

    for (int i = 0; i < 2; i++) {
        if (!all[i])
            continue;
        if (pass == PASS_WEIGHTS) /* their gradients */
            bytes += (double)(all[i]->count * sizeof(float));
        else if (pass == PASS_FORWARD || (pass == PASS_DATA && i == 0))
            bytes += param_bytes(n, all[i]);
    }
    return bytes;
}

/* Gradients of the outputs: read by all that goes back, changed in place by ACT and by
 * SUMS behind an epilogue. A sum over ranks leaves WEIGHTS nothing but doubles. */
static double grads_bytes(const struct node *n, enum pass pass)
{
    const bool changed = pass == PASS_ACT || (pass == PASS_SUMS && node_fused_act(n));
    double bytes = 0;

    if (pass == PASS_FORWARD || pass == PASS_STATS || (pass == PASS_WEIGHTS && op_rows[n->op].sums))
        return 0;
    for (int i = 0; i < n->n_out; i++)
        bytes += (double)n->out[i]->grad.bytes * (changed ? 2 : 1);
    return bytes;
}

double node_bytes(const struct node *n, enum pass pass)
{
    double bytes = params_bytes(n, pass) + grads_bytes(n, pass);

    if (pass == PASS_FORWARD || pass == PASS_DATA || pass == PASS_SUMS)
        bytes += (double)n->work.bytes;
    for (int i = 0; i < n->n_in; i++) {
        if (node_reads_in(n, pass, i))
            bytes += (double)n->in[i]->value.bytes;
        if (pass == PASS_DATA && n->in_grad[i])
            bytes += (double)n->in_grad[i]->bytes;
    }
    for (int i = 0; i < n->n_out; i++)
        if (pass == PASS_FORWARD || node_reads_out(n, pass))
            bytes += (double)n->out[i]->value.bytes;
    return bytes;
}

struct engine_flop graph_flop(const struct graph *g)
{
    struct engine_flop f = {0};

    for (int i = 0; i < g->n_nodes; i++) {
        const struct node *n = g->nodes[i];
        double one = node_flop(n, PASS_FORWARD) / (double)g->batch;

        f.forward += one;
        f.data_gradient += n->in_grad[0] ? node_flop(n, PASS_DATA) / (double)g->batch : 0;
        f.weight_gradient += n->weights_wanted ? one : 0;
    }
    f.executed = f.forward + f.data_gradient + f.weight_gradient;
    f.three_forward = 3 * f.forward;
    return f;
}
