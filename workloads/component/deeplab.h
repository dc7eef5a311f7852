/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * DeepLabv3+ with an Xception of output stride 16, as MLPerf HPC's reference for DeepCAM
 * has it (Chen et al. 2018, arXiv 1802.02611; Kurth et al. 2018; Chollet 2017). sep a-b:
 * depthwise 3 x 3, then 1 x 1 from a to b channels, no norm between; BN ReLU behind each
 * convolution where not said.
 *
 *   entry   conv 3 x 3 stride 2 to 32, conv 3 x 3 to 64; blocks of two seps and one of
 *           stride 2 without BN, to 128, 256, 728, beside each a 1 x 1 of stride 2 and BN
 *   middle  16 blocks of three seps 728, + what went in
 *   exit    sep 728, sep 728-1024, sep 1024-1024 without BN, beside it a 1 x 1 and BN; seps
 *           of dilation 2 to 1536, 1536, 2048
 *   ASPP    1 x 1 and 3 x 3 of dilation 6, 12, 18 to 256; the map's mean, 1 x 1 to 256, a
 *           factor and a shift for each channel, ReLU, laid out over the map; 1 x 1 of
 *           all five to 256
 *   decoder two transposed 3 x 3 of stride 2; + the first block's output, 1 x 1 to 48;
 *           3 x 3, 3 x 3, 1 x 1 with a bias and no BN; transposed to 256; transposed to
 *           the classes, no BN
 *
 * ReLU is behind the sum of every block but the last one, also for what the decoder takes
 * of the first (the reference's is in place). Widths are published ones; `divide` makes
 * each a part of that, rounded up to whole sixteens. For 16 channels and 3 classes it
 * has 56,454,720 parameters and, at 768 x 1152, 655.3 GFLOP forward.
 *
 * Start: He's (normal, fan in) up to the decoder; the decoder's have the variance of
 * PyTorch's default, 1 / (3 fan in), which the reference leaves it, normal here.
 *
 * Parameters have PyTorch's names (layers.h). Height and width are multiples of 16.
 * Life, Failure, Threads: the engine's; a failure shows in engine_compile().
 */
#ifndef COMPONENT_DEEPLAB_H
#define COMPONENT_DEEPLAB_H

#include "workloads/engine/engine.h"

struct deeplab {
    int divide; /* widths; 1: the published ones */
    int middle; /* blocks of the middle flow; 16 */
    int classes;
};

/* x B x C x H x W; returns the logits, B x classes x H x W. Parameters go to the group. */
struct tensor *deeplab_build(const struct deeplab *d, struct model *m, int group, struct tensor *x);

#endif
