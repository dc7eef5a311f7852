/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What if: what ablations measured, and gains that were simulated. It must never claim: more
 * than 8 times what was measured without saying so; a time to quality outside of the
 * reference points; the sum of single gains as what they gain together; a gain without its
 * interval; a zero gain as exact.
 */
#include <config.h>

#include <math.h>
#include <string.h>

#include "reports/core/result.h"
#include "reports/draw/html.h"
#include "reports/record/fields.h"
#include "reports/report/refusal.h"
#include "reports/report/section.h"

/* ---- what was asked, and what is answered ---- */

static struct said question(const struct page *p, const struct what *w)
{
    static const enum word words[WHAT_COUNT] = {
        [WHAT_COMPUTE] = W_Q_COMPUTE,     [WHAT_MEMORY] = W_Q_MEMORY,
        [WHAT_BANDWIDTH] = W_Q_BANDWIDTH, [WHAT_LATENCY] = W_Q_LATENCY,
        [WHAT_STORAGE] = W_Q_STORAGE,     [WHAT_CACHED] = W_Q_CACHED,
        [WHAT_NODES] = W_Q_NODES,         [WHAT_NODES_WEAK] = W_Q_NODES_WEAK,
        [WHAT_WORKERS] = W_Q_WORKERS,     [WHAT_ACCUMULATE] = W_Q_ACCUMULATE,
        [WHAT_BF16] = W_Q_BF16,           [WHAT_BATCH] = W_Q_BATCH,
        [WHAT_BUCKET] = W_Q_BUCKET,       [WHAT_THREADS] = W_Q_THREADS};

    if (w->kind == WHAT_BUCKET && w->factor < 1)
        return said(&p->pen, W_Q_BUCKET_LARGER, N(1 / w->factor));
    return said(&p->pen, words[w->kind], N(w->factor));
}

/* The name of the price file's option, too. */
static struct said option(const struct page *p, const struct advice_buy *b)
{
    struct said asked = {""};

    if (b->known)
        asked = question(p, &b->what);
    if (!b->name[0])
        return asked;
    if (b->known)
        return said(&p->pen, W_PURCHASE_OF, T(b->name), T(asked.text));
    html_clean(asked.text, sizeof asked.text, b->name, HTML_MOST);
    return asked;
}

/* Two cells: times as fast, less time. */
static void gain_cells(struct grid *g, const struct prediction *gain)
{
    const double low = advised_less(gain->low), high = advised_less(gain->high);

    if (gain->state == PREDICT_REFUSED) {
        grid_say(g, W_GAIN_NONE);
        grid_cell(g);
        return;
    }
    if (gain->state == PREDICT_BOUND)
        grid_say(g, W_GAIN_BOUND, N(gain->high));
    else
        grid_say(g, W_GAIN_OF, N(gain->low), N(gain->high));
    if (gain->state == PREDICT_BOUND || low < ADVISED_LEAST)
        grid_say(g, W_LESS_MOST, N(100 * high));
    else
        grid_say(g, W_LESS_OF, N(100 * low), N(100 * high));
}

/* A table in which nothing has an answer says so. */
static void close_rows(struct grid *g)
{
    if (!g->row) {
        grid_row(g);
        grid_say(g, W_GAIN_NONE);
    }
    grid_close(g);
}

/* ---- replay ---- */

static void replays(struct page *p)
{
    static const struct column columns[] = {{W_WORKLOAD, false},     {W_REPLAY_MEASURED, true},
                                            {W_REPLAY_PLAYED, true}, {W_REPLAY_ERROR, true},
                                            {W_REPLAY_HELD, true},   {W_REPLAY_DRIFT, true}};
    struct grid g;

    heading(p, 3, W_REPLAY);
    grid_open(&g, p, columns, 6, false);
    for (int i = 0; i < p->book->n_groups; i++) {
        const struct replay *r = &p->advised[i].advice.replay;
        if (!advised_known(&p->advised[i]))
            continue;
        grid_row(&g);
        grid_value(&g, T(group_name(p, i).text), "");
        grid_value(&g, N(r->measured), "dur");
        grid_value(&g, N(r->played), "dur");
        grid_value(&g, N(100 * expm1(r->error)), "pct1");
        grid_value(&g, N(100 * expm1(r->held_out)), "pct1");
        grid_value(&g, N(100 * expm1(r->drift)), "pct1");
    }
    grid_close(&g);
}

