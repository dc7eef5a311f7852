/* SPDX-License-Identifier: BSD-3-Clause */
/* What a record's measurements make of a verdict: the transport's test, and ceilings that were
 * measured before. */
#include <config.h>

#include "agent/why.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit.h"

/* Two ranks on two nodes: of a step of 100 ms 40 are compute and 55 wire. */
static struct record waiting(const struct result_transport *t)
{
    struct workload_result result = {.name = "w", .ranks = 2, .threads = 1};
    struct record_rank ranks[2] = {{.node = 0}, {.node = 1}};
    struct record r;

    record_init(&r);
    for (int i = 0; i < 2; i++) {
        struct record_node node = {.class_name = ""};
        snprintf(node.name, sizeof node.name, "n%d", i + 1);
        assert_true(record_add_node(&r, &node) == i);
        ranks[i].steady = (struct result_rank){.steps = 1000,
                                               .last = 0.5,
                                               .half_seconds = NAN,
                                               .lead_seconds = NAN,
                                               .produce_seconds = NAN};
        ranks[i].phase_seconds[PHASE_COMPUTE] = 40;
        ranks[i].throttled_seconds = NAN;
    }
    result.path = (struct result_path){
        .steps = 999, .period_seconds = 0.1, .compute_seconds = 0.045, .wire_seconds = 0.055};
    result.transport = *t;
    assert_int_equal(record_add_workload(&r, &result, ranks, 2), 0);
    return r;
}

static struct result_value about(double v)
{
    return (struct result_value){v, 0.95 * v, 1.05 * v};
}

/* A bucket of 1 MB in two phases. */
static struct result_transport test_of(double sum, double alpha, double rate)
{
    return (struct result_transport){
        .rounds = 9,
        .sum = {[RESULT_SUMS - 1] = {1e6, 2, about(sum)}},
        .alpha = about(alpha),
        .software = about(1e-5),
        .rate = about(rate),
        .n_links = 2,
        .links = 2,
        .link = {{1, 0, about(alpha), about(rate)}, {0, 1, about(alpha), about(10 * rate)}}};
}

