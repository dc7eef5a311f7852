/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the runs cost. It must never claim: whole-system energy from the sensors of nodes;
 * figures of the site as if measured.
 */
#include <config.h>

#include <math.h>
#include <string.h>

#include "reports/record/fields.h"
#include "reports/report/section.h"

/* ---- energy and money ---- */

/* Who read the energy of whole nodes, as the record says it (agent/energy.h). */
static enum word node_source(const cJSON *w)
{
    const char *from = json_text(w, "counters.energy_node_joules.source", "");

    return strncmp(from, "Slurm", 5) == 0      ? W_BY_SLURM_PLUGIN
           : strncmp(from, "the site", 8) == 0 ? W_BY_SITE_COMMAND
                                               : W_BY_NODE_SENSOR;
}

/* Joules that were read: of whole nodes, else of packages and memory. */
static double joules(const cJSON *w, enum word *source)
{
    double node = json_number(w, "counters.energy_node_joules.total", NAN);
    double package = json_number(w, "counters.energy_package_joules.total", NAN);
    double dram = json_number(w, "counters.energy_dram_joules.total", 0);

    *source = isfinite(node) ? node_source(w) : isfinite(package) ? W_BY_PACKAGES : W_BY_NOTHING;
    return isfinite(node) ? node : package + dram;
}

static void money_row(struct grid *g, int i, double price)
{
    struct page *p = g->p;
    const cJSON *w = group_work(p, i);
    double nodes = p->book->groups[i].nodes, seconds = json_number(w, "wall_seconds", NAN);
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
    grid_value(g, N(page_quality_hours(p, i) * price), "money");
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
        para(p, "warn", W_PRICES_EXPIRED, N(prices_day(p->prices->valid_until)));
}
