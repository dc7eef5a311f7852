/* SPDX-License-Identifier: BSD-3-Clause */
/* Links of earlier runs: pairs as they were measured, and the ends that judge/link.h has. */
#include <config.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reports/judge/judge.h"
#include "reports/judge/stat.h"
#include "reports/validate/json_line.h"
#include "reports/validate/past_inner.h"

/* ---- pairs ---- */

static int add_pair(struct past *p, struct pair_value v)
{
    if (!isfinite(v.x))
        return 0;
    void *more = json_line_room(p->pairs, p->n_pairs, &p->pairs_room, sizeof *p->pairs);
    if (!more)
        return -1;
    p->pairs = more;
    p->pairs[p->n_pairs++] = v;
    return 0;
}

int past_add_link(struct past *p, const struct link_line *l)
{
    struct pair_value v = {.run = names_add(&p->runs, l->run),
                           .from = names_add(&p->nodes, l->from),
                           .to = names_add(&p->nodes, l->to),
                           .step = (short)l->round,
                           .metric = NODE_METRIC_net_out,
                           .x = judge_loss(l->bandwidth, 1, true)};

    if (v.run < 0 || v.from < 0 || v.to < 0 || add_pair(p, v) < 0)
        return -1;
    p->time = l->time > p->time ? l->time : p->time;
    v.metric = NODE_METRIC_net_latency;
    v.x = judge_loss(l->latency, 1, false);
    if (v.from > v.to) {
        const int higher = v.from;
        v.from = v.to;
        v.to = higher;
    }
    return add_pair(p, v);
}

static int by_ends(const struct pair_value *a, const struct pair_value *b)
{
    return a->metric != b->metric ? (a->metric < b->metric ? -1 : 1)
           : a->from != b->from   ? (a->from < b->from ? -1 : 1)
                                  : (a->to > b->to) - (a->to < b->to);
}

static int by_pair(const void *x, const void *y)
{
    const struct pair_value *a = x, *b = y;
    const int ends = by_ends(a, b);

    return ends               ? ends
           : a->run != b->run ? (a->run < b->run ? -1 : 1)
                              : (a->step > b->step) - (a->step < b->step);
}

/* The first value of that pair, n_pairs: it has none. */
static int first_of(const struct past *p, const struct pair_value *pair)
{
    int low = 0, high = p->n_pairs;

    while (low < high) {
        const int middle = low + (high - low) / 2;
        if (by_ends(&p->pairs[middle], pair) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct variance_node past_pair(const struct past *p, const char *from, const char *to, int metric)
{
    struct pair_value pair = {.from = names_find(&p->nodes, from),
                              .to = names_find(&p->nodes, to),
                              .metric = (short)metric};
    double x[PAST_KEEP];
    int runs = 0, last = -1;

    if (pair.from < 0 || pair.to < 0)
        return (struct variance_node){NAN, 0};
    if (metric == NODE_METRIC_net_latency && pair.from > pair.to)
        return past_pair(p, to, from, metric);
    for (int i = first_of(p, &pair); i < p->n_pairs && by_ends(&p->pairs[i], &pair) == 0; i++) {
        if (p->pairs[i].run == last)
            continue;
        last = p->pairs[i].run;
        x[runs++ % PAST_KEEP] = p->pairs[i].x;
    }
    runs = runs < PAST_KEEP ? runs : PAST_KEEP;
    return (struct variance_node){runs ? stat_median(x, runs) : (double)NAN, runs};
}

/* ---- ends ---- */

/* What one pair says of an end. */
struct end {
    int run, node;
    short step, metric;
    double x;
};

static int by_end(const void *x, const void *y)
{
    const struct end *a = x, *b = y;

    return a->run != b->run         ? (a->run < b->run ? -1 : 1)
           : a->step != b->step     ? (a->step < b->step ? -1 : 1)
           : a->metric != b->metric ? (a->metric < b->metric ? -1 : 1)
                                    : (a->node > b->node) - (a->node < b->node);
}

/* The node that stands for another as a receiver. */
static int receiver(struct past *p, int node)
{
    char name[NAMES_SIZE + 2];

    snprintf(name, sizeof name, "> %s", p->nodes.of[node]);
    return names_add(&p->nodes, name);
}

/* Two of each pair; how many, -1: out of memory. */
static int fill_ends(struct past *p, struct end *ends)
{
    int n = 0;

    for (int i = 0; i < p->n_pairs; i++) {
        const struct pair_value *v = &p->pairs[i];
        const int to = v->metric == NODE_METRIC_net_out ? receiver(p, v->to) : v->to;
        if (to < 0)
            return -1;
        ends[n++] = (struct end){v->run, v->from, v->step, v->metric, v->x};
        ends[n++] = (struct end){v->run, to, v->step, v->metric, v->x};
    }
    return n;
}

/* A value of each end in each round: the median of its pairs. work: [n]. */
static int add_ends(struct past *p, const struct end *ends, int n, double *work)
{
    const int class = past_add_class(p, PAST_LINKS);

    for (int i = 0, next; i < n && class >= 0; i = next) {
        const struct end *is = &ends[i];
        for (next = i; next < n && by_end(&ends[next], is) == 0; next++)
            work[next - i] = ends[next].x;
        const struct value v = {.run = is->run,
                                .node = is->node,
                                .class = class,
                                .software = -1,
                                .step = is->step,
                                .metric = is->metric,
                                .x = stat_median(work, next - i)};
        if (past_add_value(p, v) < 0)
            return -1;
    }
    return class < 0 ? -1 : 0;
}

int past_end_links(struct past *p)
{
    const size_t most = 2 * (size_t)p->n_pairs;
    struct end *ends = malloc(most * sizeof *ends + 1);
    double *work = malloc(most * sizeof *work + 1);
    int n = ends && work ? fill_ends(p, ends) : -1, rc = n < 0 ? -1 : 0;

    if (n > 0) {
        qsort(ends, (size_t)n, sizeof *ends, by_end);
        qsort(p->pairs, (size_t)p->n_pairs, sizeof *p->pairs, by_pair);
        rc = add_ends(p, ends, n, work);
    }
    free(ends);
    free(work);
    return rc;
}
