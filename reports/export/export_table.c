/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One row per workload: CSV, and bulk pairs for Elasticsearch and OpenSearch.
 * Both walk one table of columns.
 */
#include <config.h>

#include <cjson/cJSON.h>
#include <math.h>
#include <string.h>

#include "reports/core/result.h"
#include "reports/core/utf8.h"
#include "reports/export/export.h"
#include "reports/record/fields.h"
#include "reports/record/record.h"

/* Of the record, or with a dot before it of its workload. */
static const char *const columns[] = {
    "id", "status", "valid", "job.cluster", "job.job_id", "job.step_id", "job.restart",
    "job.array_job_id", "job.array_task_id", "job.het_job_id", "job.het_offset", "job.user",
    "job.account", "job.partition", "job.exclusive", "system.node_count", "time.start", "time.end",
    "time.wall_seconds", "run.canonical", "run.division", ".name", ".suite", ".class", ".engine",
    ".dtype", ".ranks", ".threads", ".batch", ".data_origin", ".status", ".valid",
    ".quality.metric", ".quality.target", ".quality.achieved", ".quality.baseline",
    ".quality.epochs_to_target", ".quality.others", ".performance.samples_per_second",
    ".performance.flop_per_second", ".performance.time_to_quality_seconds",
    ".performance.vflops.n5", ".performance.vflops.n10", ".performance.energy_joules",
    ".performance.cost", ".wall_seconds", ".phases.staging.median_seconds",
    ".phases.first_epoch.median_seconds", ".phases.compute.median_seconds",
    ".phases.input_wait.median_seconds", ".phases.exposed_allreduce.median_seconds",
    ".phases.imbalance.median_seconds", ".phases.evaluation.median_seconds",
    ".phases.checkpoint.median_seconds", ".phases.other.median_seconds", ".why.cause", ".why.node",
    ".why.verdict",
    /* of a micro benchmark's row, which has some of the above, too */
    ".what", ".shape", ".direction", ".from", ".to", ".bytes", ".median", ".p95", ".p99", ".best",
    ".unit", ".busbw_bytes_per_second", ".slowest_node", ".run_delay"};

enum { N_COLUMNS = sizeof columns / sizeof *columns, MAX_LISTED = 64 };

static const cJSON *value_of(const cJSON *doc, const cJSON *w, const char *column)
{
    return column[0] == '.' ? json_at(w, column + 1) : json_at(doc, column);
}

/* The next row of what a record measured: its workloads, then the rows of its micro
 * benchmarks, those that are asked for. *i starts at 0. NULL: no more. */
static const cJSON *next_row(const struct export *x, const cJSON *doc, int *i)
{
    int workloads = cJSON_GetArraySize(json_at(doc, "workloads"));
    const cJSON *rows = json_at(doc, "micro"), *w;

    if (*i < workloads && (w = export_workload(x, doc, i)))
        return w;
    if (*i < workloads)
        *i = workloads;
    while ((w = cJSON_GetArrayItem(rows, (*i)++ - workloads)))
        if (!x->workload || strcmp(x->workload, json_text(w, "name", "")) == 0)
            return w;
    return NULL;
}

/* Nothing was measured: the run is a row all the same. */
static bool is_empty(const struct export *x, const cJSON *doc)
{
    int i = 0;

    return !x->workload && !next_row(x, doc, &i);
}

/* ---- CSV: RFC 4180 ---- */

/* "workload_name": what a spreadsheet shows above the column. */
static void csv_name(FILE *f, const char *column)
{
    if (*column == '.')
        fprintf(f, "workload");
    for (; *column; column++)
        putc(*column == '.' ? '_' : *column, f);
}

static int csv_begin(struct export *x, struct err *e)
{
    (void)e;
    for (int i = 0; i < N_COLUMNS; i++) {
        fprintf(x->f, "%s", i ? "," : "");
        csv_name(x->f, columns[i]);
    }
    fprintf(x->f, "\r\n");
    return 0;
}

