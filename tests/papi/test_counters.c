/* SPDX-License-Identifier: BSD-3-Clause */
/* The counters from a canned machine and from recorded ones. */
#include <config.h>

#include <grp.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "papi/counters.h"
#include "tests/papi/answers.h"
#include "tests/unit.h"

#define LIVE (1u << BACKEND_PAPI | 1u << BACKEND_PERF)

/* --- a canned machine --- */

struct canned {
    struct measure now[COUNTER_COUNT];
};

static struct measure canned(void *ctx, int i)
{
    return ((struct canned *)ctx)->now[i];
}

static struct counters *open_canned(struct canned *m)
{
    struct counters_options o = {.canned = canned, .canned_ctx = m};
    struct counters *c = counters_open(&o, NULL);

    assert_non_null(c);
    return c;
}

static void test_table(void **state)
{
    (void)state;
    for (int i = 0; i < COUNTER_COUNT; i++) {
        const struct counter_info *info = counters_info(i);

        assert_non_null(info);
        assert_true(info->name[0] && info->unit[0] && info->title[0] && info->backend[0]);
        for (int k = 0; k < i; k++)
            assert_string_not_equal(info->name, counters_info(k)->name);
        assert_non_null(counters_scope_name(info->scope));
    }
    assert_null(counters_info(-1));
    assert_null(counters_info(COUNTER_COUNT));
}

static void test_phases(void **state)
{
    struct canned m = {0};
    struct counters *c = open_canned(&m);
    const int io = COUNTER_io_read_bytes;

    (void)state;
    m.now[io] = measured(1000);
    assert_reason(counters_value(c, io, PHASE_COUNT), "no phase has ended");
    counters_phase(c, PHASE_STAGING);
    m.now[io] = measured(1100);
    counters_phase(c, PHASE_COMPUTE);
    m.now[io] = measured(1103);
    counters_phase(c, PHASE_COMPUTE); /* no border */
    assert_reason(counters_value(c, io, PHASE_COMPUTE), "not entered");
    counters_sample(c);
    m.now[io] = measured(1110);
    counters_phase(c, PHASE_EVALUATION);
    m.now[io] = measured(1115);
    counters_phase(c, PHASE_COMPUTE);
    m.now[io] = measured(1117);
    counters_stop(c);
    m.now[io] = measured(9999); /* between stop and the next phase: nobody's */
    counters_stop(c);
    counters_phase(c, PHASE_COMPUTE);
    m.now[io] = measured(10000);
    counters_stop(c);

    assert_value(counters_value(c, io, PHASE_STAGING), 100);
    assert_value(counters_value(c, io, PHASE_COMPUTE), 13);
    assert_value(counters_value(c, io, PHASE_EVALUATION), 5);
    assert_reason(counters_value(c, io, PHASE_CHECKPOINT), "not entered");
    assert_reason(counters_value(c, io, PHASE_INPUT_WAIT), "a part of training steps");
    assert_value(counters_value(c, io, PHASE_COUNT), 118);
    assert_answers(c);
    assert_int_equal(counters_cost(c).reads, 8);

    counters_reset(c);
    assert_reason(counters_value(c, io, PHASE_COMPUTE), "not entered");
    counters_phase(c, PHASE_COMPUTE);
    m.now[io] = measured(10001);
    counters_stop(c);
    assert_value(counters_value(c, io, PHASE_COUNT), 1);
    counters_close(c);
}

static void test_peak_and_level(void **state)
{
    struct canned m = {0};
    struct counters *c = open_canned(&m);
    struct measure *peak = &m.now[COUNTER_memory_peak_bytes],
                   *hz = &m.now[COUNTER_cpu_frequency_hz];

    (void)state;
    *peak = measured(10), *hz = measured(5);
    counters_phase(c, PHASE_STAGING);
    *peak = measured(30), *hz = measured(2);
    counters_phase(c, PHASE_COMPUTE);
    *peak = measured(20), *hz = measured(4);
    counters_stop(c);
    counters_phase(c, PHASE_COMPUTE);
    *peak = measured(15), *hz = measured(8);
    counters_stop(c);
    assert_value(counters_value(c, COUNTER_memory_peak_bytes, PHASE_STAGING), 30);
    assert_value(counters_value(c, COUNTER_memory_peak_bytes, PHASE_COMPUTE), 20);
    assert_value(counters_value(c, COUNTER_memory_peak_bytes, PHASE_COUNT), 30);
    assert_value(counters_value(c, COUNTER_cpu_frequency_hz, PHASE_STAGING), 2);
    assert_value(counters_value(c, COUNTER_cpu_frequency_hz, PHASE_COMPUTE), 6);
    assert_value(counters_value(c, COUNTER_cpu_frequency_hz, PHASE_COUNT), 14.0 / 3);
    counters_close(c);
}

