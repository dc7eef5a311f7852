/* SPDX-License-Identifier: BSD-3-Clause */
/* Rows to series. */
#include <config.h>

#include "reports/history/history_series.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void title_of(const struct history_row *r, char title[SERIES_TITLE])
{
    snprintf(title, SERIES_TITLE, "%s%s%s%s%s%s%s, %d rank%s on %d node%s, %s%s%s", r->workload,
             *r->class_name ? " " : "", r->class_name, *r->engine ? " " : "", r->engine,
             *r->dtype ? " " : "", r->dtype, r->ranks, r->ranks == 1 ? "" : "s", r->n_nodes,
             r->n_nodes == 1 ? "" : "s", *r->cluster ? r->cluster : "without Slurm",
             *r->metric_node ? ", rank on " : "", r->metric_node);
}

static struct series *find(struct series_set *set, const char *title, const char *metric)
{
    for (int i = 0; i < set->n; i++)
        if (strcmp(set->series[i]->title, title) == 0 &&
            strcmp(set->series[i]->metric, metric) == 0)
            return set->series[i];
    return NULL;
}

static struct series *add_series(struct series_set *set, const char *title, const char *metric,
                                 const char *node)
{
    struct series *s = calloc(1, sizeof *s);

    if (!s)
        return NULL;
    snprintf(s->title, sizeof s->title, "%s", title);
    snprintf(s->metric, sizeof s->metric, "%s", metric);
    snprintf(s->node, sizeof s->node, "%s", node);
    return set->series[set->n++] = s;
}

static int grow(struct series *s)
{
    int room = s->room ? 2 * s->room : 64;
    void *p;

    if (s->n == 2 * CHANGE_LONGEST) { /* the newest half stays */
        s->n = CHANGE_LONGEST;
        memmove(s->time, s->time + s->n, (size_t)s->n * sizeof *s->time);
        memmove(s->value, s->value + s->n, (size_t)s->n * sizeof *s->value);
        memmove(s->key, s->key + s->n, (size_t)s->n * sizeof *s->key);
        return 0;
    }
    if (s->n < s->room)
        return 0;
    room = room > 2 * CHANGE_LONGEST ? 2 * CHANGE_LONGEST : room;
    if (!(p = realloc(s->time, (size_t)room * sizeof *s->time)))
        return -1;
    s->time = p;
    if (!(p = realloc(s->value, (size_t)room * sizeof *s->value)))
        return -1;
    s->value = p;
    if (!(p = realloc(s->key, (size_t)room * sizeof *s->key)))
        return -1;
    s->key = p;
    s->room = room;
    return 0;
}

int series_add(struct series_set *set, const struct history_row *row)
{
    const char *metric = *row->metric ? row->metric : "samples_per_second";
    double v = *row->metric ? row->value : row->samples_per_second;
    char title[SERIES_TITLE];

    if (!isfinite(v) || row->workload_status != RUN_COMPLETE || !row->workload_valid)
        return 0;
    title_of(row, title);
    struct series *s = find(set, title, metric);
    if (!s && set->n == SERIES_MOST) {
        set->omitted++;
        return 0;
    }
    if (!s && !(s = add_series(set, title, metric, row->metric_node)))
        return -1;
    if (grow(s) < 0)
        return -1;
    s->time[s->n] = row->begin;
    s->value[s->n] = v;
    snprintf(s->key[s->n], sizeof *s->key, "%s", row->key);
    s->n++;
    s->total++;
    return 0;
}

void series_test(struct series_set *set)
{
    for (int i = 0; i < set->n; i++) {
        struct series *s = set->series[i];
        s->median = change_median(s->value, s->n);
        s->n_changes = change_find(s->value, s->n, s->changes);
    }
}

void series_fini(struct series_set *set)
{
    for (int i = 0; i < set->n; i++) {
        free(set->series[i]->time);
        free(set->series[i]->value);
        free(set->series[i]->key);
        free(set->series[i]);
    }
    set->n = 0;
}
