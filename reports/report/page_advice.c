/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Page one's second half: what to do for nothing, what it costs, how sure, three
 * sentences for the meeting. It must never claim: the part of a step that waits as a
 * gain, it is the most of one; the sum of single gains as what they gain together.
 */
#include <config.h>

#include <math.h>
#include <string.h>

#include "reports/core/text.h"
#include "reports/draw/html.h"
#include "reports/record/fields.h"
#include "reports/report/section.h"

enum { MOST_STEPS = 3, MOST_COSTS = 3, MOST_BESIDE = 2 /* purchases */, CAUSE_SAID = 160 };

/* ---- what to do ---- */

/* A free step that the diagnosis of a training gives. */
struct step {
    int group;
    enum cause cause;
    double share; /* of a step; -1: none is known */
};

static void add_step(struct step *steps, int *n, struct step s)
{
    for (int i = 0; i < *n; i++)
        if (steps[i].cause == s.cause) {
            if (s.share > steps[i].share)
                steps[i] = s;
            return;
        }
    steps[(*n)++] = s;
}

/* What each training's cause, and what takes more of its whole run, lets one do; the
 * largest part of a step first. */
static int diagnosed_steps(const struct page *p, struct step *steps)
{
    int n = 0;

    for (int i = 0; i < p->book->n_groups; i++) {
        const struct held *h = &p->held[i];
        enum cause cause = h->cause == CAUSE_SEVERAL && h->n_of ? h->of[0].cause : h->cause;
        double share = h->cause == CAUSE_SEVERAL && h->n_of ? h->of[0].share : h->share;
        if (h->asked && cause != CAUSE_PROCESSOR) /* more processors are bought */
            add_step(steps, &n, (struct step){i, cause, isfinite(share) ? share : -1});
        if (h->whole != CAUSE_UNKNOWN)
            add_step(steps, &n, (struct step){i, h->whole, -1});
    }
    for (int i = 1; i < n; i++)
        for (int k = i; k > 0 && steps[k].share > steps[k - 1].share; k--) {
            struct step s = steps[k];
            steps[k] = steps[k - 1];
            steps[k - 1] = s;
        }
    return n;
}

/* A row begins with a capital letter, where the language has one. */
static void capital(FILE *f, const char *text)
{
    if (*text >= 'a' && *text <= 'z')
        fputc(*text++ - 'a' + 'A', f);
    html_text(f, text, 0);
}

static void step_row(struct grid *g, const struct step *s)
{
    const struct page *p = g->p;
    const struct held *h = &p->held[s->group];
    struct said name = group_name(p, s->group);
    char cause[CAUSE_SAID];

    cause_said(s->cause, s->cause == h->cause ? h->node : NULL, p->pen.lang, cause, sizeof cause);
    grid_row(g);
    grid_cell(g);
    capital(p->pen.f, cause_next(s->cause, p->pen.lang));
    if (s->cause == CAUSE_UNKNOWN)
        grid_say(g, W_EV_NONE, T(name.text));
    else if (cause_family(s->cause) == FAMILY_RUN)
        grid_say(g, W_EV_WHOLE, T(name.text), T(cause));
    else if (s->share < 0)
        grid_say(g, W_EV_COMPUTE, T(name.text), T(cause));
    else
        grid_say(g, h->confirmed ? W_EV_CONFIRMED : W_EV_OPEN, T(name.text), N(100 * s->share),
                 T(cause));
}

/* What the simulator says of the first training whose steps are there; false: of none. */
static bool together(struct page *p)
{
    for (int i = 0; i < p->book->n_groups; i++) {
        const struct advice *a = &p->advised[i].advice;
        const struct said name = group_name(p, i);
        if (!advised_known(&p->advised[i]))
            continue;
        if (a->n_taken && a->together.state == PREDICTED && a->together.low > 1)
            para(p, "small", W_FREE_TOGETHER, T(name.text), N(100 * advised_less(a->together.low)),
                 N(100 * advised_less(a->together.high)));
        else
            para(p, "small", W_FREE_NO_GAIN, T(name.text));
        return true;
    }
    return false;
}

