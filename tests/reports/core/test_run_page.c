/* SPDX-License-Identifier: BSD-3-Clause */
/* hpcai500-run(7) against the key table: every key with its values, its
 * default and its bounds, and examples that parse. */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reports/core/runspec.h"
#include "tests/unit.h"

static char page[1 << 16], help[1 << 14];

static int load(void **state)
{
    char path[4096];
    const char *top = getenv("top_srcdir");
    FILE *out = fmemopen(help, sizeof help - 1, "w");

    (void)state;
    snprintf(path, sizeof path, "%s/reports/core/hpcai500-run.7", top ? top : ".");
    FILE *in = fopen(path, "r");
    if (!in || !out)
        return -1;
    page[fread(page, 1, sizeof page - 1, in)] = '\0';
    runspec_help(out);
    fclose(in);
    return fclose(out);
}

/* The page's entry of a key: from its .It to the next one. */
static void entry_of(const char *key, char *entry, size_t size)
{
    char head[64];
    const char *begin, *end;

    snprintf(head, sizeof head, ".It Cm %s= ", key);
    if (!(begin = strstr(page, head))) {
        fail_msg("%s= is not in the page", key);
        return; /* not reached */
    }
    end = strstr(begin + 1, "\n.It ");
    if (!end)
        end = strstr(begin, "\n.El");
    snprintf(entry, size, "%.*s\n", (int)(end - begin), begin);
}

/* One line of the help, "  key=a|b  words [default]", by its parts. */
static void check_key(const char *line, size_t n)
{
    char text[512], entry[2048], wanted[64], *values, *key = text, *end;

    snprintf(text, sizeof text, "%.*s", (int)n, line);
    values = strchr(text, '=');
    *values++ = '\0';
    end = values + strcspn(values, " ");
    char *fallback = strrchr(end, '[');
    entry_of(key, entry, sizeof entry);
    if (fallback && text[n - 1] == ']') {
        snprintf(wanted, sizeof wanted, "Default %.*s.", (int)strcspn(fallback + 1, "]"),
                 fallback + 1);
        if (!strstr(entry, wanted))
            fail_msg("%s: the page does not say '%s'", key, wanted);
    } else if (!strstr(entry, "\nDefault: ")) {
        fail_msg("%s: the page does not give a default", key);
    }
    *end = '\0';
    if (strpbrk(values, "ABCDEFGHIJKLMNOPQRSTUVWXYZ[("))
        return; /* a shape, not words */
    for (char *word = strtok(values, "|"); word; word = strtok(NULL, "|"))
        if (!strstr(entry, word))
            fail_msg("%s: the page does not name '%s'", key, word);
}

static void test_every_key(void **state)
{
    int n = 0;

    (void)state;
    for (const char *line = strstr(help, "Keys:\n") + 6; strncmp(line, "  ", 2) == 0; n++) {
        size_t size = strcspn(line, "\n");
        check_key(line + 2, size - 2);
        line += size + 1;
    }
    assert_int_equal(n, KEY_COUNT);
    n = 0;
    for (const char *p = page; (p = strstr(p, "\n.It Cm ")); p++)
        n++;
    assert_int_equal(n, KEY_COUNT);
}

/* A suite's own time is in the page. */
static void test_suite_times(void **state)
{
    static const char *const names[] = {"component", "all"};
    char entry[2048], wanted[64];

    (void)state;
    entry_of("time", entry, sizeof entry);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(wanted, sizeof wanted, "%s %s", names[i], runspec_suite_time(names[i]));
        if (!strstr(entry, wanted))
            fail_msg("time: the page does not say '%s'", wanted);
    }
}

static bool parses(const char *key, const char *value)
{
    char text[RUNSPEC_MAX_BYTES + 1];
    struct runspec r;

    snprintf(text, sizeof text, "cosmoflow,%s=%s", key, value);
    return runspec_parse(&r, text, NULL) == 0;
}

/* The bounds of the page are those of the parser. */
static void test_bounds(void **state)
{
    static const struct {
        const char *key, *said, *least, *most, *below, *above;
    } table[] = {
        {"epochs", "1 to 100000.", "1", "100000", "0", "100001"},
        {"target", "0.000001 to 1000000.", "0.000001", "1000000", "0", "1000000.1"},
        {"time", "1s to 720h.", "1s", "720h", "0s", "721h"},
        {"seed", "0 to 18446744073709551615.", "0", "18446744073709551615", "-1",
         "18446744073709551616"},
        {"batch", "1 to 16777216.", "1", "16777216", "0", "16777217"},
        {"threads", "1 to 4096.", "1", "4096", "0", "4097"},
        {"workers", "1 to 64", "1", "64", "0", "65"},
        {"ahead", "1 to 64.", "1", "64", "0", "65"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char entry[2048];
        entry_of(table[i].key, entry, sizeof entry);
        if (!strstr(entry, table[i].said))
            fail_msg("%s: the page does not say '%s'", table[i].key, table[i].said);
        if (!parses(table[i].key, table[i].least) || !parses(table[i].key, table[i].most) ||
            parses(table[i].key, table[i].below) || parses(table[i].key, table[i].above))
            fail_msg("%s: its bounds are not '%s'", table[i].key, table[i].said);
    }
}

static void test_examples(void **state)
{
    struct runspec r;
    struct err e = ERR_INIT;
    int n = 0;

    (void)state;
    for (const char *p = page; (p = strstr(p, "\n.Dl ")); p++) {
        char text[RUNSPEC_MAX_BYTES + 1];
        const char *run = p + 5, *option = strstr(run, "--hpcai500="),
                   *agent = strstr(run, "hpcai500-agent "), *end = strchr(run, '\n');
        if (option && option < end)
            run = option + strlen("--hpcai500=");
        else if (agent && agent < end)
            run = agent + strlen("hpcai500-agent ");
        snprintf(text, sizeof text, "%.*s", (int)strcspn(run, " \n"), run);
        if (runspec_parse(&r, text, &e))
            fail_msg("%s: %s", text, e.text);
        n++;
    }
    assert_true(n > KEY_COUNT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_key),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_suite_times),
        cmocka_unit_test(test_examples),
    };

    return cmocka_run_group_tests(tests, load, NULL);
}
