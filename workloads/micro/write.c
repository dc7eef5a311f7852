/* SPDX-License-Identifier: BSD-3-Clause */
/* The write benchmark: what is on storage when the clock stops, and a checkpoint read back. */
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
#include "reports/core/fdio.h"
#include "workloads/engine/engine.h"
#include "workloads/micro/files.h"
#include "workloads/micro/harness.h"
#include "workloads/micro/outlier.h"

enum kind { WRITE_RAW, WRITE_CHECKPOINT, RESTORE_COLD, RESTORE_WARM, KINDS };

enum { PIECE = 1 << 20, STEP = 16 /* edges of the model are multiples of it */ };

/* For plans, where nothing is known. [bytes/s] */
static const double plan_rate = 0.2e9;

static const struct {
    const char *what, *shape;
} names[KINDS] = {
    {"write", "fsync, 1 MiB"}, {"checkpoint", "fsync"}, {"restore", "cold"}, {"restore", "warm"}};

/* A model of one square of weights, whose checkpoint has the size that is asked for. */
struct state {
    long edge;
    struct model *model;
    struct param *w;
    float *values, *room; /* edge x edge */
};

struct bench {
    const struct micro_host *h;
    struct files files;
    struct state state;
    char path[PATH_MAX]; /* of the checkpoint */
    enum kind kind;      /* of the row that is measured */
    double seconds, resident;
    double bytes; /* of the last run */
};

/* ---- the model ---- */

static long edge_of(const struct micro_host *h)
{
    uint64_t bytes = files_bytes((int)h->class, h->comm->local_size, h->memory_bytes, PIECE);

    return (long)sqrt((double)bytes / sizeof(float)) / STEP * STEP;
}

static double model_bytes(const struct micro_host *h)
{
    return (double)edge_of(h) * (double)edge_of(h) * sizeof(float);
}

static int state_open(struct state *s, const struct micro_host *h, struct err *e)
{
    static const struct optimizer sgd = {.kind = OPTIMIZER_SGD};
    const struct engine_config config = {.backend = h->backend,
                                         .threads = 1,
                                         .compute = TENSOR_F32,
                                         .seed = h->seed,
                                         .comm = comm_self(),
                                         .now = clock_now};
    const size_t n = (size_t)(s->edge * s->edge);

    s->values = malloc(n * sizeof *s->values);
    s->room = malloc(n * sizeof *s->room);
    s->model = model_create(&config, e);
    if (!s->values || !s->room || !s->model)
        return s->model ? err_set(e, "out of memory for a checkpoint") : -1;
    struct graph *g = graph_create(s->model, "checkpoint", 1);
    struct tensor *x = graph_input(g, "x", SHAPE(s->edge), CHANNELS_FIRST);
    s->w = model_param(s->model, model_group(s->model, "all", &sgd), "w", SHAPE(s->edge, s->edge),
                       ZEROS);
    graph_output(op_dense(x, s->w, NULL));
    if (engine_compile(g, NULL, e) < 0 || engine_start(s->model, e) < 0)
        return -1;
    for (size_t i = 0; i < n; i++)
        s->values[i] = (float)(i * 2654435761u % 16777213);
    return param_set(s->w, s->values, n, e);
}

static void state_close(struct state *s)
{
    if (s->model)
        model_destroy(s->model);
    free(s->values);
    free(s->room);
}

/* Weights that are not what was saved. */
static int state_compare(struct state *s, long *wrong, struct err *e)
{
    const size_t n = (size_t)(s->edge * s->edge);

    if (param_get(s->w, PARAM_VALUE, s->room, n, e) < 0)
        return -1;
    for (size_t i = 0; i < n; i++)
        *wrong += s->room[i] != s->values[i];
    return 0;
}

/* ---- work ---- */

