/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the harness says of a run in its result. Inner part of it.
 *
 * Life, Threads: functions keep nothing.
 * Failure: none.
 */
#ifndef COMPONENT_HARNESS_SAY_H
#define COMPONENT_HARNESS_SAY_H

#include "workloads/component/harness.h"

/* The recipe's schedule at the run's own batch and number of epochs. */
struct schedule say_schedule(const struct recipe *r, const struct workload_plan *plan);

/* What is known before anything is opened: names, sizes, recipe; no value yet. */
void say_run(struct workload_result *w, const struct component *c, const struct recipe *r,
             const struct schedule *s, const struct runspec *spec, const struct workload_plan *plan,
             const struct workload_host *host);

/* data: by enum dataset_split. */
void say_data(struct workload_result *w, const struct component *c, struct dataset *const data[2],
              const struct runspec *spec);
void say_network(struct workload_result *w, const struct net *n);

/* How the loader fed the steady state, since it had `begun`. */
void say_loader(struct result_rank *rank, struct loader *l, const struct loader_stats *begun);
/* Of a trained result whose yardstick was gathered: tokens/s and MFU. */
void say_use(struct workload_result *w);

#endif
