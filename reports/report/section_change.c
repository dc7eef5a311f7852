/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sizes and time: scaling, history. They must never claim: more than the measured scale; a
 * cause for a step in the history.
 */
#include <config.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "reports/core/text.h"
#include "reports/judge/stat.h"
#include "reports/record/fields.h"
#include "reports/report/compare.h"
#include "reports/report/past.h"
#include "reports/report/section.h"

/* ---- scaling ---- */

/* Whether two groups are sizes of one training. */
static bool is_size_of(const struct group *a, const struct group *b)
{
    return strcmp(a->name, b->name) == 0 && strcmp(a->class_name, b->class_name) == 0 &&
           strcmp(a->dtype, b->dtype) == 0 && a->nodes > 0 && b->nodes > 0;
}

/* The group of the same training that ran on the fewest nodes. */
static const struct group *smallest(const struct book *b, const struct group *g)
{
    const struct group *least = NULL;

    for (int i = 0; i < b->n_groups; i++)
        if (is_size_of(&b->groups[i], g) && (!least || b->groups[i].nodes < least->nodes))
            least = &b->groups[i];
    return least;
}

static double of_reported(const struct group *g, const char *path)
{
    return json_number(group_reported(g)->workload, path, NAN);
}

static double quality_seconds(const struct group *g)
{
    return training_reached(group_reported(g)->workload)
               ? of_reported(g, "performance.time_to_quality_seconds")
               : NAN;
}

/* Strong: one batch for all; weak: one batch a rank. */
static enum word scaling_kind(const struct group *g, const struct group *base)
{
    double batch = of_reported(g, "batch"), ranks = of_reported(g, "ranks");
    double base_batch = of_reported(base, "batch"), base_ranks = of_reported(base, "ranks");

    if (g == base)
        return W_SCALING_BASE;
    return batch == base_batch                        ? W_SCALING_STRONG
           : batch * base_ranks == base_batch * ranks ? W_SCALING_WEAK
                                                      : W_SCALING_OTHER;
}

struct sizes {
    const struct group *base;
    int n;
    double nodes[BOOK_MOST_GROUPS], up[BOOK_MOST_GROUPS], low[BOOK_MOST_GROUPS],
        high[BOOK_MOST_GROUPS];
};

static void sizes_of(const struct book *b, const struct group *base, struct sizes *s)
{
    *s = (struct sizes){.base = base};
    for (int i = 0; i < b->n_groups; i++) {
        const struct group *g = &b->groups[i];
        if (!is_size_of(g, base) || !(compare_mean_speed(g) > 0))
            continue;
        int k = s->n++; /* in the order of nodes */
        for (; k > 0 && s->nodes[k - 1] > g->nodes; k--) {
            s->nodes[k] = s->nodes[k - 1];
            s->up[k] = s->up[k - 1];
            s->low[k] = s->low[k - 1];
            s->high[k] = s->high[k - 1];
        }
        struct ratio r = compare_speed(g, base);
        s->nodes[k] = g->nodes;
        s->up[k] = compare_mean_speed(g) / compare_mean_speed(base);
        s->low[k] = g == base ? 1 : r.low;
        s->high[k] = g == base ? 1 : r.high;
    }
}

