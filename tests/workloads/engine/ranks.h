/* SPDX-License-Identifier: BSD-3-Clause */
/* Ranks played by threads: a struct comm whose sums are taken in rank order. */
#ifndef ENGINE_RANKS_H
#define ENGINE_RANKS_H

#include "workloads/comm.h"

enum { RANKS_MAX = 4 };

/* Runs body(comm, arg) once per rank, each in a thread; returns the number of
 * ranks whose body did not return 0. */
int ranks_run(int size, int (*body)(struct comm *c, void *arg), void *arg);

#endif
