/* SPDX-License-Identifier: BSD-3-Clause */
/* Depthwise convolution on the CPU: kernels of our own in all passes (kernel_depthwise.h
 * says why); the output lies as the input does. */
#include <config.h>

#include "workloads/engine/cpu/cpu.h"

enum depthwise_piece { PIECE_SUMS, PIECE_BIAS };

static int depthwise_prepare(struct dnn *d, struct node *n, struct err *e)
{
    struct cpu_node *p = cpu_node_of(n);
    struct depthwise *g = &p->depthwise;
    const int skip = 5 - n->in[0]->shape.n;

    (void)d;
    if (cpu_set_kind(n->out[0], cpu_kind(n->in[0]), e))
        return -1;
    *g = (struct depthwise){.x = cpu_map(n->in[0]), .y = cpu_map(n->out[0])};
    cpu_window_sizes(n, g->I, g->Q, g->K, g->S, g->P);
    for (int i = 0; i < 3; i++)
        g->D[i] = i < skip ? 1 : n->window.dilation[i - skip];
    const size_t bytes = depthwise_scratch_bytes(g);
    n->scratch[PASS_FORWARD].bytes = n->scratch[PASS_DATA].bytes = bytes;
    cpu_piece_add(&n->scratch[PASS_WEIGHTS], &p->piece[PIECE_SUMS], bytes);
    if (n->bias)
        cpu_piece_add(&n->scratch[PASS_WEIGHTS], &p->piece[PIECE_BIAS],
                      (size_t)(g->y.N * g->y.C) * sizeof(double));
    return 0;
}

static int run_forward(const struct exec *x, struct node *n, struct err *e)
{
    (void)e;
    depthwise_forward(&cpu_node_of(n)->depthwise, exec_master(x, n->weight),
                      n->bias ? exec_master(x, n->bias) : NULL, exec_value(x, n->in[0]),
                      exec_value(x, n->out[0]), exec_at(x, &n->scratch[PASS_FORWARD]));
    return 0;
}

static int run_weights(const struct exec *x, struct node *n, struct err *e)
{
    struct cpu_node *p = cpu_node_of(n);
    const struct buffer *scratch = &n->scratch[PASS_WEIGHTS];
    const void *dy = exec_grad(x, n->out[0]);

    (void)e;
    depthwise_weights(&p->depthwise, exec_value(x, n->in[0]), dy, n->weight->has_gradient,
                      exec_gradient(x, n->weight), cpu_piece(x, scratch, &p->piece[PIECE_SUMS]));
    if (n->bias)
        map_bias_sums(&p->depthwise.y, dy, n->bias->has_gradient, exec_gradient(x, n->bias),
                      cpu_piece(x, scratch, &p->piece[PIECE_BIAS]));
    return 0;
}

static int run_data(const struct exec *x, struct node *n, struct err *e)
{
    (void)e;
    depthwise_data(&cpu_node_of(n)->depthwise, exec_master(x, n->weight), exec_grad(x, n->out[0]),
                   exec_at(x, n->in_grad[0]), exec_at(x, &n->scratch[PASS_DATA]));
    return 0;
}

const struct cpu_row cpu_depthwise = {depthwise_prepare,
                                      {run_forward, NULL, run_weights, run_data}};
