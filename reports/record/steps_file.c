/* SPDX-License-Identifier: BSD-3-Clause */
/* The steps file, written: columns to blocks, blocks behind a line of JSON. */
#include <config.h>

#include "reports/record/steps_file.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "reports/core/fdio.h"
#include "reports/record/fields.h"
#include "reports/record/gzip.h"
#include "reports/record/steps_column.h"

const struct steps_column steps_columns[] = {
#define STEP(name, kind, title) {#name, title, STEPS_##kind, offsetof(struct steps_row, name)},
#include "reports/record/steps.def"
    {NULL, NULL, STEPS_COUNT, 0}};

const struct steps_column steps_bucket_columns[] = {
#define STEP_BUCKET(name, kind, title)                                                             \
    {#name, title, STEPS_##kind, offsetof(struct steps_row, name)},
#include "reports/record/steps.def"
    {NULL, NULL, STEPS_COUNT, 0}};

const char *steps_unit(enum steps_kind kind)
{
    return kind == STEPS_TIME ? "ticks" : "count";
}

/* ---- values ---- */

static const int64_t unknown = -(INT64_C(1) << 31);
static const double most = (double)(INT64_C(1) << 53); /* doubles have all whole numbers below */

int64_t steps_to_file(double v, enum steps_kind kind)
{
    if (!isfinite(v))
        return kind == STEPS_TIME ? unknown : 0;
    const double whole = nearbyint(kind == STEPS_TIME ? v / steps_tick : v);
    return (int64_t)fmin(fmax(whole, (double)(unknown + 1)), most);
}

double steps_from_file(int64_t v, enum steps_kind kind, double tick)
{
    if (kind == STEPS_COUNT)
        return (double)v;
    return v == unknown ? NAN : (double)v * tick;
}

/* ---- a block ---- */

enum { MOST_LEB128 = 10 /* bytes of a 64-bit number */ };

static unsigned char *put_number_leb128(unsigned char *at, int64_t d)
{
    uint64_t u = ((uint64_t)d << 1) ^ (uint64_t)(d >> 63);

    for (; u > 0x7f; u >>= 7)
        *at++ = (unsigned char)(0x80 | (u & 0x7f));
    *at++ = (unsigned char)u;
    return at;
}

static unsigned char *put_column(unsigned char *at, const struct steps_row *rows, int n,
                                 const struct steps_column *c, int bucket)
{
    int64_t before = 0;

    for (int k = 0; k < n; k++) {
        struct steps_row *row = (struct steps_row *)(uintptr_t)&rows[k]; /* only read */
        const int64_t v = steps_to_file(*steps_cell(row, c, bucket), c->kind);
        at = put_number_leb128(at, v - before);
        before = v;
    }
    return at;
}

static size_t count(const struct steps_column *c)
{
    size_t n = 0;

    while (c[n].name)
        n++;
    return n;
}

#ifdef HAVE_ZLIB
static const char *const not_packed = "out of memory for the steps file";
#else
static const char *const not_packed = "this build has no zlib: there is no steps file";
#endif

void *steps_pack(const struct steps_row *rows, int n, int buckets, size_t *bytes, struct err *e)
{
    const size_t columns = count(steps_columns) + (size_t)buckets * count(steps_bucket_columns);
    unsigned char *text = malloc(columns * (size_t)n * MOST_LEB128 + 1), *at = text;
    void *packed = NULL;

    if (text) {
        for (const struct steps_column *c = steps_columns; c->name; c++)
            at = put_column(at, rows, n, c, 0);
        for (int b = 0; b < buckets; b++)
            for (const struct steps_column *c = steps_bucket_columns; c->name; c++)
                at = put_column(at, rows, n, c, b);
        packed = gzip_pack(text, (size_t)(at - text), bytes);
    }
    free(text);
    if (!packed)
        err_set(e, "%s", not_packed);
    return packed;
}

/* ---- the line in front ---- */

static int put_columns(cJSON *doc, const char *name, const struct steps_column *c)
{
    cJSON *list = put_array(doc, name);
    int rc = list ? 0 : -1;

    for (; rc == 0 && c->name; c++) {
        const char *pair[2] = {c->name, steps_unit(c->kind)};
        cJSON *row = cJSON_CreateStringArray(pair, 2);
        if (!row || !cJSON_AddItemToArray(list, row))
            rc = -1;
    }
    return rc;
}

static int put_workloads(cJSON *doc, const struct steps_set *s)
{
    cJSON *list = put_array(doc, "workloads");
    int rc = list ? 0 : -1;

    for (int i = 0; rc == 0 && i < s->n_workloads; i++) {
        const struct steps_workload *w = &s->workloads[i];
        cJSON *o = cJSON_CreateObject();
        if (!o || !cJSON_AddItemToArray(list, o))
            return -1;
        rc = put_text(o, "name", w->name, NULL, NULL) |
             put_number(o, "ranks", w->ranks, NULL, NULL) |
             put_number(o, "buckets", w->buckets, NULL, NULL) |
             put_number(o, "epochs", w->epochs, NULL, NULL) |
             put_number(o, "steps_per_epoch", (double)w->steps_per_epoch, NULL, NULL) |
             put_number(o, "window", (double)w->window, NULL, NULL) |
             put_number(o, "stride", (double)w->stride, NULL, NULL);
    }
    return rc;
}

/* Names of nodes, each once, and of each block the place of its node there. */
static int put_nodes(cJSON *doc, const struct steps_set *s, int *node_of)
{
    cJSON *list = put_array(doc, "nodes");
    int n = 0;

    if (!list)
        return -1;
    for (int i = 0; i < s->n_blocks; i++) {
        const struct steps_block *b = &s->blocks[i].of;
        int k = 0;
        const cJSON *known;
        cJSON_ArrayForEach(known, list)
        {
            if (strcmp(known->valuestring, b->node) == 0)
                break;
            k++;
        }
        node_of[i] = k;
        if (k < n)
            continue;
        cJSON *name = cJSON_CreateString(b->node);
        if (!name || !cJSON_AddItemToArray(list, name))
            return -1;
        n++;
    }
    return 0;
}

static int put_blocks(cJSON *doc, const struct steps_set *s, const int *node_of)
{
    cJSON *list = put_array(doc, "blocks");
    int rc = list ? 0 : -1;

    for (int i = 0; rc == 0 && i < s->n_blocks; i++) {
        const struct steps_block *b = &s->blocks[i].of;
        const double row[6] = {b->workload, b->rank, node_of[i],
                               b->epoch,    b->rows, (double)b->bytes};
        cJSON *o = cJSON_CreateDoubleArray(row, 6);
        if (!o || !cJSON_AddItemToArray(list, o))
            rc = -1;
    }
    return rc;
}

/* free() it. */
static char *head(const struct steps_set *s, const char *id)
{
    cJSON *doc = cJSON_CreateObject();
    int *node_of = calloc((size_t)s->n_blocks + 1, sizeof *node_of);
    char *text = NULL;

    if (doc && node_of &&
        (put_text(doc, "schema", STEPS_SCHEMA, NULL, NULL) |
         put_text(doc, "schema_version", STEPS_SCHEMA_VERSION, NULL, NULL) |
         put_text(doc, "id", id, NULL, NULL) |
         put_number(doc, "tick_seconds", steps_tick, NULL, NULL) |
         put_columns(doc, "columns", steps_columns) |
         put_columns(doc, "bucket_columns", steps_bucket_columns) | put_nodes(doc, s, node_of) |
         put_workloads(doc, s) | put_blocks(doc, s, node_of)) == 0)
        text = cJSON_PrintUnformatted(doc);
    free(node_of);
    cJSON_Delete(doc);
    return text;
}

int steps_set_write(const struct steps_set *s, const char *id, int fd, struct err *e)
{
    char *text = head(s, id);
    const size_t n = text ? strlen(text) : 0;
    size_t size = 0;
    void *packed = NULL;

    if (text) {
        text[n] = '\n'; /* for the NUL: it is not a text any more */
        packed = gzip_pack(text, n + 1, &size);
    }
    free(text);
    if (!packed)
        return err_set(e, "%s", not_packed);
    errno = 0;
    int rc = fdio_write(fd, packed, size);
    for (int i = 0; rc == 0 && i < s->n_blocks; i++)
        rc = fdio_write(fd, s->blocks[i].bytes, s->blocks[i].of.bytes);
    free(packed);
    return rc == 0 ? 0 : err_set(e, "%s", strerror(errno));
}