static void the_transport_tells_bandwidth_from_latency(void **state)
{
    const struct result_transport none = {.rounds = 0};
    const struct {
        struct result_transport t;
        const char *cause;
    } cases[] = {
        {none, "network"},
        /* two phases of 0.5 MB at 20 MB/s are 50 of 55 ms */
        {test_of(0.055, 1e-4, 20e6), "network_bandwidth"},
        /* ... of 100: something else takes the rest, and nothing is said of it */
        {test_of(0.100, 1e-4, 20e6), "network"},
        /* two messages of 20 ms */
        {test_of(0.055, 20e-3, 1e9), "network_latency"},
        {test_of(0.055, 10e-3, 1e9), "network"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct record r = waiting(&cases[i].t);
        assert_int_equal(why_find(&r, 0, &(struct why_host){.cores = 1, .threads = 1}), 0);
        if (strcmp(r.workloads[0].why.cause, cases[i].cause) != 0)
            fail_msg("case %zu: %s, not %s", i, r.workloads[0].why.cause, cases[i].cause);
        record_fini(&r);
    }
}

/* What the buckets themselves say: it names bytes where the test says nothing, and never
 * messages. 0.25 MB at 20 MB/s are 12.5 ms. */
static void the_training_tells_bandwidth(void **state)
{
    const struct result_transport none = {.rounds = 0};
    const struct result_value wide = {20e6, 10e6, 60e6}, open = {20e6, 10e6, NAN};
    const struct {
        struct result_transport t;
        struct result_value alpha, rate;
        const char *cause;
    } cases[] = {
        {none, about(1e-3), about(20e6), "network_bandwidth"},
        {none, about(8e-3), about(20e6), "network"}, /* 60 % are bytes */
        {none, about(1e-1), about(20e6), "network"},
        {none, about(3e-3), wide, "network"}, /* perhaps 57 % */
        {none, about(1e-3), open, "network"},
        /* the test says latency: that stands */
        {test_of(0.055, 20e-3, 1e9), about(1e-3), about(20e6), "network_latency"},
        {test_of(0.100, 1e-4, 20e6), about(1e-3), about(20e6), "network_bandwidth"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct record r = waiting(&cases[i].t);
        r.workloads[0].ranks[1].steady.wire =
            (struct result_wire){100, 1e4, 0.25e6, cases[i].alpha, cases[i].rate};
        assert_int_equal(why_find(&r, 0, &(struct why_host){.cores = 1, .threads = 1}), 0);
        if (strcmp(r.workloads[0].why.cause, cases[i].cause) != 0)
            fail_msg("case %zu: %s, not %s", i, r.workloads[0].why.cause, cases[i].cause);
        record_fini(&r);
    }
}

static void add_ceiling(struct record *r, const char *what, const char *shape, const char *unit,
                        double median, uint64_t bytes)
{
    struct micro_row m = {
        .threads = 1, .slowest_rank = -1, .bytes = bytes, .median = measured(median)};

    snprintf(m.name, sizeof m.name, "machine");
    snprintf(m.what, sizeof m.what, "%s", what);
    snprintf(m.shape, sizeof m.shape, "%s", shape);
    snprintf(m.unit, sizeof m.unit, "%s", unit);
    snprintf(m.dtype, sizeof m.dtype, "%s", strcmp(unit, "B/s") == 0 ? "" : "f32");
    assert_true(record_add_micro(r, &m) >= 0);
}

/* A step that does not wait: a pool of 30 ms at least by its bytes, which takes `seconds`. */
static void what_memory_binds_is_memory(void **state)
{
    static const struct {
        double seconds;
        bool ceilings;
        const char *cause;
    } cases[] = {{0.05, true, "memory_bandwidth"}, /* 60 % */
                 {0.09, true, "kernels"},          /* 33 %, and three times its roof */
                 {0.05, false, "processor"}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct result_transport none = {.rounds = 0};
        struct record r = waiting(&none);
        struct workload_result *w = &r.workloads[0].result;
        const struct result_operator pool = {
            "p", "maxpool", "forward", "own", "f32", 10, 10 * cases[i].seconds, 0.05, 0, 0, 3e9};
        w->path.wire_seconds = 0;
        w->path.period_seconds = w->path.compute_seconds;
        w->profile = (struct result_profile){.steps = 10,
                                             .step_seconds = 1,
                                             .operators_seconds = 10 * cases[i].seconds,
                                             .n_operators = 1};
        w->operators = malloc(sizeof pool);
        assert_non_null(w->operators);
        memcpy(w->operators, &pool, sizeof pool);
        if (cases[i].ceilings) {
            add_ceiling(&r, "peak", "fma AVX-512", "FLOP/s", 100e9, 0);
            add_ceiling(&r, "triad", "DRAM", "B/s", 10e9, 400000000);
        }
        assert_int_equal(why_find(&r, 0, &(struct why_host){.cores = 1, .threads = 1}), 0);
        assert_string_equal(r.workloads[0].why.cause, cases[i].cause);
        record_fini(&r);
    }
}

/* A bucket that is ready when backward ends hides behind nothing of it. */
static void one_bucket_is_not_overlapped(void **state)
{
    static const struct {
        double lead;
        const char *pass, *cause;
    } cases[] = {{0.001, "data", "not_overlapped"},
                 {0.020, "data", "network"}, /* most of it was on its way */
                 {NAN, "data", "network"},
                 {0.001, "forward", "network"}, /* there is hardly a backward */
                 {0.001, "reduce", "network"}}; /* of batch norm's sums nothing is computed */

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct result_transport none = {.rounds = 0};
        struct record r = waiting(&none);
        struct workload_result *w = &r.workloads[0].result;
        struct result_operator conv = {"c", "conv", "", "own", "f32", 10, 0.3, 0.03, 0, 0, 3e8};
        snprintf(conv.pass, sizeof conv.pass, "%s", cases[i].pass);
        w->profile = (struct result_profile){
            .steps = 10, .step_seconds = 1, .operators_seconds = 0.3, .n_operators = 1};
        w->operators = malloc(sizeof conv);
        assert_non_null(w->operators);
        memcpy(w->operators, &conv, sizeof conv);
        for (int k = 0; k < 2; k++)
            r.workloads[0].ranks[k].steady.lead_seconds = cases[i].lead;
        assert_int_equal(why_find(&r, 0, &(struct why_host){.cores = 1, .threads = 1}), 0);
        if (strcmp(r.workloads[0].why.cause, cases[i].cause) != 0)
            fail_msg("case %zu: %s, not %s", i, r.workloads[0].why.cause, cases[i].cause);
        record_fini(&r);
    }
}

/* Sums inside the network that take most of the wait: batch norm's own, or queued behind the
 * gradients, whose bytes then take the wait at the link's rate. */
static void sums_inside_the_network(void **state)
{
    static const struct {
        double met, bytes;
        const char *cause;
    } cases[] = {
        {0.050, 1e5, "batch_norm"}, {0.050, 1e6, "network_bandwidth"}, {0.010, 1e5, "network"}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct result_transport t = test_of(0.100, 1e-4, 20e6);
        struct record r = waiting(&t);
        struct workload_result *w = &r.workloads[0].result;
        w->path.met_seconds = cases[i].met;
        w->profile = (struct result_profile){
            .steps = 10, .step_seconds = 1, .exchanged_bytes = (uint64_t)(10 * cases[i].bytes)};
        assert_int_equal(why_find(&r, 0, &(struct why_host){.cores = 1, .threads = 1}), 0);
        if (strcmp(r.workloads[0].why.cause, cases[i].cause) != 0)
            fail_msg("case %zu: %s, not %s", i, r.workloads[0].why.cause, cases[i].cause);
        record_fini(&r);
    }
}

/* Two ranks that wait for samples: what they measured of their loaders reaches the rule, none of
 * it as "not known". */
static void the_loader_tells_a_disk_from_latency_and_from_memory(void **state)
{
    static const struct {
        double read, cpu, inflate, find, gain, left;
        const char *cause;
    } cases[] = {
        {0.05, 0.002, 0.004, 0.001, NAN, 8e9, "storage"},
        {0.05, 0.002, 0.004, 0.001, 1.05, 8e9, "storage_bandwidth"},
        {0.05, 0.002, 0.004, 0.001, 1.9, 8e9, "storage_latency"},
        {0.05, 0.002, 0.004, 0.030, NAN, 8e9, "storage_latency"}, /* opening takes most of it */
        {0.05, 0.048, 0.004, 0.001, 1.05, 8e9, "input"},          /* its own CPU time */
        {0.01, 0.002, 0.050, 0.001, 1.05, 8e9, "decode"},
        {0.05, 0.002, 0.004, 0.001, NAN, 5e7, "memory_size"}, /* 100 MB in each epoch, 50 fit */
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct result_transport none = {.rounds = 0};
        struct record r = waiting(&none);
        struct workload_result *w = &r.workloads[0].result;
        w->path.wire_seconds = 0;
        w->path.input_seconds = 0.055;
        w->batch = 10;
        w->train_samples = 1000;
        w->sample_bytes = 100000;
        for (int k = 0; k < 2; k++) {
            struct result_rank *s = &r.workloads[0].ranks[k].steady;
            s->read_seconds = cases[i].read;
            s->read_cpu_seconds = cases[i].cpu;
            s->inflate_seconds = cases[i].inflate;
            s->find_seconds = cases[i].find;
            s->read_gain = cases[i].gain;
            s->file_bytes = 10 * 1000 * 100000.0 / 2; /* ten epochs, half of each */
        }
        const struct why_host host = {
            .cores = 1, .threads = 1, .node_memory = 1.6e10, .left = cases[i].left};
        assert_int_equal(why_find(&r, 0, &host), 0);
        if (strcmp(r.workloads[0].why.cause, cases[i].cause) != 0)
            fail_msg("case %zu: %s, not %s", i, r.workloads[0].why.cause, cases[i].cause);
        record_fini(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_transport_tells_bandwidth_from_latency),
        cmocka_unit_test(the_training_tells_bandwidth),
        cmocka_unit_test(sums_inside_the_network),
        cmocka_unit_test(one_bucket_is_not_overlapped),
        cmocka_unit_test(the_loader_tells_a_disk_from_latency_and_from_memory),
        cmocka_unit_test(what_memory_binds_is_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
