/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Asking and forgetting.
 *
 * A question has two halves. The inner one finds the newest parts (and
 * values) that the filter lets through, by walking one index from its newest
 * end; the outer one reads what a row shows. Which index is walked is decided
 * by counting, up to a bound, how many entries each filter would leave:
 * SQLite knows no counts of single users or nodes.
 */
#include <config.h>

#include "reports/history/history.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reports/history/history_db.h"

enum { COUNT_MOST = 20000, SQL_SIZE = 4096 };

/* ---- the filter, by ids ---- */

struct wanted {
    long long cluster, node, workload, metric, user; /* 0: any */
    bool witnessed;
    bool nothing; /* a name that the history does not know */
    long long job, array_task, het_offset, restart, since, until, limit;
    const char *key, *step;
};

static int resolve(struct history *h, const struct history_filter *f, struct wanted *w,
                   struct err *e)
{
    const struct {
        enum history_kind kind;
        const char *text;
        long long *id;
    } names[] = {{HISTORY_CLUSTERS, f->cluster, &w->cluster},
                 {HISTORY_NODES, f->node, &w->node},
                 {HISTORY_WORKLOADS, f->workload, &w->workload},
                 {HISTORY_METRICS, f->metric, &w->metric},
                 {HISTORY_USERS, f->user, &w->user}};

    *w = (struct wanted){.job = f->job > 0 ? f->job : 0,
                         .array_task = f->array_task,
                         .het_offset = f->het_offset,
                         .restart = f->restart,
                         .step = f->step,
                         .since = f->since ? f->since : INT64_MIN,
                         .until = f->until ? f->until : INT64_MAX,
                         .limit = f->limit > 0 ? f->limit : -1,
                         .witnessed = f->witnessed,
                         .key = f->key};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (!names[i].text)
            continue;
        *names[i].id = db_name(h, names[i].kind, names[i].text, false, e);
        if (*names[i].id < 0)
            return -1;
        w->nothing |= *names[i].id == 0;
    }
    return 0;
}

/* Binds each :name that the statement has. */
static int bind_wanted(struct history *h, sqlite3_stmt *s, const struct wanted *w, struct err *e)
{
    const struct {
        const char *name;
        long long v;
    } numbers[] = {{":cluster", w->cluster},
                   {":node", w->node},
                   {":workload", w->workload},
                   {":metric", w->metric},
                   {":user", w->user},
                   {":job", w->job},
                   {":array_task", w->array_task},
                   {":het_offset", w->het_offset},
                   {":restart", w->restart},
                   {":since", w->since},
                   {":until", w->until},
                   {":limit", w->limit}};
    int rc = SQLITE_OK;

    for (size_t i = 0; rc == SQLITE_OK && i < sizeof numbers / sizeof *numbers; i++) {
        int at = sqlite3_bind_parameter_index(s, numbers[i].name);
        rc = at ? sqlite3_bind_int64(s, at, numbers[i].v) : SQLITE_OK;
    }
    int at = sqlite3_bind_parameter_index(s, ":key");
    if (rc == SQLITE_OK && at)
        rc = sqlite3_bind_text(s, at, w->key, -1, SQLITE_TRANSIENT);
    at = sqlite3_bind_parameter_index(s, ":step");
    if (rc == SQLITE_OK && at)
        rc = sqlite3_bind_text(s, at, w->step, -1, SQLITE_TRANSIENT);
    return rc == SQLITE_OK ? 0 : db_fail(h, e);
}

/* ---- which index to walk ---- */

enum walk {
    WALK_TIME,
    WALK_KEY,
    WALK_JOB,
    WALK_NODE,
    WALK_USER,
    WALK_WORKLOAD,
    WALK_METRIC, /* of one workload: in order */
    WALK_METRICS /* of any: to be sorted */
};

/* Said as the partial indices say it. */
#define JOB_IS                                                                                     \
    "(r.job = :job OR (r.array_job = :job AND r.array_job > 0)"                                    \
    " OR (r.het_job = :job AND r.het_job > 0))"
#define VALUES                                                                                     \
    " CROSS JOIN metric m ON m.name = :metric AND m.workload = p.workload"                         \
    " CROSS JOIN value v ON v.part = p.id AND v.metric = m.id"
