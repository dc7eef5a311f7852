/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Schedules whose parts are known to the microsecond: a late rank, a slow link in
 * one direction, in both, buckets that overlap, a core that is taken away.
 */
#include <config.h>

#include "workloads/steps.h"

#include <math.h>
#include <string.h>

#include "tests/unit.h"
#include "workloads/philox.h"

enum { RANKS = 4, STEPS = 40 };

static void near(double a, double b, double within)
{
    if (!(fabs(a - b) <= within))
        fail_msg("%.9f is not within %g of %.9f", a, within, b);
}

/* What a rank does in a step [s]; its clock is `offset` behind the run's. */
struct script {
    double input, own, lib, withheld, tail, update, agree, other, exit; /* exit: after R */
    double offset;
};

/* Lays the steps of n ranks out as they would go: all wait for the last. */
static void play(struct steps s[], struct script (*of)(int rank, int step), int n, int steps)
{
    double x[RANKS] = {0};

    for (int k = 0; k < steps; k++) {
        double last = 0;
        for (int i = 0; i < n; i++) {
            const struct script p = of(i, k);
            struct step_row *row = &s[i].row[k];
            *row = (struct step_row){.agree = (float)p.agree,
                                     .other = (float)p.other,
                                     .input = (float)p.input,
                                     .own = (float)p.own,
                                     .lib = (float)p.lib,
                                     .withheld = (float)p.withheld,
                                     .tail = (float)p.tail,
                                     .half = -1,
                                     .waits = 1};
            row->begin = x[i] + p.agree + p.other;
            last = fmax(last, row->begin + p.input + p.own);
        }
        for (int i = 0; i < n; i++) {
            const struct script p = of(i, k);
            struct step_row *row = &s[i].row[k];
            const double w0 = p.input + p.own + p.tail;
            const double w1 = fmax(w0, last + p.exit - row->begin);
            row->wait[0][0] = (float)w0;
            row->wait[0][1] = (float)w1;
            row->length = (float)(w1 + p.update);
            x[i] = row->begin + w1 + p.update;
            row->begin -= p.offset;
        }
    }
}

/* Steps of all ranks accounted as the training loop does it. */
static double account(struct script (*of)(int rank, int step), int n, int steps,
                      struct steps_sums sums[], double bound)
{
    struct steps s[RANKS];
    struct steps_pack pack = steps_packing(-1, 100);
    double packed[STEPS] = {0};

    for (int i = 0; i < n; i++)
        assert_int_equal(steps_init(&s[i], steps, NULL), 0);
    play(s, of, n, steps);
    for (int i = 0; i < n; i++) {
        s[i].n = steps;
        for (int k = 0; k < steps; k++) {
            const struct step_row *row = &s[i].row[k];
            double ready = row->begin + of(i, k).offset + (double)row->input + (double)row->own;
            packed[k] = fmax(packed[k], steps_packed(&pack, ready, i));
        }
    }
    for (int i = 0; i < n; i++) {
        memset(&sums[i], 0, sizeof sums[i]);
        steps_account(&s[i], &pack, packed, NULL, i, of(i, 0).offset, bound >= 0, &sums[i]);
        steps_fini(&s[i]);
    }
    return steps_ready(&pack, packed[steps - 1]) - steps_ready(&pack, packed[0]);
}

static double path(const struct steps_sums sums[], int n, enum step_part p)
{
    double sum = 0;

    for (int i = 0; i < n; i++)
        sum += sums[i].path[p];
    return sum;
}

static double all(const double part[STEP_PARTS])
{
    double sum = 0;

    for (int i = 0; i < STEP_PARTS; i++)
        sum += part[i];
    return sum;
}

/* Rank 1 computes 10 ms longer than the others; nothing else differs. */
static struct script late_rank(int rank, int step)
{
    (void)step;
    return (struct script){.input = 0.001,
                           .own = rank == 1 ? 0.050 : 0.040,
                           .lib = 0.002,
                           .withheld = rank == 1 ? 0.007 : 0,
                           .tail = 0.0005,
                           .update = 0.003,
                           .agree = 0.0002,
                           .other = 0.0001,
                           .exit = 0.004,
                           .offset = rank == 2 ? 7.5 : 0};
}

