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

#include <stdbool.h>
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
 * never is). A class that was named is taken as it is. Refuses what does not fit
 * the memory of a rank and a batch of more samples than there are. */
int plan_make(struct run_plan *plan, const struct runspec *spec, const struct workload_host *host,
              const struct resources *r, double seconds, struct err *e);

/* Of so many seconds that are left when its turn comes, those that the i-th
 * workload may use: in proportion to what the plans expect of it and of those
 * after it, where none counts for less than a tenth of their mean. What it leaves
 * is theirs. */
double plan_share(const struct run_plan *plan, int i, double left);

/* Whether the run is expected to take longer than time=; a sentence if so. */
bool plan_too_long(const struct run_plan *plan, const struct runspec *spec, char *text,
                   size_t size);

/* "class=auto takes small for cosmoflow"; "" when the classes were named. */
void plan_choice(const struct run_plan *plan, const struct runspec *spec, char *text, size_t size);

/* What --dry-run shows. record: its folder or file. */
void plan_print(FILE *f, const struct run_plan *plan, const struct runspec *spec,
                const struct workload_host *host, const struct resources *r, int nodes,
                const char *record);

/* "12.3 GiB", "4 min 10 s": for people. buf of 32. */
const char *plan_bytes(char *buf, double bytes);
const char *plan_seconds(char *buf, double seconds);

#endif
