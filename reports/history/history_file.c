/* SPDX-License-Identifier: BSD-3-Clause */
/* Filing: from a record and what root saw to rows and a place in the archive. */
#include <config.h>

#include "reports/history/history.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reports/record/even.h"
#include "reports/record/fields.h"
#include "reports/history/history_db.h"
#include "reports/core/sha256.h"

enum {
    MAX_COUNTERS = 96, /* of one workload; a record is a user's word */
    MAX_PARTS = 256,
    SHOWN_NODES = 8,
    NODES_TEXT = SHOWN_NODES * RECORD_NAME_SIZE + 8,
    WHY_TEXT = 512,  /* as in struct record_why */
    GRADE_SHIFT = 20 /* below it: how many ranks a partial record knows */
};

/* ---- which of two is better ---- */

/* Witnessed before claimed, complete before partial before crashed before
 * none; of two that are not complete the one that knows more ranks. */
static long long grade_of(const struct history_run *run, const cJSON *doc)
{
    static const int order[] = {
        [RUN_COMPLETE] = 3, [RUN_PARTIAL] = 2, [RUN_CRASHED] = 1, [HISTORY_NONE] = 0};
    long long known = 0;
    const cJSON *w;

    if (run->status == RUN_PARTIAL || run->status == RUN_CRASHED)
        cJSON_ArrayForEach(w, json_at(doc, "workloads")) known +=
            json_integer(w, "ranks_known", 0, 1 << 16, 0);
    if (known >= 1 << GRADE_SHIFT)
        known = (1 << GRADE_SHIFT) - 1;
    return ((long long)(run->witnessed * 4 + order[run->status]) << GRADE_SHIFT) + known;
}

struct standing {
    sqlite3_int64 id; /* 0: nothing is there */
    long long grade;
    char sha256[SHA256_HEX_SIZE];
    char place[ARCHIVE_PLACE_SIZE];
};

static int find_standing(struct history *h, const char *key, struct standing *s, struct err *e)
{
    sqlite3_stmt *q = db_bind(h, DB_RUN_FIND, e, "t", key);
    int rc = db_step(h, q, e);

    *s = (struct standing){.id = 0};
    if (rc <= 0)
        return rc;
    s->id = sqlite3_column_int64(q, 0);
    s->grade = sqlite3_column_int64(q, 1);
    snprintf(s->sha256, sizeof s->sha256, "%s", db_text(q, 2));
    snprintf(s->place, sizeof s->place, "%s", db_text(q, 3));
    sqlite3_reset(q);
    return 0;
}

/* ---- rows ---- */

struct filing {
    struct history *h;
    const struct history_run *run;
    const struct history_record *record;
    char key[HISTORY_KEY_SIZE], sha256[SHA256_HEX_SIZE], place[ARCHIVE_PLACE_SIZE];
    long long grade;
    sqlite3_int64 cluster, run_id;
    struct err *e;
};

static void list_nodes(const struct history_run *run, char text[NODES_TEXT])
{
    size_t n = 0;

    text[0] = '\0';
    for (int i = 0; i < run->n_nodes && i < SHOWN_NODES; i++)
        n += (size_t)snprintf(text + n, NODES_TEXT - n, "%s%.*s", i ? "," : "",
                              RECORD_NAME_SIZE - 1, run->nodes[i]);
    if (run->n_nodes > SHOWN_NODES)
        snprintf(text + n, NODES_TEXT - n, ",...");
}

static int add_run(struct filing *f)
{
    const struct history_run *r = f->run;
    char nodes[NODES_TEXT];
    sqlite3_int64 user = db_name(f->h, HISTORY_USERS, r->user, true, f->e);

    list_nodes(r, nodes);
    if (user < 0)
        return -1;
    /* clang-format off */
    int rc = db_run(f->h, db_bind(f->h, DB_RUN_ADD, f->e, "titi" "iiiii" "itii" "ttti" "iiiiittt",
        f->key, f->grade, f->sha256, (long long)f->cluster,
        (long long)r->job, (long long)r->array_job, (long long)r->array_task, (long long)r->het_job,
        (long long)r->het_offset,
        (long long)r->restart, r->step, (long long)r->uid, (long long)user,
        r->account, r->partition, nodes, (long long)r->n_nodes,
        (long long)r->begin, (long long)r->end, (long long)r->status, (long long)r->valid,
        (long long)r->witnessed, r->asked, f->place,
        f->record->seen ? f->record->seen : ""), f->e);
    /* clang-format on */
    f->run_id = sqlite3_last_insert_rowid(f->h->db);
    return rc;
}

