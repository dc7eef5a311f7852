/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Page one, for who decides: what was tested, the verdict, findings. It must never
 * claim: a cause without a diagnosis (held.h); one as confirmed that has one witness;
 * a speed without reached quality.
 */
#include <config.h>

#include <math.h>
#include <string.h>

#include "reports/core/text.h"
#include "reports/draw/html.h"
#include "reports/record/fields.h"
#include "reports/report/section.h"

enum { MOST_FINDINGS = 3, MOST_BARS = 3, CAUSE_SAID = 160 };

/* ---- what was tested ---- */

static void meta(struct page *p, enum word label, struct said text)
{
    FILE *f = p->pen.f;

    fputs("<div><dt>", f);
    say(&p->pen, label);
    fputs("</dt><dd>", f);
    html_text(f, text.text, 0);
    fputs("</dd></div>\n", f);
}

/* Names of the trainings, each once: the first three, and how many more. */
static struct said trainings(const struct page *p)
{
    struct said names = {""};
    int n = 0;

    for (int i = 0; i < p->book->n_groups; i++) {
        const char *name = p->book->groups[i].name;
        int k = 0;
        while (strcmp(p->book->groups[k].name, name) != 0)
            k++;
        if (k == i && n++ < MOST_FINDINGS)
            text_add(names.text, sizeof names.text, "%s%.40s", n > 1 ? ", " : "", name);
    }
    return n > MOST_FINDINGS ? said(&p->pen, W_RAN_MORE, T(names.text), N(n - MOST_FINDINGS))
                             : names;
}

static struct said what_ran(const struct page *p)
{
    const cJSON *r = p->book->records[0];
    struct said names = trainings(p);

    if (p->book->n_groups == 0)
        return said(&p->pen, W_RAN_CEILINGS, N(cJSON_GetArraySize(json_at(r, "micro"))));
    if (p->book->n > 1)
        return said(&p->pen, W_RAN_RECORDS, T(names.text), N(p->book->n));
    return said(&p->pen, cJSON_GetArraySize(json_at(r, "micro")) ? W_RAN_BOTH : W_RAN,
                T(names.text));
}

/* "lab: 4 nodes, AMD EPYC 9354"; of records of several sizes the least and the most. */
static struct said machine(const struct page *p)
{
    const struct book *b = p->book;
    const cJSON *r = b->records[0];
    const char *cluster = json_text(r, "job.cluster", NULL);
    struct arg cpu = T(json_text(r, "system.layers.hardware.cpu_model", "–"));
    double least = NAN, most = NAN;

    for (int i = 0; i < b->n; i++) {
        least = fmin(least, record_nodes(b->records[i]));
        most = fmax(most, record_nodes(b->records[i]));
    }
    if (least < most)
        return cluster ? said(&p->pen, W_CLUSTER_SIZES, T(cluster), N(least), cpu, N(most))
                       : said(&p->pen, W_NO_CLUSTER_SIZES, N(least), cpu, N(most));
    return cluster
               ? said(&p->pen, least == 1 ? W_CLUSTER_ONE : W_CLUSTER_NODES, T(cluster), N(least),
                      cpu)
               : said(&p->pen, least == 1 ? W_NO_CLUSTER_ONE : W_NO_CLUSTER_NODES, N(least), cpu);
}

static double node_hour_price(const struct page *p)
{
    struct price_life life;

    if (!p->node)
        return NAN;
    prices_life(p->prices, p->node, &life);
    return life.node_hour;
}

/* From the first start, for the time of all of them: what the node-hours are of. */
static struct said when(const struct page *p)
{
    const struct book *b = p->book;
    double first = NAN, wall = 0;

    for (int i = 0; i < b->n; i++) {
        first = fmin(first, book_time(b->records[i], "time.start"));
        wall += json_number(b->records[i], "time.wall_seconds", NAN);
    }
    return said(&p->pen, b->n > 1 ? W_WHEN_ALL : W_WHEN_TIME, N(first), N(wall));
}

