/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One look at Slurm: what `hpcai500-slurmctl look` answers, and how it is asked.
 *
 * Life:    look_parse() fills, look_fini() frees; after a failure there is nothing to free.
 * Failure: -1 and a sentence. An answer that does not end with "end", or holds a line that
 *          is not understood, is no answer: nothing may follow from a part of a table.
 * Threads: look_parse() is pure.
 */
#ifndef VALIDATE_LOOK_H
#define VALIDATE_LOOK_H

#include <stdbool.h>
#include <stdint.h>

#include "reports/core/err.h"
#include "spank/validate/node.h"
#include "spank/validate/slurmctl.h"

struct look_node {
    struct node node;
    bool member;  /* of the reservation, or of the nodes asked for */
    bool covered; /* a job of ours that has not ended has it */
};

struct look {
    int64_t time;     /* when it was asked for, Unix seconds by our clock; 0: it failed */
    int64_t end;      /* of the reservation; 0: none was asked for */
    bool maintenance; /* it has the flag MAINT: its nodes are not in service */
    int n;
    struct look_node *nodes; /* malloc, in slurmctld's order */
    int absent;              /* members that slurmctld has no node of */
};

/* Reads the answer's text, which it changes. */
int look_parse(char *text, struct look *l, struct err *e);
void look_fini(struct look *l);

/* The node of that name; NULL: none. */
struct look_node *look_find(const struct look *l, const char *name);

/* Asks: reservation, or NULL and a host list. SLURMCTL_NONE: no such reservation. */
enum slurmctl_code look_ask(const char *reservation, const char *nodes, struct look *l,
                            struct err *e);

/* ---- the writer ---- */

enum { CTL_WORDS = 6, CTL_MOST = 64 << 20 };

/* Starts hpcai500-slurmctl, which is in this program's folder, with those words (NULL
 * behind the last) and reads its answer into *text, to free(); *text is "" when there
 * is none. Of our environment it gets what says where Slurm is, and no more. */
enum slurmctl_code ctl_run(const char *const words[], char **text);

/* Its last line, behind the word that stands for the code; changes text. */
const char *ctl_said(char *text);

#endif
