/* SPDX-License-Identifier: BSD-3-Clause */
/* The line that tells of a node: whatever a person wrote as its reason comes back. */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "spank/validate/node.h"

static struct node drained(const char *reason)
{
    struct node n = {.name = "n1",
                     .flags = NODE_HAS_IDLE | NODE_HAS_DRAIN,
                     .reason_time = 1796000000,
                     .boot_time = 1795000000,
                     .reason_uid = 1234};

    snprintf(n.reason, sizeof n.reason, "%s", reason);
    node_mark(&n, reason);
    return n;
}

static void lines_come_back(void **state)
{
    static const char *const reasons[] = {
        "",        "fan",          "State=IDLE Reason=none", "two\nlines", "back\\slash \\x41",
        "\x1b[2J", "\xc3\xa9tape", "trailing blank ",        "'quoted\"",  "hpcai500: SLOW -12 %",
    };
    char line[NODE_LINE_SIZE];
    struct err e = ERR_INIT;
    struct node back;

    (void)state;
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++) {
        struct node n = drained(reasons[i]);
        assert_true(node_print(&n, line, sizeof line));
        for (const char *c = line; *c; c++)
            assert_in_range(*c, 0x20, 0x7e);
        assert_int_equal(node_parse(line, &back, &e), 0);
        assert_string_equal(back.reason, n.reason);
        assert_string_equal(back.name, "n1");
        assert_string_equal(back.mark, n.mark);
        assert_int_equal(back.flags, n.flags);
        assert_int_equal(back.reason_time, n.reason_time);
        assert_int_equal(back.boot_time, n.boot_time);
        assert_int_equal(back.reason_uid, n.reason_uid);
    }
    for (int i = 0; i < NODE_BIT_COUNT; i++) {
        struct node n = {.name = "n", .flags = 1U << i};
        node_mark(&n, "");
        assert_true(node_print(&n, line, sizeof line));
        assert_int_equal(node_parse(line, &back, &e), 0);
        assert_int_equal(back.flags, 1U << i);
    }
}

static void what_does_not_fit_is_said(void **state)
{
    struct node n = drained("fan");
    char small[24];

    (void)state;
    assert_false(node_print(&n, small, sizeof small));
}

static void bad_lines_are_refused(void **state)
{
    static const char *const lines[] = {
        "",
        "n1",
        "n1 00",
        "n1 00 WRONG 0 0 0",
        "n1 00 IDL 0 0 0",
        "n1 00 IDLE+ 0 0 0",
        "n1 00 - x 0 0",
        "n1 00 - -1 0 0",
        "n1 00 - 0 4294967296 0",
        "n1 00 - 0 0 99999999999999999999",
        "n1 00 - 0 0",
        "n1 00000000000000000 - 0 0 0",
        "n1 00 - 0 0 0 \\q",
        "n1 00 - 0 0 0 \\x4",
        "n1 00 - 0 0 0 \\x00",
    };
    struct err e = ERR_INIT;
    struct node n;

    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        if (node_parse(lines[i], &n, &e) == 0)
            fail_msg("'%s' was taken", lines[i]);
}

/* The mark changes with what decides, and with nothing else. */
static void marks(void **state)
{
    const struct node n = drained("fan");
    struct node other = n;

    (void)state;
    other.flags = NODE_HAS_ALLOCATED | NODE_HAS_COMPLETING | NODE_HAS_MAINTENANCE | NODE_HAS_DRAIN;
    other.boot_time++;
    node_mark(&other, "fan");
    assert_string_equal(other.mark, n.mark);
    node_mark(&other, "fam");
    assert_string_not_equal(other.mark, n.mark);
    for (int i = 0; i < 3; i++) {
        other = n;
        other.reason_time += i == 0;
        other.reason_uid += i == 1;
        other.flags ^= i == 2 ? NODE_HAS_DRAIN : 0;
        node_mark(&other, "fan");
        assert_string_not_equal(other.mark, n.mark);
    }
    other = n;
    other.flags |= NODE_HAS_REBOOT_ISSUED;
    node_mark(&other, "fan");
    assert_string_not_equal(other.mark, n.mark);
}

static void reasons(void **state)
{
    static const struct {
        const char *text;
        int ours, may;
    } rows[] = {
        {"hpcai500: SLOW stream -12 % (job 4711)", 1, 1},
        {"hpcai500 validate", 1, 1},
        {"hpcai500", 1, 1},
        {"hpcai500x", 0, 0},
        {"hpcai500_other", 0, 0},
        {"hpcai500-other", 0, 0},
        {" hpcai500", 0, 0},
        {"fan, seen by hpcai500", 0, 0},
        {"", 0, 0},
        {"hpcai500: a\nb", 1, 0},
        {"hpcai500: 'x'", 1, 0},
        {"hpcai500: State=IDLE", 1, 0},
        {"hpcai500: \xc3\xa9", 1, 0},
    };
    struct err e = ERR_INIT;
    char lengthy[300];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(node_reason_ours(rows[i].text), rows[i].ours);
        assert_int_equal(node_reason_check(rows[i].text, &e) == 0, rows[i].may);
    }
    memset(lengthy, 'x', sizeof lengthy);
    memcpy(lengthy, "hpcai500:", 9);
    lengthy[sizeof lengthy - 1] = '\0';
    assert_int_equal(node_reason_check(lengthy, &e), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_come_back),
        cmocka_unit_test(what_does_not_fit_is_said),
        cmocka_unit_test(bad_lines_are_refused),
        cmocka_unit_test(marks),
        cmocka_unit_test(reasons),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
