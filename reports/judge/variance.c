/* SPDX-License-Identifier: BSD-3-Clause */
/* Passes: sort, steps (w), polish (m, T), residuals (r), shifts (t), nodes (b, B). */
#include <config.h>

#include "reports/judge/variance.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "reports/judge/stat.h"

enum { PRIOR_FREEDOM = 4, SWEEPS = 3, SHARING = 3, PAIRS = 4 };

static const struct {
    const char *word;
    double scale; /* % */
} kinds[KIND_COUNT] = {
    [KIND_COMPUTE] = {"compute", 1},
    [KIND_MEMORY] = {"memory", 2},
    [KIND_NETWORK] = {"network", 5},
    [KIND_DISK] = {"disk", 10},
};

const char *kind_word(enum metric_kind kind)
{
    return kinds[kind].word;
}

struct judge_history variance_prior(enum metric_kind kind)
{
    return (struct judge_history){
        .run = kinds[kind].scale, .freedom = PRIOR_FREEDOM, .baseline = NAN, .metrics = 1};
}

/* ---- the table of first steps ---- */

struct table {
    const struct variance_value *v; /* sorted by run, node, step */
    int n, runs, nodes;
    int *first; /* the indices of first steps */
    int cells;
    double *node, *shift; /* m_i, T_k */
    int *of_run, *of_node;
    int *by_node, *begin; /* cells of node 0, of node 1, ...; where those of a node begin */
    double *work;         /* PAIRS n */
};

static int by_place(const void *a, const void *b)
{
    const struct variance_value *x = a, *y = b;

    if (x->run != y->run)
        return x->run < y->run ? -1 : 1;
    if (x->node != y->node)
        return x->node < y->node ? -1 : 1;
    return (x->step > y->step) - (x->step < y->step);
}

static bool same_cell(const struct variance_value *a, const struct variance_value *b)
{
    return a->run == b->run && a->node == b->node;
}

static int make_table(struct table *t)
{
    size_t nodes = (size_t)t->nodes, runs = (size_t)t->runs, n = (size_t)t->n;
    double *p = calloc(nodes + runs + PAIRS * n, sizeof *p);
    int *q = calloc(2 * nodes + runs + 2 * n, sizeof *q);

    t->node = p;
    t->first = q;
    if (!p || !q)
        return -1;
    t->shift = p + nodes;
    t->work = t->shift + runs;
    t->of_run = q + n;
    t->of_node = t->of_run + runs;
    t->begin = t->of_node + nodes;
    t->by_node = t->begin + nodes;
    for (int i = 0; i < t->n; i++) {
        if (i > 0 && same_cell(&t->v[i - 1], &t->v[i]))
            continue;
        t->first[t->cells++] = i;
        t->of_run[t->v[i].run]++;
        t->of_node[t->v[i].node]++;
    }
    for (int i = 1; i < t->nodes; i++)
        t->begin[i] = t->begin[i - 1] + t->of_node[i - 1];
    for (int c = 0; c < t->cells; c++)
        t->by_node[t->begin[t->v[t->first[c]].node]++] = c;
    for (int i = 0; i < t->nodes; i++) /* they stand at the ends now */
        t->begin[i] -= t->of_node[i];
    return 0;
}

static double scale_of(double *x, int n, double centre)
{
    return n < 2 ? 0 : stat_scale(x, n, centre) * n / (n - 0.8);
}

/* ---- parts ---- */

/* w, or 0 when too few runs have several steps. */
static double step_noise(const struct table *t)
{
    int n = 0, runs = 0, last = -1;

    for (int i = 1; i < t->n; i++) {
        if (!same_cell(&t->v[i - 1], &t->v[i]))
            continue;
        t->work[n++] = (t->v[i].x - t->v[i - 1].x) / M_SQRT2;
        runs += t->v[i].run != last;
        last = t->v[i].run;
    }
    return runs >= VARIANCE_STEP_RUNS ? scale_of(t->work, n, 0) : 0;
}

/* The median of node i's first steps without the shifts of their runs. */
static double node_median(const struct table *t, int node)
{
    const int *cells = t->by_node + t->begin[node], n = t->of_node[node];

    for (int k = 0; k < n; k++) {
        const struct variance_value *v = &t->v[t->first[cells[k]]];
        t->work[k] = v->x - t->shift[v->run];
    }
    return stat_median(t->work, n);
}

