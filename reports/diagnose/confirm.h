/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Is a node that was slower in one run a slow node? One run cannot tell: on
 * shared processors either of two nodes is slower by chance. Of this run and the two
 * like it before (same workload, size, precision, ranks and number of nodes, this
 * node among them, at most CONFIRM_DAYS earlier) two must have named it.
 *
 * Or the node's own history says it, when it has been slow since yesterday: of each
 * run like this one, at most CONFIRM_OWN_DAYS earlier, x = ln of what the node's slowest
 * rank computed to what the median of the others did, which other hosts' speed and the
 * number of epochs do not change. Of n >= CONFIRM_OWN_LEAST such runs with mean m and
 * standard deviation s, this run's x must be above
 *
 *     m + t(99 %, n - 1) s sqrt(1 + 1 / n)      one more value: 1 % false alarms
 *     m + ln 1.05                               5 %: below that nobody acts
 *
 * (Hahn and Meeker, Statistical Intervals, 1991, 4.7). The same at equal processor
 * (reports/record/even.h) for runs that have read the yardstick: on shared hosts a
 * processor is 5 to 15 % faster in one run than in the next, which hides what the node has
 * beside it; divided by the yardstick it does not. Neither stands for the other: a processor
 * that has become slow makes a slow node, which equal processor would hide. Where both are
 * known each has half of the 1 % (99.5 %), one is enough, and what is said tells which.
 *
 * Life:    a confirm borrows its node; all else is borrowed for the call.
 * Failure: none.
 * Threads: pure functions.
 */
#ifndef DIAGNOSE_CONFIRM_H
#define DIAGNOSE_CONFIRM_H

#include <stdbool.h>
#include <stddef.h>

#include "reports/diagnose/words.h"

enum { CONFIRM_RUNS = 3, CONFIRM_NAMED = 2, CONFIRM_DAYS = 30, CONFIRM_KEY = 160 };
enum { CONFIRM_OWN = 16, CONFIRM_OWN_LEAST = 5, CONFIRM_OWN_DAYS = 90 };

/* What the node computed to the others: in seconds, or by its yardstick. */
enum confirm_basis { CONFIRM_SECONDS, CONFIRM_EVEN, CONFIRM_BASES };

/* Its own history. */
struct confirm_own {
    double now; /* this run; NAN: not known */
    struct {
        char key[CONFIRM_KEY];
        double begin, ratio;
    } before[CONFIRM_OWN]; /* earlier runs, the latest first */
    int n;
};

/* What is known of the node so far. */
struct confirm {
    const char *node;
    double begin; /* of this run, Unix time */
    struct {
        char key[CONFIRM_KEY];
        double begin;
        bool named;
    } before[CONFIRM_RUNS - 1]; /* the latest, the later one first */
    int n;
    struct confirm_own own[CONFIRM_BASES];
};

/* A run like it, in which the node took part, and what it said. */
struct confirm_run {
    const char *key;   /* what tells it from other runs */
    double begin;      /* Unix time */
    const char *cause; /* its name */
    const char *node;  /* that it is about; "": none */
};

/* This run named the node. */
void confirm_begin(struct confirm *c, const char *node, double begin);
/* In any order, and the same run more than once. Runs that came later, and those that had
 * no steady state, do not count. */
void confirm_add(struct confirm *c, const struct confirm_run *run);
/* How many of the confirm_runs() latest, this one among them, name it. */
int confirm_named(const struct confirm *c);
int confirm_runs(const struct confirm *c);
bool confirm_holds(const struct confirm *c);

/* What the node computed to the others, this run and an earlier one like it (NAN: it cannot
 * be told); in any order, the same more than once. */
void confirm_own_now(struct confirm *c, enum confirm_basis b, double ratio);
void confirm_own_add(struct confirm *c, enum confirm_basis b, const char *key, double begin,
                     double ratio);
/* By what part the node takes longer than it did; NAN: too few runs tell. */
double confirm_own(const struct confirm *c, enum confirm_basis b);
/* Whether that is more than chance, by one of them; by any. */
bool confirm_own_by(const struct confirm *c, enum confirm_basis b);
bool confirm_own_holds(const struct confirm *c);

/* Adds "; 2 of the last 3 runs like this one name it", and where its own history says
 * so "; it computes 12 % longer than in its 7 runs before", and what its processor has to do
 * with it. */
void confirm_said(const struct confirm *c, enum language l, char *text, size_t size);

#endif
