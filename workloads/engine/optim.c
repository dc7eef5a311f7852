/* SPDX-License-Identifier: BSD-3-Clause */
/* Update rules over flat memory: one pass, each element on its own. */
#include <config.h>

#include "workloads/engine/graph.h"

static void sgd(const struct update *u, size_t from, size_t to)
{
    const float momentum = u->optimizer->momentum;
    const float decay = u->optimizer->weight_decay;
    const float rate = u->rate;
    float *restrict w = u->master;
    float *restrict v = u->moment[0];
    const float *restrict g = u->gradient;

#pragma omp simd
    for (size_t i = from; i < to; i++) {
        v[i] = momentum * v[i] + (g[i] + decay * w[i]);
        w[i] -= rate * v[i];
    }
}

static const struct rule {
    const char *name;
    int moments;
    void (*update)(const struct update *u, size_t from, size_t to);
} rules[OPTIMIZER_COUNT] = {
    [OPTIMIZER_SGD] = {"sgd", 1, sgd},
};

int optimizer_moments(enum optimizer_kind kind)
{
    return rules[kind].moments;
}

const char *optimizer_name(enum optimizer_kind kind)
{
    return rules[kind].name;
}

int optimizer_update(const struct update *u, struct err *e)
{
    enum { PIECE = 1 << 14 };
    long pieces = (long)((u->n + PIECE - 1) / PIECE);

    (void)e;
#pragma omp parallel for schedule(static) num_threads(u->threads) if (pieces > 4)
    for (long i = 0; i < pieces; i++) {
        size_t from = (size_t)i * PIECE;

        rules[u->optimizer->kind].update(u, from, from + PIECE < u->n ? from + PIECE : u->n);
    }
    return 0;
}
