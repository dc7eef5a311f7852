/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Inside the reference back end: how it reads and writes values, and the operators over
 * rows of tokens, which are in ref_tokens.c. ref.c has the table and the others.
 *
 * Life, Failure: none.
 * Threads: pure.
 */
#ifndef ENGINE_REF_H
#define ENGINE_REF_H

#include "workloads/engine/backend.h"

static inline double load(const void *p, enum tensor_dtype dtype, size_t i)
{
    if (dtype == TENSOR_BF16)
        return (double)bf16_to(((const uint16_t *)p)[i]);
    return (double)((const float *)p)[i];
}

static inline void store(void *p, enum tensor_dtype dtype, size_t i, double v)
{
    if (dtype == TENSOR_BF16)
        ((uint16_t *)p)[i] = bf16_of((float)v);
    else
        ((float *)p)[i] = (float)v;
}

static inline double weight_at(const float *w, enum tensor_dtype dtype, size_t i)
{
    return (double)(dtype == TENSOR_BF16 ? bf16_to(bf16_of(w[i])) : w[i]);
}

/* A gradient of a parameter: the first write sets, later ones add. */
static inline void add_gradient(float *g, const struct param *p, size_t i, double v)
{
    g[i] = (float)(p->has_gradient ? (double)g[i] + v : v);
}

typedef void ref_kernel(const struct exec *x, const struct node *n);

ref_kernel ref_patches_forward, ref_patches_data, ref_unpatch_forward, ref_unpatch_data;
ref_kernel ref_positions_forward, ref_positions_weights, ref_positions_data;
ref_kernel ref_layer_norm_forward, ref_layer_norm_weights, ref_layer_norm_data;
ref_kernel ref_gelu_forward, ref_gelu_data;
ref_kernel ref_attention_forward, ref_attention_data;

/* Bytes of what attention keeps for backward: a double for each row and head. */
size_t ref_attention_work(const struct node *n);

#endif
