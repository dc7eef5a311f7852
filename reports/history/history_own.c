/* SPDX-License-Identifier: BSD-3-Clause */
/* A part of the history as a file of its own, in memory. */
#include <config.h>

#include "reports/history/history_own.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reports/history/history_db.h"
#include "reports/history/history_schema.h"

/* The runs that are wanted; ?1 uid, ?2 job, ?3 key, each NULL: any. */
#define WANTED                                                                                     \
    " WHERE (?1 IS NULL OR (r.uid = ?1 AND r.witnessed))"                                          \
    " AND (?2 IS NULL OR r.job = ?2 OR (r.array_job = ?2 AND r.array_job > 0)"                     \
    " OR (r.het_job = ?2 AND r.het_job > 0)) AND (?3 IS NULL OR r.key = ?3)"

/* Every table but the outbox, which is of jobs and for accounting alone. */
static const char copy_runs[] =
    "INSERT INTO main.run SELECT r.* FROM site.run r" WANTED " ORDER BY r.begin DESC LIMIT ?4";
static const char count_runs[] = "SELECT count(*) FROM site.run r" WANTED " AND ?4 NOTNULL";
static const char find_place[] = "SELECT r.archive FROM run r" WANTED " AND ?4 NOTNULL";
static const char copy_rest[] =
    "INSERT INTO main.part SELECT * FROM site.part WHERE run IN (SELECT id FROM main.run);"
    "INSERT INTO main.on_node SELECT * FROM site.on_node WHERE run IN (SELECT id FROM main.run);"
    "INSERT INTO main.value SELECT * FROM site.value WHERE part IN (SELECT id FROM main.part);"
    "INSERT INTO main.metric SELECT * FROM site.metric WHERE id IN"
    "  (SELECT metric FROM main.value);"
    "INSERT INTO main.name SELECT * FROM site.name WHERE id IN"
    "  (SELECT cluster FROM main.run UNION SELECT user FROM main.run"
    "   UNION SELECT workload FROM main.part UNION SELECT node FROM main.on_node"
    "   UNION SELECT node FROM main.value UNION SELECT name FROM main.metric"
    "   UNION SELECT workload FROM main.metric);";

static int bind_own(struct history *h, sqlite3_stmt *s, const struct history_own *own,
                    struct err *e)
{
    int rc = own->uid >= 0 ? sqlite3_bind_int64(s, 1, own->uid) : sqlite3_bind_null(s, 1);

    if (rc == SQLITE_OK)
        rc = own->job > 0 ? sqlite3_bind_int64(s, 2, own->job) : sqlite3_bind_null(s, 2);
    if (rc == SQLITE_OK)
        rc = own->key ? sqlite3_bind_text(s, 3, own->key, -1, SQLITE_TRANSIENT)
                      : sqlite3_bind_null(s, 3);
    if (rc == SQLITE_OK)
        rc = sqlite3_bind_int64(s, 4, own->most);
    return rc == SQLITE_OK ? 0 : db_fail(h, e);
}

/* One statement about those runs; its first row stays in *s. 1 a row, 0, -1. */
static int run_own(struct history *h, const char *sql, const struct history_own *own,
                   sqlite3_stmt **s, struct err *e)
{
    if (sqlite3_prepare_v2(h->db, sql, -1, s, NULL) != SQLITE_OK)
        return db_fail(h, e);
    return bind_own(h, *s, own, e) < 0 ? -1 : db_step(h, *s, e);
}

/* An empty history in memory. */
static struct history *open_memory(const char *name, struct err *e)
{
    struct history *h = calloc(1, sizeof *h);

    if (!h) {
        err_set(e, "out of memory");
        return NULL;
    }
    snprintf(h->path, sizeof h->path, "%s", name);
    if (sqlite3_open_v2(":memory:", &h->db,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX |
                            SQLITE_OPEN_URI,
                        NULL) == SQLITE_OK)
        return h;
    db_fail(h, e);
    history_close(h);
    return NULL;
}

