/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Average pooling and upsampling on the layouts of kernel_map.h. Both are sums
 * with weights over cells of a plane; backward is the same sum seen from the
 * other end, gathered, so no two threads write the same value.
 *
 * Life, Failure: none.
 * Threads: the OpenMP threads that are set; results do not depend on their
 *          number.
 */
#ifndef CPU_KERNEL_CELL_H
#define CPU_KERNEL_CELL_H

#include "workloads/engine/cpu/kernel_map.h"

/* N C I to N C Q; two dimensions are three with I[0] = 1. Average pooling:
 * kernel K, stride S, padding P before. Upsampling: Q = S I. */
struct cells {
    struct map in, out;
    long I[3], Q[3], K[3], S[3], P[3];
    enum upsample how;
};

/* y = mean over the taps of the window that are in x; dx from dy. */
void avgpool_forward(const struct cells *c, const void *x, void *y);
void avgpool_backward(const struct cells *c, const void *dy, void *dx);

/* y[q] = sum over the (1 or 2 per dimension) cells p near q of w(q, p) x[p];
 * dx[p] = sum over q of w(q, p) dy[q]. */
void upsample_forward(const struct cells *c, const void *x, void *y);
void upsample_backward(const struct cells *c, const void *dy, void *dx);

#endif
