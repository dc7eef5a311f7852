/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Folders and files of a run: where the record goes, where generated data
 * are kept, which program generates them.
 *
 * The drop folder is made by root in the job's prolog, one on each node, and
 * what is in it at the epilog is witnessed (hpcai500-witness(8)). A rank that
 * has one leaves record and journal there, unless out=FOLDER is given: then it
 * leaves copies of them.
 *
 * The drop folder is gone after the job, so the user gets a file too:
 *
 *     out=FOLDER      FOLDER/ID.json; the drop folder gets the copy
 *     out=NAME.json   that file
 *     out=none        none beside the one in the drop folder
 *     (no out=)       in the working folder hpcai500-JOB.json; if there is such
 *                     a file already hpcai500-JOB.STEP.json, if there is that
 *                     too or the job was requeued hpcai500-JOB.STEP.RESTART.json.
 *                     JOB is 4711, 4711_7 of an array, 4711+1 of a het job.
 *
 * Without a drop folder the record itself is in the working folder, as ID.json.
 * No file of another run is ever replaced.
 *
 * Life:    plain struct. Failure: -1 and a sentence. Threads: any.
 */
#ifndef AGENT_PLACE_H
#define AGENT_PLACE_H

#include <limits.h>
#include <stdbool.h>

#include "reports/core/runspec.h"
#include "reports/record/record.h"

struct place {
    char record[PATH_MAX];       /* out=FOLDER, else the drop folder, else the working folder */
    char file[PATH_MAX];         /* out=NAME.json; "": not given */
    char copy[PATH_MAX];         /* folder of hpcai500-JOB.json; "": there is no such copy */
    char left[PATH_MAX];         /* what place_user() left; "": nothing */
    char drop[PATH_MAX];         /* this job's folder in this node's spool; "": none */
    char cache[PATH_MAX];        /* HPCAI500_CACHE, the site's cache=, XDG_CACHE_HOME/hpcai500 */
    char energy[PATH_MAX];       /* the site's energy= */
    char generator[PATH_MAX];    /* HPCAI500_GENERATOR, the folder of programs, built tree */
    char node_program[PATH_MAX]; /* HPCAI500_NODE_PROGRAM, the folder of helpers, built tree */
};

/* Local to a rank. Makes the folder out= when only its last part is missing. A
 * folder that the user named and that cannot be written is refused, and a file
 * of his that exists; a spool that cannot be written is passed over. */
int place_find(struct place *p, const struct runspec *spec, struct err *e);

/* Rank 0 has told where its record goes: a rank that has a drop folder keeps
 * to its own, when rank 0's is one too. */
void place_follow(struct place *p, const struct runspec *spec, const char *of_rank_0);

/* Copies of the files ID.TAIL of the record's folder into the drop folder, when
 * that is another one. What cannot be copied is not: the record stands. */
void place_drop(const struct place *p, const char *id, const char *const *tails, int n);

/* Gives the user his file of the record ID.json, which is in p->record, and of
 * its other TAILs; p->left then names it. Without a drop folder NAME.json takes
 * the place of ID.json. again: this run may have left one before, a shorter one;
 * it is replaced. -1: the record stays where it is, and a sentence says why
 * there is no file. */
int place_user(struct place *p, const struct record_job *job, const char *id,
               const char *const *tails, int n, bool again, struct err *e);

/* Where the record is for others that ask: NAME.json if it took the place of
 * ID.json. path has room for PATH_MAX. */
void place_record(const struct place *p, const char *id, char *path);

#endif
