/* SPDX-License-Identifier: BSD-3-Clause */
/* What `show` says of a run, and how it writes numbers. */
#include <config.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "reports/tools/show_text.h"
#include "reports/tools/show_verdict.h"
#include "tests/unit.h"

static cJSON *parse(const char *text)
{
    cJSON *doc = cJSON_Parse(text);

    assert_non_null(doc);
    return doc;
}

static void test_verdict(void **state)
{
    static const struct {
        const char *workload, *verdict;
    } cases[] = {
        {"{\"quality\": {\"metric\": \"mae\", \"target\": 0.34, \"achieved\": 0.31,"
         " \"higher_is_better\": false, \"epochs_to_target\": 3}}",
         "reached mae 0.31 (target 0.34) in epoch 3"},
        {"{\"quality\": {\"metric\": \"auc\", \"target\": 0.9, \"achieved\": 0.8,"
         " \"higher_is_better\": true, \"epochs_to_target\": null,"
         " \"baseline_domain\": {\"name\": \"cuts\", \"value\": 0.85}}}",
         "NOT reached auc 0.8 (target 0.9); worse than cuts (0.85)"},
        {"{\"quality\": {\"metric\": \"auc\", \"target\": 0.9, \"achieved\": 0.91,"
         " \"higher_is_better\": true, \"epochs_to_target\": 1,"
         " \"baseline_domain\": {\"name\": \"cuts\", \"value\": 0.85}}}",
         "reached auc 0.91 (target 0.9) in epoch 1"},
        {"{\"status\": \"crashed\", \"quality\": {\"metric\": null}}",
         "crashed: no quality was measured"},
        {"{\"status\": \"partial\", \"phases\": {\"staging\": {\"median_seconds\": 3},"
         " \"compute\": {\"median_seconds\": 1}}}",
         "stopped early: no quality was measured; 75 % of the time was"
         " staging"},
        /* 30 of 2 ranks x 4 threads x 10 s */
        {"{\"ranks\": 2, \"threads\": 4, \"wall_seconds\": 10, \"counters\": {\"cpu_user_seconds\":"
         " {\"total\": 20}, \"cpu_system_seconds\": {\"total\": 10}}}",
         "no quality was measured; starved: its threads had a CPU for 38 %"
         " of the time"},
        {"{\"ranks\": 1, \"threads\": 1, \"wall_seconds\": 10, \"counters\": {\"cpu_user_seconds\":"
         " {\"total\": 9}, \"cpu_system_seconds\": {\"total\": 1}}}",
         "no quality was measured"},
        {"{}", "no quality was measured"},
    };
    char text[512], small[16];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cJSON *w = parse(cases[i].workload);
        verdict_text(w, text, sizeof text);
        assert_string_equal(text, cases[i].verdict);
        verdict_text(w, small, sizeof small);
        assert_int_equal(strlen(small), 15);
        cJSON_Delete(w);
    }
}

static void test_shares(void **state)
{
    cJSON *w = parse("{\"phases\": {\"compute\": {\"median_seconds\": 9}, \"input_wait\":"
                     " {\"median_seconds\": 1}, \"exposed_allreduce\": {\"median_seconds\": 90}},"
                     " \"performance\": {\"flop_per_second\": 10, \"vflops\": {\"n5\": 11}}}");
    cJSON *none = parse("{}");
    double part;

    (void)state;
    assert_true(fabs(verdict_au(w) - 0.9) < 1e-12); /* the wait for gradients is not input */
    assert_string_equal(verdict_longest(w, &part), "exposed_allreduce");
    assert_true(fabs(part - 0.9) < 1e-12);
    assert_string_equal(verdict_vflops(w),
                        "more than FLOP/s: the quality is better than its target");
    cJSON_SetNumberValue(
        cJSON_GetObjectItem(cJSON_GetObjectItem(cJSON_GetObjectItem(w, "performance"), "vflops"),
                            "n5"),
        9);
    assert_string_equal(verdict_vflops(w),
                        "less than FLOP/s: the quality is worse than its target");
    assert_true(isnan(verdict_au(none)));
    assert_true(isnan(verdict_cpu_share(none)));
    assert_null(verdict_longest(none, &part));
    assert_string_equal(verdict_vflops(none), "");
    cJSON_Delete(w);
    cJSON_Delete(none);
}

static void test_reasons(void **state)
{
    cJSON *doc =
        parse("{\"status\": \"killed\", \"a\": \"x\", \"b\": \"y\", \"c\": \"y\", \"d\": \"y\","
              " \"e\": \"y\", \"f\": \"y\", \"g\": 3, \"valid\": \"no\"}");
    int groups, values;
    struct reason_group *g = verdict_reasons(doc, &groups, &values);

    (void)state;
    assert_int_equal(groups, 2);
    assert_int_equal(values, 6);
    assert_string_equal(g[0].reason, "y");
    assert_int_equal(g[0].n, 5);
    assert_string_equal(g[0].paths[0], "b");
    assert_string_equal(g[0].paths[VERDICT_PATHS - 1], "e");
    assert_string_equal(g[1].reason, "x");
    assert_int_equal(g[1].n, 1);
    free(g);
    g = verdict_reasons(NULL, &groups, &values);
    assert_int_equal(groups + values, 0);
    free(g);
    cJSON_Delete(doc);
}

/* The nearest of what is shown, and never 60 s or 60 min. */
static void test_durations(void **state)
{
    static const struct {
        double seconds;
        const char *text;
    } cases[] = {{0, "0.00 s"},          {0.0042, "4.2 ms"},
                 {0.5, "500 ms"},        {9.94, "9.94 s"},
                 {9.96, "10.0 s"},       {119.94, "119.9 s"},
                 {119.96, "2 min 0 s"},  {131.9, "2 min 12 s"},
                 {179.6, "3 min 0 s"},   {7199.4, "119 min 59 s"},
                 {7199.6, "2 h 0 min"},  {7229, "2 h 0 min"},
                 {10799.9, "3 h 0 min"}, {NAN, "-"},
                 {INFINITY, "-"}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(show_duration(cases[i].seconds).text, cases[i].text);
    assert_string_equal(show_si(999.6, "B").text, "1.00 kB");
    assert_string_equal(show_si(12.9e9, "FLOP/s").text, "12.9 GFLOP/s");
    assert_string_equal(show_si(NAN, "B").text, "-");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_verdict),
        cmocka_unit_test(test_shares),
        cmocka_unit_test(test_reasons),
        cmocka_unit_test(test_durations),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
