/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which shapes an operator is measured at. By class:
 *
 *   tiny      of the networks' class tiny, the layer of each way (2-D, 3-D; max, average;
 *             ...) that has most work in all networks together: two of an operator that
 *             multiplies, one of another; gemm: one of DeepBench's. A demonstration; what
 *             multiplies nothing in f32 alone.
 *   small     of the networks' class small the layers with most work, the largest of each
 *             way before the second: 8 of an operator that multiplies, 6 of another; of
 *             HPC AI500 V1's and DeepBench's shapes of at most 2^32 multiply-adds and
 *             2^25 values 6, from the most work to the least in even steps; conv: two
 *             depthwise ones of DeepLabv3+ at its full width, dilation 1 and 2
 *   standard  every layer of all classes, HPC AI500 V1's own, all of DeepBench's
 *
 * So that all of micro takes about a minute, about ten, and what it takes.
 *
 * Layers are those of the compiled graphs of all workloads (workload.h, graphs), for one
 * of so many ranks, each shape once; the parts are those that the networks compute (a
 * first layer has no data gradient). `from` names who has it and how many times.
 * Depthwise convolutions are a way of conv, beside 2-D and 3-D.
 *
 * HPC AI500 V1 (Jiang et al., Bench'18, arXiv 1908.02607): convolution of 5 x 16 x 768 x
 * 1152 with 16 filters of 2 x 2; pooling of the same in windows of 5 x 5; a dense layer
 * of it to 16. Its image generation is a DCGAN (4 transposed convolutions of 5 x 5,
 * stride 2, from 16 x 16 x 512).
 *
 * Life:    shapes_free(); of a failed list too.
 * Failure: -1 and a sentence.
 * Threads: one.
 */
#ifndef MICRO_SHAPES_H
#define MICRO_SHAPES_H

#include "reports/core/runspec.h"
#include "workloads/micro/operator.h"

struct shapes {
    struct operator_shape *v;
    int n;
};

int shapes_list(struct shapes *list, enum operator_kind kind, enum runspec_class class, int ranks,
                struct err *e);
void shapes_free(struct shapes *list);

#endif
