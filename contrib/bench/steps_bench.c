/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What measuring training steps one by one costs the thread that trains: everything that
 * the agent does for a step beside the step, played with its own functions on one rank.
 *
 *   steps_bench [STEPS] [BUCKETS]
 *
 * Columns: what, microseconds a step.
 */
#include <config.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "reports/core/clock.h"
#include "reports/record/steps_keep.h"
#include "workloads/component/yardstick.h"
#include "workloads/steps.h"

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

/* Microseconds a step since `since`. */
static void report(const char *what, double since)
{
    printf("%-40s %8.3f\n", what, 1e6 * (clock_now() - since) / (double)steps);
}

static bool play(struct steps *s, double *packed)
{
    struct steps_sums sums = {.steps = 0};
    struct steps_keep keep;
    double since = clock_now();

    for (long k = 0; k < steps; k++)
        stamp(&s->row[s->n++]);
    report("stamps, run delay", since);
    since = clock_now();
    const struct steps_pack pack = steps_packing(s->row[0].begin - 1, 3600);
    for (long k = 0; k < steps; k++)
        packed[k] = steps_packed(&pack, s->row[k].begin + (double)s->row[k].own, 0);
    steps_account(s, &pack, packed, 0, 0, true, &sums);
    report("parts and path, at an epoch's end", since);
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
    report("kept for the steps file, likewise", since);
    steps_keep_fini(&keep);
    return true;
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
    printf("# %ld steps of %d buckets; microseconds a step\n", steps, buckets);
    bool good = play(&s, packed);
    s.n = 0;
    printf("# once more, memory warm\n");
    good &= play(&s, packed);
    for (int places = 2; places <= 3; places++) {
        const double took = read_yardstick(places);
        printf("yardstick in %d dimensions, milliseconds %8.3f, of 10 s %.3f %%\n", places,
               1e3 * took, 10 * took);
    }
    free(packed);
    steps_fini(&s);
    return good ? 0 : 3;
}
