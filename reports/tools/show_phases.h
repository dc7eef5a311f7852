/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Of a workload on the screen: where the ranks' wall time went.
 *
 * Failure: none; what the record does not have is not printed.
 */
#ifndef TOOLS_SHOW_PHASES_H
#define TOOLS_SHOW_PHASES_H

#include <stdbool.h>

struct cJSON;

/* why: also what phases are made of, and how fast the processor was. */
void show_phases(const struct cJSON *w, bool why);

#endif
