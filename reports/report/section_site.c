/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The machine over its nodes, sizes, runs and time. They must never claim: a
 * broken part, only what differs; a node's name in a redacted report; more
 * than the measured scale; a cause for a step in the history.
 */
#include <config.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "reports/record/fields.h"
#include "reports/report/section.h"

/* ---- scaling ---- */

/* The group of the same workload that ran on the fewest nodes. */
static const struct group *smallest(const struct book *b, const char *name)
{
    const struct group *least = NULL;

    for (int i = 0; i < b->n_groups; i++)
        if (strcmp(b->groups[i].name, name) == 0 && b->groups[i].nodes > 0 &&
            (!least || b->groups[i].nodes < least->nodes))
            least = &b->groups[i];
    return least;
}

static double speed_of(const struct group *g)
{
    return json_number(group_reported(g)->workload, "performance.samples_per_second", NAN);
}

void section_scaling(struct page *p)
{
    static const struct column columns[] = {{W_WORKLOAD, false},
                                            {W_NODE_COUNT, true},
                                            {W_SAMPLES, true},
                                            {W_SPEED_UP, true},
                                            {W_EFFICIENCY, true}};
    int sizes = 0;
    struct grid g;

    for (int i = 0; i < p->book->n_groups; i++)
        sizes += smallest(p->book, p->book->groups[i].name) != &p->book->groups[i];
    if (sizes == 0) {
        para(p, NULL, W_NO_SCALING);
        return;
    }
    grid_open(&g, p, columns, 5, false);
    for (int i = 0; i < p->book->n_groups; i++) {
        const struct group *own = &p->book->groups[i], *base = smallest(p->book, own->name);
        if (!base)
            continue;
        double up = speed_of(own) / speed_of(base), more = own->nodes / base->nodes;
        grid_row(&g);
        grid_value(&g, T(own->name), "");
        grid_value(&g, N(own->nodes), "n");
        grid_value(&g, N(speed_of(own)), "g");
        grid_value(&g, N(up), "n2");
        grid_value(&g, N(100 * up / more), "pct");
    }
    grid_close(&g);
    para(p, "small", W_SCALING_NOTE);
}

/* ---- node spread ---- */

enum { WORST_MOST = 8 };

#define WATCH 4.0 /* percent above the median: looked at; beyond ACT: measured again */
#define ACT   6.0

/* Seconds of one phase over the ranks, as percent above the median. */
struct spread {
    struct strip_point points[WORST_MOST];
    char names[WORST_MOST][80];
    struct strip_row row;
    struct said label;
    double median, ranks;
};

static double above(double seconds, double median)
{
    return 100 * (seconds / median - 1);
}

static void spread_of(struct page *p, int group, struct spread *s)
{
    const cJSON *w = group_work(p, group), *phase = json_at(w, "phases.compute"), *worst;
    double median = json_number(phase, "median_seconds", NAN);
    int n = 0;

    *s = (struct spread){.median = median, .ranks = json_number(w, "ranks_known", NAN)};
    s->label = group_name(p, group);
    cJSON_ArrayForEach(worst, json_at(phase, "worst")) if (n < WORST_MOST)
    {
        snprintf(s->names[n], sizeof s->names[n], "%.70s", json_text(worst, "node", "–"));
        s->points[n] =
            (struct strip_point){s->names[n], above(json_number(worst, "seconds", NAN), median)};
        n++;
    }
    /* of at most eight ranks each is among the worst: points alone tell all */
    s->row =
        (struct strip_row){.label = s->label.text,
                           .points = s->points,
                           .n = n,
                           .boxed = s->ranks > n,
                           .quantile = {above(json_number(phase, "min_seconds", NAN), median), NAN,
                                        0, above(json_number(phase, "p95_seconds", NAN), median),
                                        above(json_number(phase, "max_seconds", NAN), median)}};
}

struct spreads {
    struct spread *of;
    int n;
};