/* ---- ablations ---- */

static enum word arm_word(const char *name)
{
    static const char *const names[ARM_COUNT] = {
#define ARM(symbol, name, rebuild, title) #name,
#include "reports/core/ablation.def"
    };
    static const enum word words[ARM_COUNT] = {
        [ARM_BASE] = W_NONE,       [ARM_MEMORY] = W_ARM_MEMORY, [ARM_EMPTY] = W_ARM_EMPTY,
        [ARM_ALONE] = W_ARM_ALONE, [ARM_FREE] = W_ARM_FREE,     [ARM_THREADS] = W_ARM_THREADS,
        [ARM_BATCH] = W_ARM_BATCH, [ARM_NODE] = W_ARM_NODE};

    for (int i = 0; i < ARM_COUNT; i++)
        if (strcmp(names[i], name) == 0)
            return words[i];
    return W_NONE;
}

static void ablation_rows(struct grid *g, int i)
{
    const cJSON *arm;

    cJSON_ArrayForEach(arm, json_at(group_work(g->p, i), "ablation.arms"))
    {
        const char *name = json_text(arm, "name", "");
        grid_row(g);
        grid_value(g, T(group_name(g->p, i).text), "");
        if (arm_word(name) == W_NONE) /* of a later release */
            grid_value(g, T(name), "");
        else
            grid_say(g, arm_word(name));
        grid_value(g, N(100 * json_number(arm, "gain", NAN)), "pct1");
        grid_say(g, W_LESS_BETWEEN, N(100 * json_number(arm, "low", NAN)),
                 N(100 * json_number(arm, "high", NAN)));
        if (cJSON_IsTrue(json_at(arm, "noisy")))
            grid_say(g, W_NOISY);
        else
            grid_cell(g);
    }
}

/* Where a run has some; it is measured, so it needs no steps file. */
static void ablations(struct page *p)
{
    static const struct column columns[] = {{W_WORKLOAD, false},
                                            {W_WITHOUT, false},
                                            {W_LESS_STEP, true},
                                            {W_INTERVAL, true},
                                            {W_REMARK, false}};
    int some = 0;
    struct grid g;

    for (int i = 0; i < p->book->n_groups; i++)
        some += cJSON_GetArraySize(json_at(group_work(p, i), "ablation.arms"));
    if (!some)
        return;
    heading(p, 3, W_ABLATIONS);
    para(p, NULL, W_ABLATIONS_TEXT);
    grid_open(&g, p, columns, 5, false);
    for (int i = 0; i < p->book->n_groups; i++)
        ablation_rows(&g, i);
    grid_close(&g);
}

/* ---- for nothing ---- */

static enum word taken_word(const struct advice_free *f)
{
    if (f->taken)
        return W_TAKEN;
    return f->what.kind == WHAT_BATCH || f->what.kind == WHAT_ACCUMULATE ? W_TAKEN_BATCH
                                                                         : W_TAKEN_NOT;
}

static void free_rows(struct grid *g, int i)
{
    const struct page *p = g->p;
    const struct advice *a = &p->advised[i].advice;

    for (int k = 0; k < a->n_free; k++) {
        if (a->free[k].gain.state == PREDICT_REFUSED)
            continue;
        grid_row(g);
        grid_value(g, T(group_name(p, i).text), "");
        grid_value(g, T(question(p, &a->free[k].what).text), "");
        gain_cells(g, &a->free[k].gain);
        grid_say(g, taken_word(&a->free[k]));
    }
    if (!a->n_taken)
        return;
    grid_row(g);
    grid_value(g, T(group_name(p, i).text), "");
    grid_say(g, W_TOGETHER);
    gain_cells(g, &a->together);
    grid_cell(g);
}

static void for_nothing(struct page *p)
{
    static const struct column columns[] = {{W_WORKLOAD, false},
                                            {W_ASKED, false},
                                            {W_GAIN, true},
                                            {W_LESS_TIME, true},
                                            {W_REMARK, false}};
    struct grid g;

    heading(p, 3, W_FREE_ASKED);
    grid_open(&g, p, columns, 5, false);
    for (int i = 0; i < p->book->n_groups; i++)
        if (advised_known(&p->advised[i]))
            free_rows(&g, i);
    close_rows(&g);
}

