/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The rows of a question as series: values of one metric of one workload in
 * one setting (class, engine, data type, ranks, nodes, cluster), in the order
 * of time. What differs in these is never compared.
 *
 * Only complete and valid workloads count. Of each series the newest
 * CHANGE_LONGEST to 2 x CHANGE_LONGEST values are held, of SERIES_MOST series:
 * memory is bounded.
 *
 * Life:    init/fini the caller's storage; rows are copied.
 * Failure: series_add() -1 when out of memory.
 * Threads: none inside.
 */
#ifndef HISTORY_HISTORY_SERIES_H
#define HISTORY_HISTORY_SERIES_H

#include <stdint.h>

#include "reports/judge/change.h"
#include "reports/history/history.h"

enum { SERIES_MOST = 200, SERIES_TITLE = 320 };

struct series {
    char title[SERIES_TITLE];
    char metric[RECORD_NAME_SIZE * 2];
    char node[RECORD_NAME_SIZE]; /* of the values; "" the whole run's */
    int n, room;
    int64_t *time;
    double *value;
    char (*key)[HISTORY_KEY_SIZE];
    long total; /* values that there were */
    double median;
    int n_changes;
    struct change changes[CHANGE_MOST];
};

struct series_set {
    int n;
    long omitted; /* values of series beyond SERIES_MOST */
    struct series *series[SERIES_MOST];
};

/* A row's value; without a metric asked for, its samples per second. */
int series_add(struct series_set *set, const struct history_row *row);
/* After the last row: medians and changes. */
void series_test(struct series_set *set);
void series_fini(struct series_set *set);

#endif
