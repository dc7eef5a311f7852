/* SPDX-License-Identifier: BSD-3-Clause */
/* Which runs count, and when they make a node a slow one. */
#include <config.h>

#include "reports/diagnose/confirm.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "reports/judge/random.h"
#include "tests/unit.h"

enum { DAY = 86400, NOW = 1795374177, RUNS = 6 };

static void two_of_three(void **state)
{
    static const struct {
        struct confirm_run before[RUNS];
        int runs, named;
    } cases[] = {
        {{{0}}, 1, 1}, /* one run alone says nothing */
        {{{"a", NOW - 60, "node_was_slower", "n2"}}, 2, 2},
        {{{"a", NOW - 60, "slow_node", "n2"}, {"b", NOW - 120, "node_shared", "n2"}}, 3, 3},
        {{{"a", NOW - 60, "processor", ""}, {"b", NOW - 120, "node_was_slower", "n2"}}, 3, 2},
        {{{"a", NOW - 60, "processor", ""}, {"b", NOW - 120, "node_was_slower", "n1"}}, 3, 1},
        /* a quota, or a slow sender, is another finding */
        {{{"a", NOW - 60, "node_quota", "n2"}, {"b", NOW - 120, "network", "n2"}}, 3, 1},
        /* the two latest count, in whatever order they are told */
        {{{"a", NOW - 180, "node_was_slower", "n2"},
          {"b", NOW - 120, "processor", ""},
          {"c", NOW - 60, "network", ""}},
         3,
         1},
        {{{"c", NOW - 60, "node_was_slower", "n2"},
          {"a", NOW - 180, "processor", ""},
          {"b", NOW - 120, "processor", ""}},
         3,
         2},
        /* the same run twice is one run */
        {{{"a", NOW - 60, "node_was_slower", "n2"}, {"a", NOW - 60, "node_was_slower", "n2"}},
         2,
         2},
        {{{"a", NOW - 60, "processor", ""},
          {"b", NOW - 120, "network", ""},
          {"a", NOW - 60, "processor", ""},
          {"c", NOW - 180, "node_was_slower", "n2"}},
         3,
         1},
        /* later, too long ago, without a steady state, of another release */
        {{{"a", NOW + 60, "node_was_slower", "n2"},
          {"b", NOW - 31 * DAY, "node_was_slower", "n2"},
          {"c", NOW - 60, "unknown", ""},
          {"d", NOW - 60, "", ""},
          {"e", NOW - 60, "moon_phase", "n2"}},
         1,
         1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct confirm c;
        confirm_begin(&c, "n2", NOW);
        for (int k = 0; k < RUNS && cases[i].before[k].key; k++)
            confirm_add(&c, &cases[i].before[k]);
        assert_int_equal(confirm_runs(&c), cases[i].runs);
        assert_int_equal(confirm_named(&c), cases[i].named);
        assert_int_equal(confirm_holds(&c), cases[i].named >= 2);
    }
}

/* Of two ranks the median is the mean: the other's seconds follow from it. */
static void a_node_is_compared_with_the_others(void **state)
{
    (void)state;
    assert_true(fabs(confirm_ratio(12, 11, 2) - 1.2) < 1e-12);
    assert_true(fabs(confirm_ratio(12, 10, 3) - 1.2) < 1e-12);
    assert_true(isnan(confirm_ratio(12, 12, 1)) && isnan(confirm_ratio(NAN, 10, 4)) &&
                isnan(confirm_ratio(12, NAN, 4)) && isnan(confirm_ratio(20, 10, 2)));
}

/* What it takes: five runs, 5 %, and more than chance makes of their spread. */
static void the_own_history_confirms(void **state)
{
    static const struct {
        double before[20], now;
        bool holds;
    } cases[] = {
        {{1, 1.01, 0.99, 1}, 1.3, false}, /* four */
        {{1, 1.01, 0.99, 1, 1}, 1.3, true},
        {{1, 1.01, 0.99, 1, 1}, 1.049, false},
        {{1, 1.01, 0.99, 1, 1}, 1.06, true},
        {{1, 1.1, 0.9, 1.05, 0.95}, 1.3, false}, /* t 3.75 x 0.08 x 1.1 = 0.33 */
        {{1, 1.1, 0.9, 1.05, 0.95}, 1.45, true},
        {{1.2, 1.21, 1.19, 1.2, 1.2}, 1.22, false}, /* it always was: repeats say that */
        {{1, 1.01, 0.99, 1, 1}, 0.7, false},        /* faster */
        {{1, 1.01, 0.99, 1, 1}, NAN, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct confirm c;
        confirm_begin(&c, "n2", NOW);
        confirm_own_now(&c, cases[i].now);
        for (int k = 0; cases[i].before[k] > 0; k++) {
            const char key[] = {(char)('a' + k), 0};
            confirm_own_add(&c, key, NOW - 100 * (k + 1), cases[i].before[k]);
            confirm_own_add(&c, key, NOW - 100 * (k + 1), 7); /* the same run again */
        }
        if (confirm_own_holds(&c) != cases[i].holds)
            fail_msg("case %zu: %g", i, confirm_own(&c));
        assert_true(confirm_holds(&c) == cases[i].holds);
    }
}

/* Only the latest sixteen of the last 90 days, and none that came later. */
static void old_and_later_runs_do_not_count(void **state)
{
    struct confirm c;
    char key[8];

    (void)state;
    confirm_begin(&c, "n2", NOW);
    confirm_own_add(&c, "old", NOW - 91.0 * DAY, 1);
    confirm_own_add(&c, "later", NOW + 1, 1);
    confirm_own_add(&c, "none", NOW - 1, NAN);
    assert_int_equal(c.n_own, 0);
    for (int i = 0; i < 40; i++) {
        snprintf(key, sizeof key, "%d", i * 7 % 40);
        confirm_own_add(&c, key, NOW - 1 - i * 7 % 40, 1 + i * 7 % 40);
    }
    assert_int_equal(c.n_own, CONFIRM_OWN);
    for (int i = 0; i < CONFIRM_OWN; i++)
        assert_true(c.own[i].ratio == 1 + i);
}

/* Of 4,000 histories of 5 to 16 runs of a healthy node about 1 % say that it is slow. */
static void false_alarms_are_as_promised(void **state)
{
    enum { TIMES = 4000 };
    struct random g = RANDOM_SEED(11);
    int alarms = 0;

    (void)state;
    for (int i = 0; i < TIMES; i++) {
        struct confirm c;
        confirm_begin(&c, "n2", NOW);
        confirm_own_now(&c, exp(0.1 * random_normal(&g)));
        for (int k = 0; k < CONFIRM_OWN_LEAST + i % 12; k++) {
            const char key[] = {(char)('a' + k), 0};
            confirm_own_add(&c, key, NOW - 1 - k, exp(0.1 * random_normal(&g)));
        }
        alarms += confirm_own_holds(&c);
    }
    if (alarms < TIMES / 200 || alarms > TIMES / 50)
        fail_msg("%d of %d", alarms, TIMES);
}

static void it_is_said(void **state)
{
    struct confirm c;
    char text[256] = "of a step of 62 ms";

    (void)state;
    confirm_begin(&c, "n2", NOW);
    confirm_said(&c, LANGUAGE_EN, text, sizeof text);
    assert_string_equal(
        text, "of a step of 62 ms; no earlier run is like it, so nothing can be compared");
    text[strlen("of a step of 62 ms")] = '\0';
    confirm_add(&c, &(struct confirm_run){"a", NOW - 60, "node_was_slower", "n2"});
    confirm_add(&c, &(struct confirm_run){"b", NOW - 70, "processor", ""});
    confirm_said(&c, LANGUAGE_EN, text, sizeof text);
    assert_string_equal(text, "of a step of 62 ms; 2 of the last 3 runs like this one name it");
    confirm_said(&c, LANGUAGE_JA, text, sizeof text);
    assert_non_null(strstr(text, "直近 3 回のうち 2 回"));
    for (int i = 0; i < 5; i++)
        confirm_own_add(&c, (char[]){(char)('m' + i), 0}, NOW - 80 - i, 1);
    confirm_own_now(&c, 1.12);
    text[0] = '\0';
    confirm_said(&c, LANGUAGE_EN, text, sizeof text);
    assert_string_equal(text, "; 2 of the last 3 runs like this one name it"
                              "; it computes 12 % longer than in its 5 runs before");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_of_three),
        cmocka_unit_test(a_node_is_compared_with_the_others),
        cmocka_unit_test(the_own_history_confirms),
        cmocka_unit_test(old_and_later_runs_do_not_count),
        cmocka_unit_test(false_alarms_are_as_promised),
        cmocka_unit_test(it_is_said),
    };

    return cmocka_run_group_tests_name("confirm", tests, NULL, NULL);
}
