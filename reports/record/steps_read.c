/* SPDX-License-Identifier: BSD-3-Clause */
/* The steps file, read as if an enemy had written it. */
#include <config.h>

#include "reports/record/steps_file.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#ifdef HAVE_ZLIB
#include <zlib.h>
#endif

#include "reports/core/slurp.h"
#include "reports/record/fields.h"
#include "reports/record/steps_column.h"

enum {
    MOST_HEAD = 8 << 20, /* bytes of the line */
    MOST_COLUMNS = 64,   /* of a step, and of a bucket */
    MOST_NODES = STEPS_MAX_BLOCKS
};

/* A column of the file: ours, or of a release that has more. */
struct column {
    const struct steps_column *ours; /* NULL: not known here */
};

struct steps_file {
    char name[PATH_MAX];
    const unsigned char *bytes;
    void *own; /* the bytes, where they are not borrowed */
    size_t size;
    char id[RECORD_ID_SIZE];
    double tick;
    int n_columns, n_bucket_columns;
    struct column columns[MOST_COLUMNS], bucket_columns[MOST_COLUMNS];
    int n_workloads, n_blocks;
    struct steps_workload workloads[RUNSPEC_MAX_WORKLOADS];
    struct steps_block *blocks;
    size_t *at; /* [n_blocks] of the members */
};

/* ---- a member ---- */

#ifdef HAVE_ZLIB
/* Inflates the member at bytes[0..size) into out[0..room); *got: its bytes,
 * *used: those of the member. 0, or why not. */
static const char *inflate_member(const void *bytes, size_t size, void *out, size_t room,
                                  size_t *got, size_t *used)
{
    z_stream z = {0};

    if (inflateInit2(&z, 15 + 16) != Z_OK)
        return "out of memory";
    z.next_in = (Bytef *)(uintptr_t)bytes;
    z.avail_in = (uInt)size;
    z.next_out = out;
    z.avail_out = (uInt)room;
    const int rc = inflate(&z, Z_FINISH);
    *got = z.total_out;
    *used = z.total_in;
    inflateEnd(&z);
    if (rc == Z_STREAM_END)
        return NULL;
    return rc == Z_MEM_ERROR      ? "out of memory"
           : z.avail_out == 0     ? "it unpacks to more than its rows can take"
           : rc == Z_BUF_ERROR    ? "it is cut off"
           : rc == Z_STREAM_ERROR ? "it cannot be unpacked"
                                  : "it is damaged";
}
#else
static const char *inflate_member(const void *bytes, size_t size, void *out, size_t room,
                                  size_t *got, size_t *used)
{
    (void)bytes, (void)size, (void)out, (void)room, (void)got, (void)used;
    return "this build has no zlib";
}
#endif

/* ---- the line in front ---- */

static int bad(const struct steps_file *f, struct err *e, const char *what)
{
    return err_set(e, "%s: not a steps file: %s", f->name, what);
}

static const struct steps_column *ours(const struct steps_column *c, const cJSON *row)
{
    const cJSON *name = cJSON_GetArrayItem(row, 0), *unit = cJSON_GetArrayItem(row, 1);

    for (; c->name && cJSON_IsString(name) && cJSON_IsString(unit); c++)
        if (strcmp(c->name, name->valuestring) == 0 &&
            strcmp(steps_unit(c->kind), unit->valuestring) == 0)
            return c;
    return NULL;
}

/* How many columns; -1: too many, or no list. */
static int read_columns(const cJSON *list, const struct steps_column *known, struct column *to)
{
    const cJSON *row;
    int n = 0;

    if (!cJSON_IsArray(list) || cJSON_GetArraySize(list) > MOST_COLUMNS)
        return -1;
    cJSON_ArrayForEach(row, list) to[n++] = (struct column){ours(known, row)};
    return n;
}

static int read_workload(const cJSON *o, struct steps_workload *w)
{
    snprintf(w->name, sizeof w->name, "%s", json_text(o, "name", ""));
    w->ranks = (int)json_integer(o, "ranks", 1, INT32_MAX, 0);
    w->buckets = (int)json_integer(o, "buckets", 0, STEPS_MAX_BUCKETS, -1);
    w->epochs = (int)json_integer(o, "epochs", 0, INT32_MAX, -1);
    w->steps_per_epoch = json_integer(o, "steps_per_epoch", 0, LONG_MAX, -1);
    w->window = json_integer(o, "window", 1, INT32_MAX, 0);
    w->stride = json_integer(o, "stride", 1, INT32_MAX, 0);
    return w->name[0] && w->ranks && w->buckets >= 0 && w->epochs >= 0 && w->steps_per_epoch >= 0 &&
                   w->window && w->stride
               ? 0
               : -1;
}

static int read_workloads(struct steps_file *f, const cJSON *list, struct err *e)
{
    const cJSON *o;

    if (!cJSON_IsArray(list) || cJSON_GetArraySize(list) > RUNSPEC_MAX_WORKLOADS)
        return bad(f, e, "it names no workloads, or too many");
    cJSON_ArrayForEach(o, list)
    {
        if (read_workload(o, &f->workloads[f->n_workloads]) < 0)
            return bad(f, e, "a workload is not as it must be");
        f->n_workloads++;
    }
    return 0;
}

