/* SPDX-License-Identifier: BSD-3-Clause */
/* The machine benchmark: which rows there are, and what each needs. */
#include <config.h>

#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reports/core/clock.h"
#include "workloads/micro/cache.h"
#include "workloads/micro/fma_team.h"
#include "workloads/micro/harness.h"
#include "workloads/micro/kernel.h"
#include "workloads/micro/library.h"
#include "workloads/micro/memory.h"
#include "workloads/micro/outlier.h"
#include "workloads/micro/sample.h"

enum kind { ROW_FMA, ROW_MATMUL, ROW_CONVOLUTION, ROW_MEMORY, ROW_CHAIN, ROW_SPREAD };

enum { MOST_ROWS = 512, DRAM = CACHE_LEVELS, MOST_TEAMS = 16 };

struct row {
    enum kind kind;
    enum fma_type type;
    int team; /* index of teams[] */
    int level;
    enum memory_kernel kernel;
};

struct machine {
    const struct micro_host *h;
    struct cache cache;
    int teams[MOST_TEAMS], n_teams; /* threads, least first */
    struct row rows[MOST_ROWS];
    int n_rows, index; /* of the one that is measured */
    /* rank 0: the best median so far, and whose it is */
    double best[2][MOST_TEAMS];
    char whose[2][MOST_TEAMS][64];
    char slow[2][MOST_TEAMS][160]; /* who is slow in it; "": nobody */
};

/* ---- the list ---- */

static void list_teams(struct machine *m)
{
    int all = m->h->threads;

    m->teams[m->n_teams++] = 1;
    for (int t = 2; m->h->class != CLASS_TINY && t < all && m->n_teams < MOST_TEAMS - 1; t *= 2)
        m->teams[m->n_teams++] = t;
    if (all > 1)
        m->teams[m->n_teams++] = all;
}

/* tiny: of one thread of several, its registers and its share of DRAM; the library and
 * the caches tell the same of one thread as of all. */
static bool wanted(const struct machine *m, const struct row *r)
{
    const bool one_of_several = m->n_teams > 1 && r->team == 0;

    if (m->h->class != CLASS_TINY)
        return true;
    if (r->kind == ROW_MEMORY && r->kernel != MEMORY_COPY && r->kernel != MEMORY_TRIAD)
        return false;
    return !one_of_several || r->kind == ROW_FMA ||
           (r->kind == ROW_MEMORY && r->level == DRAM && r->kernel == MEMORY_TRIAD);
}

static void add(struct machine *m, struct row row)
{
    if (m->n_rows < MOST_ROWS && wanted(m, &row))
        m->rows[m->n_rows++] = row;
}

/* Threads of this node that work at once beside one team's. */
static int sharers(const struct machine *m, int team)
{
    return m->teams[team] * m->h->comm->local_size;
}

/* Doubles of one array of one thread. DRAM: 4 x the last caches over all threads of
 * the node. Caches: three arrays are half of a thread's share. */
static size_t elements(const struct machine *m, int level, int team)
{
    const struct cache_level *l = &m->cache.level[level < CACHE_LEVELS ? level : 0];
    int threads = sharers(m, team);
    size_t n;

    if (level == DRAM) {
        n = 4 * m->cache.last_bytes / (size_t)threads / sizeof(double);
    } else {
        int share = l->sharers < threads ? l->sharers : threads;
        n = l->bytes / 2 / (size_t)(share > 0 ? share : 1) / 3 / sizeof(double);
    }
    return n / 8 * 8;
}

/* A cache that a thread's arrays are not larger than the one before is not seen. */
static bool seen(const struct machine *m, int level, int team)
{
    size_t bytes = 3 * sizeof(double) * elements(m, level, team);

    if (level == DRAM)
        return m->cache.last_bytes > 0;
    return bytes > 0 && (level == 0 || bytes > m->cache.level[level - 1].bytes);
}

