/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * hpcai500 validate, a file a task: what the tasks share.
 *
 * Exit status is a monitoring plug-in's (verdict.h); `simulate` gives 0, 2 usage, 3.
 */
#ifndef VALIDATE_VALIDATE_H
#define VALIDATE_VALIDATE_H

#include <stdint.h>
#include <stdio.h>

#include "reports/core/err.h"
#include "reports/judge/judge.h"

enum { VALIDATE_USAGE = 2, VALIDATE_FAILED = 3 };

/* ---- simulate ---- */

struct simulate_options {
    long runs; /* a row; 0: as `full` says */
    bool full;
    uint64_t seed;
    int nodes, metrics; /* of the operating point; metrics 0: 10, or those of the site's class */
    bool site;          /* the operating point alone */
    const char *conf;   /* NULL: the site's */
    const char *keep;   /* folder of rows; NULL */
};

/* Prints the tables of the rule, and the operating point of this site's noise: what its
 * validations have measured (past.h) and a person has approved (baseline.h), or the shipped
 * priors. */
int validate_simulate(const struct simulate_options *o, FILE *f, struct err *e);

/* ---- measuring: measure.h ---- */

struct measure_options;

/* Measures, prints the page, files the verdicts: an enum alarm, or -1 and a sentence. */
int validate_measure(const struct measure_options *o, struct err *e);
/* The same from the command line: its exit status. */
int validate_measure_main(int argc, char **argv);
int validate_measure_usage(FILE *f);

/* ---- act, file: in a build with a history ---- */

/* argv[0] is the task's word; returns the exit status. */
int validate_act(int argc, char **argv);
int validate_file(int argc, char **argv);
int validate_unvalidated(int argc, char **argv);

#endif
