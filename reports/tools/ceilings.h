/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the machine that a run was on can do at most, where the run did not measure it: the
 * latest run of `machine` in the site's history that had all nodes of this one, with the
 * same build on each (another build computes by other kernels), and rows for as many
 * threads.
 *
 * Life:    find fills, found_fini() frees.
 * Failure: none: a history that cannot be read is one that has nothing.
 * Threads: none inside.
 */
#ifndef TOOLS_CEILINGS_H
#define TOOLS_CEILINGS_H

#include <stdbool.h>

#include "reports/tools/find.h"

/* Whether a workload of the record has a profile, and roofs are not among its rows. */
bool ceilings_missing(const struct cJSON *doc);

/* The record of that run into an empty f; false: there is none. */
bool ceilings_find(const struct conf *c, const struct cJSON *doc, struct found *f);

#endif
