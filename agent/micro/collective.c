/* SPDX-License-Identifier: BSD-3-Clause */
/* The collectives' sizes, ways and rhythms, one row for each. */
#include <config.h>

#include "agent/micro/collective.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "workloads/micro/sample.h"

enum { MOST_SIZES = 32, MOST_ROWS = MOST_SIZES * 6 };

/* Between two exchanges of a training; the least that back-to-back ones take
 * together, as clocks and barriers take microseconds. */
static const double pause_seconds = 0.02, batch_seconds = 0.002;

static const struct {
    const char *name;
    enum network_factor factor;
} operations[] = {
    [OP_ALLREDUCE] = {"allreduce", FACTOR_ALLREDUCE},
    [OP_REDUCE_SCATTER] = {"reduce_scatter", FACTOR_PART},
    [OP_ALLGATHER] = {"allgather", FACTOR_PART},
    [OP_ALLTOALL] = {"alltoall", FACTOR_PART},
    [OP_BCAST] = {"bcast", FACTOR_ONE},
};

static const char *const ways[] = {"library", "window", "messages"};

/* DeepBench's all-reduce sizes, in floats (baidu-research/DeepBench). */
static const long deepbench[] = {100000, 3097600, 4194304, 6553600, 16777217, 38360000, 64500000};

struct row {
    size_t bytes;
    enum way way;
    bool rhythm;
    int index; /* in the list */
};

struct list {
    struct row rows[MOST_ROWS];
    int n;
    size_t most; /* bytes */
};

/* ---- the list ---- */

static void add_size(struct list *l, const struct micro_host *h, enum operation op, size_t bytes)
{
    int last = op == OP_ALLREDUCE ? WAY_MESSAGES : WAY_LIBRARY;
    int rhythms = h->class == CLASS_TINY && op != OP_ALLREDUCE ? 1 : 2;

    if (h->memory_bytes && 4 * bytes > h->memory_bytes)
        return; /* three buffers and MPI's own */
    for (int way = WAY_LIBRARY; way <= last; way++)
        for (int rhythm = 0; rhythm < rhythms && l->n < MOST_ROWS; rhythm++, l->n++)
            l->rows[l->n] = (struct row){bytes, (enum way)way, rhythm > 0, l->n};
    if (bytes > l->most)
        l->most = bytes;
}

/* The whole of micro takes about a minute, ten minutes, or what all of it takes. In a
 * minute: the shortest message and a gradient's, in the rhythm of a training where a
 * training has it. */
static void list_rows(struct list *l, const struct micro_host *h, enum operation op)
{
    size_t most = (size_t)(h->class == CLASS_TINY ? 16 : 256) << 20;
    size_t factor = h->class == CLASS_TINY ? 4096 : h->class == CLASS_SMALL ? 16 : 2;

    *l = (struct list){.n = 0};
    for (size_t bytes = 4096; bytes <= most; bytes *= factor)
        add_size(l, h, op, bytes);
    for (size_t i = 0; h->class == CLASS_STANDARD && op == OP_ALLREDUCE &&
                       i < sizeof deepbench / sizeof *deepbench;
         i++)
        add_size(l, h, op, (size_t)deepbench[i] * sizeof(float));
}

/* ---- one row ---- */

/* So many, without a pause; seconds of each. */
static int batch(struct exchange *x, long n, double (*now)(void), double *seconds, struct err *e)
{
    if (exchange_together(x, e) < 0)
        return -1;
    double begin = now();
    for (long i = 0; i < n; i++)
        if (exchange_run(x, e) < 0)
            return -1;
    *seconds = (now() - begin) / (double)n;
    return 0;
}

/* Filled, done once and compared. */
static int check(struct exchange *x, struct reading *own, double (*now)(void), double *seconds,
                 struct err *e)
{
    exchange_fill(x);
    if (batch(x, 1, now, seconds, e) < 0)
        return -1;
    own->wrong += exchange_wrong(x);
    return 0;
}

