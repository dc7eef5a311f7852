/* SPDX-License-Identifier: BSD-3-Clause */
/* Losses and metrics on the host, for back ends (kinds and formulas: engine.h).
 * They are always plain float32 (backend.h); OpenMP threads as set. */
#ifndef ENGINE_LOSS_H
#define ENGINE_LOSS_H

#include "workloads/engine/backend.h"

void loss_forward(const struct exec *x, const struct node *n);
/* Not of a metric. */
void loss_data(const struct exec *x, const struct node *n);

#endif