static void polish_runs(const struct table *t)
{
    for (int c = 0, end; c < t->cells; c = end) {
        int run = t->v[t->first[c]].run, n = 0;
        for (end = c; end < t->cells && t->v[t->first[end]].run == run; end++)
            t->work[n++] = t->v[t->first[end]].x - t->node[t->v[t->first[end]].node];
        t->shift[run] = n >= SHARING ? stat_median(t->work, n) : 0;
    }
}

static void polish(const struct table *t)
{
    for (int sweep = 0; sweep < SWEEPS; sweep++) {
        for (int i = 0; i < t->nodes; i++)
            t->node[i] = node_median(t, i);
        polish_runs(t);
    }
}

/* What a first step is away from its node's median. */
static double away(const struct table *t, int cell)
{
    const struct variance_value *v = &t->v[t->first[cell]];
    return v->x - t->node[v->node];
}

/* r^2 + w^2: from pairs of nodes in one run, of which the shift drops out; where runs
 * have one node, from what is away from its median, shift and all. */
static double residual_variance(const struct table *t)
{
    int n = 0;

    for (int c = 0, end; c < t->cells; c = end) {
        int run = t->v[t->first[c]].run;
        for (end = c; end < t->cells && t->v[t->first[end]].run == run; end++)
            ;
        for (int i = c; i < end; i++)
            for (int k = i + 1; k < end && k <= i + PAIRS; k++)
                t->work[n++] = (away(t, i) - away(t, k)) / M_SQRT2;
    }
    if (n < t->cells / 2) {
        n = 0;
        for (int c = 0; c < t->cells; c++)
            t->work[n++] = away(t, c);
    }
    double s = scale_of(t->work, n, 0);
    return s * s;
}

/* Scale of those of n medians that are of at least `least` values each, less their error. */
static double part(const struct table *t, const double *medians, const int *of, int n, int least,
                   double noise)
{
    int m = 0, values = 0;

    for (int i = 0; i < n; i++)
        if (of[i] >= least) {
            t->work[m++] = medians[i];
            values += of[i];
        }
    if (m < SHARING)
        return NAN;
    double *copy = t->work, centre;
    centre = stat_median(copy, m);
    double s = scale_of(copy, m, centre);
    return sqrt(fmax(0, s * s - STAT_MEDIAN * noise * m / values));
}

static int seen_nodes(const struct table *t)
{
    int n = 0;

    for (int i = 0; i < t->nodes; i++)
        n += t->of_node[i] > 0;
    return n;
}

static int seen_runs(const struct table *t)
{
    int n = 0;

    for (int k = 0; k < t->runs; k++)
        n += t->of_run[k] > 0;
    return n;
}

/* B: the median of the nodes' medians. */
static double middle_node(const struct table *t)
{
    int n = 0;

    for (int i = 0; i < t->nodes; i++)
        if (t->of_node[i] > 0)
            t->work[n++] = t->node[i];
    return stat_median(t->work, n);
}

static void fill(const struct table *t, enum metric_kind kind, struct judge_history *h)
{
    double w = step_noise(t), noise = residual_variance(t);
    int freedom = t->cells - seen_nodes(t);

    h->step = w;
    h->run = sqrt(fmax(0, noise - w * w));
    h->shift = part(t, t->shift, t->of_run, t->runs, SHARING, noise);
    h->between = part(t, t->node, t->of_node, t->nodes, 1, noise);
    if (isnan(h->shift))
        h->shift = 0;
    if (isnan(h->between))
        h->between = kinds[kind].scale;
    h->baseline = middle_node(t);
    h->freedom = freedom < VARIANCE_FREEDOM ? freedom : VARIANCE_FREEDOM;
    h->known = true;
    h->metrics = 1;
}

int variance_parts(struct variance_value *values, int n, int n_runs, int n_nodes,
                   enum metric_kind kind, struct judge_history *h, struct variance_node *nodes)
{
    struct table t = {.v = values, .n = n, .runs = n_runs, .nodes = n_nodes};
    int rc = -1;

    *h = variance_prior(kind);
    if (n > 0)
        qsort(values, (size_t)n, sizeof *values, by_place);
    if (make_table(&t) < 0)
        goto out;
    polish(&t);
    if (seen_runs(&t) >= VARIANCE_RUNS && t.cells - seen_nodes(&t) >= PRIOR_FREEDOM)
        fill(&t, kind, h);
    for (int i = 0; nodes && i < n_nodes; i++)
        nodes[i] = (struct variance_node){t.of_node[i] ? t.node[i] : NAN, t.of_node[i]};
    rc = 0;
out:
    free(t.node);
    free(t.first);
    return rc;
}
