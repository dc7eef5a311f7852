/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A record as a file: written so that it is whole or not there, read as if
 * an enemy had written it.
 */
#include <config.h>

#include "reports/record/record.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef HAVE_ZLIB
#include <zlib.h>
#endif

#include "reports/core/atomic.h"
#include "reports/core/fdio.h"
#include "reports/core/slurp.h"
#include "reports/record/record_put.h"
#include "reports/record/steps_file.h"
#include "reports/core/sha256.h"
#include "reports/core/utf8.h"

/* ---- a file that is not there until it is whole ---- */

static int temp_open(struct atomic *t, int dirfd, const char *dir, const char *name, struct err *e)
{
    if (atomic_open(t, dirfd, name, NULL, 0666, ATOMIC_NEW | ATOMIC_UMASK) < 0)
        return err_set(e, "cannot write a record into %s: %s", dir, strerror(errno));
    return 0;
}

/* What killed writers left. Once the record stands under its name no other
 * writer of it can succeed, so that nobody needs these any more. */
static void temp_sweep(int dirfd, const char *id)
{
    int copy = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = copy < 0 ? NULL : fdopendir(copy);
    struct dirent *row;

    if (!d && copy >= 0)
        close(copy);
    while (d && (row = readdir(d)))
        if (atomic_is_temporary(row->d_name, id))
            unlinkat(dirfd, row->d_name, 0);
    if (d)
        closedir(d);
}

/* ---- everything per rank ---- */

#ifdef HAVE_ZLIB
#define RANKS_SUFFIX ".json.gz"
typedef gzFile sink;

static sink sink_open(int fd)
{
    return gzdopen(fd, "wb6");
}

static int sink_put(sink s, const char *text)
{
    return gzputs(s, text) < 0 ? -1 : 0;
}

static int sink_close(sink s)
{
    return gzclose(s) == Z_OK ? 0 : -1;
}
#else
#define RANKS_SUFFIX ".json"
typedef FILE *sink;

static sink sink_open(int fd)
{
    return fdopen(fd, "w");
}

static int sink_put(sink s, const char *text)
{
    return fputs(text, s) < 0 ? -1 : 0;
}

static int sink_close(sink s)
{
    return fclose(s) == 0 ? 0 : -1;
}
#endif

/* One row of an array, with a comma before all but the first. Takes o. */
static int sink_row(sink s, cJSON *o, int failed, int i)
{
    char *text = o && !failed ? cJSON_PrintUnformatted(o) : NULL;
    int rc = text ? sink_put(s, i ? ",\n" : "\n") | sink_put(s, text) : -1;

    free(text);
    cJSON_Delete(o);
    return rc;
}

/* A string with its quotes, escaped. */
static int sink_text(sink s, const char *text)
{
    cJSON *o = json_string(text);
    char *quoted = o ? cJSON_PrintUnformatted(o) : NULL;
    int rc = quoted ? sink_put(s, quoted) : -1;

    free(quoted);
    cJSON_Delete(o);
    return rc;
}

static int put_rank_counters(cJSON *o, const struct record_workload *w, int rank)
{
    cJSON *counters = put_object(o, "counters");
    int rc = counters ? 0 : -1;

    for (int i = 0; rc == 0 && i < w->n_counters; i++) {
        const struct record_counter *c = &w->counters[i];
        if (!c->per_rank)
            continue;
        const double *v = &c->per_rank[(size_t)rank * (PHASE_COUNT + 1)];
        cJSON *values = put_object(counters, c->name);
        rc = values ? put_number(values, "total", v[PHASE_COUNT], NULL, NULL) : -1;
        for (int p = 0; rc == 0 && p < PHASE_COUNT; p++)
            rc = put_number(values, p == PHASE_COMPUTE ? RECORD_TRAIN : phase_name((enum phase)p),
                            v[p], NULL, NULL);
    }
    return rc;
}

static int sink_rank(sink s, const struct record *r, const struct record_workload *w, int rank)
{
    const struct record_rank *row = &w->ranks[rank];
    bool known = row->node >= 0 && row->node < r->n_nodes;
    cJSON *o = cJSON_CreateObject();
    cJSON *phases = o ? put_object(o, "phase_seconds") : NULL;
    int rc = phases ? 0 : -1;

    if (rc == 0)
        rc = put_number(o, "rank", rank, NULL, NULL) |
             put_text(o, "node", known ? r->nodes[row->node].name : "", "unknown", NULL) |
             put_number(o, "wall_seconds", row->wall_seconds, NULL, NULL) |
             put_rank_counters(o, w, rank);
    for (int p = 0; rc == 0 && p < PHASE_COUNT; p++)
        rc = put_number(phases, phase_name((enum phase)p), row->phase_seconds[p], NULL, NULL);
    return sink_row(s, o, rc, rank);
}

