/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Plans of a run: the class of each workload, and what it will take.
 *
 * Life:    plain data.
 * Failure: -1 and a sentence, the same on all ranks.
 * Threads: the one that may talk to the other ranks.
 */
#ifndef AGENT_PLAN_H
#define AGENT_PLAN_H

#include <stdio.h>

#include "agent/resources.h"
#include "workloads/workload.h"

struct run_plan {
    int n;
    struct workload_plan of[RUNSPEC_MAX_WORKLOADS]; /* in the order of the run text */
    double expected_seconds;                        /* all together */
};

/* Collective. Fills plan from spec. class=auto takes the largest class that
 * fits the ranks' memory, whose expected time fits its share of
 * `seconds`, and whose data are there or are made on the way (`standard`
 * never is). A class that was named is taken as it is. */
int plan_make(struct run_plan *plan, const struct runspec *spec, const struct workload_host *host,
              double flop_per_second, double seconds, struct err *e);

/* What --dry-run shows. */
void plan_print(FILE *f, const struct run_plan *plan, const struct runspec *spec,
                const struct workload_host *host, double flop_per_second, int nodes,
                const char *record_dir);

/* "12.3 GiB", "4 min 10 s": for people. buf of 32. */
const char *plan_bytes(char *buf, double bytes);
const char *plan_seconds(char *buf, double seconds);

#endif