static void draw_sizes(struct page *p, struct pic *pic, const void *what)
{
    const struct sizes *s = what;
    struct said title = said(&p->pen, W_SCALING_TITLE, T(s->base->name));
    struct said xlabel = said(&p->pen, W_SCALING_X), ylabel = said(&p->pen, W_SCALING_Y);
    struct said ideal = said(&p->pen, W_SCALING_IDEAL);
    double more = s->nodes[s->n - 1] / s->nodes[0];
    double ends[2] = {s->nodes[0], s->nodes[s->n - 1]}, line[2] = {1, more}, most = more;
    double at[BOOK_MOST_GROUPS][2], bar[BOOK_MOST_GROUPS][2];
    struct tick xtick[BOOK_MOST_GROUPS], ytick[6];
    char xtext[BOOK_MOST_GROUPS][TICK_TEXT], ytext[6][TICK_TEXT], desc[2048] = "";
    struct mark marks[3 + BOOK_MOST_GROUPS] = {
        {.kind = MARK_LINE,
         .x = ends,
         .y = line,
         .n = 2,
         .ink = INK_OTHER,
         .dashed = true,
         .thin = true,
         .text = ideal.text},
        {.kind = MARK_LINE, .x = s->nodes, .y = s->up, .n = s->n, .ink = INK_COMPUTE},
        {.kind = MARK_DOTS, .x = s->nodes, .y = s->up, .n = s->n, .ink = INK_COMPUTE}};
    int n = 3;

    for (int i = 0; i < s->n; i++) {
        snprintf(xtext[i], TICK_TEXT, "%.0f", s->nodes[i]);
        xtick[i] = (struct tick){s->nodes[i], xtext[i]};
        most = fmax(most, isfinite(s->high[i]) ? s->high[i] : s->up[i]);
        at[i][0] = at[i][1] = s->nodes[i];
        bar[i][0] = s->low[i];
        bar[i][1] = s->high[i];
        marks[n++] = (struct mark){
            .kind = MARK_LINE, .x = at[i], .y = bar[i], .n = 2, .ink = INK_COMPUTE, .thin = true};
        text_add(desc, sizeof desc, "%s",
                 said(&p->pen, W_SCALING_DESC, N(s->nodes[i]), N(s->up[i]),
                      N(100 * s->up[i] * s->nodes[0] / s->nodes[i]))
                     .text);
    }
    struct axis x = {.most = 1.05 * ends[1], .ticks = xtick, .n = s->n, .label = xlabel.text};
    struct axis y = {.most = 1.05 * most, .ticks = ytick, .label = ylabel.text};
    y.n = chart_ticks(0, y.most, false, ytick, ytext, 6);
    pic->title = title.text;
    pic->desc = desc;
    draw_xy(pic, 230, &x, &y, marks, n);
}

static void size_row(struct grid *g, const struct group *own, const struct group *base)
{
    struct ratio r = compare_speed(own, base);
    double up = compare_mean_speed(own) / compare_mean_speed(base), more = own->nodes / base->nodes;

    grid_row(g);
    grid_value(g, T(own->name), "");
    grid_value(g, N(own->nodes), "n");
    grid_say(g, scaling_kind(own, base));
    grid_value(g, N(compare_mean_speed(own)), "g");
    grid_value(g, N(up), "n2");
    if (own != base && isfinite(r.low)) {
        fputs(" <span class=\"iv\">", g->p->pen.f);
        say(&g->p->pen, W_INTERVAL_TIMES, N(r.low), N(r.high));
        fputs("</span>", g->p->pen.f);
    }
    grid_value(g, N(100 * up / more), "pct");
    grid_value(g, N(quality_seconds(own)), "dur");
    grid_value(g, N(quality_seconds(base) / quality_seconds(own)), "n2");
}

void section_scaling(struct page *p)
{
    static const struct column columns[] = {
        {W_WORKLOAD, false}, {W_NODE_COUNT, true}, {W_SCALING_KIND, false},   {W_SAMPLES, true},
        {W_SPEED_UP, true},  {W_EFFICIENCY, true}, {W_TIME_TO_QUALITY, true}, {W_QUALITY_UP, true}};
    static struct sizes s;
    int drawn = 0;
    struct grid g;

    for (int i = 0; i < p->book->n_groups; i++) {
        const struct group *base = smallest(p->book, &p->book->groups[i]);
        if (base != &p->book->groups[i])
            continue;
        sizes_of(p->book, base, &s);
        if (s.n < 2 || !(s.nodes[s.n - 1] > s.nodes[0]))
            continue;
        figure_open(p, true);
        say(&p->pen, W_SCALING_CAPTION, T(base->name));
        figure_chart(p, draw_sizes, &s, 780);
        grid_open(&g, p, columns, 8, false);
        for (int k = 0; k < p->book->n_groups; k++)
            if (is_size_of(&p->book->groups[k], base))
                size_row(&g, &p->book->groups[k], base);
        grid_close(&g);
        figure_close(p);
        drawn++;
    }
    para(p, drawn ? "small" : NULL, drawn ? W_SCALING_NOTE : W_NO_SCALING);
}