static void list_rows(struct machine *m, const struct micro_host *h)
{
    memset(m, 0, sizeof *m);
    m->h = h;
    cache_find(&m->cache, "");
    list_teams(m);
    for (int team = 0; team < m->n_teams; team++) {
        for (int type = h->dtype == DTYPE_BF16 ? FMA_BF16 : FMA_F32; type <= FMA_BF16; type++) {
            if (fma_name((enum fma_type)type))
                add(m, (struct row){.kind = ROW_FMA, .type = (enum fma_type)type, .team = team});
            for (int kind = ROW_MATMUL; kind <= ROW_CONVOLUTION; kind++)
                add(m, (struct row){
                           .kind = (enum kind)kind, .type = (enum fma_type)type, .team = team});
        }
        for (int level = 0; level <= DRAM; level++)
            for (int k = 0; k < MEMORY_KERNELS && seen(m, level, team); k++)
                add(m, (struct row){.kind = ROW_MEMORY,
                                    .team = team,
                                    .level = level,
                                    .kernel = (enum memory_kernel)k});
    }
    add(m, (struct row){.kind = ROW_CHAIN});
    add(m, (struct row){.kind = ROW_SPREAD});
}

/* ---- one row ---- */

static int threads_of(const struct machine *m, const struct row *r)
{
    return m->teams[r->team];
}

struct fma_team {
    enum fma_type type;
    int threads;
};

static int multiply_add(void *ctx, long times, long *wrong, struct err *e)
{
    const struct fma_team *t = ctx;

    (void)e;
    *wrong += fma_team_run(t->type, t->threads, times);
    return 0;
}

static int chain(void *ctx, long times, long *wrong, struct err *e)
{
    (void)ctx, (void)e;
    *wrong += chain_run(times) != chain_closed(times);
    return 0;
}

/* The chain on each processor in turn; the ratio of the slowest to the fastest. */
struct spread {
    double ratio;
};

static int spread(void *ctx, long times, long *wrong, struct err *e)
{
    struct spread *s = ctx;
    double least = INFINITY, most = 0;
    cpu_set_t all;

    if (sched_getaffinity(0, sizeof all, &all) != 0)
        return err_set(e, "the processors of this rank cannot be found");
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        cpu_set_t one;
        if (!CPU_ISSET(cpu, &all))
            continue;
        CPU_ZERO(&one);
        CPU_SET(cpu, &one);
        if (sched_setaffinity(0, sizeof one, &one) != 0)
            continue;
        double begin = clock_now();
        chain(NULL, times, wrong, e);
        double took = clock_now() - begin;
        least = fmin(least, took);
        most = fmax(most, took);
    }
    sched_setaffinity(0, sizeof all, &all);
    s->ratio = most > 0 ? least / most : NAN;
    return 0;
}

static double spread_ratio(void *ctx)
{
    return ((struct spread *)ctx)->ratio;
}

/* What all rows of a kind share. */
static void head(const struct machine *m, struct harness_row *row, const char *what,
                 const char *unit, int threads)
{
    snprintf(row->head.name, sizeof row->head.name, "machine");
    snprintf(row->head.what, sizeof row->head.what, "%s", what);
    snprintf(row->head.unit, sizeof row->head.unit, "%s", unit);
    snprintf(row->head.direction, sizeof row->head.direction, "none");
    row->head.threads = threads;
    row->spread = OUTLIER_COMPUTE;
    row->alike = m->n_rows;
    row->head.index = m->index;
    row->head.more_is_better = true;
}

static void dtype(struct harness_row *row, enum fma_type type)
{
    snprintf(row->head.dtype, sizeof row->head.dtype, "%s", type == FMA_BF16 ? "bf16" : "f32");
}

/* Rank 0: the best of each precision and team; the row has gone, its numbers stand. */
static void keep_best(struct machine *m, const struct row *r, const struct micro_row *row)
{
    double *best = &m->best[r->type][r->team];

    bool again = m->h->swap && m->h->swap->again; /* that row is not in the record */
    bool counts = !again && (row->status == MICRO_OK || row->status == MICRO_SLOW);
    if (!counts || row->median.reason || !(row->median.value > *best))
        return;
    *best = row->median.value;
    snprintf(m->whose[r->type][r->team], sizeof m->whose[0][0], "%s %.31s", row->what, row->shape);
    snprintf(m->slow[r->type][r->team], sizeof m->slow[0][0], "%s", row->reason);
}

