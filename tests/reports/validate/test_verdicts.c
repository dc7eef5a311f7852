/* SPDX-License-Identifier: BSD-3-Clause */
/* The file of verdicts: lines there and back, what a crash leaves, two filings of one run. */
#include <config.h>

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "reports/validate/causes.h"
#include "reports/validate/verdicts.h"
#include "tests/unit.h"

static char folder[] = "/tmp/verdictsXXXXXX", path[64];

static int make_folder(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/verdicts.jsonl", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder);
}

static struct verdict_line line_of(const char *node, const char *run, long time)
{
    struct verdict_line v = {.word = "SLOW",
                             .metric = "memory.triad",
                             .class = "AMD EPYC 7543 x64",
                             .loss = 48.1,
                             .limit = 4.3,
                             .blind = NAN,
                             .reason = "memory.triad -48 % vs baseline",
                             .job = 4711,
                             .time = time};

    snprintf(v.node, sizeof v.node, "%s", node);
    snprintf(v.run, sizeof v.run, "%s", run);
    return v;
}

static void test_line(void **state)
{
    struct verdict_line v = line_of("n\"03", "4711", 1764511620), back;
    char line[VERDICT_LINE_SIZE];

    (void)state;
    v.gated = true;
    assert_true(verdict_print(&v, line));
    assert_int_equal(line[strlen(line) - 1], '\n');
    assert_int_equal(verdict_line_parse(line, &back), 0);
    assert_string_equal(back.node, "n\"03");
    assert_string_equal(back.class, v.class);
    assert_int_equal(verdict_of(&back), VERDICT_SLOW);
    assert_true(back.gated);
    assert_true(fabs(back.loss - 48.1) < 1e-9 && fabs(back.limit - 4.3) < 1e-9);
    assert_true(isnan(back.blind));
    assert_int_equal(back.job, 4711);
    assert_int_equal(back.time, 1764511620);
    assert_string_equal(back.serial, "");
}

static void test_not_lines(void **state)
{
    static const char *const others[] = {
        "",
        "{}",
        "[1]",
        "{\"hpcai500\":\"verdict 2\",\"node\":\"n1\",\"verdict\":\"GOOD\",\"run\":\"1\"}",
        "{\"hpcai500\":\"carried 1\",\"node\":\"n1\",\"run\":\"1\"}",
        "{\"hpcai500\":\"verdict 1\",\"node\":\"n1\",\"verdict\":\"FINE\",\"run\":\"1\"}",
        "{\"hpcai500\":\"verdict 1\",\"verdict\":\"GOOD\",\"run\":\"1\"}",
        "{\"hpcai500\":\"verdict 1\",\"node\":\"n1\",\"verdict\":\"GOOD\",\"run\":\"1\"",
    };
    struct verdict_line v;

    (void)state;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_int_equal(verdict_line_parse(others[i], &v), -1);
}

static void test_file(void **state)
{
    struct verdict_line two[2] = {line_of("n1", "1", 100), line_of("n2", "1", 100)}, *v;
    struct verdict_line later[2] = {line_of("n1", "2", 200), line_of("n1", "2", 200)};
    struct err e = ERR_INIT;
    int n;

    (void)state;
    assert_int_equal(verdicts_read(path, &v, &n, &e), 0);
    assert_int_equal(n, 0);
    assert_null(v);
    assert_int_equal(verdicts_append(path, two, 2, &e), 0);
    assert_int_equal(verdicts_append(path, two, 2, &e), 0); /* adds nothing */
    assert_int_equal(verdicts_append(path, later, 1, &e), 0);
    assert_int_equal(verdicts_read(path, &v, &n, &e), 0);
    assert_int_equal(n, 3);
    assert_int_equal(verdicts_newest(v, n, "n1")->time, 200);
    assert_int_equal(verdicts_newest(v, n, "n2")->time, 100);
    assert_null(verdicts_newest(v, n, "n3"));
    free(v);
}

/* A crash in the middle of a line: that line is lost, and no other. */
static void test_cut_short(void **state)
{
    struct verdict_line one = line_of("n9", "3", 300), *v;
    struct err e = ERR_INIT;
    int n, fd = open(path, O_WRONLY | O_APPEND);

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "{\"hpcai500\":\"verd", 17), 17);
    close(fd);
    assert_int_equal(verdicts_append(path, &one, 1, &e), 0);
    assert_int_equal(verdicts_read(path, &v, &n, &e), 0);
    assert_int_equal(n, 4);
    assert_string_equal(v[3].node, "n9");
    free(v);
}

