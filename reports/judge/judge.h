/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Is a node slower than its like? One metric of the nodes of one hardware class:
 * look loosely, measure again, decide on fresh values only.
 *
 *     judge_look(&h, in, n, &look);          of all nodes, each measured once
 *     ... if look.system: measure all once more; the second look counts
 *     ... measure the gated ones and judge_controls() again, >= 3 times
 *     judge_again(&look, i, ...)             YES, NO, or two more rounds
 *     judge_verdict(&look, i, answer)
 *
 * A value is a loss in percent on a logarithmic scale, so that rates and times are
 * alike: judge_loss(). A loss of 5 % of a rate is 5.13.
 *
 * Noise. h has the parts of the history's variance (variance.h), one standard
 * deviation each, in %: b node to node, r run to run of one node, w step to step in
 * a run, t what all nodes share in a run; nu degrees of freedom. s0^2 = b^2+r^2+w^2.
 * A node whose serial number has >= JUDGE_OWN_RUNS runs is compared with its own
 * median: b = 0 and r *= sqrt(1 + 1.57/runs).
 *
 * B is the history's, or what a person has approved: then nodes with a history of their
 * own still stand at the history's, so that a class that has become slower is seen.
 *
 * Look. c_i, the centre of node i, is the median of the *others*: a loss never
 * halves itself. Its variance is v = 1.57 s0^2/(n-1) (n = 2: s0^2). Below
 * JUDGE_FEW nodes and with a history, the baseline B joins in, weighted by
 * precision: its variance is u = t^2 + s0^2/50. From JUDGE_FEW nodes on, today's
 * spread sp = 1.4826 MAD n/(n-.8), with np = .37 (n-1) degrees of freedom (the
 * efficiency of the MAD), moderates the scale (the empirical-Bayes shrinkage of
 * Smyth, Stat. Appl. Genet. 3 (2004) 3), but never below the history's:
 *
 *     q    = max(1, (nu s0^2 + np sp^2) / (nu s0^2 + np s0^2)),   nu += np
 *            from JUDGE_SURE nodes on sp^2/s0^2 alone where that is above
 *            1 + 3 sqrt(2/np + 2/nu): the history is not about today (else doubled noise
 *            names a healthy node SLOW in 1.3 % of runs of 64 nodes and ten metrics)
 *     S1   = max(.5, sqrt(q (s0^2 + v)))
 *     crit = t quantile(1 - .01/(n M), nu)      .01 a run, n nodes, M metrics
 *     gated: d_i = x_i - c_i > 3 and > 1.645 S1
 *
 * SYSTEM, nobody is blamed: from JUDGE_FEW nodes on, more than n/4 and at least 3
 * nodes have d > crit S1; or, with a history, sp > 3 s0; or the class's median is
 * max(3, 3 sqrt(t^2 + 1.57 s0^2/n)) from B. Also a group (switch, rack) of >= 4
 * nodes of which >= 3/4 have d > crit S1 while no other node has.
 *
 * Again. Rounds of the gated nodes and JUDGE_CONTROLS others; d_k is against the
 * controls' median (and B, as above). D = median of K = 3 (5 above 256 nodes) d_k:
 *
 *     S2 = max(.5, sqrt(q (b^2 + r^2 + e w^2 + the centre's share)))
 *     e  = variance of a median of K: .449 .287 .210 .166 for K = 3 5 7 9
 *     yes: D > 3 and D > crit S2;   no: D < 2.5 or D < 1.645 S2 or K = 9;   else more
 *
 * Verdict. yes: SUSPECT, and SLOW above the floor of 5 % (10 % for a class with
 * b > 1.5 and no own history). no: TRANSIENT if d_i > crit S1; INCONCLUSIVE if n < 4
 * without a history; else GOOD with the smallest loss that is seen nine times in
 * ten (its blind spot):
 *
 *     MDE = max(4.4, 1.645 S1 + 1.41 sqrt(s0^2 + v), (crit + 1.41) S2(K = 9))
 *
 * (1.41 is the quantile of .92: the look and the rounds must both see it.)
 * The constants were chosen by simulation: simulate.h, `hpcai500 validate simulate`.
 *
 * Life:    judge_look() fills look and the caller's array of seen nodes.
 * Failure: -1 when out of memory; a value that is not finite is no value (UNKNOWN).
 * Threads: pure functions.
 */
#ifndef JUDGE_JUDGE_H
#define JUDGE_JUDGE_H

#include <stdbool.h>

#include "reports/judge/verdict.h"

enum {
    JUDGE_FEW = 8,      /* below: today's spread says nothing, the baseline joins in */
    JUDGE_ALONE = 4,    /* below, and without a history: nothing good can be said */
    JUDGE_CONTROLS = 8, /* ungated nodes that each further round measures too */
    JUDGE_OWN_RUNS = 5, /* of one serial number, to be its own baseline */
    JUDGE_ROUNDS = 9,   /* at most */
    JUDGE_SURE = 32,    /* from here on today's spread may stand alone */
    JUDGE_MANY = 256    /* above: at least five rounds */
};

#define JUDGE_FALSE   0.01 /* chance that a run names a healthy node */
#define JUDGE_MATTERS 3.0  /* %: smaller losses are nobody's business */
#define JUDGE_HIDDEN  15.0 /* %: a blind spot above is said instead of GOOD */

/* What the history (or the shipped prior) knows of the noise of a metric in a class. */
struct judge_history {
    double between, run, step, shift; /* b, r, w, t in % */
    double freedom;                   /* nu */
    double baseline;                  /* B, on the scale of the values; NAN: none */
    bool known;                       /* false: a shipped prior */
    bool approved;                    /* a person has approved another: */
    double approved_at;               /* it takes B's place */
    int metrics;                      /* M: judged in this run */
};

/* A node of the class in this run. */
struct judge_node {
    double loss;  /* judge_loss(); NAN: it has no value */
    double own;   /* its own median over runs, on the same scale; NAN: none */
    int own_runs; /* that it is of; counts from JUDGE_OWN_RUNS on */
    int group;    /* switch or rack; -1: unknown */
};

/* What a look saw of it. */
struct judge_seen {
    double x;            /* its loss, corrected by its own history if that counts */
    double d, centre;    /* x - centre */
    double b, r;         /* parts of its own noise; w is h's */
    double s0, v;        /* noise of x; variance of the centre */
    double weight;       /* of the others in the centre; the rest is the baseline's */
    double scale, limit; /* S1; the loss that is significant: max(3, crit S1) */
    double blind;        /* MDE */
    bool has, own;       /* it has a value; own history counts */
    bool gated, beyond;  /* measure it again; d > crit S1 */
};

enum judge_system { SYSTEM_NO, SYSTEM_MANY, SYSTEM_SPREAD, SYSTEM_SHIFT, SYSTEM_GROUP };

struct judge_look {
    struct judge_history h;
    int n;                     /* nodes with a value */
    double crit, nu, q;        /* crit in scales; degrees of freedom; today's noise^2 / history's */
    double middle, spread, s0; /* median of x; sp, NAN below JUDGE_FEW; noise of a typical node */
    double u;                  /* variance of the baseline */
    enum judge_system system;
    int group; /* SYSTEM_GROUP: which */
    int beyond, gated;
    int nodes;               /* length of seen */
    struct judge_seen *seen; /* borrowed from the caller of judge_look() */
};

/* 100 ln(reference/value), more_is_better false: 100 ln(value/reference); NAN unless
 * both are above 0. The reference is any number, the same for all nodes. */
double judge_loss(double value, double reference, bool more_is_better);
/* Of a difference of two of them: the loss of a rate in percent, 100 (1 - exp(-d/100)). */
double judge_percent(double d);

/* Looks at nodes[0..n); seen has room for n and lives as long as look. */
int judge_look(const struct judge_history *h, const struct judge_node *nodes, int n,
               struct judge_seen *seen, struct judge_look *look);

/* Ungated nodes for a further round, spread over the list from `turn` on so that
 * rounds take others; returns how many, at most JUDGE_CONTROLS. */
int judge_controls(const struct judge_look *look, int turn, int controls[JUDGE_CONTROLS]);

/* d_k of node i in a further round: its fresh loss against the fresh losses of the
 * controls (reordered; those without a value left out). NAN: nothing to compare with. */
double judge_round(const struct judge_look *look, int i, double loss, double own, double *controls,
                   int n_controls);

enum judge_answer { JUDGE_NO, JUDGE_YES, JUDGE_MORE };

/* Rounds that node i needs before the first answer. */
int judge_rounds(const struct judge_look *look);
/* After K rounds with so many controls each; *D: their median. */
enum judge_answer judge_again(const struct judge_look *look, int i, const double *d, int K,
                              int controls, double *D);
/* S2 of node i. */
double judge_second(const struct judge_look *look, int i, int K, int controls);
/* The loss in % (logarithmic) above which a confirmed node is SLOW. */
double judge_floor(const struct judge_look *look, int i);

/* The verdict on node i: answer and D count only if it was gated. A look with
 * `system` set, which was confirmed, gives SYSTEM to every node beyond its limit
 * and to all of them when the whole class is shifted. */
enum verdict judge_verdict(const struct judge_look *look, int i, enum judge_answer answer,
                           double D);

#endif