static void what_was_tested(struct page *p)
{
    double hours = page_node_hours(p);

    fputs("<dl class=\"meta\">", p->pen.f);
    meta(p, W_CLUSTER, machine(p));
    meta(p, W_WHAT_RAN, what_ran(p));
    meta(p, W_WHEN, when(p));
    meta(p, W_COST_OF_TEST,
         said(&p->pen, isfinite(node_hour_price(p)) ? W_COST_MONEY : W_COST_HOURS, N(hours),
              N(hours * node_hour_price(p))));
    fputs("</dl>\n", p->pen.f);
}

/* ---- the verdict ---- */

static void held_verdict(struct page *p)
{
    int waiting = 0, known = 0, worst = page_worst_held(p);
    int shown = worst < 0 ? page_first_held(p) : worst;
    struct said cause = page_cause(p, shown), name = group_name(p, shown);
    const struct held *h = &p->held[shown];

    for (int i = 0; i < p->book->n_groups; i++) {
        waiting += held_waits(&p->held[i]);
        known += held_known(&p->held[i]);
    }
    if (worst < 0)
        para(p, "verdict", W_V_HELD_NONE, N(known), T(name.text), T(cause.text));
    else
        para(p, "verdict",
             h->cause == CAUSE_SEVERAL ? W_V_HELD_SEVERAL
             : h->confirmed            ? W_V_HELD
                                       : W_V_HELD_OPEN,
             N(waiting), N(known), T(name.text), N(100 * h->share), T(cause.text));
}

static struct said first_failed(const struct page *p)
{
    for (int i = 0; i < p->gates.n; i++)
        if (p->gates.gate[i].state == GATE_FAIL)
            return said(&p->pen, p->gates.gate[i].what);
    return (struct said){""};
}

static void verdict(struct page *p)
{
    const struct book *b = p->book;
    int waiting = 0, starting = 0, reached = 0, invalid, worst = page_worst_wait(p);
    const char *why = book_invalid(b, &invalid);

    for (int i = 0; i < b->n_groups; i++) {
        waiting += p->split[i].limit == LIMIT_NAMED || p->split[i].limit == LIMIT_SEVERAL;
        starting += p->split[i].limit == LIMIT_START;
        reached += training_reached(group_work(p, i));
    }
    if (why)
        para(p, "verdict", b->n > 1 ? W_V_INVALID_SOME : W_V_INVALID, T(why), N(invalid), N(b->n));
    else if (p->gates.failed > (reached < b->n_groups)) /* one for the target, said below */
        para(p, "verdict", W_V_FAILED, N(p->gates.failed), N(p->gates.n), T(first_failed(p).text));
    else if (b->n_groups == 0)
        para(p, "verdict", W_V_CEILINGS);
    else if (reached < b->n_groups)
        para(p, "verdict", W_V_NOT_REACHED, N(b->n_groups - reached), N(b->n_groups));
    else if (page_disturbed(p) >= 0)
        para(p, "verdict", W_V_FOREIGN, N(100 * p->held[page_disturbed(p)].foreign),
             T(group_name(p, page_disturbed(p)).text));
    else if (page_first_held(p) >= 0)
        held_verdict(p);
    else if (worst < 0)
        para(p, "verdict", W_V_NO_PHASES);
    else if (waiting == 0 && starting)
        para(p, "verdict", W_V_START, N(starting), N(b->n_groups));
    else if (waiting == 0)
        para(p, "verdict", W_V_BUSY, N(b->n_groups));
    else
        para(p, "verdict", W_V_WAITING, N(waiting), N(b->n_groups), T(group_name(p, worst).text),
             N(100 * p->split[worst].wait / p->split[worst].sum));
}

/* ---- findings ---- */