static void draw_spreads(struct page *p, struct pic *pic, const void *what)
{
    const struct spreads *s = what;
    struct strip_row rows[BOOK_MOST_GROUPS];
    struct said title = said(&p->pen, W_SPREAD_TITLE), watch = said(&p->pen, W_ZONE_WATCH);
    struct said act = said(&p->pen, W_ZONE_ACT), desc;
    const char *const zones[2] = {watch.text, act.text};
    char texts[8][TICK_TEXT], all[4096] = "";
    struct tick ticks[8];
    double least = -2, most = 10;
    size_t used = 0;

    for (int i = 0; i < s->n; i++) {
        rows[i] = s->of[i].row;
        least = fmin(least, isfinite(rows[i].quantile[0]) ? rows[i].quantile[0] : 0);
        most = fmax(most, isfinite(rows[i].quantile[4]) ? 1.1 * rows[i].quantile[4] : 0);
        desc = said(&p->pen, W_SPREAD_DESC, T(rows[i].label), N(rows[i].quantile[0]),
                    N(rows[i].quantile[4]), N(s->of[i].ranks));
        if (used < sizeof all)
            used += (size_t)snprintf(all + used, sizeof all - used, "%s", desc.text);
    }
    struct axis x = {.least = least, .most = most, .ticks = ticks};
    x.n = chart_ticks(least, most, false, ticks, texts, 8);
    pic->title = title.text;
    pic->desc = all;
    draw_strip(pic, rows, s->n, &x, WATCH, ACT, zones);
}

static void spread_table(struct page *p, const struct spreads *s)
{
    static const struct column columns[] = {{W_WORKLOAD, false},    {W_RANKS, true},
                                            {W_MEDIAN, true},       {W_FASTEST_RANK, true},
                                            {W_SLOWEST_RANK, true}, {W_SLOWEST, false}};
    struct grid g;

    grid_open(&g, p, columns, 6, false);
    for (int i = 0; i < s->n; i++) {
        const struct spread *own = &s->of[i];
        grid_row(&g);
        grid_value(&g, T(own->label.text), "");
        grid_value(&g, N(own->ranks), "n");
        grid_value(&g, N(own->median), "dur");
        grid_value(&g, N(own->row.quantile[0]), "pct1");
        grid_value(&g, N(own->row.quantile[4]), "pct1");
        grid_value(&g, T(own->row.n ? own->names[0] : "–"), "");
    }
    grid_close(&g);
}

void section_nodes(struct page *p)
{
    struct spread *of = calloc(BOOK_MOST_GROUPS, sizeof *of);
    struct spreads s = {of, 0};

    for (int i = 0; of && i < p->book->n_groups; i++) {
        spread_of(p, i, &of[s.n]);
        of[s.n].row.label = of[s.n].label.text;
        of[s.n].row.points = of[s.n].points;
        s.n += of[s.n].median > 0 && of[s.n].ranks >= 2;
    }
    if (s.n == 0) {
        para(p, NULL, W_NO_SPREAD);
    } else {
        figure_open(p, false);
        say(&p->pen, p->o->redacted ? W_SPREAD_REDACTED : W_SPREAD_CAPTION);
        figure_chart(p, draw_spreads, &s, 520);
        spread_table(p, &s);
        figure_close(p);
    }
    free(of);
}

/* ---- energy and money ---- */

/* Joules that counters saw: whole nodes, else packages and memory. */
static double joules(const cJSON *w, enum word *source)
{
    double node = json_number(w, "counters.energy_node_joules.total", NAN);
    double package = json_number(w, "counters.energy_package_joules.total", NAN);
    double dram = json_number(w, "counters.energy_dram_joules.total", 0);

    *source = isfinite(node) ? W_BY_NODE_SENSOR : isfinite(package) ? W_BY_PACKAGES : W_BY_NOTHING;
    return isfinite(node) ? node : package + dram;
}

