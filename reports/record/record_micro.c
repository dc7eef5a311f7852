/* SPDX-License-Identifier: BSD-3-Clause */
/* Of a record: micro benchmarks, in the record and, with every sample, in the
 * ranks' file. */
#include <config.h>

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "reports/record/record_put.h"

static const char *const status_words[] = MICRO_STATUS_WORDS;

int record_add_micro(struct record *r, const struct micro_row *m)
{
    struct micro_row *rows = record_grown(r->micro, r->n_micro, sizeof *rows), row = *m;

    if (!rows)
        return -1;
    r->micro = rows;
    row.samples = record_copied(m->samples, (size_t)m->n_samples * sizeof *m->samples);
    row.parts = record_copied(m->parts, (size_t)m->n_parts * sizeof *m->parts);
    if (!row.samples || !row.parts) {
        micro_row_fini(&row);
        return -1;
    }
    struct measure *const measures[] = {
        &row.median,        &row.p95,         &row.p99,     &row.best,
        &row.algbw,         &row.busbw,       &row.slowest, &row.throttled_seconds,
        &row.foreign_cores, &row.clock_hertz, &row.celsius, &row.run_delay,
        &row.resident,
    };
    if (!row.cache[0])
        row.resident = unmeasured("it reads no files");
    for (size_t i = 0; i < sizeof measures / sizeof *measures; i++)
        record_keep_reason(r, measures[i]);
    rows[r->n_micro] = row;
    return r->n_micro++;
}

/* A line of a journal is at most 1 MiB. */
enum { KEPT_SAMPLES = 16384 };

int record_micro_put(cJSON *o, const struct micro_row *m)
{
    struct record_micro_head head = {status_words[m->status]};
    cJSON *samples = put_array(o, "samples");
    int rc = !samples ? -1
                      : fields_put(o, record_micro_row_fields, m, NULL) |
                            fields_put(o, record_micro_head_fields, &head, NULL) |
                            put_number(o, "index", m->index, NULL, NULL);

    for (int i = 0; rc == 0 && i < m->n_samples && i < KEPT_SAMPLES; i++) {
        cJSON *v = isfinite(m->samples[i]) ? cJSON_CreateNumber(m->samples[i]) : cJSON_CreateNull();
        rc = v && cJSON_AddItemToArray(samples, v) ? 0 : -1;
    }
    return rc;
}

static const char *keep_in_record(void *ctx, const char *text)
{
    return record_keep(ctx, text);
}

int record_micro_get(const cJSON *o, struct record *r)
{
    const cJSON *list = json_at(o, "samples"), *v;
    const char *word = json_text(o, "status", "");
    struct micro_row m = {.slowest_rank = -1};

    while (m.status < MICRO_STATUS_COUNT && strcmp(word, status_words[m.status]) != 0)
        m.status++;
    fields_get(o, record_micro_row_fields, &m, keep_in_record, r);
    if (m.status == MICRO_STATUS_COUNT || !m.name[0])
        return -1;
    m.n_samples = 0; /* those that stand there */
    m.index = (int)json_integer(o, "index", -1, INT_MAX, 0);
    m.samples = malloc(((size_t)cJSON_GetArraySize(list) + 1) * sizeof *m.samples);
    if (!m.samples)
        return -1;
    cJSON_ArrayForEach(v, list) m.samples[m.n_samples++] = cJSON_IsNumber(v) ? v->valuedouble : NAN;
    int at = record_add_micro(r, &m);
    micro_row_fini(&m);
    return at < 0 ? -1 : 0;
}

/* Up to so many finite samples from `from` on. */
static int put_samples(cJSON *o, const double *samples, int n)
{
    cJSON *list = put_array(o, "samples");

    for (int i = 0; list && i < n; i++) {
        if (!isfinite(samples[i]))
            continue;
        cJSON *v = cJSON_CreateNumber(samples[i]);
        if (!v || !cJSON_AddItemToArray(list, v))
            return -1;
    }
    return list ? 0 : -1;
}

static int put_row(cJSON *list, const struct micro_row *m, int i, const struct record_limits *limit,
                   const struct nulls *n)
{
    struct nulls at = nulls_at(n, "micro[%d]", i);
    struct record_micro_head head = {status_words[m->status]};
    int shown = m->n_samples < limit->samples ? m->n_samples : limit->samples;
    cJSON *o = cJSON_CreateObject();

    if (!o || !cJSON_AddItemToArray(list, o))
        return -1;
    return fields_put(o, record_micro_row_fields, m, &at) |
           fields_put(o, record_micro_head_fields, &head, &at) | put_samples(o, m->samples, shown) |
           put_number(o, "samples_omitted", m->n_samples - shown, NULL, &at);
}

/* What a person must see comes before what is in order. */
static int rank_of(const struct micro_row *m)
{
    return m->status == MICRO_FAULTY ? 0 : m->status == MICRO_SLOW ? 1 : 2;
}

int record_put_micro(cJSON *doc, const struct record *r, const struct record_limits *limit,
                     const struct nulls *n)
{
    cJSON *list = put_array(doc, "micro");
    int rc = list ? 0 : -1, shown = 0;

    for (int pass = 0; pass < 3; pass++)
        for (int i = 0; rc == 0 && i < r->n_micro && shown < limit->micro; i++)
            if (rank_of(&r->micro[i]) == pass)
                rc = put_row(list, &r->micro[i], shown++, limit, n);
    return rc | put_number(doc, "micro_omitted", r->n_micro - shown, NULL, n);
}

/* {"rank", "node", "samples"} of one part. */
static int put_part(cJSON *list, const struct record *r, const struct micro_part *p,
                    const double *samples)
{
    bool known = p->node >= 0 && p->node < r->n_nodes;
    cJSON *o = cJSON_CreateObject();

    if (!o || !cJSON_AddItemToArray(list, o))
        return -1;
    return put_number(o, "rank", p->rank, NULL, NULL) |
           put_text(o, "node", known ? r->nodes[p->node].name : "", "unknown", NULL) |
           put_samples(o, samples, p->n);
}

cJSON *record_micro_samples(const struct record *r, const struct micro_row *m)
{
    struct record_micro_head head = {status_words[m->status]};
    const struct micro_part all = {-1, -1, m->n_samples};
    const struct micro_part *parts = m->n_parts ? m->parts : &all;
    int n = m->n_parts ? m->n_parts : 1, at = 0;
    cJSON *o = cJSON_CreateObject();
    cJSON *list = NULL;
    int rc = !o ? -1
                : fields_put(o, record_micro_row_fields, m, NULL) |
                      fields_put(o, record_micro_head_fields, &head, NULL);

    if (rc == 0 && !(list = put_array(o, "ranks")))
        rc = -1;
    for (int i = 0; rc == 0 && i < n && at + parts[i].n <= m->n_samples; at += parts[i++].n)
        rc = put_part(list, r, &parts[i], m->samples + at);
    if (rc == 0)
        return o;
    cJSON_Delete(o);
    return NULL;
}
