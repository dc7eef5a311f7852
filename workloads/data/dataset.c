/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/data/dataset.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "reports/core/clock.h"
#include "workloads/data/chunk.h"
#include "workloads/data/dataset_list.h"
#include "workloads/data/h5read.h"
#include "workloads/data/sample.h"
#include "workloads/data/sample_pool.h"

struct dataset {
    struct dataset_info info;
    struct sample_form form;
    char folder[PATH_MAX];
    struct dataset_list list;
    uint64_t *first;  /* files of many samples: the first of each, and all [files + 1] */
    uint64_t *groups; /* likewise: the info's group_start */
    struct sample_pool *pool;
    struct chunk_cache *cache;
    struct chunk_scratch scratch;
};

/* folder/name of a file. */
static int file_path(const struct dataset *d, uint64_t file, char path[PATH_MAX], struct err *e)
{
    return (size_t)snprintf(path, PATH_MAX, "%s/%s", d->folder, d->list.files[file].name) < PATH_MAX
               ? 0
               : err_set(e, "the path '%.80s...' is too long", d->folder);
}

/* Samples of a file of many, and how they share chunks. Groups are counted, and
 * written where there is room for them. */
static int count_file(struct dataset *d, uint64_t file, const struct sample_file *f, struct err *e)
{
    uint64_t bytes, first = d->first[file];
    const uint64_t share = sample_sharing(f, &d->form, &bytes);
    const uint64_t more = (f->samples - 1) / share + 1;
    void *p;

    d->first[file + 1] = first + f->samples;
    if (first + f->samples > INT32_MAX)
        return err_set(e, "%s: more than %d samples", d->folder, INT32_MAX);
    if (!(p = realloc(d->groups, (d->info.groups + more + 1) * sizeof *d->groups)))
        return err_set(e, "no memory for %llu groups of samples",
                       (unsigned long long)(d->info.groups + more));
    d->groups = p;
    for (uint64_t g = 0; g < more; g++)
        d->groups[d->info.groups++] = first + g * share;
    d->groups[d->info.groups] = first + f->samples;
    if (bytes > d->info.group_bytes)
        d->info.group_bytes = bytes;
    return 0;
}

/* Every file of many samples is opened once for what it holds. */
static int count_all(struct dataset *d, const struct sample_file *probed, struct err *e)
{
    char path[PATH_MAX];
    uint64_t bytes = 0;

    d->first = calloc(d->list.n + 1, sizeof *d->first);
    if (!d->first)
        return err_set(e, "no memory for a list of %llu files", (unsigned long long)d->list.n);
    for (uint64_t i = 0; i < d->list.n; i++) {
        struct sample_file f;
        if (file_path(d, i, path, e) < 0 ||
            (i > 0 && sample_open(&f, path, d->list.files[i].bytes, &d->form, false, e) < 0))
            return -1;
        int rc = count_file(d, i, i ? &f : probed, e);
        bytes += i ? f.h5.bytes : probed->h5.bytes;
        if (i > 0)
            sample_close(&f);
        if (rc < 0)
            return -1;
    }
    d->info.samples = d->first[d->list.n];
    d->info.stored_bytes = bytes / d->info.samples;
    if (d->info.groups < d->info.samples)
        d->info.group_start = d->groups;
    else
        d->info.groups = d->info.group_bytes = 0;
    return 0;
}

static int share(struct dataset *d, struct err *e)
{
    uint64_t bytes = 2 * d->info.group_bytes;

    if (bytes < DATASET_CACHE_BYTES)
        bytes = DATASET_CACHE_BYTES;
    d->cache = chunk_cache_create(bytes < DATASET_CACHE_MOST ? bytes : DATASET_CACHE_MOST, e);
    d->pool = d->cache ? sample_pool_create(e) : NULL;
    return d->pool ? 0 : -1;
}

/* The first file speaks for all. */
static int probe(struct dataset *d, const struct science *s, const struct data_class *c,
                 struct err *e)
{
    char path[PATH_MAX];
    struct sample_file f;
    int rc = 0;

    if (file_path(d, 0, path, e) < 0 ||
        sample_probe(&f, path, d->list.files[0].bytes, s, c, &d->form, e) < 0)
        return -1;
    d->info.science = s;
    d->info.layout = d->form.layout;
    memcpy(d->info.field, d->form.field, sizeof d->info.field);
    d->info.sample_bytes = d->form.bytes;
    d->info.files = d->list.n;
    d->info.whole = d->form.parts <= 1;
    if (d->form.parts == 0) {
        rc = count_all(d, &f, e) < 0 ? -1 : share(d, e);
    } else {
        if (!d->info.stored_bytes)
            d->info.stored_bytes = f.h5.bytes;
        d->info.samples = d->list.n * d->form.parts;
        d->info.stored_bytes /= d->form.parts;
    }
    sample_close(&f);
    return rc;
}

