/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Records that tests begin with: complete ones of any size, as an agent
 * would fill them, all figures derived from rank and phase.
 */
#ifndef RECORD_SAMPLE_H
#define RECORD_SAMPLE_H

#include "reports/record/record.h"

/* A workload that reached its target in `epochs` epochs on `ranks` ranks. */
struct workload_result sample_result(int ranks, int epochs);

/* Fills r (record_init() is done here): job 4711 of cluster lab on nodes n1,
 * n2, ... with `ranks` ranks dealt out in turn, one workload, two counters
 * (one of them absent), not judged. */
void sample_record(struct record *r, int ranks, int nodes, int epochs);

/* Job 4711 of ada, whole nodes. */
struct record_job sample_job(void);

#endif
