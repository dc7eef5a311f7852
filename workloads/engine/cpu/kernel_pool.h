/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Max-pool with the activation behind it, on the layouts of kernel_map.h.
 *
 * Forward keeps, for each output, which tap of the window won (the first on a
 * tie; padding never wins). Backward sends the gradient there.
 *
 * Life, Failure: none.
 * Threads: the OpenMP threads that are set; results do not depend on their
 *          number.
 */
#ifndef CPU_KERNEL_POOL_H
#define CPU_KERNEL_POOL_H

#include "workloads/engine/cpu/kernel_map.h"

/* N C I to N C Q with kernel K, stride S, padding P before; two dimensions are
 * three with I[0] = 1. */
struct pool {
    struct map in, out;
    long I[3], Q[3], K[3], S[3], P[3];
    enum act act;
    float slope;
};

/* Bytes of a winner's number, and of all of them. */
size_t pool_winner_bytes(const struct pool *p);
size_t pool_work_bytes(const struct pool *p);

/* y = act(max of window of x); work: the winners. */
void pool_forward(const struct pool *p, const void *x, void *y, void *work);
/* dx = 0 but where a window's winner was: sum of dy act'(y). */
void pool_backward(const struct pool *p, const void *y, const void *dy, const void *work, void *dx);

/* The same without vector instructions of this CPU: what tests compare with. */
void pool_forward_plain(const struct pool *p, const void *x, void *y, void *work);
void pool_backward_plain(const struct pool *p, const void *y, const void *dy, const void *work,
                         void *dx);

#endif
