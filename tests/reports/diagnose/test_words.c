/* SPDX-License-Identifier: BSD-3-Clause */
/* Each cause in both languages, with and without a node. */
#include <config.h>

#include "reports/diagnose/words.h"

#include <string.h>

#include "reports/core/utf8.h"
#include "tests/unit.h"

/* Every cause has words of its own that are text, and none shows its marks. */
static void every_cause_is_said(void **state)
{
    char text[128], other[128];

    (void)state;
    for (int c = 0; c < CAUSE_COUNT; c++) {
        assert_int_equal(cause_find(cause_name((enum cause)c)), c);
        for (int l = LANGUAGE_EN; l <= LANGUAGE_JA; l++) {
            cause_said((enum cause)c, l == LANGUAGE_JA ? "n2" : NULL, (enum language)l, text,
                       sizeof text);
            assert_true(strlen(text) > 0 && !strpbrk(text, "[]%|"));
            assert_int_equal(utf8_check(text, strlen(text)), strlen(text));
            const char *next = cause_next((enum cause)c, (enum language)l);
            assert_true(strlen(next) > 0);
            assert_int_equal(utf8_check(next, strlen(next)), strlen(next));
            for (int d = 0; d < c; d++) {
                cause_said((enum cause)d, l == LANGUAGE_JA ? "n2" : NULL, (enum language)l, other,
                           sizeof other);
                assert_string_not_equal(text, other);
            }
        }
    }
    assert_int_equal(cause_find("bandwidth"), -1);
}

static void a_node_is_said_where_it_is_named(void **state)
{
    static const struct {
        enum cause cause;
        const char *node;
        enum language language;
        const char *said;
    } cases[] = {
        {CAUSE_NETWORK_BANDWIDTH, "", LANGUAGE_EN, "network bandwidth"},
        {CAUSE_NETWORK_BANDWIDTH, "n2", LANGUAGE_EN, "network bandwidth: n2 sends slowly"},
        {CAUSE_SLOW_NODE, "n2", LANGUAGE_EN, "slow node n2: processor"},
        {CAUSE_NODE_QUOTA, "n2", LANGUAGE_EN, "node n2: CPU quota"},
        {CAUSE_NODE_SHARED, "n2", LANGUAGE_JA, "ノード n2: コアの共有"},
        {CAUSE_STORAGE_BANDWIDTH, NULL, LANGUAGE_EN, "storage bandwidth"},
        {CAUSE_NODE_SLOWER, "n2", LANGUAGE_EN, "n2 was slower in this run"},
        {CAUSE_NODE_SLOWER, "", LANGUAGE_EN, "a node was slower in this run"},
        {CAUSE_PROCESSOR, "n2", LANGUAGE_EN, "processor"},
    };
    char text[128];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cause_said(cases[i].cause, cases[i].node, cases[i].language, text, sizeof text);
        assert_string_equal(text, cases[i].said);
    }
}

/* In a small room the text ends between characters. */
static void what_does_not_fit_is_cut(void **state)
{
    char text[128];

    (void)state;
    for (size_t size = 1; size < 40; size++) {
        cause_said(CAUSE_NODE_SHARED, "n2", LANGUAGE_JA, text, size);
        assert_true(strlen(text) < size);
        assert_int_equal(utf8_check(text, strlen(text)), strlen(text));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_cause_is_said),
        cmocka_unit_test(a_node_is_said_where_it_is_named),
        cmocka_unit_test(what_does_not_fit_is_cut),
    };

    return cmocka_run_group_tests_name("words", tests, NULL, NULL);
}
