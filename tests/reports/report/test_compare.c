/* SPDX-License-Identifier: BSD-3-Clause */
/* Comparisons of records that are written by hand: means, orders, targets, what is said. */
#include <config.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cjson/cJSON.h>

#include "reports/report/compare.h"
#include "reports/report/compare_show.h"
#include "tests/unit.h"

static void near(double a, double b)
{
    assert_true(fabs(a - b) < 1e-6 * fabs(b) + 1e-12);
}

/* One run of one training, target 0.5; fields of 0 are as they are written here. */
struct made {
    double speed, seconds, flops, achieved;
    bool failed, lower, no_baseline;
    const char *epochs; /* rows of its learning curve */
};

static cJSON *record_of(const struct made *m)
{
    char text[1024];

    snprintf(text, sizeof text,
             "{\"id\":\"r\",\"valid\":true,\"system\":{\"node_count\":2},\"workloads\":[{\"name\":"
             "\"hep\",\"class\":\"tiny\",\"dtype\":\"f32\",\"valid\":%s,\"quality\":{"
             "\"higher_is_better\":%s,\"target\":0.5,\"achieved\":%.17g,\"baseline\":%s,"
             "\"epochs_to_target\":%d},\"performance\":{\"samples_per_second\":%.17g,"
             "\"flop_per_second\":%.17g,\"time_to_quality_seconds\":%.17g},\"epochs\":[%s]}]}",
             m->failed ? "false" : "true", m->lower ? "false" : "true",
             m->achieved ? m->achieved : 0.5,
             m->no_baseline ? "null"
             : m->lower     ? "0.7"
                            : "0.3",
             m->failed ? 0 : 3, m->speed ? m->speed : 1, m->flops ? m->flops : 1,
             m->seconds ? m->seconds : 1, m->epochs ? m->epochs : "");
    cJSON *doc = cJSON_Parse(text);
    assert_non_null(doc);
    return doc;
}

/* Sides of runs each, the first row first; a row of runs ends at one without a speed. */
enum { SIDES = 3, RUNS = 3 };

struct stage {
    struct side sides[SIDES];
    struct comparison c;
    struct compared row;
    cJSON *docs[SIDES * RUNS];
    int n_docs;
};

static void set_up(struct stage *s, const struct made (*runs)[RUNS], int n, bool bonus)
{
    static const char *const names[] = {"A", "B", "C"};
    struct err e = ERR_INIT;

    *s = (struct stage){.c = {.n = n, .bonus = bonus}};
    for (int i = 0; i < n; i++) {
        s->sides[i] = (struct side){names[i], calloc(1, sizeof *s->sides[i].book)};
        assert_non_null(s->sides[i].book);
        for (int k = 0; k < RUNS && runs[i][k].speed > 0; k++) {
            s->docs[s->n_docs] = record_of(&runs[i][k]);
            assert_int_equal(book_add(s->sides[i].book, s->docs[s->n_docs++], &e), 0);
        }
        book_close(s->sides[i].book);
        s->c.sides[i] = s->sides[i];
    }
    compare_group(s->sides, n, &s->sides[0].book->groups[0], bonus, &s->row);
}

static void tear_down(struct stage *s)
{
    for (int i = 0; i < s->c.n; i++)
        free(s->sides[i].book);
    for (int i = 0; i < s->n_docs; i++)
        cJSON_Delete(s->docs[i]);
}

static const struct pen english = {.lang = LANGUAGE_EN, .plain = true};

/* ---- values and ratios ---- */

/* The ratio is that of the values which stand beside it, of one run and of several. */
static void test_means(void **state)
{
    static const struct made runs[][RUNS] = {
        {{.speed = 100, .seconds = 8}, {.speed = 400, .seconds = 2}},
        {{.speed = 300, .seconds = 4}, {.speed = 300, .seconds = 9}},
        {{.speed = 50, .seconds = 5}}};
    struct stage s;

    (void)state;
    set_up(&s, runs, 3, false);
    near(compared_value(&s.row, 0, false), 200);
    near(compared_value(&s.row, 0, true), 4);
    near(compared_value(&s.row, 1, true), 6);
    for (int i = 1; i < 3; i++) {
        near(s.row.speed[i].value, s.row.speeds[i] / s.row.speeds[0]);
        near(s.row.time[i].value, s.row.times[i] / s.row.times[0]);
    }
    assert_true(comparison_repeats(&s.c));
    tear_down(&s);
}

