/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What limited a workload's steps, on the screen: verdict, why and next in the record's own
 * words; with `all` from what that follows: the slowest path, what else waits, who
 * vouches for it, and what would change it.
 *
 * Failure: none; what a record does not have is left out.
 * Threads: none inside.
 */
#ifndef TOOLS_SHOW_WHY_H
#define TOOLS_SHOW_WHY_H

#include <cjson/cJSON.h>
#include <stdbool.h>

void show_why(const cJSON *workload, bool all);

#endif