static void a_late_rank(void **state)
{
    struct steps_sums s[RANKS];
    const double total = account(late_rank, 3, STEPS, s, 0), n = STEPS, us = 1e-6;

    (void)state;
    for (int i = 0; i < 3; i++) {
        const double *p = s[i].part;
        near(p[STEP_INPUT] / n, 0.001, us);
        near(p[STEP_COMPUTE] / n, i == 1 ? 0.041 : 0.038, us);
        near(p[STEP_WITHHELD] / n, i == 1 ? 0.007 : 0, us);
        near(p[STEP_EXCHANGE_CPU] / n, 0.0025, us);
        near(p[STEP_SKEW] / n, i == 1 ? 0 : 0.0095, us);
        near(p[STEP_WIRE] / n, i == 1 ? 0.0035 : 0.004, us);
        near(p[STEP_UPDATE] / n, 0.003, us);
        near(p[STEP_AGREE] / n, 0.0002, us);
        near(p[STEP_OTHER] / n, 0.0001, us);
        near(all(p) / n, 0.0583, us);
        assert_int_equal(s[i].last, i == 1 ? STEPS : 0);
        assert_int_equal(s[i].path_steps, STEPS - 1);
        assert_int_equal(s[i].changes, 0);
    }
    /* the path is rank 1's alone: no wait for others is on it, and it adds up */
    near(s[0].path_seconds, 0, 1e-12);
    near(s[1].path_seconds, total, us);
    near(path(s, 3, STEP_SKEW), 0, 1e-12);
    near(path(s, 3, STEP_WIRE) / (n - 1), 0.0035, us);
    near(path(s, 3, STEP_EXCHANGE_CPU) / (n - 1), 0.0025, us);
    near(path(s, 3, STEP_COMPUTE) / (n - 1), 0.041, us);
    near(path(s, 3, STEP_WITHHELD) / (n - 1), 0.007, us);
    near(path(s, 3, STEP_UPDATE) / (n - 1), 0.003, us);
    near(path(s, 3, STEP_AGREE) / (n - 1), 0.0002, us);
}

/* What comes to rank 0 is slow: it leaves each sum 8 ms after the others, and is
 * therefore the last to arrive in the next step. */
static struct script slow_link(int rank, int step)
{
    (void)step;
    return (struct script){.own = 0.030, .update = 0.001, .exit = rank == 0 ? 0.012 : 0.004};
}

static void a_slow_link_is_no_slow_rank(void **state)
{
    struct steps_sums s[RANKS];
    const double total = account(slow_link, 2, STEPS, s, 0), n = STEPS - 1, us = 1e-6;

    (void)state;
    assert_int_equal(s[0].last, STEPS - 1); /* in the first both are; the higher rank counts */
    near(path(s, 2, STEP_WIRE) / n, 0.012, us);
    near(path(s, 2, STEP_COMPUTE) / n, 0.030, us);
    near(path(s, 2, STEP_WIRE) + path(s, 2, STEP_COMPUTE) + path(s, 2, STEP_UPDATE), total, us);
    near(s[0].part[STEP_WIRE] / STEPS, 0.012, us);
    near(s[0].part[STEP_SKEW], 0, us);
    near(s[0].part[STEP_COMPUTE], s[1].part[STEP_COMPUTE], us);
}

/* Every step another rank is late by another time: the path changes ranks. */
static struct script jitter(int rank, int step)
{
    uint32_t r[4];

    philox_at(12, 2, (uint64_t)(step * RANKS + rank), r);
    return (struct script){.input = 0.002 * philox_double(r[0], r[1]),
                           .own = 0.03 + 0.02 * philox_double(r[2], r[3]),
                           .lib = 0.001,
                           .tail = 0.0007,
                           .update = 0.002,
                           .exit = 0.003 + 0.001 * rank,
                           .offset = 1.25 * rank};
}

