/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What slurmdbd knows of a node's troubles, and what it says of a write of ours: Slurm
 * has no compare-and-set, and a drain that somebody sets between our look and our write
 * is gone from the node; but slurmdbd has a row for it, with its words and its author.
 *
 * Life:    event_ask() returns an array to free().
 * Failure: an enum slurmctl_code and a sentence.
 * Threads: pure but for event_ask().
 */
#ifndef VALIDATE_EVENT_H
#define VALIDATE_EVENT_H

#include "reports/history/history_work.h"
#include "spank/validate/look.h"

enum {
    EVENT_SETTLE_SECONDS = 5, /* slurmdbd hears of a change by then */
    EVENT_WRITE_SECONDS = 2,  /* from the writer's look to its write, or longer when it was */
    EVENT_BEGUN_SECONDS = 15  /* and of one whose writer was killed */
};

/* A row: node.reason_time is its begin, node.boot_time its end, 0 while it lasts. */
enum slurmctl_code event_ask(const char *name, int64_t since, int64_t until, struct node **rows,
                             int *n, struct err *e);

/* The row of another's drain that d went over: it began after the writer's look and ended
 * with the write, a matter of seconds at most, so that a drain which somebody set and
 * ended himself just before is not put back. NULL: there is none. slurmdbd has one row for
 * a node and second: a drain that was set in the very second of ours has lost its words,
 * and what is left of it is that the node is drained. Clocks: a drain's write is known by
 * slurmctld's; of a resume the machine's own stands for it. */
const struct node *event_lost(const struct deed *d, const struct node *rows, int n);

/* Whether the node was drained for just this reason. */
bool event_had(const char *reason, const struct node *rows, int n);

#endif
