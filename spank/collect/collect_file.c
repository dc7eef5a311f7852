/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "spank/collect/collect_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reports/record/fields.h"
#include "reports/record/record.h"
#include "spank/collect/collect_check.h"
#include "spank/collect/collect_hostlist.h"
#include "spank/collect/collect_text.h"

enum { MOST_NODES = 1 << 20 }; /* of a job; Slurm itself stops at 65,533 */

/* Credentials for the archive, one a line: of the bundle that has the record,
 * then of the other nodes; then ours. NULL: out of memory. */
static char *credentials(const struct filer *f, const struct job *j, const struct verified *first,
                         const char *ours)
{
    size_t room = 1 + (ours ? strlen(ours) + 1 : 0), n = room;
    int left_out = 0;

    for (int i = 0; i < j->n; i++)
        room += strlen(j->bundles[i]->credential) + 1;
    room = room < ARCHIVE_MAX_WITNESS ? room : ARCHIVE_MAX_WITNESS;
    char *text = malloc(room + 1), *at = text;
    if (!text)
        return NULL;
    for (int i = -1; i < j->n; i++) {
        const struct verified *v = i < 0 ? first : j->bundles[i];
        size_t size = strlen(v->credential) + 1;
        if (i >= 0 && (v == first || v->bad))
            continue;
        if (n + size > room) {
            left_out++;
            continue;
        }
        n += size;
        at = stpcpy(stpcpy(at, v->credential), "\n");
    }
    if (ours)
        at = stpcpy(stpcpy(at, ours), "\n");
    *at = '\0';
    if (left_out)
        collect_say(f->c->say,
                    "%s: the credentials of %d more nodes of its job are too much for "
                    "the archive: not kept",
                    first->name, left_out);
    return text;
}

/* Who and where is what root saw, and nothing if root does not know: a
 * record's own words would look like root's. */
static void take_over(const struct witness *w, struct history_run *run)
{
    run->witnessed = true;
    run->uid = w->uid;
    snprintf(run->user, sizeof run->user, "%.*s", RECORD_NAME_SIZE - 1, w->user);
    if (w->account[0]) /* root's epilog is not told by every Slurm */
        snprintf(run->account, sizeof run->account, "%.*s", RECORD_NAME_SIZE - 1, w->account);
    snprintf(run->partition, sizeof run->partition, "%.*s", RECORD_NAME_SIZE - 1, w->partition);
    if (w->begin > 0)
        run->begin = (int64_t)w->begin;
    if (w->end > 0)
        run->end = (int64_t)w->end;
}

static void count(struct collector *c, enum history_outcome outcome)
{
    c->filed += outcome == HISTORY_FILED;
    c->replaced += outcome == HISTORY_REPLACED;
    c->same += outcome == HISTORY_SAME;
    c->kept += outcome == HISTORY_KEPT;
}

static int file_run(struct filer *f, struct job *j, const struct history_run *run,
                    const struct history_record *record, const char *why)
{
    struct collector *c = f->c;
    char line[ADMIN_COMMENT_LINE + 1];
    enum history_outcome outcome;
    struct err e = ERR_INIT;
    bool tell = c->config->admin_comment != COMMENT_OFF && run->cluster[0];

    collect_line(record->doc, run, why, j->accepted, line);
    if (history_file(c->history, run, record, tell ? line : NULL, &outcome, &e) < 0) {
        collect_say(c->say, "%s stays in the spool: %s", j->bundles[0]->name, e.text);
        f->failures++;
        return -1;
    }
    f->failures = 0;
    count(c, outcome);
    if (record->doc)
        j->accepted++;
    return 0;
}

/* The record as the archive may show it; NULL: out of memory. The hashes of the
 * witness are of the record as it was, and its credential names what is hidden:
 * it is not kept beside. */
static char *redacted(const struct redact *x, const cJSON *doc)
{
    cJSON *copy = cJSON_Duplicate(doc, 1);
    char *text = copy && redact_record(x, copy, NULL) == 0 ? cJSON_PrintUnformatted(copy) : NULL;

    cJSON_Delete(copy);
    return text;
}

static void seal_of(const struct redact *x, const char *text, size_t size,
                    char seal[REDACT_NAME_SIZE])
{
    char hex[SHA256_HEX_SIZE];

    sha256_of(text, size, hex);
    redact_seal(x, hex, seal);
}

/* The bytes of a file beside the record that it names as `which`, when it is in the
 * bundle and what the record says; free() it. 0, or -1: not now. */
