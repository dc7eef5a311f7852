/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The folders of the spool, made and taken down by root:
 *
 *   SPOOL/                    root 0755
 *   SPOOL/jobs/NODE/          root 0755
 *   SPOOL/jobs/NODE/JOB/      the job's user 0700: its drop folder, a small
 *                             tmpfs where the machine lets root mount one
 *   SPOOL/jobs/NODE/JOB.state root 0600: what root knew when the job began
 *   SPOOL/out/                service user 0700: bundles, in by rename
 *
 * A user owns nothing but his drop folder, so there is nothing of others that
 * he could read, replace, link to or fill, and its size is the tmpfs's. Every
 * step goes from an open folder to a single name in it, never through a link,
 * never through a folder that somebody else can write.
 *
 * Life:    open fills descriptors, close closes them; SPOOL_INIT is closed.
 * Failure: -1 and a sentence.
 * Threads: one process per job and node at a time (spool_lock()).
 */
#ifndef RELAY_SPOOL_H
#define RELAY_SPOOL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "reports/core/err.h"
#include "spank/relay/witness.h"

/* Bounds of what waits: of bundles on a node that sends them (beside the bytes of
 * spool_queue=), and of what the collector refused. */
enum { SPOOL_MAX_WAITING = 8192, QUARANTINE_FILES = 1000, QUARANTINE_BYTES = 1 << 30 };

struct spool {
    int top, node, out; /* descriptors of folders, -1 closed */
};

#define SPOOL_INIT                                                                                 \
    {                                                                                              \
        -1, -1, -1                                                                                 \
    }

/* Opens SPOOL, jobs/NODE and out, makes what is missing (SPOOL itself: only
 * its last part). service_user owns out when it is made now. */
int spool_open(struct spool *s, const char *path, const char *node, const char *service_user,
               struct err *e);
void spool_close(struct spool *s);

/* Makes SPOOL and out where they are missing, out for the service user: as
 * root, before anybody has left anything. */
int spool_make_out(const char *path, const char *service_user, struct err *e);

/* Opens SPOOL/out alone, for who only reads or sends bundles. */
int spool_open_out(const char *path, struct err *e);

/* Whether so many bytes may be written there and reserve stays free. */
int spool_has_room(int folder, uint64_t bytes, uint64_t reserve, struct err *e);

/* ---- one job's drop folder ---- */

/* Makes it for uid: a tmpfs of that size, a plain folder with 0 or where the
 * machine lets nobody mount. It is the user's from the last step on. */
int spool_drop_make(struct spool *s, long job, uid_t uid, uint64_t size, struct err *e);

/* Takes it from the user (root 0700) and opens it; -1 without a sentence when
 * there is none. */
int spool_drop_seal(struct spool *s, long job, struct err *e);

/* Unmounts and removes it, with all that is in it, open files or not. What is
 * too much for one call (a plain folder) is left for the next: -1. */
int spool_drop_remove(struct spool *s, long job, struct err *e);

/* ---- its state ---- */

/* Facts of a witness, and the boot that they are from; written whole or not
 * at all. */
int spool_state_write(struct spool *s, const struct witness *w, struct err *e);
/* -1 without a sentence when there is none. *this_boot: the node has not been
 * started again since. */
int spool_state_read(struct spool *s, long job, struct witness *w, bool *this_boot, struct err *e);
void spool_state_remove(struct spool *s, long job);

/* Takes the lock of a job on this node, waiting up to so many milliseconds;
 * closing the descriptor gives it back. -1: somebody else has it. */
int spool_lock(struct spool *s, long job, int milliseconds);

/* Up to most jobs that have a state on this node, in any order; how many. */
int spool_jobs(struct spool *s, long *jobs, int most);

/* Facts from the environment that slurmd gives to prolog and epilog. */
int spool_facts(struct witness *w, struct err *e);

#endif