#define OF_METRIC  "v.metric = (SELECT id FROM metric WHERE name = :metric AND workload = :workload)"
#define OF_VALUES  "value v CROSS JOIN part p ON p.id = v.part CROSS JOIN run r ON r.id = p.run"
#define OF_METRICS "v.metric IN (SELECT id FROM metric WHERE name = :metric)"

/* How each walk reads: tables in the order of the loops, the newest first by
 * `begin`; count: how many entries it has, at most COUNT_MOST. */
static const struct {
    const char *from, *begin, *count;
    bool has_value;
} walks[] = {
    [WALK_TIME] = {"part p CROSS JOIN run r ON r.id = p.run", "p.begin", NULL, false},
    [WALK_KEY] = {"run r CROSS JOIN part p ON p.run = r.id", "r.begin", NULL, false},
    [WALK_JOB] = {"run r CROSS JOIN part p ON p.run = r.id", "r.begin", NULL, false},
    [WALK_NODE] = {"on_node o CROSS JOIN run r ON r.id = o.run CROSS JOIN part p ON p.run = r.id",
                   "o.begin",
                   "on_node o WHERE o.node = :node AND o.begin >= :since AND o.begin < :until",
                   false},
    [WALK_USER] = {"run r CROSS JOIN part p ON p.run = r.id", "r.begin",
                   "run r WHERE r.user = :user AND r.begin >= :since AND r.begin < :until", false},
    [WALK_WORKLOAD] = {"part p CROSS JOIN run r ON r.id = p.run", "p.begin",
                       "part p WHERE p.workload = :workload AND p.begin >= :since"
                       " AND p.begin < :until",
                       false},
    [WALK_METRIC] = {OF_VALUES, "v.begin",
                     "value v WHERE " OF_METRIC " AND v.begin >= :since AND v.begin < :until",
                     true},
    [WALK_METRICS] = {OF_VALUES, "v.begin",
                      "value v WHERE " OF_METRICS " AND v.begin >= :since AND v.begin < :until",
                      true},
};

static int count_walk(struct history *h, enum walk walk, const struct wanted *w, long long *count,
                      struct err *e)
{
    char sql[SQL_SIZE];
    sqlite3_stmt *s = NULL;

    snprintf(sql, sizeof sql, "SELECT count(*) FROM (SELECT 1 FROM %s LIMIT %d)", walks[walk].count,
             COUNT_MOST);
    int rc = sqlite3_prepare_v2(h->db, sql, -1, &s, NULL) == SQLITE_OK ? bind_wanted(h, s, w, e)
                                                                       : db_fail(h, e);
    if (rc == 0 && (rc = db_step(h, s, e)) > 0) {
        *count = sqlite3_column_int64(s, 0);
        rc = 0;
    }
    sqlite3_finalize(s);
    return rc;
}

static int choose(struct history *h, const struct wanted *w, enum walk *walk, struct err *e)
{
    const struct {
        enum walk walk;
        bool can;
    } order[] = {{WALK_NODE, w->node},
                 {WALK_USER, w->user},
                 {WALK_METRIC, w->metric && w->workload},
                 {WALK_METRICS, w->metric && !w->workload},
                 {WALK_WORKLOAD, w->workload && !w->metric}};
    long long least = -1, count = 0;

    *walk = w->key ? WALK_KEY : w->job ? WALK_JOB : WALK_TIME;
    if (*walk != WALK_TIME)
        return 0;
    for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
        if (!order[i].can)
            continue;
        if (count_walk(h, order[i].walk, w, &count, e) < 0)
            return -1;
        if (least < 0 || count < least) {
            least = count;
            *walk = order[i].walk;
        }
    }
    if (*walk == WALK_METRICS && least >= COUNT_MOST)
        *walk = WALK_TIME; /* most runs have it: no sorting of them all */
    return 0;
}

/* ---- the question ---- */

