/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A measured value: a number, or nothing and the reason why.
 *
 * What could not be measured is null with a reason in the record, never 0.
 * Life: plain value. `reason` borrows a string that outlives the record
 * (a literal, or kept by the module that measured).
 */
#ifndef CORE_MEASURE_H
#define CORE_MEASURE_H

#include <stddef.h>

struct measure {
    double value;
    const char *reason; /* NULL: value holds; else the reason why not */
};

static inline struct measure measured(double value)
{
    return (struct measure){value, NULL};
}

static inline struct measure unmeasured(const char *reason)
{
    return (struct measure){0, reason};
}

#endif
