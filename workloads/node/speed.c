/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/node/speed.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#ifdef _OPENMP
#include <omp.h>
#else
static int omp_get_thread_num(void)
{
    return 0;
}
#endif

#include "reports/core/clock.h"
#include "workloads/engine/engine.h"
#include "workloads/micro/cache.h"
#include "workloads/micro/kernel.h"
#include "workloads/micro/library.h"
#include "workloads/micro/memory.h"
#include "workloads/micro/sample.h"
#include "workloads/node/core.h"
#include "workloads/node/network.h"
#include "workloads/node/team.h"

enum { STEPS_MOST = 200000, DISK_SAMPLES = 3, ORDER = 7 };

/* State of the child. */
struct speed {
    const struct speed_task *t;
    struct speed_found *found;
    int threads;
    struct library *gemm[2]; /* f32, bf16 */
    struct memory *triad;
    double triad_bytes;
    struct chase *chase;
    struct network *network;
    double *steps; /* of the present segment */
    double rates[TEAM_MOST];
};

/* One sample of a metric. A test build may make it slower. */
static void take(struct speed *s, int metric, double v)
{
    struct speed_metric *m = &s->found->of[metric];

#ifdef NODE_TEST_HOOK
    char name[32];
    double percent;
    if (s->t->hook && sscanf(s->t->hook, "%31[^:]:%lf", name, &percent) == 2 &&
        strcmp(name, node_metric_row(metric)->name) == 0)
        v *= node_metric_row(metric)->more_is_better ? 1 - percent / 100 : 1 / (1 - percent / 100);
#endif
    if (m->n < NODE_SAMPLES)
        m->samples[m->n++] = v;
}

/* Seconds of one sample of a test. */
static double floor_of(const struct speed *s, enum node_test t)
{
    int samples = s->t->o->samples ? s->t->o->samples : 5;

    return node_test_seconds(t, s->t->o->profile) > 0
               ? 0.7 * node_test_seconds(t, s->t->o->profile) / samples
               : 0.2;
}

/* ---- clock ---- */

static void one_chain(struct speed *s, int thread, long times)
{
    struct team_mask *before;

    team_pin(s->t->cpus[thread], &before);
    double begin = clock_now();
    bool right = chain_run(times) == chain_closed(times);
    s->rates[thread] = right ? (double)times * CHAIN_STEPS / (clock_now() - begin) : (double)NAN;
    team_unpin(before);
}

static int clock_sample(struct speed *s, struct err *e)
{
    long times = 1;
    double begin = clock_now(), took;

    (void)e;
    while (chain_run(times) == chain_closed(times) && (took = clock_now() - begin) < 0.01)
        begin = clock_now(), times *= 2;
    times = (long)ceil((double)times * floor_of(s, NODE_TEST_clock) / 0.01);
#pragma omp parallel num_threads(s->threads)
    one_chain(s, omp_get_thread_num(), times);
    double least = INFINITY;
    for (int i = 0; i < s->threads; i++) {
        if (!(s->rates[i] > 0))
            s->found->tests[NODE_TEST_clock].wrong++;
        least = fmin(least, s->rates[i]);
    }
    double middle = sample_median(s->rates, s->threads);
    take(s, NODE_METRIC_clock, middle);
    take(s, NODE_METRIC_slowest, least / middle);
    return 0;
}

/* ---- products ---- */

static int gemm_open(struct speed *s, bool bf16, struct err *e)
{
    enum node_test t = bf16 ? NODE_TEST_gemm_bf16 : NODE_TEST_gemm_f32;
    long edge = s->threads <= 4 ? 1024 : s->threads <= 32 ? 2048 : 4096;
    struct library *l =
        library_open(LIBRARY_MATMUL, s->t->backend, bf16, s->threads, edge, edge, s->t->o->seed, e);

    s->gemm[bf16] = l;
    return l ? library_check(l, &s->found->tests[t].wrong, e) : -1;
}

static int gemm_sample(struct speed *s, bool bf16, struct err *e)
{
    enum node_test t = bf16 ? NODE_TEST_gemm_bf16 : NODE_TEST_gemm_f32;
    double begin = clock_now(), took = 0, floor = floor_of(s, t);
    long wrong = 0, times = 0;

    for (; took < floor; times++, took = clock_now() - begin)
        if (library_run(s->gemm[bf16], 1, &wrong, e) < 0)
            return -1;
    take(s, bf16 ? NODE_METRIC_gemm_bf16 : NODE_METRIC_gemm_f32,
         library_flop(s->gemm[bf16]) * (double)times / took);
    return 0;
}

