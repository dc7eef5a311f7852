/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "reports/report/advice.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- for nothing ---- */

/* Asked of every run. Of one kind the best is taken. */
static const struct what free_whats[ADVICE_FREE] = {
    {WHAT_BUCKET, 0.5}, {WHAT_BUCKET, 2},     {WHAT_BUCKET, 4}, {WHAT_WORKERS, 2},
    {WHAT_BF16, 1},     {WHAT_ACCUMULATE, 2}, {WHAT_BATCH, 2},  {WHAT_BATCH, 4},
};

static bool keeps_batch(enum what_kind k)
{
    return k != WHAT_ACCUMULATE && k != WHAT_BATCH;
}

/* The measure of that kind that is taken already; NULL. */
static struct advice_free *taken_of(struct advice *a, enum what_kind kind)
{
    for (int i = 0; i < a->n_free; i++)
        if (a->free[i].taken && a->free[i].what.kind == kind)
            return &a->free[i];
    return NULL;
}

static void consider(struct advice *a, struct advice_free *f)
{
    struct advice_free *other = taken_of(a, f->what.kind);

    if (f->gain.state != PREDICTED || !(f->gain.low > 1) || !keeps_batch(f->what.kind))
        return;
    if (other && other->gain.gain >= f->gain.gain)
        return;
    if (other)
        other->taken = false;
    f->taken = true;
}

static int for_nothing(const struct predictor *s, struct advice *a, struct err *e)
{
    for (int i = 0; i < ADVICE_FREE; i++) {
        struct advice_free *f = &a->free[a->n_free];
        *f = (struct advice_free){.what = free_whats[i]};
        if (predict(s, NULL, 0, &f->what, 1, &f->gain, e) < 0)
            return -1;
        consider(a, f);
        a->n_free++;
    }
    for (int i = 0; i < a->n_free && a->n_taken < ADVICE_TAKEN; i++)
        if (a->free[i].taken)
            a->taken[a->n_taken++] = a->free[i].what;
    return a->n_taken ? predict(s, NULL, 0, a->taken, a->n_taken, &a->together, e) : 0;
}

/* ---- for money ---- */

/* Asked of every run that has no price file. */
static const struct what usual_buys[] = {
    {WHAT_COMPUTE, 2}, {WHAT_MEMORY, 2}, {WHAT_BANDWIDTH, 2},  {WHAT_LATENCY, 2},
    {WHAT_STORAGE, 2}, {WHAT_NODES, 2},  {WHAT_NODES_WEAK, 2}, {WHAT_NODES_WEAK, 4},
};

static int ask(const struct predictor *s, const struct advice *a, const struct what *w,
               struct prediction *out, struct err *e)
{
    return predict(s, a->taken, a->n_taken, w, 1, out, e);
}

static int without_prices(const struct predictor *s, struct advice *a, struct err *e)
{
    for (size_t i = 0; i < sizeof usual_buys / sizeof *usual_buys; i++) {
        struct advice_buy *b = &a->buy[a->n_buys++];
        *b = (struct advice_buy){.what = usual_buys[i],
                                 .known = true,
                                 .price = NAN,
                                 .saved_low = NAN,
                                 .saved_high = NAN,
                                 .gain_per_1000 = NAN,
                                 .rival_nodes = NAN};
        if (ask(s, a, &b->what, &b->gain, e) < 0)
            return -1;
    }
    return 0;
}

struct site {
    const struct predictor *s;
    const struct prices *p;
    const struct price_node *node;
    double life; /* of a node; NAN */
    double nodes;
};

double advice_price(const struct prices *p, const struct price_node *node,
                    const struct price_buy *b, double nodes)
{
    const enum what_kind kind = what_find(b->resource);
    struct price_buy each = *b;
    struct price_life life = {.sum = NAN};

    if (kind != WHAT_NODES && kind != WHAT_NODES_WEAK)
        return prices_buy(p, b, nodes);
    if (node)
        prices_life(p, node, &life);
    if (each.per_node == 0)
        each.per_node = life.sum;
    return prices_buy(p, &each, nodes * (b->factor - 1));
}