/* How often in a batch, and how many samples; the same on all ranks. */
static int settle(const struct micro_host *h, const struct row *row, double seconds, long *times,
                  int *samples, struct err *e)
{
    double slowest = seconds, budget = h->samples * h->floor_seconds;

    if (h->comm->reduce(h->comm, &slowest, 1, COMM_MAX, e) < 0)
        return -1;
    *times = row->rhythm || slowest > batch_seconds ? 1 : (long)ceil(batch_seconds / slowest);
    double each = slowest * (double)*times + (row->rhythm ? pause_seconds : 0);
    *samples = (int)fmax(h->samples, fmin(HARNESS_MOST_SAMPLES, budget / each));
    return 0;
}

static int measure(const struct micro_host *h, struct exchange *x, const struct row *row,
                   struct reading *own, struct err *e)
{
    const struct timespec idle = {.tv_nsec = (long)(pause_seconds * 1e9)};
    struct condition before, after;
    double seconds;
    long times;
    int samples;

    if (check(x, own, h->now, &seconds, e) < 0 || batch(x, 1, h->now, &seconds, e) < 0 ||
        settle(h, row, seconds, &times, &samples, e) < 0)
        return -1;
    exchange_fill(x);
    condition_read(&before, h->now());
    for (int i = 0; i < samples; i++) {
        if (row->rhythm)
            nanosleep(&idle, NULL);
        if (batch(x, times, h->now, &own->samples[own->n], e) < 0)
            return -1;
        own->n++;
    }
    condition_read(&after, h->now());
    condition_add(&own->sum, &before, &after);
    return check(x, own, h->now, &seconds, e);
}

/* Of each repeat the time of the slowest rank: these are the row's samples. */
static int keep_slowest(struct micro_row *r, const struct reading *all, int ranks, struct err *e)
{
    int n = all[0].n;

    for (int i = 0; i < n; i++) {
        r->samples[i] = all[0].samples[i];
        for (int k = 1; k < ranks; k++)
            r->samples[i] = fmax(r->samples[i], all[k].samples[i]);
    }
    struct measure slowest = r->slowest;
    int rank = r->slowest_rank;
    r->n_samples = n;
    r->parts[0] = (struct micro_part){-1, -1, n};
    r->n_parts = 1;
    if (sample_summarise(r, "no sample was taken") < 0)
        return err_set(e, "out of memory for the samples");
    r->slowest = slowest;
    r->slowest_rank = rank;
    return 0;
}

static int put_row(const struct micro_host *h, const struct exchange *x, const struct row *row,
                   const struct reading *all, int position, struct err *e)
{
    struct micro_row r = {
        .threads = 1, .checked = true, .bytes = x->floats * sizeof(float), .index = row->index};
    double factor = network_factor(operations[x->op].factor, h->comm->size);

    snprintf(r.name, sizeof r.name, "%s", operations[x->op].name);
    snprintf(r.what, sizeof r.what, "%s", ways[x->way]);
    snprintf(r.shape, sizeof r.shape, "%llu B", (unsigned long long)r.bytes);
    snprintf(r.dtype, sizeof r.dtype, "f32");
    snprintf(r.unit, sizeof r.unit, "s");
    snprintf(r.direction, sizeof r.direction, "%s", row->rhythm ? "in rhythm" : "back to back");
    if (harness_fill(h, &r, all, position, e) < 0)
        return -1;
    if (keep_slowest(&r, all, h->comm->size, e) < 0) {
        micro_row_fini(&r);
        return -1;
    }
    r.algbw = measured((double)r.bytes / r.median.value);
    r.busbw = measured(r.algbw.value * factor);
    return h->row(h->ctx, &r, e);
}

static int one_row(const struct micro_host *h, struct exchange *x, const struct row *row,
                   int position, struct err *e)
{
    struct reading own = {.node = h->node, .sum = condition_none()}, *all = NULL;

    x->way = row->way;
    exchange_size(x, row->bytes);
    if (comm_agree(h->comm, measure(h, x, row, &own, e), e) < 0 ||
        harness_collect(h, &own, &all, e) < 0)
        return -1;
    int rc = h->comm->rank == 0 ? put_row(h, x, row, all, position, e) : 0;
    free(all);
    return comm_agree(h->comm, rc, e);
}

