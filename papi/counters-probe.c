/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * counters-probe [ROOT]: every counter of this machine over a tenth of a
 * second of work, with its source or the reason why it is off, and what
 * reading them all costs. For people; the benchmark calls it too.
 */
#include <config.h>

#include <stdio.h>
#include <time.h>

#include "papi/counters.h"

enum { READS = 1000 };

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

int main(int argc, char **argv)
{
    struct counters_options o = {.root = argc > 1 ? argv[1] : NULL};
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
