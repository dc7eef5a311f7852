/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "reports/diagnose/cause.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Parts of T, of V, of the run; cause.h says where each is used. */
static const struct cause_healthy floors = {
    .wire = 0.03, .exchange_cpu = 0.03, .input = 0.01, .withheld = 0.02};
static const double excess_least = 0.03, visible_least = CAUSE_VISIBLE / 100.0,
                    named_alone = CAUSE_ALONE / 100.0, named_ablated = CAUSE_ABLATED / 100.0,
                    foreign_least = 0.02, whole_least = 0.10, part_of_wire = 0.20,
                    slower_loader = 1.10, two_sided_90 = 1.64;

void cause_case_init(struct cause_case *c)
{
    *c = (struct cause_case){
        .period = NAN,
        .computed = NAN,
        .withheld = NAN,
        .healthy = {NAN, NAN, NAN, NAN},
        .exchange = {NAN, NAN, NAN, NAN, NAN, NAN, NAN},
        .loader = {NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, false},
        .compute = {NAN, NAN, 0, 0},
        .ablation = {NAN, NAN, NAN},
    };
}

/* ---- over the nodes ---- */

enum column { COMPUTE, WITHHELD, QUOTA, SHARED, PRODUCE, HALF };

static double column_of(const struct cause_node *n, enum column which)
{
    switch (which) {
    case COMPUTE:
        return n->compute;
    case WITHHELD:
        return n->withheld;
    case QUOTA:
        return fmin(n->quota, n->withheld);
    case SHARED:
        return n->withheld - fmin(n->quota, n->withheld);
    case PRODUCE:
        return n->produce;
    case HALF:
        return n->half;
    }
    return NAN;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* The median node's; of two the lesser. NAN: no node knows it. */
static double usual(const struct cause_case *c, enum column which)
{
    double *v = malloc(((size_t)c->n_nodes + 1) * sizeof *v);
    double median = NAN;
    int n = 0;

    for (int i = 0; v && i < c->n_nodes; i++) {
        const double x = column_of(&c->nodes[i], which);
        if (isfinite(x))
            v[n++] = x;
    }
    if (n > 0) {
        qsort(v, (size_t)n, sizeof *v, ascending);
        median = v[(n - 1) / 2];
    }
    free(v);
    return median;
}

/* What all nodes have in common, found once: there may be ten thousand of them. */
struct common {
    double compute, withheld, quota, shared, produce; /* of the usual node, seconds of a step */
    double ranks;
};

static struct common common_of(const struct cause_case *c)
{
    struct common all = {usual(c, COMPUTE), usual(c, WITHHELD), usual(c, QUOTA),
                         usual(c, SHARED),  usual(c, PRODUCE),  0};

    for (int i = 0; i < c->n_nodes; i++)
        all.ranks += c->nodes[i].ranks;
    return all;
}

static double above(double share, double healthy, double floor)
{
    return fmax(0, share - (isfinite(healthy) ? healthy : floor));
}

/* ---- which of its kind ---- */

/* The one node that the others wait for longest in a first half: its own first half
 * is short, because what comes to it comes fast. With several sums under way the last
 * one's half may be over before the last arrival: below 0. */
static const char *slow_sender(const struct cause_case *c)
{
    double most = 0, least = INFINITY, second = INFINITY;
    const char *name = NULL;

    for (int i = 0; i < c->n_nodes; i++) {
        const double half = c->nodes[i].half;
        if (!isfinite(half))
            return NULL;
        most = fmax(most, half);
        if (half < least) {
            second = least;
            least = half;
            name = c->nodes[i].name;
        } else {
            second = fmin(second, half);
        }
    }
    const bool long_enough = most > part_of_wire * c->wire; /* else the halves are noise */
    return c->n_nodes > 1 && long_enough && most > 2 * least && second > 0.75 * most ? name : NULL;
}

/* slow: the node that sends slowly, whatever is sent and when; NULL: all send alike. */
static enum cause network_cause(const struct cause_case *c, const char *slow)
{
    const struct cause_exchange *x = &c->exchange;

    if (!slow && x->met > 0.5 && !(x->flow >= 0.7))
        return CAUSE_BATCH_NORM;
    if (!slow && x->backward > 0.5 * c->wire && x->lead < 0.1 * x->backward)
        return CAUSE_NOT_OVERLAPPED;
    if (x->busy < 0.5)
        return CAUSE_EXCHANGE_SOFTWARE;
    if (x->intercept >= 0.5)
        return CAUSE_NETWORK_LATENCY;
    if (x->slope >= 0.7 || (x->met > 0.5 && x->flow >= 0.7))
        return CAUSE_NETWORK_BANDWIDTH;
    return CAUSE_NETWORK;
}

/* Read from files in every epoch although the nodes' memory would hold all. */
static bool memory_too_small(const struct cause_loader *l)
{
    return !l->keeping && l->file_bytes > 0.9 * l->epoch_bytes && l->epoch_bytes > l->limit &&
           l->epoch_bytes <= l->node_memory;
}

static enum cause input_cause(const struct cause_loader *l)
{
    const double whole = l->read + l->decode;

    if (memory_too_small(l))
        return CAUSE_MEMORY_SIZE;
    if (l->decode > 0.5 * whole || l->keeping)
        return CAUSE_DECODE;
    if (!(l->read >= 0.8 * whole) || !(l->read > 2 * l->read_cpu) || l->file_bytes <= 0)
        return CAUSE_INPUT;
    if (l->grows >= 1.2 || l->find >= 0.5 * l->read)
        return CAUSE_STORAGE_LATENCY;
    return l->grows < 1.2 ? CAUSE_STORAGE_BANDWIDTH : CAUSE_STORAGE;
}

static enum cause compute_cause(const struct cause_compute *c)
{
    if (c->memory >= 0.5)
        return CAUSE_MEMORY_BANDWIDTH;
    return c->kernels >= 0.3 ? CAUSE_KERNELS : CAUSE_PROCESSOR;
}

/* ---- the attributable wait ---- */

struct waits {
    struct cause_share of[64];
    int n;
    double sum;
};

/* Returns the entry that the share was added to; NULL: nothing was added. */
static struct cause_share *add(struct waits *w, enum cause cause, const char *node, double share)
{
    struct cause_share *s = NULL;

    if (!(share > 0))
        return NULL;
    for (int i = 0; i < w->n && !s; i++)
        if (w->of[i].cause == cause && strcmp(w->of[i].node, node ? node : "") == 0)
            s = &w->of[i];
    if (!s && w->n < (int)(sizeof w->of / sizeof *w->of)) {
        s = &w->of[w->n++];
        *s = (struct cause_share){.cause = cause, .suspect = CAUSE_UNKNOWN};
        snprintf(s->node, sizeof s->node, "%.*s", CAUSE_NODE_SIZE - 1, node ? node : "");
    }
    if (s)
        s->share += share;
    w->sum += share;
    return s;
}

/* A node that is called `confirmed` only when it is; of two suspicions the larger. */
static void add_suspect(const struct cause_case *c, struct waits *w, enum cause confirmed,
                        const char *node, double share)
{
    struct cause_share *s = add(w, c->node_confirmed ? confirmed : CAUSE_NODE_SLOWER, node, share);

    if (s && !c->node_confirmed && share >= 0.5 * s->share)
        s->suspect = confirmed;
}

/* A node's excess counts when it is more than its error and the node is last more
 * often than chance makes it. */
static bool attributable(const struct cause_case *c, const struct common *all,
                         const struct cause_node *n, double excess, double error)
{
    const double share = n->ranks / all->ranks;
    const double sigma = sqrt(share * (1 - share) / (double)c->steps);

    return excess > excess_least * c->period && !(excess <= two_sided_90 * error) &&
           n->last > share + 3 * sigma;
}

/* Returns what the throttled node's messages cost the others, at most `wire`. */
static double add_withheld(const struct cause_case *c, const struct common *all,
                           const struct cause_node *n, double wire, struct waits *w)
{
    const double excess = n->withheld - all->withheld;
    const double quota = column_of(n, QUOTA) - all->quota;
    const bool by_quota = quota >= 0.5 * excess;

    if (!attributable(c, all, n, excess, n->withheld_error))
        return 0;
    const double moved = isfinite(n->late) ? fmin(n->late / c->period, wire) : 0;
    if (by_quota)
        add(w, CAUSE_NODE_QUOTA, n->name, excess / c->period + moved);
    else
        add_suspect(c, w, CAUSE_NODE_SHARED, n->name, excess / c->period + moved);
    return moved;
}

static void add_nodes(const struct cause_case *c, const struct common *all, double *wire,
                      struct waits *w)
{
    for (int i = 0; i < c->n_nodes && c->n_nodes > 1; i++) {
        const struct cause_node *n = &c->nodes[i];
        const double compute = n->compute - all->compute;

        *wire -= add_withheld(c, all, n, *wire, w);
        if (attributable(c, all, n, compute, n->compute_error))
            add_suspect(c, w, CAUSE_SLOW_NODE, n->name, compute / c->period);
    }
}

/* The wait for input: of the one node whose loader takes longer, else of all. */
static void add_input(const struct cause_case *c, const struct common *all, struct waits *w)
{
    const char *who = NULL;
    int slower = 0;

    for (int i = 0; i < c->n_nodes && c->n_nodes > 1; i++)
        if (c->nodes[i].produce > slower_loader * all->produce) {
            slower++;
            who = c->nodes[i].name;
        }
    /* where the usual loader, too, takes longer than a step without that wait, all are slow */
    const bool all_slow = all->produce > c->period - c->input;
    add(w, input_cause(&c->loader), slower == 1 && !all_slow ? who : NULL,
        above(c->input / c->period, c->healthy.input, floors.input));
}

/* Cores that all nodes lacked: by quotas, by threads of ours, by others. Returns
 * the last, as a part of T. */
static double add_cores(const struct cause_case *c, const struct common *all, struct waits *w)
{
    const double quota = all->quota / c->period, shared = all->shared / c->period;
    const bool too_many = c->compute.cores > 0 && c->compute.threads > c->compute.cores;

    add(w, CAUSE_WITHHELD, NULL, above(quota, c->healthy.withheld, floors.withheld));
    if (too_many)
        add(w, CAUSE_THREADS, NULL, above(shared, c->healthy.withheld, floors.withheld));
    return too_many ? 0 : above(shared, c->healthy.withheld, 0);
}

static int larger_first(const void *a, const void *b)
{
    const struct cause_share *x = a, *y = b;

    return (x->share < y->share) - (x->share > y->share);
}

/* The exchange's software is timed by the clock, and run delay is booked as if all of it had
 * hit the computing: of its seconds so many were its own. */
static double software_of(const struct cause_case *c)
{
    const double ran = c->computed + c->exchange_cpu, all = ran + c->withheld;

    return all > 0 && ran > 0 ? c->exchange_cpu * ran / all : c->exchange_cpu;
}

static void collect(const struct cause_case *c, const struct common *all, struct diagnosis *d,
                    struct waits *w)
{
    const char *slow = slow_sender(c);
    double wire = above(c->wire / c->period, c->healthy.wire, floors.wire);

    d->foreign = add_cores(c, all, w);
    add_nodes(c, all, &wire, w);
    add(w, network_cause(c, slow), slow, wire);
    add(w, CAUSE_EXCHANGE_SOFTWARE, NULL,
        above(software_of(c) / c->period, c->healthy.exchange_cpu, floors.exchange_cpu));
    add_input(c, all, w);
    qsort(w->of, (size_t)w->n, sizeof *w->of, larger_first);
    d->visible = w->sum;
    d->n_of = w->n < CAUSE_MOST ? w->n : CAUSE_MOST;
    memcpy(d->of, w->of, (size_t)d->n_of * sizeof *d->of);
}

/* What is on the path and nobody's: neither the usual node's work, nor attributed. */
static double jitter_of(const struct cause_case *c, const struct common *all,
                        const struct diagnosis *d)
{
    double rest = c->period - c->wire - c->exchange_cpu - c->input - all->compute - all->withheld;

    for (int i = 0; i < d->n_of; i++)
        if (d->of[i].node[0] && cause_family(d->of[i].cause) == FAMILY_CORES)
            rest -= d->of[i].share * c->period;
    return fmax(0, rest / c->period);
}

/* ---- naming ---- */

/* What the step gains without the resource that this cause is about. */
static double gain_of(const struct cause_ablation *a, enum cause cause)
{
    return cause_family(cause) == FAMILY_NETWORK ? a->network
           : cause_family(cause) == FAMILY_INPUT ? a->input
                                                 : NAN;
}

static void name(const struct cause_case *c, struct diagnosis *d)
{
    const struct cause_share *most = &d->of[0];

    if (d->visible < visible_least) {
        d->cause = compute_cause(&c->compute);
        return;
    }
    const double part = most->share / d->visible, gain = gain_of(&c->ablation, most->cause);
    const bool ablated = gain >= 0.8 * c->ablation.both;
    d->confirmed = fabs(gain - most->share) <= fmax(0.25 * most->share, 0.04);
    if (part < named_alone && !(part >= named_ablated && ablated)) {
        d->cause = CAUSE_SEVERAL;
        d->confirmed = false;
        return;
    }
    d->cause = most->cause;
    memcpy(d->node, most->node, sizeof d->node);
}

/* The whole run: what is not training, where it takes more than the largest wait. */
static void name_whole(const struct cause_case *c, struct diagnosis *d)
{
    const struct cause_whole *w = &c->whole;
    const struct {
        enum cause cause;
        double seconds;
    } of[] = {{CAUSE_EVALUATION, w->evaluation},
              {CAUSE_CHECKPOINT, w->checkpoint},
              {CAUSE_STAGING, w->staging}};
    double most = d->n_of && d->visible >= visible_least ? d->of[0].share * w->training : 0;

    for (size_t i = 0; i < sizeof of / sizeof *of; i++)
        if (of[i].seconds > most && of[i].seconds >= whole_least * w->wall) {
            most = of[i].seconds;
            d->whole = of[i].cause;
            d->whole_share = most / w->wall;
        }
}

void diagnose(const struct cause_case *c, struct diagnosis *d)
{
    struct waits w = {.n = 0};

    *d = (struct diagnosis){.cause = CAUSE_UNKNOWN, .whole = CAUSE_UNKNOWN, .period = NAN};
    if (c->period > 0 && c->n_nodes > 0 && c->steps > 0) {
        const struct common all = common_of(c);
        d->period = c->period;
        collect(c, &all, d, &w);
        d->jitter = jitter_of(c, &all, d);
        if (d->foreign < foreign_least)
            d->foreign = 0;
        name(c, d);
    }
    name_whole(c, d);
}
