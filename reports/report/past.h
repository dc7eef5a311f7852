/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A training's speed over time: its runs in the book and, where they are given, its
 * earlier runs in the site's history, with the steps and drifts that a rank test finds
 * (reports/judge/change.h: 1 % false alarms per series without change, of 12 and more).
 *
 * The same at equal processor, for the runs whose records have a yardstick of the same
 * convolution as the reported run: samples in the time of one convolution of it
 * (workloads/component/yardstick.h). A step that is there and not here is the hosts': their
 * clocks, neighbours, temperatures.
 *
 * An earlier run is of the same training if workload, class, precision, ranks and number
 * of nodes are, and the cluster. Whoever gives them leaves out what is not complete and
 * valid.
 *
 * Life:    past_runs_fini() frees what was added; a struct past is plain data of 33 KiB.
 * Failure: -1 out of memory.
 * Threads: pure functions.
 */
#ifndef REPORT_PAST_H
#define REPORT_PAST_H

#include "reports/judge/change.h"
#include "reports/record/record.h"
#include "reports/report/book.h"

enum { PAST_MOST = CHANGE_LONGEST };

/* A training of an earlier run. */
struct past_run {
    char key[RECORD_ID_SIZE]; /* the id of its record */
    char workload[32], class_name[16], dtype[8], cluster[RECORD_NAME_SIZE];
    int nodes, ranks;
    double time, speed; /* seconds since 1970; samples per second */
    double even;        /* samples per yardstick; NAN: not known, or of other threads or engine */
    char engine[16];
    int threads;
};

struct past_runs {
    int n, room;
    struct past_run *of;
};

/* Copies. */
int past_runs_add(struct past_runs *r, const struct past_run *one);
void past_runs_fini(struct past_runs *r);

struct past {
    int n, asked;           /* runs; of them those of the book */
    double time[PAST_MOST]; /* in their order */
    double speed[PAST_MOST];
    double median, low, high; /* of the speeds; 5 and 95 % */
    int n_changes;
    struct change changes[CHANGE_MOST];
    int n_even;                                   /* runs that have it, in their order */
    double even_time[PAST_MOST], even[PAST_MOST]; /* samples per yardstick */
    int n_even_changes;                           /* at: indices of even[] */
    struct change even_changes[CHANGE_MOST];
};

/* earlier NULL: the book's runs alone. Of more than PAST_MOST runs the newest. */
int past_of(struct past *p, const struct group *g, const struct past_runs *earlier);

#endif