/* A phase that lost a reading has no value; those before and after have. */
static void test_lost(void **state)
{
    struct canned m = {0};
    struct counters *c = open_canned(&m);
    struct measure *now = &m.now[COUNTER_instructions], back;

    (void)state;
    counters_phase(c, PHASE_STAGING);
    *now = measured(7);
    counters_phase(c, PHASE_COMPUTE);
    *now = unmeasured("the device fell off");
    counters_phase(c, PHASE_EVALUATION);
    *now = measured(9);
    counters_phase(c, PHASE_CHECKPOINT);
    *now = measured(12);
    counters_phase(c, PHASE_OTHER);
    *now = measured(4);
    counters_stop(c);
    assert_value(counters_value(c, COUNTER_instructions, PHASE_STAGING), 7);
    assert_reason(counters_value(c, COUNTER_instructions, PHASE_COMPUTE), "the device fell off");
    assert_reason(counters_value(c, COUNTER_instructions, PHASE_EVALUATION),
                  "could not be read where the phase began");
    assert_value(counters_value(c, COUNTER_instructions, PHASE_CHECKPOINT), 3);
    back = counters_value(c, COUNTER_instructions, PHASE_OTHER);
    assert_reason(back, "went backwards, from 12 to 4");
    assert_reason(counters_value(c, COUNTER_instructions, PHASE_COUNT), "the device fell off");
    assert_answers(c);
    /* A reason outlives the reset: the record is written at the end. */
    counters_reset(c);
    counters_phase(c, PHASE_OTHER);
    *now = unmeasured("something else");
    counters_stop(c);
    assert_reason(counters_value(c, COUNTER_instructions, PHASE_OTHER), "something else");
    assert_reason(back, "went backwards, from 12 to 4");
    counters_close(c);
}

/* --- several ranks --- */

static void test_combine(void **state)
{
    enum { RANKS = 4 };
    static struct counters_row rows[RANKS * COUNTER_COUNT];
    const enum phase p = PHASE_COMPUTE, later = PHASE_CHECKPOINT;
    static const double joules[RANKS] = {100, 101, 50, 50};
    struct canned m = {0};
    struct measure total;

    (void)state;
    for (int r = 0; r < RANKS; r++) {
        struct counters *c = open_canned(&m);
        struct counters_row *row = &rows[r * COUNTER_COUNT];

        for (int i = 0; i < COUNTER_COUNT; i++)
            m.now[i] = measured(0);
        counters_phase(c, p);
        m.now[COUNTER_instructions] = measured(1 << r);
        m.now[COUNTER_energy_package_joules] = measured(joules[r]);
        m.now[COUNTER_memory_peak_bytes] = measured(r == 2 ? 9 : r);
        m.now[COUNTER_cpu_frequency_hz] = measured(r);
        m.now[COUNTER_l3_misses] = r == 3 ? unmeasured("no PMU") : measured(1);
        counters_stop(c);
        if (r == 1) {
            counters_phase(c, later);
            m.now[COUNTER_instructions] = measured(100);
            counters_stop(c);
        }
        counters_export(c, row);
        counters_close(c);
        /* One machine plays two nodes, two ranks on each. */
        assert_int_equal(row[COUNTER_instructions].domain, 0);
        assert_int_not_equal(row[COUNTER_energy_package_joules].domain, 0);
        row[COUNTER_energy_package_joules].domain += (uint64_t)(r / 2);
    }
    assert_value(counters_combine(rows + COUNTER_instructions, COUNTER_COUNT, RANKS,
                                  COUNTER_instructions, p),
                 15);
    assert_value(counters_combine(rows + COUNTER_energy_package_joules, COUNTER_COUNT, RANKS,
                                  COUNTER_energy_package_joules, p),
                 151);
    assert_value(counters_combine(rows + COUNTER_memory_peak_bytes, COUNTER_COUNT, RANKS,
                                  COUNTER_memory_peak_bytes, p),
                 9);
    assert_value(counters_combine(rows + COUNTER_cpu_frequency_hz, COUNTER_COUNT, RANKS,
                                  COUNTER_cpu_frequency_hz, p),
                 1.5);
    assert_reason(
        counters_combine(rows + COUNTER_l3_misses, COUNTER_COUNT, RANKS, COUNTER_l3_misses, p),
        "not every rank");
    assert_value(
        counters_combine(rows + COUNTER_l3_misses, COUNTER_COUNT, RANKS - 1, COUNTER_l3_misses, p),
        3);
    assert_value(counters_combine(rows + COUNTER_instructions, COUNTER_COUNT, RANKS,
                                  COUNTER_instructions, later),
                 98);
    assert_reason(counters_combine(rows + COUNTER_instructions, COUNTER_COUNT, RANKS,
                                   COUNTER_instructions, PHASE_STAGING),
                  "no rank");
    assert_reason(
        counters_combine(rows + COUNTER_instructions, COUNTER_COUNT, 0, COUNTER_instructions, p),
        "no rank");
    total = counters_combine(rows + COUNTER_instructions, COUNTER_COUNT, RANKS,
                             COUNTER_instructions, PHASE_COUNT);
    assert_value(total, 15 + 98);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),          cmocka_unit_test(test_phases),
        cmocka_unit_test(test_peak_and_level), cmocka_unit_test(test_lost),
        cmocka_unit_test(test_combine),
    };

    return cmocka_run_group_tests_name("counters", tests, NULL, NULL);
}