static int find_side(const struct filer *f, const struct verified *v, const cJSON *doc,
                     const char *which, struct archive_side *side)
{
    const cJSON *o = json_at(doc, which);
    const char *name = json_text(o, "name", "");
    size_t n = strlen(name);

    if (n < 3 || strcmp(name + n - 3, ".gz") != 0)
        return 0;
    for (int i = 0; i < v->n; i++) {
        const struct verified_file *file = &v->files[i];
        if (strcmp(file->name, name) != 0)
            continue;
        if (strcmp(file->sha256, json_text(o, "sha256", "")) != 0 ||
            file->size > ARCHIVE_MAX_SIDE) {
            collect_say(f->c->say, "%s is not what its record says: not archived", name);
            return 0;
        }
        side->size = file->size;
        return (side->bytes = store_get(f->store, file->at, file->size, NULL)) ? 0 : -1;
    }
    return 0;
}

/* ---- nodes ---- */

/* Names of nodes, each of them allocated. */
struct names {
    char **name;
    int n, room;
    bool failed;
};

static void add_name(void *ctx, const char *name)
{
    struct names *x = ctx;

    if (x->n == x->room) {
        int room = x->room ? 2 * x->room : 64;
        char **more = realloc(x->name, (size_t)room * sizeof *more);
        x->failed |= !more;
        x->name = more ? more : x->name;
        x->room = more ? room : x->room;
    }
    if (!x->failed && (x->name[x->n] = strdup(name)))
        x->n++;
    else
        x->failed = true;
}

static void free_names(struct names *x)
{
    for (int i = 0; i < x->n; i++)
        free(x->name[i]);
    free(x->name);
}

/* All nodes of the job: of root's list, or where that was too long for a
 * witness those that sent a bundle. */
static void job_nodes(const struct job *j, const struct witness *w, struct names *x)
{
    if (hostlist_each(w->nodes, MOST_NODES, add_name, x) > 0)
        return;
    for (int i = 0; i < j->n; i++)
        add_name(x, j->bundles[i]->node);
}

/* A record on many nodes names some of them only; then all of its job's are
 * its. -1: out of memory. */
static int all_nodes(const struct job *j, const struct witness *w, const cJSON *doc,
                     struct history_run *run, struct names *x)
{
    if (json_number(doc, "system.node_count", 0) <= run->n_nodes)
        return 0;
    job_nodes(j, w, x);
    if (x->n <= run->n_nodes)
        return x->failed ? -1 : 0;
    const char **nodes = calloc((size_t)x->n, sizeof *nodes);
    if (!nodes || x->failed) {
        free(nodes);
        return -1;
    }
    for (int i = 0; i < x->n; i++)
        nodes[i] = x->name[i];
    free((void *)run->nodes);
    run->nodes = nodes;
    run->n_nodes = x->n;
    return 0;
}

/* ---- a record ---- */

/* A record that can be, to the history. */
static int file_good(struct filer *f, struct job *j, struct verified *v, struct history_run *run,
                     struct history_record *record, const char *ours)
{
    const struct redact *x = f->c->redact;
    bool hide = redact_touches(x, record->doc);
    char *witness = credentials(f, j, v, ours), *shown = NULL;
    struct archive_side ranks = {NULL, 0}, steps = {NULL, 0};
    char seal[REDACT_NAME_SIZE];
    struct names names = {0};
    int rc = witness ? all_nodes(j, v->w, record->doc, run, &names) : -1;

    if (rc == 0 && hide) {
        seal_of(x, record->text, record->size, seal);
        if ((shown = redacted(x, record->doc)))
            *record = (struct history_record){
                .doc = record->doc, .text = shown, .size = strlen(shown), .seen = seal};
        rc = shown ? 0 : -1;
    } else if (rc == 0) {
        rc = find_side(f, v, record->doc, "ranks_file", &ranks);
        if (rc == 0)
            rc = find_side(f, v, record->doc, "steps_file", &steps);
        record->ranks = ranks;
        record->steps = steps;
        record->witness = witness;
    }
    take_over(v->w, run);
    if (rc == 0)
        rc = file_run(f, j, run, record, "");
    free_names(&names);
    free((void *)ranks.bytes);
    free((void *)steps.bytes);
    free(shown);
    free(witness);
    return rc;
}

/* How many other runs of this start the history has: runs_per_job is meant for
 * all bundles of a job, whenever they come. -1: not now. */
