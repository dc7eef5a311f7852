/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whether values are what a science's table says of their field.
 *
 * Life:    no state.
 * Failure: -1 and a sentence with file, dataset, where in it, and the value.
 * Threads: any.
 */
#ifndef DATA_SAMPLE_CHECK_H
#define DATA_SAMPLE_CHECK_H

#include "reports/core/err.h"
#include "workloads/data/h5read.h"
#include "workloads/data/science.h"

/* values: those of region r of the set, row major. */
int sample_check(const struct field *field, const struct h5_set *s, const struct h5_region *r,
                 const void *values, struct err *e);

#endif