static int add_nodes(struct filing *f)
{
    for (int i = 0; i < f->run->n_nodes; i++) {
        sqlite3_int64 node = db_name(f->h, HISTORY_NODES, f->run->nodes[i], true, f->e);
        if (node < 0 || db_run(f->h,
                               db_bind(f->h, DB_NODE_ADD, f->e, "iii", (long long)node,
                                       (long long)f->run->begin, (long long)f->run_id),
                               f->e) < 0)
            return -1;
    }
    return 0;
}

/* ---- numbers ---- */

/* A part that is being filed. */
struct part {
    struct filing *f;
    sqlite3_int64 id, workload;
    int rc;
};

static sqlite3_int64 metric_id(struct part *p, const char *name)
{
    struct history *h = p->f->h;
    sqlite3_int64 word = db_name(h, HISTORY_METRICS, name, true, p->f->e);
    sqlite3_stmt *s = word < 0 ? NULL
                               : db_bind(h, DB_METRIC_FIND, p->f->e, "ii", (long long)p->workload,
                                         (long long)word);
    int rc = db_step(h, s, p->f->e);
    sqlite3_int64 id = rc > 0 ? sqlite3_column_int64(s, 0) : rc;

    if (s)
        sqlite3_reset(s);
    if (rc != 0)
        return id;
    s = db_bind(h, DB_METRIC_ADD, p->f->e, "ii", (long long)p->workload, (long long)word);
    return db_run(h, s, p->f->e) < 0 ? -1 : sqlite3_last_insert_rowid(h->db);
}

/* A record's word on a node counts only where the run was: it must not write
 * into another node's history. */
static bool ran_on(const struct history_run *run, const char *node)
{
    for (int i = 0; i < run->n_nodes; i++)
        if (strcmp(run->nodes[i], node) == 0)
            return true;
    return false;
}

/* One number, of a node when there is a name. What is not finite is left out. */
static void add_value(struct part *p, const char *metric, const char *node, double v)
{
    struct filing *f = p->f;
    sqlite3_int64 where = 0;

    if (p->rc < 0 || !isfinite(v))
        return;
    if (node && !ran_on(f->run, node))
        return;
    if (node)
        where = db_name(f->h, HISTORY_NODES, node, true, f->e);
    sqlite3_int64 m = where < 0 ? -1 : metric_id(p, metric);
    p->rc = m < 0 ? -1
                  : db_run(f->h,
                           db_bind(f->h, DB_VALUE_ADD, f->e, "iiiir", (long long)p->id,
                                   (long long)m, (long long)where, (long long)f->run->begin, v),
                           f->e);
}

static const struct {
    const char *name, *path;
} plain_metrics[] = {
    {"samples_per_second", "performance.samples_per_second"},
    {"time_to_quality_seconds", "performance.time_to_quality_seconds"},
    {"flop_per_second", "performance.flop_per_second"},
    {"vflops_n5", "performance.vflops.n5"},
    {"vflops_n10", "performance.vflops.n10"},
    {"energy_joules", "performance.energy_joules"},
    {"cost", "performance.cost"},
    {"utilisation", "performance.utilisation"},
    {"stalled_seconds", "performance.stalls.stalled_seconds"},
    {"quality", "quality.achieved"},
    {"epochs_to_target", "quality.epochs_to_target"},
    {"wall_seconds", "wall_seconds"},
};

/* Speed at equal processor: samples in the time of one convolution of the yardstick, which is
 * the same for a workload, engine, precision and number of threads. */