static int runs_before(const struct filer *f, const struct job *j)
{
    const struct witness *w = job_facts(j);
    struct history_filter filter = HISTORY_FILTER_INIT;
    struct history_row row;
    char last[HISTORY_KEY_SIZE] = "";
    int n = 0, rc = -1;

    filter.cluster = w->cluster;
    filter.job = w->job;
    struct history_query *q = history_ask(f->c->history, &filter, NULL);
    while (q && (rc = history_next(q, &row, NULL)) > 0) {
        if (row.restart != w->restart || row.status == HISTORY_NONE || strcmp(row.key, last) == 0)
            continue; /* another workload of the same run */
        snprintf(last, sizeof last, "%s", row.key);
        n += !job_has_run(j, row.key);
    }
    history_done(q);
    return rc < 0 ? -1 : n;
}

/* 0, 1 and a sentence: the job has had all runs that it may; -1: not now. */
static int check_count(const struct filer *f, struct job *j, struct err *e)
{
    int most = (int)f->c->config->runs_per_job;

    if (j->before < 0 && (j->before = runs_before(f, j)) < 0)
        return -1;
    if (j->before + j->accepted < most)
        return 0;
    err_set(e, "its job has %d runs already (runs_per_job)", most);
    return 1;
}

int file_text(struct filer *f, struct job *j, struct verified *v, const char *name,
              const char *text, size_t size, const char *ours, struct err *refusal)
{
    struct history_run run = {0};
    cJSON *doc = record_parse(text, size, name, refusal);
    struct claim claim = {doc, &run, v->w};
    int rc = 0;

    if (!doc)
        return 0;
    if (history_claim(doc, &run, refusal) < 0 || check_all(&claim, refusal) < 0 ||
        check_sum(&claim, &j->spent, refusal) < 0) {
        if (!strstr(refusal->text, name))
            err_prefix(refusal, "%s", name);
    } else {
        struct history_record record = {.doc = doc, .text = text, .size = size};
        if ((rc = check_count(f, j, refusal)) == 0)
            rc = file_good(f, j, v, &run, &record, ours);
        rc = rc > 0 ? 0 : rc;
    }
    free((void *)run.nodes);
    cJSON_Delete(doc);
    return rc;
}

int file_records(struct filer *f, struct job *j)
{
    int rc = 0;

    for (int i = 0; rc == 0 && i < j->n_records; i++) {
        struct job_record *r = &j->records[i];
        struct err refusal = ERR_INIT;
        char *text = store_get(f->store, r->file->at, r->file->size, NULL);
        rc = text ? file_text(f, j, r->bundle, r->file->name, text, r->file->size, NULL, &refusal)
                  : -1;
        if (refusal.text[0]) {
            snprintf(j->why, sizeof j->why, "its record was refused");
            verified_refuse(r->bundle, &refusal);
        }
        r->filed = rc == 0 && !refusal.text[0];
        free(text);
    }
    return rc;
}

int file_none(struct filer *f, struct job *j)
{
    const struct verified *v = job_asking(j);
    struct history_run run = {.array_task = -1, .het_offset = -1, .status = HISTORY_NONE};
    struct names names = {0};
    char key[HISTORY_KEY_SIZE];

    if (!v)
        v = j->bundles[0];
    char *witness = credentials(f, j, v, NULL);
    snprintf(run.cluster, sizeof run.cluster, "%.*s", RECORD_NAME_SIZE - 1, v->w->cluster);
    run.job = v->w->job;
    run.restart = v->w->restart;
    run.array_job = v->w->array_job;
    run.array_task = v->w->array_task;
    run.het_job = v->w->het_job;
    run.het_offset = v->w->het_offset;
    snprintf(run.asked, sizeof run.asked, "%s", v->w->asked);
    if (!history_key(&run, key)) { /* never: it must not hold up the others */
        struct err why = ERR_INIT;
        err_set(&why, "job %ld of '%.64s' cannot be named in the history", run.job, run.cluster);
        verified_refuse(j->bundles[0], &why);
        return 0;
    }
    job_nodes(j, v->w, &names);
    run.nodes = (const char *const *)names.name;
    run.n_nodes = names.n;
    take_over(v->w, &run);
    struct history_record record = {.witness = witness};
    int rc = witness && !names.failed ? file_run(f, j, &run, &record, j->why) : -1;
    free(witness);
    free_names(&names);
    f->c->none += rc == 0;
    return rc;
}
