/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What hpcai500-slurmdbd answers: its exit codes, and the first word of each
 * line that `merge -` answers. The collector starts it and reads them.
 */
#ifndef ACCOUNT_SLURMDBD_H
#define ACCOUNT_SLURMDBD_H

enum slurmdbd_code {
    SLURMDBD_DONE = 0,
    SLURMDBD_NEVER = 1, /* this text: not a line, or no room for it */
    SLURMDBD_USAGE = 2,
    SLURMDBD_LATER = 3,  /* slurmdbd is down, busy or being written to */
    SLURMDBD_NO_JOB = 4, /* not known there, perhaps not yet */
    SLURMDBD_DENIED = 5, /* this user is not an operator */
    SLURMDBD_ENDED = 127 /* libslurm ended the process: denied too */
};

/* The sentence of SLURMDBD_DONE: one of these; behind it, after a blank, the
 * name that sacct has for a task of an array or a component of a het job,
 * "4711_3" or "4711+1". */
#define SLURMDBD_WRITTEN "written"
#define SLURMDBD_THERE   "there"

enum { SLURMDBD_ANSWER = 64 };

#endif
