/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/workload.h"

#include <stddef.h>

#ifndef RUNSPEC_WORKLOADS
#define RUNSPEC_WORKLOADS "reports/core/workloads.def"
#endif

#define WORKLOAD(symbol, suite, field, science, dtypes, title)                                     \
    extern const struct workload workload_##symbol;
#include RUNSPEC_WORKLOADS

static const struct workload *const workloads[] = {
#define WORKLOAD(symbol, suite, field, science, dtypes, title) &workload_##symbol,
#define CEILING(symbol, suite, field, dtypes, title)           NULL, /* the agent's */
#include RUNSPEC_WORKLOADS
};

const struct workload *workload_of(int index)
{
    if (index < 0 || (size_t)index >= sizeof workloads / sizeof workloads[0])
        return NULL;
    return workloads[index];
}
