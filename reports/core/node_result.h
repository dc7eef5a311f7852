/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a validation leaves of one node: plain data that the tests of workloads/node fill
 * and one line of JSON carries (reports/validate/node_line.h).
 *
 * Life:    plain values. Threads: none inside.
 */
#ifndef CORE_NODE_RESULT_H
#define CORE_NODE_RESULT_H

#include <stdbool.h>

enum node_metric {
#define NODE_METRIC(symbol, name, kind, unit, more_is_better, what) NODE_METRIC_##symbol,
#include "reports/core/node_metrics.def"
    NODE_METRICS
};

struct node_metric_row {
    const char *name, *unit, *what;
    bool more_is_better;
};

/* Row of a metric, and the metric of a name (-1: none). */
const struct node_metric_row *node_metric_row(int metric);
int node_metric_find(const char *name);

enum { NODE_PROBLEMS = 6, NODE_SAMPLES = 16 };

/* The median of n samples; spread: their scale (1.4826 MAD) in % of it, NAN for one. */
struct node_value {
    double value; /* NAN: none */
    double spread;
    int n;
};

/* A test by its name, and what is wrong. */
struct node_problem {
    char test[24], text[152];
};

struct node_result {
    char node[256];
    char class[96]; /* model of processor and board */
    char key[17];   /* digest of what makes results equal bit by bit */
    char build[64]; /* of this program */
    char isa[32];   /* that the library of operators uses */
    char boot_id[40];
    char serial[64]; /* "" when it cannot be read, or is what a maker left out */
    char profile[16];
    char run[64]; /* of hpcai500 validate; "": none, it was started by hand */
    long time;    /* Unix seconds, at its end */
    int round;    /* 0: the first look; 1..: confirmation */
    double seconds;

    /* the inventory */
    int cpus, numa_nodes;
    double memory_bytes;
    char governor[24], clock_source[24], microcode[24], kernel[64];

    struct node_value values[NODE_METRICS];

    /* numbers */
    long calls;       /* checked operator calls of each core */
    long steps;       /* of each core's replica */
    char results[17]; /* digest of what the majority of the cores computed; "" none */
    char weights[17]; /* of the weights that the majority's replicas ended with; "" none */
    long corrected, uncorrected; /* ECC errors since the start of the run; -1 unknown */
    double pattern_bytes;        /* of memory that was walked; 0 none */

    int n_faults, n_unknown;
    struct node_problem faults[NODE_PROBLEMS];  /* wrong numbers */
    struct node_problem unknown[NODE_PROBLEMS]; /* tests without a value, and why */
};

#endif
