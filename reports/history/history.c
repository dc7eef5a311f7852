/* SPDX-License-Identifier: BSD-3-Clause */
/* The history's file: opening, versions, transactions, names, the outbox. */
#include <config.h>

#include "reports/history/history.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "reports/history/history_db.h"
#include "reports/history/history_schema.h"

enum {
    BUSY_MILLISECONDS = 10000,
    STEPS = sizeof history_steps / sizeof *history_steps,
    OUTBOX_MOST_MINUTES = 60
};

_Static_assert((int)STEPS == HISTORY_VERSION, "a step for each version");

/* ---- SQLite with our manners ---- */

static const char *const statements[DB_COUNT] = {
    [DB_NAME_FIND] = "SELECT id FROM name WHERE kind = ?1 AND text = ?2",
    [DB_NAME_ADD] = "INSERT INTO name (kind, text) VALUES (?1, ?2)",
    [DB_RUN_FIND] = "SELECT id, grade, sha256, archive FROM run WHERE key = ?1",
    [DB_RUN_ADD] =
        "INSERT INTO run (key, grade, sha256, cluster, job, array_job, array_task, het_job,"
        " het_offset, restart, step, uid, user, account, partition, nodes, n_nodes, begin, end,"
        " status, valid, witnessed, asked, archive, seen) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, "
        "?9,"
        " ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25)",
    [DB_RUN_DELETE] = "DELETE FROM run WHERE id = ?1",
    [DB_JOB_HAS_RUN] = "SELECT 1 FROM run WHERE cluster = ?1 AND job = ?2 AND restart = ?3 LIMIT 1",
    [DB_JOB_DROP_NONE] =
        "DELETE FROM run WHERE cluster = ?1 AND job = ?2 AND restart = ?3 AND step = ''",
    [DB_JOB_NAME] =
        "UPDATE OR IGNORE run SET array_job = ?3, array_task = ?4, het_job = ?5, het_offset = ?6,"
        " key = CASE WHEN step = '' THEN ?7 || '.' || restart ELSE key END"
        " WHERE cluster = ?1 AND job = ?2 AND array_task < 0 AND het_offset < 0",
    [DB_PART_ADD] =
        "INSERT INTO part (run, begin, position, workload, class, engine, dtype, origin, ranks,"
        " threads, batch, status, valid, samples_per_second, quality, quality_metric,"
        " time_to_quality_seconds, flop_per_second, cause, cause_node, suspect, verdict, why, next)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18,"
        " ?19, ?20, ?21, ?22, ?23, ?24)",
    [DB_NODE_ADD] = "INSERT OR IGNORE INTO on_node (node, begin, run) VALUES (?1, ?2, ?3)",
    [DB_METRIC_FIND] = "SELECT id FROM metric WHERE workload = ?1 AND name = ?2",
    [DB_METRIC_ADD] = "INSERT INTO metric (workload, name) VALUES (?1, ?2)",
    [DB_VALUE_ADD] = "INSERT OR IGNORE INTO value (part, metric, node, begin, value) VALUES (?1, "
                     "?2, ?3, ?4, ?5)",
    [DB_OUTBOX_PUT] =
        "INSERT INTO outbox (cluster, job, restart, array_task, het_offset, begin, since, due, "
        "tries,"
        " text, why) VALUES (?1, ?2, ?7, ?3, ?4, ?5, strftime('%s', 'now'), 0, 0, ?6, '')"
        " ON CONFLICT (cluster, job, restart) DO UPDATE SET text = excluded.text, begin = "
        "excluded.begin,"
        " due = 0, tries = 0, why = ''",
    [DB_OUTBOX_DUE] = "SELECT id, cluster, job, array_task, het_offset, begin, tries, due, text,"
                      " restart FROM outbox WHERE due <= ?1 ORDER BY due, id LIMIT ?2",
    [DB_OUTBOX_DONE] = "DELETE FROM outbox WHERE id = ?1 AND text = ?2",
    [DB_OUTBOX_FAILED] = "UPDATE outbox SET tries = tries + 1, due = ?3, why = ?4"
                         " WHERE id = ?1 AND text = ?2",
    [DB_OUTBOX_SIZE] = "SELECT count(*), coalesce(min(since), 0) FROM outbox",
    [DB_NAMES] = "SELECT text FROM name WHERE kind = ?1 ORDER BY text",
    [DB_LEASE_FIND] = "SELECT holder, since, beat FROM lease WHERE name = ?1",
    [DB_LEASE_PUT] = "INSERT INTO lease (name, holder, since, beat) VALUES (?1, ?2, ?3, ?4)"
                     " ON CONFLICT (name) DO UPDATE SET holder = excluded.holder,"
                     " since = excluded.since, beat = excluded.beat",
    [DB_LEASE_DROP] = "DELETE FROM lease WHERE name = ?1 AND holder = ?2",
    [DB_DEED_ADD] = "INSERT INTO deed (node, verb, words, run, looked, wrote, outcome, said)"
                    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    [DB_DEED_END] = "UPDATE deed SET wrote = ?2, outcome = ?3, said = ?4 WHERE id = ?1",
    [DB_DEED_OPEN] = "SELECT * FROM deed WHERE outcome <= 1 ORDER BY id",
    [DB_DEED_NEWEST] = "SELECT * FROM deed WHERE node = ?1 AND verb = ?2 AND run = ?3"
                       " AND outcome <> ?4 ORDER BY id DESC LIMIT 1",
    [DB_DEED_COUNT] = "SELECT count(*) FROM deed WHERE verb = ?1 AND run = ?2 AND outcome <> ?3",
    [DB_DEED_LIST] = "SELECT * FROM deed WHERE node = ?1 OR ?1 = '' ORDER BY id DESC",
};

