/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a rank holds for the times of its steps, and what it sends to tell who was last
 * in each, at 10,000 nodes x 8 ranks: the others are played by a struct comm that has
 * nobody behind it, counts what is asked of it and looks at the heap.
 */
#include <config.h>

#include <malloc.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit.h"
#include "workloads/component/train_steps.h"

enum { MANY = 80000, FEW = 8, STEPS = 10000, EPOCHS = 3 };

static size_t held, most_held, numbers;
static long reduces, gathers;
static double clock_now;

static size_t heap(void)
{
    struct mallinfo2 m = mallinfo2();

    return m.uordblks + m.hblkhd;
}

static void look(void)
{
    const size_t now = heap() - held;

    most_held = now > most_held ? now : most_held;
}

static int play_reduce(struct comm *c, double *v, int n, enum comm_op op, struct err *e)
{
    (void)c, (void)v, (void)op, (void)e;
    reduces++;
    numbers += (size_t)n;
    look();
    return 0;
}

static int play_gather(struct comm *c, const void *send, void *recv, const size_t *counts,
                       struct err *e)
{
    (void)c, (void)send, (void)recv, (void)counts;
    gathers++;
    return err_set(e, "a table of all ranks on every rank");
}

static int play_gatherv(struct comm *c, const void *send, size_t bytes, void *recv,
                        const size_t *counts, struct err *e)
{
    (void)c, (void)send, (void)bytes, (void)recv, (void)counts;
    gathers++;
    return err_set(e, "a table of all ranks on rank 0");
}

static double play_now(void)
{
    return clock_now;
}

static double no_delay(void)
{
    return 0;
}

/* Most bytes held by a rank of so many through EPOCHS epochs; fails when a rank was asked
 * for what all have. */
static size_t epochs_of(int rank, int ranks)
{
    struct comm c = {.rank = rank,
                     .size = ranks,
                     .clock_method = "ping-pong",
                     .reduce = play_reduce,
                     .allgatherv = play_gather,
                     .gatherv = play_gatherv};
    struct workload_host host = {.comm = &c, .now = play_now, .run_delay = no_delay};
    struct train_task task = {.host = &host, .epochs = EPOCHS, .steps = STEPS};
    struct workload_result result = {.ranks = ranks};
    struct phase_clock clock;
    struct train_steps t;
    struct err e = ERR_INIT;

    held = heap();
    most_held = numbers = 0;
    reduces = gathers = 0;
    clock_now = 1;
    phase_clock_start(&clock, play_now, PHASE_COMPUTE);
    assert_int_equal(train_steps_init(&t, &task, &clock, &result, &e), 0);
    assert_int_equal(train_steps_start(&t, &e), 0);
    for (int epoch = 0; epoch < EPOCHS; epoch++) {
        const double begin = clock_now;
        double input;
        train_steps_epoch(&t, begin);
        for (int k = 0; k < STEPS; k++) {
            struct train_step s = {.row = {.begin = clock_now, .input = 1e-3F, .own = 0.04F}};
            const double from = clock_now;
            clock_now += 0.05;
            train_steps_stamp(&t, &s, from, clock_now);
        }
        assert_int_equal(
            train_steps_split(&t, epoch + 1, epoch == 0, clock_now - begin, &input, &e), 0);
        look();
    }
    assert_int_equal(train_steps_fill(&t, &e), 0);
    assert_int_equal(result.rank.steps, (EPOCHS - 1) * STEPS);
    assert_int_equal(gathers, 0);
    train_steps_fini(&t);
    return most_held;
}

static void a_rank_holds_its_own_steps(void **state)
{
    const size_t each = sizeof(struct step_row) + 2 * sizeof(double) + sizeof(bool);
    const size_t few = epochs_of(0, FEW), one = epochs_of(0, MANY), other = epochs_of(7, MANY);

    (void)state;
    print_message("a rank: %zu bytes for the times of %d steps, with %d ranks as with %d: "
                  "%zu a step, for one epoch\n",
                  one, STEPS, MANY, FEW, one / STEPS);
    print_message("sends: %zu bytes an epoch in %.1f maxima, gathers nothing\n",
                  numbers * sizeof(double) / EPOCHS, (double)reduces / EPOCHS);
    /* but for what malloc() rounds up */
    assert_true(few <= one + 10000 && one <= few + 10000 && other <= one + 10000);
    assert_true(one <= each * STEPS + 10000);
    /* who was last in each step and the least in sums inside it, two numbers a step, and of some
     * steps when sums began and ended, whatever the ranks are */
    const size_t some = (2 * STEPS_BUCKETS + 1) * WIRE_STEPS;
    assert_true(numbers <= (size_t)EPOCHS * (2 * STEPS + some) + 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rank_holds_its_own_steps),
    };

    return cmocka_run_group_tests_name("steps at scale", tests, NULL, NULL);
}
