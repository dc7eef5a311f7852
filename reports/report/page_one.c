/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Page one, for who decides. It must never claim: a cause that the time split
 * alone shows as confirmed; a purchase without a simulated gain (no record has
 * one yet); a speed without reached quality; a price that is not in the file.
 */
#include <config.h>

#include <math.h>
#include <string.h>

#include "reports/draw/html.h"
#include "reports/record/fields.h"
#include "reports/report/section.h"

enum { MOST_FINDINGS = 3, MOST_STEPS = 3, MOST_BUYS = 4 };

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

static struct said what_ran(const struct page *p)
{
    const cJSON *r = p->book->records[0];
    char names[200] = "";
    size_t used = 0;

    for (int i = 0; i < p->book->n_groups && i < 3 && used < sizeof names; i++)
        used += (size_t)snprintf(names + used, sizeof names - used, "%s%.40s", i ? ", " : "",
                                 p->book->groups[i].name);
    if (p->book->n_groups == 0)
        return said(&p->pen, W_RAN_CEILINGS, N(cJSON_GetArraySize(json_at(r, "micro"))));
    if (p->book->n > 1)
        return said(&p->pen, W_RAN_RECORDS, T(names), N(p->book->n));
    return said(&p->pen, cJSON_GetArraySize(json_at(r, "micro")) ? W_RAN_BOTH : W_RAN, T(names));
}

static double all_node_hours(const struct page *p)
{
    double sum = 0;

    for (int i = 0; i < p->book->n; i++)
        sum += record_nodes(p->book->records[i]) *
               json_number(p->book->records[i], "time.wall_seconds", NAN) / 3600;
    return sum;
}

static double node_hour_price(const struct page *p)
{
    struct price_life life;

    if (!p->node)
        return NAN;
    prices_life(p->prices, p->node, &life);
    return life.node_hour;
}

static void what_was_tested(struct page *p)
{
    const cJSON *r = p->book->records[0];
    double nodes = record_nodes(r), hours = all_node_hours(p);
    const char *cluster = json_text(r, "job.cluster", NULL);
    struct arg cpu = T(json_text(r, "system.layers.hardware.cpu_model", "–"));

    fputs("<dl class=\"meta\">", p->pen.f);
    meta(
        p, W_CLUSTER,
        cluster
            ? said(&p->pen, nodes == 1 ? W_CLUSTER_ONE : W_CLUSTER_NODES, T(cluster), N(nodes), cpu)
            : said(&p->pen, nodes == 1 ? W_NO_CLUSTER_ONE : W_NO_CLUSTER_NODES, N(nodes), cpu));
    meta(p, W_WHAT_RAN, what_ran(p));
    meta(p, W_WHEN,
         said(&p->pen, W_WHEN_TIME, N(book_time(r, "time.start")),
              N(json_number(r, "time.wall_seconds", NAN))));
    meta(p, W_COST_OF_TEST,
         said(&p->pen, isfinite(node_hour_price(p)) ? W_COST_MONEY : W_COST_HOURS, N(hours),
              N(hours * node_hour_price(p))));
    fputs("</dl>\n", p->pen.f);
}

/* ---- the verdict ---- */

/* The group that waits most of its time; -1: none is known. */
static int worst_wait(const struct page *p)
{
    int worst = -1;
    double most = -1;

    for (int i = 0; i < p->book->n_groups; i++)
        if (p->split[i].limit != LIMIT_UNKNOWN && p->split[i].wait / p->split[i].sum > most) {
            most = p->split[i].wait / p->split[i].sum;
            worst = i;
        }
    return worst;
}

static void verdict(struct page *p)
{
    const struct book *b = p->book;
    const cJSON *reasons = json_at(b->records[0], "reasons");
    const char *why = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(reasons, "valid"));
    int waiting = 0, starting = 0, reached = 0, worst = worst_wait(p);

    for (int i = 0; i < b->n_groups; i++) {
        waiting += p->split[i].limit == LIMIT_NAMED || p->split[i].limit == LIMIT_SEVERAL;
        starting += p->split[i].limit == LIMIT_START;
        reached += training_reached(group_work(p, i));
    }
    if (!cJSON_IsTrue(json_at(b->records[0], "valid")))
        para(p, "verdict", W_V_INVALID, T(why ? why : "the record does not say why"));
    else if (b->n_groups == 0)
        para(p, "verdict", W_V_CEILINGS);
    else if (reached < b->n_groups)
        para(p, "verdict", W_V_NOT_REACHED, N(b->n_groups - reached), N(b->n_groups));
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
                    struct said of, enum word title, struct said text)
{
    FILE *f = p->pen.f;

