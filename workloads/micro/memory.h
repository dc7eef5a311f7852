/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Bandwidth of one level of the memory by a team of threads, each on arrays of its
 * own (kernel.h).
 *
 * Life:    memory_close() frees; NULL is fine.
 * Failure: NULL or -1 and a sentence.
 * Threads: one, which starts `threads` OpenMP threads.
 */
#ifndef MICRO_MEMORY_H
#define MICRO_MEMORY_H

#include "reports/core/err.h"
#include "workloads/micro/kernel.h"

struct memory;

/* n: doubles of each array of one thread, a multiple of 8. */
struct memory *memory_open(enum memory_kernel kernel, size_t n, int threads, struct err *e);
void memory_close(struct memory *m);

/* Stores that bypass the caches from here on. */
void memory_bypass(struct memory *m, bool bypass);

/* As struct harness_row's. check: one pass, all elements compared. */
int memory_check(void *ctx, long *wrong, struct err *e);
int memory_pass(void *ctx, long times, long *wrong, struct err *e);

#endif
