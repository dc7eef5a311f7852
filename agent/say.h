/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The sentences that a run tells a person, beside its progress line: before it
 * starts, at a workload's end, at its own. Each goes to progress_say().
 */
#ifndef AGENT_SAY_H
#define AGENT_SAY_H

#include "agent/run.h"

/* What the run is and what it costs. */
void say_cost(struct run *r);
/* What a person may want to change before it runs: the class that was chosen,
 * a time that will not suffice. */
void say_plan(struct run *r);
/* That threads share cores, if they do. */
void say_crowded(struct run *r);
/* How a workload ended. */
void say_result(struct run *r, const struct workload_result *w);
/* What limited it: Verdict, Why, Next. */
void say_why(struct run *r, const struct record_why *why);
/* Where the user finds the record once the job's drop folder is gone. */
void say_copy(struct run *r);

#endif