/* Those of the diagnosis, then what the checks found. */
static void free_steps(struct page *p)
{
    static const struct column columns[] = {{W_TODO, false}, {W_EVIDENCE, false}};
    struct step steps[2 * BOOK_MOST_GROUPS];
    int diagnosed = diagnosed_steps(p, steps), disturbed = page_disturbed(p), n = 0;
    struct grid g;

    heading(p, 2, W_FREE);
    grid_open(&g, p, columns, 2, true);
    if (disturbed >= 0) { /* before anything else */
        grid_row(&g);
        grid_say(&g, W_TODO_EXCLUSIVE);
        grid_say(&g, W_EV_FOREIGN, T(group_name(p, disturbed).text),
                 N(100 * p->held[disturbed].foreign));
        n++;
    }
    for (int i = 0; i < diagnosed && n < MOST_STEPS; i++, n++)
        step_row(&g, &steps[i]);
    for (int i = 0; i < p->gates.n && n < MOST_STEPS; i++) {
        const struct gate *at = &p->gates.gate[i];
        if (!at->free_step || (disturbed >= 0 && at->todo == W_TODO_EXCLUSIVE))
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
    if (!together(p))
        para(p, "small", diagnosed ? W_FREE_AT_MOST : W_FREE_NEEDS);
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

/* What each training costs until it is good enough, where page one has room for all. */
static void each_training(struct page *p, double node_hour)
{
    char list[SAID_SIZE] = "";

    if (p->book->n_groups > MOST_COSTS || p->prices->n_buys > MOST_BESIDE)
        return;
    for (int i = 0; i < p->book->n_groups; i++) {
        const double cost = page_quality_hours(p, i) * node_hour;
        if (cost > 0)
            text_add(list, sizeof list, "%s%s", list[0] ? ", " : "",
                     said(&p->pen, W_COST_EACH, T(group_name(p, i).text), N(cost)).text);
    }
    if (list[0])
        para(p, NULL, W_COSTS_EACH, T(list));
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
         N(prices_day(p->prices->as_of)));
    each_training(p, life.node_hour);
}

/* One sentence behind another. */
#define next(p, w, ...)                                                                            \
    (fputs((p)->pen.lang == LANGUAGE_EN ? " " : "", (p)->pen.f), say(&(p)->pen, w, ##__VA_ARGS__))

/* The largest error, in percent, with which the model replays what it predicts for; NAN: it
 * predicts for nothing here. */
static double replay_error(const struct page *p)
{
    double most = NAN;

    for (int i = 0; i < p->book->n_groups; i++)
        if (advised_known(&p->advised[i]))
            most = fmax(most, 100 * fabs(expm1(p->advised[i].advice.replay.error)));
    return most;
}

static void less_sure(struct page *p)
{
    const double error = replay_error(p);
    int known = 0, confirmed = 0;

    for (int i = 0; i < p->book->n_groups; i++) {
        known += held_known(&p->held[i]);
        confirmed += held_known(&p->held[i]) && p->held[i].confirmed;
    }
    if (known)
        next(p, W_SURE_HELD, N(confirmed), N(known));
    else if (p->book->n_groups)
        next(p, W_SURE_SPLIT);
    if (isfinite(error))
        next(p, W_SURE_GAINS, N(error));
}

static void not_tested(struct page *p)
{
    const struct gate *data = gate_find(&p->gates, W_GATE_OWN_DATA);
    const bool own = data && data->state == GATE_PASS, predicted = isfinite(replay_error(p));

    if (p->book->n_groups == 0)
        next(p, W_SURE_CEILINGS);
    else if (!predicted)
        next(p, own ? W_SURE_NOT : W_SURE_NOT_OWN);
    else if (!own)
        next(p, W_SURE_OWN_DATA);
}

/* The nearest thing that would. */
static void would_change(struct page *p)
{
    const struct gate *runs = gate_find(&p->gates, W_GATE_REPEATS);
    const int worst = page_worst_held(p);
    const bool open =
        worst >= 0 ? !p->held[worst].confirmed : page_first_held(p) < 0 && p->book->n_groups > 0;
    const double mix = p->node ? page_mix(p) : 0;

    if (page_disturbed(p) >= 0)
        next(p, W_SURE_TURNS_SHARED);
    else if (open)
        next(p, W_SURE_TURNS_CAUSE);
    else if (runs && runs->state != GATE_PASS)
        next(p, W_SURE_TURNS_RUNS, runs->args[0], N(REPEATS_ENOUGH));
    else if (mix > 0)
        next(p, W_SURE_TURNS_MIX, N(100 * mix));
    else
        next(p, W_SURE_TURNS_LAYERS);
}

static void how_sure(struct page *p)
{
    heading(p, 2, W_SURE);
    if (p->gates.failed) {
        para(p, NULL, W_SURE_FAILED, N(p->gates.passed), N(p->gates.n), N(p->gates.failed));
        return;
    }
    para_open(p, NULL);
    say(&p->pen, W_SURE_MEASURED, N(p->gates.passed), N(p->gates.n));
    less_sure(p);
    not_tested(p);
    would_change(p);
    fputs("</p>\n", p->pen.f);
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

static void held_sentence(struct page *p)
{
    int worst = page_worst_held(p), shown = worst < 0 ? page_first_held(p) : worst;
    struct said name = group_name(p, shown), cause = page_cause(p, shown);
    const struct held *h = &p->held[shown];

    if (worst < 0)
        sentence(p, W_S_HELD_NONE, T(name.text), T(cause.text));
    else
        sentence(p, h->confirmed ? W_S_HELD : W_S_HELD_OPEN, T(name.text), N(100 * h->share),
                 T(cause.text));
}

static void first_sentence(struct page *p)
{
    int worst = page_worst_wait(p);

    if (p->gates.failed)
        sentence(p, W_S_FAILED, N(p->gates.failed), N(p->gates.n));
    else if (page_disturbed(p) >= 0)
        sentence(p, W_S_FOREIGN, N(100 * p->held[page_disturbed(p)].foreign),
                 T(group_name(p, page_disturbed(p)).text));
    else if (page_first_held(p) >= 0)
        held_sentence(p);
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

static void three_sentences(struct page *p, bool buys)
{
    int reached = 0;

    for (int i = 0; i < p->book->n_groups; i++)
        reached += training_reached(group_work(p, i));
    heading(p, 2, W_SENTENCES);
    fputs("<ol class=\"say\">\n", p->pen.f);
    first_sentence(p);
    if (p->book->n_groups)
        sentence(p, W_S_QUALITY, N(reached), N(p->book->n_groups), N(page_node_hours(p)));
    else
        sentence(p, W_S_HOURS, N(page_node_hours(p)));
    bool free_first = page_worst_held(p) >= 0 && page_disturbed(p) < 0 && !p->gates.failed;
    sentence(p, free_first ? W_S_FREE : buys ? W_S_BUY : W_S_NEXT);
    fputs("</ol>\n", p->pen.f);
}

void page_advice(struct page *p)
{
    FILE *f = p->pen.f;

    free_steps(p);
    bool buys = page_buys(p);
    fputs("<div class=\"two\"><div>", f);
    costs(p);
    fputs("</div><div>", f);
    how_sure(p);
    fputs("</div></div>\n", f);
    three_sentences(p, buys);
    fputs("</section>\n", f);
}
