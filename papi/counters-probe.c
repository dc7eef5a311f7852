/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * For people, and for contrib/bench/counters.sh; not installed.
 *
 * counters-probe [ROOT]: every counter of this machine over a tenth of a
 * second of work, with its source or the reason why it is off, and what
 * reading them all costs.
 *
 * counters-probe bench PAIRS: the same work on all CPUs with counters on and
 * off in turn, by threads that stay between borders, as a trainer's do. Turns
 * are short (some 70 ms), as noise of a shared machine is alike for neighbours
 * only: turns of a second need ten times the time for the same interval. What
 * open events cost the work is compared; what a reading takes the clock tells
 * exactly, and it is added as for a border every quarter of a second, as above
 * what a run has (four an epoch; an epoch of the tiny class takes some seconds).
 */
#include <config.h>

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "papi/counters.h"
#include "reports/core/clock.h"

enum { READS = 1000, MAX_THREADS = 256, BORDERS = 2, CHUNKS = 4 };

static const double border_every = 0.25; /* [s] */

static void work(double seconds)
{
    double end = clock_now() + seconds;
    volatile double x = 1;

    while (clock_now() < end)
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
    double start = clock_now(), opened;
    struct counters *c = counters_open(&o, &e);
    struct counters_cost cost;

    if (!c) {
        fprintf(stderr, "counters-probe: %s\n", e.text);
        return 1;
    }
    opened = clock_now() - start;
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

/* One turn: BORDERS phases, worked by one thread on each CPU while this one
 * waits. Returns CPU time of the work alone [s], and not wall time, so that a
 * shared machine can tell too. *reading is more by what the readings took [s].
 * Off, all is as it is on (a processor that rested is faster afterwards) but
 * for the open events: counters are opened and closed, and this thread is busy
 * for as long as a reading takes. */
static double turn(bool on, int threads, double *reading)
{
    static const enum phase phases[] = {PHASE_COMPUTE, PHASE_EVALUATION};
    static double last; /* what a reading took the last time [s] */
    struct counters_options o = {.off = 0};
    struct counters *c = counters_open(&o, NULL);
    pthread_t t[MAX_THREADS];
    double worked = 0;

    if (!c)
        return NAN;
    if (!on) {
        counters_close(c);
        c = NULL;
    }
    pthread_barrier_init(&border, NULL, (unsigned)threads + 1);
    for (int i = 0; i < threads; i++)
        if (pthread_create(&t[i], NULL, share, NULL) != 0)
            abort();
    for (int b = 0; b < BORDERS; b++) {
        if (on)
            counters_phase(c, phases[b % 2]);
        else
            work(last);
        double start = clock_cpu();
        pthread_barrier_wait(&border);
        pthread_barrier_wait(&border);
        worked += clock_cpu() - start;
    }
    if (on)
        counters_stop(c);
    for (int i = 0; i < threads; i++)
        pthread_join(t[i], NULL);
    pthread_barrier_destroy(&border);
    if (on) {
        struct counters_cost cost = counters_cost(c);
        last = cost.seconds / (double)cost.reads;
        *reading += cost.seconds;
        counters_close(c);
    }
    return worked;
}

static int bench(int pairs)
{
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    int threads = cpus > MAX_THREADS ? MAX_THREADS : (int)cpus;
    double sum = 0, squares = 0, mean, half, reading = 0, none = 0, share_of_time;

    turn(true, threads, &none); /* warm */
    for (int i = 0; i < pairs; i++) {
        double on, off, x;

        /* Which one comes first alternates. */
        if (i % 2) {
            on = turn(true, threads, &reading);
            off = turn(false, threads, &reading);
        } else {
            off = turn(false, threads, &reading);
            on = turn(true, threads, &reading);
        }
        x = log(on / off);
        sum += x;
        squares += x * x;
    }
    mean = sum / pairs;
    half = 1.96 * sqrt(fmax(0, squares / pairs - mean * mean) / (pairs - 1));
    reading /= (double)pairs * BORDERS;
    share_of_time = reading / border_every;
    printf("open events cost the work %.2f %% of its CPU time (95 %% interval %.2f to %.2f %%), "
           "%d pairs, %d threads\n",
           100 * expm1(mean), 100 * expm1(mean - half), 100 * expm1(mean + half), pairs, threads);
    printf("a reading takes %.0f us, all threads waiting: %.2f %% with a border every %.0f ms\n",
           1e6 * reading, 100 * share_of_time, 1e3 * border_every);
    printf("counters on cost %.2f %% (95 %% interval %.2f to %.2f %%)\n",
           100 * (expm1(mean) + share_of_time), 100 * (expm1(mean - half) + share_of_time),
           100 * (expm1(mean + half) + share_of_time));
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
