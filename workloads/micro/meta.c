/* SPDX-License-Identifier: BSD-3-Clause */
/* The metadata benchmark: names of empty files in a folder of the rank's own. */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "reports/core/clock.h"
#include "workloads/micro/files.h"
#include "workloads/micro/harness.h"
#include "workloads/micro/outlier.h"
#include "workloads/micro/sample.h"

enum kind { META_CREATE, META_DURABLE, META_STAT, META_OPEN, META_UNLINK, KINDS };

enum { NAMES = 256, DURABLE_NAMES = 16, ORDER_NAMES = 1 << 22 };

static const struct {
    const char *what, *shape;
    int names;
    bool looks; /* at names that are there */
} kinds[KINDS] = {{"create", "empty files", NAMES, false},
                  {"create", "with fsync", DURABLE_NAMES, false},
                  {"stat", "empty files", NAMES, true},
                  {"open", "and close", NAMES, true},
                  {"unlink", "empty files", NAMES, false}};

struct bench {
    const struct micro_host *h;
    struct files files;
    enum kind kind;
    uint32_t pass;
    double seconds;
    long count;
};

static const char *path_of(const struct bench *b, int i, char path[PATH_MAX])
{
    char name[FILES_NAME];

    snprintf(name, sizeof name, "name-%05d", i);
    return files_path(&b->files, name, path);
}

static int create(const char *path, bool durable)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600), rc = fd < 0 ? -1 : 0;

    if (rc == 0 && durable)
        rc = fsync(fd);
    return fd >= 0 && close(fd) < 0 ? -1 : rc;
}

static int look(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    return fd < 0 ? -1 : close(fd);
}

/* One name. An open of a name that is not there, a stat that finds a file which is not
 * empty: wrong. */
static int one(const char *path, enum kind kind, long *wrong)
{
    struct stat st;
    int rc = kind <= META_DURABLE ? create(path, kind == META_DURABLE)
             : kind == META_STAT  ? stat(path, &st)
             : kind == META_OPEN  ? look(path)
                                  : unlink(path);

    *wrong += rc == 0 && kind == META_STAT && (!S_ISREG(st.st_mode) || st.st_size != 0);
    return rc;
}

static int all(struct bench *b, enum kind kind, int n, long *wrong, struct err *e)
{
    int order[NAMES];
    char path[PATH_MAX];

    sample_order(order, n, b->h->seed, ORDER_NAMES, b->pass++);
    for (int i = 0; i < n; i++)
        if (one(path_of(b, order[i], path), kind, wrong) < 0)
            return err_set(e, "%s: %s", path, strerror(errno));
    return 0;
}

/* The clock runs for the operation alone; names are made before and removed after. */
static int run(void *ctx, long times, long *wrong, struct err *e)
{
    struct bench *b = ctx;
    int n = kinds[b->kind].names;

    b->seconds = 0;
    b->count = times * n;
    for (long t = 0; t < times; t++) {
        if (b->kind > META_DURABLE && all(b, META_CREATE, n, wrong, e) < 0)
            return -1;
        double begin = clock_now();
        if (all(b, b->kind, n, wrong, e) < 0)
            return -1;
        b->seconds += clock_now() - begin;
        if (b->kind != META_UNLINK && all(b, META_UNLINK, n, wrong, e) < 0)
            return -1;
    }
    return 0;
}

static double rate(void *ctx)
{
    const struct bench *b = ctx;

    return (double)b->count / b->seconds;
}

/* Names have no pages that could be asked for. */
static double resident(void *ctx)
{
    (void)ctx;
    return NAN;
}

static int measure(void *ctx, int index, int position, struct err *e)
{
    struct bench *b = ctx;
    struct harness_row row = {.ctx = b,
                              .run = run,
                              .value = rate,
                              .spread = OUTLIER_STORAGE,
                              .alike = KINDS,
                              .resident = kinds[index].looks ? resident : NULL,
                              .head = {.threads = 1, .more_is_better = true, .index = index}};
    struct micro_row *m = &row.head;

    b->kind = (enum kind)index;
    snprintf(m->name, sizeof m->name, "meta");
    snprintf(m->what, sizeof m->what, "%s", kinds[index].what);
    snprintf(m->shape, sizeof m->shape, "%s", kinds[index].shape);
    snprintf(m->unit, sizeof m->unit, "1/s");
    snprintf(m->direction, sizeof m->direction, "none");
    return harness_measure(b->h, &row, position, e);
}

static void plan(const struct micro_host *h, struct micro_plan *plan)
{
    /* around the operation, creating and removing take as long again, or twice */
    *plan = (struct micro_plan){.rows = KINDS,
                                .memory_bytes = 1 << 20,
                                .expected_seconds = 1.5 * KINDS * harness_seconds(h)};
    snprintf(plan->title, sizeof plan->title,
             "%d rows of %d samples: create, stat, open, unlink of %d names a rank", KINDS,
             h->samples, NAMES);
}

static int run_bench(const struct micro_host *h, int *done, struct err *e)
{
    struct bench b = {.h = h};
    int rc = files_open(&b.files, h->folder, NAMES * 4096, h->comm->local_size, e);

    rc = comm_agree(h->comm, rc, e);
    if (rc == 0)
        rc = harness_rows(h, "meta", KINDS, measure, &b, done, e);
    files_close(&b.files, h->comm);
    return rc;
}

const struct micro_bench micro_meta = {plan, run_bench};
