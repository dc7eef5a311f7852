/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a person sees while it runs, on stderr: one rewritten line on a
 * terminal, one line per phase and epoch otherwise.
 *
 * Life:    plain struct. Failure: none. Threads: the main thread.
 */
#ifndef AGENT_PROGRESS_H
#define AGENT_PROGRESS_H

#include <stdbool.h>

#include "workloads/workload.h"

struct progress {
    bool on; /* this rank speaks */
    bool terminal, color;
    int rank;    /* said before each line when more than rank 0 speak; -1 */
    double last; /* when the line was written */
    int width;   /* of what stands on the line */
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
void progress_epoch(struct progress *p, const struct result_epoch *row);
/* A sentence on a line of its own. */
void progress_say(struct progress *p, const char *sentence);
/* Takes the rewritten line away. */
void progress_clear(struct progress *p);

#endif
