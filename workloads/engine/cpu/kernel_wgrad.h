/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Weight gradient of a convolution with few input channels.
 *
 * oneDNN 2.6 and 3.2 have no fast one in three dimensions: with 4 channels in
 * float32 they fall back to a reference loop (minutes for a step of CosmoFlow,
 * 7.2 GFLOP) or, channels last, to 14 GFLOP/s a thread.
 *
 * Life:    plain data; scratch is the caller's, 64-byte aligned.
 * Failure: none.
 * Threads: the OpenMP threads that are set. Rows are cut into a fixed number
 *          of parts whose sums are added in order, so results do not depend on
 *          the number of threads.
 */
#ifndef CPU_KERNEL_WGRAD_H
#define CPU_KERNEL_WGRAD_H

#include "workloads/engine/cpu/kernel_map.h"

/* dw[o][c][k] = sum over n, q of dy[n][o][q] x[n][c][q S + k - P]; kernel K,
 * stride S, padding P before. Two dimensions are three with I[0] = K[0] = 1. */
struct wgrad {
    struct map x, dy;
    long I[3], Q[3], K[3], S[3], P[3];
};

/* Whether it is worth it: few channels, and windows that lie in a row. */
bool wgrad_suits(const struct wgrad *g);
size_t wgrad_scratch_bytes(const struct wgrad *g);

/* Instruction sets that this CPU has, best first: name i, NULL past the end. */
const char *wgrad_level(int i);

/* level: 0 but in tests. dw: O C K.., plain; db: O or NULL. add: to what is
 * there. */
void wgrad_run(int level, const struct wgrad *g, const void *x, const void *dy, bool add_w,
               float *dw, bool add_b, float *db, void *scratch);

#endif
