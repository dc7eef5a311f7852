/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Is a node that was slower in one run a slow node? One run cannot tell: on
 * shared processors either of two nodes is slower by chance. Of this run and the two
 * like it before (same workload, size, precision, ranks and number of nodes, this
 * node among them, at most CONFIRM_DAYS earlier) two must have named it.
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

/* Adds "; 2 of the last 3 runs like this one name it". */
void confirm_said(const struct confirm *c, enum language l, char *text, size_t size);

#endif