static int sink_workload(sink s, const struct record *r, int i)
{
    const struct record_workload *w = &r->workloads[i];
    int rc = sink_put(s, i ? ",\n{\"name\":" : "\n{\"name\":") | sink_text(s, w->result.name) |
             sink_put(s, ",\"epochs\":[");

    for (int k = 0; rc == 0 && k < w->result.n_epochs; k++) {
        cJSON *o = cJSON_CreateObject();
        int failed = o ? fields_put(o, record_epoch_fields, &w->result.epochs[k], NULL) : -1;
        rc = sink_row(s, o, failed, k);
    }
    rc |= sink_put(s, "],\"ranks\":[");
    for (int k = 0; rc == 0 && k < w->n_ranks; k++)
        rc = sink_rank(s, r, w, k);
    return rc | sink_put(s, "]}");
}

/* A row of `micro`, with every sample by the rank that took it. */
static int sink_micro(sink s, const struct record *r, int i)
{
    return sink_row(s, record_micro_samples(r, &r->micro[i]), 0, i);
}

static int sink_node(sink s, const struct record_node *node, int i)
{
    cJSON *o = cJSON_CreateObject();

    return sink_row(s, o, o ? record_node_put(o, node, NULL) : -1, i);
}

static int sink_all(sink s, const struct record *r, const char *id)
{
    int rc =
        sink_put(s, "{\"schema\":\"hpcai500/ranks\",\"schema_version\":\"" RECORD_SCHEMA_VERSION
                    "\",\"id\":\"") |
        sink_put(s, id) | sink_put(s, "\",\"nodes\":[");

    for (int i = 0; rc == 0 && i < r->n_nodes; i++)
        rc = sink_node(s, &r->nodes[i], i);
    rc |= sink_put(s, "],\"workloads\":[");
    for (int i = 0; rc == 0 && i < r->n_workloads; i++)
        rc = sink_workload(s, r, i);
    rc |= sink_put(s, "],\"micro\":[");
    for (int i = 0; rc == 0 && i < r->n_micro; i++)
        rc = sink_micro(s, r, i);
    return rc | sink_put(s, "]}\n");
}

static int fill_ranks(const struct atomic *t, const struct record *r, const char *id, struct err *e)
{
    int copy = fcntl(t->fd, F_DUPFD_CLOEXEC, 0);
    sink s = copy < 0 ? NULL : sink_open(copy);

    if (!s) {
        if (copy >= 0)
            close(copy);
        return err_set(e, "%s", errno ? strerror(errno) : "out of memory");
    }
    errno = 0;
    int rc = sink_all(s, r, id);
    int why = errno;
    if (sink_close(s) < 0)
        rc = -1;
    else
        errno = why;
    return rc < 0 ? err_set(e, "%s", errno ? strerror(errno) : "out of memory") : 0;
}

static int fill_steps(const struct atomic *t, const struct record *r, const char *id, struct err *e)
{
    return steps_set_write(r->steps, id, t->fd, e);
}

static int cannot_write(struct err *e, const char *dir, const char *name)
{
    return err_set(e, "cannot write %s/%s: %s", dir, name,
                   errno ? strerror(errno) : "out of memory");
}

/* The files beside a record. */
struct side {
    const char *stem, *suffix; /* <id>.STEM SUFFIX */
    int (*fill)(const struct atomic *t, const struct record *r, const char *id, struct err *e);
};

static const struct side ranks_side = {".ranks", RANKS_SUFFIX, fill_ranks},
                         steps_side = {".steps", ".gz", fill_steps};

