/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Micro benchmarks in a run of the agent: workloads of the run text that train
 * nothing (CEILING rows of workloads.def). `machine` is workloads/micro's; those of
 * the network need MPI and are here. bench.h plans them.
 *
 * Life:    no state but in struct run.
 * Failure: -1 and a sentence, the same on all ranks.
 * Threads: the one that may talk to the other ranks.
 */
#ifndef MICRO_CEILING_H
#define MICRO_CEILING_H

#include "agent/run.h"
#include "workloads/micro/micro.h"

/* Collective. Whether benchmarks take turns: turns=, or whether threads that are busy
 * for 50 ms, on all ranks at once, wait for a core for more than 2 % of it. Says so. */
int ceiling_turns(struct run *r, struct err *e);

/* Collective. Measures, and adds rows to the record of rank 0. *could_not: it failed
 * before its first row. */
int ceiling_run(struct run *r, int index, bool *could_not, struct err *e);

#endif
