/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Checkpoints. One file: a head, one entry per array, the arrays one after
 * the other, the workload's own bytes, and a CRC-32 over all before it. Bytes
 * are those of the machine that wrote it (the head tells).
 */
#include <config.h>

#include "workloads/engine/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "reports/core/atomic.h"
#include "reports/core/fdio.h"

enum { FORMAT_VERSION = 1, PIECE = 64 << 10 };

static const char magic[8] = {'h', 'p', 'c', 'a', 'i', '5', 'c', 'k'};

struct head {
    char magic[8];
    uint32_t version; /* also tells the byte order */
    uint32_t entries;
    uint64_t extra_bytes;
    uint64_t file_bytes; /* with the CRC at the end */
};

enum entry_kind { ENTRY_VALUE, ENTRY_MOMENT0, ENTRY_MOMENT1, ENTRY_STATE, ENTRY_STEPS };

struct entry {
    char name[64];
    char rule[16]; /* moments, steps: the optimiser they belong to */
    uint32_t kind;
    int32_t dims;
    int64_t shape[SHAPE_MAX];
};

/* One array of the model, as it stands in the file. */
struct array {
    struct entry entry;
    float *values;
    size_t count;
};

static void describe(struct array *a, const char *name, enum entry_kind kind,
                     const struct shape *shape, float *values)
{
    *a = (struct array){.values = values, .count = shape_count(shape)};
    snprintf(a->entry.name, sizeof a->entry.name, "%s", name);
    a->entry.kind = kind;
    a->entry.dims = shape->n;
    for (int i = 0; i < shape->n; i++)
        a->entry.shape[i] = shape->d[i];
}

static void describe_rule(struct array *a, enum optimizer_kind kind)
{
    snprintf(a->entry.rule, sizeof a->entry.rule, "%s", optimizer_name(kind));
}

/* All arrays in the order of their declaration; returns how many. */
static int list_arrays(struct model *m, struct array *a)
{
    static const struct shape one = {1, {1}};
    int n = 0;

    for (int i = 0; i < m->n_params; i++) {
        const struct param *p = m->params[i];
        enum optimizer_kind kind = m->groups[p->group].optimizer.kind;

        describe(&a[n++], p->name, ENTRY_VALUE, &p->shape, m->masters + p->at);
        for (int k = 0; k < optimizer_moments(kind); k++) {
            describe(&a[n], p->name, ENTRY_MOMENT0 + k, &p->shape, m->moments[k] + p->at);
            describe_rule(&a[n++], kind);
        }
    }
    for (int i = 0; i < m->n_states; i++)
        describe(&a[n++], m->states[i]->name, ENTRY_STATE, &m->states[i]->shape,
                 m->state_values + m->states[i]->at);
    for (int i = 0; i < m->n_groups; i++) {
        enum optimizer_kind kind = m->groups[i].optimizer.kind;

        if (!optimizer_counts(kind))
            continue;
        describe(&a[n], m->groups[i].name, ENTRY_STEPS, &one, &m->groups[i].steps);
        describe_rule(&a[n++], kind);
    }
    return n;
}

static struct array *new_list(const struct model *m, struct err *e)
{
    size_t most = (size_t)m->n_params * (1 + MOMENTS_MAX) + (size_t)m->n_states + GROUPS_MAX;
    struct array *a = calloc(most, sizeof *a);

    if (!a)
        err_set(e, "out of memory for a checkpoint");
    return a;
}

/* CRC-32 of IEEE 802.3, eight bytes at a time (Kounavis, Berry 2005: slicing by 8):
 * row k of the table is what a byte does that has k more behind it. Four bits at a time,
 * the sum took ten times longer than the device. */
enum { SLICES = 8 };

struct crc_table {
    uint32_t row[SLICES][256];
};

static void crc_init(struct crc_table *t)
{
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t c = i;
        for (int bit = 0; bit < 8; bit++)
            c = c >> 1 ^ (c & 1 ? UINT32_C(0xedb88320) : 0);
        t->row[0][i] = c;
    }
    for (int k = 1; k < SLICES; k++)
        for (int i = 0; i < 256; i++)
            t->row[k][i] = t->row[k - 1][i] >> 8 ^ t->row[0][t->row[k - 1][i] & 255];
}

