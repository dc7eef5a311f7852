/* SPDX-License-Identifier: BSD-3-Clause */
/* Building graphs: the operators over rows of tokens. */
#include <config.h>

#include "workloads/engine/internal.h"

struct tensor *op_patches(struct tensor *x, int p)
{
    struct node *n;

    if (!x)
        return NULL;
    const long *d = x->shape.d;
    if (x->shape.n != 4 || p < 1 || d[2] % p || d[3] % p)
        return node_refuse(x, OP_PATCHES, "it must have 2 dimensions, multiples of the patch");
    struct shape out = SHAPE(d[0] * (d[2] / p) * (d[3] / p), d[1] * p * p);
    struct tensor *y = node_simple(OP_PATCHES, 1, &x, &out, &n);
    if (y)
        n->window = WINDOW(p, p, 0);
    return y;
}

struct tensor *op_unpatch(struct tensor *x, int p, long H, long W)
{
    struct node *n;

    if (!x)
        return NULL;
    if (x->shape.n != 2 || p < 1 || H < 1 || W < 1 || H % p || W % p || x->shape.d[1] % (p * p) ||
        x->shape.d[0] % ((H / p) * (W / p)))
        return node_refuse(x, OP_UNPATCH, "its rows are not the patches of such maps");
    struct shape out =
        SHAPE(x->shape.d[0] / ((H / p) * (W / p)), x->shape.d[1] / ((long)p * p), H, W);
    struct tensor *y = node_simple(OP_UNPATCH, 1, &x, &out, &n);
    if (y)
        n->window = WINDOW(p, p, 0);
    return y;
}

struct tensor *op_positions(struct tensor *x, struct param *p)
{
    struct node *n;

    if (!x || !p)
        return NULL;
    if (node_check_params(x, OP_POSITIONS, p, NULL))
        return NULL;
    if (x->shape.n != 2 || p->shape.n != 2 || p->shape.d[1] != x->shape.d[1] ||
        p->shape.d[0] * x->graph->batch != x->shape.d[0])
        return node_refuse(x, OP_POSITIONS, "the parameter must have a row for each of a sample's");
    struct tensor *y = node_simple(OP_POSITIONS, 1, &x, &x->shape, &n);
    if (!y)
        return NULL;
    n->weight = p;
    node_name_by_weight(n, p);
    return y;
}

struct tensor *op_layer_norm(struct tensor *x, struct param *gamma, struct param *beta, float eps)
{
    struct node *n;

    if (!x || !gamma || !beta)
        return NULL;
    if (node_check_params(x, OP_LAYER_NORM, gamma, beta))
        return NULL;
    if (x->shape.n != 2 || gamma->count != (size_t)x->shape.d[1] || gamma->shape.n != 1)
        return node_refuse(x, OP_LAYER_NORM, "it must be N x D, with parameters of D values");
    if (!(eps > 0))
        return node_refuse(x, OP_LAYER_NORM, "eps must be above 0");
    struct tensor *y = node_simple(OP_LAYER_NORM, 1, &x, &x->shape, &n);
    if (!y)
        return NULL;
    n->weight = gamma;
    n->bias = beta;
    n->eps = eps;
    node_name_by_weight(n, gamma);
    return y;
}

struct tensor *op_gelu(struct tensor *x)
{
    return x ? node_simple(OP_GELU, 1, &x, &x->shape, NULL) : NULL;
}

struct tensor *op_attention(struct tensor *x, long heads)
{
    struct node *n;

    if (!x)
        return NULL;
    if (x->shape.n != 2 || heads < 1 || x->shape.d[1] % (3 * heads) ||
        x->shape.d[0] % x->graph->batch)
        return node_refuse(x, OP_ATTENTION,
                           "it must be rows of tokens, queries, keys and values of whole heads");
    if (x->shape.d[1] / (3 * heads) > HEAD_VALUES)
        return node_refuse(x, OP_ATTENTION, "a head may have at most 512 values");
    struct shape out = SHAPE(x->shape.d[0], x->shape.d[1] / 3);
    struct tensor *y = node_simple(OP_ATTENTION, 1, &x, &out, &n);
    if (!y)
        return NULL;
    n->heads = heads;
    n->tokens = x->shape.d[0] / x->graph->batch;
    return y;
}
