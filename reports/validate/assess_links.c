/* SPDX-License-Identifier: BSD-3-Clause */
/* Links: their ends, what a pair was before, peeling; and as lines for the history. */
#include <config.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reports/judge/link.h"
#include "reports/judge/stat.h"
#include "reports/validate/assess_inner.h"

static const char no_memory[] = "out of memory for the links";

/* ---- pairs ---- */

/* Which of a pair's two values a metric of links is. */
static enum assess_way way_of(int metric)
{
    return metric == NODE_METRIC_net_latency ? ASSESS_LATENCY : ASSESS_BANDWIDTH;
}

static int metric_of(enum assess_way way)
{
    return way == ASSESS_LATENCY ? NODE_METRIC_net_latency : NODE_METRIC_net_out;
}

/* By which the past knows a node. */
static const char *identity(const struct assess *a, int node)
{
    const struct assess_node *n = &a->nodes[node];

    return n->lines[0] ? past_identity(n->lines[0]) : n->name;
}

enum { END_OUT, END_IN, END_LATENCY, ENDS };

/* Of a pair of a further round that has no history: its ends have met others in the look, and
 * a pair is as slow as its slower end. */
static double away_of_ends(const struct assess *a, const struct assess_pair *p, enum assess_way way)
{
    if (!a->stood || p->round == 0)
        return 0;
    const bool both = way == ASSESS_LATENCY;
    return fmax(a->stood[(both ? END_LATENCY : END_OUT) * a->n + p->from],
                a->stood[(both ? END_LATENCY : END_IN) * a->n + p->to]);
}

/* A pair that has a history of its own stands where a usual one would: at the baseline. */
static void correct(const struct assess *a, struct assess_pair *p)
{
    for (int way = 0; way < ASSESS_WAYS; way++) {
        struct variance_node own = {NAN, 0};
        if (a->past && isfinite(a->links_at[way]))
            own = past_pair(a->past, identity(a, p->from), identity(a, p->to),
                            metric_of((enum assess_way)way));
        p->runs[way] = own.runs >= JUDGE_OWN_RUNS ? own.runs : 0;
        p->away[way] =
            p->runs[way] ? own.median - a->links_at[way] : away_of_ends(a, p, (enum assess_way)way);
    }
}

int assess_pair(struct assess *a, int round, const char *from, const char *to, double bandwidth,
                double latency, struct err *e)
{
    struct assess_pair p = {.round = round,
                            .from = assess_find(a, from),
                            .to = assess_find(a, to),
                            .value = {bandwidth, latency}};

    if (p.from < 0 || p.to < 0 || p.from == p.to)
        return 0;
    if (a->n_pairs == a->pairs_room) {
        int room = a->pairs_room ? 2 * a->pairs_room : 64;
        struct assess_pair *more = realloc(a->pairs, (size_t)room * sizeof *more);
        if (!more)
            return err_set(e, "%s", no_memory);
        a->pairs = more;
        a->pairs_room = room;
    }
    if (a->looks > 0) /* else when it is looked at: lines say who is who */
        correct(a, &p);
    a->pairs[a->n_pairs++] = p;
    return 0;
}

static double pair_loss(const struct assess_pair *p, int metric)
{
    const enum assess_way way = way_of(metric);

    return judge_loss(p->value[way], 1, way == ASSESS_BANDWIDTH) - p->away[way];
}

/* ---- ends ---- */

static bool is_of(const struct assess_pair *p, int node, int metric)
{
    return metric == NODE_METRIC_net_out  ? p->from == node
           : metric == NODE_METRIC_net_in ? p->to == node
                                          : p->from == node || p->to == node;
}

