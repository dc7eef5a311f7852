/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What follows from a look at Slurm and the verdicts: the state of each node, what is to
 * be done, and the commands that a person would type for it.
 *
 * Which nodes: the members of a reservation, or a list of nodes that are in service. Of
 * the latter only those that failed are acted on: they are drained, at most state_cap()
 * of them for one run of the validation; there is nothing that they could leave, and a
 * node that is held by its reboot is not returned to users untested.
 *
 * A drain was carried out when the log of deeds says so, or when the node is seen drained
 * for a reason of hpcai500, whoever typed it. A person who resumes it afterwards has the
 * last word until it is measured again.
 *
 * Life:    plan_make() fills, plan_fini() frees; it borrows the look and the verdicts.
 * Failure: -1 and a sentence.
 * Threads: pure but for `deed`, which asks.
 */
#ifndef VALIDATE_PLAN_H
#define VALIDATE_PLAN_H

#include <stdio.h>

#include "reports/history/history_work.h"
#include "reports/validate/verdicts.h"
#include "spank/validate/look.h"
#include "spank/validate/state.h"

struct plan_node {
    const struct look_node *seen;
    const struct verdict_line *verdict; /* its newest; NULL: none */
    enum state state;
    enum state_action action; /* STATE_DO_NOTHING where a rule below keeps it back */
    bool carried;             /* the drain of its verdict is in the log */
    bool capped;              /* kept back: so many were drained already */
    bool unsure;              /* kept back: a deed on it is not settled yet */
};

struct plan {
    const char *reservation; /* NULL: nodes in service */
    int64_t looked;          /* when */
    int64_t end;             /* of the reservation */
    bool maintenance;
    int n;
    struct plan_node *nodes; /* malloc */
    int counts[STATE_COUNT];
    long in_service; /* of all nodes of the cluster */
    int absent;
};

enum {
    PLAN_REASON_MOST = 120,  /* characters of a drain's reason */
    PLAN_END_SECONDS = 2700, /* a reservation that ends earlier is extended ... */
    PLAN_EXTEND = 3600       /* ... by so much, while nodes of it wait */
};

/* What the log of deeds knows: fills *d with the newest drain of that node and run; 1, 0
 * none, -1. settled: every deed on the node is. */
struct plan_log {
    int (*drain)(void *ctx, const char *node, const char *run, struct deed *d, struct err *e);
    bool (*settled)(void *ctx, const char *node);
    int (*drains)(void *ctx, const char *run); /* of that run, in the log; -1: not known */
    void *ctx;
};

int plan_make(const char *reservation, const struct look *look, const struct verdict_line *verdicts,
              int n_verdicts, const struct plan_log *log, int64_t now, struct plan *p,
              struct err *e);
void plan_fini(struct plan *p);

/* "hpcai500: memory.triad -48 % vs baseline (job 4711)": what node_reason_check() takes. */
void plan_reason(const struct verdict_line *v, char reason[PLAN_REASON_MOST + 1]);

/* Names of the nodes with that action, by comma, malloc; NULL: out of memory. others: of
 * the members with any other action instead. */
char *plan_names(const struct plan *p, enum state_action action, bool others);
int plan_count(const struct plan *p, enum state_action action);

/* Whether a node of the reservation still waits for something that will come: the
 * reservation must not end before. */
bool plan_waits(const struct plan *p);

/* The table at 80 columns, and the commands that --apply would carry out. */
void plan_print(const struct plan *p, int64_t now, FILE *f);
void plan_print_commands(const struct plan *p, FILE *f);

#endif
