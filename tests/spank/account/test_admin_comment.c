/* SPDX-License-Identifier: BSD-3-Clause */
/* Our piece of an AdminComment among those of others, in all their shapes. */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "spank/account/admin_comment.h"
#include "tests/unit.h"

#define OURS "H5:new;"
#define LONG "H5A1:H4sIAAAA+/8=;"

static const struct {
    const char *before, *ours, *after;
} merges[] = {
    {NULL, OURS, OURS},
    {"", OURS, OURS},
    {"drained by hand", OURS, "drained by hand " OURS},
    {"ends in a blank ", OURS, "ends in a blank  " OURS},
    {"two\nlines", OURS, "two\nlines " OURS},
    {"\"quoted\" it's %s \\n", OURS, "\"quoted\" it's %s \\n " OURS},
    {"caf\xc3\xa9", OURS, "caf\xc3\xa9 " OURS},
    /* what we said before goes, wherever it stood */
    {"H5:old;", OURS, OURS},
    {OURS, OURS, OURS},
    {"note H5:old;", OURS, "note " OURS},
    {"H5:old; note", OURS, "note " OURS},
    {"note H5:old; more", OURS, "note more " OURS},
    {"H5:old; H5:older;", OURS, OURS},
    {"H5:old;\nnote", OURS, "\nnote " OURS},
    {"note\nH5:old;", OURS, "note\n " OURS},
    {"H5A1:AAAA==;", OURS, OURS},
    {"note H5:old;", LONG, "note " LONG},
    {"note H5A1:AAAA;", LONG, "note " LONG},
    /* cut by somebody */
    {"note H5:ol", OURS, "note " OURS},
    {"H5:ol\nnote", OURS, "\nnote " OURS},
    {"H5A1:AAA", OURS, OURS},
    /* not ours */
    {"xH5:old;", OURS, "xH5:old; " OURS},
    {"H5", OURS, "H5 " OURS},
    {"h5:old;", OURS, "h5:old; " OURS},
    /* jobstats: padded, without padding, not base64 */
    {"JS1:H4sIAA==", OURS, "JS1:H4sIAA== " OURS},
    {"JS1:H4sIAAAA", OURS, "JS1:H4sIAAAA AA== " OURS},
    {"JS1:H4sIAAAA AA== H5:old;", OURS, "JS1:H4sIAAAA AA== " OURS},
    {"JS1:H4sIAA== H5:old;", OURS, "JS1:H4sIAA== " OURS},
    {"H5:old; JS1:H4sIAAAA", OURS, "JS1:H4sIAAAA AA== " OURS},
    {"JS1:H4sIAAAA AA== H5:old; note", OURS, "JS1:H4sIAAAA note " OURS},
    {"JS1:Short", OURS, "JS1:Short " OURS},
    {"note JS1:H4sIAAAA", OURS, "note JS1:H4sIAAAA AA== " OURS},
};

static void merging_keeps_what_is_not_ours(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof merges / sizeof *merges; i++) {
        struct err e = ERR_INIT;
        char *merged = admin_comment_merge(merges[i].before, merges[i].ours, &e);
        assert_non_null(merged);
        assert_string_equal(merged, merges[i].after);
        assert_true(admin_comment_has(merged, merges[i].ours));
        /* A second time changes nothing. */
        char *again = admin_comment_merge(merged, merges[i].ours, &e);
        assert_string_equal(again, merged);
        free(again);
        free(merged);
    }
}

static const struct {
    const char *set_info;
    int rc;
    const char *comment;
} changes[] = {
    {"admin_comment='js1:x'", 1, "js1:x"},
    {"admin_comment=''", 1, ""},
    {"derived_ec=3, derived_es='hello', admin_comment='a, b', wckey='w'", 1, "a, b"},
    {"admin_comment='it\\'s \\\\ \\\"x\\\" \\n'", 1, "it's \\ \"x\" \n"},
    {"derived_ec=3, derived_es='hello'", 0, NULL},
    {"", 0, NULL},
    /* a user's words are not what they look like */
    {"derived_es='admin_comment=\\'no\\''", 0, NULL},
    {"derived_es='x, admin_comment=\\'no', admin_comment='yes'", 1, "yes"},
    {"system_admin_comment='no'", 0, NULL},
    /* slurmdbd's column holds 65,535 bytes */
    {"admin_comment='cut of", -1, NULL},
    {"admin_comment='cut of\\", -1, NULL},
    {"derived_es='cut of", -1, NULL},
};

