/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "reports/diagnose/confirm.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "reports/core/text.h"
#include "reports/judge/stat.h"

static const char *const said[LANGUAGE_COUNT] = {
    "; %d of the last %d runs like this one name it",
    "。同じ条件の直近 %2$d 回のうち %1$d 回がこのノードを指している",
};
static const char *const first[LANGUAGE_COUNT] = {
    "; no earlier run is like it, so nothing can be compared",
    "。比較できる以前の実行はない",
};

static const char *const longer[LANGUAGE_COUNT] = {
    "; it computes %.0f %% longer than in its %d runs before",
    "。以前の %2$d 回より計算時間が %1$.0f %% 長い",
};
static const char *const longer_even[LANGUAGE_COUNT] = {
    "; at equal processor it computes %.0f %% longer than in its %d runs before",
    "。プロセッサの速さを揃えると、以前の %2$d 回より計算時間が %1$.0f %% 長い",
};
static const char *const by_processor[LANGUAGE_COUNT] = {
    "; at equal processor it does not: its processor is slower",
    "。プロセッサの速さを揃えると差はない。プロセッサが遅い",
};

enum { DAY = 86400 };

void confirm_begin(struct confirm *c, const char *node, double begin)
{
    *c = (struct confirm){.node = node, .begin = begin, .own = {{.now = NAN}, {.now = NAN}}};
}

/* Causes that say of a node that it is slow, confirmed or not. */
static bool says_slow(int cause)
{
    return cause == CAUSE_NODE_SLOWER || cause == CAUSE_SLOW_NODE || cause == CAUSE_NODE_SHARED;
}

/* Does it count, and is it new? */
static bool counts(const struct confirm *c, const struct confirm_run *run, int cause)
{
    for (int i = 0; i < c->n; i++)
        if (strncmp(c->before[i].key, run->key, CONFIRM_KEY - 1) == 0)
            return false;
    return cause >= 0 && cause != CAUSE_UNKNOWN && run->begin < c->begin &&
           run->begin >= c->begin - (double)CONFIRM_DAYS * DAY;
}

void confirm_add(struct confirm *c, const struct confirm_run *run)
{
    enum { MOST = CONFIRM_RUNS - 1 };
    const int cause = cause_find(run->cause);
    int at = 0;

    if (!counts(c, run, cause))
        return;
    while (at < c->n && c->before[at].begin >= run->begin)
        at++;
    if (at == MOST)
        return;
    for (int i = c->n < MOST ? c->n : MOST - 1; i > at; i--)
        c->before[i] = c->before[i - 1];
    snprintf(c->before[at].key, CONFIRM_KEY, "%.*s", CONFIRM_KEY - 1, run->key);
    c->before[at].begin = run->begin;
    c->before[at].named = says_slow(cause) && strcmp(run->node, c->node) == 0;
    c->n += c->n < MOST;
}

int confirm_named(const struct confirm *c)
{
    int n = 1;

    for (int i = 0; i < c->n; i++)
        n += c->before[i].named;
    return n;
}

int confirm_runs(const struct confirm *c)
{
    return 1 + c->n;
}

bool confirm_holds(const struct confirm *c)
{
    return confirm_named(c) >= CONFIRM_NAMED || confirm_own_holds(c);
}

/* ---- its own history ---- */

void confirm_own_now(struct confirm *c, enum confirm_basis b, double ratio)
{
    c->own[b].now = ratio;
}

void confirm_own_add(struct confirm *c, enum confirm_basis b, const char *key, double begin,
                     double ratio)
{
    struct confirm_own *own = &c->own[b];
    int at = 0;

    if (!(ratio > 0) || !isfinite(ratio) || !(begin < c->begin) ||
        begin < c->begin - (double)CONFIRM_OWN_DAYS * DAY)
        return;
    for (int i = 0; i < own->n; i++)
        if (strncmp(own->before[i].key, key, CONFIRM_KEY - 1) == 0)
            return;
    while (at < own->n && own->before[at].begin >= begin)
        at++;
    if (at == CONFIRM_OWN)
        return;
    for (int i = own->n < CONFIRM_OWN ? own->n : CONFIRM_OWN - 1; i > at; i--)
        own->before[i] = own->before[i - 1];
    snprintf(own->before[at].key, CONFIRM_KEY, "%.*s", CONFIRM_KEY - 1, key);
    own->before[at].begin = begin;
    own->before[at].ratio = ratio;
    own->n += own->n < CONFIRM_OWN;
}

/* Whether its runs can tell. */
static bool own_known(const struct confirm_own *own)
{
    return own->n >= CONFIRM_OWN_LEAST && isfinite(own->now);
}

/* ln of this run to the mean of those before; *bound: what chance makes of it, at that level. */
static double own_excess(const struct confirm_own *own, double level, double *bound)
{
    const double n = own->n;
    double mean = 0, squares = 0;

    *bound = NAN;
    if (!own_known(own))
        return NAN;
    for (int i = 0; i < own->n; i++)
        mean += log(own->before[i].ratio) / n;
    for (int i = 0; i < own->n; i++)
        squares += pow(log(own->before[i].ratio) - mean, 2);
    *bound = stat_student(level, n - 1) * sqrt(squares / (n - 1) * (1 + 1 / n));
    return log(own->now) - mean;
}

/* All bases that can tell share 1 % of false alarms. */
static double own_level(const struct confirm *c)
{
    int known = 0;

    for (int b = 0; b < CONFIRM_BASES; b++)
        known += own_known(&c->own[b]);
    return known > 1 ? 1 - 0.01 / known : 0.99;
}

double confirm_own(const struct confirm *c, enum confirm_basis b)
{
    double bound;

    return expm1(own_excess(&c->own[b], own_level(c), &bound));
}

bool confirm_own_by(const struct confirm *c, enum confirm_basis b)
{
    double bound;
    const double excess = own_excess(&c->own[b], own_level(c), &bound);

    return excess > bound && excess > log(1.05);
}

bool confirm_own_holds(const struct confirm *c)
{
    return confirm_own_by(c, CONFIRM_SECONDS) || confirm_own_by(c, CONFIRM_EVEN);
}

/* What of its own history holds. */
static void own_said(const struct confirm *c, enum language l, char *text, size_t size)
{
    const bool even = confirm_own_by(c, CONFIRM_EVEN);

    if (!confirm_own_by(c, CONFIRM_SECONDS)) {
        if (even)
            text_add(text, size, longer_even[l], 100 * confirm_own(c, CONFIRM_EVEN),
                     c->own[CONFIRM_EVEN].n);
        return;
    }
    text_add(text, size, longer[l], 100 * confirm_own(c, CONFIRM_SECONDS),
             c->own[CONFIRM_SECONDS].n);
    if (!even && fabs(confirm_own(c, CONFIRM_EVEN)) < 0.05)
        text_add(text, size, "%s", by_processor[l]);
}

void confirm_said(const struct confirm *c, enum language l, char *text, size_t size)
{
    if (c->n == 0)
        text_add(text, size, "%s", first[l]);
    else
        text_add(text, size, said[l], confirm_named(c), confirm_runs(c));
    own_said(c, l, text, size);
}