/* ---- history ---- */

enum { DAY = 86400, MOST_ROWS = 16 };

/* Points of a chart: of more than it holds the median of each piece of them. */
struct points {
    int n;
    double time[CHART_MOST_POINTS], speed[CHART_MOST_POINTS];
};

static void points_of(const struct past *h, struct points *q)
{
    int each = (h->n + CHART_MOST_POINTS - 1) / CHART_MOST_POINTS;

    q->n = 0;
    for (int i = 0; i < h->n; i += each) {
        int n = h->n - i < each ? h->n - i : each;
        q->time[q->n] = h->time[i + n / 2];
        q->speed[q->n++] = change_median(h->speed + i, n);
    }
}

/* The level before and after each change, over its segment. */
struct level {
    double time[2], speed[2];
    struct said text;
};

static int levels_of(struct page *p, const struct past *h, struct level *of)
{
    int n = 0;

    for (int i = 0; i < h->n_changes; i++) {
        const struct change *c = &h->changes[i];
        bool step = c->kind == CHANGE_STEP;
        double percent = 100 * (c->after / c->before - 1);
        if (step)
            of[n++] = (struct level){
                {h->time[c->from], h->time[c->at - 1]}, {c->before, c->before}, {""}};
        of[n++] = (struct level){{h->time[step ? c->at : c->from], h->time[c->end - 1]},
                                 {step ? c->after : c->before, c->after},
                                 said(&p->pen, W_CHANGE_BY, N(percent))};
    }
    return n;
}

struct shown {
    const struct group *group;
    const struct past *past;
};

static void draw_past(struct page *p, struct pic *pic, const void *what)
{
    const struct shown *s = what;
    const struct past *h = s->past;
    static struct points q;
    struct level levels[2 * CHANGE_MOST];
    struct mark marks[1 + 2 * CHANGE_MOST];
    double least = INFINITY, most = 0, from = h->time[0], to = h->time[h->n - 1];
    char texts[6][TICK_TEXT];
    struct tick ytick[6];
    int n = 0, n_levels = levels_of(p, h, levels);

    points_of(h, &q);
    for (int i = 0; i < q.n; i++) {
        least = fmin(least, q.speed[i]);
        most = fmax(most, q.speed[i]);
    }
    double margin = fmax((most - least) * .1, most * .02);
    struct said first = said(&p->pen, W_DAY, N(from)), last = said(&p->pen, W_DAY, N(to));
    struct said label = said(&p->pen, W_AXIS_SPEED, N(least - margin));
    struct said title = said(&p->pen, W_HISTORY_TITLE, T(s->group->name));
    struct said desc = said(&p->pen, W_HISTORY_DESC, N(h->n), N(least), N(most), N(h->n_changes));
    const struct tick xtick[] = {{from, first.text}, {to, last.text}};
    struct axis ax = {.least = from - DAY, .most = to + DAY, .ticks = xtick, .n = 2};
    struct axis ay = {
        .least = least - margin, .most = most + margin, .ticks = ytick, .label = label.text};
    ay.n = chart_ticks(ay.least, ay.most, false, ytick, texts, 5);
    marks[n++] = (struct mark){.kind = MARK_DOTS,
                               .x = q.time,
                               .y = q.speed,
                               .n = q.n,
                               .ink = INK_COMPUTE,
                               .thin = q.n > 40};
    for (int i = 0; i < n_levels; i++)
        marks[n++] = (struct mark){.kind = MARK_LINE,
                                   .x = levels[i].time,
                                   .y = levels[i].speed,
                                   .n = 2,
                                   .ink = INK_SKEW,
                                   .text = levels[i].text.text[0] ? levels[i].text.text : NULL};
    pic->title = title.text;
    pic->desc = desc.text;
    draw_xy(pic, 190, &ax, &ay, marks, n);
}