/* Names of nodes by their place. */
struct nodes {
    const char **name;
    int n;
};

static int read_block(const struct steps_file *f, const cJSON *row, const struct nodes *nodes,
                      struct steps_block *b)
{
    long v[6];
    int n = 0;
    const cJSON *cell;

    cJSON_ArrayForEach(cell, row)
    {
        if (n == 6 || !cJSON_IsNumber(cell) || !(cell->valuedouble >= 0) ||
            cell->valuedouble > INT32_MAX)
            return -1;
        v[n++] = (long)cell->valuedouble;
    }
    if (n != 6 || v[0] >= f->n_workloads || v[1] >= f->workloads[v[0]].ranks || v[2] >= nodes->n ||
        v[4] > STEPS_MAX_ROWS || v[5] == 0)
        return -1;
    *b = (struct steps_block){.workload = (int)v[0],
                              .rank = (int)v[1],
                              .epoch = (int)v[3],
                              .rows = (int)v[4],
                              .bytes = (size_t)v[5]};
    snprintf(b->node, sizeof b->node, "%s", nodes->name[v[2]]);
    return 0;
}

static int read_nodes(struct steps_file *f, const cJSON *list, struct nodes *nodes, struct err *e)
{
    const cJSON *name;

    if (!cJSON_IsArray(list) || cJSON_GetArraySize(list) > MOST_NODES)
        return bad(f, e, "it names no nodes, or too many");
    nodes->name = calloc((size_t)cJSON_GetArraySize(list) + 1, sizeof *nodes->name);
    if (!nodes->name)
        return bad(f, e, "out of memory");
    cJSON_ArrayForEach(name, list)
    {
        if (!cJSON_IsString(name))
            return bad(f, e, "a node is not a name");
        nodes->name[nodes->n++] = name->valuestring;
    }
    return 0;
}

/* at: where the first member begins. */
static int read_blocks(struct steps_file *f, const cJSON *list, const struct nodes *nodes,
                       size_t at, struct err *e)
{
    const cJSON *row;
    const int n = cJSON_GetArraySize(list);

    if (!cJSON_IsArray(list) || n > STEPS_MAX_BLOCKS)
        return bad(f, e, "it names no blocks, or too many");
    f->blocks = calloc((size_t)n + 1, sizeof *f->blocks);
    f->at = calloc((size_t)n + 1, sizeof *f->at);
    if (!f->blocks || !f->at)
        return bad(f, e, "out of memory");
    cJSON_ArrayForEach(row, list)
    {
        struct steps_block *b = &f->blocks[f->n_blocks];
        if (read_block(f, row, nodes, b) < 0)
            return bad(f, e, "a block is not as it must be");
        if (b->bytes > f->size - at)
            return bad(f, e, "it is cut off");
        f->at[f->n_blocks++] = at;
        at += b->bytes;
    }
    return at == f->size ? 0 : bad(f, e, "there is something behind the last block");
}

static int read_head(struct steps_file *f, const cJSON *doc, size_t at, struct err *e)
{
    struct nodes nodes = {NULL, 0};

    if (strcmp(json_text(doc, "schema", ""), STEPS_SCHEMA) != 0)
        return bad(f, e, "its first line has another schema");
    if (strncmp(json_text(doc, "schema_version", ""), STEPS_SCHEMA_VERSION, 2) != 0)
        return err_set(e,
                       "%s: schema version '%.32s', but this release reads 1.x; use one that "
                       "fits",
                       f->name, json_text(doc, "schema_version", ""));
    snprintf(f->id, sizeof f->id, "%s", json_text(doc, "id", ""));
    f->tick = json_number(doc, "tick_seconds", 0);
    f->n_columns = read_columns(json_at(doc, "columns"), steps_columns, f->columns);
    f->n_bucket_columns =
        read_columns(json_at(doc, "bucket_columns"), steps_bucket_columns, f->bucket_columns);
    if (!(f->tick > 0 && f->tick <= 1) || f->n_columns < 0 || f->n_bucket_columns < 0)
        return bad(f, e, "its columns are not as they must be");
    int rc = read_workloads(f, json_at(doc, "workloads"), e);
    if (rc == 0)
        rc = read_nodes(f, json_at(doc, "nodes"), &nodes, e);
    if (rc == 0)
        rc = read_blocks(f, json_at(doc, "blocks"), &nodes, at, e);
    free(nodes.name);
    return rc;
}

static int read_line(struct steps_file *f, struct err *e)
{
    char *text = malloc(MOST_HEAD);
    size_t got, used;

    if (!text)
        return bad(f, e, "out of memory");
    const char *why = inflate_member(f->bytes, f->size, text, MOST_HEAD, &got, &used);
    cJSON *doc = why ? NULL : cJSON_ParseWithLength(text, got);
    free(text);
    if (!why && !cJSON_IsObject(doc))
        why = "its first line is not JSON";
    int rc = why ? bad(f, e, why) : read_head(f, doc, used, e);
    cJSON_Delete(doc);
    return rc;
}

