/* SPDX-License-Identifier: BSD-3-Clause */
/* Rows of the history as JSON and CSV. */
#include <config.h>

#include "reports/tools/history_rows.h"

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "reports/core/result.h"
#include "reports/core/utf8.h"
#include "reports/record/fields.h"

/* ---- one table of a row's fields: JSON and CSV ---- */

enum kind {
    TEXT,
    INTEGER,
    UNSIGNED, /* a long, below 0 there is none */
    NUMBERED, /* a long, below 1 there is none */
    BOOL,
    REAL,
    TIME,
    STATUS
};

static const struct column {
    const char *name;
    enum kind kind;
    size_t offset;
} columns[] = {
#define COLUMN(name, kind, member)                                                                 \
    {                                                                                              \
        name, kind, offsetof(struct history_row, member)                                           \
    }
    COLUMN("key", TEXT, key),
    COLUMN("cluster", TEXT, cluster),
    COLUMN("job_id", NUMBERED, job),
    COLUMN("array_job_id", NUMBERED, array_job),
    COLUMN("array_task_id", UNSIGNED, array_task),
    COLUMN("het_job_id", NUMBERED, het_job),
    COLUMN("het_offset", UNSIGNED, het_offset),
    COLUMN("restart", INTEGER, restart),
    COLUMN("step_id", TEXT, step),
    COLUMN("user", TEXT, user),
    COLUMN("uid", UNSIGNED, uid),
    COLUMN("account", TEXT, account),
    COLUMN("partition", TEXT, partition),
    COLUMN("nodes", TEXT, nodes),
    COLUMN("node_count", INTEGER, n_nodes),
    COLUMN("begin", TIME, begin),
    COLUMN("end", TIME, end),
    COLUMN("run", TEXT, asked),
    COLUMN("status", STATUS, status),
    COLUMN("valid", BOOL, valid),
    COLUMN("witnessed", BOOL, witnessed),
    COLUMN("archive", TEXT, archive),
    COLUMN("position", INTEGER, position),
    COLUMN("workload", TEXT, workload),
    COLUMN("class", TEXT, class_name),
    COLUMN("engine", TEXT, engine),
    COLUMN("dtype", TEXT, dtype),
    COLUMN("data_origin", TEXT, origin),
    COLUMN("ranks", INTEGER, ranks),
    COLUMN("threads", INTEGER, threads),
    COLUMN("batch", UNSIGNED, batch),
    COLUMN("workload_status", STATUS, workload_status),
    COLUMN("workload_valid", BOOL, workload_valid),
    COLUMN("samples_per_second", REAL, samples_per_second),
    COLUMN("quality_metric", TEXT, quality_metric),
    COLUMN("quality", REAL, quality),
    COLUMN("time_to_quality_seconds", REAL, time_to_quality_seconds),
    COLUMN("flop_per_second", REAL, flop_per_second),
    COLUMN("cause", TEXT, cause),
    COLUMN("cause_node", TEXT, cause_node),
    COLUMN("verdict", TEXT, verdict),
    COLUMN("why", TEXT, why),
    COLUMN("next", TEXT, next),
    COLUMN("metric", TEXT, metric),
    COLUMN("metric_node", TEXT, metric_node),
    COLUMN("value", REAL, value),
};

enum { COLUMNS = sizeof columns / sizeof *columns };

const char *history_status(int status)
{
    const char *name = status == HISTORY_NONE ? "none" : status_name(status);
    return name ? name : "unknown";
}

const char *history_utc(int64_t t, char text[HISTORY_UTC])
{
    time_t seconds = (time_t)t;
    struct tm tm;

    text[0] = '\0';
    if (t > 0 && gmtime_r(&seconds, &tm))
        strftime(text, HISTORY_UTC, "%Y-%m-%dT%H:%M:%SZ", &tm);
    return text;
}

/* The shortest decimals that read back as the same number; "" for none. */
static const char *real_text(double v, char buf[64])
{
    buf[0] = '\0';
    for (int digits = 15; isfinite(v) && digits <= 17; digits++) {
        snprintf(buf, 64, "%.*g", digits, v);
        if (strtod(buf, NULL) == v)
            break;
    }
    return buf;
}

/* A field as text, "" when there is none; *quoted: it is a text in JSON too. */
static const char *field_text(const struct history_row *row, const struct column *c, char buf[64],
                              bool *quoted)
{
    const char *p = (const char *)row + c->offset;

    *quoted = c->kind == TEXT || c->kind == TIME || c->kind == STATUS;
    buf[0] = '\0';
    switch (c->kind) {
    case TEXT:
        return *(const char *const *)p;
    case TIME:
        return history_utc(*(const int64_t *)p, buf);
    case STATUS:
        return history_status(*(const int *)p);
    case BOOL:
        return *(const bool *)p ? "true" : "false";
    case REAL:
        return real_text(*(const double *)p, buf);
    case INTEGER:
        snprintf(buf, 64, "%d", *(const int *)p);
        return buf;
    default:
        if (*(const long *)p >= (c->kind == NUMBERED))
            snprintf(buf, 64, "%ld", *(const long *)p);
        return buf;
    }
}

/* ---- JSON ---- */

void history_json(cJSON *o)
{
    char *text = o ? cJSON_PrintUnformatted(o) : NULL;

    fputs(text ? text : "null", stdout);
    cJSON_free(text);
    cJSON_Delete(o);
}

void history_row_json(const struct history_row *row, long n)
{
    cJSON *o = cJSON_CreateObject();
    const struct nulls nowhere = {NULL, ""};

    for (int i = 0; i < COLUMNS; i++) {
        char buf[64];
        bool quoted;
        const char *text = field_text(row, &columns[i], buf, &quoted);
        if (!*text)
            cJSON_AddNullToObject(o, columns[i].name);
        else if (quoted)
            put_text(o, columns[i].name, text, NULL, &nowhere);
        else
            cJSON_AddRawToObject(o, columns[i].name, text);
    }
    fputs(n ? ",\n" : "\n", stdout);
    history_json(o);
}

/* ---- CSV ---- */

/* RFC 4180; a text that a spreadsheet would calculate gets a quote before it. */
static void csv_cell(const char *text, bool quoted, bool last)
{
    char clean[1024];

    snprintf(clean, sizeof clean, "%s", text);
    utf8_clean(clean);
    bool formula = quoted && clean[0] && strchr("=+-@", clean[0]);
    bool quotes = formula || strpbrk(clean, "\",\r\n");
    if (quotes)
        putchar('"');
    if (formula)
        putchar('\'');
    for (const char *c = clean; *c; c++) {
        if (*c == '"')
            putchar('"');
        putchar(*c);
    }
    if (quotes)
        putchar('"');
    fputs(last ? "\r\n" : ",", stdout);
}

void history_csv_head(void)
{
    for (int i = 0; i < COLUMNS; i++)
        csv_cell(columns[i].name, true, i == COLUMNS - 1);
}

void history_csv_row(const struct history_row *row)
{
    for (int i = 0; i < COLUMNS; i++) {
        char buf[64];
        bool quoted;
        const char *text = field_text(row, &columns[i], buf, &quoted);
        csv_cell(text, quoted, i == COLUMNS - 1);
    }
}
