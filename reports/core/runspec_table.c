/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "reports/core/runspec_table.h"

#include <stddef.h>
#include <string.h>

/* A test may put another table of workloads in its place. */
#ifndef RUNSPEC_WORKLOADS
#define RUNSPEC_WORKLOADS "reports/core/workloads.def"
#endif

/* Stands for every suite. */
static const char every_suite[] = "all";

static const struct runspec_suite suites[] = {
#define SUITE(symbol, time_, title_) {#symbol, time_, title_},
#include RUNSPEC_WORKLOADS
    {every_suite, "1h", "every benchmark of every suite"},
};

static const struct runspec_workload workloads[] = {
#define WORKLOAD(symbol, suite_, field_, science_, dtypes_, title_)                                \
    {.name = #symbol,                                                                              \
     .suite = #suite_,                                                                             \
     .field = field_,                                                                              \
     .science = science_,                                                                          \
     .title = title_,                                                                              \
     .dtypes = dtypes_},
#define CEILING(symbol, suite_, field_, dtypes_, title_)                                           \
    {.name = #symbol,                                                                              \
     .suite = #suite_,                                                                             \
     .field = field_,                                                                              \
     .title = title_,                                                                              \
     .dtypes = dtypes_,                                                                            \
     .ceiling = true},
#include RUNSPEC_WORKLOADS
};

enum {
    N_SUITES = sizeof suites / sizeof suites[0],
    N_WORKLOADS = sizeof workloads / sizeof workloads[0],
};
_Static_assert((int)N_WORKLOADS <= (int)RUNSPEC_MAX_WORKLOADS,
               "struct runspec has no room for them all");

const struct runspec_suite *runspec_suite(int i)
{
    return i >= 0 && i < N_SUITES ? &suites[i] : NULL;
}

const struct runspec_suite *runspec_suite_find(const char *name)
{
    for (int i = 0; i < N_SUITES; i++)
        if (strcmp(suites[i].name, name) == 0)
            return &suites[i];
    return NULL;
}

const struct runspec_workload *runspec_workload(int i)
{
    return i >= 0 && i < N_WORKLOADS ? &workloads[i] : NULL;
}

int runspec_find(const char *name)
{
    for (int i = 0; i < N_WORKLOADS; i++)
        if (strcmp(workloads[i].name, name) == 0)
            return i;
    return -1;
}

bool runspec_in_suite(int workload, const char *suite)
{
    const struct runspec_workload *w = &workloads[workload];

    /* a suite that is one row of its own name looks at nodes, and is no benchmark */
    if (strcmp(suite, every_suite) == 0)
        return strcmp(w->suite, w->name) != 0;
    return strcmp(suite, w->suite) == 0;
}
