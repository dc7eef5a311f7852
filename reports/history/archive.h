/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The dated archive of records: ARCHIVE/YYYY/MM/DD/<id>.json.gz, beside it the
 * witness's credentials as <id>.witness and, as the agent packed them, everything
 * per rank as <id>.ranks.json.gz and steps of training as <id>.steps.gz.
 *
 * A file is whole or not there: exclusive temporary file, fsync, rename,
 * fsync of the folder. A place is the path below ARCHIVE,
 * "2026/11/22/lab-4711.0.3.json.gz".
 *
 * Life:    open returns, close frees; close(NULL) is a no-op.
 * Failure: 0/-1 or NULL and one sentence; a failed put leaves what was there.
 * Threads: one thread per handle; one writer at a time (history's lock).
 */
#ifndef HISTORY_ARCHIVE_H
#define HISTORY_ARCHIVE_H

#include <stddef.h>
#include <stdint.h>

#include "reports/core/err.h"
#include "reports/record/record.h"

enum {
    ARCHIVE_PLACE_SIZE = RECORD_ID_SIZE + 32,
    ARCHIVE_MAX_WITNESS = 64 << 20, /* bytes of the credentials of one record: 10,000 nodes' */
    ARCHIVE_MAX_SIDE = 16 << 20     /* of what is per rank, of steps, packed */
};

struct archive;

/* The folder must be there; it may be on another file system than the
 * history. */
struct archive *archive_open(const char *dir, struct err *e);
void archive_close(struct archive *a);

/* An archive that somebody else keeps: archive_get() and its kin call fetch with
 * "record", "witness", "ranks" or "steps" and the place; nothing can be put. fetch returns bytes with a NUL behind them, or NULL: with an
 * empty sentence there are none. text is borrowed until the close. */
typedef void *archive_fetch(const char *text, const char *what, const char *place, size_t *size,
                            struct err *e);
struct archive *archive_of(archive_fetch *fetch, const char *text, struct err *e);

/* Where a record of that id and begin (Unix time, UTC day) stands. Characters
 * other than [A-Za-z0-9._+-] become '_', and so does a leading dot. */
void archive_place(const char *id, int64_t begin, char place[ARCHIVE_PLACE_SIZE]);

/* What is put: a record of at most RECORD_MAX_BYTES and what belongs to it. */
struct archive_item {
    const char *text;
    size_t size;
    const char *witness;  /* NULL: none */
    struct archive_side { /* byte for byte; NULL: none */
        const void *bytes;
        size_t size;
    } ranks, steps;
};

/* Puts it there, the record last. Replaces what was there, and removes the parts
 * that the item no longer has. */
int archive_put(struct archive *a, const char *place, const struct archive_item *item,
                struct err *e);

/* Many puts at once: what is put after begin is written beside its place, and
 * stands there, all of it on the device, after commit: two flushes of the file
 * system instead of three per record. A commit that fails, or a crash in it,
 * may leave some of them; the same puts again make it whole. history_begin()
 * and its kin call these. */
void archive_begin(struct archive *a);
int archive_commit(struct archive *a, struct err *e);
void archive_rollback(struct archive *a);

/* The record byte for byte, NUL behind it; free() it. Refuses what unpacks to
 * more than RECORD_MAX_BYTES, symbolic links, and places that lead out. */
char *archive_get(struct archive *a, const char *place, size_t *size, struct err *e);
/* The same of a file by its path, wherever it is. */
char *archive_read(const char *path, size_t *size, struct err *e);
/* Its witness; NULL with an empty sentence when there is none. */
char *archive_witness(struct archive *a, const char *place, size_t *size, struct err *e);

/* What is per rank, and its steps, as they were put; NULL with an empty sentence when it
 * has none. */
char *archive_ranks(struct archive *a, const char *place, size_t *size, struct err *e);
char *archive_steps(struct archive *a, const char *place, size_t *size, struct err *e);

/* Unlinks record, witness, ranks and steps, then folders that are empty. Nothing there is
 * no failure. */
int archive_remove(struct archive *a, const char *place, struct err *e);

#endif
