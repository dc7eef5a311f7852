/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Folders and files of a run: where the record goes, where generated data
 * are kept, which program generates them.
 *
 * The drop folder is made by root in the job's prolog, one on each node, and
 * what is in it at the epilog is witnessed (hpcai500-witness(8)). A rank that
 * has one leaves record and journal there, unless out= is said: then it leaves
 * copies of them.
 *
 * Life:    plain struct. Failure: -1 and a sentence. Threads: any.
 */
#ifndef AGENT_PLACE_H
#define AGENT_PLACE_H

#include <limits.h>

#include "reports/core/runspec.h"

struct place {
    char record[PATH_MAX];    /* out=, else the drop folder, else the working folder */
    char drop[PATH_MAX];      /* this job's folder in this node's spool; "": none */
    char cache[PATH_MAX];     /* HPCAI500_CACHE, the site's cache=, XDG_CACHE_HOME/hpcai500 */
    char generator[PATH_MAX]; /* HPCAI500_GENERATOR, beside this program's libexec, built tree */
};

/* Local to a rank. Makes out= when only its last part is missing. A folder
 * that the user named and that cannot be written is refused; a spool that
 * cannot be written is passed over. */
int place_find(struct place *p, const struct runspec *spec, struct err *e);

/* Rank 0 has told where its record goes: a rank that has a drop folder keeps
 * to its own, when rank 0's is one too. */
void place_follow(struct place *p, const struct runspec *spec, const char *of_rank_0);

/* Copies of the files ID.TAIL of the record's folder into the drop folder, when
 * that is another one. What cannot be copied is not: the record stands. */
void place_drop(const struct place *p, const char *id, const char *const *tails, int n);

#endif
