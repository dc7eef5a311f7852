/* SPDX-License-Identifier: BSD-3-Clause */
/* The PAPI back end on machines that a fake PAPI plays. */
#include <config.h>

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "papi/counters.h"
#include "tests/papi/fake_papi.h"
#include "tests/unit.h"

#define ALL_BUT_PAPI (((1u << BACKEND_COUNT) - 1) & ~(1u << BACKEND_PAPI))

/* A processor with a PMU. */
static const struct fake_machine whole = {
    .events = {{"PAPI_TOT_CYC", false, 1000},
               {"PAPI_TOT_INS", false, 2000},
               {"PAPI_SP_OPS", false, 64},
               {"PAPI_DP_OPS", false, 8},
               {"RETIRED_SSE_AVX_FLOPS:ANY", false, 72},
               {"PAPI_L3_TCM", false, 5},
               {"PAPI_BR_MSP", false, 3}},
};

static struct counters *open_fake(const struct fake_machine *m)
{
    struct counters_options o = {.off = ALL_BUT_PAPI};
    struct counters *c;

    fake = *m;
    c = counters_open(&o, NULL);
    assert_non_null(c);
    return c;
}

static void run(struct counters *c)
{
    counters_phase(c, PHASE_COMPUTE);
    counters_stop(c);
}

static void close_fake(struct counters *c)
{
    counters_close(c);
    assert_int_equal(fake_sets_alive(), 0);
    assert_int_equal(fake_misuses(), 0);
}

static void assert_counts(struct counters *c, int i, double value, const char *source)
{
    struct measure m = counters_value(c, i, PHASE_COMPUTE);

    if (m.reason)
        fail_msg("%s is null: %s", counters_info(i)->name, m.reason);
    assert_true(m.value == value);
    assert_string_equal(counters_source(c, i), source);
}

static void assert_off(struct counters *c, int i, const char *reason)
{
    struct measure m = counters_value(c, i, PHASE_COMPUTE);

    if (!m.reason)
        fail_msg("%s is %g", counters_info(i)->name, m.value);
    assert_string_equal(m.reason, reason);
}

static void test_whole(void **state)
{
    struct counters *c = open_fake(&whole);

    (void)state;
    run(c);
    assert_int_equal(fake_sets_running(), 1);
    assert_counts(c, COUNTER_cycles, 1000, "PAPI_TOT_CYC, user code, all threads");
    assert_counts(c, COUNTER_flop_single, 64, "PAPI_SP_OPS, user code, all threads");
    assert_counts(c, COUNTER_flop_any, 72, "RETIRED_SSE_AVX_FLOPS:ANY, user code, all threads");
    assert_true(counters_ratio(c, COUNTER_cycles) == 1);
    assert_off(c, COUNTER_perf_task_clock_seconds, "turned off");
    close_fake(c);
}

/* Listed is not counted: what cannot be started is left to the next name. */
static void test_fallback(void **state)
{
    struct fake_machine m = {.events = {{"PAPI_TOT_CYC", true, 1},
                                        {"perf::PERF_COUNT_HW_CPU_CYCLES", false, 7},
                                        {"PAPI_TOT_INS", true, 1}}};
    struct counters *c = open_fake(&m);

    (void)state;
    run(c);
    assert_counts(c, COUNTER_cycles, 7, "perf::PERF_COUNT_HW_CPU_CYCLES, user code, all threads");
    assert_off(c, COUNTER_instructions, "PAPI cannot count PAPI_TOT_INS: fake error -7");
    assert_off(c, COUNTER_flop_single, "PAPI cannot count PAPI_SP_OPS: fake error -7");
    close_fake(c);
}

static void test_multiplex(void **state)
{
    struct fake_machine m = whole;
    struct counters *c;

    (void)state;
    m.slots = 4;
    m.enabled = 200;
    m.running = 50;
    c = open_fake(&m);
    run(c);
    assert_counts(c, COUNTER_branch_misses, 3, "PAPI_BR_MSP, user code, all threads, multiplexed");
    if (isnan(counters_ratio(c, COUNTER_cycles)))
        print_message("not checked: no perf events here, so the ratio is unknown\n");
    else
        assert_true(counters_ratio(c, COUNTER_cycles) == 0.25);
    close_fake(c);
}