/* A finding: its big number, of what, the words under it, and its colour. */
static void finding(struct page *p, const char *cls, struct arg big, const char *form,
                    struct said of, struct said title, struct said text)
{
    FILE *f = p->pen.f;

    fprintf(f, "<li class=\"f-%s\"><p class=\"big\">", cls);
    say_value(&p->pen, big, form);
    fputs(" <small>", f);
    html_text(f, of.text, 0);
    fputs("</small></p><h3>", f);
    html_text(f, title.text, 0);
    fputs("</h3><p>", f);
    html_text(f, text.text, 0);
    fputs("</p></li>\n", f);
}

static struct said quality_words(const struct page *p, const cJSON *w)
{
    struct arg metric = T(json_text(w, "quality.metric", "?"));
    struct arg achieved = N(json_number(w, "quality.achieved", NAN));
    struct arg target = N(json_number(w, "quality.target", NAN));

    return training_reached(w) ? said(&p->pen, W_F_REACHED, metric, achieved, target,
                                      N(json_number(w, "performance.time_to_quality_seconds", NAN)))
                               : said(&p->pen, W_F_NOT_REACHED, metric, achieved, target);
}

/* What is said of a cause before the quality: how sure it is, and of several which. */
static struct said held_words(const struct page *p, int i)
{
    const struct held *h = &p->held[i];
    char a[CAUSE_SAID], b[CAUSE_SAID];

    if (!held_waits(h))
        return said(&p->pen, W_F_LIMITED, T(page_cause(p, i).text));
    if (h->cause != CAUSE_SEVERAL || h->n_of < 2)
        return said(&p->pen, h->confirmed ? W_F_CONFIRMED : W_F_OPEN);
    cause_said(h->of[0].cause, NULL, p->pen.lang, a, sizeof a);
    cause_said(h->of[1].cause, NULL, p->pen.lang, b, sizeof b);
    return said(&p->pen, W_F_SHARES, T(a), N(100 * h->of[0].share), T(b), N(100 * h->of[1].share));
}

static void held_finding(struct page *p, int i)
{
    const struct held *h = &p->held[i];
    bool waits = held_waits(h);
    struct said first = held_words(p, i), then = quality_words(p, group_work(p, i));

    finding(p, ink_class(held_ink(h->cause)), N(100 * (waits ? h->share : h->compute)), "pct",
            said(&p->pen, W_F_OF_STEP, T(group_name(p, i).text)),
            !waits                      ? said(&p->pen, W_F_COMPUTE)
            : h->cause == CAUSE_SEVERAL ? said(&p->pen, W_F_SEVERAL)
                                        : said(&p->pen, W_F_LOST, T(page_cause(p, i).text)),
            said(&p->pen, W_F_BOTH, T(first.text), T(then.text)));
}

static void split_finding(struct page *p, int i)
{
    static const enum word waits[] = {[PART_INPUT] = W_F_INPUT,
                                      [PART_EXCHANGE] = W_F_EXCHANGE,
                                      [PART_SKEW] = W_F_SKEW,
                                      [PART_WITHHELD] = W_F_WITHHELD};
    const struct split *s = &p->split[i];
    const cJSON *w = group_work(p, i);
    struct said of = said(&p->pen, W_F_OF, T(group_name(p, i).text));
    struct said text = quality_words(p, w);

    if (s->limit == LIMIT_UNKNOWN)
        finding(p, "none", N(NAN), "", of, said(&p->pen, W_F_UNKNOWN), text);
    else if (s->limit == LIMIT_START)
        finding(p, "none", N(split_percent(s, PART_START)), "pct", of, said(&p->pen, W_F_START),
                text);
    else if (s->limit == LIMIT_COMPUTE)
        finding(p, "compute", N(split_percent(s, PART_COMPUTE)), "pct", of,
                said(&p->pen, W_F_COMPUTE), text);
    else if (s->limit == LIMIT_SEVERAL)
        finding(p, "none", N(100 * s->wait / s->sum), "pct", of, said(&p->pen, W_F_SEVERAL), text);
    else
        finding(p, ink_class(part_ink(s->largest)), N(split_percent(s, s->largest)), "pct", of,
                said(&p->pen, waits[s->largest]), text);
}

