/* SPDX-License-Identifier: BSD-3-Clause */
/* A diagnosis as three lines, in two languages. */
#include <config.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "reports/core/text.h"
#include "reports/core/utf8.h"
#include "reports/diagnose/cause.h"

/* The phrases around the causes; by enum language. */
enum phrase {
    NOT_CONFIRMED,
    COLON,
    AND,
    STEP,
    SHARE,
    JITTER,
    REST,
    NOTHING,
    FOREIGN,
    WHOLE,
    NO_STEADY,
    WAITS_FROM,
    LARGEST,
    STAYS,
    ALONE,
    REPEATS,
    WITNESS,
    PHRASES
};

static const char *const phrases[PHRASES][2] = {
    [NOT_CONFIRMED] = {" (not confirmed)", "(未確認)"},
    [COLON] = {": ", ": "},
    [AND] = {", ", "、"},
    [STEP] = {"of a step of %s: ", "1 ステップ %s のうち、"},
    [SHARE] = {"%s %.0f %%", "%s %.0f %%"},
    [JITTER] = {"jitter %.0f %%", "ゆらぎ %.0f %%"},
    [REST] = {"; the rest is compute", "、残りは計算"},
    [NOTHING] = {"nothing waits noticeably", "目立つ待ちはない"},
    [FOREIGN] = {"; other work took %.0f %% of these cores",
                 "。他の処理がこれらのコアの %.0f %% を使った"},
    [WHOLE] = {"; of the whole run: %s (%.0f %%)", "。実行全体では: %s (%.0f %%)"},
    [NO_STEADY] = {"there was no epoch after the first", "2 番目以降のエポックがない"},
    [WAITS_FROM] = {"something else is named when what steps wait for is %.0f %% of them",
                    "待ちがステップの %.0f %% 以上になると、その原因が判定になる"},
    [LARGEST] = {" (now %.0f %%)", "(現在 %.0f %%)"},
    [STAYS] = {"it stays while it takes at least %.0f %% of a step",
               "ステップの %.0f %% 以上を占める限り、この判定は変わらない"},
    [ALONE] = {"the first is named alone when all others take at most %.0f %% of a step",
               "他の待ちの合計がステップの %.0f %% 以下になると、最初のものだけが判定になる"},
    [REPEATS] = {"; two of three runs like this one that name the node make it a slow node",
                 "。同じ条件の 3 回の実行のうち 2 回が同じノードを指すと、遅いノードと判定する"},
    [WITNESS] = {"; a run without it that is shorter by as much confirms it",
                 "。それを除いた実行が同じだけ短くなれば確認される"},
};

static void put_number(char *text, size_t size, enum phrase p, enum language l, double share)
{
    text_add(text, size, phrases[p][l], 100 * share);
}

static void put_share(char *text, size_t size, enum phrase p, enum language l, const char *what,
                      double share)
{
    text_add(text, size, phrases[p][l], what, 100 * share);
}

static void put_text(char *text, size_t size, enum phrase p, enum language l, const char *what)
{
    text_add(text, size, phrases[p][l], what);
}

static void duration(double seconds, char *text, size_t size)
{
    if (seconds < 0.9995)
        snprintf(text, size, "%.3g ms", 1000 * seconds);
    else
        snprintf(text, size, "%.3g s", seconds);
}

static const double named_together = CAUSE_TOGETHER / 100.0;

/* Of no single bottleneck those that count. */
static bool counts(const struct diagnosis *d, int i)
{
    return i < 3 && d->of[i].share >= named_together * d->visible;
}

