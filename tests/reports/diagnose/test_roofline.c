/* SPDX-License-Identifier: BSD-3-Clause */
/* Rooflines from a record's rows: roofs, floors, what lies above them. */
#include <config.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

#include "reports/diagnose/memory_bound.h"
#include "reports/diagnose/roofline.h"
#include "reports/diagnose/roofline_judge.h"
#include "reports/record/fields.h"

#define ROW(what, shape, dtype, unit, median, bytes, threads)                                      \
    "{\"name\":\"machine\",\"what\":\"" what "\",\"shape\":\"" shape "\",\"dtype\":" dtype         \
    ",\"unit\":\"" unit "\",\"median\":" #median ",\"bytes\":" #bytes ",\"threads\":" #threads     \
    ",\"status\":\"OK\"}"

static const char text[] = "{\"micro\":["
    /* of one thread: half of what the level holds */
    ROW("fma", "AVX-512", "\"f32\"", "FLOP/s", 100e9, 0, 1) "," ROW(
        "convolution", "128", "\"f32\"", "FLOP/s", 80e9, 0,
        1) "," ROW("peak", "fma AVX-512", "\"f32\"", "FLOP/s", 100e9, 0,
                   1) "," ROW("copy", "L1", "null", "B/s", 200e9, 16000,
                              1) "," ROW("triad", "L1", "null", "B/s", 150e9, 16000,
                                         1) "," ROW("triad", "L2", "null", "B/s", 80e9, 500000,
                                                    1) "," ROW("copy", "DRAM", "null", "B/s", 9e9,
                                                               400000000,
                                                               1) "," ROW("triad",
                                                                          "DRAM non-temporal",
                                                                          "null", "B/s", 10e9,
                                                                          400000000, 1) ","
    /* of two, which are not asked for */
    ROW("peak", "fma AVX-512", "\"f32\"", "FLOP/s", 190e9, 0,
        2) ","
           /* a wrong number is no roof */
           "{\"name\":\"machine\",\"what\":\"copy\",\"shape\":\"L2\",\"unit\":\"B/"
           "s\",\"median\":1e15,"
           "\"bytes\":500000,\"threads\":1,\"status\":\"FAULTY\"},"
           "{\"name\":\"allreduce\",\"what\":\"window\",\"bytes\":1048576,\"status\":\"OK\","
           "\"algbw_bytes_per_second\":2e9},"
           "{\"name\":\"allreduce\",\"what\":\"mail\",\"bytes\":1048576,\"status\":\"OK\","
           "\"algbw_bytes_per_second\":1e9},"
           "{\"name\":\"allreduce\",\"what\":\"window\",\"bytes\":4096,\"status\":\"OK\","
           "\"algbw_bytes_per_second\":5e9},"
           "{\"name\":\"read\",\"what\":\"sequential\",\"shape\":\"raw\",\"unit\":\"B/s\","
           "\"median\":5e8,\"status\":\"OK\"},"
           "{\"name\":\"gemm\",\"dtype\":\"f32\",\"unit\":\"FLOP/s\",\"median\":50e9,\"flop\":1e9,"
           "\"bytes\":1000000,\"threads\":1,\"status\":\"OK\"}"
           "],\"workloads\":[{\"name\":\"net\",\"dtype\":\"f32\",\"ranks\":2,\"threads\":1,"
           "\"batch\":8,"
           "\"data\":{\"sample_bytes\":100000},"
           "\"profile\":{\"steps\":10,\"step_seconds\":2,\"exchanged_bytes\":9000000,"
           "\"operators\":["
           "{\"name\":\"c\",\"pass\":\"forward\",\"dtype\":\"f32\",\"calls\":10,\"seconds\":1,"
           "\"flop\":99e9,\"needed_flop\":80e9,\"bytes\":1e8},"
           "{\"name\":\"p\",\"pass\":\"forward\",\"dtype\":\"f32\",\"calls\":10,\"seconds\":0.5,"
           "\"flop\":0,\"needed_flop\":0,\"bytes\":3e9}],"
           "\"others\":{\"operators\":1,\"calls\":10,\"seconds\":0.1,\"flop\":11e9,\"needed_flop\":"
           "10e9,\"bytes\":9e8}}}"
           "]}";