    fprintf(f, "<li class=\"f-%s\"><p class=\"big\">", cls);
    say_value(&p->pen, big, form);
    fputs(" <small>", f);
    html_text(f, of.text, 0);
    fputs("</small></p><h3>", f);
    say(&p->pen, title);
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

static void training_finding(struct page *p, int i)
{
    static const enum word waits[] = {
        [PART_INPUT] = W_F_INPUT, [PART_EXCHANGE] = W_F_EXCHANGE, [PART_SKEW] = W_F_SKEW};
    const struct split *s = &p->split[i];
    const cJSON *w = group_work(p, i);
    struct said of = said(&p->pen, W_F_OF, T(group_name(p, i).text));
    struct said text = quality_words(p, w);

    if (s->limit == LIMIT_UNKNOWN)
        finding(p, "none", N(NAN), "", of, W_F_UNKNOWN, text);
    else if (s->limit == LIMIT_START)
        finding(p, "none", N(split_percent(s, PART_START)), "pct", of, W_F_START, text);
    else if (s->limit == LIMIT_COMPUTE)
        finding(p, "compute", N(split_percent(s, PART_COMPUTE)), "pct", of, W_F_COMPUTE, text);
    else if (s->limit == LIMIT_SEVERAL)
        finding(p, "none", N(100 * s->wait / s->sum), "pct", of, W_F_SEVERAL, text);
    else
        finding(p, ink_class(part_ink(s->largest)), N(split_percent(s, s->largest)), "pct", of,
                waits[s->largest], text);
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
        finding(p, rows[i].ink, N(v), rows[i].form, said(&p->pen, W_F_MEDIAN), rows[i].title,
                said(&p->pen, isfinite(v) ? W_F_CEILING : W_F_NO_CEILING));
    }
}

/* At most three groups, those that wait most, in the order of the record. */
static void findings(struct page *p)
{
    int shown = 0;

    fputs("<h2 class=\"vh\">", p->pen.f);
    say(&p->pen, W_FINDINGS);
    fputs("</h2><ol class=\"three\">\n", p->pen.f);
    for (int i = 0; i < p->book->n_groups && shown < MOST_FINDINGS; i++) {
        int before = 0;
        for (int k = 0; k < p->book->n_groups; k++)
            before += p->split[k].wait / p->split[k].sum > p->split[i].wait / p->split[i].sum;
        if (before >= MOST_FINDINGS)
            continue;
        training_finding(p, i);
        shown++;
    }
    if (p->book->n_groups == 0)
        ceiling_findings(p);
    fputs("</ol>\n", p->pen.f);
}

static void where_time_goes(struct page *p)
{
    if (worst_wait(p) < 0)
        return;
    figure_open(p, true);
    say(&p->pen, W_SPLIT_CAPTION);
    figure_chart(p, draw_split, NULL, 780);
    figure_close(p);
}

/* ---- what to do ---- */

static void free_steps(struct page *p)
{
    static const struct column columns[] = {{W_TODO, false}, {W_EVIDENCE, false}};
    struct grid g;
    int n = 0;

    heading(p, 2, W_FREE);
    grid_open(&g, p, columns, 2, true);
    for (int i = 0; i < p->gates.n && n < MOST_STEPS; i++) {
        const struct gate *at = &p->gates.gate[i];
        if (!at->free_step)
            continue;
        grid_row(&g);
        grid_say(&g, at->todo);
        grid_cell(&g);
        say_args(&p->pen, at->why, at->args, 2);
        n++;
    }
    if (n == 0) {
        grid_row(&g);
        grid_say(&g, W_TODO_NONE);
        grid_say(&g, W_TODO_NONE_WHY);
    }
    grid_close(&g);
    para(p, "small", W_FREE_NEEDS);
}

/* The shares of the price file's mix that this report has trainings of. */
static double mix_here(const struct page *p)
{
    double sum = 0;

    for (int i = 0; i < p->prices->n_mix; i++)
        for (int k = 0; k < p->book->n_groups; k++)
            if (strcmp(p->prices->mix[i].name, p->book->groups[k].name) == 0) {
                sum += p->prices->mix[i].share;
                break;
            }
    return sum;
}

static void buys(struct page *p)
{
    static const struct column columns[] = {
        {W_OPTION, false}, {W_PRICE, true}, {W_BREAK_EVEN, true}, {W_ADVICE, false}};
    double nodes = p->prices->nodes > 0 ? p->prices->nodes : record_nodes(p->book->records[0]);
    struct grid g;

    grid_open(&g, p, columns, 4, true);
    for (int i = 0; i < p->prices->n_buys && i < MOST_BUYS; i++) {
        const struct price_buy *b = &p->prices->buy[i];
        double even = prices_break_even(p->prices, p->node, b, nodes, mix_here(p));
        grid_row(&g);
        grid_say(&g, W_OPTION_NAME, T(b->name), N(b->factor));
        grid_value(&g, N(prices_buy(p->prices, b, nodes)), "money");
        grid_say(&g, even > 1 ? W_NEVER_PAYS : W_PAYS_FROM, N(100 * even));
        grid_say(&g, W_NOT_YET);
    }
    grid_close(&g);
    para(p, "small", W_BUY_NOTE, N(nodes), N(100 * mix_here(p)), N(p->prices->life_years));
}

