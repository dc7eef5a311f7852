/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What measuring training steps one by one costs the thread that trains: everything that
 * the agent does for a step beside the step, played with its own functions on one rank;
 * then steps of a millisecond with it and without it, in turns.
 *
 *   steps_bench [STEPS] [BUCKETS]
 *
 * Lines of columns with tabs between: what, how much, its unit, the bound, "" where there
 * is none.
 */
#include <config.h>

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "reports/core/clock.h"
#include "reports/record/steps_keep.h"
#include "workloads/component/yardstick.h"
#include "workloads/micro/kernel.h"
#include "workloads/steps.h"

enum { PAIRS = 200, BLOCK = 16 };

static long steps = 20000;
static int buckets = 4;
static int delay_fd; /* of this thread's run delay */

static double run_delay(void)
{
    return clock_delay(delay_fd);
}

/* The stamps of a step: begin, input, ready and both ends of the wait of each bucket, end;
 * run delay when the batch is there, when nothing is left to compute, at the end. */
static void stamp(struct step_row *row)
{
    const double begin = clock_now(), delay = run_delay();

    *row = (struct step_row){.begin = begin, .half = -1, .waits = buckets};
    row->input = (float)(clock_now() - begin);
    for (int b = 0; b < buckets; b++)
        row->start[b] = (float)(clock_now() - begin);
    row->own = row->start[buckets - 1] - row->input;
    row->withheld = (float)(run_delay() - delay);
    for (int b = 0; b < buckets; b++) {
        row->wait[b][0] = (float)(clock_now() - begin);
        row->wait[b][1] = (float)(clock_now() - begin);
    }
    row->late = (float)(run_delay() - delay);
    row->length = (float)(clock_now() - begin);
}

static void say(const char *what, double v, const char *unit, const char *bound)
{
    printf("%s\t%.3f\t%s\t%s\n", what, v, unit, bound);
}

/* Microseconds a step since `since`. */
static void report(const char *what, double since, const char *bound)
{
    say(what, 1e6 * (clock_now() - since) / (double)steps, "us a step", bound);
}

/* Single readings, in a loop. */
static void read_clocks(void)
{
    double since = clock_now(), sink = 0;

    for (long k = 0; k < steps; k++)
        sink += clock_now();
    say("a reading of the clock", 1e9 * (clock_now() - since) / (double)steps, "ns", "");
    since = clock_now();
    for (long k = 0; k < steps; k++)
        sink += run_delay();
    say("a reading of the run delay", 1e9 * (clock_now() - since) / (double)steps, "ns", "");
    if (!isfinite(sink))
        puts("");
}

static bool play(struct steps *s, double *packed)
{
    struct steps_sums sums = {.steps = 0};
    struct steps_keep keep;
    double since = clock_now();

    for (long k = 0; k < steps; k++)
        stamp(&s->row[s->n++]);
    report("stamps and run delay", since, "8");
    since = clock_now();
    const struct steps_pack pack = steps_packing(s->row[0].begin - 1, 3600);
    for (long k = 0; k < steps; k++)
        packed[k] = steps_packed(&pack, s->row[k].begin + (double)s->row[k].own, 0);
    steps_account(s, &pack, packed, NULL, 0, 0, true, &sums);
    report("parts and path, at an epoch's end", since, "");
    since = clock_now();
    steps_keep_init(&keep, buckets);
    for (long k = 0; k < steps; k++) {
        const struct step_row *from = &s->row[k];
        const struct steps_row row = {.step = (double)k,
                                      .begin = from->begin,
                                      .own = (double)from->own,
                                      .length = (double)from->length,
                                      .buckets = from->waits};
        if (steps_keep_wants(&keep, k, false) && steps_keep_add(&keep, 1, &row, false) < 0)
            return false;
    }
    report("kept for the steps file, likewise", since, "");
    steps_keep_fini(&keep);
    return true;
}

/* ---- with and without ---- */

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Seconds of a step of the block; work: that takes about a millisecond. */
static double block(long work, bool with, struct steps *s, double *packed)
{
    const double since = clock_now();

    s->n = 0;
    for (int k = 0; k < BLOCK; k++) {
        chain_run((int)work);
        if (with)
            stamp(&s->row[s->n++]);
    }
    if (with) {
        struct steps_sums sums = {.steps = 0};
        const struct steps_pack pack = steps_packing(s->row[0].begin - 1, 3600);
        for (long k = 0; k < s->n; k++)
            packed[k] = steps_packed(&pack, s->row[k].begin + (double)s->row[k].own, 0);
        steps_account(s, &pack, packed, NULL, 0, 0, true, &sums);
    }
    return (clock_now() - since) / BLOCK;
}

/* The median of the differences of neighbours; the interval holds it with 95 %: ranks
 * n/2 -+ 0.98 sqrt(n) (Conover, Practical Nonparametric Statistics, 1999, 3.2). */
static void compare(struct steps *s, double *packed)
{
    double d[PAIRS], step = 0;
    long work = 1;

    while (block(work, false, s, packed) < 1e-3)
        work++;
    for (int i = 0; i < PAIRS; i++) {
        const double first = block(work, i % 2, s, packed),
                     second = block(work, !(i % 2), s, packed);
        d[i] = i % 2 ? first - second : second - first;
        step += (i % 2 ? second : first) / PAIRS;
    }
    qsort(d, PAIRS, sizeof *d, ascending);
    const int off = (int)(0.98 * sqrt(PAIRS));
    say("a step without all of that", 1e6 * step, "us", "");
    say("with it: longer by", 1e6 * d[PAIRS / 2], "us", "10");
    say("  at least", 1e6 * d[PAIRS / 2 - off], "us", "");
    say("  at most", 1e6 * d[PAIRS / 2 + off], "us", "");
}

/* Seconds of a reading of the yardstick; < 0: it could not be made. */
static double read_yardstick(int places)
{
    const struct workload_host host = {.comm = comm_self(), .now = clock_now, .threads = 1};
    struct runspec spec;
    struct err e = ERR_INIT;

    if (runspec_parse(&spec, "cosmoflow", &e) < 0)
        return -1;
    struct yardstick *y = yardstick_open(&spec, &host, places);
    const double since = clock_now();
    yardstick_start(y);
    const double took = clock_now() - since;
    yardstick_close(y);
    return y ? took : -1;
}

int main(int argc, char **argv)
{
    struct steps s;
    struct err e = ERR_INIT;

    steps = argc > 1 ? atol(argv[1]) : steps;
    buckets = argc > 2 ? atoi(argv[2]) : buckets;
    if (steps < 2 || buckets < 1 || buckets > STEPS_BUCKETS)
        return fprintf(stderr, "usage: steps_bench [STEPS] [BUCKETS, 1 to 16]\n"), 2;
    double *packed = calloc((size_t)steps, sizeof *packed);
    if (!packed || steps_init(&s, steps, &e) < 0)
        return fprintf(stderr, "steps_bench: out of memory\n"), 3;
    delay_fd = clock_delay_open();
    read_clocks();
    bool good = play(&s, packed); /* once, and with its memory warm */
    s.n = 0;
    good &= play(&s, packed);
    compare(&s, packed);
    say("memory for the stamps of a step", sizeof(struct step_row) + sizeof(double), "bytes", "");
    for (int places = 2; places <= 3; places++)
        say(places == 2 ? "yardstick in two dimensions, a reading in 10 s"
                        : "yardstick in three dimensions, a reading in 10 s",
            10 * read_yardstick(places), "% of them", "0.5");
    free(packed);
    steps_fini(&s);
    return good ? 0 : 3;
}