static cJSON *doc;

/* ---- how much memory binds ---- */

/* Operators of a step: 1e6 bytes take 12.1 us, of L2 but L1's part, FLOP of a convolution 80e9 a second. */
struct op {
    const char *op;
    double flop, bytes, seconds; /* of a call */
};

static struct memory_bound bound_of(const struct op *ops, int n, double others, const char *more)
{
    char work[2048];
    int at = snprintf(work, sizeof work,
                      "{\"threads\":1,%s\"profile\":{\"steps\":1,\"others\":{\"seconds\":%g},"
                      "\"operators\":[",
                      more, others);

    for (int i = 0; i < n; i++)
        at += snprintf(work + at, sizeof work - (size_t)at,
                       "%s{\"op\":\"%s\",\"dtype\":\"f32\",\"calls\":2,\"seconds\":%.9g,"
                       "\"needed_flop\":%.9g,\"bytes\":%.9g}",
                       i ? "," : "", ops[i].op, 2 * ops[i].seconds, 2 * ops[i].flop,
                       2 * ops[i].bytes);
    snprintf(work + at, sizeof work - (size_t)at, "]}}");
    cJSON *w = cJSON_Parse(work);
    assert_non_null(w);
    const struct memory_bound m = memory_bound(doc, w);
    cJSON_Delete(w);
    return m;
}

static void near(double a, double b)
{
    if (!(fabs(a - b) < 1e-6))
        fail_msg("%.9g, not %.9g", a, b);
}

