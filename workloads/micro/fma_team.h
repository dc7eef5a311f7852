/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Multiply-adds of registers (kernel.h) by a team of threads, each its own.
 *
 * Life:    nothing is kept.
 * Failure: the number of wrong results, 0: all right.
 * Threads: the caller's OpenMP team, as many as are said.
 */
#ifndef MICRO_FMA_TEAM_H
#define MICRO_FMA_TEAM_H

#include "workloads/micro/kernel.h"

/* times > 0 blocks on each thread. */
long fma_team_run(enum fma_type type, int threads, long times);

/* FLOP/s of all of them, the best of three readings of one block each (about a millisecond);
 * wrong results are added to *wrong. 0: this processor has no instruction for the type. */
double fma_team_rate(enum fma_type type, int threads, double (*now)(void), long *wrong);

#endif
