/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Values of the run text that belong to one workload: `WORKLOAD:value`, once
 * for each, or a bare value when only one runs. runspec.c alone uses it.
 *
 * The key's field is the first of an array with an entry per workload, all
 * bytes 0 when nothing is said of it. A folder's array has one more entry, the
 * folder of all: each workload without its own has FOLDER/WORKLOAD in it.
 *
 * Failure: -1 and a sentence. Threads: pure functions.
 */
#ifndef CORE_RUNSPEC_VALUE_H
#define CORE_RUNSPEC_VALUE_H

#include <stdbool.h>
#include <stddef.h>

#include "reports/core/err.h"
#include "reports/core/keys.h"
#include "reports/core/runspec.h"

/* What a value may be beside the kinds of keys.h: a folder, or a word such as
 * the name of a model. */
extern const struct keys_kind runspec_folder;
extern const struct keys_kind runspec_word;

/* runspec.c's table of workloads: runspec_find() and runspec_workload(). */
struct runspec_table {
    int (*find)(const char *name);
    const struct runspec_workload *(*row)(int i);
};

/* A key that belongs to a workload, how texts are written, and the table. */
struct runspec_values {
    const struct keys_key *key;
    const struct keys_style *style;
    const struct runspec_table *table;
};

int runspec_value_parse(struct runspec *r, const struct runspec_values *v, const char *value,
                        struct err *e);

/* When all is parsed: folders of all become those of each. */
void runspec_value_share(struct runspec *r, const struct runspec_values *v);

/* The canonical text of the i-th value, RUNSPEC_MAX_WORKLOADS: the folder of
 * all; false: there is none. */
bool runspec_value_format(const struct runspec *r, const struct runspec_values *v, int i,
                          char *text, size_t size);

#endif
