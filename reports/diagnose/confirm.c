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

enum { DAY = 86400 };

void confirm_begin(struct confirm *c, const char *node, double begin)
{
    *c = (struct confirm){.node = node, .begin = begin, .now = NAN};
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

double confirm_ratio(double node, double median, int ranks)
{
    const double others = ranks == 2 ? 2 * median - node : median; /* of two the mean */

    return ranks > 1 && node > 0 && others > 0 ? node / others : NAN;
}

void confirm_own_now(struct confirm *c, double ratio)
{
    c->now = ratio;
}

void confirm_own_add(struct confirm *c, const char *key, double begin, double ratio)
{
    int at = 0;

    if (!(ratio > 0) || !isfinite(ratio) || !(begin < c->begin) ||
        begin < c->begin - (double)CONFIRM_OWN_DAYS * DAY)
        return;
    for (int i = 0; i < c->n_own; i++)
        if (strncmp(c->own[i].key, key, CONFIRM_KEY - 1) == 0)
            return;
    while (at < c->n_own && c->own[at].begin >= begin)
        at++;
    if (at == CONFIRM_OWN)
        return;
    for (int i = c->n_own < CONFIRM_OWN ? c->n_own : CONFIRM_OWN - 1; i > at; i--)
        c->own[i] = c->own[i - 1];
    snprintf(c->own[at].key, CONFIRM_KEY, "%.*s", CONFIRM_KEY - 1, key);
    c->own[at].begin = begin;
    c->own[at].ratio = ratio;
    c->n_own += c->n_own < CONFIRM_OWN;
}

/* ln of this run to the mean of those before; *bound: what chance makes of it. */
static double own_excess(const struct confirm *c, double *bound)
{
    const double n = c->n_own;
    double mean = 0, squares = 0;

    *bound = NAN;
    if (c->n_own < CONFIRM_OWN_LEAST)
        return NAN;
    for (int i = 0; i < c->n_own; i++)
        mean += log(c->own[i].ratio) / n;
    for (int i = 0; i < c->n_own; i++)
        squares += pow(log(c->own[i].ratio) - mean, 2);
    *bound = stat_student(0.99, n - 1) * sqrt(squares / (n - 1) * (1 + 1 / n));
    return log(c->now) - mean;
}

double confirm_own(const struct confirm *c)
{
    double bound;

    return expm1(own_excess(c, &bound));
}

bool confirm_own_holds(const struct confirm *c)
{
    double bound;
    const double excess = own_excess(c, &bound);

    return excess > bound && excess > log(1.05);
}

void confirm_said(const struct confirm *c, enum language l, char *text, size_t size)
{
    if (c->n == 0)
        text_add(text, size, "%s", first[l]);
    else
        text_add(text, size, said[l], confirm_named(c), confirm_runs(c));
    if (confirm_own_holds(c))
        text_add(text, size, longer[l], 100 * confirm_own(c), c->n_own);
}
