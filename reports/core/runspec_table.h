/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The tables of workloads.def, for runspec.c and runspec_value.c: suites, the
 * last of which is "all", and workloads (runspec_workload(), runspec_find()).
 *
 * Life: constant data. Failure: none. Threads: any.
 */
#ifndef CORE_RUNSPEC_TABLE_H
#define CORE_RUNSPEC_TABLE_H

#include <stdbool.h>

#include "reports/core/runspec.h"

struct runspec_suite {
    const char *name;
    const char *time; /* of a run that says none, in canonical spelling */
    const char *title;
};

/* Row i, NULL past the end. */
const struct runspec_suite *runspec_suite(int i);
const struct runspec_suite *runspec_suite_find(const char *name);

/* The workload of that index is in the suite. */
bool runspec_in_suite(int workload, const char *suite);

#endif
