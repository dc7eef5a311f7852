/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Root's side of a job on a node, at its prolog and its epilog.
 *
 *   begin   makes the job's drop folder and writes down what slurmd told
 *   end     closes the folder to its user, reads what is in it, puts a bundle
 *           (witness and files) into SPOOL/out, removes the folder
 *
 * Both also finish up to WITNESS_SWEEP other jobs of this node whose end could
 * not be finished (no munged, no room) or that the node did not survive. A
 * folder that cannot be finished stays, closed to its user, until the next
 * begin or end; only the same job's next start on the node takes its place.
 *
 * Life:    none. Threads: any; two calls for one job wait for each other.
 * Failure: -1 and a sentence, for syslog: nobody waits for it.
 */
#ifndef WITNESS_JOB_H
#define WITNESS_JOB_H

#include <stdbool.h>

#include "reports/core/conf.h"
#include "reports/core/err.h"
#include "spank/relay/witness.h"

enum { WITNESS_SWEEP = 4, WITNESS_LOCK_MS = 4000 /* less than the plugin waits */ };

/* What a call did, for the log. */
struct witness_done {
    int files, skipped; /* of this job's bundle */
    int swept;          /* bundles and folders of other jobs */
    bool lost;          /* begin: what the job's last start left could not be witnessed */
    char bundle[256];   /* its name in out; "": none was due */
};

/* facts: of spool_facts(). */
int witness_begin(const struct conf *c, const struct witness *facts, struct witness_done *done,
                  struct err *e);
int witness_end(const struct conf *c, const struct witness *facts, struct witness_done *done,
                struct err *e);

/* SPOOL/out/NAME from the witness and the files that it lists, by rename.
 * bundle gets the name. */
struct scan;
int witness_bundle(const struct conf *c, int out, struct witness *w, const struct scan *s,
                   char *bundle, size_t size, struct err *e);

#endif
