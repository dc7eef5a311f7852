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
        confirm_own_now(&c, CONFIRM_SECONDS, cases[i].now);
        for (int k = 0; cases[i].before[k] > 0; k++) {
            const char key[] = {(char)('a' + k), 0};
            confirm_own_add(&c, CONFIRM_SECONDS, key, NOW - 100 * (k + 1), cases[i].before[k]);
            confirm_own_add(&c, CONFIRM_SECONDS, key, NOW - 100 * (k + 1),
                            7); /* the same run again */
        }
        if (confirm_own_holds(&c) != cases[i].holds)
            fail_msg("case %zu: %g", i, confirm_own(&c, CONFIRM_SECONDS));
        assert_true(confirm_holds(&c) == cases[i].holds);
    }
}

/* At equal processor, and not: one is enough, each for itself, and what is said tells which. */
static void the_processor_is_told_apart(void **state)
{
    static const struct {
        double seconds[6], even[6]; /* earlier runs, then this one; 0: none has it */
        bool by_seconds, by_even;
        const char *said;
    } cases[] = {
        /* the host's processors come and go by 10 %; what the node has beside them does not */
        {{1, 1.1, 0.9, 1.05, 0.95, 1.12},
         {1, 1.01, 0.99, 1, 1, 1.12},
         false,
         true,
         "; at equal processor it computes 12 % longer than in its 5 runs before"},
        /* the same without a yardstick */
        {{1, 1.1, 0.9, 1.05, 0.95, 1.12}, {0}, false, false, ""},
        /* its processor is slower since yesterday: a slow node, too */
        {{1, 1.01, 0.99, 1, 1, 1.12},
         {1, 1.01, 0.99, 1, 1, 1.01},
         true,
         false,
         "; it computes 12 % longer than in its 5 runs before"
         "; at equal processor it does not: its processor is slower"},
        {{1, 1.01, 0.99, 1, 1, 1.12},
         {1, 1.01, 0.99, 1, 1, 1.13},
         true,
         true,
         "; it computes 12 % longer than in its 5 runs before"},
        /* the yardstick was not read in this run */
        {{1, 1.01, 0.99, 1, 1, 1.12},
         {1, 1.01, 0.99, 1, 1, NAN},
         true,
         false,
         "; it computes 12 % longer than in its 5 runs before"},
        /* two are asked: each needs 99.5 % (t 4.60), one alone 99 % (3.75), of .048 x 1.095 */
        {{1, 1.06, 0.94, 1.03, 0.97, 1.24},
         {0},
         true,
         false,
         "; it computes 24 % longer than in its 5 runs before"},
        {{1, 1.06, 0.94, 1.03, 0.97, 1.24}, {1, 1.1, 0.9, 1.05, 0.95, 1}, false, false, ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *none = "; no earlier run is like it, so nothing can be compared";
        struct confirm c;
        char text[256] = "";
        confirm_begin(&c, "n2", NOW);
        for (int k = 0; k < 5; k++) {
            const char key[] = {(char)('a' + k), 0};
            confirm_own_add(&c, CONFIRM_SECONDS, key, NOW - 100 * (k + 1), cases[i].seconds[k]);
            confirm_own_add(&c, CONFIRM_EVEN, key, NOW - 100 * (k + 1), cases[i].even[k]);
        }
        confirm_own_now(&c, CONFIRM_SECONDS, cases[i].seconds[5]);
        confirm_own_now(&c, CONFIRM_EVEN, cases[i].even[0] > 0 ? cases[i].even[5] : (double)NAN);
        confirm_said(&c, LANGUAGE_EN, text, sizeof text);
        assert_memory_equal(text, none, strlen(none));
        if (strcmp(text + strlen(none), cases[i].said) != 0)
            fail_msg("case %zu: %s", i, text);
        assert_int_equal(confirm_own_by(&c, CONFIRM_SECONDS), cases[i].by_seconds);
        assert_int_equal(confirm_own_by(&c, CONFIRM_EVEN), cases[i].by_even);
        assert_int_equal(confirm_holds(&c), cases[i].by_seconds || cases[i].by_even);
    }
}

/* Only the latest sixteen of the last 90 days, and none that came later. */
static void old_and_later_runs_do_not_count(void **state)
{
    struct confirm c;
    char key[8];

    (void)state;
    confirm_begin(&c, "n2", NOW);
    confirm_own_add(&c, CONFIRM_SECONDS, "old", NOW - 91.0 * DAY, 1);
    confirm_own_add(&c, CONFIRM_SECONDS, "later", NOW + 1, 1);
    confirm_own_add(&c, CONFIRM_SECONDS, "none", NOW - 1, NAN);
    assert_int_equal(c.own[CONFIRM_SECONDS].n, 0);
    for (int i = 0; i < 40; i++) {
        snprintf(key, sizeof key, "%d", i * 7 % 40);
        confirm_own_add(&c, CONFIRM_SECONDS, key, NOW - 1 - i * 7 % 40, 1 + i * 7 % 40);
    }
    assert_int_equal(c.own[CONFIRM_SECONDS].n, CONFIRM_OWN);
    for (int i = 0; i < CONFIRM_OWN; i++)
        assert_true(c.own[CONFIRM_SECONDS].before[i].ratio == 1 + i);
}

/* Of 4,000 histories of 5 to 16 runs of a healthy node about 1 % say that it is slow, in
 * seconds alone and in seconds and at equal processor. */
static void count_alarms(bool even)
{
    enum { TIMES = 4000 };
    struct random g = RANDOM_SEED(11);
    int alarms = 0;

    for (int i = 0; i < TIMES; i++) {
        struct confirm c;
        confirm_begin(&c, "n2", NOW);
        confirm_own_now(&c, CONFIRM_SECONDS, exp(0.1 * random_normal(&g)));
        for (int k = 0; k < CONFIRM_OWN_LEAST + i % 12; k++) {
            const char key[] = {(char)('a' + k), 0};
            confirm_own_add(&c, CONFIRM_SECONDS, key, NOW - 1 - k, exp(0.1 * random_normal(&g)));
            if (even)
                confirm_own_add(&c, CONFIRM_EVEN, key, NOW - 1 - k, exp(0.1 * random_normal(&g)));
        }
        if (even)
            confirm_own_now(&c, CONFIRM_EVEN, exp(0.1 * random_normal(&g)));
        alarms += confirm_own_holds(&c);
    }
    if (alarms < TIMES / 200 || alarms > TIMES / 50)
        fail_msg("%d of %d", alarms, TIMES);
}

static void false_alarms_are_as_promised(void **state)
{
    (void)state;
    count_alarms(false);
    count_alarms(true);
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
        confirm_own_add(&c, CONFIRM_SECONDS, (char[]){(char)('m' + i), 0}, NOW - 80 - i, 1);
    confirm_own_now(&c, CONFIRM_SECONDS, 1.12);
    text[0] = '\0';
    confirm_said(&c, LANGUAGE_EN, text, sizeof text);
    assert_string_equal(text, "; 2 of the last 3 runs like this one name it"
                              "; it computes 12 % longer than in its 5 runs before");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_of_three),
        cmocka_unit_test(the_own_history_confirms),
        cmocka_unit_test(the_processor_is_told_apart),
        cmocka_unit_test(old_and_later_runs_do_not_count),
        cmocka_unit_test(false_alarms_are_as_promised),
        cmocka_unit_test(it_is_said),
    };

    return cmocka_run_group_tests_name("confirm", tests, NULL, NULL);
}