/* ---- for money ---- */

/* Predicted money has no more of them. */
static double two_digits(double v)
{
    const double unit = v > 0 && isfinite(v) ? pow(10, floor(log10(v)) - 1) : 1;

    return round(v / unit) * unit;
}

static enum word worth_word(const struct page *p, const struct advice_buy *b)
{
    switch (b->worth) {
    case WORTH_IT:
        return !b->advised ? W_WORTH_NODES : page_decides(p) ? W_WORTH_YES : W_WORTH_WAITS;
    case WORTH_NOT:
        return W_WORTH_NO;
    case WORTH_UNDECIDED:
        return W_WORTH_OPEN;
    case WORTH_UNKNOWN:
        break;
    }
    return W_WORTH_UNJUDGED;
}

static void money_cells(struct grid *g, const struct advice_buy *b, bool shared)
{
    grid_value(g, N(b->price), "money");
    if (isfinite(b->saved_low))
        grid_say(g, W_SAVES_OF, N(two_digits(b->saved_low)), N(two_digits(b->saved_high)));
    else
        grid_value(g, N(NAN), "money");
    if (shared)
        grid_say(g, W_BUY_SHARED);
    else
        grid_say(g, worth_word(g->p, b));
    if (isfinite(b->rival_nodes) && b->rival.state == PREDICTED)
        grid_say(g, W_RIVAL_OF, N(b->rival_nodes), N(b->rival.low), N(b->rival.high));
    else
        grid_say(g, W_GAIN_NONE);
}

static void buy_rows(struct grid *g, int i)
{
    const struct page *p = g->p;
    const struct advice *a = &p->advised[i].advice;

    for (int k = 0; k < a->n_buys; k++) {
        const struct advice_buy *b = &a->buy[k];
        if (!b->known || b->gain.state == PREDICT_REFUSED)
            continue;
        grid_row(g);
        grid_value(g, T(group_name(p, i).text), "");
        grid_value(g, T(option(p, b).text), "");
        gain_cells(g, &b->gain);
        if (b->gain.untested || b->gain.beyond)
            grid_say(g, b->gain.beyond ? W_BEYOND : W_UNTESTED);
        else if (b->gain.state == PREDICT_BOUND)
            grid_say(g, W_BOUNDED, T(refusal_said(b->gain.why, p->pen.lang).text));
        else
            grid_cell(g);
        if (b->name[0])
            money_cells(g, b, a->shared);
    }
}

static void for_money(struct page *p)
{
    static const struct column columns[] = {
        {W_WORKLOAD, false}, {W_ASKED, false},  {W_GAIN, true},
        {W_LESS_TIME, true}, {W_REMARK, false}, {W_PRICE, true},
        {W_SAVES, true},     {W_WORTH, false},  {W_RIVAL, false}};
    const bool money = p->prices && p->prices->n_buys;
    struct grid g;

    heading(p, 3, W_PURCHASES);
    grid_open(&g, p, columns, money ? 9 : 5, false);
    for (int i = 0; i < p->book->n_groups; i++)
        if (advised_known(&p->advised[i]))
            buy_rows(&g, i);
    close_rows(&g);
    for (int i = 0; money && i < p->book->n_groups; i++)
        if (advised_known(&p->advised[i]) && !isfinite(p->advised[i].advice.mix))
            para(p, NULL, W_NO_MIX_HERE, T(group_name(p, i).text));
}

/* ---- time to quality ---- */

static void quality_row(struct grid *g, int i, const struct what *w, const struct quality *q)
{
    const struct page *p = g->p;

    if (!quality_differs(w->kind))
        return;
    grid_row(g);
    grid_value(g, T(group_name(p, i).text), "");
    grid_value(g, T(question(p, w).text), "");
    grid_value(g, N(q->epochs), "x");
    if (q->state == QUALITY_KNOWN)
        grid_say(g, W_GAIN_OF, N(q->low), N(q->high));
    else if (q->state == QUALITY_BOUND)
        grid_say(g, W_GAIN_BOUND, N(q->high));
    else
        grid_say(g, q->state == QUALITY_NEVER ? W_QUALITY_NEVER : W_GAIN_NONE);
    grid_cell(g);
    html_text(p->pen.f, refusal_said(q->why, p->pen.lang).text, 0);
}