int db_fail(const struct history *h, struct err *e)
{
    int code = sqlite3_errcode(h->db);

    if (code == SQLITE_BUSY || code == SQLITE_LOCKED)
        return err_set(e, "the history %s is busy: another program writes it", h->path);
    return err_set(e, "the history %s: %s", h->path, sqlite3_errmsg(h->db));
}

int db_exec(struct history *h, const char *sql, struct err *e)
{
    return sqlite3_exec(h->db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : db_fail(h, e);
}

static int bind_one(sqlite3_stmt *s, int at, char kind, va_list *ap)
{
    if (kind == 't')
        return sqlite3_bind_text(s, at, va_arg(*ap, const char *), -1, SQLITE_TRANSIENT);
    if (kind == 'i')
        return sqlite3_bind_int64(s, at, va_arg(*ap, long long));
    double v = va_arg(*ap, double);
    return isfinite(v) ? sqlite3_bind_double(s, at, v) : sqlite3_bind_null(s, at);
}

sqlite3_stmt *db_bind(struct history *h, enum db_statement which, struct err *e, const char *kinds,
                      ...)
{
    sqlite3_stmt **s = &h->statements[which];
    va_list ap;
    int rc = SQLITE_OK;

    if (!*s)
        rc = sqlite3_prepare_v3(h->db, statements[which], -1, SQLITE_PREPARE_PERSISTENT, s, NULL);
    else
        sqlite3_reset(*s);
    va_start(ap, kinds);
    for (int i = 0; rc == SQLITE_OK && kinds[i]; i++)
        rc = bind_one(*s, i + 1, kinds[i], &ap);
    va_end(ap);
    if (rc == SQLITE_OK)
        return *s;
    db_fail(h, e);
    return NULL;
}

int db_step(struct history *h, sqlite3_stmt *s, struct err *e)
{
    int rc = s ? sqlite3_step(s) : SQLITE_ERROR;

    if (rc == SQLITE_ROW)
        return 1;
    if (rc != SQLITE_DONE && s)
        db_fail(h, e);
    if (s)
        sqlite3_reset(s);
    return rc == SQLITE_DONE ? 0 : -1;
}

int db_run(struct history *h, sqlite3_stmt *s, struct err *e)
{
    return db_step(h, s, e) < 0 ? -1 : 0;
}

const char *db_text(sqlite3_stmt *s, int column)
{
    const char *text = (const char *)sqlite3_column_text(s, column);
    return text ? text : "";
}

double db_real(sqlite3_stmt *s, int column)
{
    return sqlite3_column_type(s, column) == SQLITE_NULL ? NAN : sqlite3_column_double(s, column);
}

sqlite3_int64 db_name(struct history *h, enum history_kind kind, const char *text, bool add,
                      struct err *e)
{
    sqlite3_stmt *s = db_bind(h, DB_NAME_FIND, e, "it", (long long)kind, text);
    int rc = db_step(h, s, e);
    sqlite3_int64 id = rc > 0 ? sqlite3_column_int64(s, 0) : rc;

    if (s)
        sqlite3_reset(s);
    if (rc != 0 || !add)
        return id;
    if (db_run(h, db_bind(h, DB_NAME_ADD, e, "it", (long long)kind, text), e) < 0)
        return -1;
    return sqlite3_last_insert_rowid(h->db);
}

/* ---- opening ---- */

/* SQLite's log needs memory that all who read share: not over a network. */
static int check_file_system(const char *path, struct err *e)
{
    static const struct {
        unsigned long magic;
        const char *name;
    } far[] = {{0x6969, "NFS"},        {0xff534d42, "CIFS"}, {0xfe534d42, "SMB"},
               {0x0bd00bd0, "Lustre"}, {0x47504653, "GPFS"}, {0x19830326, "BeeGFS"},
               {0x00c36400, "CephFS"}, {0x01021997, "9P"},   {0x73757245, "Coda"}};
    struct statfs fs;

    if (statfs(path, &fs) < 0)
        return err_set(e, "the history %s: %s", path, strerror(errno));
    for (size_t i = 0; i < sizeof far / sizeof *far; i++)
        if ((unsigned long)fs.f_type == far[i].magic)
            return err_set(e, "the history %s is on %s; SQLite needs a local disk", path,
                           far[i].name);
    return 0;
}

/* The file is there, for its owner and group, before SQLite sees it: its log
 * gets the same rights. */
static int make_file(const char *path, struct err *e)
{
    int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0640);
    struct stat st;

    if (fd < 0)
        return err_set(e, "cannot open the history %s: %s", path, strerror(errno));
    int rc = fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)
                 ? err_set(e, "the history %s is not a regular file", path)
                 : check_file_system(path, e);
    close(fd);
    return rc;
}