/* A condition stands in the inner half when its filter is set. */
static void conditions(char *sql, size_t size, const struct wanted *w, enum walk walk)
{
    const struct {
        bool set;
        const char *text;
    } all[] = {
        {w->key, " AND r.key = :key"},
        {w->job, " AND " JOB_IS},
        {w->array_task >= 0, " AND r.array_task = :array_task"},
        {w->het_offset >= 0, " AND r.het_offset = :het_offset"},
        {w->restart >= 0, " AND r.restart = :restart"},
        {w->step[0], " AND r.step = :step"},
        {w->cluster, " AND r.cluster = :cluster"},
        {w->user, " AND r.user = :user"},
        {w->witnessed, " AND r.witnessed"},
        {w->workload, " AND p.workload = :workload"},
        {w->node && walk == WALK_NODE, " AND o.node = :node"},
        {w->node && walk != WALK_NODE,
         " AND EXISTS (SELECT 1 FROM on_node o WHERE o.run = r.id AND o.node = :node)"},
        {walk == WALK_METRIC, " AND " OF_METRIC},
        {walk == WALK_METRICS, " AND " OF_METRICS},
        {w->metric && w->node, " AND v.node IN (0, :node)"},
    };
    size_t n = strlen(sql);

    n += (size_t)snprintf(sql + n, size - n, " WHERE %s >= :since AND %s < :until",
                          walks[walk].begin, walks[walk].begin);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i].set)
            n += (size_t)snprintf(sql + n, size - n, "%s", all[i].text);
}

static void write_sql(char sql[SQL_SIZE], const struct wanted *w, enum walk walk)
{
    snprintf(sql, SQL_SIZE, "WITH pick AS (SELECT p.id AS part, %s, %s AS begin FROM %s%s",
             w->metric ? "v.metric AS metric, v.node AS node" : "0 AS metric, 0 AS node",
             walks[walk].begin, walks[walk].from,
             w->metric && !walks[walk].has_value ? VALUES : "");
    conditions(sql, SQL_SIZE, w, walk);
    size_t n = strlen(sql);
    snprintf(
        sql + n, SQL_SIZE - n,
        " ORDER BY %s DESC LIMIT :limit)"
        " SELECT r.key, c.text, r.step, u.text, r.account, r.partition, r.asked, r.archive,"
        " r.sha256, r.seen,"
        " r.nodes, r.n_nodes, r.job, r.array_job, r.array_task, r.het_job, r.het_offset, r.uid,"
        " r.restart, r.begin, r.end, r.status, r.valid, r.witnessed, p.position, w.text, p.class,"
        " p.engine, p.dtype, p.origin, p.ranks, p.threads, p.batch, p.status, p.valid,"
        " p.samples_per_second, p.quality, p.time_to_quality_seconds, p.flop_per_second,"
        " p.quality_metric, p.cause, p.cause_node, p.suspect, p.verdict, p.why, p.next,"
        " k.text, t.text, v.value"
        " FROM pick CROSS JOIN part p ON p.id = pick.part CROSS JOIN run r ON r.id = p.run"
        " LEFT JOIN name c ON c.id = r.cluster LEFT JOIN name u ON u.id = r.user"
        " LEFT JOIN name w ON w.id = p.workload LEFT JOIN metric m ON m.id = pick.metric"
        " LEFT JOIN name k ON k.id = m.name LEFT JOIN name t ON t.id = pick.node"
        " LEFT JOIN value v ON v.part = pick.part AND v.metric = pick.metric"
        " AND v.node = pick.node"
        " ORDER BY pick.begin, r.id, p.position, pick.node",
        walks[walk].begin);
}

struct history_query {
    struct history *h;
    sqlite3_stmt *s; /* NULL: no row can be */
};

struct history_query *history_ask(struct history *h, const struct history_filter *f, struct err *e)
{
    struct wanted w;
    enum walk walk;
    char sql[SQL_SIZE];
    struct history_query *q = calloc(1, sizeof *q);

    if (!q) {
        err_set(e, "out of memory");
        return NULL;
    }
    q->h = h;
    if (resolve(h, f, &w, e) < 0)
        goto failed;
    if (w.nothing)
        return q;
    if (choose(h, &w, &walk, e) < 0)
        goto failed;
    write_sql(sql, &w, walk);
    if (sqlite3_prepare_v2(h->db, sql, -1, &q->s, NULL) != SQLITE_OK) {
        db_fail(h, e);
        goto failed;
    }
    if (bind_wanted(h, q->s, &w, e) == 0)
        return q;
failed:
    history_done(q);
    return NULL;
}