/* Counts, then places; a pair is of both of its nodes. */
int assess_index_links(struct assess *a)
{
    if (a->pairs_indexed == a->n_pairs && a->pair_begin)
        return 0;
    int *begin = realloc(a->pair_begin, ((size_t)a->n + 2) * sizeof *begin);
    a->pair_begin = begin ? begin : a->pair_begin;
    int *of = begin ? realloc(a->pair_of, (2 * (size_t)a->n_pairs + 1) * sizeof *of) : NULL;
    if (!of)
        return -1;
    a->pair_of = of;
    memset(begin, 0, ((size_t)a->n + 2) * sizeof *begin);
    for (int i = 0; i < a->n_pairs; i++) {
        begin[a->pairs[i].from + 2]++;
        begin[a->pairs[i].to + 2]++;
    }
    for (int i = 2; i <= a->n + 1; i++)
        begin[i] += begin[i - 1];
    for (int i = 0; i < a->n_pairs; i++) { /* begin[n + 1] becomes where node n ends */
        of[begin[a->pairs[i].from + 1]++] = i;
        of[begin[a->pairs[i].to + 1]++] = i;
    }
    a->pairs_indexed = a->n_pairs;
    return 0;
}

double assess_end_loss(const struct assess *a, int round, int node, int metric, double *room)
{
    int n = 0;

    for (int i = a->pair_begin[node]; i < a->pair_begin[node + 1]; i++) {
        const struct assess_pair *p = &a->pairs[a->pair_of[i]];
        if (p->round == round && is_of(p, node, metric) && isfinite(pair_loss(p, metric)))
            room[n++] = pair_loss(p, metric);
    }
    return n ? stat_median(room, n) : (double)NAN;
}

bool assess_names(const struct assess *a, int node, int metric)
{
    int met[LINK_NAMES], n = 0;

    for (int i = a->pair_begin[node]; i < a->pair_begin[node + 1] && n < LINK_NAMES; i++) {
        const struct assess_pair *p = &a->pairs[a->pair_of[i]];
        const int partner = p->from == node ? p->to : p->from;
        bool known = p->round != 0 || !is_of(p, node, metric) || !isfinite(pair_loss(p, metric));
        for (int k = 0; k < n; k++)
            known = known || met[k] == partner;
        if (!known)
            met[n++] = partner;
    }
    return n == LINK_NAMES;
}

/* The runs of the pair of an end that has the fewest; 0: one has no history of its own. */
static int own_runs(const struct assess *a, int node, int metric)
{
    int runs = 0;

    for (int i = a->pair_begin[node], first = 1; i < a->pair_begin[node + 1]; i++) {
        const struct assess_pair *p = &a->pairs[a->pair_of[i]];
        if (p->round != 0 || !is_of(p, node, metric) || !isfinite(pair_loss(p, metric)))
            continue;
        const int has = p->runs[way_of(metric)];
        runs = first || has < runs ? has : runs;
        first = 0;
    }
    return runs;
}

/* ---- looking ---- */

/* Pairs of the look, as link.h wants them; how many. */
static int pick(const struct assess *a, int metric, struct link_pair *pairs)
{
    const int in = metric == NODE_METRIC_net_out ? a->n : 0; /* where the receivers begin */
    int n = 0;

    for (int i = 0; i < a->n_pairs; i++) {
        const struct assess_pair *p = &a->pairs[i];
        if (p->round == 0 && isfinite(pair_loss(p, metric)))
            pairs[n++] = (struct link_pair){p->from, in + p->to, pair_loss(p, metric)};
    }
    return n;
}

/* How far from the baseline an end was in earlier runs: the median over its pairs of the look
 * that have a history; with few of them nobody knows: 0. room: [n_pairs]. */
static double stood(const struct assess *a, int node, int metric, double *room)
{
    const enum assess_way way = way_of(metric);
    int n = 0;

    for (int i = a->pair_begin[node]; i < a->pair_begin[node + 1]; i++) {
        const struct assess_pair *p = &a->pairs[a->pair_of[i]];
        if (p->round == 0 && is_of(p, node, metric) && p->runs[way] > 0)
            room[n++] = p->away[way];
    }
    return n >= LINK_NAMES ? stat_median(room, n) : 0;
}