static void money_row(struct grid *g, int i, double price)
{
    struct page *p = g->p;
    const cJSON *w = group_work(p, i);
    double nodes = p->book->groups[i].nodes, seconds = json_number(w, "wall_seconds", NAN);
    double quality =
        training_reached(w) ? json_number(w, "performance.time_to_quality_seconds", NAN) : NAN;
    double speed = json_number(w, "performance.samples_per_second", NAN);
    enum word source;
    double measured = joules(w, &source);

    if (!isfinite(measured) && p->node && p->node->power_watts > 0) {
        measured = nodes * p->node->power_watts * seconds;
        source = W_BY_PRICE_FILE;
    }
    grid_row(g);
    grid_value(g, T(group_name(p, i).text), "");
    grid_value(g, N(nodes * seconds / 3600), "g");
    grid_value(g, N(measured), "joule");
    grid_say(g, source);
    grid_value(g, N(nodes * quality / 3600 * price), "money");
    grid_value(g, N(nodes / speed * 1e6 / 3600 * price), "money");
}

static void life_table(struct page *p, const struct price_life *life)
{
    static const struct column columns[] = {
        {W_PART_OF_COST, false}, {W_AMOUNT, true}, {W_SHARE, true}};
    const struct {
        enum word word;
        double value;
    } rows[] = {{W_PURCHASE, life->purchase},
                {W_SUPPORT, life->support},
                {W_POWER, life->power},
                {W_STAFF, life->staff},
                {W_SUM, life->sum}};
    struct grid g;

    grid_open(&g, p, columns, 3, false);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        grid_row(&g);
        grid_say(&g, rows[i].word);
        grid_value(&g, N(rows[i].value), "money");
        grid_value(&g, N(100 * rows[i].value / life->sum), "pct1");
    }
    grid_close(&g);
}

/* What is in no sum for want of a price, each in a sentence. */
static void missing_prices(struct page *p, unsigned missing)
{
    static const struct {
        enum price_part part;
        enum word word;
    } rows[] = {{PRICE_SUPPORT, W_NO_SUPPORT_PRICE},
                {PRICE_POWER, W_NO_POWER_PRICE},
                {PRICE_STAFF, W_NO_STAFF_PRICE},
                {PRICE_SPARES, W_NO_SPARES_PRICE}};

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (missing & rows[i].part)
            para(p, "small", rows[i].word);
}

void section_money(struct page *p)
{
    static const struct column columns[] = {{W_WORKLOAD, false},    {W_NODE_HOURS, true},
                                            {W_ENERGY, true},       {W_READ_FROM, false},
                                            {W_COST_QUALITY, true}, {W_COST_SAMPLES, true}};
    struct price_life life = {.node_hour = NAN};
    struct grid g;

    if (p->node)
        prices_life(p->prices, p->node, &life);
    if (p->book->n_groups) {
        grid_open(&g, p, columns, 6, false);
        for (int i = 0; i < p->book->n_groups; i++)
            money_row(&g, i, life.node_hour);
        grid_close(&g);
    }
    para(p, "small", W_ENERGY_NOTE);
    heading(p, 3, W_LIFE);
    if (!p->node) {
        para(p, NULL, p->prices ? W_COSTS_NO_NODE : W_COSTS_NO_PRICES);
        return;
    }
    life_table(p, &life);
    missing_prices(p, life.missing);
    para(p, "small", W_LIFE_NOTE, N(life.node_hour), N(p->prices->life_years),
         N(p->prices->hours_available_per_year));
    if (prices_expired(p->prices, book_time(p->book->records[0], "time.end")))
        para(p, "warn", W_PRICES_EXPIRED, T(p->prices->valid_until));
}

/* ---- stability ---- */