/* Where runs failed the ratio is of the better ones, and no difference is claimed. */
static void test_failed(void **state)
{
    static const struct made runs[][RUNS] = {
        {{.speed = 100, .seconds = 100}, {.speed = 100, .seconds = 101}},
        {{.speed = 100, .seconds = 10},
         {.speed = 100, .seconds = 10.1},
         {.speed = 100, .failed = true}}};
    struct stage s;

    (void)state;
    set_up(&s, runs, 2, false);
    assert_int_equal(s.row.failed[0], 0);
    assert_int_equal(s.row.failed[1], 1);
    assert_true(s.row.reached[1]);
    near(s.row.time[1].value, sqrt(10 * 10.1) / sqrt(100 * 101));
    assert_true(s.row.time[1].high < 1); /* of those that reached, it does */
    assert_false(s.row.time[1].differs);
    assert_int_equal(compared_says(&s.row, 1, true), W_C_SOME_FAILED);
    assert_int_equal(compared_says(&s.row, 1, false), W_C_NOTHING);
    tear_down(&s);
}

/* ---- the order ---- */

/* 100, 80 x 1.1^n and 45 x 1.2^n: the second leads from 3, the third from 7 on, where a
 * better quality counts; in both directions of a metric. */
static void test_exponents(void **state)
{
    static const int published[COMPARE_EXPONENTS] = {0, 0, 1, 1, 1, 1, 2, 2, 2, 2};

    (void)state;
    for (int lower = 0; lower < 2; lower++) {
        struct made runs[3][RUNS] = {{{.flops = 100, .achieved = 0.5}},
                                     {{.flops = 80, .achieved = lower ? 0.5 / 1.1 : 0.55}},
                                     {{.flops = 45, .achieved = lower ? 0.5 / 1.2 : 0.6}}};
        struct stage s;
        for (int i = 0; i < 3; i++) {
            runs[i][0].speed = 1;
            runs[i][0].lower = lower;
        }
        set_up(&s, (const struct made(*)[RUNS])runs, 3, true);
        for (int e = 0; e < COMPARE_EXPONENTS; e++)
            assert_int_equal(s.row.leader[e], published[e]);
        near(compare_vflops(s.row.group[2], 7, true), 45 * pow(1.2, 7));
        assert_string_equal(compared_rank(&english, &s.c, &s.row).text,
                            "hep: A leads at exponent 1, B from exponent 3, C from exponent 7: "
                            "the order depends on the rule.");
        tear_down(&s);
        set_up(&s, (const struct made(*)[RUNS])runs, 3, false);
        for (int e = 0; e < COMPARE_EXPONENTS; e++)
            assert_int_equal(s.row.leader[e], 0);
        near(compare_vflops(s.row.group[2], 7, false), 45); /* no bonus */
        assert_string_equal(compared_rank(&english, &s.c, &s.row).text,
                            "hep: A leads for every exponent of VFLOPS from 1 to 10.");
        tear_down(&s);
    }
}

