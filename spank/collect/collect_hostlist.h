/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Host lists as Slurm writes them: "n[1-4,07],m3", "r[1-2]n[01-16]-ib".
 *
 * Life:    borrows everything for the call.
 * Failure: a text that is not a host list names no node, and has none.
 * Threads: pure functions.
 */
#ifndef COLLECT_COLLECT_HOSTLIST_H
#define COLLECT_COLLECT_HOSTLIST_H

#include <stdbool.h>

enum { HOSTLIST_NAME_SIZE = 256 };

/* Whether the list names the node. */
bool hostlist_has(const char *list, const char *name);

/* How many nodes it names; -1 when it is not a list, or names more than most. */
int hostlist_count(const char *list, int most);

/* Calls fn with each name, in order; returns hostlist_count(). */
int hostlist_each(const char *list, int most, void (*fn)(void *ctx, const char *name), void *ctx);

#endif
