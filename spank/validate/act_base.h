/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What those who act on nodes share: what was asked for, the lease, the history.
 *
 * Life:    act_begin() takes the lease and opens, act_end() gives it back.
 * Failure: -1 and a sentence.
 * Threads: none.
 */
#ifndef VALIDATE_ACT_BASE_H
#define VALIDATE_ACT_BASE_H

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>

#include "reports/history/history_work.h"

#define ACT_LEASE "nodes"

struct act_options {
    const char *reservation; /* NULL: nodes in service */
    const char *nodes;       /* a host list; NULL: a reservation */
    const char *measure;     /* program that measures nodes; NULL: nobody starts one */
    const char *history;     /* path */
    char verdicts[PATH_MAX]; /* path */
    bool apply;
    int watch; /* seconds from pass to pass; 0: one */
};

struct act {
    const struct act_options *o;
    struct history *h; /* NULL when nothing is applied and there is none */
    char me[WORK_HOLDER_SIZE];
    FILE *out;    /* results */
    char *shown;  /* what was printed last; malloc */
    int wrote;    /* writes of this pass */
    bool waits;   /* something is left that will come, or that a person must decide */
    bool measure; /* nodes are to be measured */
    char *nodes;  /* which; malloc */
};

/* With apply: takes the lease; a sentence says who has it. */
int act_begin(struct act *a, const struct act_options *o, FILE *out, struct err *e);
void act_end(struct act *a);

/* Renews the lease. -1: it is lost, or the history cannot be written. */
int act_renew(struct act *a, struct err *e);

/* A line for people, with the time before it. */
void act_say(struct act *a, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
