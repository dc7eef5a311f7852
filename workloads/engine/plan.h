/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where in one arena everything goes.
 *
 * A slot is a piece of memory that must hold from instruction `first` to
 * instruction `last`, both included. Two slots whose times overlap must not
 * overlap in memory; all others may.
 *
 * Life:    plain data of the caller; nothing is kept.
 * Failure: none.
 * Threads: pure functions.
 */
#ifndef ENGINE_PLAN_H
#define ENGINE_PLAN_H

#include <stdbool.h>
#include <stddef.h>

enum { PLAN_ALIGN = 64 };

struct plan_slot {
    size_t bytes;
    int first, last; /* first > last: never used, takes no room */
    size_t offset;   /* out: a multiple of PLAN_ALIGN */
};

static inline size_t plan_align(size_t bytes)
{
    return (bytes + PLAN_ALIGN - 1) / PLAN_ALIGN * PLAN_ALIGN;
}

/* Sets all offsets and returns the size of the arena. The largest slots are
 * placed first, each at the lowest offset that is free during its time.
 * reuse false: one after the other. */
size_t plan_place(struct plan_slot *slots, int n, bool reuse);

/* Two slots that overlap in time and in memory: their numbers in pair[] and
 * true; false when there are none. */
bool plan_conflict(const struct plan_slot *slots, int n, int pair[2]);

#endif