int history_next(struct history_query *q, struct history_row *row, struct err *e)
{
    sqlite3_stmt *s = q->s;
    int rc = s ? db_step(q->h, s, e) : 0;
    int c = 0;

    if (rc <= 0) {
        sqlite3_finalize(s);
        q->s = NULL;
        return rc;
    }
#define TEXT()    db_text(s, c++)
#define INTEGER() sqlite3_column_int64(s, c++)
#define REAL()    db_real(s, c++)
    *row = (struct history_row){.key = TEXT()}; /* members in the order of the columns */
    row->cluster = TEXT();
    row->step = TEXT();
    row->user = TEXT();
    row->account = TEXT();
    row->partition = TEXT();
    row->asked = TEXT();
    row->archive = TEXT();
    row->sha256 = TEXT();
    row->seen = TEXT();
    row->nodes = TEXT();
    row->n_nodes = (int)INTEGER();
    row->job = (long)INTEGER();
    row->array_job = (long)INTEGER();
    row->array_task = (long)INTEGER();
    row->het_job = (long)INTEGER();
    row->het_offset = (long)INTEGER();
    row->uid = (long)INTEGER();
    row->restart = (int)INTEGER();
    row->begin = INTEGER();
    row->end = INTEGER();
    row->status = (int)INTEGER();
    row->valid = INTEGER() != 0;
    row->witnessed = INTEGER() != 0;
    row->position = (int)INTEGER();
    row->workload = TEXT();
    row->class_name = TEXT();
    row->engine = TEXT();
    row->dtype = TEXT();
    row->origin = TEXT();
    row->ranks = (int)INTEGER();
    row->threads = (int)INTEGER();
    row->batch = (long)INTEGER();
    row->workload_status = (int)INTEGER();
    row->workload_valid = INTEGER() != 0;
    row->samples_per_second = REAL();
    row->quality = REAL();
    row->time_to_quality_seconds = REAL();
    row->flop_per_second = REAL();
    row->quality_metric = TEXT();
    row->cause = TEXT();
    row->cause_node = TEXT();
    row->suspect = TEXT();
    row->verdict = TEXT();
    row->why = TEXT();
    row->next = TEXT();
    row->metric = TEXT();
    row->metric_node = TEXT();
    row->value = REAL();
    return 1;
}

void history_done(struct history_query *q)
{
    if (q)
        sqlite3_finalize(q->s);
    free(q);
}

/* ---- forgetting ---- */

/* The runs to forget, and the names that only they may use. */
static int mark(struct history *h, const struct wanted *w, struct err *e)
{
    char sql[SQL_SIZE];
    sqlite3_stmt *s = NULL;

    if (db_exec(h, "CREATE TEMP TABLE gone (run INTEGER PRIMARY KEY, archive TEXT)", e) < 0)
        return -1;
    snprintf(sql, sizeof sql,
             "INSERT INTO temp.gone SELECT r.id, r.archive FROM run r WHERE 1%s%s%s%s%s%s%s%s",
             w->user ? " AND r.user = :user" : "", w->job ? " AND " JOB_IS : "",
             w->cluster ? " AND r.cluster = :cluster" : "", w->key ? " AND r.key = :key" : "",
             w->array_task >= 0 ? " AND r.array_task = :array_task" : "",
             w->het_offset >= 0 ? " AND r.het_offset = :het_offset" : "",
             w->restart >= 0 ? " AND r.restart = :restart" : "",
             w->step[0] ? " AND r.step = :step" : "");
    int rc = sqlite3_prepare_v2(h->db, sql, -1, &s, NULL) == SQLITE_OK ? bind_wanted(h, s, w, e)
                                                                       : db_fail(h, e);
    rc = rc < 0 ? rc : db_run(h, s, e);
    sqlite3_finalize(s);
    return rc;
}

static int unlink_marked(struct history *h, struct err *e)
{
    sqlite3_stmt *s = NULL;
    int rc = sqlite3_prepare_v2(h->db, "SELECT archive FROM temp.gone WHERE archive <> ''", -1, &s,
                                NULL) == SQLITE_OK
                 ? 0
                 : db_fail(h, e);

    while (rc == 0 && (rc = db_step(h, s, e)) > 0)
        rc = archive_remove(h->archive, db_text(s, 0), e);
    sqlite3_finalize(s);
    return rc;
}