struct steps_file *steps_file_of(const void *bytes, size_t size, const char *name, struct err *e)
{
    struct steps_file *f = calloc(1, sizeof *f);

    if (!f) {
        err_set(e, "%s: out of memory", name);
        return NULL;
    }
    snprintf(f->name, sizeof f->name, "%s", name);
    f->bytes = bytes;
    f->size = size;
    int rc = size > STEPS_MAX_BYTES
                 ? err_set(e, "%s: more than %d bytes, too large for a steps file", name,
                           STEPS_MAX_BYTES)
                 : read_line(f, e);
    if (rc == 0)
        return f;
    steps_file_close(f);
    return NULL;
}

struct steps_file *steps_file_open(const char *path, struct err *e)
{
    size_t size;
    char *bytes = slurp(AT_FDCWD, path, O_NOFOLLOW, STEPS_MAX_BYTES, &size);

    if (!bytes) {
        err_set(e, "%s: %s", path, errno == EFBIG ? "too large for a steps file" : strerror(errno));
        return NULL;
    }
    struct steps_file *f = steps_file_of(bytes, size, path, e);
    if (f)
        f->own = bytes;
    else
        free(bytes);
    return f;
}

void steps_file_close(struct steps_file *f)
{
    const int errno_before = errno;

    if (f) {
        free(f->own);
        free(f->blocks);
        free(f->at);
    }
    free(f);
    errno = errno_before;
}

const char *steps_file_id(const struct steps_file *f)
{
    return f->id;
}

const struct steps_workload *steps_file_workloads(const struct steps_file *f, int *n)
{
    *n = f->n_workloads;
    return f->workloads;
}

const struct steps_block *steps_file_blocks(const struct steps_file *f, int *n)
{
    *n = f->n_blocks;
    return f->blocks;
}

/* ---- rows ---- */

struct cursor {
    const unsigned char *at, *end;
};

/* -1: the bytes end, or no number of 64 bits stands there. */
static int get_number(struct cursor *c, int64_t *d)
{
    uint64_t u = 0;

    for (int shift = 0; shift < 64; shift += 7) {
        if (c->at == c->end)
            return -1;
        const unsigned char byte = *c->at++;
        u |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80)) {
            *d = (int64_t)(u >> 1) ^ -(int64_t)(u & 1);
            return 0;
        }
    }
    return -1;
}

static int get_column(const struct steps_file *f, struct cursor *c, struct steps_row *rows, int n,
                      const struct column *column, int bucket)
{
    uint64_t v = 0;

    for (int k = 0; k < n; k++) {
        int64_t d;
        if (get_number(c, &d) < 0)
            return -1;
        v += (uint64_t)d; /* wraps around where the file is wrong */
        if (column->ours)
            *steps_cell(&rows[k], column->ours, bucket) =
                steps_from_file((int64_t)v, column->ours->kind, f->tick);
    }
    return 0;
}

/* What the file may not have: times are not known, counts are 0. */
static void clear(struct steps_row *row)
{
    for (const struct steps_column *c = steps_columns; c->name; c++)
        *steps_cell(row, c, 0) = c->kind == STEPS_TIME ? NAN : 0;
    for (const struct steps_column *c = steps_bucket_columns; c->name; c++)
        for (int b = 0; b < STEPS_MAX_BUCKETS; b++)
            *steps_cell(row, c, b) = NAN;
}

static int get_columns(const struct steps_file *f, struct cursor c, const struct steps_block *b,
                       struct steps_row *rows)
{
    for (int k = 0; k < b->rows; k++)
        clear(&rows[k]);
    for (int i = 0; i < f->n_columns; i++)
        if (get_column(f, &c, rows, b->rows, &f->columns[i], 0) < 0)
            return -1;
    for (int bucket = 0; bucket < f->workloads[b->workload].buckets; bucket++)
        for (int i = 0; i < f->n_bucket_columns; i++)
            if (get_column(f, &c, rows, b->rows, &f->bucket_columns[i], bucket) < 0)
                return -1;
    return c.at == c.end ? 0 : -1;
}

int steps_file_rows(struct steps_file *f, int i, struct steps_row *rows, struct err *e)
{
    const struct steps_block *b = &f->blocks[i];
    const size_t columns = (size_t)f->n_columns +
                           (size_t)f->workloads[b->workload].buckets * (size_t)f->n_bucket_columns;
    const size_t room = columns * (size_t)b->rows * 10 + 1;
    unsigned char *text = malloc(room);
    size_t got, used;
    const char *why = "out of memory";

    if (text)
        why = inflate_member(f->bytes + f->at[i], b->bytes, text, room, &got, &used);
    if (!why &&
        (used != b->bytes || get_columns(f, (struct cursor){text, text + got}, b, rows) < 0))
        why = "its rows are not those that its first line names";
    free(text);
    return why ? err_set(e, "%s: block %d: %s", f->name, i, why) : 0;
}
