/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How near the machine's own limits a training comes. It must never claim: a data
 * sheet's peak as reachable, it is the first stair and nothing is divided by it;
 * overlap that was not measured.
 */
#include <config.h>

#include <math.h>
#include <string.h>

#include "reports/core/text.h"
#include "reports/diagnose/roofline.h"
#include "reports/record/fields.h"
#include "reports/report/section.h"

/* ---- ceilings ---- */

enum { MOST_MICRO = 64 };

static const char *micro_form(const char *unit)
{
    return strcmp(unit, "FLOP/s") == 0 ? "flops"
           : strcmp(unit, "B/s") == 0  ? "bps"
           : strcmp(unit, "s") == 0    ? "dur"
           : strcmp(unit, "Hz") == 0   ? "hertz"
                                       : "g";
}

static void micro_row(struct grid *g, const cJSON *m)
{
    const char *unit = json_text(m, "unit", ""), *form = micro_form(unit);
    const char *from = json_text(m, "from", NULL);

    grid_row(g);
    grid_say(g, W_MICRO_NAME, T(json_text(m, "name", "?")), T(json_text(m, "what", "")));
    if (from)
        grid_say(g, W_LINK, T(from), T(json_text(m, "to", "?")));
    else
        grid_value(g, T(json_text(m, "shape", "–")), "");
    grid_say(g, W_HOW_MEASURED, T(json_text(m, "dtype", "–")), N(json_number(m, "ranks", NAN)),
             N(json_number(m, "threads", NAN)));
    grid_value(g, N(json_number(m, "median", NAN)), form);
    grid_value(g, N(json_number(m, "p95", NAN)), form);
    grid_value(g, N(json_number(m, "busbw_bytes_per_second", NAN)), "bps");
    grid_value(g, T(json_text(m, "slowest_node", "–")), "");
    grid_value(g, T(json_text(m, "status", "–")), "");
}

/* Of the first record that has some: repeats would show each row again. */
static const cJSON *first_micro(const struct page *p)
{
    for (int i = 0; i < p->book->n; i++)
        if (cJSON_GetArraySize(json_at(p->book->records[i], "micro")))
            return json_at(p->book->records[i], "micro");
    return NULL;
}

/* The first record of the book for which the history has some; -1: none. */
static int first_of_history(const struct page *p)
{
    for (int i = 0; i < p->book->n; i++)
        if (page_earlier_ceilings(p, i))
            return i;
    return -1;
}

void section_ceilings(struct page *p)
{
    static const struct column columns[] = {
        {W_CEILING, false}, {W_SIZE_OR_LINK, false}, {W_HOW, false},     {W_MEDIAN, true},
        {W_P95, true},      {W_BUS, true},           {W_SLOWEST, false}, {W_STATUS, false}};
    const cJSON *rows = first_micro(p), *m;
    int shown = 0, all = cJSON_GetArraySize(rows), of = -1;
    struct grid g;

    if (all == 0 && (of = first_of_history(p)) >= 0) {
        rows = json_at(page_earlier_ceilings(p, of), "micro");
        all = cJSON_GetArraySize(rows);
        page_of_history(p, of);
    }
    if (all == 0) {
        para(p, NULL, W_NO_CEILINGS);
        return;
    }
    grid_open(&g, p, columns, 8, false);
    cJSON_ArrayForEach(m, rows) if (shown < MOST_MICRO)
    {
        micro_row(&g, m);
        shown++;
    }
    grid_close(&g);
    if (all > shown)
        para(p, "small", W_CEILINGS_LEFT, N(all - shown));
    section_rooflines(p);
}

/* ---- from the ceiling to what counts ---- */

enum { STAIRS_MOST = 7 };

struct stairs {
    int group, n;
    enum word word[STAIRS_MOST];
    double flops[STAIRS_MOST]; /* of all ranks */
    double peak;               /* the measured one */
};

static void add_stair(struct stairs *s, enum word word, double flops)
{
    if (!(flops >= 0) || !isfinite(flops))
        return;
    s->word[s->n] = word;
    s->flops[s->n++] = flops;
}

/* FLOP of the products of all steps of a profile, as flop_per_sample counts them. */
static double profile_flop(const cJSON *w)
{
    double sum = json_number(w, "profile.others.flop", 0);
    const cJSON *row;

    cJSON_ArrayForEach(row, json_at(w, "profile.operators")) sum += json_number(row, "flop", 0);
    return sum;
}

