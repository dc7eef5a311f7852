/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "reports/history/history_work.h"

#include <stdio.h>
#include <string.h>

#include "reports/history/history_db.h"

/* ---- leases ---- */

/* What stands there: 1, 0 nothing. */
static int lease_read(struct history *h, const char *name, struct lease *l, struct err *e)
{
    sqlite3_stmt *s = db_bind(h, DB_LEASE_FIND, e, "t", name);
    int rc = db_step(h, s, e);

    if (rc > 0) {
        snprintf(l->holder, sizeof l->holder, "%s", db_text(s, 0));
        l->since = sqlite3_column_int64(s, 1);
        l->beat = sqlite3_column_int64(s, 2);
        sqlite3_reset(s);
    }
    return rc;
}

/* A beat in the future is a clock that was set back: it counts as one of now. */
static bool is_free(const struct lease *l, const char *me, int64_t now,
                    bool (*gone)(const char *holder))
{
    return strcmp(l->holder, me) == 0 || now - l->beat > LEASE_SECONDS || (gone && gone(l->holder));
}

int lease_take(struct history *h, const char *name, const char *me, int64_t now,
               bool (*gone)(const char *holder), struct lease *other, struct err *e)
{
    struct lease there = {.holder = ""};

    if (history_begin(h, e) < 0)
        return -1;
    int rc = lease_read(h, name, &there, e);
    if (rc > 0 && !is_free(&there, me, now, gone)) {
        history_rollback(h);
        *other = there;
        return 0;
    }
    const bool ours = rc > 0 && strcmp(there.holder, me) == 0;
    if (rc < 0 || db_run(h,
                         db_bind(h, DB_LEASE_PUT, e, "ttii", name, me,
                                 (long long)(ours ? there.since : now), (long long)now),
                         e) < 0) {
        history_rollback(h);
        return -1;
    }
    return history_commit(h, e) < 0 ? -1 : 1;
}

int lease_drop(struct history *h, const char *name, const char *me, struct err *e)
{
    return db_run(h, db_bind(h, DB_LEASE_DROP, e, "tt", name, me), e);
}

/* ---- deeds ---- */

int deed_begin(struct history *h, struct deed *d, struct err *e)
{
    if (db_run(h,
               db_bind(h, DB_DEED_ADD, e, "ttttiiit", d->node, d->verb, d->words, d->run,
                       (long long)d->looked, 0LL, (long long)DEED_BEGUN, ""),
               e) < 0)
        return -1;
    d->id = sqlite3_last_insert_rowid(h->db);
    d->wrote = 0;
    d->outcome = DEED_BEGUN;
    d->said[0] = '\0';
    return 0;
}

int deed_end(struct history *h, const struct deed *d, struct err *e)
{
    return db_run(h,
                  db_bind(h, DB_DEED_END, e, "iiit", (long long)d->id, (long long)d->wrote,
                          (long long)d->outcome, d->said),
                  e);
}

static void deed_row(sqlite3_stmt *s, struct deed *d)
{
    *d = (struct deed){.id = sqlite3_column_int64(s, 0),
                       .looked = sqlite3_column_int64(s, 5),
                       .wrote = sqlite3_column_int64(s, 6),
                       .outcome = (enum deed_outcome)sqlite3_column_int(s, 7)};
    snprintf(d->node, sizeof d->node, "%s", db_text(s, 1));
    snprintf(d->verb, sizeof d->verb, "%s", db_text(s, 2));
    snprintf(d->words, sizeof d->words, "%s", db_text(s, 3));
    snprintf(d->run, sizeof d->run, "%s", db_text(s, 4));
    snprintf(d->said, sizeof d->said, "%s", db_text(s, 8));
}

/* The rows of a statement that gives deeds. */
static int deed_rows(struct history *h, sqlite3_stmt *s, struct deed *out, int n, struct err *e)
{
    int rc = 0, found = 0;

    while (found < n && (rc = db_step(h, s, e)) > 0)
        deed_row(s, &out[found++]);
    if (s)
        sqlite3_reset(s);
    return rc < 0 ? -1 : found;
}

int deed_open(struct history *h, struct deed *out, int n, struct err *e)
{
    _Static_assert((int)DEED_WRITTEN == 1, "as the statement has it");
    return deed_rows(h, db_bind(h, DB_DEED_OPEN, e, ""), out, n, e);
}

int deed_newest(struct history *h, const char *node, const char *verb, const char *run,
                struct deed *out, struct err *e)
{
    return deed_rows(h, db_bind(h, DB_DEED_NEWEST, e, "ttti", node, verb, run, (long long)DEED_NOT),
                     out, 1, e);
}

int deed_count(struct history *h, const char *verb, const char *run)
{
    sqlite3_stmt *s = db_bind(h, DB_DEED_COUNT, NULL, "tti", verb, run, (long long)DEED_NOT);

    if (db_step(h, s, NULL) <= 0)
        return -1;
    const int n = sqlite3_column_int(s, 0);
    sqlite3_reset(s);
    return n;
}

int deed_list(struct history *h, const char *node, struct deed *out, int n, struct err *e)
{
    return deed_rows(h, db_bind(h, DB_DEED_LIST, e, "t", node), out, n, e);
}
