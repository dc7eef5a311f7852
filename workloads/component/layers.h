/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What published networks are made of, with PyTorch's names for their parameters, so
 * that weights travel: NAME.weight, NAME.bias, NAME.running_mean, NAME.running_var.
 *
 * Life, Failure, Threads: the engine's; a failure shows in engine_compile(). x NULL: has
 * failed before.
 */
#ifndef COMPONENT_LAYERS_H
#define COMPONENT_LAYERS_H

#include "workloads/engine/engine.h"

/* Of a block or a layer; its names are cut there. */
enum { LAYER_NAME = 32 };

/* Where the layers of one network go. */
struct place {
    struct model *model;
    int group;
};

/* "NAME.WHAT" */
struct param *layer_param(const struct place *p, struct shape shape, struct init init,
                          const char *name, const char *what);

/* kernel x kernel, He's start, no bias: a norm follows. */
struct tensor *layer_conv(const struct place *p, struct tensor *x, const char *name, long out,
                          struct window win);

/* Batch normalisation: gamma 1, beta 0, eps 1e-5, momentum 0.1. */
struct tensor *layer_norm(const struct place *p, struct tensor *x, const char *name);

#endif