/* A new file, written in pieces and put on the device. */
static int put_raw(struct bench *b, char path[PATH_MAX], struct err *e)
{
    const char *from = (const char *)b->state.values;
    const size_t bytes = (size_t)model_bytes(b->h) / PIECE * PIECE;
    const double begin = clock_now();
    int fd =
        open(files_path(&b->files, "raw", path), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    int rc = fd < 0 ? -1 : 0;

    for (size_t at = 0; rc == 0 && at < bytes; at += PIECE)
        rc = fdio_write(fd, from + at, PIECE);
    if (rc == 0)
        rc = fsync(fd);
    if (fd >= 0 && close(fd) < 0)
        rc = -1;
    b->seconds += clock_now() - begin;
    b->bytes += (double)bytes;
    return rc < 0 ? err_set(e, "%s: %s", path, strerror(errno)) : 0;
}

static int write_raw(struct bench *b, struct err *e)
{
    char path[PATH_MAX];
    int rc = put_raw(b, path, e);

    unlink(path);
    return rc;
}

/* Written, dropped, read back: numbers that are not what was written. */
static int check_raw(struct bench *b, long *wrong, struct err *e)
{
    const size_t bytes = (size_t)model_bytes(b->h) / PIECE * PIECE;
    char path[PATH_MAX];
    int rc = put_raw(b, path, e) < 0 ? -1 : files_drop(path, e), fd = -1;

    if (rc == 0 && ((fd = open(path, O_RDONLY | O_CLOEXEC)) < 0 ||
                    fdio_read(fd, b->state.room, bytes) != (ssize_t)bytes))
        rc = err_set(e, "%s: it cannot be read back", path);
    for (size_t i = 0; rc == 0 && i < bytes / sizeof(float); i++)
        *wrong += b->state.room[i] != b->state.values[i];
    if (fd >= 0)
        close(fd);
    unlink(path);
    return rc;
}

/* The checkpoint has been written or read once more. */
static int count_bytes(struct bench *b, struct err *e)
{
    struct stat st;

    if (stat(b->path, &st) < 0)
        return err_set(e, "%s: %s", b->path, strerror(errno));
    b->bytes += (double)st.st_size;
    return 0;
}

static int save(struct bench *b, struct err *e)
{
    const size_t n = (size_t)(b->state.edge * b->state.edge);

    if (param_set(b->state.w, b->state.values, n, e) < 0)
        return -1;
    double begin = clock_now();
    int rc = model_save(b->state.model, b->path, NULL, 0, e);
    b->seconds += clock_now() - begin;
    return rc < 0 ? -1 : count_bytes(b, e);
}

static int restore(struct bench *b, struct err *e)
{
    struct files_pages pages = {0};

    if (b->kind == RESTORE_COLD && files_drop(b->path, e) < 0)
        return -1;
    files_count(b->path, &pages);
    double there = files_part(&pages);
    if (isnan(there) || (b->kind == RESTORE_COLD ? there > b->resident : there < b->resident))
        b->resident = there;
    double begin = clock_now();
    int rc = model_load(b->state.model, b->path, NULL, 0, e);
    b->seconds += clock_now() - begin;
    return rc < 0 ? -1 : count_bytes(b, e);
}

static int once(struct bench *b, struct err *e)
{
    return b->kind == WRITE_RAW          ? write_raw(b, e)
           : b->kind == WRITE_CHECKPOINT ? save(b, e)
                                         : restore(b, e);
}

static double rate(void *ctx)
{
    return ((struct bench *)ctx)->bytes / ((struct bench *)ctx)->seconds;
}

static double resident(void *ctx)
{
    return ((struct bench *)ctx)->resident;
}

/* What was saved is what is read back. */
static int check(void *ctx, long *wrong, struct err *e)
{
    struct bench *b = ctx;

    if (b->kind == WRITE_RAW)
        return check_raw(b, wrong, e);
    if (save(b, e) < 0)
        return -1;
    memset(b->state.room, 0, (size_t)model_bytes(b->h));
    if (param_set(b->state.w, b->state.room, (size_t)(b->state.edge * b->state.edge), e) < 0 ||
        model_load(b->state.model, b->path, NULL, 0, e) < 0)
        return -1;
    return state_compare(&b->state, wrong, e);
}

static int run(void *ctx, long times, long *wrong, struct err *e)
{
    struct bench *b = ctx;

    (void)wrong;
    b->seconds = b->bytes = 0;
    for (long t = 0; t < times; t++)
        if (once(b, e) < 0)
            return -1;
    return 0;
}

static int measure(void *ctx, int index, int position, struct err *e)
{
    struct bench *b = ctx;
    bool restores = index >= RESTORE_COLD;
    struct harness_row row = {.ctx = b,
                              .check = check,
                              .run = run,
                              .value = rate,
                              .spread = OUTLIER_STORAGE,
                              .alike = KINDS,
                              .cold = index == RESTORE_COLD,
                              .resident = restores ? resident : NULL,
                              .head = {.threads = 1, .more_is_better = true, .index = index}};
    struct micro_row *m = &row.head;
    struct files_pages pages = {0};
    struct err why = ERR_INIT;
    int rc = 0;

    b->kind = (enum kind)index;
    b->resident = index == RESTORE_COLD ? 0 : 1;
    snprintf(m->name, sizeof m->name, "write");
    snprintf(m->what, sizeof m->what, "%s", names[index].what);
    snprintf(m->shape, sizeof m->shape, "%s", names[index].shape);
    snprintf(m->unit, sizeof m->unit, "B/s");
    snprintf(m->direction, sizeof m->direction, "none");
    m->bytes = (uint64_t)model_bytes(b->h);
    if (index == RESTORE_COLD && (rc = save(b, &why)) == 0 &&
        (rc = files_drop(b->path, &why)) == 0) {
        files_count(b->path, &pages);
        rc = files_part(&pages) > FILES_UNDROPPED ? err_set(&why, FILES_STAY) : 0;
    }
    if (comm_agree(b->h->comm, rc, &why) < 0)
        return harness_skip(b->h, m, why.text, e);
    return harness_measure(b->h, &row, position, e);
}

/* ---- the benchmark ---- */

static void plan(const struct micro_host *h, struct micro_plan *plan)
{
    const double bytes = model_bytes(h), turns = h->turns ? h->n_nodes : 1;
    const double once_ = fmax(bytes * h->comm->local_size / plan_rate, h->floor_seconds);

    *plan = (struct micro_plan){.rows = KINDS,
                                .memory_bytes = (uint64_t)(5 * bytes),
                                .expected_seconds = turns * (h->samples + 3) * KINDS * once_};
    snprintf(plan->title, sizeof plan->title,
             "%d rows of %d samples: checkpoints of %.0f MiB a rank, with fsync", KINDS, h->samples,
             bytes / (1 << 20));
}

static int run_bench(const struct micro_host *h, int *done, struct err *e)
{
    struct bench b = {.h = h, .state = {.edge = edge_of(h)}};
    /* a new checkpoint stands beside the old one until it is whole */
    int rc =
        files_open(&b.files, h->folder, (uint64_t)(3 * model_bytes(h)), h->comm->local_size, e);

    if (rc == 0)
        rc = state_open(&b.state, h, e);
    files_path(&b.files, "checkpoint", b.path);
    rc = comm_agree(h->comm, rc, e);
    if (rc == 0)
        rc = harness_rows(h, "write", KINDS, measure, &b, done, e);
    state_close(&b.state);
    files_close(&b.files, h->comm);
    return rc;
}

const struct micro_bench micro_write = {plan, run_bench};
