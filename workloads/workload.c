/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/workload.h"

#include <stddef.h>

#define WORKLOAD(symbol, suite, field, dtypes, title)                                              \
    extern const struct workload workload_##symbol;
#include "reports/core/workloads.def"

static const struct workload *const workloads[] = {
#define WORKLOAD(symbol, suite, field, dtypes, title) &workload_##symbol,
#define CEILING(symbol, suite, field, dtypes, title)  NULL, /* the agent's */
#include "reports/core/workloads.def"
};

const struct workload *workload_of(int index)
{
    if (index < 0 || (size_t)index >= sizeof workloads / sizeof workloads[0])
        return NULL;
    return workloads[index];
}