static void add_even(struct part *p, const cJSON *w)
{
    add_value(p, "samples_per_yardstick", NULL,
              json_number(w, "performance.samples_per_second", NAN) *
                  json_number(w, "yardstick.cpu.mean_seconds", NAN));
}

/* Of each phase the median over ranks, and the slowest ranks at their nodes
 * (worst first: the first of a node is its own worst). */
static void add_phases(struct part *p, const cJSON *w)
{
    char path[64], metric[64];
    const cJSON *rank;

    for (int i = 0; i < PHASE_COUNT; i++) {
        const char *phase = phase_name((enum phase)i);
        snprintf(path, sizeof path, "phases.%s", phase);
        const cJSON *row = json_at(w, path);
        snprintf(metric, sizeof metric, "%s_seconds", phase);
        add_value(p, metric, NULL, json_number(row, "median_seconds", NAN));
        snprintf(metric, sizeof metric, "%s_max_seconds", phase);
        add_value(p, metric, NULL, json_number(row, "max_seconds", NAN));
        cJSON_ArrayForEach(rank, json_at(row, "worst"))
            add_value(p, metric, json_text(rank, "node", ""), json_number(rank, "seconds", NAN));
    }
}

/* What nodes computed to the others of this run at equal processor, of their slowest ranks. */
static void add_nodes_even(struct part *p, const cJSON *w)
{
    const cJSON *row;

    cJSON_ArrayForEach(row, json_at(w, "yardstick.of_slowest"))
    {
        const char *node = json_text(row, "node", "");
        add_value(p, "compute_at_equal_processor", node, even_computed_by_yardstick(w, node));
    }
}

static void add_counters(struct part *p, const cJSON *w)
{
    const cJSON *c;
    char metric[80];
    int n = 0;

    cJSON_ArrayForEach(c, json_at(w, "counters"))
    {
        size_t length = strlen(c->string);
        if (!cJSON_IsObject(c) || length > 48 ||
            strspn(c->string, "abcdefghijklmnopqrstuvwxyz0123456789_") != length ||
            ++n > MAX_COUNTERS)
            continue;
        snprintf(metric, sizeof metric, "counter_%s", c->string);
        add_value(p, metric, NULL, json_number(c, "total", NAN));
    }
}

/* Qualities beside the primary one. */
static void add_others(struct part *p, const cJSON *w)
{
    const cJSON *q;
    char metric[64];
    int n = 0;

    cJSON_ArrayForEach(q, json_at(w, "quality.others"))
    {
        const char *name = json_text(q, "name", "");
        if (metric_find(name) < 0 || n++ == RESULT_MAX_OTHERS)
            continue;
        snprintf(metric, sizeof metric, "quality_%s", name);
        add_value(p, metric, NULL, json_number(q, "value", NAN));
    }
}

/* ---- parts ---- */

struct part_head {
    const char *workload, *class_name, *engine, *dtype, *origin, *quality_metric;
    long ranks, threads, batch;
    int status;
    bool valid;
    double speed, quality, time_to_quality, flops;
    const char *cause, *cause_node, *suspect, *verdict, *why, *next; /* NULL: nothing is said */
};

/* A user's words, cut to what a word may be. */
static const char *word(const cJSON *o, const char *path, char buf[RECORD_NAME_SIZE])
{
    snprintf(buf, RECORD_NAME_SIZE, "%s", json_text(o, path, ""));
    return buf;
}

static const char *or_none(const char *text)
{
    return text ? text : "";
}