/* The best row of a micro benchmark; NAN: none. */
static double best_of(const cJSON *record, const char *name, const char *unit)
{
    const cJSON *m;
    double best = NAN;

    cJSON_ArrayForEach(m,
                       json_at(record, "micro")) if (strcmp(json_text(m, "name", ""), name) == 0 &&
                                                     strcmp(json_text(m, "unit", ""), unit) == 0)
        best = fmax(isnan(best) ? 0 : best, json_number(m, "median", 0));
    return best;
}

static void ceiling_findings(struct page *p)
{
    static const struct {
        const char *name, *unit, *form, *ink;
        enum word title;
    } rows[] = {{"machine", "FLOP/s", "flops", "compute", W_F_PEAK},
                {"machine", "B/s", "bps", "memory", W_F_MEMORY},
                {"p2p", "B/s", "bps", "wire", W_F_LINK}};

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        double v = best_of(p->book->records[0], rows[i].name, rows[i].unit);
        finding(p, rows[i].ink, N(v), rows[i].form, said(&p->pen, W_F_MEDIAN),
                said(&p->pen, rows[i].title),
                said(&p->pen, isfinite(v) ? W_F_CEILING : W_F_NO_CEILING));
    }
}

/* What a training waits, of its steps or of its time: to choose which are shown. */
static double waits_of(const struct page *p, int i)
{
    return held_known(&p->held[i]) ? fmax(p->held[i].visible, 0)
                                   : p->split[i].wait / p->split[i].sum;
}

/* How many groups wait more than that one. */
static int before(const struct page *p, int i)
{
    int n = 0;

    for (int k = 0; k < p->book->n_groups; k++)
        n += waits_of(p, k) > waits_of(p, i);
    return n;
}

/* At most three groups, those that wait most, in the order of the record. */
static void findings(struct page *p)
{
    int shown = 0;

    fputs("<h2 class=\"vh\">", p->pen.f);
    say(&p->pen, W_FINDINGS);
    fputs("</h2><ol class=\"three\">\n", p->pen.f);
    for (int i = 0; i < p->book->n_groups && shown < MOST_FINDINGS; i++) {
        if (before(p, i) >= MOST_FINDINGS)
            continue;
        if (held_known(&p->held[i]))
            held_finding(p, i);
        else
            split_finding(p, i);
        shown++;
    }
    if (p->book->n_groups == 0)
        ceiling_findings(p);
    fputs("</ol>\n", p->pen.f);
}

/* Of many groups those that wait most: page one is one sheet. */
static void where_time_goes(struct page *p)
{
    bool shown[BOOK_MOST_GROUPS] = {false};
    int n = 0, left = 0;

    if (page_worst_wait(p) < 0)
        return;
    for (int i = 0; i < p->book->n_groups; i++) {
        const bool known = p->split[i].limit != LIMIT_UNKNOWN;
        shown[i] = known && n < MOST_BARS && before(p, i) < MOST_BARS;
        n += shown[i];
        left += known && !shown[i];
    }
    figure_open(p, true);
    if (left)
        say(&p->pen, W_SPLIT_CAPTION_OF, N(n), N(n + left));
    else
        say(&p->pen, W_SPLIT_CAPTION);
    figure_chart(p, draw_split, shown, 780);
    figure_close(p);
}

void page_one(struct page *p)
{
    FILE *f = p->pen.f;

    fputs("<section class=\"m\" aria-labelledby=\"h1\"><h1 id=\"h1\">", f);
    say(&p->pen, W_TITLE);
    fputs("</h1>\n", f);
    what_was_tested(p);
    verdict(p);
    findings(p);
    where_time_goes(p);
}
