/* SPDX-License-Identifier: BSD-3-Clause */
/* A small net of CosmoFlow's kind on made-up samples, trained step by step. */
#ifndef ENGINE_TRAINER_H
#define ENGINE_TRAINER_H

#include "workloads/engine/engine.h"

enum { TRAINER_SIDE = 8, TRAINER_CUBE = 4 * TRAINER_SIDE * TRAINER_SIDE * TRAINER_SIDE };

struct trainer {
    struct model *m;
    struct graph *g;
    int group;
    struct tensor *x, *y, *loss, *mae, *out;
    struct param *params[16];
    const char *names[16];
    int n_params;
};

/* weight_decay and momentum as given; fails the test when the engine does. */
void trainer_create(struct trainer *t, const struct engine_config *config, long batch,
                    float dropout, const struct optimizer *o);
void trainer_destroy(struct trainer *t);

/* Sample `id`: channels-last cube and its four labels. */
void trainer_sample(uint64_t id, float *cube, float *label);

/* One training step on these samples; the loss is this rank's part. */
float trainer_step(struct trainer *t, const uint64_t *ids, long rows, long global_rows,
                   uint64_t epoch, double rate);

#endif
