/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Users and their own runs. History and archive belong to the service user and
 * nobody else may open them; hpcai500-reader, a service that runs as that user,
 * answers on a local socket (`reader` of hpcai500.conf).
 *
 * A service and not a set-group-id program, since nothing of the asker reaches
 * a service but one line of text: no environment, descriptors, limits, signals
 * or working folder, and the asker cannot stop it in the middle of a read. It
 * needs no rights of its own on the files and no daemon that stays: systemd starts
 * it at the first question. Who asks says the kernel (SO_PEERCRED).
 *
 * One connection is one question:
 *
 *     history all            the runs, as an SQLite file
 *     history job NUMBER     those of a job, an array or a het job
 *     history run KEY        one
 *     record PLACE           the archive's record, unpacked
 *     witness PLACE          its credentials
 *     ranks PLACE            what is per rank, as it was packed
 *
 * and one answer: `ok SIZE` and so many bytes, `none`, or `no SENTENCE`, the
 * head a line. A user is answered with what root witnessed under his uid. A run
 * of another is answered as one that is not there, so that nothing is told of it.
 *
 * Life:    what is returned is the caller's, free() it.
 * Failure: -1 or NULL and one sentence.
 * Threads: none inside.
 */
#ifndef HISTORY_READER_H
#define HISTORY_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "reports/core/conf.h"
#include "reports/history/archive.h"
#include "reports/history/history.h"

enum {
    READER_MAX_QUESTION = 256,     /* bytes, newline included */
    READER_MAX_RUNS = 20000,       /* of one answer; the newest, and the answer's log says it */
    READER_MAX_ANSWER = 256 << 20, /* bytes */
    READER_SECONDS = 60            /* a question, from its first byte to the answer's last */
};

/* ---- the asker ---- */

/* The site's history: the file where this user may open it, else his own runs
 * from the reader, only those that f's job or key names (NULL: all). It is for
 * reading; history_close() it. */
struct history *reader_history(const struct conf *c, const struct history_filter *f, struct err *e);

/* The site's archive in the same way: the folder, else a handle whose
 * archive_get(), archive_witness() and archive_ranks() ask the reader. */
struct archive *reader_archive(const struct conf *c, struct err *e);

/* One question over the socket. NULL with an empty sentence: `none`. */
void *reader_ask(const char *socket, const char *question, size_t *size, struct err *e);

/* ---- the service ---- */

/* Whether that user may read everybody's: root, the service user, `readers`. */
bool reader_sees_all(const struct conf *c, uid_t uid);

/* The answer's bytes to a question (without its newline) of a user.
 * NULL: `none`, or with a sentence `no`. */
void *reader_answer(const struct conf *c, uid_t uid, const char *question, size_t *size,
                    struct err *e);

#endif
