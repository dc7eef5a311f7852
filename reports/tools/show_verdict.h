/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a person asks of a workload's run, in one sentence each: was the quality
 * reached, where did the time go, did its threads have processors. And the
 * reasons of what is missing, each once.
 *
 * Life:    texts go to the caller's storage; a group borrows from the document.
 * Failure: none; what a record does not have is left out.
 * Threads: pure functions.
 */
#ifndef TOOLS_SHOW_VERDICT_H
#define TOOLS_SHOW_VERDICT_H

#include <cjson/cJSON.h>
#include <stddef.h>

/* "reached mae 0.31 (target 0.34) in epoch 3; 45 % of the time was evaluation" and
 * what should be known with it: worse than the field's method, starved. */
void verdict_text(const cJSON *workload, char *text, size_t size);

/* The phase with the most time of its median rank, and its part of all; NULL. */
const char *verdict_longest(const cJSON *workload, double *part);

/* CPU seconds over ranks x threads x wall time; NAN when it is not known. */
double verdict_cpu_share(const cJSON *workload);

/* Accelerator utilisation as DLIO and MLPerf Storage define it: compute /
 * (compute + input wait), of the median rank; NAN. */
double verdict_au(const cJSON *workload);

/* Why VFLOPS are above or below FLOP/s, in a few words; "" when they are not known. */
const char *verdict_vflops(const cJSON *workload);

/* Equal reasons, the most frequent first; of each the first paths. */
enum { VERDICT_PATHS = 4 };
struct reason_group {
    const char *reason;
    const char *paths[VERDICT_PATHS];
    int n; /* paths in all */
};
/* Groups and values, without the paths that are shown elsewhere (status, valid).
 * free() the array; its texts are the document's. NULL: out of memory. */
struct reason_group *verdict_reasons(const cJSON *reasons, int *n_groups, int *n_values);

#endif
