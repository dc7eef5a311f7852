/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "tests/reports/predict/machine.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "reports/judge/random.h"

enum { EPOCH = 128, LONG_RUN = 2048 };

struct machine machine_healthy(int n, uint64_t seed)
{
    struct machine m = {
        .n = n,
        .seed = seed,
        .cpu = 0.040,
        .noise = 0.04,
        .common = 0.02,
        .rows = 1,
        .software = 2e-4,
        .alpha = 2e-5,
        .wire_noise = 0.1,
        .buckets = 4,
        .borders = 80,
        .workers = 1,
        .ahead = 2,
        .lib = 3e-4,
        .tail = 2e-4,
        .update = 6e-4,
        .between = 1e-4,
        .micro = 1,
    };

    for (int i = 0; i < n; i++)
        m.inv[i] = 1 / 3e9;
    for (int b = 0; b < m.buckets; b++) {
        m.bytes[b] = 432000;
        m.ready[b] = 0.55 + 0.15 * b;
    }
    return m;
}

/* A rank in a step. */
struct worker {
    double x, asks, in, ready, arrived, busy, got, sum, done, produced, freed[8];
    double cpu, withheld, produce;
};

static double lognormal(struct random *g, double sigma)
{
    return exp(sigma * random_normal(g) - sigma * sigma / 2);
}

static double looks(const struct machine *m, const struct worker *w, double t)
{
    if (t >= w->arrived)
        return t;
    const double each = (w->ready - w->in) / m->borders;
    return fmin(w->arrived, w->in + ceil((t - w->in) / each) * each);
}

static void load(const struct machine *m, struct worker *w, long k, struct random *g)
{
    const double begun = fmax(w->produced, w->freed[(k - m->ahead) & 7]);

    w->asks = w->x;
    w->produce = (m->read + m->decode) * m->rows * lognormal(g, 0.1);
    const double helped = fmax(begun, w->asks);
    const int may = m->decode > 0 ? (int)((m->read + m->decode) / m->decode) : m->workers;
    const int early = may < 1 ? 1 : may < m->workers ? may : m->workers;
    const double left = w->produce - (helped - begun) * early;
    w->produced = left > 0 ? helped + left / m->workers : begun + w->produce / early;
    w->in = fmax(w->asks, w->produced);
    w->freed[k & 7] = w->in;
}

static void compute(const struct machine *m, struct worker *w, double common, double slow, bool sum,
                    struct random *g)
{
    const double rows = m->fixed + (1 - m->fixed) * m->rows;

    w->cpu = m->cpu * rows * common * lognormal(g, m->noise);
    w->withheld = slow * w->cpu * lognormal(g, 0.2);
    w->ready = w->in + w->cpu + w->withheld + (sum ? m->lib : 0);
    w->arrived = w->ready + (sum ? m->tail : 0);
    w->x = w->arrived;
}

/* All messages of one half of a sum: when the last piece came to each, in got. */
static void send_all(const struct machine *m, struct worker *w, const double from[], double piece,
                     double noise)
{
    for (int i = 0; i < m->n; i++)
        w[i].got = -INFINITY;
    for (int j = 0; j < m->n; j++)
        for (int d = 1; d < m->n; d++) {
            struct worker *to = &w[(j + d) % m->n];
            const double met = looks(m, &w[j], fmax(from[j], from[(j + d) % m->n]));
            w[j].busy = fmax(w[j].busy, met) + noise * (m->alpha + piece * m->inv[j]);
            to->got = fmax(to->got, w[j].busy);
        }
}

static void sum_bucket(const struct machine *m, struct worker *w, int b, double noise)
{
    double from[MACHINE_RANKS];
    const double piece = m->bytes[b] / m->n;

    for (int i = 0; i < m->n; i++)
        from[i] = looks(m, &w[i], w[i].in + (w[i].ready - w[i].in) * m->ready[b]);
    send_all(m, w, from, piece, noise);
    for (int i = 0; i < m->n; i++)
        from[i] = w[i].sum = looks(m, &w[i], w[i].got + m->software);
    for (int i = 0; i < m->n; i++)
        w[i].got = -INFINITY;
    for (int j = 0; j < m->n; j++)
        for (int d = 1; d < m->n; d++) {
            struct worker *to = &w[(j + d) % m->n];
            w[j].busy = fmax(w[j].busy, from[j]) + noise * (m->alpha + piece * m->inv[j]);
            to->got = fmax(to->got, w[j].busy);
        }
    for (int i = 0; i < m->n; i++)
        w[i].done = looks(m, &w[i], fmax(w[i].got, w[i].busy) + m->software);
}

