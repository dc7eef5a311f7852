/* SPDX-License-Identifier: BSD-3-Clause */
/* Names, groups and the noise of a group: below looking at nodes and at links. */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "reports/validate/assess_inner.h"

int assess_find(const struct assess *a, const char *name)
{
    for (int i = 0; i < a->n; i++)
        if (strcmp(a->nodes[i].name, name) == 0)
            return i;
    return -1;
}

struct assess_group *assess_new_group(struct assess *a, int metric, const char *class, int most)
{
    struct assess_group *more = realloc(a->groups, ((size_t)a->n_groups + 1) * sizeof *more), *g;

    if (!more)
        return NULL;
    a->groups = more;
    g = &a->groups[a->n_groups++];
    *g = (struct assess_group){.metric = metric,
                               .class = class,
                               .seen = calloc((size_t)most, sizeof *g->seen),
                               .in = calloc((size_t)most, sizeof *g->in),
                               .node = calloc((size_t)most, sizeof *g->node),
                               .of = calloc((size_t)most, sizeof *g->of)};
    return g->seen && g->in && g->node && g->of ? g : NULL;
}

void assess_add_entry(struct assess_group *g, int node, int metric, double loss,
                      struct variance_node own)
{
    g->node[g->n] = node;
    g->of[g->n] = metric;
    g->in[g->n++] =
        (struct judge_node){.loss = loss, .own = own.median, .own_runs = own.runs, .group = -1};
}

/* Every node of a class that has spoken. What is approved is one value for all of them, so
 * that a class of which half is upgraded is judged by its history. */
static bool all_run(const struct assess *a, const char *class, const char *wanted)
{
    char software[PAST_SOFTWARE_SIZE];
    int others = 0, n = 0;

    for (int i = 0; i < a->n; i++) {
        const struct node_result *r = a->nodes[i].lines[0];
        if (!r || strcmp(r->class, class) != 0)
            continue;
        past_software_of(r, software);
        others += strcmp(software, wanted) != 0;
        n++;
    }
    return n > 0 && others == 0;
}

int assess_noise(struct assess *a, const char *class, int metrics, struct assess_group *g,
                 struct judge_history *h, struct err *e)
{
    const int metric = g->metric;

    if (a->past && past_noise(a->past, class, metric, h, e) < 0)
        return -1;
    if (!a->past)
        *h = variance_prior(past_kind(metric));
    h->metrics = metrics;
    g->runs = a->past && h->known ? past_runs(a->past, class) : 0;
    const struct baseline *b = baseline_newest(a->baselines, a->n_baselines, class);
    if (b && all_run(a, class, b->software) && baseline_join(b, b->software, metric, h))
        g->version = b->version;
    return 0;
}