static void the_path_adds_up(void **state)
{
    struct steps_sums s[RANKS], whole = {.steps = 0};
    const double total = account(jitter, RANKS, STEPS, s, 0);
    long last = 0;

    (void)state;
    for (int i = 0; i < RANKS; i++) {
        steps_add(&whole, &s[i]);
        last += s[i].last;
        assert_true(s[i].last > 0);
    }
    near(whole.path_seconds, total, 2e-6);
    near(all(whole.path), whole.path_seconds, 1e-12);
    assert_int_equal(last, STEPS);
    assert_true(whole.path[STEP_WIRE] / (STEPS - 1) > 0.0023);
    assert_int_equal(whole.compute.n, RANKS * (STEPS / STEPS_BLOCK));
    assert_true(steps_error(&s[0].compute) < 0.01);
    assert_true(isnan(steps_error(&(struct steps_blocks){1, 2, 4})));
}

/* Clocks that do not tell: nothing is skew, the sum stays. */
static void without_a_clock_all_is_wire(void **state)
{
    struct steps_sums s[RANKS], with[RANKS];

    (void)state;
    account(late_rank, 3, STEPS, s, -1);
    account(late_rank, 3, STEPS, with, 0);
    for (int i = 0; i < 3; i++) {
        near(s[i].part[STEP_SKEW], 0, 1e-12);
        near(s[i].part[STEP_WIRE], with[i].part[STEP_WIRE] + with[i].part[STEP_SKEW], 1e-9);
    }
}

/* Two ranks that also meet inside their steps: the one that waits there least tells what the
 * sums themselves take; the rest of the other's is waiting for it. */
static void meetings_inside_a_step(void **state)
{
    const double least[] = {0.004, 0.004};
    struct steps_pack pack = steps_packing(0, 10);
    double packed[2];

    (void)state;
    packed[0] = steps_packed(&pack, 1.030, 1);
    packed[1] = steps_packed(&pack, 1.130, 1);
    for (int rank = 0; rank < 2; rank++) {
        struct steps_sums sums = {.steps = 0};
        struct steps s;

        assert_int_equal(steps_init(&s, 2, NULL), 0);
        for (int k = 0; k < 2; k++)
            s.row[k] = (struct step_row){.begin = 1 + 0.1 * k,
                                         .other = 0.068f,
                                         .own = 0.030f,
                                         .lib = 0.002f,
                                         .met = rank == 0 ? 0.010f : 0.004f,
                                         .half = -1,
                                         .wait = {{0.030f, 0.031f}},
                                         .waits = 1,
                                         .length = 0.032f};
        s.n = 2;
        steps_account(&s, &pack, packed, least, rank, 0, true, &sums);
        near(sums.part[STEP_COMPUTE], 2 * (rank == 0 ? 0.018 : 0.024), 1e-6);
        near(sums.part[STEP_EXCHANGE_CPU], 2 * 0.002, 1e-6);
        near(sums.part[STEP_SKEW], 2 * (rank == 0 ? 0.006 : 0), 1e-6);
        near(sums.part[STEP_WIRE], 2 * (0.004 + 0.001), 1e-6);
        near(sums.path[STEP_WIRE], rank == 1 ? 0.004 + 0.001 : 0, 1e-6);
        near(sums.path_met, rank == 1 ? 0.004 : 0, 1e-6);
        near(sums.path[STEP_COMPUTE], rank == 1 ? 0.024 : 0, 1e-6);
        near(sums.path_seconds, rank == 1 ? 0.1 : 0, 1e-6);
        steps_fini(&s);
    }
}

/* Two buckets: the first is waited for, then updated while the second is under
 * way. R lies in the first wait. The update between is on the path, not wire. */