/* What so many times the nodes bring, by the power law through twice the nodes. */
static int rival(const struct site *t, const struct advice *a, struct advice_buy *b, struct err *e)
{
    const struct what twice = {WHAT_NODES, 2};

    b->rival_nodes = 1 + b->price / (t->nodes * t->life);
    if (!isfinite(b->rival_nodes))
        return 0;
    if (ask(t->s, a, &twice, &b->rival, e) < 0)
        return -1;
    if (b->rival.state != PREDICTED)
        return 0;
    const double power = log2(b->rival_nodes);
    b->rival.gain = pow(b->rival.gain, power);
    b->rival.low = pow(b->rival.low, power);
    b->rival.high = pow(b->rival.high, power);
    return 0;
}

static void judge(const struct site *t, const struct advice *a, struct advice_buy *b)
{
    const double all = a->mix * t->nodes * t->life;

    if (b->gain.state == PREDICT_REFUSED)
        return;
    const double high = b->gain.high, low = b->gain.state == PREDICTED ? b->gain.low : 1;
    b->saved_low = all * fmax(0, 1 - 1 / low);
    b->saved_high = all * fmax(0, 1 - 1 / high);
    if (b->gain.state == PREDICTED)
        b->gain_per_1000 = 100 * (b->gain.gain - 1) / (b->price / 1000);
    if (!isfinite(b->saved_low) || !(b->price > 0))
        return;
    b->worth = b->saved_low > b->price    ? WORTH_IT
               : b->saved_high < b->price ? WORTH_NOT
                                          : WORTH_UNDECIDED;
    b->advised = b->worth == WORTH_IT && !t->s->shared && b->rival.state == PREDICTED &&
                 b->gain.low > b->rival.high;
}

static int with_prices(const struct site *t, struct advice *a, struct err *e)
{
    for (int i = 0; i < t->p->n_buys && i < ADVICE_BUYS; i++) {
        const struct price_buy *from = &t->p->buy[i];
        const enum what_kind kind = what_find(from->resource);
        struct advice_buy *b = &a->buy[a->n_buys++];
        *b = (struct advice_buy){.what = {kind, from->factor},
                                 .known = kind != WHAT_COUNT,
                                 .price = NAN,
                                 .saved_low = NAN,
                                 .saved_high = NAN,
                                 .gain_per_1000 = NAN,
                                 .rival_nodes = NAN};
        memcpy(b->name, from->name, sizeof b->name);
        if (!b->known)
            continue;
        b->price = advice_price(t->p, t->node, from, t->nodes);
        if (ask(t->s, a, &b->what, &b->gain, e) < 0 || rival(t, a, b, e) < 0)
            return -1;
        judge(t, a, b);
    }
    return 0;
}

static double mix_of(const struct prices *p, const char *workload)
{
    for (int i = 0; i < p->n_mix; i++)
        if (strcmp(p->mix[i].name, workload) == 0)
            return p->mix[i].share;
    return NAN;
}

int advise(const struct predictor *s, const struct prices *p, const struct price_node *node,
           const char *workload, double nodes, struct advice *a, struct err *e)
{
    struct site t = {s, p, node, NAN, nodes};
    struct price_life life;

    *a = (struct advice){.replay = s->replay, .shared = s->shared, .mix = NAN};
    if (for_nothing(s, a, e) < 0)
        return -1;
    a->mix = p ? mix_of(p, workload) : NAN;
    if (!p || p->n_buys == 0)
        return without_prices(s, a, e);
    if (node) {
        prices_life(p, node, &life);
        t.life = life.sum;
    }
    if (p->nodes > 0)
        t.nodes = p->nodes;
    return with_prices(&t, a, e);
}

void advice_quality(const struct quality_run *q, struct advice *a)
{
    const bool faster = a->n_taken && a->together.state == PREDICTED;
    const struct quality_run then = faster ? quality_faster(q, a->together.gain) : *q;

    for (int i = 0; i < a->n_free; i++)
        if (quality_differs(a->free[i].what.kind))
            quality_after(q, &a->free[i].what, 1, &a->free[i].gain, &a->free[i].quality);
    for (int i = 0; i < a->n_buys; i++)
        if (a->buy[i].known && quality_differs(a->buy[i].what.kind))
            quality_after(&then, &a->buy[i].what, 1, &a->buy[i].gain, &a->buy[i].quality);
}

double advice_run_price(const struct prices *p, const struct price_node *node, double nodes,
                        double seconds)
{
    struct price_life life;

    if (!p || !node)
        return NAN;
    prices_life(p, node, &life);
    return nodes * seconds / 3600 * life.node_hour * prices_failures(p, node, nodes);
}