static int version_of(struct history *h, int *version, struct err *e)
{
    sqlite3_stmt *s = NULL;
    int rc = sqlite3_prepare_v2(h->db, "PRAGMA user_version", -1, &s, NULL);

    if (rc == SQLITE_OK && sqlite3_step(s) == SQLITE_ROW)
        *version = sqlite3_column_int(s, 0);
    else
        rc = SQLITE_ERROR;
    rc = rc == SQLITE_OK ? 0 : db_fail(h, e);
    sqlite3_finalize(s);
    if (rc == 0 && *version > HISTORY_VERSION)
        rc = err_set(e,
                     "the history %s is of version %d, this release reads up to %d: it was"
                     " written by a newer hpcai500",
                     h->path, *version, HISTORY_VERSION);
    return rc;
}

/* All missing steps in one transaction: a file is of one version. Another
 * writer may have done it while we waited. */
static int migrate(struct history *h, struct err *e)
{
    char sql[64];
    int version;

    if (version_of(h, &version, e) < 0)
        return -1;
    if (version == HISTORY_VERSION)
        return 0;
    if (db_exec(h, "BEGIN IMMEDIATE", e) < 0)
        return -1;
    int rc = version_of(h, &version, e);
    for (int i = version < 0 ? 0 : version; rc == 0 && i < HISTORY_VERSION; i++)
        rc = db_exec(h, history_steps[i], e);
    snprintf(sql, sizeof sql, "PRAGMA user_version = %d", HISTORY_VERSION);
    if (rc == 0 && (rc = db_exec(h, sql, e)) == 0)
        rc = db_exec(h, "COMMIT", e);
    if (rc < 0)
        sqlite3_exec(h->db, "ROLLBACK", NULL, NULL, NULL);
    return rc;
}

/* The log stays when the last one closes: who may only read the folder could
 * not make it. */
static int set_up_writer(struct history *h, struct err *e)
{
    int persist = 1;

    sqlite3_file_control(h->db, NULL, SQLITE_FCNTL_PERSIST_WAL, &persist);
    return db_exec(h,
                   "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                   "PRAGMA secure_delete = ON; PRAGMA foreign_keys = ON;"
                   "PRAGMA journal_size_limit = 67108864; PRAGMA cache_size = -16000;"
                   "PRAGMA temp_store = MEMORY", /* no file in a TMPDIR that is full */
                   e) < 0
               ? -1
               : migrate(h, e);
}

static int set_up_reader(struct history *h, struct err *e)
{
    int version;

    if (db_exec(h,
                "PRAGMA query_only = ON; PRAGMA cache_size = -16000; PRAGMA mmap_size = 2147418112",
                e) < 0 ||
        version_of(h, &version, e) < 0)
        return -1;
    if (version < HISTORY_VERSION)
        return err_set(e,
                       "the history %s is of version %d, older than this release: hpcai500"
                       " collect --once brings it to %d",
                       h->path, version, HISTORY_VERSION);
    return 0;
}

