/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where the time went. It must never claim: a slow node as network; phases that
 * miss the wall time without saying so.
 */
#include <config.h>

#include <math.h>
#include <string.h>

#include "reports/diagnose/words.h"
#include "reports/draw/html.h"
#include "reports/record/fields.h"
#include "reports/record/record_fields.h"
#include "reports/report/section.h"

/* ---- the split ---- */

/* shown: which groups; NULL: all. */
static bool is_drawn(const struct page *p, const bool *shown, int i)
{
    return p->split[i].limit != LIMIT_UNKNOWN && (!shown || shown[i]);
}

static void split_desc(struct page *p, const bool *shown, char *text, size_t size)
{
    size_t used = 0;

    for (int i = 0; i < p->book->n_groups && used < size; i++) {
        const struct split *s = &p->split[i];
        if (!is_drawn(p, shown, i))
            continue;
        used += (size_t)snprintf(
            text + used, size - used, "%s",
            said(&p->pen, W_SPLIT_DESC, T(group_name(p, i).text), N(split_percent(s, PART_COMPUTE)),
                 N(split_percent(s, PART_INPUT)), N(split_percent(s, PART_EXCHANGE)),
                 N(split_percent(s, PART_SKEW)), N(split_percent(s, PART_WITHHELD)),
                 N(split_percent(s, PART_EVALUATION)), N(split_percent(s, PART_START)),
                 N(split_percent(s, PART_OTHER)))
                .text);
    }
}

void draw_split(struct page *p, struct pic *pic, const void *what)
{
    static struct said names[BOOK_MOST_GROUPS], ends[BOOK_MOST_GROUPS];
    static struct seg seg[BOOK_MOST_GROUPS][PART_COUNT];
    static struct bar bars[BOOK_MOST_GROUPS];
    static char shares[BOOK_MOST_GROUPS][PART_COUNT][8], desc[4096];
    static const struct tick ticks[] = {
        {0, "0"}, {25, "25"}, {50, "50"}, {75, "75"}, {100, "100 %"}};
    struct said words[PART_COUNT], title = said(&p->pen, W_SPLIT_TITLE);
    struct legend legend[PART_COUNT];
    int n = 0;

    for (int i = 0; i < p->book->n_groups; i++) {
        const struct split *s = &p->split[i];
        if (!is_drawn(p, what, i))
            continue;
        for (int k = 0; k < PART_COUNT; k++) {
            double percent = split_percent(s, (enum part)k);
            snprintf(shares[n][k], sizeof shares[n][k], "%.0f", percent);
            seg[n][k] = (struct seg){percent, part_ink((enum part)k), shares[n][k]};
        }
        names[n] = group_name(p, i);
        ends[n] = said(&p->pen, W_DURATION, N(s->sum));
        bars[n] = (struct bar){names[n].text, seg[n], PART_COUNT, ends[n].text};
        n++;
    }
    for (int k = 0; k < PART_COUNT; k++) {
        words[k] = said(&p->pen, part_word((enum part)k));
        legend[k] = (struct legend){part_ink((enum part)k), words[k].text};
    }
    split_desc(p, what, desc, sizeof desc);
    pic->title = title.text;
    pic->desc = desc;
    draw_bars(pic, bars, n, &(struct axis){.most = 100, .ticks = ticks, .n = 5}, legend, PART_COUNT,
              20, 8);
}