void diagnosis_verdict(const struct diagnosis *d, enum language l, char *text, size_t size)
{
    char said[128];

    text[0] = '\0';
    cause_said(d->cause, d->node, l, said, sizeof said);
    text_add(text, size, "%s", said);
    for (int i = 0; d->cause == CAUSE_SEVERAL && i < d->n_of && counts(d, i); i++) {
        cause_said(d->of[i].cause, d->of[i].node, l, said, sizeof said);
        text_add(text, size, "%s%s", phrases[i ? AND : COLON][l], said);
    }
    if (!d->confirmed && d->n_of && d->visible > 0 && d->cause == d->of[0].cause &&
        d->cause != CAUSE_NODE_SLOWER)
        text_add(text, size, "%s", phrases[NOT_CONFIRMED][l]);
    if (d->whole != CAUSE_UNKNOWN) {
        cause_said(d->whole, NULL, l, said, sizeof said);
        put_share(text, size, WHOLE, l, said, d->whole_share);
    }
}

void diagnosis_why(const struct diagnosis *d, enum language l, char *text, size_t size)
{
    char said[128], step[32];
    int shown = 0;

    text[0] = '\0';
    if (!isfinite(d->period)) {
        text_add(text, size, "%s", phrases[NO_STEADY][l]);
        return;
    }
    duration(d->period, step, sizeof step);
    put_text(text, size, STEP, l, step);
    for (int i = 0; i < d->n_of && d->of[i].share >= 0.005; i++, shown++) {
        cause_said(d->of[i].cause, d->of[i].node, l, said, sizeof said);
        text_add(text, size, "%s", shown ? phrases[AND][l] : "");
        put_share(text, size, SHARE, l, said, d->of[i].share);
    }
    if (d->jitter >= 0.005) {
        text_add(text, size, "%s", shown++ ? phrases[AND][l] : "");
        put_number(text, size, JITTER, l, d->jitter);
    }
    text_add(text, size, "%s", shown ? phrases[REST][l] : phrases[NOTHING][l]);
    if (d->foreign > 0)
        put_number(text, size, FOREIGN, l, d->foreign);
}

void diagnosis_next(const struct diagnosis *d, enum language l, char *text, size_t size)
{
    text[0] = '\0';
    text_add(text, size, "%s", cause_next(d->cause, l));
    if (d->cause == CAUSE_SEVERAL && d->n_of)
        text_add(text, size, "%s%s", phrases[COLON][l], cause_next(d->of[0].cause, l));
}

/* The share of T from which on a wait beside `others` is named. */
static double named_from(double others, bool ablated)
{
    const double part = (ablated ? CAUSE_ABLATED : CAUSE_ALONE) / 100.0;

    return fmax(others * part / (1 - part), CAUSE_VISIBLE / 100.0 - others);
}

static void put_now(char *text, size_t size, enum language l, double share)
{
    put_number(text, size, LARGEST, l, share);
}

void diagnosis_change(const struct diagnosis *d, enum language l, char *text, size_t size)
{
    const double most = d->n_of ? d->of[0].share : 0, others = fmax(0, d->visible - most);
    const enum cause_family family = cause_family(d->cause);

    text[0] = '\0';
    if (!isfinite(d->period)) {
        text_add(text, size, "%s", phrases[NO_STEADY][l]);
    } else if (family == FAMILY_COMPUTE) {
        put_number(text, size, WAITS_FROM, l, CAUSE_VISIBLE / 100.0);
        put_now(text, size, l, d->visible);
    } else if (d->cause == CAUSE_SEVERAL) {
        put_number(text, size, ALONE, l, most * (100 - CAUSE_ALONE) / CAUSE_ALONE);
        put_now(text, size, l, others);
    } else {
        const bool ablated = most < CAUSE_ALONE / 100.0 * d->visible;
        put_number(text, size, STAYS, l, named_from(others, ablated));
        put_now(text, size, l, most);
        if (d->cause == CAUSE_NODE_SLOWER)
            text_add(text, size, "%s", phrases[REPEATS][l]);
        else if (!d->confirmed && (family == FAMILY_NETWORK || family == FAMILY_INPUT))
            text_add(text, size, "%s", phrases[WITNESS][l]);
    }
}
