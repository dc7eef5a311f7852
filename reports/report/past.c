/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "reports/report/past.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "reports/judge/stat.h"
#include "reports/record/fields.h"

int past_runs_add(struct past_runs *r, const struct past_run *one)
{
    if (r->n == r->room) {
        int room = r->room ? 2 * r->room : 64;
        struct past_run *more = realloc(r->of, (size_t)room * sizeof *more);
        if (!more)
            return -1;
        r->of = more;
        r->room = room;
    }
    r->of[r->n++] = *one;
    return 0;
}

void past_runs_fini(struct past_runs *r)
{
    free(r->of);
    *r = (struct past_runs){0};
}

/* ---- which runs ---- */

struct run {
    double time, speed, even;
};

static int put(struct run *runs, int n, double time, double speed, double even)
{
    if (!isfinite(time) || !(speed > 0) || !isfinite(speed))
        return n;
    runs[n] = (struct run){time, speed, even};
    return n + 1;
}

/* Samples per yardstick of a run of the book; NAN: none of the reported run's convolution. */
static double even_of(const struct group *g, const struct training *t)
{
    const cJSON *reported = json_at(group_reported(g)->workload, "yardstick");
    const cJSON *own = json_at(t->workload, "yardstick");

    if (strcmp(json_text(reported, "what", ""), json_text(own, "what", "?")) != 0)
        return NAN;
    return json_number(t->workload, "performance.samples_per_second", NAN) *
           json_number(own, "cpu.mean_seconds", NAN);
}

/* An earlier run has no words for its convolution: engine and threads make it. */
static double earlier_even(const struct group *g, const struct past_run *r)
{
    const cJSON *w = group_reported(g)->workload;

    return strcmp(json_text(w, "engine", ""), r->engine) == 0 &&
                   json_number(w, "threads", 0) == r->threads
               ? r->even
               : NAN;
}

static bool in_book(const struct group *g, const char *key)
{
    for (int i = 0; i < g->n; i++)
        if (strcmp(json_text(g->runs[i].record, "id", ""), key) == 0)
            return true;
    return false;
}

static bool is_same(const struct group *g, const struct past_run *r)
{
    const struct training *t = group_reported(g);

    return strcmp(r->workload, g->name) == 0 && strcmp(r->class_name, g->class_name) == 0 &&
           strcmp(r->dtype, g->dtype) == 0 && r->nodes == g->nodes &&
           r->ranks == json_number(t->workload, "ranks", NAN) &&
           strcmp(r->cluster, json_text(t->record, "job.cluster", "")) == 0;
}

/* ---- in their order ---- */

static int by_time(const void *a, const void *b)
{
    double x = ((const struct run *)a)->time, y = ((const struct run *)b)->time;
    return (x > y) - (x < y);
}

/* The value of that part, 0 to 1, of n; reorders nothing. */
static double quantile(const double *v, int n, double part)
{
    static double copy[PAST_MOST];

    if (n == 0)
        return NAN;
    memcpy(copy, v, (size_t)n * sizeof *copy);
    return stat_select(copy, n, (int)lround(part * (n - 1)));
}

int past_of(struct past *p, const struct group *g, const struct past_runs *earlier)
{
    int room = g->n + (earlier ? earlier->n : 0), n = 0;
    struct run *runs = calloc((size_t)room + 1, sizeof *runs);

    *p = (struct past){0};
    if (!runs)
        return -1;
    for (int i = 0; i < g->n; i++)
        n = put(runs, n, book_time(g->runs[i].record, "time.start"),
                json_number(g->runs[i].workload, "performance.samples_per_second", NAN),
                even_of(g, &g->runs[i]));
    p->asked = n;
    for (int i = 0; earlier && i < earlier->n; i++)
        if (is_same(g, &earlier->of[i]) && !in_book(g, earlier->of[i].key))
            n = put(runs, n, earlier->of[i].time, earlier->of[i].speed,
                    earlier_even(g, &earlier->of[i]));
    qsort(runs, (size_t)n, sizeof *runs, by_time);
    int from = n > PAST_MOST ? n - PAST_MOST : 0;
    for (p->n = 0; from + p->n < n; p->n++) {
        p->time[p->n] = runs[from + p->n].time;
        p->speed[p->n] = runs[from + p->n].speed;
        if (!(runs[from + p->n].even > 0) || !isfinite(runs[from + p->n].even))
            continue;
        p->even_time[p->n_even] = runs[from + p->n].time;
        p->even[p->n_even++] = runs[from + p->n].even;
    }
    free(runs);
    p->median = change_median(p->speed, p->n);
    p->low = quantile(p->speed, p->n, 0.05);
    p->high = quantile(p->speed, p->n, 0.95);
    p->n_changes = change_find(p->speed, p->n, p->changes);
    p->n_even_changes = change_find(p->even, p->n_even, p->even_changes);
    return 0;
}
