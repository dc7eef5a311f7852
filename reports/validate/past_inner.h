/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What past.c and past_*.c share; nobody else includes it.
 *
 * Life:    plain values; past_close() frees. Failure: as said. Threads: one.
 */
#ifndef VALIDATE_PAST_INNER_H
#define VALIDATE_PAST_INNER_H

#include "reports/validate/link_line.h"
#include "reports/validate/names.h"
#include "reports/validate/past.h"

struct value {
    int run, node, class, software;
    short step, metric;
    bool old; /* the node has PAST_KEEP later runs of it */
    double x;
};

/* What was measured between two nodes: bandwidth (net_out) from one to the other, or
 * latency (net_latency), of which the lower number is `from`. */
struct pair_value {
    int run, from, to;
    short step, metric;
    double x;
};

/* A line of parts: {"hpcai500":"noise 1",...}. */
struct noise_line {
    char class[NAMES_SIZE], metric[64];
    double value;                              /* the baseline, in the metric's unit */
    double between, run, step, shift, freedom; /* as in judge.h */
    int runs, nodes;
    long time; /* of the newest line that was there */
};

struct past {
    struct names runs, nodes, classes, softwares;
    int *newest; /* [classes.room]: software of the newest line of each, -1 none */
    int newest_room;
    struct value *values;
    int n, room;
    struct pair_value *pairs; /* by metric, from, to, run, step */
    int n_pairs, pairs_room;
    struct noise_line *noises; /* in the order of the file */
    int n_noises, noises_room;
    long time;                     /* the newest of the lines */
    struct variance_value *picked; /* [n] */
    struct variance_node *own;     /* [nodes.n] of the last question */
    bool *seen;                    /* [runs.n], for counting */
};

extern const char past_what[];

/* -1: out of memory, in all of them. */
int past_add_value(struct past *p, struct value v);
int past_add_class(struct past *p, const char *class);
int past_add_link(struct past *p, const struct link_line *l);
/* All lines are read: the ends of links get their values, and pairs their order. */
int past_end_links(struct past *p);

bool noise_print(const struct noise_line *l, char line[PAST_LINE_SIZE]);
int noise_parse(const char *line, struct noise_line *l);

#endif
