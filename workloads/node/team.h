/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Work in processes of its own, one beside the other, with an end: a core that hangs or
 * kills its process is a result.
 *
 *     struct core_found *found = team_memory(n * sizeof *found);     seen by all
 *     team_run(n, cpus, 30, work, &ctx, ends);
 *
 * Life:    team_memory() returns zeroed memory that children share; team_free().
 * Failure: as below.
 * Threads: the caller has none of its own (fork).
 */
#ifndef NODE_TEAM_H
#define NODE_TEAM_H

#include <stddef.h>

#include "reports/core/err.h"

enum { TEAM_MOST = 8192 }; /* processors */

/* NULL: out of memory. */
void *team_memory(size_t bytes);
void team_free(void *p, size_t bytes);

/* How a child ended: TEAM_LATE: killed as the seconds were over; above: by that signal. */
enum { TEAM_OK = 0, TEAM_FAILED = -1, TEAM_LATE = -2 };

/* Runs work(ctx, i) for i of [0, n) in n children at once, child i on processor cpus[i]
 * alone (cpus NULL: on all that the caller may use); work's return 0 is TEAM_OK. All that
 * still runs after so many seconds is killed. ends[i]. -1 and a sentence when a child
 * cannot be started: none runs then. */
int team_run(int n, const int *cpus, double seconds, int (*work)(void *ctx, int i), void *ctx,
             int *ends, struct err *e);

/* Processors that the caller may use, least first; how many. The kernel may have more than
 * the 1,024 of a cpu_set_t. */
int team_cpus(int *cpus, int most);

/* The calling thread on one processor alone, and where it was before: *before, for
 * team_unpin(), which frees it (NULL: nothing). -1: it stays where it is. */
struct team_mask;
int team_pin(int cpu, struct team_mask **before);
void team_unpin(struct team_mask *before);

#endif
