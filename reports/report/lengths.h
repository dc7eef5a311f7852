/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How long a training's steps were, after its first epoch: half of them at most the median,
 * 99 in 100 at most p99 (nearest rank), one as long as the longest.
 *
 * The record has them (performance.stalls, of rank 0). Of a record of a release that did
 * not, they are counted from its steps file: of the first rank there, in the windows that
 * the file has of all steps (steps_file.h), so that the stalls which it keeps besides do
 * not count twice.
 *
 * Life:    plain data.
 * Failure: -1 and a sentence. What is not known is NAN.
 * Threads: pure functions but for the file.
 */
#ifndef REPORT_LENGTHS_H
#define REPORT_LENGTHS_H

#include <cjson/cJSON.h>

#include "reports/record/steps_file.h"

struct lengths {
    double median, p99, most; /* seconds; NAN: not known */
};

struct lengths lengths_recorded(const cJSON *workload);

/* workload: its index in the file. */
int lengths_filed(struct steps_file *f, int workload, struct lengths *l, struct err *e);

#endif
