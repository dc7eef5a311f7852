/* SPDX-License-Identifier: BSD-3-Clause */
/* Which runs count, and when they make a node a slow one. */
#include <config.h>

#include "reports/diagnose/confirm.h"

#include <stdio.h>
#include <string.h>

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
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_of_three),
        cmocka_unit_test(it_is_said),
    };

    return cmocka_run_group_tests_name("confirm", tests, NULL, NULL);
}
