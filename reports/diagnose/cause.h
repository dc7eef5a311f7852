/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What limited a run, from what its steps waited for: one cause of causes.def, or
 * the two or three largest when no single one explains enough.
 *
 * The rule. Of the mean step T, each of these is taken above what a healthy run of
 * the class shows (its history, else the floors below):
 *
 *     wire, exchange software,     on the slowest path
 *     input
 *     withheld by a quota          of the median node (of two: the lesser)
 *     excess of a node             what its mean is above the median node's, for
 *                                  compute and withheld: more than 3 % of T, above its
 *                                  own error, and the node is last more often than
 *                                  its share + 3 sigma
 *
 * Their sum is the attributable wait V. Jitter (the rest of the path: nobody's
 * fault) is not in it. Foreign work on the cores, which all nodes feel and no quota
 * or threads of ours explain, is taken out first: the run is `disturbed`.
 *
 *     V < 10 % of T                -> compute: memory, kernels or processor
 *     largest >= 80 % of V         -> named
 *     largest >= 60 % of V, and without it the step gains >= 80 % of what it gains
 *     without all of it (ablation) -> named
 *     else                         -> no single bottleneck: those of 20 % of V and more
 *
 * A node's loader is named by its production time per batch (10 % above the median,
 * which itself keeps up with a step that does not wait), never by who waited: ranks are coupled, and chance decides who runs dry first. A
 * node is called slow only when two of three repeats or its history say it too;
 * else it "was slower in this run". Without an ablation that agrees a cause is
 * "not confirmed".
 *
 * Life:    the case borrows all it points at; a diagnosis is plain data.
 * Failure: none: what is not known is NAN or 0 and is not used.
 * Threads: pure functions.
 */
#ifndef DIAGNOSE_CAUSE_H
#define DIAGNOSE_CAUSE_H

#include <stdbool.h>
#include <stddef.h>

#include "reports/diagnose/words.h"

enum { CAUSE_NODE_SIZE = 64, CAUSE_MOST = 4, CAUSE_TEXT_SIZE = 512 };

/* The borders of the rule, percent: of T; of V. */
enum { CAUSE_VISIBLE = 10, CAUSE_ALONE = 80, CAUSE_ABLATED = 60, CAUSE_TOGETHER = 20 };

/* A node in the steady state: seconds of a step, mean over its ranks and steps.
 * NAN: not known. */
struct cause_node {
    const char *name;
    int ranks;
    double compute;  /* with the optimiser's update */
    double withheld; /* run delay while it had work to do ... */
    double quota;    /* ... of it by a CPU quota */
    double late;     /* run delay while it waited for the exchange: it delays the others */
    double compute_error, withheld_error; /* standard errors of these means */
    double last;                          /* part of the steps in which a rank of it arrived last */
    double produce;                       /* its loader's seconds per batch, all workers together */
    double half; /* from the last arrival to the end of a sum's first half there */
};

/* What else is known of the exchange; NAN: not measured. */
struct cause_exchange {
    double slope, intercept; /* parts of the wire that grow with bytes, and that do not */
    double busy;             /* part of the wire in which a link is busy: bytes / its rate */
    double backward;         /* seconds of backward of a step ... */
    double lead;             /* ... from the first bucket's being ready to its end */
    double met;              /* part of the wire in sums inside forward and backward */
    double flow;             /* part of the wire that a step's gradients take at the link's rate */
};

/* What else is known of the loader, all ranks; NAN: not measured. */
struct cause_loader {
    double read, read_cpu, decode;  /* seconds per batch: wall and CPU of reading; inflate + make */
    double find;                    /* of reading: until files were found and open */
    double grows;                   /* rate with all workers in flight / that of one */
    double file_bytes, epoch_bytes; /* read from files in a steady epoch; all of its bytes */
    double node_memory, limit;      /* bytes that a node has; that the job may use of it */
    bool keeping;
};

/* What else is known of the processors; NAN: not measured. */
struct cause_compute {
    double memory;  /* lower bound of the part of operators' time bound by memory */
    double kernels; /* part of it spent beyond twice the roof */
    double cores;   /* of the fullest node's ranks together; 0: not known */
    double threads; /* that compute there, and the loaders' share of a core */
};

/* Seconds of the whole run, of the slowest rank. */
struct cause_whole {
    double wall, training, staging, evaluation, checkpoint;
};

/* Re-runs without something: how much shorter the step was, 0 to 1; NAN: not made. */
struct cause_ablation {
    double network, input; /* empty exchange; data from memory */
    double both;           /* both at once */
};

/* What a healthy run of this class and site shows, parts of T; NAN: not known. */
struct cause_healthy {
    double wire, exchange_cpu, input, withheld;
};

struct cause_case {
    const struct cause_node *nodes;
    int n_nodes;
    long steps;                       /* of the steady state */
    double period;                    /* T, seconds */
    double wire, exchange_cpu, input; /* of T, on the slowest path */
    double computed, withheld;        /* there, too; NAN: not known */
    struct cause_healthy healthy;
    struct cause_exchange exchange;
    struct cause_loader loader;
    struct cause_compute compute;
    struct cause_whole whole;
    struct cause_ablation ablation;
    bool node_confirmed; /* the slowest node is it in two of three repeats, or in its history */
};

/* A case in which nothing is known. */
void cause_case_init(struct cause_case *c);

struct cause_share {
    enum cause cause;
    char node[CAUSE_NODE_SIZE]; /* "": all, or not known which */
    double share;               /* of T, above the healthy run's */
    enum cause suspect;         /* of CAUSE_NODE_SLOWER: what it is called once it is confirmed
                         * (confirm.h); else CAUSE_UNKNOWN */
};

struct diagnosis {
    enum cause cause;
    char node[CAUSE_NODE_SIZE];
    bool confirmed;                    /* by an ablation that agrees */
    double period;                     /* T, seconds; NAN: there was no steady state */
    double visible;                    /* V / T */
    double jitter;                     /* of T */
    double foreign;                    /* of T: what other work took of the cores */
    struct cause_share of[CAUSE_MOST]; /* the largest first */
    int n_of;
    enum cause whole;   /* of the whole run where it is another thing; else CAUSE_UNKNOWN */
    double whole_share; /* of the wall time */
};

void diagnose(const struct cause_case *c, struct diagnosis *d);

/* Three lines for a person, without the words Verdict, Why, Next. */
void diagnosis_verdict(const struct diagnosis *d, enum language l, char *text, size_t size);
void diagnosis_why(const struct diagnosis *d, enum language l, char *text, size_t size);
void diagnosis_next(const struct diagnosis *d, enum language l, char *text, size_t size);

/* One more: what would change the verdict, by the borders of the rule. */
void diagnosis_change(const struct diagnosis *d, enum language l, char *text, size_t size);

#endif
