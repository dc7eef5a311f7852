/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Runs of a validation that never were: how often the rule of judge.h names a
 * healthy node, and how often it finds a bad one.
 *
 * A simulated run: n nodes, M metrics, and noise of four kinds, sigma the standard
 * deviation of a node's value in one step:
 *
 *   normal    new at each step (w = sigma)
 *   t3        the same, Student's t with 3 degrees of freedom (heavy tails). The
 *             history's scale is the robust one, .655 sigma, as the real one would be
 *   persist   64 % of the variance stays with a node during the run (r = .8 sigma),
 *             36 % is new at each step (w = .6 sigma)
 *   drift     a shift that all nodes share, of the size of sigma, new at each step
 *             (t = sigma), and node noise that forgets slowly: AR(1), rho = .8 from
 *             step to step (r^2 = .8 sigma^2, w^2 = .2 sigma^2)
 *
 *   site      the parts of `site`: r stays, w is new at each step, t is shared for the
 *             run, b from node to node; what is believed is estimated from them, or
 *             is the prior itself
 *
 * and node-to-node spread b, if any, that stays. `bad` nodes lose `loss` % in one of
 * the metrics each, in every step. The history's scales are themselves estimates: each
 * run draws them anew with 60 degrees of freedom, and a baseline with the error of 50
 * node values. Without a history the shipped prior of compute (1 %) is what the rule
 * believes. `times`: today's noise is so many times the history's.
 *
 * The rule then looks, asks for fresh rounds, and decides, by the functions that
 * judge real nodes.
 *
 * Failure: -1 out of memory.
 * Threads: none inside; the same seed gives the same answer.
 */
#ifndef JUDGE_SIMULATE_H
#define JUDGE_SIMULATE_H

#include <stdbool.h>
#include <stdint.h>

#include "reports/judge/judge.h"

enum noise { NOISE_NORMAL, NOISE_T3, NOISE_PERSIST, NOISE_DRIFT, NOISE_SITE, NOISE_COUNT };

struct simulate_case {
    enum noise noise;
    int n, metrics, bad;
    double sigma;              /* % */
    double between;            /* b, % */
    double loss;               /* % of a rate, of each bad node */
    struct judge_history site; /* of NOISE_SITE */
    double times;              /* today's noise / the history's */
    bool known;                /* with a history */
    int own_runs;              /* of every node; 0: none of its own */
};

struct simulate_result {
    long runs;
    long false_suspect, false_slow; /* runs in which a healthy node is at least SUSPECT, SLOW */
    long system;                    /* runs with a SYSTEM */
    long bad, suspect, slow;        /* bad nodes; found at least SUSPECT; found SLOW */
    long wrong;                     /* healthy nodes that are SLOW */
    long rounds, confirmed;         /* further rounds; runs that needed any */
    double blind;                   /* MDE, mean over the runs' first nodes */
};

/* Adds `runs` runs to a zeroed result. */
int simulate(const struct simulate_case *c, long runs, uint64_t seed, struct simulate_result *r);

const char *noise_word(enum noise noise);

/* Precision, recall and their harmonic mean of SLOW. NAN when nothing was named. */
double simulate_precision(const struct simulate_result *r);
double simulate_recall(const struct simulate_result *r);
double simulate_f1(const struct simulate_result *r);

/* ---- links (link.h) ---- */

struct simulate_links {
    int n, rounds, bad; /* nodes, partners of each, slow nodes */
    bool pair;          /* instead, one slow pair */
    double sigma, loss; /* % of a pair's value; of a slow node or pair */
};

struct simulate_link_result {
    long runs, bad, found, wrong; /* slow nodes; those named; healthy nodes named */
};

int simulate_link(const struct simulate_links *c, long runs, uint64_t seed,
                  struct simulate_link_result *r);

#endif
