/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Update rules over flat memory: one pass, each element on its own; LAMB needs
 * two norms of each parameter first. engine.h has the formulas.
 */
#include <config.h>

#include "workloads/engine/internal.h"

#include <math.h>

enum { PIECE = 1 << 14, CHUNKS = 64 };

/* What an element needs beside the arrays. */
struct factors {
    float rate, momentum, decay;
    float b1, b2, c1, c2; /* betas, and 1 - beta */
    float eps;
    float first, second; /* 1 / (1 - b1^t), 1 / sqrt(1 - b2^t) */
};

static struct factors factors_of(const struct update *u)
{
    const struct optimizer *o = u->optimizer;
    double b1 = (double)o->beta[0], b2 = (double)o->beta[1], t = (double)u->step;

    return (struct factors){
        .rate = u->rate,
        .momentum = o->momentum,
        .decay = o->weight_decay,
        .b1 = (float)b1,
        .b2 = (float)b2,
        .c1 = (float)(1 - b1),
        .c2 = (float)(1 - b2),
        .eps = o->eps,
        .first = (float)(1 / (1 - pow(b1, t))),
        .second = (float)(1 / sqrt(1 - pow(b2, t))),
    };
}

static void sgd(const struct update *u, const struct factors *f, size_t from, size_t to)
{
    const float momentum = f->momentum, decay = f->decay, rate = f->rate;
    float *restrict w = u->master;
    float *restrict v = u->moment[0];
    const float *restrict g = u->gradient;

#pragma omp simd
    for (size_t i = from; i < to; i++) {
        v[i] = momentum * v[i] + (g[i] + decay * w[i]);
        w[i] -= rate * v[i];
    }
}

/* decoupled: the decay acts on the weight (AdamW), else on the gradient. */
static inline void adam_of(const struct update *u, const struct factors *f, size_t from, size_t to,
                           bool decoupled)
{
    const struct factors k = *f;
    const float in_gradient = decoupled ? 0 : k.decay;
    const float keep = decoupled ? 1 - k.rate * k.decay : 1;
    float *restrict w = u->master;
    float *restrict m = u->moment[0];
    float *restrict v = u->moment[1];
    const float *restrict g = u->gradient;

#pragma omp simd
    for (size_t i = from; i < to; i++) {
        float d = g[i] + in_gradient * w[i];

        m[i] = k.b1 * m[i] + k.c1 * d;
        v[i] = k.b2 * v[i] + k.c2 * d * d;
        w[i] = keep * w[i] - k.rate * (k.first * m[i]) / (k.second * sqrtf(v[i]) + k.eps);
    }
}

static void adam(const struct update *u, const struct factors *f, size_t from, size_t to)
{
    adam_of(u, f, from, to, false);
}

static void adamw(const struct update *u, const struct factors *f, size_t from, size_t to)
{
    adam_of(u, f, from, to, true);
}

static void rmsprop(const struct update *u, const struct factors *f, size_t from, size_t to)
{
    const struct factors k = *f;
    float *restrict w = u->master;
    float *restrict v = u->moment[0];
    float *restrict b = u->moment[1];
    const float *restrict g = u->gradient;

#pragma omp simd
    for (size_t i = from; i < to; i++) {
        float d = g[i] + k.decay * w[i];

        v[i] = k.b2 * v[i] + k.c2 * d * d;
        b[i] = k.momentum * b[i] + d / (sqrtf(v[i]) + k.eps);
        w[i] -= k.rate * b[i];
    }
}

/* The direction of LAMB at one element, before the trust ratio. */
static inline float lamb_direction(const struct factors *k, float w, float m, float v)
{
    return k->first * m / (k->second * sqrtf(v) + k->eps) + k->decay * w;
}

/* Pass 1: moments; sums[0] += w^2, sums[1] += direction^2. */
static void lamb_moments(const struct update *u, const struct factors *k, size_t from, size_t to,
                         double sums[2])
{
    double ww = 0, dd = 0;

    for (size_t i = from; i < to; i++) {
        float w = u->master[i], g = u->gradient[i];
        float *m = &u->moment[0][i], *v = &u->moment[1][i];

        *m = k->b1 * *m + k->c1 * g;
        *v = k->b2 * *v + k->c2 * g * g;
        double d = (double)lamb_direction(k, w, *m, *v);
        ww += (double)w * (double)w;
        dd += d * d;
    }
    sums[0] = ww;
    sums[1] = dd;
}

/* Bounds of chunk c of n elements: the same for any number of threads. */
static size_t chunk_at(size_t n, int c)
{
    return n / CHUNKS * (size_t)c + n % CHUNKS * (size_t)c / CHUNKS;
}