static void split_table(struct page *p)
{
    static const struct column columns[] = {{W_WORKLOAD, false},
                                            {W_PART_COMPUTE, true},
                                            {W_PART_INPUT, true},
                                            {W_PART_EXCHANGE, true},
                                            {W_PART_SKEW, true},
                                            {W_PART_WITHHELD, true},
                                            {W_PART_EVALUATION, true},
                                            {W_PART_START, true},
                                            {W_PART_OTHER, true},
                                            {W_SUM, true},
                                            {W_WALL, true}};
    struct grid g;

    grid_open(&g, p, columns, 11, false);
    for (int i = 0; i < p->book->n_groups; i++) {
        const struct split *s = &p->split[i];
        grid_row(&g);
        grid_value(&g, T(group_name(p, i).text), "");
        for (int k = 0; k < PART_COUNT; k++)
            grid_say(&g, W_SECONDS_SHARE, N(s->seconds[k]), N(split_percent(s, (enum part)k)));
        grid_value(&g, N(s->sum), "n2");
        grid_value(&g, N(s->wall), "n2");
    }
    grid_close(&g);
}

static void what_limits(struct page *p)
{
    static const struct column columns[] = {{W_WORKLOAD, false},
                                            {W_WAITING, true},
                                            {W_LARGEST_WAIT, false},
                                            {W_OF_WAITING, true},
                                            {W_NAMED, false}};
    static const enum word named[] = {[LIMIT_UNKNOWN] = W_LIMIT_UNKNOWN,
                                      [LIMIT_START] = W_LIMIT_START,
                                      [LIMIT_COMPUTE] = W_LIMIT_COMPUTE,
                                      [LIMIT_NAMED] = W_LIMIT_NAMED,
                                      [LIMIT_SEVERAL] = W_LIMIT_SEVERAL};
    struct grid g;

    heading(p, 3, W_WITNESSES);
    para(p, NULL, W_WITNESSES_TEXT);
    grid_open(&g, p, columns, 5, false);
    for (int i = 0; i < p->book->n_groups; i++) {
        const struct split *s = &p->split[i];
        grid_row(&g);
        grid_value(&g, T(group_name(p, i).text), "");
        grid_value(&g, N(100 * s->wait / s->sum), "pct");
        grid_say(&g, s->wait > 0 ? part_word(s->largest) : W_NONE);
        grid_value(&g, N(100 * s->seconds[s->largest] / s->wait), "pct");
        grid_say(&g, named[s->limit]);
    }
    grid_close(&g);
}

/* Every phase of the record, with its slowest rank's node. */
static void phases(struct page *p)
{
    static const struct column columns[] = {{W_WORKLOAD, false}, {W_PHASE, false}, {W_LEAST, true},
                                            {W_MEDIAN, true},    {W_P95, true},    {W_MOST, true},
                                            {W_SLOWEST, false}};
    const cJSON *phase;
    struct grid g;

    heading(p, 3, W_PHASES);
    grid_open(&g, p, columns, 7, false);
    for (int i = 0; i < p->book->n_groups; i++)
        cJSON_ArrayForEach(phase, json_at(group_work(p, i), "phases"))
        {
            if (!(json_number(phase, "max_seconds", 0) > 0))
                continue;
            grid_row(&g);
            grid_value(&g, T(group_name(p, i).text), "");
            grid_value(&g, T(phase->string), "");
            grid_value(&g, N(json_number(phase, "min_seconds", NAN)), "dur");
            grid_value(&g, N(json_number(phase, "median_seconds", NAN)), "dur");
            grid_value(&g, N(json_number(phase, "p95_seconds", NAN)), "dur");
            grid_value(&g, N(json_number(phase, "max_seconds", NAN)), "dur");
            grid_value(&g, T(json_text(phase, "max_node", "–")), "");
        }
    grid_close(&g);
}

/* The parts of a phase that took time. */
static void split_rows(struct grid *g, int group, const cJSON *phase)
{
    const cJSON *part;

    cJSON_ArrayForEach(part, phase)
    {
        if (!phase->string || !part->string || !(json_number(part, "max_seconds", 0) > 0))
            continue;
        grid_row(g);
        grid_value(g, T(group_name(g->p, group).text), "");
        grid_value(g, T(phase->string), "");
        grid_value(g, T(part->string), "");
        grid_value(g, N(json_number(part, "median_seconds", NAN)), "dur");
        grid_value(g, N(json_number(part, "max_seconds", NAN)), "dur");
        grid_value(g, T(json_text(part, "max_node", "–")), "");
    }
}