void db_uri(const struct history *h, char uri[DB_URI_SIZE])
{
    size_t n = (size_t)snprintf(uri, DB_URI_SIZE, "file:");

    for (const char *c = h->path; *c; c++)
        n += (size_t)snprintf(uri + n, DB_URI_SIZE - n, strchr("%?#", *c) ? "%%%02x" : "%c",
                              (unsigned char)*c);
    snprintf(uri + n, DB_URI_SIZE - n, "?mode=ro%s", h->frozen ? "&immutable=1" : "");
}

static struct history *open_as(const char *path, bool writer, bool frozen, struct archive *archive,
                               struct err *e)
{
    struct history *h = calloc(1, sizeof *h);
    int flags = writer ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY | SQLITE_OPEN_URI;
    char uri[DB_URI_SIZE];

    if (!h) {
        err_set(e, "the history %s: out of memory", path);
        return NULL;
    }
    snprintf(h->path, sizeof h->path, "%s", path);
    h->writer = writer;
    h->frozen = frozen;
    h->archive = archive;
    db_uri(h, uri);
    int rc =
        sqlite3_open_v2(writer ? path : uri, &h->db, flags | SQLITE_OPEN_NOMUTEX, NULL) == SQLITE_OK
            ? 0
            : err_set(e, "cannot open the history %s: %s", path,
                      h->db ? sqlite3_errmsg(h->db) : "out of memory");
    if (rc == 0) {
        sqlite3_busy_timeout(h->db, BUSY_MILLISECONDS);
        sqlite3_extended_result_codes(h->db, 0);
        sqlite3_db_config(h->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
        sqlite3_db_config(h->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
        rc = writer ? set_up_writer(h, e) : set_up_reader(h, e);
    }
    if (rc == 0)
        return h;
    history_close(h);
    return NULL;
}

struct history *history_open_writer(const char *path, struct archive *archive, struct err *e)
{
    return make_file(path, e) < 0 ? NULL : open_as(path, true, false, archive, e);
}

/* The file that stands beside the history, by its suffix. */
static int beside(const char *path, const char *suffix, struct stat *st)
{
    char name[PATH_MAX];

    if (snprintf(name, sizeof name, "%s%s", path, suffix) >= PATH_MAX) {
        errno = ENAMETOOLONG;
        return -1;
    }
    return stat(name, st);
}

/* Whether a file may be made in the folder of path. */
static bool can_make_beside(const char *path)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');

    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path) + 1 : 1,
             slash ? path : ".");
    return access(folder, W_OK | X_OK) == 0;
}

/* SQLite needs the log's index (-shm) to read, and makes it when it is missing.
 * Where it cannot (a backup, a read-only mount), a history without a log is whole
 * and nobody writes it: *frozen. One with a log is more than its file. */
static int check_log(const char *path, bool *frozen, struct err *e)
{
    struct stat log, index;
    bool has_log = beside(path, "-wal", &log) == 0 && log.st_size > 0;

    *frozen = false;
    if (beside(path, "-shm", &index) == 0 || can_make_beside(path))
        return 0;
    *frozen = !has_log;
    return !has_log
               ? 0
               : err_set(e,
                         "the history %s has a log (%s-wal) without its index (-shm), and none can"
                         " be made there: copy both files into a folder that you may write",
                         path, path);
}

struct history *history_open_reader(const char *path, struct err *e)
{
    struct stat st;
    bool frozen;

    if (stat(path, &st) < 0 && errno != EACCES) {
        int why = errno;
        err_set(e, "no history at %s: %s", path, strerror(why));
        errno = why;
        return NULL;
    }
    if (access(path, R_OK) < 0) {
        err_set(e, "you may not read the history %s", path);
        errno = EACCES;
        return NULL;
    }
    if (check_log(path, &frozen, e) < 0) {
        errno = EROFS;
        return NULL;
    }
    struct history *h = open_as(path, false, frozen, NULL, e);
    errno = h ? errno : EIO;
    return h;
}

void history_close(struct history *h)
{
    int why = errno;

    if (!h)
        return;
    for (int i = 0; i < DB_COUNT; i++)
        sqlite3_finalize(h->statements[i]);
    sqlite3_close(h->db);
    free(h->stale);
    free(h);
    errno = why;
}

/* First row of a check that is not "ok" is the complaint. */
static int check(struct history *h, const char *sql, const char *what, struct err *e)
{
    sqlite3_stmt *s = NULL;
    int rc = sqlite3_prepare_v2(h->db, sql, -1, &s, NULL) == SQLITE_OK ? 0 : db_fail(h, e);

    if (rc == 0 && (rc = db_step(h, s, e)) > 0)
        rc = strcmp(db_text(s, 0), "ok") == 0
                 ? 0
                 : err_set(e, "the history %s is damaged: %s%s", h->path, what, db_text(s, 0));
    sqlite3_finalize(s);
    return rc;
}