/* Four bytes, the first lowest, whatever the machine. */
static uint32_t word_at(const unsigned char *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static uint32_t crc32_of(const struct crc_table *t, uint32_t crc, const void *data, size_t n)
{
    const unsigned char *p = data;

    crc = ~crc;
    for (; n >= SLICES; n -= SLICES, p += SLICES) {
        const uint32_t a = crc ^ word_at(p), b = word_at(p + 4);
        crc = t->row[7][a & 255] ^ t->row[6][a >> 8 & 255] ^ t->row[5][a >> 16 & 255] ^
              t->row[4][a >> 24] ^ t->row[3][b & 255] ^ t->row[2][b >> 8 & 255] ^
              t->row[1][b >> 16 & 255] ^ t->row[0][b >> 24];
    }
    for (; n; n--)
        crc = t->row[0][(crc ^ *p++) & 255] ^ crc >> 8;
    return ~crc;
}

/* ---- save ------------------------------------------------------------- */

/* The file, and the CRC of what was put so far. */
struct sink {
    FILE *file;
    struct crc_table table;
    uint32_t crc;
};

/* In pieces that the cache holds, for the sum and the copy. */
static int put(struct sink *to, const void *data, size_t n)
{
    const char *from = data;

    for (size_t at = 0, part; at < n; at += part) {
        part = n - at < PIECE ? n - at : PIECE;
        to->crc = crc32_of(&to->table, to->crc, from + at, part);
        if (fwrite(from + at, part, 1, to->file) != 1)
            return -1;
    }
    return 0;
}

static int write_all(FILE *f, const struct array *a, int n, const void *extra, size_t extra_bytes)
{
    struct head head = {.version = FORMAT_VERSION,
                        .entries = (uint32_t)n,
                        .extra_bytes = extra_bytes,
                        .file_bytes = sizeof head + extra_bytes + sizeof(uint32_t)};
    struct sink to = {.file = f};

    crc_init(&to.table);
    memcpy(head.magic, magic, sizeof magic);
    for (int i = 0; i < n; i++)
        head.file_bytes += sizeof a[i].entry + a[i].count * sizeof(float);
    if (put(&to, &head, sizeof head))
        return -1;
    for (int i = 0; i < n; i++)
        if (put(&to, &a[i].entry, sizeof a[i].entry))
            return -1;
    for (int i = 0; i < n; i++)
        if (put(&to, a[i].values, a[i].count * sizeof(float)))
            return -1;
    if (put(&to, extra, extra_bytes))
        return -1;
    return fwrite(&to.crc, sizeof to.crc, 1, f) == 1 ? 0 : -1;
}

int model_save(struct model *m, const char *path, const void *extra, size_t extra_bytes,
               struct err *e)
{
    struct atomic file;
    struct array *a = NULL;
    FILE *f;

    if (!m->started)
        return err_set(e, "a model is saved to '%s' before engine_start()", path);
    a = new_list(m, e);
    if (!a)
        return -1;
    int rc = atomic_open(&file, AT_FDCWD, path, NULL, 0666, ATOMIC_UMASK);
    if (rc < 0) {
        err_set(e, "checkpoint '%s' cannot be created: %s", path, strerror(errno));
        goto out;
    }
    f = atomic_stream(&file);
    if (!f || write_all(f, a, list_arrays(m, a), extra, extra_bytes) < 0 ||
        atomic_publish(&file, NULL) < 0)
        rc = err_set(e, "checkpoint '%s' cannot be written: %s", path, strerror(errno));
    atomic_discard(&file);
out:
    free(a);
    return rc;
}

/* ---- load ------------------------------------------------------------- */

/* The file's bytes (free with free()) when its head, length and CRC hold. */
static char *read_checked(const char *path, struct head *head, struct err *e)
{
    struct stat st;
    char *data = NULL;
    struct crc_table table;
    uint32_t crc;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0 || fstat(fd, &st)) {
        err_set(e, "checkpoint '%s' cannot be opened: %s", path, strerror(errno));
        goto out;
    }
    if (st.st_size < (off_t)sizeof *head ||
        fdio_read(fd, head, sizeof *head) != (ssize_t)sizeof *head ||
        memcmp(head->magic, magic, sizeof magic)) {
        err_set(e, "'%s' is not a checkpoint of hpcai500", path);
        goto out;
    }
    if (head->version != FORMAT_VERSION) {
        err_set(e, "checkpoint '%s' has format version %u, this build reads %d", path,
                head->version, FORMAT_VERSION);
        goto out;
    }
    if (head->file_bytes != (uint64_t)st.st_size || st.st_size < (off_t)(sizeof *head + 4)) {
        err_set(e, "checkpoint '%s' has %lld bytes instead of %llu", path, (long long)st.st_size,
                (unsigned long long)head->file_bytes);
        goto out;
    }
    data = malloc((size_t)st.st_size);
    if (!data || lseek(fd, 0, SEEK_SET) ||
        fdio_read(fd, data, (size_t)st.st_size) != (ssize_t)st.st_size) {
        err_set(e, "checkpoint '%s' cannot be read: %s", path, strerror(errno));
        goto bad;
    }
    memcpy(&crc, data + st.st_size - sizeof crc, sizeof crc);
    crc_init(&table);
    if (crc != crc32_of(&table, 0, data, (size_t)st.st_size - sizeof crc)) {
        err_set(e, "checkpoint '%s' is damaged: its CRC does not match", path);
        goto bad;
    }
    goto out;
bad:
    free(data);
    data = NULL;
out:
    if (fd >= 0)
        close(fd);
    return data;
}

