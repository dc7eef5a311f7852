/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "reports/predict/recorded.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "reports/judge/stat.h"
#include "reports/record/fields.h"
#include "reports/record/steps_file.h"

/* All rows of a rank after the first epoch, in order. */
struct rank {
    int rank;
    char node[RECORD_NAME_SIZE];
    struct steps_row *rows;
    long n;
};

struct reading {
    struct steps_file *f;
    const struct steps_workload *w;
    struct rank ranks[SERIES_RANKS];
    int n_ranks;
    struct err *e;
};

static struct rank *rank_of(struct reading *r, const struct steps_block *b)
{
    for (int i = 0; i < r->n_ranks; i++)
        if (r->ranks[i].rank == b->rank)
            return &r->ranks[i];
    if (r->n_ranks == SERIES_RANKS)
        return NULL;
    struct rank *new = &r->ranks[r->n_ranks++];
    *new = (struct rank){.rank = b->rank};
    memcpy(new->node, b->node, sizeof new->node);
    return new;
}

static int read_block(struct reading *r, int i, const struct steps_block *b)
{
    struct rank *to = rank_of(r, b);

    if (!to || b->rows == 0)
        return 0;
    struct steps_row *all = realloc(to->rows, (size_t)(to->n + b->rows) * sizeof *all);
    if (!all)
        return err_set(r->e, "out of memory for %ld steps", to->n + b->rows);
    to->rows = all;
    if (steps_file_rows(r->f, i, all + to->n, r->e) < 0)
        return -1;
    to->n += b->rows;
    return 0;
}

static int read_blocks(struct reading *r, int workload)
{
    int n, first = 0;
    const struct steps_block *b = steps_file_blocks(r->f, &n);

    for (int i = 0; i < n; i++) /* a resumed run begins with a later epoch */
        if (b[i].workload == workload && (first == 0 || b[i].epoch < first))
            first = b[i].epoch;
    for (int i = 0; i < n; i++)
        if (b[i].workload == workload && b[i].epoch > first && read_block(r, i, &b[i]) < 0)
            return -1;
    return r->n_ranks ? 0 : err_set(r->e, "there is no epoch after the first: no steady steps");
}

static void free_ranks(struct reading *r)
{
    for (int i = 0; i < r->n_ranks; i++)
        free(r->ranks[i].rows);
}

/* Keeps the steps that all ranks have; how many. */
static long align(struct reading *r)
{
    long at[SERIES_RANKS] = {0}, n = 0;

    for (;;) {
        double step = -1;
        bool same = true;
        for (int i = 0; i < r->n_ranks; i++) {
            if (at[i] == r->ranks[i].n)
                return n;
            step = fmax(step, r->ranks[i].rows[at[i]].step);
        }
        for (int i = 0; i < r->n_ranks; i++) {
            same &= r->ranks[i].rows[at[i]].step == step;
            at[i] += r->ranks[i].rows[at[i]].step < step;
        }
        if (!same)
            continue;
        for (int i = 0; i < r->n_ranks; i++)
            r->ranks[i].rows[n] = r->ranks[i].rows[at[i]++];
        n++;
    }
}

/* ---- a row as the simulator has it ---- */

static int last_bucket(const struct steps_row *row)
{
    return (int)fmin(fmax(row->buckets, 0), STEPS_MAX_BUCKETS) - 1; /* it may be any number */
}

/* A time that is not known, or below 0 by a clock's tick, is none. */
static float time_of(double v)
{
    return isfinite(v) && v > 0 ? (float)v : 0;
}

/* Of sums inside the network; files of older releases do not tell. */
static double met_of(const struct steps_row *row)
{
    return isfinite(row->met) ? fmin(fmax(0, row->met), fmax(0, row->own - row->exchange_cpu)) : 0;
}

/* What no rank can do without of its sums inside the network in step k. */
static double least_met(const struct reading *r, long k)
{
    double least = INFINITY;

    for (int i = 0; i < r->n_ranks; i++)
        if (r->ranks[i].rows[k].own > 0)
            least = fmin(least, met_of(&r->ranks[i].rows[k]));
    return isfinite(least) ? least : 0;
}

static struct series_step step_of(const struct steps_row *row, double least)
{
    const double ready = row->input + row->own, software = fmin(row->exchange_cpu, row->own);
    const double met = met_of(row);
    const double withheld = fmin(fmax(0, row->withheld), row->own - software - met);
    const int last = last_bucket(row);
    const double end = last >= 0 ? row->wait_end[last] : ready + row->tail;

    return (struct series_step){
        .ready = row->begin + ready,
        .between = time_of(row->agree + row->other),
        .input = time_of(row->input),
        .cpu = time_of(row->own - software - met - withheld),
        .withheld = time_of(withheld),
        .lib = time_of(software + fmin(met, least)),
        .tail = time_of(row->tail),
        .half = last >= 0 && isfinite(row->half[last]) ? (float)(row->half[last] - ready) : -1,
        .exit = time_of(end - ready),
        .update = time_of(row->length - end),
        .produce = -1,
    };
}

