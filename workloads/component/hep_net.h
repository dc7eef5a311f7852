/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The networks of particle physics, as operators of the engine.
 *
 * ResNet-50 v1.5 (He et al. 2015; the stride is in the 3 x 3): stem 7 x 7,
 * stages of bottlenecks, global average, dense 2. HEP-CNN (Bhimji et al. 2017,
 * Kurth et al. SC'17): stages of [conv 3 x 3, ReLU, max-pool 2, dropout], one
 * more convolution, global average, dense 2. Parameters have PyTorch's names
 * (torchvision's for ResNet), so that weights travel.
 *
 * Life, Failure, Threads: the engine's; a failure shows in engine_compile().
 */
#ifndef COMPONENT_HEP_NET_H
#define COMPONENT_HEP_NET_H

#include "workloads/engine/engine.h"

enum { HEP_CHANNELS = 3, HEP_CLASSES = 2, HEP_STAGES = 4 };

/* Stage i has blocks[i] bottlenecks of `width` x 2^i inner channels; 0: no such
 * stage. The published one: width 64, {3, 4, 6, 3}. */
struct hep_resnet {
    long width;
    int blocks[HEP_STAGES];
};

/* The published one: width 128, 4 stages, dropout .5. */
struct hep_cnn {
    long width;
    int stages;
    float dropout;
};

/* x B x 3 x H x W; returns the logits, B x 2. Parameters go to the group. */
struct tensor *hep_resnet(struct model *m, int group, struct tensor *x,
                          const struct hep_resnet *shape);
struct tensor *hep_cnn(struct model *m, int group, struct tensor *x, const struct hep_cnn *shape);

#endif