static void what_to_buy(struct page *p)
{
    heading(p, 2, W_BUY);
    if (!p->prices)
        para(p, NULL, W_BUY_NO_PRICES);
    else if (!p->node)
        para(p, NULL, W_BUY_NO_NODE,
             T(json_text(p->book->records[0], "system.nodes[0].class", "–")));
    else if (p->prices->n_buys == 0)
        para(p, NULL, W_BUY_NONE);
    else if (!(mix_here(p) > 0))
        para(p, NULL, W_BUY_NO_MIX);
    else
        buys(p);
}

/* ---- costs, doubts, sentences ---- */

static void draw_life(struct page *p, struct pic *pic, const void *what)
{
    const struct price_life *life = what;
    const struct {
        double value;
        enum ink ink;
        enum word word;
    } parts[] = {{life->purchase, INK_COMPUTE, W_PURCHASE},
                 {life->support, INK_INPUT, W_SUPPORT},
                 {life->power, INK_WIRE, W_POWER},
                 {life->staff, INK_EVALUATION, W_STAFF}};
    struct said words[4], labels[4], desc;
    struct seg seg[4];
    struct legend legend[4];

    for (int i = 0; i < 4; i++) {
        words[i] = said(&p->pen, parts[i].word);
        labels[i] = said(&p->pen, W_MONEY_ALONE, N(parts[i].value));
        seg[i] = (struct seg){isfinite(parts[i].value) ? parts[i].value : 0, parts[i].ink,
                              labels[i].text};
        legend[i] = (struct legend){parts[i].ink, words[i].text};
    }
    struct said title = said(&p->pen, W_LIFE_TITLE, N(p->prices->life_years));
    desc = said(&p->pen, W_LIFE_DESC, N(life->purchase), N(life->support), N(life->power),
                N(life->staff), N(life->sum));
    pic->title = title.text;
    pic->desc = desc.text;
    draw_bars(pic, &(struct bar){"", seg, 4, NULL}, 1, &(struct axis){.most = life->sum}, legend, 4,
              20, 0);
}

static void costs(struct page *p)
{
    struct price_life life;

    heading(p, 2, W_COSTS);
    if (!p->prices) {
        para(p, NULL, W_COSTS_NO_PRICES);
        return;
    }
    if (!p->node) {
        para(p, NULL, W_COSTS_NO_NODE);
        return;
    }
    prices_life(p->prices, p->node, &life);
    panel(p, draw_life, &life, 330);
    para(p, NULL, W_COSTS_TEXT, N(life.sum), N(p->prices->life_years), N(life.node_hour),
         T(p->prices->as_of));
}

static void how_sure(struct page *p)
{
    heading(p, 2, W_SURE);
    para(p, NULL, p->gates.failed ? W_SURE_FAILED : W_SURE_TEXT, N(p->gates.passed), N(p->gates.n),
         N(p->gates.failed));
}

static void sentence(struct page *p, enum word w, const struct arg *args, int n)
{
    fputs("<li>", p->pen.f);
    say_args(&p->pen, w, args, n);
    fputs("</li>\n", p->pen.f);
}
#define sentence(p, w, ...)                                                                        \
    sentence(p, w, (const struct arg[]){T(""), ##__VA_ARGS__} + 1,                                 \
             (int)(sizeof((const struct arg[]){T(""), ##__VA_ARGS__}) / sizeof(struct arg)) - 1)

static void first_sentence(struct page *p)
{
    int worst = worst_wait(p);

    if (p->gates.failed)
        sentence(p, W_S_FAILED, N(p->gates.failed), N(p->gates.n));
    else if (worst < 0)
        sentence(p, W_S_CEILINGS);
    else if (p->split[worst].limit == LIMIT_START)
        sentence(p, W_S_START, T(group_name(p, worst).text),
                 N(split_percent(&p->split[worst], PART_START)));
    else if (p->split[worst].limit == LIMIT_COMPUTE)
        sentence(p, W_S_BUSY, T(group_name(p, worst).text),
                 N(split_percent(&p->split[worst], PART_COMPUTE)));
    else
        sentence(p, W_S_WAITING, T(group_name(p, worst).text),
                 N(100 * p->split[worst].wait / p->split[worst].sum),
                 N(split_percent(&p->split[worst], PART_COMPUTE)));
}

static void three_sentences(struct page *p)
{
    int reached = 0;

    for (int i = 0; i < p->book->n_groups; i++)
        reached += training_reached(group_work(p, i));
    heading(p, 2, W_SENTENCES);
    fputs("<ol class=\"say\">\n", p->pen.f);
    first_sentence(p);
    if (p->book->n_groups)
        sentence(p, W_S_QUALITY, N(reached), N(p->book->n_groups), N(all_node_hours(p)));
    else
        sentence(p, W_S_HOURS, N(all_node_hours(p)));
    sentence(p, W_S_NEXT);
    fputs("</ol>\n", p->pen.f);
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
    free_steps(p);
    what_to_buy(p);
    fputs("<div class=\"two\"><div>", f);
    costs(p);
    fputs("</div><div>", f);
    how_sure(p);
    fputs("</div></div>\n", f);
    three_sentences(p);
    fputs("</section>\n", f);
}