static int fill_steps(struct recorded *to, const struct reading *r, long n)
{
    struct series *s = &to->series;

    to->step = calloc((size_t)(n * r->n_ranks), sizeof *to->step);
    to->last = calloc((size_t)n, sizeof *to->last);
    to->first = calloc((size_t)n, sizeof *to->first);
    if (!to->step || !to->last || !to->first)
        return err_set(r->e, "out of memory for %ld steps of %d ranks", n, r->n_ranks);
    for (long k = 0; k < n; k++) {
        const double least = least_met(r, k);
        for (int i = 0; i < r->n_ranks; i++)
            to->step[i * n + k] = step_of(&r->ranks[i].rows[k], least);
        s->met += least / (double)n;
    }
    s->steps = n;
    s->ranks = r->n_ranks;
    s->step = to->step;
    s->last = to->last;
    s->first = to->first;
    series_arrivals(s, to->last);
    for (long k = 0; k < n; k++) {
        const struct steps_row *row = &r->ranks[0].rows[k];
        if (isfinite(row->last_ready))
            to->last[k] = fmax(to->last[k], row->begin + row->last_ready);
        to->first[k] =
            k == 0 || row->step != row[-1].step + 1 ||
            (r->w->steps_per_epoch > 0 && fmod(row->step, (double)r->w->steps_per_epoch) == 0);
    }
    return 0;
}

/* ---- buckets ---- */

static int fill_ready(struct series *s, const struct reading *r, long n)
{
    double *v = malloc((size_t)(n * r->n_ranks) * sizeof *v);

    if (!v)
        return err_set(r->e, "out of memory for %ld steps of %d ranks", n, r->n_ranks);
    for (int b = 0; b < s->buckets; b++) {
        int m = 0;
        for (int i = 0; i < r->n_ranks; i++)
            for (long k = 0; k < n; k++) {
                const struct steps_row *row = &r->ranks[i].rows[k];
                if (b <= last_bucket(row) && row->own > 0 && isfinite(row->start[b]))
                    v[m++] = (row->start[b] - row->input) / row->own;
            }
        s->ready[b] = m && b + 1 < s->buckets ? fmin(1, fmax(0, stat_median(v, m))) : 1;
    }
    free(v);
    return 0;
}

/* Through (0, 0) up to the first bucket's begin, which nothing tells, straight. */
static void fill_curve(struct series *s)
{
    if (s->buckets < 2)
        return;
    for (int k = 0; k < SERIES_POINTS; k++) {
        const double at = (double)k / (SERIES_POINTS - 1);
        double before = 0, part = 0, from = 0;
        for (int b = 0; b < s->buckets && at > from; b++) {
            const double to = s->ready[b], each = 1.0 / s->buckets;
            part = to > from ? before + each * fmin(1, (at - from) / (to - from)) : before + each;
            before += each;
            from = to;
        }
        s->curve[k] = at >= 1 ? 1 : part;
    }
}

static int fill_buckets(struct series *s, const struct reading *r, const struct cJSON *work, long n)
{
    const double bytes =
        json_number(work, "profile.exchanged_bytes", NAN) / json_number(work, "profile.steps", NAN);

    s->buckets = r->w->ranks > 1 ? r->w->buckets : 0;
    if (s->buckets > SERIES_BUCKETS)
        s->buckets = SERIES_BUCKETS;
    if (s->buckets > 0 && !(bytes > 0))
        return err_set(r->e, "the record does not say how many bytes a step exchanges");
    for (int b = 0; b < s->buckets; b++)
        s->bytes[b] = bytes / s->buckets;
    if (fill_ready(s, r, n) < 0)
        return -1;
    fill_curve(s);
    return 0;
}

/* ---- the rest ---- */

static int count_nodes(const struct reading *r)
{
    int n = 0;

    for (int i = 0; i < r->n_ranks; i++) {
        bool seen = false;
        for (int k = 0; k < i; k++)
            seen |= strcmp(r->ranks[i].node, r->ranks[k].node) == 0;
        n += !seen;
    }
    return n;
}

/* Operators of a step, forward and backward: each is a border. */
static int count_borders(const struct cJSON *work)
{
    const double steps = json_number(work, "profile.steps", NAN);
    const cJSON *row;
    double calls = 0;

    cJSON_ArrayForEach(row, json_at(work, "profile.operators"))
    {
        calls += json_number(row, "calls", 0);
    }
    return isfinite(calls / steps) ? (int)(calls / steps) : 0;
}