/* All pairs, and those of further rounds by what the look knows of their ends. */
static int correct_all(struct assess *a, int metric)
{
    const bool latency = metric == NODE_METRIC_net_latency;
    double *room = malloc(((size_t)a->n_pairs + 1) * sizeof *room);

    if (!a->stood)
        a->stood = calloc((size_t)a->n * ENDS + 1, sizeof *a->stood);
    for (int i = 0; i < a->n_pairs; i++)
        correct(a, &a->pairs[i]);
    for (int i = 0; i < a->n && room && a->stood; i++) {
        a->stood[(latency ? END_LATENCY : END_OUT) * a->n + i] = stood(a, i, metric, room);
        if (!latency)
            a->stood[END_IN * a->n + i] = stood(a, i, NODE_METRIC_net_in, room);
    }
    for (int i = 0; i < a->n_pairs; i++)
        correct(a, &a->pairs[i]);
    free(room);
    return room && a->stood ? 0 : -1;
}

/* The ends: of bandwidth two a node, out and in. */
static void add_ends(const struct assess *a, struct assess_group *g)
{
    const int ways = g->metric == NODE_METRIC_net_out ? 2 : 1;

    for (int way = 0; way < ways; way++)
        for (int i = 0; i < a->n; i++) {
            const int of = way ? NODE_METRIC_net_in : g->metric;
            const int runs = own_runs(a, i, of);
            const double at = a->links_at[way_of(of)];
            assess_add_entry(g, i, of, NAN,
                             runs ? (struct variance_node){at, runs}
                                  : (struct variance_node){NAN, 0});
        }
}

static int look_at_links(struct assess *a, int metric, struct err *e)
{
    struct link_pair *pairs = calloc((size_t)a->n_pairs + 1, sizeof *pairs);
    struct assess_group *g = pairs ? assess_new_group(a, metric, NULL, 2 * a->n) : NULL;
    struct judge_history h;
    int rc = g ? assess_noise(a, PAST_LINKS, 2, g, &h, e) : err_set(e, "%s", no_memory);

    if (rc == 0) {
        a->links_at[way_of(metric)] = h.known ? h.baseline : (double)NAN;
        rc = correct_all(a, metric);
        add_ends(a, g);
        if (rc < 0 ||
            link_look(&h, g->in, g->n, pairs, pick(a, metric, pairs), g->seen, &g->look) < 0)
            rc = err_set(e, "%s", no_memory);
    }
    free(pairs);
    return rc;
}

static bool any_latency(const struct assess *a)
{
    for (int i = 0; i < a->n_pairs; i++)
        if (a->pairs[i].round == 0 && isfinite(a->pairs[i].value[ASSESS_LATENCY]))
            return true;
    return false;
}

int assess_look_at_links(struct assess *a, struct err *e)
{
    if (assess_index_links(a) < 0)
        return err_set(e, "%s", no_memory);
    if (a->n_pairs > 0 && look_at_links(a, NODE_METRIC_net_out, e) < 0)
        return -1;
    return any_latency(a) ? look_at_links(a, NODE_METRIC_net_latency, e) : 0;
}

/* ---- for the history ---- */

int assess_links(const struct assess *a, struct link_line **links, int *n, struct err *e)
{
    *n = 0;
    *links = calloc((size_t)a->n_pairs + 1, sizeof **links);
    if (!*links)
        return err_set(e, "%s", no_memory);
    for (int i = 0; i < a->n_pairs; i++) {
        const struct assess_pair *p = &a->pairs[i];
        const struct node_result *r = a->nodes[p->from].lines[0];
        struct link_line *l = &(*links)[(*n)++];
        *l = (struct link_line){.round = p->round,
                                .time = r ? r->time : 0,
                                .bandwidth = p->value[ASSESS_BANDWIDTH],
                                .latency = p->value[ASSESS_LATENCY]};
        snprintf(l->from, sizeof l->from, "%.*s", NAMES_SIZE - 1, identity(a, p->from));
        snprintf(l->to, sizeof l->to, "%.*s", NAMES_SIZE - 1, identity(a, p->to));
    }
    return 0;
}