/* Without its list yet. */
static struct dataset *new_set(const char *folder, size_t n, struct err *e)
{
    struct dataset *d = calloc(1, sizeof *d);

    if (!d) {
        err_set(e, "no memory for a data set");
    } else if (n >= sizeof d->folder) {
        err_set(e, "the path '%.80s...' is too long", folder);
        free(d);
        d = NULL;
    } else {
        memcpy(d->folder, folder, n);
    }
    return d;
}

struct dataset *dataset_open(const char *folder, enum dataset_split split, const struct science *s,
                             const struct data_class *c, struct err *e)
{
    struct dataset *d = new_set(folder, strlen(folder), e);

    if (d && dataset_list(&d->list, &d->info, d->folder, split, s, e) == 0 &&
        probe(d, s, c, e) == 0)
        return d;
    dataset_close(d);
    return NULL;
}

struct dataset *dataset_open_file(const char *path, const struct science *s,
                                  const struct data_class *c, struct err *e)
{
    const char *slash = strrchr(path, '/');
    struct dataset *d = slash && slash > path ? new_set(path, (size_t)(slash - path), e)
                                              : new_set(slash ? "/" : ".", 1, e);

    if (d && dataset_list_file(&d->list, &d->info, slash ? slash + 1 : path, e) == 0 &&
        probe(d, s, c, e) == 0)
        return d;
    dataset_close(d);
    return NULL;
}

void dataset_close(struct dataset *d)
{
    if (!d)
        return;
    int kept = errno;
    sample_pool_destroy(d->pool);
    chunk_cache_destroy(d->cache);
    dataset_list_fini(&d->list);
    free(d->first);
    free(d->groups);
    chunk_scratch_fini(&d->scratch);
    free(d);
    errno = kept;
}

const struct dataset_info *dataset_info(const struct dataset *d)
{
    return &d->info;
}

int dataset_can_train(const struct dataset *d, struct err *e)
{
    const struct science *s = d->info.science;

    for (int k = 0; k < s->n_fields; k++)
        if (s->fields[k].answer && !d->info.field[k].stored[0])
            return err_set(e,
                           "%s: layout '%s' without %s: it can be looked at, not trained or "
                           "evaluated on",
                           d->folder, d->info.layout->name, s->fields[k].name);
    return 0;
}

static int read_beside(struct h5_file *f, struct chunk_scratch *scratch, const char *set, float *to,
                       size_t n, struct err *e)
{
    struct h5_region all = {{0}, {n}};
    uint64_t bytes = 0;
    struct h5_set s = {.open = false};
    int rc = h5_open_set(&s, f, set, e);

    if (rc == 0 && (s.rank != 1 || s.dims[0] != n))
        rc = err_set(e, "%s: dataset '%s' does not have one axis of %zu numbers", f->path, set, n);
    if (rc == 0)
        rc = h5_storage(&s, true, n, e);
    if (rc == 0)
        rc = h5_read(&s, &all, NULL, scratch, to, &bytes, e);
    h5_close_set(&s);
    return rc;
}

int dataset_beside(const struct dataset *d, const char *file, const char *set, float *to, size_t n,
                   struct err *e)
{
    struct chunk_scratch scratch = {0};
    char path[PATH_MAX];
    struct h5_file f = {.open = false};

    if ((size_t)snprintf(path, sizeof path, "%s/%s", d->folder, file) >= sizeof path)
        return err_set(e, "the path '%.80s...' is too long", d->folder);
    if (access(path, F_OK) < 0 && errno == ENOENT)
        return 1;
    int rc = h5_open(&f, path, 0, e);
    if (rc == 0)
        rc = read_beside(&f, &scratch, set, to, n, e);
    h5_close(&f);
    chunk_scratch_fini(&scratch);
    return rc;
}

/* The file that sample i is in, and which of its samples it is. */
static uint64_t find(const struct dataset *d, uint64_t i, uint64_t *part)
{
    uint64_t low = 0, high = d->list.n;

    if (!d->first) {
        *part = i % d->form.parts;
        return i / d->form.parts;
    }
    while (high - low > 1) {
        const uint64_t middle = low + (high - low) / 2;
        *(d->first[middle] <= i ? &low : &high) = middle;
    }
    *part = i - d->first[low];
    return low;
}

