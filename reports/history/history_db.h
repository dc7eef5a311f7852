/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the files of the history share: the handle, and SQLite with our
 * manners. Nobody else includes it.
 *
 * Statements are prepared once per handle, by their number; values are only
 * ever bound, never written into SQL (T7).
 */
#ifndef HISTORY_HISTORY_DB_H
#define HISTORY_HISTORY_DB_H

#include <limits.h>
#include <stdbool.h>
#include <sqlite3.h>

#include "reports/history/history.h"

/* Every statement that takes no shape from its arguments. */
enum db_statement {
    DB_NAME_FIND,
    DB_NAME_ADD,
    DB_RUN_FIND,
    DB_RUN_ADD,
    DB_RUN_DELETE,
    DB_JOB_HAS_RUN,
    DB_JOB_DROP_NONE,
    DB_JOB_NAME,
    DB_PART_ADD,
    DB_NODE_ADD,
    DB_METRIC_FIND,
    DB_METRIC_ADD,
    DB_VALUE_ADD,
    DB_OUTBOX_PUT,
    DB_OUTBOX_DUE,
    DB_OUTBOX_DONE,
    DB_OUTBOX_FAILED,
    DB_OUTBOX_SIZE,
    DB_NAMES,
    DB_LEASE_FIND,
    DB_LEASE_PUT,
    DB_LEASE_DROP,
    DB_DEED_ADD,
    DB_DEED_END,
    DB_DEED_OPEN,
    DB_DEED_NEWEST,
    DB_DEED_COUNT,
    DB_DEED_LIST,
    DB_COUNT
};

struct history {
    sqlite3 *db;
    struct archive *archive;
    char path[PATH_MAX];
    bool writer;
    bool frozen;   /* a copy without a log where none can be made: read as it lies there */
    bool in_batch; /* between history_begin() and history_commit() */
    sqlite3_stmt *statements[DB_COUNT];
    int n_stale; /* files of the archive that no row names after the commit */
    char (*stale)[ARCHIVE_PLACE_SIZE];
};

/* PATH as SQLite takes it for reading: file:PATH?mode=ro, or &immutable=1 too. */
enum { DB_URI_SIZE = 3 * PATH_MAX + 64 };
void db_uri(const struct history *h, char uri[DB_URI_SIZE]);

/* "history PATH: what SQLite says"; returns -1. */
int db_fail(const struct history *h, struct err *e);

/* SQL text without arguments. */
int db_exec(struct history *h, const char *sql, struct err *e);

/* The statement, reset, with arguments bound from ?1 on by a letter each:
 * i long long, t text (copied), r double (NAN becomes NULL). NULL on failure. */
sqlite3_stmt *db_bind(struct history *h, enum db_statement which, struct err *e, const char *kinds,
                      ...);
/* 1 a row, 0 none, -1. */
int db_step(struct history *h, sqlite3_stmt *s, struct err *e);
/* Runs a statement that gives no rows. */
int db_run(struct history *h, sqlite3_stmt *s, struct err *e);

/* Id of a name, 0 when there is none, -1 on failure; add: makes it. */
sqlite3_int64 db_name(struct history *h, enum history_kind kind, const char *text, bool add,
                      struct err *e);

/* A file of the archive goes when the transaction is committed, at once when
 * there is none. */
void db_stale(struct history *h, const char *place);

/* A text column, "" when NULL. */
const char *db_text(sqlite3_stmt *s, int column);
/* A number column, NAN when NULL. */
double db_real(sqlite3_stmt *s, int column);

#endif
