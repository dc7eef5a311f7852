/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * For people, and for contrib/bench/counters.sh; not installed.
 *
 * counters-probe [ROOT]: every counter of this machine over a tenth of a
 * second of work, with its source or the reason why it is off, and what
 * reading them all costs.
 *
 * counters-probe bench PAIRS: the same work on all CPUs with counters on and
 * off in turn, by threads that stay, as a trainer's do, with a border every
 * quarter of a second or so (a run of the agent has four borders an epoch; an
 * epoch of the tiny class takes some seconds). Prints what on costs, with its
 * 95 % interval, and what a reading takes, which the clock tells exactly: the
 * rest is what the kernel does for open events when it changes tasks.
 */
#include <config.h>

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "papi/counters.h"

enum { READS = 1000, MAX_THREADS = 256, BORDERS = 4, CHUNKS = 30 };

static double now_seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void work(double seconds)
{
    double end = now_seconds() + seconds;
    volatile double x = 1;

    while (now_seconds() < end)
        for (int i = 0; i < 1000; i++)
            x = x * 1.0000001;
}

static void show(const struct counters *c)
{
    for (int i = 0; i < COUNTER_COUNT; i++) {
        const struct counter_info *info = counters_info(i);
        struct measure m = counters_value(c, i, PHASE_COMPUTE);

        if (m.reason)
            printf("%-30s %16s %-10s %s\n", info->name, "null", info->unit, m.reason);
        else
            printf("%-30s %16.6g %-10s %s; %s, counted %.3g of the time\n", info->name, m.value,
                   info->unit, counters_source(c, i), counters_scope_name(info->scope),
                   counters_ratio(c, i));
    }
}

static int table(const char *root)
{
    struct counters_options o = {.root = root};
    struct err e = ERR_INIT;
    double start = now_seconds(), opened;
    struct counters *c = counters_open(&o, &e);
    struct counters_cost cost;

    if (!c) {
        fprintf(stderr, "counters-probe: %s\n", e.text);
        return 1;
    }
    opened = now_seconds() - start;
    counters_phase(c, PHASE_COMPUTE);
    work(0.1);
    counters_stop(c);
    show(c);
    counters_phase(c, PHASE_OTHER);
    for (int i = 0; i < READS; i++)
        counters_sample(c);
    cost = counters_cost(c);
    printf("opening took %.3f ms; a reading %.1f us on average, %.1f us at most, of %ld\n",
           1e3 * opened, 1e6 * cost.seconds / (double)cost.reads, 1e6 * cost.max_seconds,
           cost.reads);
    counters_close(c);
    return 0;
}

/* Fixed work, some 8 ms: arithmetic over 256 KiB. */
static void chunk(void)
{
    static _Thread_local float a[65536];

    for (int k = 0; k < 400; k++)
        for (int i = 0; i < 65536; i++)
            a[i] = a[i] * 0.999f + 1.0f;
    /* Seen by the compiler as used. */
    __asm__ volatile("" : : "r"(a) : "memory");
}

static pthread_barrier_t border;

/* A worker's share of all phases. */
static void *share(void *unused)
{
    for (int b = 0; b < BORDERS; b++) {
        pthread_barrier_wait(&border);
        for (int i = 0; i < CHUNKS; i++)
            chunk();
        pthread_barrier_wait(&border);
    }
    return unused;
}

static double cpu_seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* One run: BORDERS phases, worked by one thread on each CPU while this one
 * waits. CPU time and not wall time, so that a shared machine can tell too.
 * [seconds] *reading: more by what the readings themselves took. */
static double run(unsigned off, int threads, double *reading)
{
    static const enum phase phases[] = {PHASE_COMPUTE, PHASE_EVALUATION};
    struct counters_options o = {.off = off};
    struct counters *c = counters_open(&o, NULL);
    pthread_t t[MAX_THREADS];
    double start;

    if (!c)
        return NAN;
    pthread_barrier_init(&border, NULL, (unsigned)threads + 1);
    for (int i = 0; i < threads; i++)
        if (pthread_create(&t[i], NULL, share, NULL) != 0)
            abort();
    start = cpu_seconds();
    for (int b = 0; b < BORDERS; b++) {
        if (!off)
            counters_phase(c, phases[b % 2]);
        pthread_barrier_wait(&border);
        pthread_barrier_wait(&border);
    }
    if (!off)
        counters_stop(c);
    start = cpu_seconds() - start;
    for (int i = 0; i < threads; i++)
        pthread_join(t[i], NULL);
    pthread_barrier_destroy(&border);
    *reading += counters_cost(c).seconds;
    counters_close(c);
    return start;
}

static int bench(int pairs)
{
    const unsigned all = (1u << BACKEND_COUNT) - 1;
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    int threads = cpus > MAX_THREADS ? MAX_THREADS : (int)cpus;
    double sum = 0, squares = 0, mean, half, reading = 0, none = 0, busy = 0;

    run(0, threads, &none); /* warm */
    for (int i = 0; i < pairs; i++) {
        double on, off, x;

        /* Which one comes first alternates. */
        if (i % 2) {
            on = run(0, threads, &reading);
            off = run(all, threads, &none);
        } else {
            off = run(all, threads, &none);
            on = run(0, threads, &reading);
        }
        busy += on;
        x = log(on / off);
        sum += x;
        squares += x * x;
    }
    mean = sum / pairs;
    half = 1.96 * sqrt(fmax(0, squares / pairs - mean * mean) / (pairs - 1));
    printf("counters on cost %.2f %% of CPU time (95 %% interval %.2f to %.2f %%), %d pairs, %d "
           "threads\n",
           100 * expm1(mean), 100 * expm1(mean - half), 100 * expm1(mean + half), pairs, threads);
    printf("a reading takes %.0f us: %.3f %% of a second, %.2f %% of this work with a border "
           "every %.0f ms\n",
           1e6 * reading / pairs / BORDERS, 100 * reading / pairs / BORDERS, 100 * reading / busy,
           1e3 * busy / pairs / BORDERS);
    return 0;
}

int main(int argc, char **argv)
{
    int pairs = argc == 3 && strcmp(argv[1], "bench") == 0 ? atoi(argv[2]) : 0;

    if (argc > 3 || (argc == 3 && pairs < 2)) {
        fprintf(stderr, "usage: counters-probe [ROOT] | counters-probe bench PAIRS\n");
        return 2;
    }
    return pairs ? bench(pairs) : table(argc > 1 ? argv[1] : NULL);
}