/* A lead is shown by runs that are apart by more than their spread, or that are alone. */
static void test_lead(void **state)
{
    static const struct {
        struct made runs[2][RUNS];
        enum word says;
        bool shown;
    } rows[] = {
        {{{{.speed = 1, .flops = 100}, {.speed = 1, .flops = 101}},
          {{.speed = 1, .flops = 50}, {.speed = 1, .flops = 51}}},
         W_C_LEAD_SHOWN,
         true},
        {{{{.speed = 1, .flops = 100}, {.speed = 1, .flops = 101}},
          {{.speed = 1, .flops = 99}, {.speed = 1, .flops = 100}}},
         W_C_LEAD_OPEN,
         false},
        {{{{.speed = 1, .flops = 100}}, {{.speed = 1, .flops = 50}}}, W_C_LEAD_OPEN, false},
        {{{{.speed = 1, .flops = 100}}, {{.speed = 1, .flops = 500, .failed = true}}},
         W_C_LEAD_ALONE,
         true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct stage s;
        set_up(&s, rows[i].runs, 2, false);
        assert_int_equal(s.row.leader[4], 0);
        assert_int_equal(s.row.shown[4], rows[i].shown);
        assert_string_equal(compared_shown(&english, &s.row).text,
                            said(&english, rows[i].says, N(0), N(COMPARE_EXPONENTS)).text);
        tear_down(&s);
    }
}

/* A lead by quality alone is shown where the exponent makes more of it than the spread. */
static void test_lead_by_exponent(void **state)
{
    static const struct made runs[][RUNS] = {
        {{.speed = 1, .flops = 100}, {.speed = 1, .flops = 110}},
        {{.speed = 1, .flops = 100, .achieved = 0.45},
         {.speed = 1, .flops = 110, .achieved = 0.45}}};
    struct stage s;
    int shown = 0;

    (void)state;
    set_up(&s, runs, 2, false);
    for (int e = 0; e < COMPARE_EXPONENTS; e++)
        shown += s.row.shown[e];
    assert_false(s.row.shown[0]);
    assert_true(s.row.shown[COMPARE_EXPONENTS - 1]);
    assert_string_equal(compared_shown(&english, &s.row).text,
                        said(&english, W_C_LEAD_PART, N(shown), N(COMPARE_EXPONENTS)).text);
    tear_down(&s);
}

/* ---- the target ---- */

static void test_targets(void **state)
{
    static const struct made runs[][RUNS] = {
        {{.speed = 1,
          .epochs = "{\"epoch\":1,\"seconds\":10,\"quality\":0.49},"
                    "{\"epoch\":2,\"seconds\":10,\"quality\":0.51}"}},
        {{.speed = 1,
          .epochs = "{\"epoch\":1,\"seconds\":12,\"quality\":0.47},"
                    "{\"epoch\":2,\"seconds\":26,\"quality\":0.53}"}}};
    struct stage s;

    (void)state;
    set_up(&s, runs, 2, false); /* a tenth of 0.5 - 0.3 nearer, as it is, farther */
    near(s.row.target[0], 0.48);
    near(s.row.target[1], 0.5);
    near(s.row.target[2], 0.52);
    assert_int_equal(s.row.first[0], 0);
    assert_int_equal(s.row.first[1], 0);
    assert_int_equal(s.row.first[2], 1);
    assert_string_equal(compared_target(&english, &s.c, &s.row, 2).text,
                        "hep, target 0.520: B first");
    tear_down(&s);
}

/* Of a record without a baseline nothing is said at targets that are not known. */
static void test_no_baseline(void **state)
{
    static const struct made runs[][RUNS] = {
        {{.speed = 1,
          .no_baseline = true,
          .epochs = "{\"epoch\":1,\"seconds\":10,\"quality\":0.51}"}},
        {{.speed = 1, .no_baseline = true}}};
    struct stage s;

    (void)state;
    set_up(&s, runs, 2, false);
    assert_true(isnan(s.row.target[0]));
    near(s.row.target[1], 0.5);
    assert_string_equal(compared_target(&english, &s.c, &s.row, 0).text,
                        said(&english, W_C_TARGETS_FIXED, T("hep")).text);
    assert_string_equal(compared_target(&english, &s.c, &s.row, 1).text,
                        "hep, target 0.500: A first");
    assert_string_equal(compared_target(&english, &s.c, &s.row, 2).text, "");
    tear_down(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_means),
                                       cmocka_unit_test(test_failed),
                                       cmocka_unit_test(test_exponents),
                                       cmocka_unit_test(test_lead),
                                       cmocka_unit_test(test_lead_by_exponent),
                                       cmocka_unit_test(test_targets),
                                       cmocka_unit_test(test_no_baseline)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
