/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The parts of the noise of a metric in a class, from earlier runs: what differs
 * between nodes, between runs of a node, between steps of a run, and what all nodes
 * of a run share. judge.h uses them apart: a part that stays cannot be measured away.
 *
 * Values x(run k, node i, step s) are judge_loss(). The first step of each run is
 * what a look sees; later ones are the rounds of a confirmation. Robust throughout,
 * so that the bad nodes of the past need not be known:
 *
 *   w    1.4826 median |x(s+1) - x(s)| / sqrt(2) of neighbouring steps; 0 unless
 *        VARIANCE_STEP_RUNS runs have two, then r takes all of it
 *   m_i, T_k   node medians and run shifts of first steps by three sweeps of median
 *        polish; T_k only of runs with >= 3 nodes, otherwise 0 (r takes the shift too)
 *   r^2  (1.4826 median |y_i - y_j| / sqrt(2))^2, y = x - m_i, of neighbouring nodes i, j
 *        of one run (their common shift drops out), less w^2; of runs of one node |y|
 *   t^2  (1.4826 MAD)^2 of T_k, less its error 1.57 (r^2 + w^2) / nodes in a run
 *   b^2  (1.4826 MAD)^2 of m_i, less its error 1.57 (r^2 + w^2) / runs of a node
 *   B    median of m_i;   nu = min(60, N - nodes), N first steps
 *
 * MADs of n values are corrected by n/(n - .8). Fewer than VARIANCE_RUNS runs: the
 * shipped prior, known = false. Fewer than 3 nodes: the prior stands for b.
 *
 * Failure: -1 out of memory.
 * Threads: pure functions.
 */
#ifndef JUDGE_VARIANCE_H
#define JUDGE_VARIANCE_H

#include "reports/judge/judge.h"

enum {
    VARIANCE_RUNS = 5,       /* fewer are no history */
    VARIANCE_STEP_RUNS = 10, /* with two steps, to know w */
    VARIANCE_FREEDOM = 60
};

/* Kinds of metrics, for which a prior is shipped: noise of a node's value and
 * nothing else known, nu = 4. */
enum metric_kind { KIND_COMPUTE, KIND_MEMORY, KIND_NETWORK, KIND_DISK, KIND_COUNT };

const char *kind_word(enum metric_kind kind);
/* 1, 2, 5, 10 %. */
struct judge_history variance_prior(enum metric_kind kind);

struct variance_value {
    int run, node; /* indices from 0 on */
    int step;      /* order within the run */
    double x;
};

/* What is known of one node: its own median over runs. */
struct variance_node {
    double median; /* of first steps less T_k; NAN: none */
    int runs;
};

/* values is sorted in place; nodes (may be NULL) has room for n_nodes. */
int variance_parts(struct variance_value *values, int n, int n_runs, int n_nodes,
                   enum metric_kind kind, struct judge_history *h, struct variance_node *nodes);

#endif