/* What phases that are not steady steps are made of. */
static void splits(struct page *p)
{
    static const struct column columns[] = {{W_WORKLOAD, false},  {W_PHASE, false},
                                            {W_PART_NAME, false}, {W_MEDIAN, true},
                                            {W_MOST, true},       {W_SLOWEST, false}};
    const cJSON *phase;
    struct grid g;
    int n = 0;

    heading(p, 3, W_SPLITS);
    for (int i = 0; i < p->book->n_groups; i++)
        n += cJSON_GetArraySize(json_at(group_work(p, i), "splits"));
    if (n == 0) {
        para(p, NULL, W_NO_SPLITS);
        return;
    }
    grid_open(&g, p, columns, 6, false);
    for (int i = 0; i < p->book->n_groups; i++)
        cJSON_ArrayForEach(phase, json_at(group_work(p, i), "splits"))
        {
            split_rows(&g, i, phase);
        }
    grid_close(&g);
}

/* ---- what limited the steps ---- */

enum { CAUSE_SAID = 512 };

/* False: no record has a diagnosis. */
static bool causes(struct page *p)
{
    static const struct column columns[] = {{W_WORKLOAD, false},
                                            {W_CAUSE_LIMIT, false},
                                            {W_CAUSE_SHARE, true},
                                            {W_CAUSE_SURE, false},
                                            {W_CAUSE_NEXT, false}};
    const enum language l = p->pen.lang;
    bool some = false;
    struct grid g;

    for (int i = 0; i < p->book->n_groups; i++)
        some |= cause_find(json_text(group_work(p, i), "why.cause", "")) >= 0;
    if (!some)
        return false;
    heading(p, 3, W_CAUSES);
    para(p, NULL, W_CAUSES_TEXT);
    grid_open(&g, p, columns, 5, true);
    for (int i = 0; i < p->book->n_groups; i++) {
        const cJSON *why = json_at(group_work(p, i), "why");
        const int cause = cause_find(json_text(why, "cause", ""));
        const bool of_step =
            cause == cause_find(json_text(why, "causes[0].cause", "")); /* else of another */
        char said_[CAUSE_SAID];
        if (cause < 0) /* none, or one of a later release */
            continue;
        cause_said((enum cause)cause, json_text(why, "node", ""), l, said_, sizeof said_);
        grid_row(&g);
        grid_value(&g, T(group_name(p, i).text), "");
        grid_cell(&g);
        html_text(p->pen.f, said_, 0);
        grid_value(&g, N(of_step ? 100 * json_number(why, "causes[0].share", NAN) : NAN), "pct");
        grid_say(&g, cJSON_IsTrue(json_at(why, "confirmed")) ? W_CAUSE_CONFIRMED : W_CAUSE_OPEN);
        grid_cell(&g);
        html_text(p->pen.f, cause_next((enum cause)cause, l), 0);
    }
    grid_close(&g);
    return true;
}

static void slowest_path(struct page *p)
{
    static const struct column columns[] = {{W_WORKLOAD, false},     {W_PATH_STEP, true},
                                            {W_PART_INPUT, true},    {W_PART_COMPUTE, true},
                                            {W_PATH_WITHHELD, true}, {W_PATH_SOFTWARE, true},
                                            {W_PATH_WIRE, true},     {W_PATH_UPDATE, true},
                                            {W_PATH_AGREE, true},    {W_PART_OTHER, true}};
    static const char *const parts[] = {
        "input_seconds", "compute_seconds", "withheld_seconds", "exchange_cpu_seconds",
        "wire_seconds",  "update_seconds",  "agree_seconds",    "other_seconds"};
    struct grid g;

    heading(p, 3, W_SLOWEST_PATH);
    para(p, NULL, W_PATH_TEXT);
    grid_open(&g, p, columns, 10, false);
    for (int i = 0; i < p->book->n_groups; i++) {
        const cJSON *path = json_at(group_work(p, i), "path");
        const double period = json_number(path, "period_seconds", NAN);
        if (!(period > 0))
            continue;
        grid_row(&g);
        grid_value(&g, T(group_name(p, i).text), "");
        grid_value(&g, N(period), "dur");
        for (size_t k = 0; k < sizeof parts / sizeof *parts; k++)
            grid_value(&g, N(100 * json_number(path, parts[k], NAN) / period), "pct1");
    }
    grid_close(&g);
}