int history_check(struct history *h, struct err *e)
{
    if (check(h, "PRAGMA integrity_check(1)", "", e) < 0)
        return -1;
    return check(h, "PRAGMA foreign_key_check", "a row without its run in ", e);
}

/* ---- transactions ---- */

void db_stale(struct history *h, const char *place)
{
    if (!h->archive)
        return;
    if (!h->in_batch) {
        archive_remove(h->archive, place, NULL);
        return;
    }
    void *more = realloc(h->stale, (size_t)(h->n_stale + 1) * sizeof *h->stale);
    if (!more) /* a file too many is left over: harmless */
        return;
    h->stale = more;
    snprintf(h->stale[h->n_stale++], sizeof *h->stale, "%s", place);
}

int history_begin(struct history *h, struct err *e)
{
    if (db_exec(h, "BEGIN IMMEDIATE", e) < 0)
        return -1;
    h->in_batch = true;
    if (h->archive)
        archive_begin(h->archive);
    return 0;
}

int history_commit(struct history *h, struct err *e)
{
    if ((h->archive && archive_commit(h->archive, e) < 0) || db_exec(h, "COMMIT", e) < 0) {
        history_rollback(h);
        return -1;
    }
    h->in_batch = false;
    for (int i = 0; i < h->n_stale; i++)
        archive_remove(h->archive, h->stale[i], NULL);
    h->n_stale = 0;
    return 0;
}

void history_rollback(struct history *h)
{
    sqlite3_exec(h->db, "ROLLBACK", NULL, NULL, NULL);
    if (h->archive)
        archive_rollback(h->archive);
    h->in_batch = false;
    h->n_stale = 0;
}

/* ---- names ---- */

int history_names(struct history *h, enum history_kind kind,
                  void (*fn)(void *ctx, const char *name), void *ctx, struct err *e)
{
    sqlite3_stmt *s = db_bind(h, DB_NAMES, e, "i", (long long)kind);
    int rc;

    while ((rc = db_step(h, s, e)) > 0)
        fn(ctx, db_text(s, 0));
    return rc;
}

/* ---- the outbox ---- */

static void outbox_row(sqlite3_stmt *s, struct history_outbox *o)
{
    *o = (struct history_outbox){.id = sqlite3_column_int64(s, 0),
                                 .job = (long)sqlite3_column_int64(s, 2),
                                 .array_task = (long)sqlite3_column_int64(s, 3),
                                 .het_offset = (long)sqlite3_column_int64(s, 4),
                                 .begin = sqlite3_column_int64(s, 5),
                                 .tries = sqlite3_column_int(s, 6),
                                 .due = sqlite3_column_int64(s, 7),
                                 .restart = sqlite3_column_int(s, 9)};
    snprintf(o->cluster, sizeof o->cluster, "%s", db_text(s, 1));
    snprintf(o->text, sizeof o->text, "%s", db_text(s, 8));
}

int history_outbox_due(struct history *h, int64_t now, struct history_outbox *out, int n,
                       struct err *e)
{
    sqlite3_stmt *s = db_bind(h, DB_OUTBOX_DUE, e, "ii", (long long)now, (long long)n);
    int rc = 0, found = 0;

    while (found < n && (rc = db_step(h, s, e)) > 0)
        outbox_row(s, &out[found++]);
    if (s)
        sqlite3_reset(s);
    return rc < 0 ? -1 : found;
}

int history_outbox_done(struct history *h, const struct history_outbox *o, struct err *e)
{
    return db_run(h, db_bind(h, DB_OUTBOX_DONE, e, "it", (long long)o->id, o->text), e);
}

int history_outbox_failed(struct history *h, const struct history_outbox *o, int64_t now,
                          const char *why, struct err *e)
{
    long long minutes = o->tries < 6 ? 1 << o->tries : OUTBOX_MOST_MINUTES;

    return db_run(h,
                  db_bind(h, DB_OUTBOX_FAILED, e, "itit", (long long)o->id, o->text,
                          (long long)now + 60 * minutes, why),
                  e);
}

int history_outbox_size(struct history *h, long *waiting, int64_t *since, struct err *e)
{
    sqlite3_stmt *s = db_bind(h, DB_OUTBOX_SIZE, e, "");

    if (db_step(h, s, e) <= 0)
        return -1;
    *waiting = (long)sqlite3_column_int64(s, 0);
    *since = sqlite3_column_int64(s, 1);
    sqlite3_reset(s);
    return 0;
}