/* A text that a spreadsheet would take for a formula gets a quote before it
 * (the full-width forms too: some take them for the same). */
static bool is_formula(const char *text)
{
    static const char *const wide[] = {"\xef\xbc\x9d", "\xef\xbc\x8b", "\xef\xbc\x8d",
                                       "\xef\xbc\xa0"};

    text += strspn(text, " ");
    for (size_t i = 0; i < sizeof wide / sizeof *wide; i++)
        if (strncmp(text, wide[i], 3) == 0)
            return true;
    return *text && strchr("=+-@|%", *text);
}

static void csv_text(FILE *f, const char *text)
{
    bool formula = is_formula(text);
    size_t n = strlen(text);
    bool quoted =
        formula || strpbrk(text, ",\"\r\n\t;'") || (n && (text[0] == ' ' || text[n - 1] == ' '));

    if (!quoted) {
        fprintf(f, "%s", text);
        return;
    }
    fprintf(f, "\"%s", formula ? "'" : "");
    for (; *text; text++)
        fprintf(f, "%s%c", *text == '"' ? "\"" : "", *text);
    putc('"', f);
}

static void csv_value(FILE *f, const cJSON *v)
{
    if (cJSON_IsString(v))
        csv_text(f, v->valuestring);
    else if (cJSON_IsBool(v))
        fprintf(f, "%s", cJSON_IsTrue(v) ? "true" : "false");
    else if (cJSON_IsNumber(v) && isfinite(v->valuedouble))
        export_number(f, v->valuedouble);
}

/* The qualities beside the primary one: "iou_pit=0.61 iou_crack=" */
static void csv_others(FILE *f, const cJSON *list)
{
    char text[RESULT_MAX_OTHERS * 64] = "";
    const cJSON *row;
    size_t n = 0;

    cJSON_ArrayForEach(row, list)
    {
        const cJSON *v = json_at(row, "value");
        char number[EXPORT_NUMBER_SIZE] = "";
        if (cJSON_IsNumber(v) && isfinite(v->valuedouble))
            export_number_text(number, v->valuedouble);
        if (n < sizeof text)
            n += (size_t)snprintf(text + n, sizeof text - n, "%s%.31s=%s", n ? " " : "",
                                  json_text(row, "name", ""), number);
    }
    utf8_clean(text); /* a name may have been cut inside a character */
    csv_text(f, text);
}

static void csv_row(struct export *x, const cJSON *doc, const cJSON *w)
{
    for (int i = 0; i < N_COLUMNS; i++) {
        fprintf(x->f, "%s", i ? "," : "");
        const cJSON *v = value_of(doc, w, columns[i]);
        if (cJSON_IsArray(v))
            csv_others(x->f, v);
        else
            csv_value(x->f, v);
    }
    fprintf(x->f, "\r\n");
    x->n_workloads++;
}

static int csv_record(struct export *x, const cJSON *doc, struct err *e)
{
    const cJSON *w;
    int i = 0;

    (void)e;
    if (is_empty(x, doc))
        csv_row(x, doc, NULL);
    while ((w = next_row(x, doc, &i)))
        csv_row(x, doc, w);
    return 0;
}

const struct export_sink export_csv = {
    "csv", "a row per workload and micro benchmark, RFC 4180", false, csv_begin, csv_record, NULL};

/* ---- ndjson: bulk pairs ---- */

/* A list of qualities as an object of their numbers. Names that are not of this
 * release are left out: each would be one more field of the index. */
static cJSON *others_of(const cJSON *list)
{
    cJSON *o = cJSON_CreateObject();
    const cJSON *row;

    cJSON_ArrayForEach(row, list)
    {
        const char *name = json_text(row, "name", "");
        const cJSON *v = json_at(row, "value");
        if (metric_find(name) < 0 || !cJSON_IsNumber(v) || cJSON_HasObjectItem(o, name))
            continue;
        if (!cJSON_AddNumberToObject(o, name, v->valuedouble)) {
            cJSON_Delete(o);
            return NULL;
        }
    }
    return o;
}