static int match_extra(const char *path, const struct head *head, size_t extra_bytes, struct err *e)
{
    if (head->extra_bytes == extra_bytes)
        return 0;
    return err_set(e,
                   "checkpoint '%s' is of another workload: its own part has %llu bytes, "
                   "%zu are expected",
                   path, (unsigned long long)head->extra_bytes, extra_bytes);
}

/* Whether the file's entries are those of the model. */
static int match(const char *path, const struct head *head, const char *data, const struct array *a,
                 int n, size_t extra_bytes, struct err *e)
{
    uint64_t bytes = sizeof *head + extra_bytes + sizeof(uint32_t);

    if (head->entries != (uint32_t)n)
        return err_set(e, "checkpoint '%s' is of another model: it has %u arrays, this model %d",
                       path, head->entries, n);
    if (match_extra(path, head, extra_bytes, e) < 0)
        return -1;
    for (int i = 0; i < n; i++)
        bytes += sizeof a[i].entry + a[i].count * sizeof(float);
    const char *entries = data + sizeof *head;
    for (int i = 0; i < n; i++) {
        /* no more entries than the model's fit: the count was compared */
        if (sizeof *head + (size_t)(i + 1) * sizeof(struct entry) > head->file_bytes ||
            memcmp(entries + (size_t)i * sizeof(struct entry), &a[i].entry, sizeof a[i].entry))
            return err_set(e,
                           "checkpoint '%s' is of another model: it has no '%s' of this shape "
                           "and optimiser in place %d",
                           path, a[i].entry.name, i);
    }
    if (bytes != head->file_bytes)
        return err_set(e, "checkpoint '%s' is of another model: %llu bytes instead of %llu", path,
                       (unsigned long long)head->file_bytes, (unsigned long long)bytes);
    return 0;
}

int model_load(struct model *m, const char *path, void *extra, size_t extra_bytes, struct err *e)
{
    struct head head;
    char *data = NULL;
    int rc = -1;

    if (!m->started)
        return err_set(e, "checkpoint '%s' is loaded before engine_start()", path);
    struct array *a = new_list(m, e);
    if (!a)
        return -1;
    int n = list_arrays(m, a);
    data = read_checked(path, &head, e);
    if (!data || match(path, &head, data, a, n, extra_bytes, e))
        goto out;
    const char *at = data + sizeof head + (size_t)n * sizeof(struct entry);
    for (int i = 0; i < n; i++) {
        memcpy(a[i].values, at, a[i].count * sizeof(float));
        at += a[i].count * sizeof(float);
    }
    if (extra_bytes)
        memcpy(extra, at, extra_bytes);
    model_changed(m, -1);
    rc = 0;
out:
    free(data);
    free(a);
    return rc;
}

int model_peek(const char *path, void *extra, size_t extra_bytes, struct err *e)
{
    struct head head;
    char *data = read_checked(path, &head, e);
    int rc = data ? match_extra(path, &head, extra_bytes, e) : -1;

    if (rc == 0 && head.file_bytes < sizeof head + extra_bytes + sizeof(uint32_t))
        rc = err_set(e, "checkpoint '%s' is damaged: its own part is longer than the file", path);
    if (rc == 0)
        memcpy(extra, data + head.file_bytes - sizeof(uint32_t) - extra_bytes, extra_bytes);
    free(data);
    return rc;
}
