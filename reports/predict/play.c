/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "reports/predict/play.h"

#include <math.h>
#include <stdlib.h>

#include "reports/judge/random.h"

enum { LEAST_STEPS = 128, MOST_AHEAD = 16, DEFAULT_AHEAD = 2 };

static const double whole_bytes = 65536; /* of all ranks: COMM_WHOLE of workloads/comm.h */

/* A rank while it is played. */
struct actor {
    const struct series_step *now; /* what it draws for this step */
    int like;                      /* rank of the series */
    long from;                     /* first step of the block it is in */
    double x;                      /* end of its last step */
    double in, ready, arrived;     /* i1, r, a */
    double border;                 /* seconds between two operators; 0: it does not look */
    double busy;                   /* its link is, until then */
    double half, done;             /* of the last bucket */
    double produced;               /* its loader's last batch */
    double freed[MOST_AHEAD];      /* when the trainer took the batches before */
};

void play_init(struct play *p, const struct series *s, const struct exchange *x, const long *block,
               int blocks)
{
    *p = (struct play){
        .s = s,
        .x = x,
        .block = block,
        .blocks = blocks,
        .ranks = s->ranks,
        .cpu = 1,
        .withheld = 1,
        .software_cpu = 1,
        .update = 1,
        .inv = 1,
        .alpha = 1,
        .software = 1,
        .residual = 1,
        .read = 1,
        .decode = 1,
        .workers = s->workers > 0 ? s->workers : 1,
        .micro = 1,
        .rows = 1,
        .buckets = s->buckets,
    };
    for (int b = 0; b < s->buckets; b++) {
        p->bytes[b] = s->bytes[b];
        p->ready[b] = s->ready[b];
    }
}

double play_wire(const struct series_step *step, double last)
{
    return step->ready + (double)step->exit - fmax(last, step->ready + (double)step->tail);
}

/* ---- the exchange ---- */

/* When rank a sees what is there at t. */
static double sees(const struct actor *a, double t)
{
    if (t >= a->arrived)
        return t;
    if (a->border <= 0)
        return a->arrived;
    return fmin(a->arrived, a->in + ceil((t - a->in) / a->border) * a->border);
}

static double ready_at(const struct play *p, const struct actor *a, int bucket)
{
    return a->in + (a->ready - a->in) * p->ready[bucket];
}

/* Sends n - 1 messages, one after the other. */
static double sent(const struct play *p, struct actor *a, double from, double bytes)
{
    const double message = p->alpha * p->x->alpha + bytes * p->inv * p->x->inv[a->like];

    a->busy = fmax(from, a->busy) + (p->ranks - 1) * message;
    return a->busy;
}

/* The largest and the next of e: what comes from the others is the largest but one's own. */
struct top {
    double first, second;
};

static void keep_top(struct top *t, double v)
{
    if (v > t->first) {
        t->second = t->first;
        t->first = v;
    } else if (v > t->second) {
        t->second = v;
    }
}

static void sum_in_window(const struct play *p, struct actor *a, int b, double all)
{
    for (int i = 0; i < p->ranks; i++) {
        const double begun = fmax(all, b ? a[i].done : -INFINITY);
        a[i].half = a[i].done = sees(&a[i], begun + p->bytes[b] * p->x->inside);
    }
}

static void sum_by_mail(const struct play *p, struct actor *a, int b, double all)
{
    const bool whole = p->bytes[b] * p->ranks < whole_bytes;
    const double piece = whole ? p->bytes[b] : p->bytes[b] / p->ranks;
    const double c = p->software * p->x->software;
    struct top first = {-INFINITY, -INFINITY};
    double go = -INFINITY, end = -INFINITY;

    for (int i = 0; i < p->ranks; i++)
        go = fmax(go, sees(&a[i], all));
    for (int i = 0; i < p->ranks; i++)
        keep_top(&first, sent(p, &a[i], sees(&a[i], go), piece));
    for (int i = 0; i < p->ranks; i++) {
        const double others = a[i].busy == first.first ? first.second : first.first;
        a[i].half = sees(&a[i], others + c);
    }
    if (whole) {
        for (int i = 0; i < p->ranks; i++)
            a[i].done = fmax(a[i].half, a[i].busy);
        return;
    }
    for (int i = 0; i < p->ranks; i++)
        end = fmax(end, sent(p, &a[i], a[i].half, piece));
    for (int i = 0; i < p->ranks; i++)
        a[i].done = sees(&a[i], end + c);
}

static void sum_buckets(const struct play *p, struct actor *a)
{
    for (int i = 0; i < p->ranks; i++)
        a[i].done = a[i].half = a[i].ready;
    for (int b = 0; b < p->buckets && p->ranks > 1; b++) {
        double all = -INFINITY;
        for (int i = 0; i < p->ranks; i++)
            all = fmax(all, ready_at(p, &a[i], b));
        if (isfinite(p->x->inside))
            sum_in_window(p, a, b, all);
        else
            sum_by_mail(p, a, b, all);
    }
}

void play_exchange(const struct play *p, double own, double half[], double end[])
{
    struct actor a[SERIES_RANKS];

    for (int i = 0; i < p->ranks; i++)
        a[i] = (struct actor){.like = i,
                              .in = -own,
                              .border = p->s->borders > 0 ? own / p->s->borders : 0,
                              .busy = -INFINITY};
    sum_buckets(p, a);
    for (int i = 0; i < p->ranks; i++) {
        half[i] = a[i].half;
        end[i] = a[i].done;
    }
}

