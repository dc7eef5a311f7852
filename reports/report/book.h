/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The records of one report, and the trainings in them by what was trained:
 * the runs of one workload, class, precision and number of nodes are repeats
 * of each other; the reported one is the median by time to quality.
 *
 * Repeats (MLPerf Training's rules): of three and more that reached the target
 * the fastest and the slowest are left out and the rest averaged (olympic
 * mean). A run that does not converge counts as the slowest; with two of them
 * there is no result. Where fewer epochs than the reference runs' mean were
 * needed, time counts as if that mean had been needed:
 * seconds x max(1, mean of the reference / mean of the epochs).
 *
 * Life:    book_add() borrows the document; book_fini() frees the book alone.
 * Failure: -1 and one sentence; the book is as before.
 * Threads: one per book.
 */
#ifndef REPORT_BOOK_H
#define REPORT_BOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cjson/cJSON.h>

#include "reports/core/err.h"

enum { BOOK_MOST_RECORDS = 64, BOOK_MOST_GROUPS = 32, BOOK_MOST_RUNS = 256 };

struct training {
    const cJSON *record, *workload;
    int record_index, index; /* of the record in the book, of the workload in it */
};

struct group {
    const char *name, *class_name, *dtype; /* of the workload; "": none */
    double nodes;
    int n, reported; /* runs, and which of them is shown */
    struct training runs[BOOK_MOST_RECORDS];
};

/* Repeats in one figure. */
struct repeats {
    int runs, reached;
    double seconds;    /* olympic mean; of fewer than three the mean; NAN: no result */
    double normalised; /* by the reference runs; NAN: they are not known */
    double low, high;  /* 90 % interval of the mean of those that reached; NAN: under two */
    double least, most;
    bool olympic;
};

struct book {
    const cJSON *records[BOOK_MOST_RECORDS];
    int n;
    struct group groups[BOOK_MOST_GROUPS];
    int n_groups;
};

int book_add(struct book *b, const cJSON *record, struct err *e);
/* Call once, after the last record. */
void book_close(struct book *b);

const struct training *group_reported(const struct group *g);

/* Olympic mean of seconds[n], the runs that reached the target, with `failed`
 * more that did not; NAN: no result. */
double book_olympic(const double *seconds, int n, int failed);
void group_repeats(const struct group *g, struct repeats *r);

/* Seconds since 1970 of a record's time ("2026-11-22T19:02:57.250Z"), NAN. */
double book_time(const cJSON *record, const char *path);

/* The training reached its target; one that is not valid never does. */
bool training_reached(const cJSON *workload);

/* Why the first of the records that are not valid is not; NULL: all are. *n: how many. */
const char *book_invalid(const struct book *b, int *n);

/* Nodes that the record was made on. */
double record_nodes(const cJSON *record);

#endif
