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

int runspec_value_parse(struct runspec *r, const struct keys_key *k, const char *value,
                        const struct keys_style *s, struct err *e);

/* When all is parsed: folders of all become those of each. */
void runspec_value_share(struct runspec *r, const struct keys_key *k);

/* The canonical text of the i-th value, RUNSPEC_MAX_WORKLOADS: the folder of
 * all; false: there is none. */
bool runspec_value_format(const struct runspec *r, const struct keys_key *k, int i,
                          const struct keys_style *s, char *text, size_t size);

#endif