/* ---- a step ---- */

static int most_ahead(const struct play *p)
{
    const int ahead = p->s->ahead > 0 ? p->s->ahead : DEFAULT_AHEAD;
    return ahead < MOST_AHEAD ? ahead : MOST_AHEAD - 1;
}

/* Worker seconds of a batch: this step's, in the proportions of the mean. */
static double batch_work(const struct play *p, const struct actor *a)
{
    const struct series_loader *l = &p->s->loader[a->like];
    const double mean = l->read + l->decode;
    const double cached = isfinite(l->cached) ? fmin(l->cached, l->read) : 0;
    const double changed = cached + (l->read - cached) * p->read + l->decode * p->decode;
    const double now = a->now->produce >= 0 && mean > 0 ? (double)a->now->produce / mean : 1;

    return changed * now * p->rows;
}

/* Workers that produce while the trainer computes: as many as take one core together. */
static double early_workers(const struct play *p, const struct actor *a)
{
    const struct series_loader *l = &p->s->loader[a->like];
    const double cached = isfinite(l->cached) ? fmin(l->cached, l->read) : 0;
    const double wall = cached + (l->read - cached) * p->read + l->decode * p->decode;
    const double core = cached + l->decode * p->decode;

    return fmax(1, fmin(p->workers, core > 0 ? floor(wall / core) : p->workers));
}

/* The trainer asks at t; when it has its batch. Some workers have been at it since they
 * could, all of them from t on. */
static double fed(const struct play *p, struct actor *a, long k, double asks)
{
    if (!p->s->loader)
        return asks + (double)a->now->input;
    const int ahead = most_ahead(p);
    const double begun = fmax(a->produced, a->freed[(k + 1) % (ahead + 1)]);
    const double work = batch_work(p, a), early = early_workers(p, a);
    const double waited = fmax(begun, asks), left = work - (waited - begun) * early;

    a->produced = left > 0 ? waited + left / p->workers : begun + work / early;
    const double got = fmax(asks, a->produced);
    a->freed[k % (ahead + 1)] = got;
    return got;
}

/* One pass: the batch, own work; before a sum the software of the exchange, too. */
static void work(const struct play *p, struct actor *a, long pass, bool sum)
{
    const struct series_step *s = a->now;
    const double lib = sum ? (double)s->lib * p->software_cpu : 0;
    const double own = (double)s->cpu * p->cpu + (double)s->withheld * p->withheld + lib;

    a->in = fed(p, a, pass, a->x);
    a->ready = a->in + own;
    a->arrived = a->ready + (sum ? (double)s->tail * p->software_cpu : 0);
    a->border = p->s->borders > 0 ? own / p->s->borders : 0;
    a->x = a->arrived;
}

/* What this step waited more than is usual, at the rank it was drawn from. */
static double worse(const struct play *p, const struct actor *a)
{
    const long k = (a->now - p->s->step) % p->s->steps;

    if (p->s->ranks == 1)
        return 0;
    return p->residual * (play_wire(a->now, p->s->last[k]) - p->x->usual[a->like]);
}

/* Which measured step each rank has as its k-th: blocks of consecutive ones. */
static void draw(const struct play *p, struct actor *a, long k, struct random *g)
{
    const long in = k % SERIES_BLOCK, block = p->block[k / SERIES_BLOCK % p->blocks];

    for (int i = 0; i < p->ranks; i++) {
        if (in == 0)
            a[i].from = p->independent ? p->block[random_below(g, p->blocks)] : block;
        a[i].now = series_at(p->s, a[i].like, a[i].from + in);
    }
}

static void play_step(const struct play *p, struct actor *a, long k, struct random *g)
{
    draw(p, a, k, g);
    for (int i = 0; i < p->ranks; i++)
        a[i].x += (double)a[i].now->between;
    for (int m = 0; m < p->micro; m++)
        for (int i = 0; i < p->ranks; i++)
            work(p, &a[i], k * p->micro + m, m + 1 == p->micro);
    sum_buckets(p, a);
    for (int i = 0; i < p->ranks; i++)
        a[i].x =
            fmax(a[i].arrived, a[i].done + worse(p, &a[i])) + (double)a[i].now->update * p->update;
}

static double last_ready(const struct play *p, const struct actor *a)
{
    double last = -INFINITY;

    for (int i = 0; i < p->ranks; i++)
        last = fmax(last, a[i].ready);
    return last;
}

double play_period(const struct play *p)
{
    struct random g = RANDOM_SEED(p->seed);
    const long once = (long)p->blocks * SERIES_BLOCK;
    const long steps = (LEAST_STEPS + once - 1) / once * once, begin = steps / 8;
    struct actor *a = calloc((size_t)p->ranks, sizeof *a);
    double since = 0, until = NAN;

    if (!a)
        return NAN;
    for (int i = 0; i < p->ranks; i++)
        a[i].like = i % p->s->ranks;
    for (long k = 0; k < steps; k++) {
        play_step(p, a, k, &g);
        until = last_ready(p, a);
        if (k == begin)
            since = until;
    }
    free(a);
    return (until - since) / (double)(steps - 1 - begin);
}
