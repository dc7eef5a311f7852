/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a person sees while it runs, on stderr: one line per epoch, on a terminal
 * with a rewritten line that fits its width below, otherwise one per phase.
 *
 * Life:    plain struct. Failure: none. Threads: the main thread.
 */
#ifndef AGENT_PROGRESS_H
#define AGENT_PROGRESS_H

#include <stdbool.h>

#include "workloads/workload.h"

enum { PROGRESS_LINE = 256 };

struct progress {
    bool on; /* this rank speaks */
    bool terminal, color;
    int rank;      /* said before each line when more than rank 0 speak; -1 */
    double last;   /* when the line was written */
    bool standing; /* a line that will be rewritten */
    char workload[32];
    bool higher_is_better;
    struct workload_progress now;
    bool phase_said[PHASE_COUNT];
};

/* speaks: rank 0, or all with -v. */
void progress_init(struct progress *p, bool speaks, bool verbose, int rank);
void progress_workload(struct progress *p, const char *name);
void progress_phase(struct progress *p, enum phase phase);
void progress_update(struct progress *p, const struct workload_progress *now, double clock);
/* So many of all; the line is rewritten, or one is printed each minute. */
void progress_count(struct progress *p, const char *what, uint64_t done, uint64_t all,
                    double clock);
/* A line of its own, on a terminal too. */
void progress_epoch(struct progress *p, const struct result_epoch *row);
/* A sentence on a line of its own. */
void progress_say(struct progress *p, const char *sentence);
/* Takes the rewritten line away. */
void progress_clear(struct progress *p);

#endif