static void two_buckets(void **state)
{
    struct steps s;
    struct steps_sums sums = {.steps = 0};
    struct steps_pack pack = steps_packing(0, 10);
    double packed[2];

    (void)state;
    assert_int_equal(steps_init(&s, 2, NULL), 0);
    for (int k = 0; k < 2; k++)
        s.row[k] = (struct step_row){.begin = 1 + 0.1 * k,
                                     .other = 0.040f,
                                     .own = 0.030f,
                                     .tail = 0.001f,
                                     .half = 0.006f,
                                     .length = 0.060f,
                                     .start = {k == 0 ? 0.012f : 0}, /* not known in the second */
                                     .wait = {{0.031f, 0.040f}, {0.043f, 0.055f}},
                                     .waits = 2};
    s.n = 2;
    packed[0] = steps_packed(&pack, 1.034, 1); /* rank 1, 4 ms after this one */
    packed[1] = steps_packed(&pack, 1.130, 0); /* this rank itself */
    steps_account(&s, &pack, packed, NULL, 0, 0, true, &sums);
    near(sums.part[STEP_SKEW], 0.003, 1e-6);
    near(sums.part[STEP_WIRE], 2 * 0.021 - 0.003, 1e-6);
    near(sums.part[STEP_UPDATE], 2 * 0.008, 1e-6);
    near(sums.half, 0.002 + 0.006, 1e-6);
    assert_int_equal(sums.halves, 2);
    near(sums.lead, 0.018, 1e-6);
    assert_int_equal(sums.leads, 1);
    near(sums.path[STEP_WIRE], 0.021 - 0.003, 1e-6);
    near(sums.path[STEP_UPDATE], 0.008, 1e-6);
    near(sums.path_seconds, 1.130 - 1.034, 1e-6);
    assert_int_equal(sums.changes, 1);
    near(steps_waited(&s, 1), 0.021, 1e-6);
    steps_fini(&s);
}

/* A rank that is held back between r and a, too: not the exchange's time. */
static void run_delay_is_nobodys_work(void **state)
{
    struct steps s;
    struct steps_sums sums = {.steps = 0};
    struct steps_pack pack = steps_packing(0, 10);
    double packed[1] = {steps_packed(&pack, 1.05, 0)};

    (void)state;
    assert_int_equal(steps_init(&s, 1, NULL), 0);
    s.n = 1;
    s.row[0] = (struct step_row){.begin = 1,
                                 .own = 0.050f,
                                 .lib = 0.010f,
                                 .withheld = 0.045f,
                                 .tail = 0.020f,
                                 .half = -1,
                                 .length = 0.075f,
                                 .waits = 0};
    steps_account(&s, &pack, packed, NULL, 0, 0, true, &sums);
    near(sums.part[STEP_COMPUTE], 0, 1e-6);
    near(sums.part[STEP_WITHHELD], 0.045, 1e-6);
    near(sums.part[STEP_EXCHANGE_CPU], 0.025, 1e-6);
    near(sums.part[STEP_UPDATE], 0.005, 1e-6);
    near(all(sums.part), 0.075, 1e-6);
    steps_fini(&s);
}

static void a_maximum_tells_time_and_rank(void **state)
{
    const double lengths[] = {1, 3600, 20000, 1e6};

    (void)state;
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        const struct steps_pack p = steps_packing(5e5, lengths[i]);
        assert_true(i > 1 ? p.tick > 0.25e-6 : p.tick == 0.25e-6);
        for (int rank = 0; rank < STEPS_RANKS; rank += 16411) {
            const double t = 5e5 + lengths[i] * rank / STEPS_RANKS;
            const double packed = steps_packed(&p, t, rank);
            near(steps_ready(&p, packed), t, p.tick / 2 + 1e-9);
            assert_int_equal(steps_last(packed), rank);
            assert_true(packed < steps_packed(&p, t + p.tick, 0)); /* time decides */
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_late_rank),
        cmocka_unit_test(a_slow_link_is_no_slow_rank),
        cmocka_unit_test(the_path_adds_up),
        cmocka_unit_test(without_a_clock_all_is_wire),
        cmocka_unit_test(meetings_inside_a_step),
        cmocka_unit_test(two_buckets),
        cmocka_unit_test(run_delay_is_nobodys_work),
        cmocka_unit_test(a_maximum_tells_time_and_rank),
    };

    return cmocka_run_group_tests_name("steps", tests, NULL, NULL);
}
