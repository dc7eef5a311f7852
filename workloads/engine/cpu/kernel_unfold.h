/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Weight gradient of a convolution on small maps as one product of matrices
 * (im2col: Chellapilla 2006):
 *
 *     dw[o][c k] = sum over n, q of dy[n q][o] x[n, q S + k - P][c]
 *
 * What the library multiplies block by block it cannot keep busy with on a map of 2 x 2:
 * its inner loop goes over places, and there are four. Over samples and places there
 * are N Q of them.
 *
 * Life:    plain data. Failure: none.
 * Threads: the OpenMP threads that are set; every value is copied, none is summed.
 */
#ifndef CPU_KERNEL_UNFOLD_H
#define CPU_KERNEL_UNFOLD_H

#include "workloads/engine/cpu/kernel_map.h"

/* Kernel K, stride S, padding P before; input places I, output places Q. Two dimensions
 * are three with I[0] = K[0] = 1. */
struct unfold {
    struct map x, dy;
    long I[3], Q[3], K[3], S[3], P[3];
};

/* Whether it is worth it: few places, many channels. */
bool unfold_suits(const struct unfold *u);

/* Rows of both matrices: N Q0 Q1 Q2. Columns of the unfolded input: C K0 K1 K2, the
 * window's places fastest, as plain weights O C K.. have them. */
long unfold_rows(const struct unfold *u);
long unfold_columns(const struct unfold *u);

/* to: rows x columns; what a window has outside of the map is zero. */
void unfold_input(const struct unfold *u, const void *x, void *to);
/* to: rows x dy.C. */
void unfold_gradient(const struct unfold *u, const void *dy, void *to);

#endif
