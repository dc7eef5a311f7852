/* SPDX-License-Identifier: BSD-3-Clause */
/* The life of a record: rows are added, it is judged, it has a name. */
#include <config.h>

#include "reports/record/record_put.h"
#include "reports/record/steps_set.h"

#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void record_fact_unknown(struct record_fact *f, const char *reason)
{
    f->state = FACT_UNKNOWN;
    f->number = 0;
    snprintf(f->text, sizeof f->text, "%s", reason);
}

void record_fact_text(struct record_fact *f, const char *text)
{
    if (!text || !*text) {
        record_fact_unknown(f, "the system does not say it");
        return;
    }
    f->state = FACT_TEXT;
    snprintf(f->text, sizeof f->text, "%s", text);
}

void record_fact_number(struct record_fact *f, double number)
{
    if (!isfinite(number)) {
        record_fact_unknown(f, "the value is not finite");
        return;
    }
    f->state = FACT_NUMBER;
    f->number = number;
    f->text[0] = '\0';
}

void record_init(struct record *r)
{
    *r = (struct record){.status = RUN_COMPLETE, .valid = true};
    r->job.exclusive = -1;
    r->job.array_job_id = r->job.array_task_id = -1;
    r->job.het_job_id = r->job.het_offset = -1;
}

static void workload_fini(struct record_workload *w)
{
    for (int i = 0; i < w->n_counters; i++) {
        struct record_counter *c = &w->counters[i];
        free((char *)c->name);
        free((char *)c->unit);
        free((char *)c->source);
        free((double *)c->per_rank);
    }
    free(w->counters);
    free(w->ranks);
    result_fini(&w->result);
}

void record_fini(struct record *r)
{
    if (!r)
        return;
    for (int i = 0; i < r->n_workloads; i++)
        workload_fini(&r->workloads[i]);
    for (int i = 0; i < r->n_micro; i++)
        micro_row_fini(&r->micro[i]);
    for (int i = 0; i < r->n_reasons; i++) {
        free(r->reasons[i].path);
        free(r->reasons[i].text);
    }
    for (int i = 0; i < r->n_kept; i++)
        free(r->kept[i]);
    steps_set_destroy(r->steps);
    free(r->nodes);
    free(r->workloads);
    free(r->micro);
    free(r->reasons);
    free(r->kept);
    *r = (struct record){0};
}

void *record_grown(void *rows, int n, size_t size)
{
    if (n & (n - 1))
        return rows;
    return realloc(rows, (size_t)(n ? 2 * n : 1) * size);
}

void *record_copied(const void *p, size_t bytes)
{
    void *copy = malloc(bytes ? bytes : 1);

    if (copy && bytes)
        memcpy(copy, p, bytes);
    return copy;
}

int record_add_node(struct record *r, const struct record_node *node)
{
    struct record_node *rows = record_grown(r->nodes, r->n_nodes, sizeof *rows);

    if (!rows)
        return -1;
    r->nodes = rows;
    rows[r->n_nodes] = *node;
    return r->n_nodes++;
}

int record_find_node(const struct record *r, const char *name)
{
    for (int i = 0; i < r->n_nodes; i++)
        if (strcmp(r->nodes[i].name, name) == 0)
            return i;
    return -1;
}

void record_keep_reason(struct record *r, struct measure *m)
{
    if (m->reason)
        m->reason = record_keep(r, m->reason);
}

/* All that a result says of values that are not there. */
static void keep_reasons(struct record *r, struct workload_result *own)
{
    struct measure *const measures[] = {
        &own->achieved,        &own->baseline_domain,         &own->samples_per_second,
        &own->flop_per_second, &own->time_to_quality_seconds, &own->vflops_n5,
        &own->vflops_n10,
    };
    const char *was = NULL, *kept = NULL; /* of the epoch before: it is mostly one */

    for (size_t i = 0; i < sizeof measures / sizeof *measures; i++)
        record_keep_reason(r, measures[i]);
    for (int i = 0; i < own->n_others; i++)
        record_keep_reason(r, &own->others[i].value);
    for (int i = 0; i < own->n_epochs; i++) {
        struct measure *m = &own->epochs[i].train_quality;
        if (m->reason && m->reason != was) {
            was = m->reason;
            record_keep_reason(r, m);
            kept = m->reason;
        } else if (m->reason) {
            m->reason = kept;
        }
    }
}