static int measure_fma(struct machine *m, const struct row *r, int position, struct err *e)
{
    struct fma_team team = {r->type, threads_of(m, r)};
    struct harness_row row = {
        .ctx = &team, .run = multiply_add, .work = fma_flop(r->type) * team.threads};

    head(m, &row, "fma", "FLOP/s", team.threads);
    snprintf(row.head.shape, sizeof row.head.shape, "%s", fma_name(r->type));
    dtype(&row, r->type);
    int rc = harness_measure(m->h, &row, position, e);
    if (m->h->comm->rank == 0 && rc == 0)
        keep_best(m, r, &row.head);
    return rc;
}

/* Large enough for the team, small enough for a sample. */
static long edge_of(int threads)
{
    return threads <= 4 ? 1024 : threads <= 32 ? 2048 : 4096;
}

static int measure_library(struct machine *m, const struct row *r, int position, struct err *e)
{
    enum library_kind kind = r->kind == ROW_MATMUL ? LIBRARY_MATMUL : LIBRARY_CONVOLUTION;
    int threads = threads_of(m, r);
    long edge = kind == LIBRARY_MATMUL ? edge_of(threads) : 128;
    long batch = kind == LIBRARY_MATMUL ? edge : threads < 4 ? 4 : threads;
    struct harness_row row = {.check = library_check, .run = library_run};
    struct err why = ERR_INIT;
    struct library *l = library_open(kind, m->h->backend, r->type == FMA_BF16, threads, edge, batch,
                                     m->h->seed, &why);

    head(m, &row, kind == LIBRARY_MATMUL ? "matmul" : "convolution", "FLOP/s", threads);
    dtype(&row, r->type);
    if (comm_agree(m->h->comm, l ? 0 : -1, &why) < 0) {
        library_close(l);
        return harness_skip(m->h, &row.head, why.text, e);
    }
    row.ctx = l;
    row.work = library_flop(l);
    snprintf(row.head.shape, sizeof row.head.shape, "%s", library_shape(l));
    int rc = harness_measure(m->h, &row, position, e);
    if (m->h->comm->rank == 0 && rc == 0)
        keep_best(m, r, &row.head);
    library_close(l);
    return rc;
}

/* Seconds that so many passes take with that kind of store; the best of two. */
static double try_stores(struct memory *mem, bool bypass, long times)
{
    double best = INFINITY;
    long wrong = 0;

    memory_bypass(mem, bypass);
    for (int i = 0; i < 2; i++) {
        double begin = clock_now();
        memory_pass(mem, times, &wrong, NULL);
        best = fmin(best, clock_now() - begin);
    }
    return best;
}

/* Stores that bypass the caches where that is faster over all ranks. */
static int choose_stores(struct machine *m, struct memory *mem, int level, bool *bypass,
                         struct err *e)
{
    *bypass = false;
    if (level != DRAM || !memory_can_bypass())
        return 0;
    double took[2] = {try_stores(mem, false, 1), try_stores(mem, true, 1)};
    if (m->h->comm->reduce(m->h->comm, took, 2, COMM_SUM, e) < 0)
        return -1;
    *bypass = took[1] < took[0];
    memory_bypass(mem, *bypass);
    return 0;
}

static int measure_memory(struct machine *m, const struct row *r, int position, struct err *e)
{
    static const char *const levels[] = {"L1", "L2", "L3", "DRAM"};
    int threads = threads_of(m, r);
    size_t n = elements(m, r->level, r->team);
    uint64_t bytes = 3 * n * sizeof(double) * (uint64_t)threads;
    struct harness_row row = {.check = memory_check,
                              .run = memory_pass,
                              .work = (double)memory_bytes(r->kernel) * (double)n * threads};
    struct err why = ERR_INIT;
    bool bypass = false;

    head(m, &row, memory_name(r->kernel), "B/s", threads);
    row.head.bytes = bytes;
    row.spread = OUTLIER_MEMORY;
    snprintf(row.head.shape, sizeof row.head.shape, "%s", levels[r->level]);
    int fits = !m->h->memory_bytes || bytes < m->h->memory_bytes
                   ? 0
                   : err_set(&why, "its arrays need %llu bytes and a rank may use %llu",
                             (unsigned long long)bytes, (unsigned long long)m->h->memory_bytes);
    struct memory *mem = fits < 0 ? NULL : memory_open(r->kernel, n, threads, &why);
    if (comm_agree(m->h->comm, mem ? 0 : -1, &why) < 0) {
        memory_close(mem);
        return harness_skip(m->h, &row.head, why.text, e);
    }
    row.ctx = mem;
    int rc = choose_stores(m, mem, r->level, &bypass, e);
    if (bypass)
        snprintf(row.head.shape, sizeof row.head.shape, "%s non-temporal", levels[r->level]);
    rc = rc < 0 ? -1 : harness_measure(m->h, &row, position, e);
    memory_close(mem);
    return rc;
}

