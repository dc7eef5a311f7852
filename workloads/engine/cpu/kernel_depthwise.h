/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Depthwise convolution, in all three passes, on the layouts of kernel_map.h:
 *
 *     y[n][c][q]  = b[c] + sum over k of x[n][c][q S + k D - P] w[c][k]
 *     dx[n][c][p] = sum over the (q, k) with q S + k D - P = p of dy[n][c][q] w[c][k]
 *     dw[c][k]    = sum over n, q of dy[n][c][q] x[n][c][q S + k D - P]
 *
 * Each value is read for as many FLOP as the window has taps, so it is memory that
 * counts, and what lies in blocks stays in blocks. oneDNN 2.6.3 has vector code for it
 * but backward with a dilation, where it falls to its reference loop (DeepLab's exit
 * flow: 3 x 3, dilation 2, 1,024 to 1,536 channels).
 *
 * Weights are float32 masters, C K0 K1 K2; where tensors are bfloat16 they are rounded
 * to it first, as other back ends' copies are.
 *
 * Life:    plain data; scratch is the caller's, 64-byte aligned.
 * Failure: none.
 * Threads: the OpenMP threads that are set. Sums of weights are cut into a fixed number
 *          of parts that are added in order: results do not depend on their number.
 */
#ifndef CPU_KERNEL_DEPTHWISE_H
#define CPU_KERNEL_DEPTHWISE_H

#include "workloads/engine/cpu/kernel_map.h"

/* Kernel K, stride S, padding P before, taps D apart; x has places I, y has places Q,
 * and both lie alike. Two dimensions are three with I[0] = K[0] = 1. */
struct depthwise {
    struct map x, y;
    long I[3], Q[3], K[3], S[3], P[3], D[3];
};

/* Of any pass. */
size_t depthwise_scratch_bytes(const struct depthwise *g);

/* bias: C, or NULL. The padding of blocks becomes 0. */
void depthwise_forward(const struct depthwise *g, const float *w, const float *bias, const void *x,
                       void *y, void *scratch);
void depthwise_data(const struct depthwise *g, const float *w, const void *dy, void *dx,
                    void *scratch);
/* add: to what is there. */
void depthwise_weights(const struct depthwise *g, const void *x, const void *dy, bool add,
                       float *dw, void *scratch);

#endif
