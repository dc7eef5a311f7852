/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The micro benchmarks by name, and their plans. Independent of a run's
 * progress line, because the plan of a run needs them, too.
 *
 * Life, Failure, Threads: as ceiling.h.
 */
#ifndef MICRO_BENCH_H
#define MICRO_BENCH_H

#include "agent/run.h"
#include "workloads/micro/micro.h"

/* NULL when no benchmark has that name. */
const struct micro_bench *bench_of(const char *name);

/* What the run's index-th workload, a benchmark, is given, but for its callbacks. */
struct micro_host bench_host(const struct run *r, int index, enum runspec_class class);

/* As struct workload's plan; host->ctx is the run. */
int bench_plan(const struct runspec *spec, int index, enum runspec_class class,
               const struct workload_host *host, struct workload_plan *plan, struct err *e);

#endif
