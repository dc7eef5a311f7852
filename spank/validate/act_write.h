/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What `hpcai500 validate act --apply` writes in Slurm, and what it looks at afterwards.
 * Every write is filed before it is tried (history_work.h).
 *
 * Failure: -1 and a sentence: the history cannot be written, or Slurm does not let this
 *          user. A write that Slurm refuses is said, and no failure.
 * Threads: none.
 */
#ifndef VALIDATE_ACT_WRITE_H
#define VALIDATE_ACT_WRITE_H

#include "spank/validate/act_base.h"
#include "spank/validate/plan.h"

/* Carries out the plan. Writes that Slurm refuses are said and left to the next pass. */
int act_carry_out(struct act *a, const struct plan *p, struct err *e);

/* Looks at the events of what was written; *unsettled: how many deeds are still open. */
int act_settle(struct act *a, const struct look *l, int *unsettled, struct err *e);

#endif