void section_stability(struct page *p)
{
    static const struct column columns[] = {
        {W_WORKLOAD, false}, {W_RUNS, true},       {W_REACHED_RUNS, true}, {W_OLYMPIC, true},
        {W_SPREAD, true},    {W_NORMALISED, true}, {W_STALLS, true}};
    struct repeats r;
    struct grid g;

    if (p->book->n_groups == 0) {
        para(p, NULL, W_NO_TRAINING);
        return;
    }
    grid_open(&g, p, columns, 7, false);
    for (int i = 0; i < p->book->n_groups; i++) {
        const cJSON *w = group_work(p, i);
        group_repeats(&p->book->groups[i], &r);
        grid_row(&g);
        grid_value(&g, T(group_name(p, i).text), "");
        grid_value(&g, N(r.runs), "n");
        grid_value(&g, N(r.reached), "n");
        grid_say(&g, r.olympic ? W_OLYMPIC_OF : W_MEAN_OF, N(r.seconds));
        grid_value(&g, N(r.reached > 1 ? 100 * (r.most / r.least - 1) : NAN), "pct1");
        grid_value(&g, N(r.normalised), "dur");
        grid_say(&g, W_STALLS_OF, N(json_number(w, "performance.stalls.stalled", NAN)),
                 N(json_number(w, "performance.stalls.steps", NAN)));
    }
    grid_close(&g);
    para(p, "small", W_STABILITY_NOTE);
}

/* ---- history ---- */

enum { DAY = 86400 };

struct past {
    const struct group *group;
    double least, most; /* times */
};

static void draw_past(struct page *p, struct pic *pic, const void *what)
{
    const struct past *h = what;
    double x[BOOK_MOST_RECORDS], y[BOOK_MOST_RECORDS], least = INFINITY, most = 0;
    char texts[6][TICK_TEXT];
    struct tick ytick[6];
    int n = h->group->n;

    for (int i = 0; i < n; i++) {
        x[i] = book_time(h->group->runs[i].record, "time.start");
        y[i] = json_number(h->group->runs[i].workload, "performance.samples_per_second", NAN);
        least = fmin(least, y[i]);
        most = fmax(most, y[i]);
    }
    double margin = fmax((most - least) * .1, most * .02);
    struct said first = said(&p->pen, W_DAY, N(h->least)), last = said(&p->pen, W_DAY, N(h->most));
    struct said label = said(&p->pen, W_AXIS_SPEED, N(least - margin));
    struct said title = said(&p->pen, W_HISTORY_TITLE, T(h->group->name));
    struct said desc = said(&p->pen, W_HISTORY_DESC, N(n), N(least), N(most));
    const struct tick xtick[] = {{h->least, first.text}, {h->most, last.text}};
    struct axis ax = {.least = h->least - DAY, .most = h->most + DAY, .ticks = xtick, .n = 2};
    struct axis ay = {
        .least = least - margin, .most = most + margin, .ticks = ytick, .label = label.text};
    ay.n = chart_ticks(ay.least, ay.most, false, ytick, texts, 5);
    pic->title = title.text;
    pic->desc = desc.text;
    draw_xy(pic, 190, &ax, &ay,
            &(struct mark){.kind = MARK_DOTS, .x = x, .y = y, .n = n, .ink = INK_COMPUTE}, 1);
}

static void past_table(struct page *p, const struct group *group)
{
    static const struct column columns[] = {
        {W_RUN, false}, {W_WHEN, false}, {W_SAMPLES, true}, {W_TIME_TO_QUALITY, true}};
    struct grid g;

    grid_open(&g, p, columns, 4, false);
    for (int i = 0; i < group->n; i++) {
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

void section_history(struct page *p)
{
    int shown = 0;

    for (int i = 0; i < p->book->n_groups; i++) {
        struct past h = {&p->book->groups[i], INFINITY, -INFINITY};
        for (int k = 0; k < h.group->n; k++) {
            h.least = fmin(h.least, book_time(h.group->runs[k].record, "time.start"));
            h.most = fmax(h.most, book_time(h.group->runs[k].record, "time.start"));
        }
        if (h.group->n < 2 || !isfinite(h.least) || !(speed_of(h.group) > 0))
            continue;
        figure_open(p, false);
        say(&p->pen, W_HISTORY_CAPTION, T(group_name(p, i).text));
        figure_chart(p, draw_past, &h, 520);
        past_table(p, h.group);
        figure_close(p);
        shown++;
    }
    if (!shown)
        para(p, NULL, W_NO_HISTORY);
}