/* Whether what a crash between the two files left is what we would write. */
static bool same_file(int dirfd, const char *dir, const struct record_side *file)
{
    char path[PATH_MAX], sha256[sizeof file->sha256];
    struct stat st;

    snprintf(path, sizeof path, "%s/%s", dir, file->name);
    return fstatat(dirfd, file->name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
           sha256_file(path, sha256, NULL, NULL) == 0 && strcmp(sha256, file->sha256) == 0;
}

/* Under its name; when that is taken by other bytes, the digest makes another. */
static int publish_side(struct atomic *t, const struct side *side, const char *dir, const char *id,
                        struct record_side *file)
{
    if (atomic_publish(t, NULL) == 0)
        return 0;
    if (errno != EEXIST)
        return -1;
    if (same_file(t->dirfd, dir, file))
        return 1;
    snprintf(file->name, sizeof file->name, "%s%s-%.8s%s", id, side->stem, file->sha256,
             side->suffix);
    return atomic_publish(t, file->name);
}

/* `<id>.ranks.json.gz`, `<id>.steps.gz`: 0 written, 1 it was there already, -1. */
static int write_side(const struct record *r, const struct side *side, int dirfd, const char *dir,
                      const char *id, struct record_side *file, struct err *e)
{
    struct atomic t;
    char path[PATH_MAX];

    snprintf(file->name, sizeof file->name, "%s%s%s", id, side->stem, side->suffix);
    if (temp_open(&t, dirfd, dir, file->name, e) < 0)
        return -1;
    int rc = side->fill(&t, r, id, e);
    if (rc < 0) {
        err_prefix(e, "cannot write %s/%s", dir, file->name);
        goto out;
    }
    snprintf(path, sizeof path, "%s/%s", dir, t.temporary);
    if ((rc = sha256_file(path, file->sha256, NULL, e)) < 0)
        goto out;
    rc = publish_side(&t, side, dir, id, file);
    if (rc < 0)
        cannot_write(e, dir, file->name);
out:
    atomic_discard(&t);
    return rc;
}

/* ---- the record ---- */

static int write_record(const struct record *r, int dirfd, const char *dir, const char *id,
                        const struct record_sides *sides, struct err *e)
{
    char name[RECORD_ID_SIZE + 8];
    struct atomic t;
    char *text = record_to_json(r, sides, e);
    int rc = -1;

    if (!text)
        return -1;
    snprintf(name, sizeof name, "%s.json", id);
    if (temp_open(&t, dirfd, dir, name, e) < 0)
        goto out;
    errno = 0;
    if (fdio_write(t.fd, text, strlen(text)) < 0 || fdio_write(t.fd, "\n", 1) < 0 ||
        atomic_publish(&t, NULL) < 0) {
        if (errno == EEXIST)
            err_set(e, "%s/%s exists already and was not replaced", dir, name);
        else
            cannot_write(e, dir, name);
    } else {
        rc = 0;
    }
    atomic_discard(&t);
out:
    free(text);
    return rc;
}

/* The record last: it names the others, which go when it cannot be written. */
static int write_all(const struct record *r, int dirfd, const char *dir, const char *id,
                     struct record_sides *sides, struct err *e)
{
    struct {
        const struct side *side;
        struct record_side *file;
        bool wanted;
        int found; /* 1: another's, which is not ours to remove */
    } rows[] = {{&ranks_side, &sides->ranks, record_has_ranks(r), 1},
                {&steps_side, &sides->steps, steps_set_blocks(r->steps) > 0, 1}};
    enum { N = sizeof rows / sizeof *rows };
    int rc = 0;

    for (int i = 0; i < N && rc == 0; i++)
        if (rows[i].wanted) {
            rows[i].found = write_side(r, rows[i].side, dirfd, dir, id, rows[i].file, e);
            rc = rows[i].found < 0 ? -1 : 0;
        }
    if (rc == 0)
        rc = write_record(r, dirfd, dir, id, sides, e);
    for (int i = 0; i < N && rc < 0; i++)
        if (rows[i].found == 0)
            unlinkat(dirfd, rows[i].file->name, 0);
    return rc;
}

int record_write(const struct record *r, const char *dir, char path[PATH_MAX], struct err *e)
{
    char id[RECORD_ID_SIZE], name[RECORD_ID_SIZE + 8];
    struct record_sides sides = {{"", ""}, {"", ""}};
    struct stat st;
    int rc = -1;
    int dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (dirfd < 0)
        return err_set(e, "cannot write a record into %s: %s", dir, strerror(errno));
    record_id(r, id);
    snprintf(name, sizeof name, "%s.json", id);
    if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
        err_set(e, "%s/%s exists already and was not replaced", dir, name);
        goto out;
    }
    rc = write_all(r, dirfd, dir, id, &sides, e);
    if (rc == 0) {
        temp_sweep(dirfd, id);
        snprintf(path, PATH_MAX, "%s/%s", dir, name);
    }
out:
    close(dirfd);
    return rc;
}

/* ---- reading what anybody may have written ---- */

/* Depth, and what cJSON would take without a word: control characters and
 * \u0000, which would cut a string short. */