/* Copies a value to where the column says, with objects on the way. */
static int put_value(cJSON *o, const char *column, const cJSON *v)
{
    const char *path = column[0] == '.' ? column + 1 : column;
    char name[64];

    if (column[0] == '.') {
        o = cJSON_HasObjectItem(o, "workload") ? cJSON_GetObjectItem(o, "workload")
                                               : put_object(o, "workload");
    }
    while (o && strchr(path, '.')) {
        size_t n = strcspn(path, ".");
        snprintf(name, sizeof name, "%.*s", (int)n, path);
        o = cJSON_HasObjectItem(o, name) ? cJSON_GetObjectItem(o, name) : put_object(o, name);
        path += n + 1;
    }
    cJSON *copy = !o ? NULL : cJSON_IsArray(v) ? others_of(v) : cJSON_Duplicate(v, 0);
    return copy && cJSON_AddItemToObject(o, path, copy) ? 0 : -1;
}

static int put_nodes(cJSON *o, const cJSON *doc)
{
    const cJSON *node, *nodes = json_at(doc, "job.nodes");
    cJSON *list = put_array(o, "nodes");
    int n = 0;

    cJSON_ArrayForEach(node, nodes)
    {
        if (!cJSON_IsString(node) || n++ >= MAX_LISTED)
            continue;
        cJSON *copy = cJSON_CreateString(node->valuestring);
        if (!copy || !cJSON_AddItemToArray(list, copy))
            return -1;
    }
    return list ? 0 : -1;
}

static cJSON *document(const cJSON *doc, const cJSON *w)
{
    cJSON *o = cJSON_CreateObject();
    int bad = !o || put_text(o, "@timestamp", json_text(doc, "time.end", ""), "unknown", NULL) ||
              put_nodes(o, doc);

    for (int i = 0; !bad && i < N_COLUMNS; i++) {
        const cJSON *v = value_of(doc, w, columns[i]);
        if (v && !cJSON_IsNull(v) && (!v->child || cJSON_IsArray(v)))
            bad = put_value(o, columns[i], v);
    }
    if (bad) {
        cJSON_Delete(o);
        return NULL;
    }
    return o;
}

/* <cluster>-<job>...<step>-<workload>, with a number for the rows of a micro
 * benchmark: filing twice is filing once. */
static cJSON *action(const cJSON *doc, const cJSON *w, int i)
{
    bool row = json_at(w, "samples_taken") != NULL;
    char id[RECORD_ID_SIZE + 64];
    cJSON *o = cJSON_CreateObject(), *index = o ? put_object(o, "index") : NULL;

    snprintf(id, sizeof id, "%.159s-%.48s", json_text(doc, "id", "unknown"),
             json_text(w, "name", "none"));
    if (row)
        snprintf(id + strlen(id), sizeof id - strlen(id), "-%d", i);
    if (!index || put_text(index, "_index", "hpcai500", NULL, NULL) ||
        put_text(index, "_id", id, NULL, NULL)) {
        cJSON_Delete(o);
        return NULL;
    }
    return o;
}

static int ndjson_pair(struct export *x, const cJSON *doc, const cJSON *w, int i, struct err *e)
{
    x->n_workloads++;
    return export_line(x, action(doc, w, i), e) ? -1 : export_line(x, document(doc, w), e);
}

static int ndjson_record(struct export *x, const cJSON *doc, struct err *e)
{
    const cJSON *w;
    int i = 0;

    if (is_empty(x, doc))
        return ndjson_pair(x, doc, NULL, 0, e);
    while ((w = next_row(x, doc, &i)))
        if (ndjson_pair(x, doc, w, i, e))
            return -1;
    return 0;
}

const struct export_sink export_ndjson = {
    "ndjson", "bulk pairs for Elasticsearch and OpenSearch", false, NULL, ndjson_record, NULL};
