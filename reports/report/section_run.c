/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What ran: the system in nine layers, results, learning curves. They must
 * never claim a speed without reached quality, or the quality of a best run.
 */
#include <config.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "reports/draw/html.h"
#include "reports/record/fields.h"
#include "reports/record/record_fields.h"
#include "reports/report/section.h"

/* ---- the system ---- */

/* The layers' titles, which the record has in English alone. */
static const enum word layer_words[LAYER_COUNT] = {
    W_LAYER_HARDWARE, W_LAYER_SYSTEM, W_LAYER_COMMUNICATION, W_LAYER_LIBRARIES, W_LAYER_FRAMEWORK,
    W_LAYER_MODEL,    W_LAYER_CODE,   W_LAYER_PARAMETERS,    W_LAYER_PROBLEM};

static void say_fact(struct page *p, const cJSON *fact, bool first)
{
    FILE *f = p->pen.f;

    if (!first)
        fputs("; ", f);
    html_text(f, fact->string, HTML_MOST);
    fputs(": ", f);
    if (cJSON_IsString(fact))
        html_text(f, fact->valuestring, 2 * HTML_MOST);
    else
        say_value(&p->pen, N(fact->valuedouble), fact->valuedouble >= 1e9 ? "bytes" : "g");
}

/* Facts that are known, one behind the other; what is not known is counted. */
static void facts(struct page *p, const cJSON *layer)
{
    const cJSON *fact;
    int said = 0, unknown = 0;

    cJSON_ArrayForEach(fact, layer)
    {
        if (!fact->string) /* a list has no names */
            continue;
        if (cJSON_IsNull(fact))
            unknown++;
        if ((!cJSON_IsString(fact) && !cJSON_IsNumber(fact)) || strcmp(fact->string, "hash") == 0 ||
            strcmp(fact->string, "inventories_sha256") == 0)
            continue;
        say_fact(p, fact, said++ == 0);
    }
    const cJSON *rows = json_at(layer, "workloads"), *row;
    cJSON_ArrayForEach(row, rows)
    {
        const char *text = json_text(row, "hyper_parameters", json_text(row, "data_origin", ""));
        fputs(said++ ? "; " : "", p->pen.f);
        html_text(p->pen.f, json_text(row, "name", "?"), HTML_MOST);
        fputs(": ", p->pen.f);
        html_text(p->pen.f, text, 4 * HTML_MOST);
    }
    if (unknown)
        say(&p->pen, W_FACTS_UNKNOWN, N(unknown));
}

void section_system(struct page *p)
{
    static const struct column columns[] = {{W_LAYER, false}, {W_FACTS, false}, {W_HASH, false}};
    const cJSON *layers = json_at(p->book->records[0], "system.layers");
    double omitted = json_number(p->book->records[0], "system.nodes_omitted", 0);
    struct grid g;

    grid_open(&g, p, columns, 3, false);
    for (int i = 0; i < LAYER_COUNT; i++) {
        const cJSON *layer = json_at(layers, record_layers[i].key);
        grid_row(&g);
        grid_say(&g, W_LAYER_NAME, N(i + 1));
        fputc(' ', p->pen.f);
        say(&p->pen, layer_words[i]);
        grid_cell(&g);
        facts(p, layer);
        grid_cell(&g);
        fputs("<code>", p->pen.f);
        html_text(p->pen.f, json_text(layer, "hash", "–"), 12);
        fputs("</code>", p->pen.f);
    }
    grid_close(&g);
    if (omitted > 0)
        para(p, "small", W_NODES_OMITTED, N(omitted));
}

/* ---- results ---- */