static void lamb(const struct update *u, const struct factors *k)
{
    double sums[CHUNKS][2], ww = 0, dd = 0;

    /* 1: moments and norms */
#pragma omp parallel for schedule(static) num_threads(u->threads) if (u->n > 4 * PIECE)
    for (int c = 0; c < CHUNKS; c++)
        lamb_moments(u, k, chunk_at(u->n, c), chunk_at(u->n, c + 1), sums[c]);
    for (int c = 0; c < CHUNKS; c++) {
        ww += sums[c][0];
        dd += sums[c][1];
    }
    float rate = ww > 0 && dd > 0 ? (float)((double)k->rate * sqrt(ww / dd)) : k->rate;

    /* 2: weights */
#pragma omp parallel for schedule(static) num_threads(u->threads) if (u->n > 4 * PIECE)
    for (size_t i = 0; i < u->n; i++)
        u->master[i] -= rate * lamb_direction(k, u->master[i], u->moment[0][i], u->moment[1][i]);
}

/* What of struct optimizer a rule reads. */
enum { USES_MOMENTUM = 1, USES_BETA1 = 2, USES_BETA2 = 4, USES_EPS = 8 };

static const struct rule {
    const char *name;
    int moments;
    int uses;
    bool counts; /* its result depends on the number of the step */
    void (*update)(const struct update *u, const struct factors *f, size_t from, size_t to);
    void (*whole)(const struct update *u, const struct factors *f); /* one parameter at a time */
} rules[OPTIMIZER_COUNT] = {
    [OPTIMIZER_SGD] = {"sgd", 1, USES_MOMENTUM, false, sgd, NULL},
    [OPTIMIZER_ADAM] = {"adam", 2, USES_BETA1 | USES_BETA2 | USES_EPS, true, adam, NULL},
    [OPTIMIZER_ADAMW] = {"adamw", 2, USES_BETA1 | USES_BETA2 | USES_EPS, true, adamw, NULL},
    [OPTIMIZER_RMSPROP] = {"rmsprop", 2, USES_MOMENTUM | USES_BETA2 | USES_EPS, false, rmsprop,
                           NULL},
    [OPTIMIZER_LAMB] = {"lamb", 2, USES_BETA1 | USES_BETA2 | USES_EPS, true, NULL, lamb},
};

int optimizer_moments(enum optimizer_kind kind)
{
    return rules[kind].moments;
}

bool optimizer_counts(enum optimizer_kind kind)
{
    return rules[kind].counts;
}

bool optimizer_whole(enum optimizer_kind kind)
{
    return rules[kind].whole != NULL;
}

const char *optimizer_name(enum optimizer_kind kind)
{
    return rules[kind].name;
}

int optimizer_check(const struct optimizer *o, struct err *e)
{
    if (o->kind < 0 || o->kind >= OPTIMIZER_COUNT)
        return err_set(e, "optimiser %d, which does not exist", (int)o->kind);
    const struct rule *r = &rules[o->kind];
    const struct {
        const char *name;
        int use;
        float value, below;
    } rates[] = {
        {"momentum", USES_MOMENTUM, o->momentum, 1},
        {"beta1", USES_BETA1, o->beta[0], 1},
        {"beta2", USES_BETA2, o->beta[1], 1},
        {"weight decay", ~0, o->weight_decay, INFINITY},
        {"clip", ~0, o->clip, INFINITY},
    };

    for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++)
        if ((r->uses & rates[i].use) && !(rates[i].value >= 0 && rates[i].value < rates[i].below))
            return err_set(e, "%s with %s %g; it must be in [0, %g)", r->name, rates[i].name,
                           (double)rates[i].value, (double)rates[i].below);
    if ((r->uses & USES_EPS) && !(o->eps > 0 && o->eps < INFINITY))
        return err_set(e, "%s with eps %g; it must be above 0", r->name, (double)o->eps);
    return 0;
}

int optimizer_update(const struct update *u, struct err *e)
{
    const struct rule *r = &rules[u->optimizer->kind];
    const struct factors f = factors_of(u);
    long pieces = (long)((u->n + PIECE - 1) / PIECE);

    (void)e;
    if (r->whole) {
        r->whole(u, &f);
        return 0;
    }
#pragma omp parallel for schedule(static) num_threads(u->threads) if (pieces > 4)
    for (long i = 0; i < pieces; i++) {
        size_t from = (size_t)i * PIECE;

        r->update(u, &f, from, from + PIECE < u->n ? from + PIECE : u->n);
    }
    return 0;
}

double optimizer_squares(const float *g, size_t n, int threads)
{
    double sums[CHUNKS], all = 0;

#pragma omp parallel for schedule(static) num_threads(threads) if (n > 4 * PIECE)
    for (int c = 0; c < CHUNKS; c++) {
        double s = 0;

        for (size_t i = chunk_at(n, c); i < chunk_at(n, c + 1); i++)
            s += (double)g[i] * (double)g[i];
        sums[c] = s;
    }
    for (int c = 0; c < CHUNKS; c++)
        all += sums[c];
    return all;
}

void optimizer_shrink(float *g, size_t n, float factor, int threads)
{
#pragma omp parallel for simd schedule(static) num_threads(threads) if (n > 4 * PIECE)
    for (size_t i = 0; i < n; i++)
        g[i] *= factor;
}
