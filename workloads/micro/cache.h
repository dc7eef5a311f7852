/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Levels of the memory as the kernel describes them.
 *
 * Life:    plain data. Failure: a level that is not described has size 0.
 * Threads: any.
 */
#ifndef MICRO_CACHE_H
#define MICRO_CACHE_H

#include <stddef.h>

enum { CACHE_LEVELS = 3 }; /* L1 data, L2, L3 */

struct cache_level {
    size_t bytes; /* of one cache */
    int sharers;  /* processors that share one */
};

struct cache {
    struct cache_level level[CACHE_LEVELS];
    size_t last_bytes; /* all caches of the last level of this machine, together */
};

/* root: "" or a tree of fixtures in front of /sys. */
void cache_find(struct cache *c, const char *root);

#endif