int record_add_workload(struct record *r, struct workload_result *result,
                        const struct record_rank *ranks, int n_ranks)
{
    struct record_workload *rows = record_grown(r->workloads, r->n_workloads, sizeof *rows);

    if (!rows)
        return -1;
    r->workloads = rows;
    struct record_rank *copy = record_copied(ranks, (size_t)n_ranks * sizeof *ranks);
    if (!copy)
        return -1;
    rows[r->n_workloads] = (struct record_workload){
        .result = *result,
        .n_ranks = n_ranks,
        .ranks = copy,
        .energy_joules = unmeasured("no energy counter was read"),
        .cost = unmeasured("the site gave no price"),
    };
    keep_reasons(r, &rows[r->n_workloads].result);
    *result = (struct workload_result){0};
    return r->n_workloads++;
}

int record_add_counter(struct record *r, int workload, const struct record_counter *c)
{
    if (workload < 0 || workload >= r->n_workloads || !c->name || !*c->name)
        return -1;
    struct record_workload *w = &r->workloads[workload];
    struct record_counter *rows = record_grown(w->counters, w->n_counters, sizeof *rows);
    struct record_counter row = *c;

    if (!rows)
        return -1;
    w->counters = rows;
    row.name = strdup(c->name);
    row.unit = strdup(c->unit ? c->unit : "");
    row.source = strdup(c->source ? c->source : "");
    if (c->per_rank)
        row.per_rank = record_copied(c->per_rank,
                                     (size_t)w->n_ranks * (PHASE_COUNT + 1) * sizeof *c->per_rank);
    if (!row.name || !row.unit || !row.source || (c->per_rank && !row.per_rank)) {
        free((char *)row.name);
        free((char *)row.unit);
        free((char *)row.source);
        if (c->per_rank)
            free((double *)row.per_rank);
        return -1;
    }
    record_keep_reason(r, &row.total);
    for (int p = 0; p < PHASE_COUNT; p++)
        record_keep_reason(r, &row.phases[p]);
    rows[w->n_counters] = row;
    return w->n_counters++;
}

const char *record_keep(struct record *r, const char *text)
{
    static const char lost[] = "out of memory";

    for (int i = 0; i < r->n_kept; i++)
        if (strcmp(r->kept[i], text) == 0)
            return r->kept[i];
    char **rows = record_grown(r->kept, r->n_kept, sizeof *rows);
    if (!rows)
        return lost;
    r->kept = rows;
    rows[r->n_kept] = strdup(text);
    return rows[r->n_kept] ? rows[r->n_kept++] : lost;
}

/* "old; text" under a path that is there; a text that is in it already is
 * not repeated. */
static int lengthen(struct record_reason *row, const char *text)
{
    char *both;

    if (strstr(row->text, text))
        return 0;
    if (strlen(row->text) > 2000)
        return 0; /* a reason is read by a person */
    if (asprintf(&both, "%s; %s", row->text, text) < 0)
        return -1;
    free(row->text);
    row->text = both;
    return 0;
}

int record_reason(struct record *r, const char *path, const char *fmt, ...)
{
    char text[sizeof((struct err *)0)->text];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    for (int i = 0; i < r->n_reasons; i++)
        if (strcmp(r->reasons[i].path, path) == 0)
            return lengthen(&r->reasons[i], text);
    struct record_reason *rows = record_grown(r->reasons, r->n_reasons, sizeof *rows);
    if (!rows)
        return -1;
    r->reasons = rows;
    struct record_reason row = {strdup(path), strdup(text)};
    if (!row.path || !row.text) {
        free(row.path);
        free(row.text);
        return -1;
    }
    rows[r->n_reasons++] = row;
    return 0;
}

static void judge_workload(struct record *r, int i)
{
    const struct workload_result *w = &r->workloads[i].result;
    const char *why = w->reason[0] ? w->reason : "the workload gives no reason";
    char path[64];

    if (w->status > r->status)
        r->status = w->status;
    if (w->status != RUN_COMPLETE) {
        snprintf(path, sizeof path, "workloads[%d].status", i);
        record_reason(r, path, "%s", why);
        record_reason(r, "status", "%s: %s", w->name, why);
    }
    if (!w->valid) {
        r->valid = false;
        snprintf(path, sizeof path, "workloads[%d].valid", i);
        record_reason(r, path, "%s", why);
        record_reason(r, "valid", "%s: %s", w->name, why);
    }
}