static void memory_has_a_lower_and_an_upper_bound(void **state)
{
    const double t_m = (1e6 - 32000) / 80e9;
    const struct {
        struct op op;
        double low, high, slow; /* of its time */
    } cases[] = {
        {{"pool", 0, 1e6, 20e-6}, t_m / 20e-6, 1, 0},
        {{"pool", 0, 1e6, 30e-6}, t_m / 30e-6, 1, 1},
        {{"pool", 0, 1e6, 10e-6}, 1, 1, 0},     /* faster than the roof */
        {{"dense", 2e6, 1e6, 21e-6}, 0, 1, 0},  /* 20 us of FLOP: near the ridge */
        {{"dense", 3e6, 1e6, 31e-6}, 0, 0, 0},  /* 30 us */
        {{"conv", 1.1e6, 1e6, 15e-6}, 0, 1, 0}, /* 13.75 us by its own peak, 11 by fma's */
        {{"dense", 1.1e6, 1e6, 15e-6}, t_m / 15e-6, 1, 0},
        {{"dense", 3e6, 1e6, 61e-6}, 0, 0, 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct memory_bound one = bound_of(&cases[i].op, 1, 0, "");
        assert_string_equal(one.why, "");
        near(one.low, cases[i].low);
        near(one.high, cases[i].high);
        near(one.slow, cases[i].slow);
        /* as much time without a row of its own: no roof */
        const struct memory_bound half = bound_of(&cases[i].op, 1, 2 * cases[i].op.seconds, "");
        near(half.low, cases[i].low / 2);
        near(half.high, (cases[i].high + 1) / 2);
        near(half.slow, cases[i].slow / 2);
    }
}

/* At half the threads what the processor binds takes twice as long. */
static void half_the_threads_must_agree(void **state)
{
    static const struct op pool = {"pool", 0, 1e6, 20e-6}; /* 60.5 to 100 % */
    char more[256];

    (void)state;
    for (double share = 0; share < 1.01; share += 0.1) {
        const double own = 0.8, longer = own * (1 - share); /* of a step */
        snprintf(more, sizeof more,
                 "\"path\":{\"period_seconds\":1,\"compute_seconds\":%g},\"ablation\":{\"arms\":["
                 "{\"name\":\"half_threads\",\"gain\":%g}]},",
                 own, -longer);
        const struct memory_bound m = bound_of(&pool, 1, 0, more);
        if (share > 0.505) {
            assert_string_equal(m.why, "");
            near(m.low, 0.605);
            near(m.halved, share);
        } else {
            assert_true(isnan(m.low) && isnan(m.high) && isnan(m.slow));
            assert_memory_equal(m.why, "not established: half the threads say ", 38);
        }
    }
}

static void without_ceilings_nothing_is_said(void **state)
{
    static const struct op pool = {"pool", 0, 1e6, 20e-6};
    cJSON *none = cJSON_Parse("{}"), *with = doc;

    (void)state;
    doc = none;
    struct memory_bound m = bound_of(&pool, 1, 0, "");
    doc = with;
    assert_true(isnan(m.low));
    assert_memory_equal(m.why, "the record has no ceilings", 26);
    m = bound_of(NULL, 0, 1, "");
    assert_string_equal(m.why, "the profile has no operators");
    m = memory_bound(doc, none);
    assert_string_equal(m.why, "the run has no profile of its steps");
    cJSON_Delete(none);
}

static int parse(void **state)
{
    (void)state;
    doc = cJSON_Parse(text);
    return doc ? 0 : -1;
}

static int forget(void **state)
{
    (void)state;
    cJSON_Delete(doc);
    return 0;
}

static void test_roofs(void **state)
{
    struct roofline r;

    (void)state;
    roofline_read(&r, doc, 1);
    assert_string_equal(r.why, "");
    assert_true(roofline_peak_of(&r, "f32") == 100e9);
    assert_true(roofline_peak_of(&r, "bf16") == 0);
    assert_true(r.peak[0].convolution == 80e9);
    assert_int_equal(r.n_levels, 3);
    assert_true(r.level[0].bandwidth == 200e9 && r.level[0].bytes == 32000);
    assert_string_equal(r.level[0].kernel, "copy L1");
    assert_true(r.level[1].bandwidth == 80e9 && r.level[1].bytes == 1e6);
    assert_true(r.level[2].bandwidth == 10e9 && isinf(r.level[2].bytes));
    assert_string_equal(r.level[2].kernel, "triad DRAM non-temporal");

    roofline_read(&r, doc, 2); /* a peak, and no memory */
    assert_non_null(strstr(r.why, "no ceilings for 2 threads; use the same threads="));
    cJSON *empty = cJSON_Parse("{\"micro\":[]}");
    roofline_read(&r, empty, 1);
    assert_non_null(strstr(r.why, "run machine+WORKLOAD"));
    cJSON_Delete(empty);
}

/* What fits a level has its bandwidth; what does not finds the level's size of it
 * there, and the rest below: no step from one to the other, never below the lower. */
static void test_bandwidth(void **state)
{
    struct roofline r;
    int level;
    double last = INFINITY;

    (void)state;
    roofline_read(&r, doc, 1);
    assert_true(roofline_bandwidth(&r, 100, &level) == 200e9 && level == 0);
    assert_true(roofline_bandwidth(&r, 32000, &level) == 200e9 && level == 0);
    /* 64 kB: 32 kB at 200 GB/s, while 32 kB come at 80 GB/s */
    assert_float_equal(roofline_bandwidth(&r, 64000, &level), 160e9, 1);
    assert_int_equal(level, 1);
    assert_float_equal(roofline_bandwidth(&r, 1e9, &level), 1e9 / ((1e9 - 1e6) / 10e9), 1e3);
    assert_int_equal(level, 2);
    for (double b = 1000; b < 1e10; b *= 1.1) {
        double v = roofline_bandwidth(&r, b, &level);
        if (level == 2) {
            assert_true(v <= last * (1 + 1e-12) || last == INFINITY);
            last = v;
        }
        assert_true(v >= r.level[level].bandwidth * (1 - 1e-12));
        assert_true(level == 0 || v <= r.level[0].bandwidth);
    }
    r.n_levels = 2; /* DRAM was not measured */
    assert_true(isnan(roofline_bandwidth(&r, 1e9, &level)) && level == -1);
}

static void test_points(void **state)
{
    struct roofline r;

    (void)state;
    roofline_read(&r, doc, 1);
    /* 1 GFLOP, 1 kB in L1: 10 ms of computing; took 20 */
    struct roofline_point p =
        roofline_point(&r, &(struct roofline_work){"f32", 1e9, 1000, 0.02, 0});
    assert_float_equal(p.floor, 0.01, 1e-9);
    assert_float_equal(p.share, 0.5, 1e-9);
    assert_true(!p.memory && !p.above && p.level == 0 && p.intensity == 1e6);
    /* 20 GB of DRAM: 2 s */
    p = roofline_point(&r, &(struct roofline_work){"f32", 1e9, 20e9, 2.5, 0});
    assert_true(p.memory && p.level == 2);
    assert_float_equal(p.share, 0.8, 1e-3);
    assert_float_equal(p.bandwidth, 8e9, 1);
    /* no more than the grace above, and more */
    assert_false(roofline_point(&r, &(struct roofline_work){"f32", 1e9, 10, 0.0096, 0}).above);
    assert_true(roofline_point(&r, &(struct roofline_work){"f32", 1e9, 10, 0.0094, 0}).above);
    /* no roof of its precision */
    p = roofline_point(&r, &(struct roofline_work){"bf16", 1e9, 10, 0.001, 0});
    assert_true(isnan(p.share) && !p.above && p.flops == 1e12);
    /* but one that multiplies nothing needs none */
    p = roofline_point(&r, &(struct roofline_work){"bf16", 0, 1e6, 1, 0});
    assert_true(p.share > 0 && p.intensity == 0);
    assert_true(isnan(roofline_point(&r, &(struct roofline_work){"f32", 1, 1, 0, 0}).share));
}

static void test_steps(void **state)
{
    const cJSON *w = json_at(doc, "workloads[0]");
    struct roofline_work work;
    struct roofline r;

    (void)state;
    struct roofline_step s = roofline_step(doc, w);
    assert_float_equal(s.work.flop, 9e9, 1);
    assert_float_equal(s.work.bytes, 4e8, 1);
    assert_float_equal(s.work.seconds, 0.2, 1e-12);
    assert_float_equal(s.work.set, 3e8, 1); /* of one operator */
    assert_float_equal(s.exchanged_bytes, 9e5, 0);
    assert_float_equal(s.exchange_rate, 2e9, 0); /* nearest size, best way */
    assert_string_equal(s.exchange_source, "allreduce window of 1048576 B");
    assert_float_equal(s.read_bytes, 4e5, 0);
    assert_float_equal(s.read_rate, 5e8, 0);

    roofline_read(&r, doc, 1);
    /* c: 8 GFLOP at 100 GFLOP/s; p: 3e8 B, all but 1 MB of it from DRAM */
    assert_float_equal(roofline_floor(&r, w), 0.08 + (3e8 - 1e6) / 10e9, 1e-6);

    assert_true(roofline_micro(json_at(doc, "micro[14]"), 1, &work));
    assert_float_equal(work.seconds, 0.02, 1e-12);
    assert_false(roofline_micro(json_at(doc, "micro[14]"), 2, &work));
    assert_false(roofline_micro(json_at(doc, "micro[0]"), 1, &work));
    assert_false(roofline_micro(json_at(doc, "micro[10]"), 1, &work));
}

static void add_ceiling(struct record *r, const char *what, const char *shape, const char *unit,
                        double median, uint64_t bytes)
{
    struct micro_row m = {.name = "machine",
                          .threads = 1,
                          .slowest_rank = -1,
                          .bytes = bytes,
                          .median = measured(median)};
    double sample = median;

    m.samples = &sample;
    m.n_samples = 1;
    snprintf(m.what, sizeof m.what, "%s", what);
    snprintf(m.shape, sizeof m.shape, "%s", shape);
    snprintf(m.unit, sizeof m.unit, "%s", unit);
    snprintf(m.dtype, sizeof m.dtype, "%s", strcmp(unit, "B/s") == 0 ? "" : "f32");
    assert_true(record_add_micro(r, &m) >= 0);
}

/* A run of machine and a network of two operators: 8 GFLOP in 0.1 s, 300 MB in 0.05 s. */
static void make_run(struct record *r, double peak, bool with_steps)
{
    static const struct result_operator of[] = {
        {"c", "conv", "forward", "own", "f32", 10, 1, 0.1, 99e9, 80e9, 1e8},
        {"p", "maxpool", "forward", "own", "f32", 10, 0.5, 0.05, 0, 0, 3e9}};
    struct workload_result w = {.name = "net", .dtype = "f32", .ranks = 1, .threads = 1};

    record_init(r);
    add_ceiling(r, "peak", "fma AVX-512", "FLOP/s", peak, 0);
    add_ceiling(r, "triad", "DRAM", "B/s", 10e9, 400000000);
    if (with_steps) {
        w.profile = (struct result_profile){
            .steps = 10, .step_seconds = 2, .operators_seconds = 1.5, .n_operators = 2};
        w.operators = malloc(sizeof of);
        assert_non_null(w.operators);
        memcpy(w.operators, of, sizeof of);
    }
    assert_true(record_add_workload(r, &w, NULL, 0) >= 0);
}

/* What a run is told at its end, and its record keeps. */
static void test_judge(void **state)
{
    static const struct {
        double peak;
        bool with_steps;
        struct record_roofline want;
        const char *said;
    } rows[] = {
        /* of 1.5 s the pool's 0.3 of bytes at least, its 0.5 at most */
        {100e9, true, {3, 0, true, 0.55, 0.3 / 1.5, 0.5 / 1.5, 0, ""}, ""},
        {70e9,
         true,
         {3, 1, false, (8. / 7 + 0.3) / 2, 0.3 / 1.5, 0.5 / 1.5, 0, ""},
         "the roofline is not valid: 1 point is more than 5 % above"},
        {0, true, {1, 0, true, NAN, NAN, NAN, NAN, ""}, ""},
        {100e9, false, {.points = 0}, ""},
    };
    struct record r;
    char said[320];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        make_run(&r, rows[i].peak, rows[i].with_steps);
        assert_int_equal(roofline_judge(&r, said, sizeof said), 0);
        const struct record_roofline *got = &r.workloads[0].roofline, *want = &rows[i].want;
        assert_int_equal(got->points, want->points);
        assert_int_equal(got->above, want->above);
        assert_true(got->valid == want->valid);
        assert_true(isnan(want->share) ? isnan(got->share) : fabs(got->share - want->share) < 1e-9);
        assert_true(isnan(want->memory_low) == isnan(got->memory_low));
        if (!isnan(want->memory_low)) {
            near(got->memory_low, want->memory_low);
            near(got->memory_high, want->memory_high);
            near(got->slow, want->slow);
        }
        assert_int_equal(strncmp(said, rows[i].said, strlen(rows[i].said)), 0);
        assert_true((said[0] == '\0') == (rows[i].said[0] == '\0'));
        record_fini(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_has_a_lower_and_an_upper_bound),
        cmocka_unit_test(half_the_threads_must_agree),
        cmocka_unit_test(without_ceilings_nothing_is_said),
        cmocka_unit_test(test_roofs),
        cmocka_unit_test(test_bandwidth),
        cmocka_unit_test(test_points),
        cmocka_unit_test(test_steps),
        cmocka_unit_test(test_judge),
    };

    return cmocka_run_group_tests(tests, parse, forget);
}
