/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From what nodes said to verdicts: the rule of judge.h over all classes and metrics.
 *
 *     a = assess_create(names, n, past, &e);
 *     assess_line(a, &r) ... assess_pair(a, ...)          the first look, round 0
 *     assess_look(a, &e);
 *     while (assess_todo(a, turn++, &todo) > 0)
 *         ... measure those metrics on those nodes, todo.rounds times: round todo.from, ...
 *     assess_decide(a, &e);                               a->nodes[i].verdict ...
 *
 * Order of what decides, worst last: metrics by the rule; links by peeling (link.h);
 * ECC corrected errors: SUSPECT; another inventory than most of at least three nodes of the
 * class: SUSPECT, than the approved one: FAULTY, or SYSTEM where more than half of three or
 * more nodes of the class have it; no line, or a test without a value where others of the class have one:
 * UNKNOWN; wrong numbers: FAULTY. Bit by bit are compared nodes of one class with an equal
 * key: of three and more the majority is right, two that differ are both UNKNOWN.
 *
 * Links: a pair that has JUDGE_OWN_RUNS runs of its own is compared with itself: it stands
 * as far from the baseline as it is from its own median; an end whose pairs all have is one
 * with a history of its own (judge.h). In further rounds nodes meet others: a pair that has no
 * history then stands as far away as the slower of its ends did (the median over its pairs of the
 * look that have one, LINK_NAMES or more). With fewer than LINK_NAMES partners (three nodes or two)
 * nobody can say which end is slow: SUSPECT at most.
 *
 * SYSTEM of a first look is confirmed by a second look over all nodes: todo.all.
 *
 * Life:    assess_close(NULL) is fine. past is borrowed; names are copied.
 * Failure: -1 or NULL and a sentence: out of memory.
 * Threads: one. The same lines give the same verdicts, in whatever order they came.
 */
#ifndef VALIDATE_ASSESS_H
#define VALIDATE_ASSESS_H

#include <stdbool.h>

#include "reports/judge/judge.h"
#include "reports/validate/baseline.h"
#include "reports/validate/past.h"

struct assess_node {
    char name[256];
    struct node_result *lines[JUDGE_ROUNDS + 1]; /* [0]: the look; NULL: none came */
    char said[160];                              /* Slurm's words on it; "" */
    char why[160]; /* the driver's: what kept it from being measured; "" nothing */

    enum verdict verdict;
    int metric;             /* that decided; -1: none did */
    bool gated;             /* something of it had to be measured again */
    double loss, limit;     /* %; NAN */
    double value, like;     /* its value and that of its like, in the metric's unit; NAN */
    double blind;           /* %: greatest of its metrics that see JUDGE_HIDDEN or less; NAN none */
    int rounds;             /* of the metric that decided */
    double d[JUDGE_ROUNDS]; /* losses in them, % */
    char text[200];         /* what is wrong, for people; "" nothing */
};

/* One metric of the nodes of one class; of links over all classes. */
struct assess_group {
    int metric;
    const char *class; /* NULL: links */
    struct judge_look look;
    struct judge_seen *seen; /* [n] */
    struct judge_node *in;   /* [n] */
    int *node;               /* [n]: index in nodes */
    int *of;                 /* [n]: metric of the entry: net_out, net_in */
    int n, runs;             /* runs of the past that know it */
    int version;             /* of the baseline that joined; 0: none */
};

enum assess_way { ASSESS_BANDWIDTH, ASSESS_LATENCY, ASSESS_WAYS };

struct assess {
    struct past *past;
    const struct baseline *baselines; /* [n_baselines]; borrowed, set by the caller; NULL */
    int n_baselines;
    int n, n_groups, n_pairs;
    struct assess_node *nodes;
    struct assess_group *groups;
    struct assess_pair *pairs;
    int *pair_begin, *pair_of;    /* pairs of node i: pair_of[pair_begin[i]] ... */
    int pairs_indexed;            /* so many are */
    double links_at[ASSESS_WAYS]; /* what links of the past are, on the scale of losses; NAN */
    double *stood;                /* how far from it ends were; assess_links.c */
    int looks;                    /* that were judged */
    int pairs_room;
};

/* What must be measured again. */
struct assess_todo {
    unsigned metrics; /* bits 1 << NODE_METRIC_x */
    bool all;         /* a second look at all nodes */
    int from, rounds; /* numbers of the rounds */
    int n;
    int *nodes; /* [n]: indices, gated ones and controls; free() */
};

struct assess *assess_create(const char *const *names, int n, struct past *past, struct err *e);
void assess_close(struct assess *a);

/* A line, by its round; of a later one of the same round the values take the place of the
 * first's, and what is wrong is added to it. Of a node that is not among the names: nothing. */
int assess_line(struct assess *a, const struct node_result *r, struct err *e);
/* A link of a round: bytes/s, and seconds (NAN: not measured). */
int assess_pair(struct assess *a, int round, const char *from, const char *to, double bandwidth,
                double latency, struct err *e);
/* What kept a node from being measured, or a part of it: UNKNOWN. */
void assess_why(struct assess *a, const char *node, const char *why);

/* What Slurm said of a node, in case it says nothing itself: the first words stay. */
void assess_said(struct assess *a, const char *node, const char *words);

int assess_look(struct assess *a, struct err *e);
/* How many nodes; 0: nothing. -1: out of memory. */
int assess_todo(struct assess *a, int turn, struct assess_todo *todo, struct err *e);
int assess_decide(struct assess *a, struct err *e);

/* All pairs of all rounds, for past_append_links(): *links to free(). */
int assess_links(const struct assess *a, struct link_line **links, int *n, struct err *e);

/* Of one metric over its class: what a run sees, for the page. blind: of a typical node. */
double assess_blind(const struct assess_group *g);

#endif
