/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How often steps are asked for their run delay, on a clock that asking moves: what it
 * costs is known, and so are the seconds that each step had no core.
 */
#include <config.h>

#include <math.h>

#include "tests/unit.h"
#include "workloads/component/train.h"

enum { STEPS = 600, EPOCHS = 4, TRIED = 40 /* readings that find out what one costs */ };

static double the_time, waited, cost; /* cost: of a reading */
static long readings, asked[EPOCHS];

static double now(void)
{
    return the_time;
}

static double ask(void)
{
    the_time += cost;
    readings++;
    return waited;
}

/* One millisecond, or what `length` says; a tenth of it without a core, in every seventh
 * step all of those of seven; and 1 % while it waits. */
static double length;

static int step(void *ctx, struct train_step *s, struct err *e)
{
    const double begin = the_time, own = 0.8 * length;
    const double withheld = s->step % 7 == 3 ? 0.7 * own : 0;

    (void)ctx, (void)e;
    asked[s->epoch] += s->asked;
    s->row = (struct step_row){.begin = begin, .half = -1, .waits = 1};
    the_time += 0.1 * length;
    s->row.input = (float)(the_time - begin);
    const double from = the_time, before = s->asked ? ask() : 0;
    the_time += own - (s->asked ? cost : 0);
    waited += withheld;
    s->row.own = (float)(the_time - from);
    if (s->asked) {
        s->arrived_delay = ask();
        s->row.withheld = (float)(s->arrived_delay - before);
    }
    s->row.wait[0][0] = (float)(the_time - begin);
    the_time += 0.1 * length;
    waited += 0.01 * length;
    s->row.wait[0][1] = (float)(the_time - begin);
    s->global_rows = 8;
    s->loss = 0.5;
    s->quality = NAN;
    return 0;
}

static int evaluate(void *ctx, long batch, struct err *e)
{
    (void)ctx, (void)batch, (void)e;
    the_time += length;
    return 0;
}

static int judge(void *ctx, double *quality, struct err *e)
{
    (void)ctx, (void)e;
    *quality = 1;
    return 0;
}

static struct workload_result run(double step_seconds, double reading_seconds, bool known)
{
    struct workload_result r = {.ranks = 1};
    const struct workload_host host = {
        .comm = comm_self(), .now = now, .run_delay = known ? ask : NULL};
    const struct train_task task = {.host = &host,
                                    .epochs = EPOCHS,
                                    .steps = STEPS,
                                    .step = step,
                                    .eval_steps = 1,
                                    .evaluate = evaluate,
                                    .judge = judge};
    struct phase_clock clock;
    struct err e = ERR_INIT;

    length = step_seconds;
    cost = reading_seconds;
    the_time = 1;
    waited = 0;
    readings = 0;
    for (int i = 0; i < EPOCHS; i++)
        asked[i] = 0;
    phase_clock_start(&clock, now, PHASE_STAGING);
    if (train_run(&task, &clock, &r, &e) < 0)
        fail_msg("%s", e.text);
    for (int i = 0; i < PHASE_COUNT; i++)
        r.phase_seconds[i] = clock.seconds[i];
    r.wall_seconds = clock.since - clock.start;
    return r;
}

static void near(double a, double b, double within)
{
    if (!(fabs(a - b) <= within))
        fail_msg("%.9g is not within %g of %.9g", a, within, b);
}

static double sum_of(const struct workload_result *r)
{
    double sum = 0;

    for (int i = 0; i < PHASE_COUNT; i++)
        sum += r->phase_seconds[i];
    return sum;
}

static void cheap_readings_are_made_in_every_step(void **state)
{
    (void)state;
    struct workload_result r = run(1e-3, 3e-6, true); /* three are 0.9 % */
    assert_int_equal(r.asking.every, 1);
    near(r.asking.seconds, 9e-6, 1e-9);
    for (int i = 0; i < EPOCHS; i++)
        assert_int_equal(asked[i], STEPS);
    assert_int_equal(readings, 3 * STEPS * EPOCHS + TRIED);
    result_fini(&r);
}

/* What a reading costs, and how many steps are asked then: 0.5 % of a step. */
static void dear_readings_are_thinned_after_the_first_epoch(void **state)
{
    static const struct {
        double step, reading;
        long every;
    } cases[] = {{1e-3, 4e-6, 3}, {1e-3, 40e-6, 23}, {100e-6, 1e-6, 6}, {1e-3, 3.4e-6, 3}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct workload_result r = run(cases[i].step, cases[i].reading, true);
        const double spent = r.phase_seconds[PHASE_COMPUTE] + r.phase_seconds[PHASE_WITHHELD] +
                             r.phase_seconds[PHASE_INPUT_WAIT] + r.phase_seconds[PHASE_UPDATE] +
                             r.phase_seconds[PHASE_EXPOSED_ALLREDUCE];
        const double steady = (double)(asked[1] + asked[2] + asked[3]);
        assert_int_equal(asked[0], STEPS);
        assert_int_equal(r.asking.every, cases[i].every);
        near(r.asking.seconds, 3 * cases[i].reading, 1e-9);
        assert_int_equal(readings, 3 * (asked[0] + asked[1] + asked[2] + asked[3]) + TRIED);
        assert_true(3 * cases[i].reading * steady <= 0.01 * spent);
        near(steady / (3 * STEPS), 1.0 / (double)cases[i].every, 0.01);
        near(sum_of(&r), r.wall_seconds, 1e-6);
        result_fini(&r);
    }
}

/* Seconds without a core that a thinned record has are those that there were, within
 * what chance makes of so many asked steps; what comes every seventh step is neither met
 * always nor never. */
static void thinned_sums_are_not_off(void **state)
{
    (void)state;
    struct workload_result r = run(1e-3, 4e-6, true);
    const double own = 0.8e-3 * STEPS * (EPOCHS - 1), n = (double)(asked[1] + asked[2] + asked[3]);
    const double p = 1.0 / 7, sigma = 0.7 * sqrt(p * (1 - p) / n); /* of the part of own time */
    const double late = r.rank.late_seconds / 1e-3;
    /* of [i1, a]; what came after is late */
    near(r.phase_seconds[PHASE_WITHHELD] / own, 0.1, 3 * sigma);
    near(late, 0.01, 1e-4);
    near(r.rank.withheld_error, 0.8e-3 * sigma, 0.2 * 0.8e-3 * sigma);
    result_fini(&r);
}

static void where_nobody_tells_nobody_is_asked(void **state)
{
    (void)state;
    struct workload_result r = run(1e-4, 1e-4, false);
    assert_int_equal(readings, 0);
    assert_true(r.asking.seconds == 0 && r.asking.every == 1);
    assert_true(r.phase_seconds[PHASE_WITHHELD] == 0);
    result_fini(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cheap_readings_are_made_in_every_step),
        cmocka_unit_test(dear_readings_are_thinned_after_the_first_epoch),
        cmocka_unit_test(thinned_sums_are_not_off),
        cmocka_unit_test(where_nobody_tells_nobody_is_asked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
