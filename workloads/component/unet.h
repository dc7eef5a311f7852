/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * U-Net (Ronneberger, Fischer, Brox 2015) with padding that keeps the size and
 * batch normalisation, as it is commonly built:
 *
 *   level l = 0 .. levels: 2 x [conv 3x3 to width 2^l, batch norm, ReLU], then
 *       (but in the last) max-pool 2x2
 *   level l = levels - 1 .. 0: transposed conv 2x2 stride 2 to width 2^l, behind
 *       what level l kept, 2 x [conv 3x3 to width 2^l, batch norm, ReLU]
 *   conv 1x1 to the classes
 *
 * Convolutions of 3x3 have no bias (batch norm has one). With 1 channel, width
 * 64, 4 levels: 31,036,546 parameters for 2 classes, 31,036,806 for 6.
 *
 * Parameters and states, in order: downL.conv1.weight, .bn1.weight, .bn1.bias,
 * (states .bn1.mean, .bn1.variance), the same with 2; upL.deconv.weight and
 * .bias, upL.conv1 ...; head.weight, head.bias.
 *
 * Life:    the tensors are the model's.
 * Failure: NULL; the sentence is given by engine_compile().
 * Threads: the model's.
 */
#ifndef COMPONENT_UNET_H
#define COMPONENT_UNET_H

#include "workloads/engine/engine.h"

struct unet {
    int width;  /* of level 0 */
    int levels; /* that are pooled */
    int classes;
};

/* x: batch x channels x H x W, H and W multiples of 2^levels. Returns logits:
 * batch x classes x H x W, computed in float32. */
struct tensor *unet_build(const struct unet *u, struct model *m, int group, struct tensor *x);

#endif