static void quality_row(struct grid *g, int i)
{
    struct page *p = g->p;
    const cJSON *w = group_work(p, i);
    bool reached = training_reached(w);

    grid_row(g);
    grid_value(g, T(group_name(p, i).text), "");
    grid_cell(g);
    fprintf(p->pen.f, "<span class=\"%s\">", reached ? "good" : "bad");
    say(&p->pen, reached ? W_REACHED : W_NOT_REACHED);
    fputs("</span>", p->pen.f);
    grid_say(
        g, cJSON_IsTrue(json_at(w, "quality.higher_is_better")) ? W_METRIC_HIGHER : W_METRIC_LOWER,
        T(json_text(w, "quality.metric", "–")));
    grid_value(g, N(json_number(w, "quality.achieved", NAN)), "g");
    grid_value(g, N(json_number(w, "quality.target", NAN)), "g");
    grid_value(g, N(json_number(w, "quality.baseline", NAN)), "g");
    grid_say(g, W_FIELD_VALUE, N(json_number(w, "quality.baseline_domain.value", NAN)),
             T(json_text(w, "quality.baseline_domain.name", "–")));
    grid_value(g, N(json_number(w, "quality.epochs_to_target", NAN)), "n");
    grid_say(g, W_REFERENCE_VALUE, N(json_number(w, "quality.rcp.mean_epochs", NAN)),
             N(json_number(w, "quality.rcp.std_epochs", NAN)),
             N(json_number(w, "quality.rcp.seeds", NAN)));
}

static void speed_row(struct grid *g, int i)
{
    const cJSON *w = group_work(g->p, i), *perf = json_at(w, "performance");

    grid_row(g);
    grid_value(g, T(group_name(g->p, i).text), "");
    grid_value(g, N(json_number(perf, "time_to_quality_seconds", NAN)), "dur");
    grid_value(g, N(json_number(perf, "samples_per_second", NAN)), "g");
    grid_value(g, N(json_number(perf, "flop_per_sample", NAN)), "flop");
    grid_value(g, N(json_number(perf, "flop_per_second", NAN)), "flops");
    grid_value(g, N(json_number(perf, "vflops.n5", NAN)), "flops");
    grid_value(g, N(json_number(perf, "vflops.n10", NAN)), "flops");
    grid_say(g, W_RANKS_VALUE, N(json_number(w, "ranks", NAN)), N(json_number(w, "threads", NAN)),
             N(json_number(w, "batch", NAN)), T(json_text(w, "engine", "–")));
}

/* Whether the training left what it used of the arithmetic. */
static bool has_use(const cJSON *w)
{
    return isfinite(json_number(w, "performance.mfu", NAN)) ||
           isfinite(json_number(w, "performance.tokens_per_second", NAN));
}

static void use_rows(struct page *p)
{
    static const struct column columns[] = {
        {W_WORKLOAD, false}, {W_TOKENS, true}, {W_MFU, true}, {W_RANK_PEAK, true}};
    struct grid g;

    grid_open(&g, p, columns, 4, false);
    for (int i = 0; i < p->book->n_groups; i++) {
        const cJSON *w = group_work(p, i);
        if (!has_use(w))
            continue;
        grid_row(&g);
        grid_value(&g, T(group_name(p, i).text), "");
        grid_value(&g, N(json_number(w, "performance.tokens_per_second", NAN)), "g");
        grid_value(&g, N(100 * json_number(w, "performance.mfu", NAN)), "pct1");
        grid_value(&g, N(json_number(w, "yardstick.peak_flop_per_second", NAN)), "flops");
    }
    grid_close(&g);
    para(p, "small", W_USE_NOTE);
}

static void other_rows(struct page *p)
{
    static const struct column columns[] = {
        {W_WORKLOAD, false}, {W_QUALITY, false}, {W_VALUE, true}, {W_TARGET, true}};
    struct grid g;
    const cJSON *q;

    grid_open(&g, p, columns, 4, false);
    for (int i = 0; i < p->book->n_groups; i++)
        cJSON_ArrayForEach(q, json_at(group_work(p, i), "quality.others"))
        {
            grid_row(&g);
            grid_value(&g, T(group_name(p, i).text), "");
            grid_value(&g, T(json_text(q, "name", "?")), "");
            grid_value(&g, N(json_number(q, "value", NAN)), "g");
            grid_value(&g, N(json_number(q, "target", NAN)), "g");
        }
    grid_close(&g);
}