static int add_part(struct filing *f, int position, const struct part_head *a, struct part *p)
{
    *p = (struct part){.f = f};
    p->workload = db_name(f->h, HISTORY_WORKLOADS, a->workload, true, f->e);
    if (p->workload < 0)
        return p->rc = -1;
    /* clang-format off */
    p->rc = db_run(f->h, db_bind(f->h, DB_PART_ADD, f->e, "iiii" "tttt" "iiiii" "rrt" "rr" "tttttt",
        (long long)f->run_id, (long long)f->run->begin, (long long)position, (long long)p->workload,
        a->class_name, a->engine, a->dtype, a->origin,
        (long long)a->ranks, (long long)a->threads, (long long)a->batch, (long long)a->status,
        (long long)a->valid,
        a->speed, a->quality, a->quality_metric,
        a->time_to_quality, a->flops,
        or_none(a->cause), or_none(a->cause_node), or_none(a->suspect), or_none(a->verdict),
        or_none(a->why), or_none(a->next)), f->e);
    /* clang-format on */
    p->id = sqlite3_last_insert_rowid(f->h->db);
    return p->rc;
}

/* A sentence of a record: no longer than an agent writes it. */
static const char *sentence(const cJSON *o, const char *path, char buf[WHY_TEXT])
{
    snprintf(buf, WHY_TEXT, "%s", json_text(o, path, ""));
    return buf;
}

/* What limited its steps. Its node counts only where the run was, as in values. */
static void read_why(const struct filing *f, const cJSON *w, struct part_head *head,
                     char words[3][RECORD_NAME_SIZE], char sentences[3][WHY_TEXT])
{
    const cJSON *why = json_at(w, "why"), *first = cJSON_GetArrayItem(json_at(why, "causes"), 0);

    head->cause = word(why, "cause", words[0]);
    head->cause_node = word(why, "node", words[1]);
    if (!ran_on(f->run, head->cause_node))
        head->cause_node = "";
    else
        head->suspect = word(first, "suspect", words[2]);
    head->verdict = sentence(why, "verdict", sentences[0]);
    head->why = sentence(why, "why", sentences[1]);
    head->next = sentence(why, "next", sentences[2]);
}

static int add_workload(struct filing *f, const cJSON *w, int position)
{
    char words[6][RECORD_NAME_SIZE], causes[3][RECORD_NAME_SIZE], sentences[3][WHY_TEXT];
    struct part p;
    struct part_head head = {
        .workload = word(w, "name", words[0]),
        .class_name = word(w, "class", words[1]),
        .engine = word(w, "engine", words[2]),
        .dtype = word(w, "dtype", words[3]),
        .origin = word(w, "data_origin", words[4]),
        .quality_metric = word(w, "quality.metric", words[5]),
        .ranks = json_integer(w, "ranks", 0, INT32_MAX, 0),
        .threads = json_integer(w, "threads", 0, INT32_MAX, 0),
        .batch = json_integer(w, "batch", 0, INT32_MAX, 0),
        .status = status_of(json_text(w, "status", "")),
        .valid = cJSON_IsTrue(json_at(w, "valid")),
        .speed = json_number(w, "performance.samples_per_second", NAN),
        .quality = json_number(w, "quality.achieved", NAN),
        .time_to_quality = json_number(w, "performance.time_to_quality_seconds", NAN),
        .flops = json_number(w, "performance.flop_per_second", NAN),
    };

    if (head.status < 0)
        head.status = f->run->status;
    read_why(f, w, &head, causes, sentences);
    if (add_part(f, position, &head, &p) < 0)
        return -1;
    for (size_t i = 0; i < sizeof plain_metrics / sizeof *plain_metrics; i++)
        add_value(&p, plain_metrics[i].name, NULL, json_number(w, plain_metrics[i].path, NAN));
    add_even(&p, w);
    add_others(&p, w);
    add_phases(&p, w);
    add_nodes_even(&p, w);
    add_counters(&p, w);
    return p.rc;
}