static void to_quality(struct page *p)
{
    static const struct column columns[] = {{W_WORKLOAD, false},
                                            {W_ASKED, false},
                                            {W_QUALITY_EPOCHS, true},
                                            {W_QUALITY_GAIN, true},
                                            {W_BECAUSE, false}};
    struct grid g;

    heading(p, 3, W_TO_QUALITY);
    para(p, NULL, W_TO_QUALITY_TEXT);
    grid_open(&g, p, columns, 5, false);
    for (int i = 0; i < p->book->n_groups; i++) {
        const struct advice *a = &p->advised[i].advice;
        for (int k = 0; advised_known(&p->advised[i]) && k < a->n_free; k++)
            quality_row(&g, i, &a->free[k].what, &a->free[k].quality);
        for (int k = 0; advised_known(&p->advised[i]) && k < a->n_buys; k++)
            if (a->buy[k].known)
                quality_row(&g, i, &a->buy[k].what, &a->buy[k].quality);
    }
    close_rows(&g);
}

/* ---- what has no answer ---- */

static void refused_row(struct grid *g, int i, struct said asked, const char *why)
{
    grid_row(g);
    grid_value(g, T(group_name(g->p, i).text), "");
    grid_value(g, T(asked.text), "");
    grid_cell(g);
    html_text(g->p->pen.f, refusal_said(why, g->p->pen.lang).text, 0);
}

static int refused_rows(struct grid *g, int i)
{
    const struct page *p = g->p;
    const struct advice *a = &p->advised[i].advice;
    int n = 0;

    for (int k = 0; k < a->n_free; k++)
        if (a->free[k].gain.state == PREDICT_REFUSED && ++n)
            refused_row(g, i, question(p, &a->free[k].what), a->free[k].gain.why);
    for (int k = 0; k < a->n_buys; k++) {
        const struct advice_buy *b = &a->buy[k];
        if (!b->known)
            refused_row(g, i, option(p, b), said(&p->pen, W_NOT_A_QUESTION).text);
        else if (b->gain.state == PREDICT_REFUSED)
            refused_row(g, i, option(p, b), b->gain.why);
        n += !b->known || b->gain.state == PREDICT_REFUSED;
    }
    return n;
}

static void refused(struct page *p)
{
    static const struct column columns[] = {
        {W_WORKLOAD, false}, {W_ASKED, false}, {W_BECAUSE, false}};
    int n = 0;
    struct grid g;

    heading(p, 3, W_REFUSED);
    grid_open(&g, p, columns, 3, false);
    for (int i = 0; i < p->book->n_groups; i++)
        if (advised_known(&p->advised[i]))
            n += refused_rows(&g, i);
    if (n == 0) {
        grid_row(&g);
        grid_say(&g, W_NONE);
    }
    grid_close(&g);
}

/* ---- the section ---- */

static void without(struct page *p, int i)
{
    const struct advised *a = &p->advised[i];
    const struct said name = group_name(p, i);

    if (!a->there)
        para(p, NULL, W_WHATIF_MISSING, T(name.text));
    else if (a->why[0])
        para(p, NULL, W_WHATIF_CANNOT, T(name.text), T(refusal_said(a->why, p->pen.lang).text));
    else if (a->advice.shared)
        para(p, NULL, W_WHATIF_SHARED, T(name.text));
}

void section_whatif(struct page *p)
{
    int there = 0, known = 0;

    for (int i = 0; i < p->book->n_groups; i++) {
        there += p->advised[i].there;
        known += advised_known(&p->advised[i]);
    }
    ablations(p);
    if (there == 0) {
        para(p, NULL, W_WHATIF_NEEDS);
        return;
    }
    for (int i = 0; i < p->book->n_groups; i++)
        without(p, i);
    if (known == 0)
        return;
    replays(p);
    for_nothing(p);
    for_money(p);
    to_quality(p);
    refused(p);
    para(p, "small", W_WHATIF_NOTE);
}
