/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The steps of a run for its steps file (reports/record/steps_file.h): each rank keeps
 * some of its own while it trains, rank 0 collects those of some ranks at a workload's
 * end. Nothing is gathered to all, and what a rank holds hangs on neither the number of
 * ranks nor that of steps.
 *
 * Life:    series_begin() begins a workload, series_collect() ends it; series_fini().
 * Failure: a rank without memory leaves the workload out of the file; the run goes on.
 *          -1 only when the ranks cannot go on together.
 * Threads: the main thread.
 */
#ifndef AGENT_SERIES_H
#define AGENT_SERIES_H

#include "reports/record/steps_keep.h"
#include "workloads/steps.h"

struct run;

struct series {
    struct steps_keep keep;
    bool begun;  /* the workload that runs has had an epoch */
    bool failed; /* out of memory */
    int epochs;
    long steps_per_epoch;
};

void series_begin(struct series *s);
void series_fini(struct series *s);

/* As workload_host.steps, for the series of the run. */
void series_epoch(struct series *s, const struct steps_epoch *epoch);

/* Collective. Workload `at` of rank 0's record gets its part of the record's steps. */
int series_collect(struct run *r, int at, struct err *e);

#endif
