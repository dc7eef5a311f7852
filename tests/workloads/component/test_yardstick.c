/* SPDX-License-Identifier: BSD-3-Clause */
/* When the yardstick is read and what is said of it; never how fast anything was. */
#include <config.h>

#include <math.h>
#include <string.h>

#include "reports/core/clock.h"
#include "tests/unit.h"
#include "workloads/component/yardstick.h"

static double jump; /* seconds that the clock is ahead */

static double now(void)
{
    return clock_now() + jump;
}

static struct workload_result read_all(const char *text, int places, int between, double trained)
{
    const struct workload_host host = {.comm = comm_self(), .now = now, .threads = 1};
    struct workload_result r = {.name = "x"};
    struct runspec spec;
    struct err e = ERR_INIT;

    if (runspec_parse(&spec, text, &e) < 0)
        fail_msg("%s", e.text);
    struct yardstick *y = yardstick_open(&spec, &host, places);
    assert_non_null(y);
    yardstick_start(y);
    for (int i = 0; i < between; i++) {
        yardstick_between(y); /* too soon */
        jump += 10;
        yardstick_between(y);
    }
    yardstick_end(y, trained);
    if (yardstick_gather(y, comm_self(), &r, &e) < 0)
        fail_msg("%s", e.text);
    yardstick_close(y);
    return r;
}

static void assert_read(const struct result_reading *r)
{
    assert_true(r->start > 0 && r->mean > 0 && r->end > 0);
}

static void readings_are_ten_seconds_apart(void **state)
{
    (void)state;
    for (int between = 0; between < 3; between++) {
        const struct workload_result r =
            read_all("cosmoflow,engine=ref", 3, between, 100.0 * between);
        const struct result_yardstick *y = &r.yardstick;
        assert_int_equal(y->readings, 2 + between);
        assert_string_equal(y->what, "convolution 16 to 16, 3^3, 8^3, ref f32, 1 thread");
        assert_read(&y->wall);
        assert_read(&y->cpu);
        assert_read(&y->chain);
        assert_true(y->speed > 0 && y->least_speed == y->speed);
        /* at least what the convolution of `ref` reached: 8^3 places, 16 to 16, 27 taps */
        assert_true(y->peak >= 2.0 * 8 * 8 * 8 * 16 * 16 * 27 / y->wall.start * (1 - 1e-9));
        if (between == 0) /* one reading after the first: it is the mean and the end */
            assert_true(y->cpu.mean == y->cpu.end &&
                        fabs(y->speed - y->cpu.start / y->cpu.end) < 1e-12);
        assert_true(r.rank.yardstick_seconds == y->cpu.mean);
    }
}

static void two_dimensions_have_their_own(void **state)
{
    const struct workload_result r = read_all("hep,engine=ref", 2, 0, 0);

    (void)state;
    assert_string_equal(r.yardstick.what, "convolution 32 to 32, 3^2, 32^2, ref f32, 1 thread");
}

/* No memory for it, or the run ended before the second reading: the record has none. */
static void none_is_none(void **state)
{
    const struct workload_host host = {.comm = comm_self(), .now = now, .threads = 1};
    struct workload_result r = {.name = "x"};
    struct runspec spec;
    struct err e = ERR_INIT;

    (void)state;
    yardstick_start(NULL);
    yardstick_between(NULL);
    yardstick_end(NULL, 1);
    assert_int_equal(yardstick_gather(NULL, comm_self(), &r, &e), 0);
    assert_int_equal(r.yardstick.readings, 0);
    assert_int_equal(runspec_parse(&spec, "cosmoflow,engine=ref", &e), 0);
    struct yardstick *y = yardstick_open(&spec, &host, 3);
    yardstick_start(y);
    assert_int_equal(yardstick_gather(y, comm_self(), &r, &e), 0);
    assert_int_equal(r.yardstick.readings, 0);
    assert_string_equal(r.yardstick.what, "");
    yardstick_close(y);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(readings_are_ten_seconds_apart),
        cmocka_unit_test(two_dimensions_have_their_own),
        cmocka_unit_test(none_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