double recorded_arm(const struct cJSON *work, const char *arm, bool most)
{
    const cJSON *row;

    cJSON_ArrayForEach(row, json_at(work, "ablation.arms"))
    {
        if (strcmp(json_text(row, "name", ""), arm) == 0 && !cJSON_IsTrue(json_at(row, "noisy")))
            return json_number(row, most ? "high" : "gain", NAN);
    }
    return NAN;
}

/* Own work at half the rows / at all. */
static double half_batch(const struct series *s, const struct cJSON *work)
{
    const double lost = recorded_arm(work, "half_batch", false);

    return 1 - lost * series_period(s, 0, s->steps) / series_split(s).own;
}

/* What the exchange takes without its bytes, of one of its two phases: by the transport's
 * test; else what an exchange of one number a bucket left of the wait. */
static double software(const struct series *s, const struct cJSON *work)
{
    const double tested = json_number(work, "transport.software_seconds", NAN);
    const double bytes =
        recorded_arm(work, "empty_exchange", false) * series_period(s, 0, s->steps);

    if (isfinite(tested))
        return tested;
    return isfinite(bytes) ? fmax(0, series_split(s).exchange - bytes) / 2 : NAN;
}

static struct series_transport transport(const struct series *s, const struct cJSON *work)
{
    return (struct series_transport){
        .alpha = json_number(work, "transport.alpha_seconds", NAN),
        .low = json_number(work, "transport.alpha_low_seconds", NAN),
        .high = json_number(work, "transport.alpha_high_seconds", NAN),
        .software = software(s, work),
    };
}

/* How far the processors' speed moved: ln of the end against the start. */
static double yardstick_moved(const struct cJSON *work)
{
    return fabs(log(json_number(work, "yardstick.cpu.end_seconds", NAN) /
                    json_number(work, "yardstick.cpu.start_seconds", NAN)));
}

enum { MAX_WORKERS = 8, DEFAULT_AHEAD = 2 }; /* of a run that does not say: harness.c */

/* Where samples stay decoded in memory the loader is no queue worth a model. */
static int fill_loader(struct recorded *to, const struct cJSON *work, int workers, int ahead,
                       struct err *e)
{
    struct series *s = &to->series;
    const double threads = json_number(work, "threads", 1);
    const double produce = json_number(work, "loader.produce_seconds", NAN);

    s->workers = workers > 0 ? workers : (int)fmin(threads, MAX_WORKERS);
    s->ahead = ahead > 0 ? ahead : DEFAULT_AHEAD;
    if (!(produce > 0))
        return 0;
    to->loader = calloc((size_t)s->ranks, sizeof *to->loader);
    if (!to->loader)
        return err_set(e, "out of memory for the loaders of %d ranks", s->ranks);
    for (int i = 0; i < s->ranks; i++)
        to->loader[i] =
            (struct series_loader){.read = json_number(work, "loader.read_seconds", NAN),
                                   .cached = json_number(work, "loader.read_cpu_seconds", NAN),
                                   .decode = json_number(work, "loader.inflate_seconds", 0) +
                                             json_number(work, "loader.convert_seconds", NAN)};
    s->loader = to->loader;
    return 0;
}

int recorded_read(struct recorded *to, struct steps_file *f, int workload, const struct cJSON *work,
                  int workers, int ahead, struct err *e)
{
    struct reading r = {.f = f, .e = e};
    struct series *s = &to->series;
    int n_workloads;

    *to = (struct recorded){.step = NULL};
    series_init(s);
    r.w = steps_file_workloads(f, &n_workloads);
    if (workload >= n_workloads)
        return err_set(e, "the steps file has %d workloads", n_workloads);
    r.w += workload;
    int rc = read_blocks(&r, workload);
    const long n = rc == 0 ? align(&r) : 0;
    if (rc == 0)
        rc = fill_steps(to, &r, n);
    if (rc == 0)
        rc = fill_buckets(s, &r, work, n);
    if (rc == 0)
        rc = fill_loader(to, work, workers, ahead, e);
    s->nodes = count_nodes(&r);
    s->rows = lround(json_number(work, "batch", 0) / fmax(1, r.w->ranks));
    s->borders = count_borders(work);
    s->split = cJSON_IsTrue(json_at(work, "clock.split")) || s->ranks == 1;
    s->clock_bound = json_number(work, "clock.bound_seconds", 0);
    s->yardstick_moved = yardstick_moved(work);
    if (rc == 0) {
        s->half_batch = half_batch(s, work);
        s->transport = transport(s, work);
        s->memory_low = json_number(work, "roofline.memory_low", NAN);
        s->memory_high = json_number(work, "roofline.memory_high", NAN);
    }
    free_ranks(&r);
    if (rc < 0)
        recorded_fini(to);
    return rc;
}

void recorded_fini(struct recorded *r)
{
    free(r->step);
    free(r->loader);
    free(r->last);
    free(r->first);
    *r = (struct recorded){.step = NULL};
}