static void keep(const struct machine *m, const struct worker *w, struct series_step *s,
                 double asked)
{
    *s = (struct series_step){
        .ready = w->ready,
        .between = (float)m->between,
        .input = (float)(w->in - asked),
        .cpu = (float)w->cpu,
        .withheld = (float)w->withheld,
        .lib = (float)m->lib,
        .tail = (float)m->tail,
        .half = m->n > 1 ? (float)(w->sum - w->ready) : -1,
        .exit = (float)(fmax(w->arrived, w->done) - w->ready),
        .update = (float)m->update,
        .produce = m->read + m->decode > 0 ? (float)w->produce : -1,
    };
}

/* step: [n][steps], or NULL. Returns the mean period after the first eighth. */
static double run(const struct machine *m, long steps, uint64_t seed, struct series_step *step)
{
    struct random g = RANDOM_SEED(seed * 7919 + 17);
    struct worker w[MACHINE_RANKS] = {{0}};
    double asked[MACHINE_RANKS], since = 0, last = 0;

    for (int i = 0; i < 20; i++)
        random_bits(&g);
    for (long k = 0; k < steps; k++) {
        for (int i = 0; i < m->n; i++)
            w[i].x += m->between;
        for (int p = 0; p < m->micro; p++) {
            const double common = lognormal(&g, m->common);
            for (int i = 0; i < m->n; i++) {
                load(m, &w[i], k * m->micro + p, &g);
                asked[i] = w[i].asks;
                compute(m, &w[i], common, m->withheld[i], p + 1 == m->micro, &g);
            }
        }
        const double noise = lognormal(&g, m->wire_noise);
        for (int i = 0; i < m->n; i++)
            w[i].done = w[i].ready;
        for (int b = 0; b < m->buckets && m->n > 1; b++)
            sum_bucket(m, w, b, noise);
        last = -INFINITY;
        for (int i = 0; i < m->n; i++) {
            last = fmax(last, w[i].ready);
            if (step)
                keep(m, &w[i], &step[i * steps + k], asked[i]);
            w[i].x = fmax(w[i].arrived, w[i].done) + m->update;
        }
        if (k == steps / 8)
            since = last;
    }
    return (last - since) / (double)(steps - 1 - steps / 8);
}

double machine_period(const struct machine *m)
{
    return run(m, LONG_RUN, 900001, NULL);
}

void machine_run(struct machine *m, long steps, struct series *s)
{
    machine_fini(m);
    m->step = calloc((size_t)(m->n * steps), sizeof *m->step);
    m->loader = calloc((size_t)m->n, sizeof *m->loader);
    m->first = calloc((size_t)steps, sizeof *m->first);
    m->last = calloc((size_t)steps, sizeof *m->last);
    assert(m->step && m->loader && m->first && m->last);
    run(m, steps, m->seed, m->step);
    series_init(s);
    for (long k = 0; k < steps; k += EPOCH)
        m->first[k] = true;
    for (int i = 0; i < m->n; i++)
        m->loader[i] = (struct series_loader){m->read * m->rows, 0, m->decode * m->rows};
    s->ranks = s->nodes = m->n;
    s->steps = steps;
    s->step = m->step;
    s->first = m->first;
    s->last = m->last;
    series_arrivals(s, m->last);
    s->buckets = m->n > 1 ? m->buckets : 0;
    for (int b = 0; b < s->buckets; b++) {
        s->bytes[b] = m->bytes[b];
        s->ready[b] = m->ready[b];
    }
    for (int i = 0; i < SERIES_POINTS; i++) /* as the buckets' readiness has it, straight between */
        s->curve[i] = fmax(0, (i / 16.0 - 0.4) / 0.6);
    s->borders = m->borders;
    s->workers = m->workers;
    s->ahead = m->ahead;
    s->loader = m->read + m->decode > 0 ? m->loader : NULL;
    s->transport = (struct series_transport){m->alpha, m->alpha, m->alpha, m->software};
    s->rows = 8;
    s->memory_low = s->memory_high = 0;
    s->half_batch = 0.5 + m->fixed / 2;
    s->yardstick_moved = s->yardstick_spread = 0.01;
    s->cores_left = 4;
}

void machine_fini(struct machine *m)
{
    free(m->step);
    free(m->loader);
    free(m->first);
    free(m->last);
    m->step = NULL;
    m->loader = NULL;
    m->first = NULL;
    m->last = NULL;
}