/* What of a sample is read; ANY: all, unchecked. */
enum what { ALL, REST, ANY };

static int read_file(const struct sample_file *f, const struct dataset *d, struct sample_reading *r,
                     enum what what, void *sample, const struct dataset_sink *sink, struct err *e)
{
    if (sample_read_rest(f, &d->form, r, sample, e) < 0)
        return -1;
    return what == REST ? 0 : sample_read_first(f, &d->form, r, sample, sink, e);
}

static int read_sample(const struct dataset *d, struct chunk_scratch *s, uint64_t i, enum what what,
                       void *sample, const struct dataset_sink *sink, uint64_t *bytes,
                       struct err *e)
{
    struct sample_reading r = {.scratch = s, .cache = d->cache, .any = what == ANY};
    const struct sample_file *kept;
    struct sample_file own;
    char path[PATH_MAX];
    int rc;

    if (i >= d->info.samples)
        return err_set(e, "sample %llu of %s is not there: it has %llu", (unsigned long long)i,
                       d->folder, (unsigned long long)d->info.samples);
    r.file = find(d, i, &r.part);
    const uint64_t size = d->list.files[r.file].bytes;
    if (file_path(d, r.file, path, e) < 0)
        return -1;
    if (d->pool) {
        if (!(kept = sample_pool_take(d->pool, r.file, path, size, &d->form, &s->find_seconds, e)))
            return -1;
        rc = read_file(kept, d, &r, what, sample, sink, e);
        sample_pool_give(d->pool, kept);
    } else {
        if (sample_open(&own, path, size, &d->form, what == REST, e) < 0)
            return -1;
        s->find_seconds += own.h5.find_seconds;
        rc = read_file(&own, d, &r, what, sample, sink, e);
        sample_close(&own);
    }
    if (rc == 0 && bytes)
        *bytes = r.bytes;
    return rc;
}

int dataset_read_with(const struct dataset *d, struct chunk_scratch *s, uint64_t i, void *sample,
                      const struct dataset_sink *sink, uint64_t *bytes, struct err *e)
{
    return read_sample(d, s, i, ALL, sample, sink, bytes, e);
}

int dataset_read(struct dataset *d, uint64_t i, void *sample, uint64_t *bytes, struct err *e)
{
    return read_sample(d, &d->scratch, i, ALL, sample, NULL, bytes, e);
}

int dataset_look(struct dataset *d, uint64_t i, void *sample, struct err *e)
{
    return read_sample(d, &d->scratch, i, ANY, sample, NULL, NULL, e);
}

int dataset_read_rest(struct dataset *d, uint64_t i, void *sample, struct err *e)
{
    return read_sample(d, &d->scratch, i, REST, sample, NULL, NULL, e);
}

/* Told to fetch a file, Linux takes small pages and lets whoever tells it wait for
 * them: loader_bench, cold, 1 thread, 16 files of 16 MiB: 1.10 GB/s told, 1.53 not;
 * 512 files of 100 KB: 0.44 told, 0.28 not (files of 3 MB: 1.31, 1.19). */
enum { SHORT_FILE = 4 << 20 };

void dataset_will_read(const struct dataset *d, struct chunk_scratch *s, uint64_t i)
{
    const double begin = clock_now();
    char path[PATH_MAX];
    struct stat st;

    if (d->form.parts != 1 || i >= d->info.samples || file_path(d, i, path, NULL) < 0)
        return;
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    s->find_seconds += clock_now() - begin;
    if (fd < 0)
        return;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size <= SHORT_FILE)
        posix_fadvise(fd, 0, 0, POSIX_FADV_WILLNEED);
    close(fd);
}

/* Where value j of a field lies in its memory. */
static uint64_t place_in_memory(const struct dataset_field *f, uint64_t j)
{
    uint64_t at = 0;

    for (int i = f->rank - 1; i >= 0; i--) {
        at += j % (uint64_t)f->dims[i] * (uint64_t)f->stride[i];
        j /= (uint64_t)f->dims[i];
    }
    return at;
}

double dataset_value(const struct dataset_info *info, const void *sample, int k, uint64_t j)
{
    const struct dataset_field *f = &info->field[k];
    const void *values = (const char *)sample + f->offset;
    const uint64_t at = place_in_memory(f, j);

    return f->type == NUMBER_INT16 ? ((const int16_t *)values)[at]
                                   : (double)((const float *)values)[at];
}

uint64_t dataset_decoded(const struct dataset *d)
{
    return d->cache ? chunk_cache_made(d->cache) : 0;
}