/* From the data sheet, where the price file has one, to what counts; the measured peak is
 * of the group's precision and threads, of a rank times its ranks. */
static void stairs_of(const struct page *p, int group, struct stairs *s)
{
    const cJSON *w = group_work(p, group);
    const char *dtype = json_text(w, "dtype", "");
    double ranks = json_number(w, "ranks", NAN), flop = profile_flop(w);
    double flops = json_number(w, "performance.flop_per_second", NAN);
    struct roofline roof;

    *s = (struct stairs){.group = group};
    roofline_read(&roof, group_ceilings(p, group), (int)json_integer(w, "threads", 0, 1 << 20, 0));
    s->peak = ranks * roofline_peak_of(&roof, dtype);
    if (p->node)
        add_stair(s, W_STEP_SHEET,
                  p->book->groups[group].nodes * prices_data_sheet(p->node, dtype));
    add_stair(s, W_STEP_PEAK, s->peak);
    for (int i = 0; i < ROOFLINE_TYPES; i++)
        if (strcmp(roof.peak[i].dtype, dtype) == 0 && roof.peak[i].convolution > 0)
            add_stair(s, W_STEP_LIBRARY, ranks * roof.peak[i].convolution);
    if (flop > 0) {
        add_stair(s, W_STEP_OPERATORS,
                  ranks * flop / json_number(w, "profile.operators_seconds", NAN));
        add_stair(s, W_STEP_STEP, ranks * flop / json_number(w, "profile.step_seconds", NAN));
    }
    add_stair(s, W_STEP_DELIVERED, flops);
    add_stair(s, W_STEP_COUNTED,
              training_reached(w) ? fmin(flops, json_number(w, "performance.vflops.n5", NAN)) : 0);
}

static void draw_stairs(struct page *p, struct pic *pic, const void *what)
{
    const struct stairs *s = what;
    struct said labels[STAIRS_MOST], ends[STAIRS_MOST], title;
    struct seg seg[STAIRS_MOST][2];
    struct bar bars[STAIRS_MOST];
    char desc[1024] = "";
    double most = 0;

    for (int i = 0; i < s->n; i++)
        most = fmax(most, s->flops[i]);
    for (int i = 0; i < s->n; i++) {
        double before = i ? s->flops[i - 1] : s->flops[i];
        labels[i] = said(&p->pen, s->word[i]);
        ends[i] = said(&p->pen, W_STEP_VALUE, N(s->flops[i]), N(100 * s->flops[i] / s->peak));
        seg[i][0] = (struct seg){s->flops[i], INK_COMPUTE, NULL};
        seg[i][1] = (struct seg){fmax(before - s->flops[i], 0), INK_GHOST, NULL};
        bars[i] = (struct bar){labels[i].text, seg[i], 2, ends[i].text};
        text_add(desc, sizeof desc, "%s",
                 said(&p->pen, W_STAIRS_DESC, T(labels[i].text), N(s->flops[i])).text);
    }
    title = said(&p->pen, W_STAIRS_TITLE, T(group_name(p, s->group).text));
    pic->title = title.text;
    pic->desc = desc;
    draw_bars(pic, bars, s->n, &(struct axis){.most = most}, NULL, 0, 18, 8);
}

static void stairs_table(struct page *p, const struct stairs *s)
{
    static const struct column columns[] = {{W_STEP, false}, {W_FLOPS, true}, {W_OF_PEAK, true}};
    struct grid g;

    grid_open(&g, p, columns, 3, false);
    for (int i = 0; i < s->n; i++) {
        grid_row(&g);
        grid_say(&g, s->word[i]);
        grid_value(&g, N(s->flops[i]), "flops");
        grid_value(&g, N(100 * s->flops[i] / s->peak), "pct");
    }
    grid_close(&g);
}

void section_stairs(struct page *p)
{
    int drawn = 0, sheets = 0;
    struct stairs s;

    for (int i = 0; i < p->book->n_groups; i++) {
        stairs_of(p, i, &s);
        if (!(s.peak > 0) || s.n < 3)
            continue;
        figure_open(p, false);
        say(&p->pen, W_STAIRS_CAPTION, T(group_name(p, i).text));
        figure_chart(p, draw_stairs, &s, 520);
        stairs_table(p, &s);
        figure_close(p);
        drawn++;
        sheets += s.word[0] == W_STEP_SHEET;
    }
    if (!drawn)
        para(p, NULL, W_NO_STAIRS);
    else if (sheets < drawn)
        para(p, "small", W_NO_SHEET);
}
