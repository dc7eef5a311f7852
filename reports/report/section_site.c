/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The machine over its nodes and runs, and what they cost. They must never claim: a
 * broken part, only what differs; a node's name in a redacted report; whole-system
 * energy from the sensors of nodes.
 */
#include <config.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "reports/record/fields.h"
#include "reports/report/section.h"

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

/* ---- wrong verdicts on parts ---- */

enum { FOUND_PERCENT = 99 }; /* of the flawed: where defect counts its false rejects */

static double other_quality(const cJSON *w, const char *name)
{
    const cJSON *q;

    cJSON_ArrayForEach(q,
                       json_at(w, "quality.others")) if (strcmp(json_text(q, "name", ""), name) ==
                                                         0) return json_number(q, "value", NAN);
    return NAN;
}

static void inspection_row(struct grid *g, int i, double rejects)
{
    const struct page *p = g->p;
    double missed = 1 - FOUND_PERCENT / 100.0;
    struct price_errors cost = {NAN, NAN};

    if (p->prices)
        cost = prices_inspection(p->prices, missed, rejects);
    grid_row(g);
    grid_value(g, T(group_name(p, i).text), "");
    grid_value(g, N(100 * missed), "pct1");
    grid_value(g, N(cost.missed), "money");
    grid_value(g, N(100 * rejects), "pct1");
    grid_value(g, N(cost.false_rejects), "money");
    grid_value(g, N(cost.missed + cost.false_rejects), "money");
}

/* Of each training that inspects parts; what a missed one and a false reject cost. */
static void inspections(struct page *p)
{
    static const struct column columns[] = {{W_WORKLOAD, false},         {W_MISSED, true},
                                            {W_MISSED_COST, true},       {W_FALSE_REJECTS, true},
                                            {W_FALSE_REJECT_COST, true}, {W_ERRORS_COST, true}};
    bool open = false;
    struct grid g;

    for (int i = 0; i < p->book->n_groups; i++) {
        double rejects = other_quality(group_work(p, i), "false_rejects");
        if (!isfinite(rejects))
            continue;
        if (!open) {
            heading(p, 3, W_INSPECTION);
            para(p, NULL, W_INSPECTION_TEXT, N(FOUND_PERCENT));
            grid_open(&g, p, columns, 6, false);
        }
        open = true;
        inspection_row(&g, i, rejects);
    }
    if (!open)
        return;
    grid_close(&g);
    if (!p->prices || !(p->prices->inspection.parts_per_year > 0))
        para(p, "small", W_INSPECTION_NEEDS);
    else
        para(p, "small", W_INSPECTION_NOTE, N(p->prices->inspection.parts_per_year),
             N(100 * p->prices->inspection.flawed), N(p->prices->inspection.missed),
             N(p->prices->inspection.false_reject));
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
    inspections(p);
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