static int make_tables(struct history *h, struct err *e)
{
    char sql[64];
    int rc = 0;

    for (int i = 0; rc == 0 && i < HISTORY_VERSION; i++)
        rc = db_exec(h, history_steps[i], e);
    snprintf(sql, sizeof sql, "PRAGMA user_version = %d", HISTORY_VERSION);
    return rc == 0 ? db_exec(h, sql, e) : -1;
}

/* The site's file beside ours, under the name `site`; only read. */
static int attach(struct history *h, const struct history *site, struct err *e)
{
    sqlite3_stmt *s = NULL;
    char uri[DB_URI_SIZE];
    int rc = sqlite3_prepare_v2(h->db, "ATTACH ?1 AS site", -1, &s, NULL);

    db_uri(site, uri);
    if (rc == SQLITE_OK)
        rc = sqlite3_bind_text(s, 1, uri, -1, SQLITE_TRANSIENT);
    rc = rc == SQLITE_OK ? db_run(h, s, e) : db_fail(h, e);
    sqlite3_finalize(s);
    return rc;
}

/* Everything in one transaction: one state of the site's file. */
static int fill(struct history *h, const struct history_own *own, long *left, struct err *e)
{
    sqlite3_stmt *copy = NULL, *count = NULL;
    int rc = db_exec(h, "BEGIN", e);

    if (rc == 0)
        rc = run_own(h, copy_runs, own, &copy, e);
    if (rc == 0 && (rc = run_own(h, count_runs, own, &count, e)) > 0) {
        *left = (long)sqlite3_column_int64(count, 0) - sqlite3_changes(h->db);
        rc = 0;
    }
    sqlite3_finalize(copy);
    sqlite3_finalize(count);
    if (rc == 0)
        rc = db_exec(h, copy_rest, e);
    return rc == 0 ? db_exec(h, "COMMIT", e) : -1;
}

void *history_own_copy(const char *path, const struct history_own *own, size_t *size, long *left,
                       struct err *e)
{
    struct history *site = history_open_reader(path, e);
    struct history *h = site ? open_memory(path, e) : NULL;
    void *bytes = NULL;

    if (h && make_tables(h, e) == 0 && attach(h, site, e) == 0 && fill(h, own, left, e) == 0) {
        sqlite3_int64 n = 0;
        unsigned char *copy = sqlite3_serialize(h->db, "main", &n, 0);
        if (copy && (bytes = malloc((size_t)n)))
            memcpy(bytes, copy, *size = (size_t)n);
        else
            err_set(e, "out of memory");
        sqlite3_free(copy);
    }
    history_close(h);
    history_close(site);
    return bytes;
}

int history_own_place(const char *path, const struct history_own *own,
                      char place[ARCHIVE_PLACE_SIZE], struct err *e)
{
    struct history *h = history_open_reader(path, e);
    sqlite3_stmt *s = NULL;
    int rc = h ? run_own(h, find_place, own, &s, e) : -1;

    snprintf(place, ARCHIVE_PLACE_SIZE, "%s", rc > 0 ? db_text(s, 0) : "");
    sqlite3_finalize(s);
    history_close(h);
    return rc < 0 ? -1 : 0;
}

struct history *history_open_copy(void *bytes, size_t size, struct err *e)
{
    struct history *h = open_memory("from the site's reader", e);
    unsigned char *own = h ? sqlite3_malloc64(size ? size : 1) : NULL;

    if (h && !own)
        err_set(e, "out of memory");
    if (own)
        memcpy(own, bytes, size);
    free(bytes);
    if (own && sqlite3_deserialize(h->db, "main", own, (sqlite3_int64)size, (sqlite3_int64)size,
                                   SQLITE_DESERIALIZE_FREEONCLOSE | SQLITE_DESERIALIZE_READONLY) ==
                   SQLITE_OK)
        return h;
    if (own)
        db_fail(h, e);
    history_close(h);
    return NULL;
}
