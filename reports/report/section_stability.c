/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Stability: run to run, and step to step within a run. It must never claim: an interval
 * from one run; a spread of fewer than two.
 */
#include <config.h>

#include <math.h>

#include "reports/judge/stat.h"
#include "reports/record/fields.h"
#include "reports/report/past.h"
#include "reports/report/section.h"

/* ---- run to run ---- */

/* Percent by which the largest of the speeds of the group's runs is above the least. */
static double speeds_spread(const struct group *group)
{
    double least = INFINITY, most = 0;
    int n = 0;

    for (int i = 0; i < group->n; i++) {
        const double speed =
            json_number(group->runs[i].workload, "performance.samples_per_second", NAN);
        if (!(speed > 0))
            continue;
        least = fmin(least, speed);
        most = fmax(most, speed);
        n++;
    }
    return n > 1 ? 100 * (most / least - 1) : NAN;
}

static void past_cell(struct grid *g, const struct group *group)
{
    static struct past past; /* 16 KiB */

    if (g->p->o->earlier && past_of(&past, group, g->p->o->earlier) == 0 && past.n > 1)
        grid_say(g, W_PAST_SPREAD, N(100 * (past.low / past.median - 1)),
                 N(100 * (past.high / past.median - 1)), N(past.n));
    else
        grid_value(g, N(NAN), "");
}

static void run_to_run(struct page *p)
{
    static const struct column columns[] = {
        {W_WORKLOAD, false},  {W_RUNS, true},          {W_REACHED_RUNS, true},
        {W_OLYMPIC, true},    {W_INTERVAL, true},      {W_SPREAD, true},
        {W_NORMALISED, true}, {W_SPEEDS_SPREAD, true}, {W_PAST_SPEEDS, true}};
    struct repeats r;
    struct grid g;

    grid_open(&g, p, columns, 9, false);
    for (int i = 0; i < p->book->n_groups; i++) {
        group_repeats(&p->book->groups[i], &r);
        grid_row(&g);
        grid_value(&g, T(group_name(p, i).text), "");
        grid_value(&g, N(r.runs), "n");
        grid_value(&g, N(r.reached), "n");
        grid_say(&g, r.olympic ? W_OLYMPIC_OF : W_MEAN_OF, N(r.seconds));
        if (isfinite(r.low))
            grid_say(&g, W_INTERVAL_OF, N(r.low), N(r.high));
        else
            grid_value(&g, N(NAN), "");
        grid_value(&g, N(r.reached > 1 ? 100 * (r.most / r.least - 1) : NAN), "pct1");
        grid_value(&g, N(r.normalised), "dur");
        grid_value(&g, N(speeds_spread(&p->book->groups[i])), "pct1");
        past_cell(&g, &p->book->groups[i]);
    }
    grid_close(&g);
}

/* ---- step to step ---- */

/* 95 % point and median of the seconds of a run's epochs after the first; fewer than five
 * tell nothing. */
static double epochs_spread(const cJSON *w)
{
    enum { MOST = 1024, LEAST = 5 };
    static double v[MOST];
    const cJSON *row;
    int n = 0;

    cJSON_ArrayForEach(row, json_at(w, "epochs"))
    {
        double seconds = json_number(row, "seconds", NAN);
        if (json_number(row, "epoch", 0) > 1 && seconds > 0 && n < MOST)
            v[n++] = seconds;
    }
    if (n < LEAST)
        return NAN;
    double at = stat_select(v, n, (int)ceil(0.95 * (n - 1)));
    return at / stat_median(v, n);
}

/* Of the reported run: by its record, else by its steps. */
static struct lengths lengths_of(const struct page *p, int i)
{
    const struct lengths recorded = lengths_recorded(group_work(p, i));

    return recorded.median > 0 || !p->advised[i].there ? recorded : p->advised[i].lengths;
}

static void step_to_step(struct page *p)
{
    static const struct column columns[] = {
        {W_WORKLOAD, false},     {W_STEP_MEDIAN, true}, {W_STEP_P99, true},     {W_STEP_MOST, true},
        {W_P99_OF_MEDIAN, true}, {W_STALLS, true},      {W_EPOCHS_SPREAD, true}};
    struct grid g;

    heading(p, 3, W_STEP_TO_STEP);
    grid_open(&g, p, columns, 7, false);
    for (int i = 0; i < p->book->n_groups; i++) {
        const cJSON *w = group_work(p, i);
        const struct lengths l = lengths_of(p, i);
        grid_row(&g);
        grid_value(&g, T(group_name(p, i).text), "");
        grid_value(&g, N(l.median > 0 ? l.median : NAN), "dur");
        grid_value(&g, N(l.median > 0 ? l.p99 : NAN), "dur");
        grid_value(&g, N(l.median > 0 ? l.most : NAN), "dur");
        grid_value(&g, N(l.median > 0 ? l.p99 / l.median : NAN), "n2");
        grid_say(&g, W_STALLS_OF, N(json_number(w, "performance.stalls.stalled", NAN)),
                 N(json_number(w, "performance.stalls.steps", NAN)));
        grid_value(&g, N(epochs_spread(w)), "n2");
    }
    grid_close(&g);
}

void section_stability(struct page *p)
{
    if (p->book->n_groups == 0) {
        para(p, NULL, W_NO_TRAINING);
        return;
    }
    run_to_run(p);
    step_to_step(p);
    para(p, "small", W_STABILITY_NOTE);
}
