/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Rooflines of a run that has both, work and ceilings (roofline.h), into its record.
 *
 * Life:    keeps nothing.
 * Failure: -1 when out of memory; the record is then without a roofline.
 * Threads: pure but for the record.
 */
#ifndef DIAGNOSE_ROOFLINE_JUDGE_H
#define DIAGNOSE_ROOFLINE_JUDGE_H

#include <stddef.h>

#include "reports/diagnose/memory_bound.h"
#include "reports/record/record.h"

/* Fills `roofline` of each workload that has a profile, when the run measured `machine`
 * too. text: the verdict on all of them, "" where no point is above its roof. */
int roofline_judge(struct record *r, char *text, size_t size);

/* Of one workload, by the ceilings that the run has measured so far. */
struct memory_bound roofline_memory(const struct record *r, int workload);

#endif