static int scan(const char *text, size_t size, const char *name, struct err *e)
{
    int depth = 0;
    bool in_string = false;

    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c == 0 || (in_string && c < 0x20))
            return err_set(e, "%s: a control character at byte %zu", name, i);
        if (in_string && c == '\\') {
            if (size - i > 5 && memcmp(text + i, "\\u0000", 6) == 0)
                return err_set(e, "%s: a NUL character at byte %zu", name, i);
            i++;
        } else if (c == '"') {
            in_string = !in_string;
        } else if (!in_string && (c == '{' || c == '[') && ++depth > RECORD_MAX_DEPTH) {
            return err_set(e, "%s: nested deeper than %d at byte %zu", name, RECORD_MAX_DEPTH, i);
        } else if (!in_string && (c == '}' || c == ']')) {
            depth--;
        }
    }
    return 0;
}

static int by_key(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int check_keys(const cJSON *o, const char *name, struct err *e)
{
    int n = cJSON_GetArraySize(o), i = 0;
    const char **keys = malloc(((size_t)n + 1) * sizeof *keys);
    const cJSON *child;
    int rc = 0;

    if (!keys)
        return err_set(e, "%s: out of memory", name);
    cJSON_ArrayForEach(child, o) keys[i++] = child->string;
    qsort(keys, (size_t)n, sizeof *keys, by_key);
    for (i = 1; rc == 0 && i < n; i++)
        if (strcmp(keys[i - 1], keys[i]) == 0)
            rc = err_set(e, "%s: the key '%.64s' is given twice", name, keys[i]);
    free(keys);
    return rc;
}

/* Depth is bounded by scan(). */
static int check_tree(const cJSON *o, const char *name, struct err *e)
{
    const cJSON *child;

    if (cJSON_IsNumber(o) && !isfinite(o->valuedouble))
        return err_set(e, "%s: a number that is not finite", name);
    if (cJSON_IsObject(o) && check_keys(o, name, e) < 0)
        return -1;
    cJSON_ArrayForEach(child, o) if (check_tree(child, name, e) < 0) return -1;
    return 0;
}

static int check_schema(const cJSON *doc, const char *name, struct err *e)
{
    const char *version = json_text(doc, "schema_version", "");

    if (!cJSON_IsObject(doc) || strcmp(json_text(doc, "schema", ""), RECORD_SCHEMA) != 0)
        return err_set(e, "%s: not a record of hpcai500", name);
    if (strncmp(version, RECORD_SCHEMA_VERSION, 2) != 0)
        return err_set(e,
                       "%s: schema version '%.32s', but this release reads 1.x; use one that fits",
                       name, version);
    return 0;
}

cJSON *record_parse(const char *text, size_t size, const char *name, struct err *e)
{
    const char *end = NULL;
    size_t good = utf8_check(text, size);

    if (size > RECORD_MAX_BYTES) {
        err_set(e, "%s: %zu bytes, a record has at most %d", name, size, RECORD_MAX_BYTES);
        return NULL;
    }
    if (good != size) {
        err_set(e, "%s: not UTF-8 at byte %zu", name, good);
        return NULL;
    }
    if (scan(text, size, name, e) < 0)
        return NULL;
    cJSON *doc = cJSON_ParseWithLengthOpts(text, size, &end, 0);
    size_t at = end ? (size_t)(end - text) : 0;
    if (!doc) {
        err_set(e, "%s: not JSON at byte %zu", name, at);
        return NULL;
    }
    while (at < size && strchr(" \t\r\n", text[at]))
        at++;
    if (at < size)
        err_set(e, "%s: text after the record at byte %zu", name, at);
    else if (check_tree(doc, name, e) == 0 && check_schema(doc, name, e) == 0)
        return doc;
    cJSON_Delete(doc);
    return NULL;
}

char *record_load(const char *path, size_t *size, struct err *e)
{
    char *text = slurp(AT_FDCWD, path, O_NOFOLLOW, RECORD_MAX_BYTES, size);

    if (text)
        return text;
    if (errno == ELOOP)
        err_set(e, "%s is a symbolic link; name the file itself", path);
    else if (errno == EINVAL || errno == ENXIO)
        err_set(e, "%s is not a regular file", path);
    else if (errno == EFBIG)
        err_set(e, "%s: more than %d bytes, too large for a record", path, RECORD_MAX_BYTES);
    else
        err_set(e, "%s: %s", path, strerror(errno));
    return NULL;
}

cJSON *record_read(const char *path, struct err *e)
{
    size_t size;
    char *text = record_load(path, &size, e);
    cJSON *doc = text ? record_parse(text, size, path, e) : NULL;

    free(text);
    return doc;
}