void section_time(struct page *p)
{
    int known = 0;

    for (int i = 0; i < p->book->n_groups; i++)
        known += p->split[i].limit != LIMIT_UNKNOWN;
    if (known == 0) {
        para(p, NULL, W_NO_PHASES);
        return;
    }
    figure_open(p, true);
    say(&p->pen, W_SPLIT_CAPTION);
    figure_chart(p, draw_split, NULL, 780);
    split_table(p);
    figure_close(p);
    for (int i = 0; i < p->book->n_groups; i++)
        if (fabs(p->split[i].miss) > SPLIT_MISS)
            para(p, NULL, W_SPLIT_MISSES, T(group_name(p, i).text), N(100 * p->split[i].miss));
    bool diagnosed = true;
    for (int i = 0; i < p->book->n_groups; i++)
        diagnosed = diagnosed && held_known(&p->held[i]);
    if (!diagnosed)
        what_limits(p);
    phases(p);
    splits(p);
    if (causes(p))
        slowest_path(p);
    else
        para(p, NULL, W_PATH_NEEDS);
}

/* ---- counters ---- */

static const char *form_of(const char *unit)
{
    static const struct {
        const char *unit, *form;
    } table[] = {
        {"s", "dur"}, {"byte", "bytes"}, {"J", "joule"}, {"Hz", "hertz"}, {"flop", "flop"}};

    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (strcmp(table[i].unit, unit) == 0)
            return table[i].form;
    return "n";
}

static void counter_row(struct grid *g, int group, const cJSON *c)
{
    const char *unit = json_text(c, "unit", ""), *form = form_of(unit);

    grid_row(g);
    grid_value(g, T(group_name(g->p, group).text), "");
    grid_value(g, T(c->string), "");
    grid_value(g, N(json_number(c, "total", NAN)), form);
    grid_value(g, N(json_number(c, "phases." RECORD_TRAIN, NAN)), form);
    grid_value(g, N(json_number(c, "ranks.median", NAN)), form);
    grid_value(g, N(json_number(c, "ranks.max", NAN)), form);
    grid_value(g, T(json_text(c, "ranks.max_node", "–")), "");
    grid_value(g, T(json_text(c, "source", "–")), "");
}

void section_counters(struct page *p)
{
    static const struct column columns[] = {
        {W_WORKLOAD, false},   {W_COUNTER, false},     {W_TOTAL, true}, {W_IN_STEPS, true},
        {W_MEDIAN_RANK, true}, {W_LARGEST_RANK, true}, {W_NODE, false}, {W_READ_FROM, false}};
    int shown = 0, missing = 0;
    const cJSON *c;
    struct grid g;

    grid_open(&g, p, columns, 8, false);
    for (int i = 0; i < p->book->n_groups; i++)
        cJSON_ArrayForEach(c, json_at(group_work(p, i), "counters"))
        {
            missing += !cJSON_IsObject(c);
            if (!cJSON_IsObject(c) || json_number(c, "total", 0) == 0)
                continue;
            counter_row(&g, i, c);
            shown++;
        }
    grid_close(&g);
    if (shown == 0)
        para(p, NULL, W_NO_COUNTERS);
    if (missing)
        para(p, "small", W_COUNTERS_MISSING, N(missing));
}