static void what_a_change_made_the_comment(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        char *text = NULL;
        assert_int_equal(admin_comment_set(changes[i].set_info, &text), changes[i].rc);
        assert_int_equal(admin_comment_set(changes[i].set_info, NULL), changes[i].rc);
        if (changes[i].comment)
            assert_string_equal(text, changes[i].comment);
        else
            assert_null(text);
        free(text);
    }
}

static void has_means_ours_and_no_other(void **state)
{
    (void)state;
    assert_false(admin_comment_has(NULL, OURS));
    assert_false(admin_comment_has("", OURS));
    assert_false(admin_comment_has("H5:old;", OURS));
    assert_false(admin_comment_has("H5:old; " OURS, OURS));
    assert_false(admin_comment_has(OURS " H5:old;", OURS));
    assert_false(admin_comment_has("x" OURS, OURS));
    assert_false(admin_comment_has("H5:newer;", OURS));
    assert_true(admin_comment_has(OURS, OURS));
    assert_true(admin_comment_has("a " OURS " b", OURS));
    assert_true(admin_comment_has("JS1:H4sIAAAA AA== " OURS, OURS));
}

static const struct {
    const char *text, *sentence;
} refusals[] = {
    {"", "'' is not one line H5:...; or H5A1:...;"},
    {"H5:", "'H5:' is not one line H5:...; or H5A1:...;"},
    {"H5:a", "'H5:a' is not one line H5:...; or H5A1:...;"},
    {"H5:a;b", "'H5:a;b' is not one line H5:...; or H5A1:...;"},
    {"H5:a|b;", "'H5:a|b;' is not one line H5:...; or H5A1:...;"},
    {"JS1:AAAA", "'JS1:AAAA' is not one line H5:...; or H5A1:...;"},
    {"H5A1:a b;", "'H5A1:a b;' is not one line H5:...; or H5A1:...;"},
    {"H5:a\tb;", "a line for accounting has only printable ASCII, this has byte 0x09"},
    {"H5:\xc3\xa9;", "a line for accounting has only printable ASCII, this has byte 0xc3"},
};

static void what_is_no_line_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        struct err e = ERR_INIT;
        assert_null(admin_comment_merge("note", refusals[i].text, &e));
        assert_string_equal(e.text, refusals[i].sentence);
    }
}

static void a_comment_without_room_stays(void **state)
{
    struct err e = ERR_INIT;
    char *full = malloc(ADMIN_COMMENT_MAX + 1);

    (void)state;
    memset(full, 'x', ADMIN_COMMENT_MAX);
    full[ADMIN_COMMENT_MAX] = '\0';
    assert_null(admin_comment_merge(full, OURS, &e));
    assert_string_equal(e.text,
                        "the comment would have 60008 bytes, slurmdbd is given at most 60000");
    full[ADMIN_COMMENT_MAX - strlen(OURS) - 1] = '\0';
    char *merged = admin_comment_merge(full, OURS, &e);
    assert_int_equal(strlen(merged), ADMIN_COMMENT_MAX);
    free(merged);
    free(full);
}

static void a_line_is_safe_and_short(void **state)
{
    char line[ADMIN_COMMENT_LINE + 1], text[1000];
    struct err e = ERR_INIT;

    (void)state;
    admin_comment_line("a;b|c\nd\te\xc3\xa9", line);
    assert_string_equal(line, "H5:a_b_c d e__;");
    memset(text, 'y', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    admin_comment_line(text, line);
    assert_int_equal(strlen(line), ADMIN_COMMENT_LINE);
    assert_true(admin_comment_ours(line, &e));
    admin_comment_line("", line);
    assert_true(admin_comment_ours(line, &e));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(merging_keeps_what_is_not_ours),
        cmocka_unit_test(what_a_change_made_the_comment),
        cmocka_unit_test(has_means_ours_and_no_other),
        cmocka_unit_test(what_is_no_line_is_refused),
        cmocka_unit_test(a_comment_without_room_stays),
        cmocka_unit_test(a_line_is_safe_and_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
