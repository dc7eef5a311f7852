/* SPDX-License-Identifier: BSD-3-Clause */
/* What of batch normalisation is per channel, for back ends on the host. */
#ifndef ENGINE_NORM_H
#define ENGINE_NORM_H

#include "workloads/engine/backend.h"

/* Values per channel that the statistics are of: of all ranks, or of this one
 * where the node is local; at least 1. */
double norm_count(const struct exec *x, const struct node *n);

/* Before the output is made: work becomes C pairs (mean, 1 / sqrt(v + eps)),
 * from `sums` in training, where the running statistics follow unless the group
 * is frozen, else from these. */
void norm_settle(const struct exec *x, const struct node *n);

/* Gradients of gamma and beta, from this rank's `back`. */
void norm_weights(const struct exec *x, const struct node *n);

#endif