/* A wrong number makes all of the run's doubtful. */
static void judge_micro(struct record *r)
{
    for (int i = 0; i < r->n_micro; i++) {
        const struct micro_row *m = &r->micro[i];
        if (m->status != MICRO_FAULTY)
            continue;
        r->valid = false;
        record_reason(r, "valid", "%s %s %s: %s", m->name, m->what, m->shape, m->reason);
    }
}

/* Different agents on different nodes measure different things. */
static void judge_builds(struct record *r)
{
    for (int i = 1; i < r->n_nodes; i++) {
        const struct record_node *a = &r->nodes[0], *b = &r->nodes[i];
        if (strcmp(a->build_id, b->build_id) == 0)
            continue;
        r->valid = false;
        record_reason(r, "valid", "node %s runs build %s and node %s runs build %s", a->name,
                      a->build_id, b->name, b->build_id);
        return;
    }
}

static bool has_reason(const struct record *r, const char *path)
{
    for (int i = 0; i < r->n_reasons; i++)
        if (strcmp(r->reasons[i].path, path) == 0)
            return true;
    return false;
}

void record_judge(struct record *r)
{
    for (int i = 0; i < r->n_workloads; i++)
        judge_workload(r, i);
    judge_micro(r);
    judge_builds(r);
    if (r->n_workloads == 0 && r->n_micro == 0) {
        r->valid = false;
        record_reason(r, "valid", "nothing was run");
    }
    if (r->status != RUN_COMPLETE) {
        r->valid = false;
        if (!has_reason(r, "status"))
            record_reason(r, "status", "the run did not come to its end");
        record_reason(r, "valid", "the run is not complete");
    }
}

int record_exit_code(const struct record *r)
{
    if (r->status == RUN_PARTIAL)
        return 4;
    return r->status == RUN_COMPLETE && r->valid ? 0 : 1;
}

void record_utc(struct timespec t, char utc[RECORD_UTC_SIZE])
{
    struct tm tm;
    char seconds[20];

    if (!gmtime_r(&t.tv_sec, &tm) || tm.tm_year + 1900 > 9999 || tm.tm_year + 1900 < 0)
        gmtime_r(&(time_t){0}, &tm);
    strftime(seconds, sizeof seconds, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(utc, RECORD_UTC_SIZE, "%s.%03uZ", seconds, (unsigned)(t.tv_nsec / 1000000) % 1000);
}

static void local_id(const struct record *r, char id[RECORD_ID_SIZE])
{
    struct tm tm;
    char when[32] = "";

    if (gmtime_r(&r->time.start.tv_sec, &tm))
        strftime(when, sizeof when, "%Y%m%dT%H%M%SZ", &tm);
    snprintf(id, RECORD_ID_SIZE, "local-%s-%d", when, r->time.pid);
}

void record_job_name(const struct record_job *j, char job[RECORD_JOB_SIZE])
{
    if (j->array_job_id >= 0)
        snprintf(job, RECORD_JOB_SIZE, "%ld_%ld", j->array_job_id, j->array_task_id);
    else if (j->het_job_id >= 0)
        snprintf(job, RECORD_JOB_SIZE, "%ld+%ld", j->het_job_id, j->het_offset);
    else
        snprintf(job, RECORD_JOB_SIZE, "%ld", j->job_id);
}

void record_id(const struct record *r, char id[RECORD_ID_SIZE])
{
    const struct record_job *j = &r->job;
    char job[RECORD_JOB_SIZE];

    if (!j->present) {
        local_id(r, id);
        return;
    }
    record_job_name(j, job);
    snprintf(id, RECORD_ID_SIZE, "%s-%s.%d.%s", j->cluster[0] ? j->cluster : "cluster", job,
             j->restart, j->step_id);
    for (char *c = id; *c; c++)
        if (!isascii((unsigned char)*c) || (!isalnum((unsigned char)*c) && !strchr("._+-", *c)))
            *c = '_';
    if (id[0] == '.')
        id[0] = '_';
}