void section_results(struct page *p)
{
    static const struct column quality[] = {
        {W_WORKLOAD, false}, {W_QUALITY_REACHED, false}, {W_METRIC, false},
        {W_ACHIEVED, true},  {W_TARGET, true},           {W_CONSTANT, true},
        {W_FIELD, true},     {W_EPOCHS, true},           {W_REFERENCE, true}};
    static const struct column speed[] = {
        {W_WORKLOAD, false}, {W_TIME_TO_QUALITY, true}, {W_SAMPLES, true},  {W_FLOP_SAMPLE, true},
        {W_FLOPS, true},     {W_VFLOPS5, true},         {W_VFLOPS10, true}, {W_HOW_RUN, false}};
    int others = 0, uses = 0;
    struct grid g;

    if (p->book->n_groups == 0) {
        para(p, NULL, W_NO_TRAINING);
        return;
    }
    grid_open(&g, p, quality, 9, false);
    for (int i = 0; i < p->book->n_groups; i++) {
        quality_row(&g, i);
        others += cJSON_GetArraySize(json_at(group_work(p, i), "quality.others"));
        uses += has_use(group_work(p, i));
    }
    grid_close(&g);
    heading(p, 3, W_SPEED);
    grid_open(&g, p, speed, 8, false);
    for (int i = 0; i < p->book->n_groups; i++)
        speed_row(&g, i);
    grid_close(&g);
    para(p, "small", W_VFLOPS_NOTE);
    if (uses) {
        heading(p, 3, W_USE);
        use_rows(p);
    }
    if (others) {
        heading(p, 3, W_OTHERS);
        other_rows(p);
    }
}

/* ---- learning curves ---- */

enum { MOST_EPOCHS = CHART_MOST_POINTS };

struct curve {
    int group, n, evaluated;
    double epoch[MOST_EPOCHS], quality[MOST_EPOCHS], loss[MOST_EPOCHS];
    double target;
};

/* Of more epochs than a chart holds, every second, third, ... */
static void curve_of(struct page *p, int group, struct curve *c)
{
    const cJSON *w = group_work(p, group), *epochs = json_at(w, "epochs"), *row;
    int all = cJSON_GetArraySize(epochs), stride = all / MOST_EPOCHS + 1, at = 0;

    *c = (struct curve){.group = group, .target = json_number(w, "quality.target", NAN)};
    cJSON_ArrayForEach(row, epochs)
    {
        if (at++ % stride || c->n == MOST_EPOCHS)
            continue;
        c->epoch[c->n] = json_number(row, "epoch", NAN);
        c->loss[c->n] = json_number(row, "train_loss", NAN);
        c->quality[c->n] = json_number(row, "quality", NAN);
        c->evaluated += isfinite(c->quality[c->n]);
        c->n++;
    }
}

static void range_of(const double *v, int n, double also, double *least, double *most)
{
    *least = isfinite(also) ? also : INFINITY;
    *most = isfinite(also) ? also : -INFINITY;
    for (int i = 0; i < n; i++) {
        if (!isfinite(v[i]))
            continue;
        *least = fmin(*least, v[i]);
        *most = fmax(*most, v[i]);
    }
    double margin = *most > *least ? .06 * (*most - *least) : fmax(fabs(*most) * .1, 1e-3);
    *least -= margin;
    *most += margin;
}