static int measure_chain(struct machine *m, const struct row *r, int position, struct err *e)
{
    struct spread ratio = {0};
    bool all = r->kind == ROW_SPREAD;
    struct harness_row row = {.ctx = &ratio,
                              .run = all ? spread : chain,
                              .work = CHAIN_STEPS,
                              .value = all ? spread_ratio : NULL};

    snprintf(row.head.shape, sizeof row.head.shape, "64 bits");
    head(m, &row, all ? "spread" : "chain", all ? "ratio" : "1/s", 1);
    row.spread = all ? 0 : OUTLIER_COMPUTE; /* a ratio of cores is no rate of a node */
    return harness_measure(m->h, &row, position, e);
}

static int measure(void *ctx, int index, int position, struct err *e)
{
    struct machine *m = ctx;
    const struct row *r = &m->rows[index];

    m->index = index;
    return r->kind == ROW_FMA      ? measure_fma(m, r, position, e)
           : r->kind == ROW_MEMORY ? measure_memory(m, r, position, e)
           : r->kind >= ROW_CHAIN  ? measure_chain(m, r, position, e)
                                   : measure_library(m, r, position, e);
}

/* ---- the hard roof ---- */

static int put_peak(const struct machine *m, const struct micro_host *h, enum fma_type type,
                    int team, struct err *e)
{
    struct harness_row row = {0};
    struct micro_row *r = &row.head;
    struct measure none = unmeasured("made of other rows");

    if (!(m->best[type][team] > 0))
        return 0;
    head(m, &row, "peak", "FLOP/s", m->teams[team]);
    dtype(&row, type);
    snprintf(r->shape, sizeof r->shape, "%s", m->whose[type][team]);
    r->ranks = h->comm->size;
    r->index = -1;
    r->checked = true;
    r->median = measured(m->best[type][team]);
    r->status = m->slow[type][team][0] ? MICRO_SLOW : MICRO_OK;
    snprintf(r->reason, sizeof r->reason, "%s", m->slow[type][team]);
    r->p95 = r->p99 = r->best = r->slowest = r->algbw = r->busbw = none;
    r->run_delay = r->throttled_seconds = r->foreign_cores = r->clock_hertz = r->celsius = none;
    r->slowest_rank = -1;
    return h->row(h->ctx, r, e);
}

static int put_peaks(const struct machine *m, const struct micro_host *h, struct err *e)
{
    int rc = 0;

    for (int type = FMA_F32; type <= FMA_BF16 && h->comm->rank == 0; type++)
        for (int team = 0; team < m->n_teams && rc == 0; team++)
            rc = put_peak(m, h, (enum fma_type)type, team, e);
    return comm_agree(h->comm, rc, e);
}

/* ---- the benchmark ---- */

static void plan(const struct micro_host *h, struct micro_plan *plan)
{
    struct machine *m = malloc(sizeof *m);

    memset(plan, 0, sizeof *plan);
    if (!m)
        return;
    list_rows(m, h);
    plan->rows = m->n_rows;
    plan->expected_seconds = 1.3 * m->n_rows * harness_seconds(h); /* the checks */
    plan->memory_bytes = 12 * m->cache.last_bytes / (uint64_t)h->comm->local_size;
    snprintf(plan->title, sizeof plan->title, "%d rows of %d samples: FLOP/s, bandwidth, clock",
             m->n_rows, h->samples);
    free(m);
}

static int run(const struct micro_host *h, int *done, struct err *e)
{
    struct machine *m = malloc(sizeof *m);

    if (comm_agree(h->comm, m ? 0 : err_set(e, "out of memory for the machine's rows"), e) < 0) {
        free(m);
        return -1;
    }
    list_rows(m, h);
    int rc = harness_rows(h, "machine", m->n_rows, measure, m, done, e);
    if (rc == 0)
        rc = put_peaks(m, h, e);
    free(m);
    return rc;
}

const struct micro_bench micro_machine = {plan, run};
