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
 * (Hahn and Meeker, Statistical Intervals, 1991, 4.7).
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
    double now; /* what the node computed to the others, this run; NAN: not known */
    struct {
        char key[CONFIRM_KEY];
        double begin, ratio;
    } own[CONFIRM_OWN]; /* likewise, earlier runs, the latest first */
    int n_own;
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

/* What the node computed, seconds of its slowest rank, to the others of a run whose median of
 * so many ranks is known; NAN: it cannot be told. */
double confirm_ratio(double node, double median, int ranks);
/* That of this run, and of an earlier one like it; in any order, the same more than once. */
void confirm_own_now(struct confirm *c, double ratio);
void confirm_own_add(struct confirm *c, const char *key, double begin, double ratio);
/* By what part the node takes longer than it did; NAN: too few runs tell. */
double confirm_own(const struct confirm *c);
bool confirm_own_holds(const struct confirm *c);

/* Adds "; 2 of the last 3 runs like this one name it", and where its own history says
 * so "; it computes 12 % longer than in its 7 runs before". */
void confirm_said(const struct confirm *c, enum language l, char *text, size_t size);

#endif