static void draw_curve(struct page *p, struct pic *pic, const void *what)
{
    const struct curve *c = what;
    const cJSON *w = group_work(p, c->group);
    char xtext[6][TICK_TEXT], ytext[6][TICK_TEXT];
    struct tick xtick[6], ytick[6];
    double least, most, last = c->n ? c->epoch[c->n - 1] : 1;

    range_of(c->quality, c->n, c->target, &least, &most);
    struct said metric = said(&p->pen, W_AXIS_METRIC, T(json_text(w, "quality.metric", "?")));
    struct said epoch = said(&p->pen, W_AXIS_EPOCH),
                target = said(&p->pen, W_TARGET_AT, N(c->target));
    struct said title = said(&p->pen, W_CURVE_TITLE, T(group_name(p, c->group).text));
    struct said desc = said(&p->pen, W_CURVE_DESC, N(json_number(w, "quality.achieved", NAN)),
                            N(c->target), N(json_number(w, "quality.epochs_to_target", NAN)));
    struct axis x = {.most = fmax(last, 2), .ticks = xtick, .label = epoch.text};
    struct axis y = {.least = least, .most = most, .ticks = ytick, .label = metric.text};
    x.n = chart_ticks(0, x.most, false, xtick, xtext, 5);
    y.n = chart_ticks(least, most, false, ytick, ytext, 5);
    struct mark marks[] = {
        {.kind = MARK_RULE, .y = &c->target, .n = 1, .text = target.text},
        {.kind = MARK_LINE, .x = c->epoch, .y = c->quality, .n = c->n, .ink = INK_COMPUTE},
        {.kind = MARK_DOTS,
         .x = c->epoch,
         .y = c->quality,
         .n = c->n,
         .ink = INK_COMPUTE,
         .thin = true}};
    bool ruled = isfinite(c->target);
    pic->title = title.text;
    pic->desc = desc.text;
    draw_xy(pic, 205, &x, &y, marks + !ruled, 3 - !ruled);
}

static void curve_table(struct page *p)
{
    static const struct column columns[] = {{W_WORKLOAD, false},     {W_EPOCHS_RUN, true},
                                            {W_FIRST_QUALITY, true}, {W_LAST_QUALITY, true},
                                            {W_TRAIN_QUALITY, true}, {W_LAST_LOSS, true}};
    struct grid g;

    grid_open(&g, p, columns, 6, false);
    for (int i = 0; i < p->book->n_groups; i++) {
        const cJSON *w = group_work(p, i), *row, *last = NULL;
        double first = NAN, end = NAN;
        cJSON_ArrayForEach(row, json_at(w, "epochs"))
        {
            double q = json_number(row, "quality", NAN);
            last = row;
            end = isfinite(q) ? q : end;
            first = isfinite(first) ? first : q;
        }
        grid_row(&g);
        grid_value(&g, T(group_name(p, i).text), "");
        grid_value(&g, N(json_number(last, "epoch", NAN)), "n");
        grid_value(&g, N(first), "g");
        grid_value(&g, N(end), "g");
        grid_value(&g, N(json_number(last, "train_quality", NAN)), "g");
        grid_value(&g, N(json_number(last, "train_loss", NAN)), "g");
    }
    grid_close(&g);
}

void section_curves(struct page *p)
{
    struct curve *c = malloc(sizeof *c);
    int drawn = 0;

    figure_open(p, true);
    say(&p->pen, W_CURVES_CAPTION);
    fputs("</figcaption><div class=\"small3\">\n", p->pen.f);
    for (int i = 0; c && i < p->book->n_groups; i++) {
        curve_of(p, i, c);
        if (c->evaluated == 0)
            continue;
        fputs("<div><h3>", p->pen.f);
        say_value(&p->pen, T(group_name(p, i).text), "");
        fputs("</h3>", p->pen.f);
        panel(p, draw_curve, c, 270);
        fputs("</div>\n", p->pen.f);
        drawn++;
    }
    fputs("</div></figure>\n", p->pen.f);
    if (drawn)
        curve_table(p);
    else
        para(p, NULL, W_NO_CURVES);
    free(c);
}