static int f32_open(struct speed *s, struct err *e)
{
    return gemm_open(s, false, e);
}

static int bf16_open(struct speed *s, struct err *e)
{
    return gemm_open(s, true, e);
}

static int f32_sample(struct speed *s, struct err *e)
{
    return gemm_sample(s, false, e);
}

static int bf16_sample(struct speed *s, struct err *e)
{
    return gemm_sample(s, true, e);
}

/* ---- memory ---- */

static int triad_open(struct speed *s, struct err *e)
{
    struct cache c;

    cache_find(&c, s->t->o->root);
    size_t all = 4 * (c.last_bytes ? c.last_bytes : (size_t)32 << 20);
    size_t n = all / (size_t)s->threads / sizeof(double) / 8 * 8;
    double need = 3.0 * (double)n * sizeof(double) * s->threads;
    if (s->t->o->memory_bytes && need > (double)s->t->o->memory_bytes)
        return err_set(e, "its arrays need %.0f MiB, and %.0f MiB may be used", need / 1048576,
                       (double)s->t->o->memory_bytes / 1048576);
    s->triad = memory_open(MEMORY_TRIAD, n, s->threads, e);
    s->triad_bytes = (double)memory_bytes(MEMORY_TRIAD) * (double)n * s->threads;
    if (!s->triad)
        return -1;
    memory_bypass(s->triad, memory_can_bypass());
    return memory_check(s->triad, &s->found->tests[NODE_TEST_triad].wrong, e);
}

static int triad_sample(struct speed *s, struct err *e)
{
    double begin = clock_now(), took = 0, floor = floor_of(s, NODE_TEST_triad);
    long wrong = 0, times = 0;

    for (; took < floor; times++, took = clock_now() - begin)
        if (memory_pass(s->triad, 1, &wrong, e) < 0)
            return -1;
    take(s, NODE_METRIC_triad, s->triad_bytes * (double)times / took);
    return 0;
}

static int latency_open(struct speed *s, struct err *e)
{
    return (s->chase = chase_open(s->t->o->seed, e)) ? 0 : -1;
}

static int latency_sample(struct speed *s, struct err *e)
{
    (void)e;
    take(s, NODE_METRIC_latency, chase_load_seconds(s->chase, floor_of(s, NODE_TEST_latency)));
    return 0;
}

static int pattern_sample(struct speed *s, struct err *e)
{
    struct speed_found *f = s->found;

    if (f->pattern_bytes > 0) /* once a run */
        return 0;
    if (s->t->o->memory_bytes == 0)
        return err_set(e, "how much memory may be used is not known");
    return pattern_walk(s->t->o->memory_bytes,
                        node_test_seconds(NODE_TEST_pattern, s->t->o->profile), s->threads,
                        &f->pattern_bytes, &f->tests[NODE_TEST_pattern].wrong, e);
}

/* ---- disk, training ---- */

static int disk_sample_of(struct speed *s, struct err *e)
{
    double rate, seconds;

    if (s->found->of[NODE_METRIC_disk_write].n >= DISK_SAMPLES)
        return 0;
    /* After all processors were busy a disk is slow for a moment. */
    nanosleep(&(struct timespec){s->t->o->profile == PROFILE_QUICK ? 0 : 1, 0}, NULL);
    if (disk_sample(s->t->o->folder, s->t->o->seed, &rate, &seconds, e) < 0)
        return -1;
    take(s, NODE_METRIC_disk_write, rate);
    take(s, NODE_METRIC_disk_read, seconds);
    return 0;
}

static int train_open(struct speed *s, struct err *e)
{
    s->steps = malloc(sizeof *s->steps * STEPS_MOST);
    if (!s->steps)
        return err_set(e, "out of memory for the times of steps");
    s->network = network_open(s->t->backend, s->threads, s->t->o->seed, e);
    return s->network ? network_step(s->network, e) : -1;
}

/* A segment: the median of its steps, and their 99 % point beside it. */
static int train_sample(struct speed *s, struct err *e)
{
    double end = clock_now() + floor_of(s, NODE_TEST_train);
    int n = 0;

    for (double begin = clock_now(), now; begin < end && n < STEPS_MOST; begin = now) {
        if (network_step(s->network, e) < 0)
            return -1;
        now = clock_now();
        s->steps[n++] = now - begin;
    }
    double middle = sample_median(s->steps, n); /* sorts, least first */
    take(s, NODE_METRIC_step, middle);
    if (n >= 100)
        take(s, NODE_METRIC_tail, s->steps[(int)(0.99 * n)] / middle);
    return 0;
}