/* ---- a benchmark ---- */

/* Memory of the window, and other memory: rows take the one that their way needs. */
struct buffers {
    float *window, *plain, *in;
};

static int open_buffers(const struct micro_host *h, struct exchange *x, struct buffers *b,
                        size_t bytes, struct err *e)
{
    b->plain = malloc(bytes);
    b->in = malloc(bytes);
    int rc = b->plain && b->in ? 0 : err_set(e, "out of memory for %zu bytes to exchange", bytes);
    if (comm_agree(h->comm, rc, e) < 0)
        return -1;
    if (x->op == OP_ALLREDUCE && !(b->window = h->comm->alloc(h->comm, bytes, e)))
        return -1;
    rc = MPI_Comm_dup(MPI_COMM_WORLD, &x->mpi) == MPI_SUCCESS ? 0
                                                              : err_set(e, "MPI_Comm_dup failed");
    return comm_agree(h->comm, rc, e);
}

static int run_rows(const struct micro_host *h, struct exchange *x, const struct buffers *b,
                    const struct list *l, int *done, struct err *e)
{
    int order[MOST_ROWS];
    bool over = false;

    sample_order(order, l->n, h->seed, 0, 1 + (uint32_t)x->op);
    for (int i = 0; i < l->n; i++) {
        const struct row *row = &l->rows[order[i]];
        if (harness_over(h, &over, e) < 0)
            return -1;
        if (over)
            break;
        if (h->count)
            h->count(h->ctx, operations[x->op].name, (uint64_t)i, (uint64_t)l->n);
        x->out = row->way == WAY_WINDOW ? b->window : b->plain;
        x->in = b->in;
        if (one_row(h, x, row, i + 1, e) < 0)
            return -1;
        ++*done;
    }
    return 0;
}

static int run(const struct micro_host *h, enum operation op, int *done, struct err *e)
{
    struct exchange x = {.comm = h->comm, .mpi = MPI_COMM_NULL, .op = op};
    struct buffers b = {0};
    struct list l;

    list_rows(&l, h, op);
    int rc = open_buffers(h, &x, &b, l.most, e);
    if (rc == 0)
        rc = run_rows(h, &x, &b, &l, done, e);
    if (rc < 0)
        return -1; /* messages may be under way */
    if (b.window)
        h->comm->free(h->comm, b.window);
    MPI_Comm_free(&x.mpi);
    free(b.plain);
    free(b.in);
    return 0;
}

static void plan(const struct micro_host *h, enum operation op, struct micro_plan *plan)
{
    struct list l;

    list_rows(&l, h, op);
    *plan = (struct micro_plan){.rows = l.n, .memory_bytes = 4 * l.most};
    plan->expected_seconds = 1.3 * l.n * h->samples * h->floor_seconds;
    snprintf(plan->title, sizeof plan->title,
             "%d rows: 4 KiB to %zu MiB, back to back and in rhythm", l.n, l.most >> 20);
}

#define BENCH(name, op)                                                                            \
    static void plan_##name(const struct micro_host *h, struct micro_plan *p)                      \
    {                                                                                              \
        plan(h, op, p);                                                                            \
    }                                                                                              \
    static int run_##name(const struct micro_host *h, int *done, struct err *e)                    \
    {                                                                                              \
        return run(h, op, done, e);                                                                \
    }                                                                                              \
    const struct micro_bench micro_##name = {plan_##name, run_##name};

BENCH(allreduce, OP_ALLREDUCE)
BENCH(reduce_scatter, OP_REDUCE_SCATTER)
BENCH(allgather, OP_ALLGATHER)
BENCH(alltoall, OP_ALLTOALL)
BENCH(bcast, OP_BCAST)