/* A micro benchmark is a part too: its shape and direction are its class. */
static int add_micro(struct filing *f, const cJSON *m, int position)
{
    char words[2][RECORD_NAME_SIZE], shape[2 * RECORD_NAME_SIZE];
    struct part p;
    struct part_head head = {.workload = word(m, "name", words[0]),
                             .class_name = shape,
                             .engine = "",
                             .dtype = word(m, "dtype", words[1]),
                             .ranks = json_integer(m, "ranks", 0, INT32_MAX, 0),
                             .threads = json_integer(m, "threads", 0, INT32_MAX, 0),
                             .batch = json_integer(m, "bytes", 0, INT32_MAX, 0),
                             .origin = "",
                             .quality_metric = "",
                             .status = f->run->status,
                             .valid = cJSON_IsTrue(json_at(m, "checked")),
                             .speed = NAN,
                             .quality = NAN,
                             .time_to_quality = NAN,
                             .flops = NAN};

    /* "triad L2 none": what makes the row the same row in another run */
    snprintf(shape, sizeof shape, "%.24s%s%.48s%s%.24s", json_text(m, "what", ""),
             json_text(m, "what", NULL) ? " " : "", json_text(m, "shape", ""),
             json_text(m, "shape", NULL) ? " " : "", json_text(m, "direction", ""));
    if (add_part(f, position, &head, &p) < 0)
        return -1;
    add_value(&p, "median", NULL, json_number(m, "median", NAN));
    add_value(&p, "p95", NULL, json_number(m, "p95", NAN));
    add_value(&p, "p99", NULL, json_number(m, "p99", NAN));
    add_value(&p, "best", NULL, json_number(m, "best", NAN));
    return p.rc;
}

static int add_parts(struct filing *f)
{
    static const struct part_head nothing = {.workload = "",
                                             .class_name = "",
                                             .engine = "",
                                             .dtype = "",
                                             .origin = "",
                                             .quality_metric = "",
                                             .status = HISTORY_NONE,
                                             .speed = NAN,
                                             .quality = NAN,
                                             .time_to_quality = NAN,
                                             .flops = NAN};
    const cJSON *row;
    int position = 0, rc = 0;
    struct part p;

    cJSON_ArrayForEach(row,
                       json_at(f->record->doc, "workloads")) if (rc == 0 && position < MAX_PARTS)
        rc = add_workload(f, row, position++);
    cJSON_ArrayForEach(row, json_at(f->record->doc, "micro")) if (rc == 0 && position < MAX_PARTS)
        rc = add_micro(f, row, position++);
    if (rc == 0 && position == 0) {
        struct part_head head = nothing;
        head.status = f->run->status;
        rc = add_part(f, -1, &head, &p);
    }
    return rc;
}

/* ---- filing ---- */

/* Is what we have better than what is there? */
static int decide(struct filing *f, struct standing *there, enum history_outcome *outcome)
{
    const struct history_run *r = f->run;
    int rc;

    if (find_standing(f->h, f->key, there, f->e) < 0)
        return -1;
    *outcome = !there->id                                                          ? HISTORY_FILED
               : strcmp(there->sha256, f->sha256) == 0 && f->grade <= there->grade ? HISTORY_SAME
               : f->grade > there->grade ? HISTORY_REPLACED
                                         : HISTORY_KEPT;
    if (r->status != HISTORY_NONE || there->id)
        return 0;
    sqlite3_stmt *s = db_bind(f->h, DB_JOB_HAS_RUN, f->e, "iii", (long long)f->cluster,
                              (long long)r->job, (long long)r->restart);
    if ((rc = db_step(f->h, s, f->e)) > 0) {
        *outcome = HISTORY_KEPT;
        sqlite3_reset(s);
    }
    return rc < 0 ? -1 : 0;
}

static int put_outbox(struct filing *f, const char *text)
{
    const struct history_run *r = f->run;

    if (strlen(text) >= HISTORY_MAX_TEXT)
        return err_set(f->e, "%s: %zu bytes are too many for accounting", f->key, strlen(text));
    return db_run(f->h,
                  db_bind(f->h, DB_OUTBOX_PUT, f->e, "tiiiiti", r->cluster, (long long)r->job,
                          (long long)r->array_task, (long long)r->het_offset, (long long)r->begin,
                          text, (long long)r->restart),
                  f->e);
}

/* The archive last, when nothing else can fail, but before the commit: a crash
 * between leaves a better file under worse rows, which the next filing of the
 * same mends. */
