/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Attention of many heads, tile by tile: of N tokens a sample no N x N matrix is held, but
 * tiles of 64 x 64 scores (Dao et al. 2022, arXiv 2205.14135; the running maximum and sum:
 * Milakov, Gimelshein 2018).
 *
 *   qkv, dqkv: B N rows of 3 D values: q, k, v, in each the heads side by side
 *   y, dy:     B N rows of D = heads d values
 *   sums:      [B][heads][N]: logarithm of a token's sum of exponentials
 *
 * Scores are made with keys down and queries across: sixteen queries share a register, so
 * maximum, exponential and sum of a row of scores are those of sixteen rows at once, and
 * no keys need turning. Everything is float32 inside; bfloat16 is widened when a tile is
 * read and rounded once when a result is stored.
 *
 * Life, Failure: none.
 * Threads: `threads` OpenMP threads: forward over tiles of queries, backward over heads,
 *          whose gradients of keys and values one thread sums in order: the same bits for
 *          any number of them.
 */
#ifndef CPU_KERNEL_ATTENTION_H
#define CPU_KERNEL_ATTENTION_H

#include <stddef.h>

#include "workloads/engine/backend.h"

struct attention {
    long B, N, heads, d;
    enum tensor_dtype dtype;
    int threads;
};

/* Bytes that a pass needs beside its tensors. */
size_t attention_scratch_bytes(const struct attention *a, bool backward);

void attention_forward(const struct attention *a, const void *qkv, void *y, float *sums,
                       void *scratch);
void attention_backward(const struct attention *a, const void *qkv, const void *y,
                        const float *sums, const void *dy, void *dqkv, void *scratch);

#endif