static void run_table(struct page *p, const struct group *group)
{
    static const struct column columns[] = {
        {W_RUN, false}, {W_WHEN, false}, {W_SAMPLES, true}, {W_TIME_TO_QUALITY, true}};
    struct grid g;

    grid_open(&g, p, columns, 4, false);
    for (int i = 0; i < group->n && i < MOST_ROWS; i++) {
        const struct training *t = &group->runs[i];
        grid_row(&g);
        grid_value(&g, T(json_text(t->record, "id", "?")), "");
        grid_value(&g, N(book_time(t->record, "time.start")), "day");
        grid_value(&g, N(json_number(t->workload, "performance.samples_per_second", NAN)), "g");
        grid_value(&g, N(json_number(t->workload, "performance.time_to_quality_seconds", NAN)),
                   "dur");
    }
    grid_close(&g);
}

static void change_table(struct page *p, const struct past *h)
{
    static const struct column columns[] = {{W_CHANGE, false},
                                            {W_WHEN, false},
                                            {W_CHANGE_BEFORE, true},
                                            {W_CHANGE_AFTER, true},
                                            {W_CHANGE_PERCENT, true}};
    struct grid g;

    grid_open(&g, p, columns, 5, false);
    for (int i = 0; i < h->n_changes; i++) {
        const struct change *c = &h->changes[i];
        grid_row(&g);
        grid_say(&g, c->kind == CHANGE_STEP ? W_CHANGE_STEP : W_CHANGE_DRIFT);
        grid_value(&g, N(h->time[c->at]), "day");
        grid_value(&g, N(c->before), "g");
        grid_value(&g, N(c->after), "g");
        grid_value(&g, N(100 * (c->after / c->before - 1)), "pct1");
    }
    grid_close(&g);
}

/* Whether it changed beside its hosts' processors, too: of the runs that have read the same
 * yardstick. */
static void at_equal_processor(struct page *p, const struct past *h)
{
    if (h->n_even < CHANGE_SHORTEST)
        return;
    for (int i = 0; i < h->n_even_changes; i++) {
        const struct change *c = &h->even_changes[i];
        para(p, NULL, W_PAST_EVEN_CHANGE, N(h->n_even), N(100 * (c->after / c->before - 1)),
             N(h->even_time[c->at]));
    }
    if (h->n_changes && !h->n_even_changes)
        para(p, NULL, W_PAST_EVEN_STEADY, N(h->n_even));
}

static void what_changed(struct page *p, const struct group *group, const struct past *h)
{
    para(p, NULL, W_PAST_RUNS, N(h->n), N(h->n - h->asked), N(h->median), N(h->low), N(h->high));
    if (h->n_changes)
        change_table(p, h);
    else
        para(p, NULL, h->n < CHANGE_SHORTEST ? W_PAST_SHORT : W_PAST_STEADY, N(CHANGE_SHORTEST));
    at_equal_processor(p, h);
    if (group->n > 1)
        run_table(p, group);
}

void section_history(struct page *p)
{
    static struct past past; /* 16 KiB */
    int drawn = 0;

    for (int i = 0; i < p->book->n_groups; i++) {
        struct shown s = {&p->book->groups[i], &past};
        if (past_of(&past, s.group, p->o->earlier) || past.n < 2)
            continue;
        figure_open(p, false);
        say(&p->pen, W_HISTORY_CAPTION, T(group_name(p, i).text));
        figure_chart(p, draw_past, &s, 520);
        fputs("<div>", p->pen.f);
        what_changed(p, s.group, &past);
        fputs("</div>\n", p->pen.f);
        figure_close(p);
        drawn++;
    }
    if (!drawn)
        para(p, NULL, p->o->earlier ? W_NO_PAST : W_NO_HISTORY);
}