/* Writers at the same time: every line is whole. */
static void test_writers(void **state)
{
    struct err e = ERR_INIT;
    struct verdict_line *v;
    int n, status;

    (void)state;
    for (int w = 0; w < 4; w++)
        if (fork() == 0) {
            for (int i = 0; i < 20; i++) {
                char run[32];
                snprintf(run, sizeof run, "w%d-%d", w, i);
                struct verdict_line one = line_of("n1", run, 400);
                if (verdicts_append(path, &one, 1, NULL) < 0)
                    _exit(1);
            }
            _exit(0);
        }
    for (int w = 0; w < 4; w++) {
        assert_true(wait(&status) > 0);
        assert_int_equal(status, 0);
    }
    assert_int_equal(verdicts_read(path, &v, &n, &e), 0);
    assert_int_equal(n, 4 + 80);
    free(v);
}

/* The file has doubled again and again: of each node the newest verdict is there, of one
 * that was measured once too, and lines of another kind. */
static void test_kept(void **state)
{
    enum { NODES = 100, RUNS = 120 };
    static struct verdict_line all[NODES];
    struct verdict_line once = line_of("gone", "0", 1), *v;
    struct err e = ERR_INIT;
    struct stat st;
    char name[16], run[16], text[256] = "";
    int n, newest = 0;

    (void)state;
    unlink(path);
    assert_int_equal(verdicts_append(path, &once, 1, &e), 0);
    FILE *f = fopen(path, "a");
    assert_non_null(f);
    fputs("{\"hpcai500\":\"verdict 2\",\"node\":\"n1\"}\n", f);
    fclose(f);
    assert_int_equal(chmod(path, 0660), 0);
    for (int k = 1; k <= RUNS; k++) {
        for (int i = 0; i < NODES; i++) {
            snprintf(name, sizeof name, "n%d", i);
            snprintf(run, sizeof run, "r%d", k);
            all[i] = line_of(name, run, 1000 + k);
        }
        assert_int_equal(verdicts_append(path, all, NODES, &e), 0);
    }
    assert_int_equal(verdicts_read(path, &v, &n, &e), 0);
    assert_true(n >= NODES * VERDICTS_KEEP && n < NODES * RUNS / 2);
    for (int i = 0; i < NODES; i++) {
        snprintf(name, sizeof name, "n%d", i);
        newest += verdicts_newest(v, n, name)->time == 1000 + RUNS;
    }
    assert_int_equal(newest, NODES);
    assert_int_equal(verdicts_newest(v, n, "gone")->time, 1);
    free(v);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0660);
    assert_true(st.st_size < 2 * VERDICTS_LEAST);
    f = fopen(path, "r");
    assert_non_null(f);
    assert_non_null(fgets(text, sizeof text, f));
    assert_non_null(strstr(text, "renewed 1"));
    assert_non_null(fgets(text, sizeof text, f));
    assert_non_null(strstr(text, "verdict 2"));
    fclose(f);
}

/* What the site's nodes have had moves the priors, from the shipped ones on. */
static void test_causes(void **state)
{
    struct verdict_line v[24];
    char text[CAUSES_SIZE];

    (void)state;
    for (int i = 0; i < 24; i++) {
        v[i] = line_of("n1", "1", i);
        if (i < 10)
            snprintf(v[i].metric, sizeof v[i].metric, "disk.write");
        else
            snprintf(v[i].word, sizeof v[i].word, "GOOD"); /* says nothing of causes */
    }
    causes_text(v + 10, 14, text);
    assert_string_equal(text, "");
    causes_text(v, 24, text);
    assert_string_equal(text, "network:0.200,memory:0.100,compute:0.075,disk:0.550,numbers:0.025,"
                              "rest:0.050");
    for (int i = 0; i < 10; i++) {
        v[i].metric[0] = '\0';
        snprintf(v[i].reason, sizeof v[i].reason, "hpcai500: correct: core 1: 1 of 60 differ");
    }
    causes_text(v, 24, text);
    assert_non_null(strstr(text, "numbers:0.525"));
}

static void test_refused(void **state)
{
    struct verdict_line one = line_of("n1", "9", 1);
    struct err e = ERR_INIT;
    char text[256];

    (void)state;
    assert_int_equal(verdicts_append("/nowhere/at/all", &one, 1, &e), -1);
    assert_string_equal(e.text,
                        "the verdicts /nowhere/at/all cannot be opened: No such file or directory");
    assert_int_equal(verdicts_path("/var/lib/hpcai500/history.sqlite", text, sizeof text, &e), 0);
    assert_string_equal(text, "/var/lib/hpcai500/verdicts.jsonl");
    assert_int_equal(verdicts_path("h.sqlite", text, sizeof text, &e), 0);
    assert_string_equal(text, "./verdicts.jsonl");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_line),    cmocka_unit_test(test_not_lines),
        cmocka_unit_test(test_file),    cmocka_unit_test(test_cut_short),
        cmocka_unit_test(test_writers), cmocka_unit_test(test_kept),
        cmocka_unit_test(test_causes),  cmocka_unit_test(test_refused),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
