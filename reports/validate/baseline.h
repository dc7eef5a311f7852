/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What nodes of a class are measured against: values that a person has approved, and the
 * inventory. A file of the site, baseline.jsonl beside the history: one line of JSON for
 * each approval, appended (lines.h) and never changed, so that it is its own log.
 *
 *   {"hpcai500":"baseline 1","class":"AMD EPYC 7543, H12DSU","version":2,
 *    "software":"5.14.0-427.el9, avx2","by":"alice","note":"after BIOS 2.8","time":1764511620,
 *    "runs":212,"nodes":64,
 *    "metrics":{"memory.triad":[3.49e+11,0.4,0.8,0.3,0.2,60],...},
 *    "inventory":{"cpus":"64","memory_gib":"503",...}}
 *
 * Of a metric: its value on a typical node, and the parts of the noise, b r w t and nu of
 * judge.h. Facts of the inventory are those of libexec/health, and spelt as it spells
 * them: `hpcai500 baseline inventory --approved` is a file for it.
 *
 * The newest version of a class counts, its values only where all nodes of the class that are
 * judged have its software (kernel and instruction set in use), its inventory for all.
 *
 * Life:    plain values; arrays are the caller's to free().
 * Failure: -1 and a sentence. A file that is not there has no baselines.
 * Threads: pure functions but for the file.
 */
#ifndef VALIDATE_BASELINE_H
#define VALIDATE_BASELINE_H

#include <stdbool.h>

#include "reports/core/err.h"
#include "reports/core/node_result.h"
#include "reports/judge/judge.h"
#include "reports/validate/past.h"

enum { BASELINE_FACTS = 6, BASELINE_FACT_SIZE = 32, BASELINE_LINE_SIZE = 4096 };

struct baseline_metric {
    bool there;
    double value; /* in the metric's unit */
    double between, run, step, shift, freedom;
};

struct baseline {
    char class[96];
    int version; /* from 1 */
    char software[PAST_SOFTWARE_SIZE];
    char by[64], note[160];
    long time; /* Unix seconds */
    int runs, nodes;
    struct baseline_metric metrics[NODE_METRICS];
    char facts[BASELINE_FACTS][BASELINE_FACT_SIZE]; /* "": not approved */
};

/* ---- facts ---- */

/* Name of a fact: "cpus"; and what a node says of them, "-" where it could not be read. */
const char *baseline_fact(int fact);
void baseline_facts(const struct node_result *r, char facts[BASELINE_FACTS][BASELINE_FACT_SIZE]);
/* As libexec/health compares: memory to 2 %, all else as it is written; what is not approved
 * or cannot be read is the same. */
bool baseline_same(int fact, const char *is, const char *approved);

/* ---- the file ---- */

/* FOLDER/baseline.jsonl of the history /FOLDER/history.sqlite. */
int baseline_path(const char *history, char *path, int size, struct err *e);

bool baseline_print(const struct baseline *b, char line[BASELINE_LINE_SIZE]);
int baseline_parse(const char *line, struct baseline *b);

/* All of them in the order of the file. */
int baseline_read(const char *path, struct baseline **b, int *n, struct err *e);
/* NULL: the class has none. */
const struct baseline *baseline_newest(const struct baseline *b, int n, const char *class);

/* Appends them, each as the version after its class's newest, which it gets. Makes the file
 * (0640). */
int baseline_approve(const char *path, struct baseline *b, int n, struct err *e);

/* ---- proposing ---- */

/* What each node of values.jsonl said last. */
struct baseline_node {
    char node[256], class[96];
    char facts[BASELINE_FACTS][BASELINE_FACT_SIZE];
};
int baseline_nodes(const char *values, struct baseline_node **nodes, int *n, struct err *e);

/* One for each class but "links" of which values.jsonl (p is opened from it) has runs with
 * the software of its newest line: values of metrics whose noise is known, facts that more
 * than half of the class's nodes have. */
int baseline_propose(const char *values, struct past *p, struct baseline **b, int *n,
                     struct err *e);

/* ---- judging ---- */

/* Into what the history knows of a metric: the value as what nodes are compared with, and all
 * of it where the history knows nothing. Nothing when the software is another, or the metric is
 * not approved: false. */
bool baseline_join(const struct baseline *b, const char *software, int metric,
                   struct judge_history *h);

#endif