/* ---- rounds ---- */

static const struct {
    enum node_test test;
    int (*open)(struct speed *s, struct err *e); /* NULL: nothing to open */
    int (*sample)(struct speed *s, struct err *e);
} list[] = {
    {NODE_TEST_clock, NULL, clock_sample},
    {NODE_TEST_gemm_f32, f32_open, f32_sample},
    {NODE_TEST_gemm_bf16, bf16_open, bf16_sample},
    {NODE_TEST_triad, triad_open, triad_sample},
    {NODE_TEST_latency, latency_open, latency_sample},
    {NODE_TEST_train, train_open, train_sample},
    {NODE_TEST_disk, NULL, disk_sample_of},
    {NODE_TEST_pattern, NULL, pattern_sample},
};

enum { LIST = sizeof list / sizeof *list };

unsigned speed_tests(void)
{
    unsigned tests = 0;

    for (int i = 0; i < LIST; i++)
        tests |= 1U << list[i].test;
    return tests;
}

double speed_patience(const struct speed_task *t)
{
    double seconds = 0;

    for (int i = 0; i < LIST; i++)
        if (t->tests & 1U << list[i].test)
            seconds += 1 + node_test_seconds(list[i].test, t->o->profile);
    return 60 + 6 * seconds;
}

static void close_all(struct speed *s)
{
    library_close(s->gemm[0]);
    library_close(s->gemm[1]);
    memory_close(s->triad);
    chase_close(s->chase);
    network_close(s->network);
    free(s->steps);
}

/* One step of a test; what fails is measured no more. */
static void attempt(struct speed *s, int (*step)(struct speed *, struct err *), enum node_test test)
{
    struct speed_test *is = &s->found->tests[test];
    struct err e = ERR_INIT;

    if (!step || is->error[0])
        return;
    s->found->test = test;
    if (step(s, &e) < 0)
        snprintf(is->error, sizeof is->error, "%.120s", e.text);
}

int speed_work(void *ctx, int i)
{
    const struct speed_task *t = ctx;
    struct speed s = {.t = t, .found = t->found};
    int rounds = t->o->samples ? t->o->samples : 5, order[LIST];

    (void)i;
    s.threads = engine_team(t->n_cpus);
    for (int k = 0; k < LIST; k++)
        if (t->tests & 1U << list[k].test)
            attempt(&s, list[k].open, list[k].test);
    for (int round = 0; round < rounds; round++) {
        sample_order(order, LIST, t->o->seed + (uint64_t)t->o->samples, ORDER, (uint32_t)round);
        for (int k = 0; k < LIST; k++)
            if (t->tests & 1U << list[order[k]].test)
                attempt(&s, list[order[k]].sample, list[order[k]].test);
    }
    close_all(&s);
    return 0;
}

/* ---- afterwards ---- */

static struct node_value value_of(const struct speed_metric *m)
{
    double v[NODE_SAMPLES];
    struct node_value is = {NAN, NAN, m->n};

    memcpy(v, m->samples, sizeof v);
    is.value = sample_median(v, m->n);
    for (int i = 0; i < m->n; i++)
        v[i] = fabs(m->samples[i] - is.value);
    if (m->n > 1)
        is.spread = 100 * 1.4826 * sample_median(v, m->n) / is.value;
    return is;
}

void speed_summarise(const struct speed_task *t, int end, struct node_result *r)
{
    const struct speed_found *f = t->found;

    for (int m = 0; m < NODE_METRICS; m++)
        if (f->of[m].n > 0)
            r->values[m] = value_of(&f->of[m]);
    r->pattern_bytes = f->pattern_bytes;
    for (int i = 0; i < NODE_TESTS; i++) {
        const char *word = node_test_word((enum node_test)i);
        if (f->tests[i].wrong > 0)
            node_fault(r, word, "%ld wrong %s", f->tests[i].wrong,
                       i == NODE_TEST_pattern ? "words of memory" : "numbers");
        if (f->tests[i].error[0])
            node_unknown(r, word, "%s", f->tests[i].error);
    }
    if (end == TEAM_LATE)
        node_unknown(r, node_test_word((enum node_test)f->test), "hung");
    else if (end > 0)
        node_unknown(r, node_test_word((enum node_test)f->test), "died of signal %d", end);
}