/* What does not fit even so is off, and the rest counts. */
static void test_too_many(void **state)
{
    struct fake_machine m = whole;
    struct counters *c;

    (void)state;
    m.slots = 2;
    m.multiplexed_slots = 6;
    c = open_fake(&m);
    run(c);
    assert_off(c, COUNTER_branch_misses,
               "PAPI cannot count PAPI_BR_MSP beside the others: fake error -8");
    assert_counts(c, COUNTER_l3_misses, 5, "PAPI_L3_TCM, user code, all threads, multiplexed");
    close_fake(c);

    m.refuse_multiplex = true;
    c = open_fake(&m);
    run(c);
    assert_counts(c, COUNTER_instructions, 2000, "PAPI_TOT_INS, user code, all threads");
    assert_off(c, COUNTER_flop_single,
               "PAPI cannot count PAPI_SP_OPS beside the others: fake error -8");
    close_fake(c);
}

static int pipes[2];

static void *wait_for_close(void *arg)
{
    char byte;

    (void)arg;
    if (read(pipes[0], &byte, 1) != 0)
        return arg;
    return NULL;
}

/* Without inheriting, threads get their set at the next border. */
static void test_no_inherit(void **state)
{
    struct fake_machine m = whole;
    struct counters *c;
    pthread_t t;

    (void)state;
    m.refuse_inherit = true;
    c = open_fake(&m);
    assert_int_equal(pipe(pipes), 0);
    counters_phase(c, PHASE_COMPUTE);
    assert_int_equal(fake_sets_running(), 1);
    assert_int_equal(pthread_create(&t, NULL, wait_for_close, NULL), 0);
    counters_sample(c);
    assert_int_equal(fake_sets_running(), 2);
    counters_stop(c);
    close(pipes[1]);
    pthread_join(t, NULL);
    close(pipes[0]);
    /* 2 reads after the first of one thread, 2 of the other. */
    assert_counts(c, COUNTER_cycles, 4000, "PAPI_TOT_CYC, user code, threads as found at borders");
    close_fake(c);
}

static void test_refusals(void **state)
{
    struct fake_machine m = whole;
    struct counters *c;

    (void)state;
    m.refuse_attach = true;
    c = open_fake(&m);
    run(c);
    assert_off(c, COUNTER_cycles, "PAPI cannot count this process: fake error -15");
    close_fake(c);

    m = whole;
    m.fail_read = true;
    c = open_fake(&m);
    run(c);
    assert_off(c, COUNTER_cycles, "PAPI cannot read PAPI_TOT_CYC: fake error -3");
    close_fake(c);

    m = whole;
    m.version = 1;
    c = open_fake(&m);
    assert_off(c, COUNTER_cycles,
               "PAPI does not start: the library is of another version than its header");
    close_fake(c);

    m.version = -6;
    c = open_fake(&m);
    assert_off(c, COUNTER_flop_any, "PAPI does not start: fake error -6");
    close_fake(c);

    m = whole;
    m.no_component = true;
    c = open_fake(&m);
    assert_off(c, COUNTER_cycles, "PAPI was built without its perf_event component");
    close_fake(c);

    m = whole;
    m.disabled = "no default PMU found";
    c = open_fake(&m);
    run(c);
    assert_off(c, COUNTER_cycles, "PAPI's perf_event component is off: no default PMU found");
    close_fake(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole),      cmocka_unit_test(test_fallback),
        cmocka_unit_test(test_multiplex),  cmocka_unit_test(test_too_many),
        cmocka_unit_test(test_no_inherit), cmocka_unit_test(test_refusals),
    };

    return cmocka_run_group_tests_name("PAPI back end", tests, NULL, NULL);
}