static int file_rows(struct filing *f, const struct standing *there, const char *outbox)
{
    struct history *h = f->h;
    const struct history_run *r = f->run;

    if (h->archive && f->record->doc)
        archive_place(f->key, r->begin, f->place);
    if (there->id &&
        db_run(h, db_bind(h, DB_RUN_DELETE, f->e, "i", (long long)there->id), f->e) < 0)
        return -1;
    if (r->status != HISTORY_NONE && r->job > 0 &&
        db_run(h,
               db_bind(h, DB_JOB_DROP_NONE, f->e, "iii", (long long)f->cluster, (long long)r->job,
                       (long long)r->restart),
               f->e) < 0)
        return -1;
    if (add_run(f) < 0 || add_nodes(f) < 0 || add_parts(f) < 0)
        return -1;
    if (outbox && put_outbox(f, outbox) < 0)
        return -1;
    if (!f->place[0])
        return 0;
    const struct archive_item item = {f->record->text, f->record->size, f->record->witness,
                                      f->record->ranks, f->record->steps};
    return archive_put(h->archive, f->place, &item, f->e);
}

static int file_one(struct filing *f, const char *outbox, enum history_outcome *outcome,
                    char stale[ARCHIVE_PLACE_SIZE])
{
    struct standing there;

    f->cluster = db_name(f->h, HISTORY_CLUSTERS, f->run->cluster, true, f->e);
    if (f->cluster < 0 || decide(f, &there, outcome) < 0)
        return -1;
    if (*outcome == HISTORY_SAME || *outcome == HISTORY_KEPT)
        return 0;
    if (file_rows(f, &there, outbox) < 0)
        return -1;
    if (there.place[0] && strcmp(there.place, f->place) != 0)
        memcpy(stale, there.place, ARCHIVE_PLACE_SIZE);
    return 0;
}

int history_file(struct history *h, const struct history_run *run,
                 const struct history_record *record, const char *outbox,
                 enum history_outcome *outcome, struct err *e)
{
    struct filing f = {.h = h, .run = run, .record = record, .e = e};
    char stale[ARCHIVE_PLACE_SIZE] = "";

    if (run->status < RUN_COMPLETE || run->status > HISTORY_NONE ||
        (run->status == HISTORY_NONE) != !record->doc || !history_key(run, f.key))
        return err_set(e, "a run of job %ld of '%.64s' has no key", run->job, run->cluster);
    f.grade = grade_of(run, record->doc);
    if (record->doc)
        sha256_of(record->text, record->size, f.sha256);
    if (db_exec(h, h->in_batch ? "SAVEPOINT one" : "BEGIN IMMEDIATE", e) < 0)
        return -1;
    int rc = file_one(&f, outbox, outcome, stale);
    if (rc == 0)
        rc = db_exec(h, h->in_batch ? "RELEASE one" : "COMMIT", e);
    if (rc < 0)
        sqlite3_exec(h->db, h->in_batch ? "ROLLBACK TO one; RELEASE one" : "ROLLBACK", NULL, NULL,
                     NULL);
    else if (stale[0])
        db_stale(h, stale);
    return rc;
}

int history_name_job(struct history *h, const char *cluster, long job,
                     const struct history_name *name, struct err *e)
{
    struct history_run run = {.job = job,
                              .status = HISTORY_NONE,
                              .array_job = name->array_job,
                              .array_task = name->array_task,
                              .het_job = name->het_job,
                              .het_offset = name->het_offset};
    char key[HISTORY_KEY_SIZE];
    sqlite3_int64 id = db_name(h, HISTORY_CLUSTERS, cluster, false, e);

    snprintf(run.cluster, sizeof run.cluster, "%s", cluster);
    if (id < 0 || !history_key(&run, key))
        return id < 0 ? -1 : err_set(e, "job %ld of '%.64s' has no key", job, cluster);
    *strrchr(key, '.') = '\0'; /* each run has its own restart */
    return db_run(h,
                  db_bind(h, DB_JOB_NAME, e, "iiiiiit", (long long)id, (long long)job,
                          (long long)name->array_job, (long long)name->array_task,
                          (long long)name->het_job, (long long)name->het_offset, key),
                  e);
}
