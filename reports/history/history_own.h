/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A part of the history as a file of its own, in memory: what the reader sends
 * to a user, and what he opens as if it were the site's.
 *
 * Life:    copy returns bytes, free() them; open takes them.
 * Failure: NULL and one sentence.
 * Threads: none inside.
 */
#ifndef HISTORY_HISTORY_OWN_H
#define HISTORY_HISTORY_OWN_H

#include <stddef.h>

#include "reports/history/history.h"

/* Whose runs, and which. */
struct history_own {
    long uid;        /* what root witnessed under this uid; -1: everybody's */
    long job;        /* > 0: this job, array or het job */
    const char *key; /* NULL: any */
    long most;       /* the newest so many runs */
};

/* The history at path holds these runs and, of its names and metrics, those that
 * they use; nothing else of it is in the copy. *left: how many more there are. */
void *history_own_copy(const char *path, const struct history_own *own, size_t *size, long *left,
                       struct err *e);

/* Where the archive has the run, "" if it is not among them; -1 and a sentence. */
int history_own_place(const char *path, const struct history_own *own,
                      char place[ARCHIVE_PLACE_SIZE], struct err *e);

/* Opens such a copy for reading; takes bytes, also when it fails. */
struct history *history_open_copy(void *bytes, size_t size, struct err *e);

#endif
