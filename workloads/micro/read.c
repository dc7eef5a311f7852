/* SPDX-License-Identifier: BSD-3-Clause */
/* The read benchmark: which rows there are, and what each needs. */
#include <config.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "reports/core/clock.h"
#include "workloads/micro/files.h"
#include "workloads/micro/harness.h"
#include "workloads/micro/outlier.h"
#include "workloads/micro/samples.h"

enum { MOST_ROWS = 2 * SAMPLES_WAYS, HEADER = 4096 /* of a file, at most */ };

/* For plans, where nothing is known: bytes/s of a cold and a warm pass. */
static const double plan_cold = 0.4e9, plan_warm = 4e9;

struct row {
    enum samples_way way;
    bool cold;
};

struct list {
    struct row rows[MOST_ROWS];
    int n;
    int samples; /* of this rank */
};

struct bench {
    const struct micro_host *h;
    struct list list;
    struct samples *samples;
};

/* tiny: warm only what training does, and the ceiling. */
static void list_rows(struct list *l, const struct micro_host *h)
{
    uint64_t bytes = files_bytes((int)h->class, h->comm->local_size, h->memory_bytes, SAMPLE_BYTES);

    *l = (struct list){.samples = (int)(bytes / SAMPLE_BYTES)};
    for (int cold = 1; cold >= 0; cold--)
        for (int way = 0; way < SAMPLES_WAYS; way++)
            if (cold || h->class != CLASS_TINY || way == SAMPLES_RAW_SEQUENTIAL ||
                way == SAMPLES_HDF5_SHUFFLED)
                l->rows[l->n++] = (struct row){(enum samples_way)way, cold};
}

/* ---- one row ---- */

struct reader {
    struct samples *samples;
    struct row row;
    double seconds;  /* of the last run's passes alone */
    long passes;     /* in it */
    double resident; /* the worst so far */
};

static double resident(void *ctx)
{
    return ((struct reader *)ctx)->resident;
}

static double rate(void *ctx)
{
    const struct reader *r = ctx;

    return (double)r->passes * r->samples->n * SAMPLE_BYTES / r->seconds;
}

/* Every number, and the files in memory for a warm row. */
static int check(void *ctx, long *wrong, struct err *e)
{
    struct reader *r = ctx;

    return samples_check(r->samples, wrong, e);
}

/* The clock runs while samples are read, and neither when files are dropped nor when
 * the system is asked where they are. */
static int run(void *ctx, long times, long *wrong, struct err *e)
{
    struct reader *r = ctx;
    bool one = samples_of_one(r->row.way);

    r->seconds = 0;
    r->passes = times;
    for (long t = 0; t < times; t++) {
        if (r->row.cold && samples_drop(r->samples, one, e) < 0)
            return -1;
        double there = samples_resident(r->samples, one);
        if (isnan(there) || (r->row.cold ? there > r->resident : there < r->resident))
            r->resident = there;
        double begin = clock_now();
        if (samples_pass(r->samples, wrong, e) < 0)
            return -1;
        r->seconds += clock_now() - begin;
    }
    return 0;
}

static int measure(void *ctx, int index, int position, struct err *e)
{
    const struct bench *b = ctx;
    const struct micro_host *h = b->h;
    struct samples *samples = b->samples;
    const struct row of = b->list.rows[index];
    struct reader r = {.samples = samples, .row = of, .resident = of.cold ? 0 : 1};
    struct harness_row row = {.ctx = &r,
                              .check = check,
                              .run = run,
                              .value = rate,
                              .spread = OUTLIER_STORAGE,
                              .alike = b->list.n,
                              .cold = of.cold,
                              .resident = resident,
                              .head = {.threads = 1, .more_is_better = true, .index = index}};
    struct micro_row *m = &row.head;
    struct err why = ERR_INIT;
    int rc = 0;

    snprintf(m->name, sizeof m->name, "read");
    snprintf(m->what, sizeof m->what, "%s", samples_name(of.way));
    snprintf(m->shape, sizeof m->shape, "%s, 256 KiB", of.cold ? "cold" : "warm");
    snprintf(m->unit, sizeof m->unit, "B/s");
    snprintf(m->direction, sizeof m->direction, "none");
    m->bytes = (uint64_t)samples->n * SAMPLE_BYTES;
    if (of.cold && (rc = samples_drop(samples, samples_of_one(of.way), &why)) == 0 &&
        samples_resident(samples, samples_of_one(of.way)) > FILES_UNDROPPED)
        rc = err_set(&why, FILES_STAY);
    if (comm_agree(h->comm, rc, &why) < 0)
        return harness_skip(h, m, why.text, e);
    rc = comm_agree(h->comm, samples_open(samples, of.way, e), e);
    if (rc == 0)
        rc = harness_measure(h, &row, position, e);
    samples_shut(samples);
    return rc;
}

/* ---- the benchmark ---- */

static void plan(const struct micro_host *h, struct micro_plan *plan)
{
    struct list l;
    double turns = h->turns ? h->n_nodes : 1;

    list_rows(&l, h);
    *plan = (struct micro_plan){.rows = l.n, .memory_bytes = SAMPLES_FILE * SAMPLE_BYTES * 3};
    const double bytes = (double)l.samples * SAMPLE_BYTES;
    for (int i = 0; i < l.n; i++) {
        double pass = bytes * h->comm->local_size / (l.rows[i].cold ? plan_cold : plan_warm);
        plan->expected_seconds += turns * (h->samples + 2) * fmax(pass, h->floor_seconds);
    }
    plan->expected_seconds += 2 * bytes * h->comm->local_size / plan_cold; /* the files are made */
    snprintf(plan->title, sizeof plan->title,
             "%d rows of %d samples: %d x 256 KiB a rank, twice, cold and warm", l.n, h->samples,
             l.samples);
}

static int run_bench(const struct micro_host *h, int *done, struct err *e)
{
    struct files files = {.folder = ""};
    struct samples samples = {.order = NULL};
    struct bench b = {.h = h, .samples = &samples};

    list_rows(&b.list, h);
    uint64_t bytes = 2 * (uint64_t)b.list.samples * (SAMPLE_BYTES + HEADER);
    int rc = files_open(&files, h->folder, bytes, h->comm->local_size, e);
    if (rc == 0)
        rc = samples_make(&samples, &files, b.list.samples,
                          h->seed + ((uint64_t)h->comm->rank << 32), e);
    rc = comm_agree(h->comm, rc, e);
    if (rc == 0)
        rc = harness_rows(h, "read", b.list.n, measure, &b, done, e);
    samples_close(&samples);
    files_close(&files, h->comm);
    return rc;
}

const struct micro_bench micro_read = {plan, run_bench};
