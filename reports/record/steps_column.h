/* SPDX-License-Identifier: BSD-3-Clause */
/* The columns of the steps file as a table, for its writer and its reader: steps.def. */
#ifndef RECORD_STEPS_COLUMN_H
#define RECORD_STEPS_COLUMN_H

#include <stdbool.h>

#include "reports/record/steps_file.h"

enum steps_kind { STEPS_COUNT, STEPS_TIME };

struct steps_column {
    const char *name; /* NULL ends a table */
    const char *title;
    enum steps_kind kind;
    size_t offset; /* in struct steps_row; of a bucket's: of its first */
};

extern const struct steps_column steps_columns[], steps_bucket_columns[];

static const double steps_tick = 1e-7; /* seconds */

/* "count" or "ticks". */
const char *steps_unit(enum steps_kind kind);

/* Where the value of a row stands; bucket 0 for columns of the step. */
static inline double *steps_cell(struct steps_row *row, const struct steps_column *c, int bucket)
{
    return (double *)(void *)((char *)row + c->offset) + bucket;
}

/* A value as the whole number in a file, and back: times that are not known, and those
 * beyond 64 bits, by the rule of steps_file.h. */
int64_t steps_to_file(double v, enum steps_kind kind);
double steps_from_file(int64_t v, enum steps_kind kind, double tick);

#endif
