/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The attention forecaster: a vision transformer (Dosovitskiy et al. 2021) with its norms
 * before its layers, whose answer is a map again:
 *
 *   patches of p x p -> dense D -> + positions ->
 *   L x [x + dense D(attention(dense 3D(norm x))), x + dense D(gelu(dense 4D(norm x)))] ->
 *   norm -> dense C p p -> map of C x H x W
 *
 * Parameters: embed.weight, .bias; positions.weight (N x D); blockI.norm1.weight, .bias,
 * .qkv, .proj, .norm2, .fc1, .fc2 likewise; norm, head. Norms start at 1 and 0, positions
 * and the head normal with .02, the rest as Glorot, Bengio (2010); biases at 0.
 *
 * Life:    what is built is the model's.
 * Failure: as the engine's: it keeps the first sentence.
 * Threads: one.
 */
#ifndef COMPONENT_FORECAST_NET_H
#define COMPONENT_FORECAST_NET_H

#include "workloads/engine/engine.h"

struct forecast_net {
    int patch;
    long width, layers, heads;
};

/* x B x C x H x W; the answer has its shape. */
struct tensor *forecast_build(const struct forecast_net *f, struct model *m, int group,
                              struct tensor *x);

/* Tokens of a map of H x W. */
static inline long forecast_tokens(const struct forecast_net *f, long H, long W)
{
    return H / f->patch * (W / f->patch);
}

#endif