/* Names are words of users too: those that no run uses any more go. */
static const char delete_marked[] =
    "CREATE TEMP TABLE word (id INTEGER PRIMARY KEY);"
    "INSERT OR IGNORE INTO temp.word SELECT user FROM run WHERE id IN (SELECT run FROM temp.gone);"
    "INSERT OR IGNORE INTO temp.word SELECT cluster FROM run WHERE id IN"
    " (SELECT run FROM temp.gone);"
    "INSERT OR IGNORE INTO temp.word SELECT node FROM on_node WHERE run IN"
    " (SELECT run FROM temp.gone);"
    "INSERT OR IGNORE INTO temp.word SELECT p.workload FROM temp.gone g JOIN part p"
    " ON p.run = g.run;"
    "CREATE TEMP TABLE number (id INTEGER PRIMARY KEY);"
    "INSERT OR IGNORE INTO temp.number SELECT v.metric FROM temp.gone g JOIN part p"
    " ON p.run = g.run JOIN value v ON v.part = p.id;"
    "INSERT OR IGNORE INTO temp.word SELECT name FROM metric WHERE id IN"
    " (SELECT id FROM temp.number);"
    "DELETE FROM outbox WHERE EXISTS (SELECT 1 FROM run r JOIN name c ON c.id = r.cluster"
    "  WHERE r.id IN (SELECT run FROM temp.gone) AND r.job = outbox.job"
    "  AND c.text = outbox.cluster);"
    "DELETE FROM run WHERE id IN (SELECT run FROM temp.gone);"
    "DELETE FROM metric WHERE id IN (SELECT id FROM temp.number)"
    " AND NOT EXISTS (SELECT 1 FROM value v WHERE v.metric = metric.id);"
    "DELETE FROM name WHERE id IN (SELECT id FROM temp.word) AND NOT CASE kind"
    " WHEN 0 THEN EXISTS (SELECT 1 FROM part p WHERE p.workload = name.id)"
    " WHEN 1 THEN EXISTS (SELECT 1 FROM metric m WHERE m.name = name.id)"
    " WHEN 2 THEN EXISTS (SELECT 1 FROM on_node o WHERE o.node = name.id)"
    " WHEN 3 THEN EXISTS (SELECT 1 FROM run r WHERE r.user = name.id)"
    " ELSE EXISTS (SELECT 1 FROM run r WHERE r.cluster = name.id) END";

static long count_marked(struct history *h)
{
    sqlite3_stmt *s = NULL;
    long n = -1;

    if (sqlite3_prepare_v2(h->db, "SELECT count(*) FROM temp.gone", -1, &s, NULL) == SQLITE_OK &&
        sqlite3_step(s) == SQLITE_ROW)
        n = (long)sqlite3_column_int64(s, 0);
    sqlite3_finalize(s);
    return n;
}

/* What is deleted is overwritten by zeros in the file (secure_delete); the
 * log still has it until it is emptied, which no reader may hold up. */
static int empty_log(struct history *h, struct err *e)
{
    int pages = 0, done = 0;

    if (sqlite3_wal_checkpoint_v2(h->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, &pages, &done) ==
        SQLITE_OK)
        return 0;
    return err_set(e,
                   "forgotten, but a reader still holds the log of %s, which has the old rows;"
                   " run it again",
                   h->path);
}

static const char drop_marked[] = "DROP TABLE IF EXISTS temp.gone; DROP TABLE IF EXISTS temp.word;"
                                  "DROP TABLE IF EXISTS temp.number";

long history_forget(struct history *h, const struct history_filter *f, struct err *e)
{
    struct wanted w;
    long n = -1;

    if (!f->user && f->job <= 0 && !f->key)
        return err_set(e, "name a user, a job or a run to forget");
    if (resolve(h, f, &w, e) < 0)
        return -1;
    if (w.nothing)
        return empty_log(h, e) < 0 ? -1 : 0;
    if (db_exec(h, "BEGIN IMMEDIATE", e) < 0)
        return -1;
    int rc = mark(h, &w, e);
    if (rc == 0 && h->archive)
        rc = unlink_marked(h, e);
    if (rc == 0 && (n = count_marked(h)) < 0)
        rc = db_fail(h, e);
    if (rc == 0)
        rc = db_exec(h, delete_marked, e);
    if (rc == 0)
        rc = db_exec(h, "COMMIT", e);
    if (rc < 0)
        sqlite3_exec(h->db, "ROLLBACK", NULL, NULL, NULL);
    sqlite3_exec(h->db, drop_marked, NULL, NULL, NULL);
    if (rc == 0)
        rc = empty_log(h, e);
    return rc < 0 ? -1 : n;
}
