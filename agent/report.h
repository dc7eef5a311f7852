/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a run leaves: journals while it goes on, the record at its end, and a
 * partial record when it does not come to its end.
 *
 * Failure: -1 and a sentence. Functions that say "collective" fail on all
 *          ranks with the same sentence.
 * Threads: report_emergency() is for the guard's thread, all else for the
 *          main thread.
 */
#ifndef AGENT_REPORT_H
#define AGENT_REPORT_H

#include "agent/run.h"

/* Collective. Names the record, so that the guard can write one from here on.
 * Refuses when a record of that name exists. */
int report_name(struct run *r, struct err *e);

/* Collective, after that. Describes the system, gathers the nodes, opens the
 * journals. */
int report_open(struct run *r, struct err *e);
void report_close(struct run *r);

/* Journal only. */
void report_begin(struct run *r, int index, const struct workload_plan *plan);
void report_phase(struct run *r, enum phase p);
void report_epoch(struct run *r, const struct result_epoch *row);
void report_profile(struct run *r, const struct workload_result *so_far);
void report_micro(struct run *r, const struct micro_row *row);
void report_phases(struct run *r); /* how long each has taken so far */

/* Collective. Gathers what the ranks measured; rank 0 takes *result. */
int report_result(struct run *r, struct workload_result *result, struct err *e);

/* Collective. Rank 0 writes the record; then the journals go. path: where it
 * is, on rank 0. */
int report_write(struct run *r, char path[PATH_MAX], struct err *e);

/* This rank alone, its last words when the others cannot be asked any more:
 * phases and an end into the journal. */
void report_last_words(struct run *r);

/* True when a record of this run stands there; path names it. */
bool report_written(const struct run *r, char path[PATH_MAX]);

/* This rank alone, when the others cannot be asked any more: writes a partial
 * record from all journals that it sees, unless there is one. culprit: the
 * rank that the sentence is about, -1: this one. Returns 0 when a record
 * stands there in the end, path then names it. */
int report_partial(struct run *r, int culprit, const char *sentence, char path[PATH_MAX],
                   struct err *e);

/* Removes the journals that this rank sees: the record holds what they held. */
void report_sweep(struct run *r);

/* As guard_options.emergency, ctx: struct run. */
void report_emergency(void *ctx, const char *sentence, bool last);

#endif
