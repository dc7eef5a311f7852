/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "reports/diagnose/confirm.h"

#include <stdio.h>
#include <string.h>

#include "reports/core/text.h"

static const char *const said[LANGUAGE_COUNT] = {
    "; %d of the last %d runs like this one name it",
    "。同じ条件の直近 %2$d 回のうち %1$d 回がこのノードを指している",
};
static const char *const first[LANGUAGE_COUNT] = {
    "; no earlier run is like it, so nothing can be compared",
    "。比較できる以前の実行はない",
};

void confirm_begin(struct confirm *c, const char *node, double begin)
{
    *c = (struct confirm){.node = node, .begin = begin};
}

/* Causes that say of a node that it is slow, confirmed or not. */
static bool says_slow(int cause)
{
    return cause == CAUSE_NODE_SLOWER || cause == CAUSE_SLOW_NODE || cause == CAUSE_NODE_SHARED;
}

/* Does it count, and is it new? */
static bool counts(const struct confirm *c, const struct confirm_run *run, int cause)
{
    enum { DAY = 86400 };

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
    return confirm_named(c) >= CONFIRM_NAMED;
}

void confirm_said(const struct confirm *c, enum language l, char *text, size_t size)
{
    if (c->n == 0)
        text_add(text, size, "%s", first[l]);
    else
        text_add(text, size, said[l], confirm_named(c), confirm_runs(c));
}
