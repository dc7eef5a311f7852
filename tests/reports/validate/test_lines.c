/* SPDX-License-Identifier: BSD-3-Clause */
/* A file of lines that is written anew while others append, and while they are killed. */
#include <config.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "reports/validate/lines.h"
#include "reports/validate/names.h"
#include "tests/unit.h"

enum { WRITERS = 3, KILLS = 150, LEAST = 4096, LINE = 128 };

static char folder[] = "/tmp/test_linesXXXXXX", path[64];

static int make_folder(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/values.jsonl", folder);
    return 0;
}

static int remove_folder(void **state)
{
    char temporary[96];

    (void)state;
    snprintf(temporary, sizeof temporary, "%s/.values.jsonl.tmp", folder);
    unlink(temporary);
    unlink(path);
    return rmdir(folder);
}

/* ---- writers ---- */

/* What a file of "{"hpcai500":"test 1","writer":W,"line":N}" has. */
struct seen {
    long newest[WRITERS]; /* 0: none */
    long n, broken, disorder;
};

static int take(const char *line, void *ctx, struct err *e)
{
    struct seen *s = ctx;
    char again[LINE];
    long n;
    int w;

    (void)e;
    if (lines_is(line, "renewed 1"))
        return 0;
    if (sscanf(line, "{\"hpcai500\":\"test 1\",\"writer\":%d,\"line\":%ld}", &w, &n) != 2 ||
        w < 0 || w >= WRITERS) {
        s->broken++;
        return 0;
    }
    snprintf(again, sizeof again, "{\"hpcai500\":\"test 1\",\"writer\":%d,\"line\":%ld}", w, n);
    s->broken += strcmp(line, again) != 0;
    s->disorder += s->newest[w] && n != s->newest[w] + 1; /* one before it is lost */
    s->newest[w] = n;
    s->n++;
    return 0;
}

static struct seen look(void)
{
    struct seen s = {.n = 0};
    char line[LINE];

    assert_int_equal(lines_read("the file", path, line, sizeof line, take, &s, NULL), 0);
    return s;
}

/* The newest line of each writer stays. */
static int put(FILE *f, void *ctx)
{
    struct seen s = {.n = 0};
    char line[LINE];

    (void)ctx;
    if (lines_read("the file", path, line, sizeof line, take, &s, NULL) < 0)
        return -1;
    for (int w = 0; w < WRITERS; w++)
        if (s.newest[w])
            fprintf(f, "{\"hpcai500\":\"test 1\",\"writer\":%d,\"line\":%ld}\n", w, s.newest[w]);
    return 0;
}

/* Appends line after line, each said to `to` when it is on the device. */
static void write_on(int w, long n, int to)
{
    for (;; n++) {
        struct lines l;
        char line[LINE];
        int size = snprintf(line, sizeof line,
                            "{\"hpcai500\":\"test 1\",\"writer\":%d,\"line\":%ld}\n", w, n);
        if (lines_open(&l, "the file", path, NULL) < 0 ||
            lines_add(&l, line, (size_t)size, NULL) < 0 || write(to, &n, sizeof n) != sizeof n)
            _exit(1);
        if (lines_full(&l, LEAST) && lines_renew(&l, put, NULL) < 0)
            _exit(2);
        lines_close(&l);
    }
}

struct writer {
    pid_t pid;
    int from;
    long said;
};

static void start(struct writer *w, int is)
{
    int ends[2];

    assert_int_equal(pipe(ends), 0);
    w->pid = fork();
    assert_true(w->pid >= 0);
    if (w->pid == 0) {
        close(ends[0]);
        write_on(is, w->said + 1, ends[1]);
    }
    close(ends[1]);
    w->from = ends[0];
}

/* After some lines, killed; all that it said is read. */
static void end(struct writer *w, int lines)
{
    int status;
    long n;

    for (int i = 0; i < lines && read(w->from, &n, sizeof n) == sizeof n; i++)
        w->said = n;
    kill(w->pid, SIGKILL);
    while (read(w->from, &n, sizeof n) == sizeof n)
        w->said = n;
    close(w->from);
    assert_int_equal(waitpid(w->pid, &status, 0), w->pid);
    assert_true(WIFSIGNALED(status)); /* and not ended by a failure of its own */
}

/* Whoever is killed anywhere: what was on the device is there or gave way to something
 * newer, no line is broken but one that was cut, and the file stays small. */
static void test_killed(void **state)
{
    struct writer w[WRITERS] = {{.pid = 0}};
    struct stat st;

    (void)state;
    srand(1);
    for (int i = 0; i < WRITERS; i++)
        start(&w[i], i);
    for (int k = 0; k < KILLS; k++) {
        const int is = rand() % WRITERS;
        end(&w[is], rand() % 40);
        const struct seen s = look();
        assert_true(s.newest[is] == w[is].said || s.newest[is] == w[is].said + 1);
        w[is].said = s.newest[is];
        assert_int_equal(s.disorder, 0);
        start(&w[is], is);
    }
    for (int i = 0; i < WRITERS; i++)
        end(&w[i], 1);
    const struct seen s = look();
    for (int i = 0; i < WRITERS; i++)
        assert_true(s.newest[i] >= w[i].said && s.newest[i] <= w[i].said + 1 && w[i].said > 0);
    assert_true(s.broken <= KILLS); /* cut short by a kill, and nothing else */
    assert_int_equal(stat(path, &st), 0);
    assert_true(st.st_size <= 2 * LEAST);
}

/* ---- one writer ---- */

static int put_nothing(FILE *f, void *ctx)
{
    (void)f, (void)ctx;
    return 0;
}

static int put_fails(FILE *f, void *ctx)
{
    (void)ctx;
    fputs("half", f);
    return -1;
}

static long size_of(const char *file)
{
    struct stat st;

    return stat(file, &st) == 0 ? (long)st.st_size : -1;
}

static void test_renew(void **state)
{
    struct err e = ERR_INIT;
    struct lines l;
    char temporary[96];

    (void)state;
    unlink(path);
    assert_int_equal(lines_open(&l, "the file", path, &e), 0);
    assert_int_equal(lines_add(&l, "{\"a\":1}\n", 8, &e), 0);
    assert_false(lines_full(&l, 9));
    assert_true(lines_full(&l, 8));
    assert_int_equal(lines_renew(&l, put_fails, NULL), -1);
    assert_int_equal(size_of(path), 8);
    snprintf(temporary, sizeof temporary, "%s/.values.jsonl.tmp", folder);
    assert_int_equal(size_of(temporary), -1);

    assert_int_equal(lines_open(&l, "the file", path, &e), 0);
    assert_int_equal(lines_renew(&l, put_nothing, NULL), 0);
    const long mark = size_of(path);
    assert_true(mark > 0 && mark < 64);
    assert_int_equal(lines_open(&l, "the file", path, &e), 0);
    assert_false(lines_full(&l, 1)); /* not twice as large as it was */
    for (long n = 0; n < mark; n += 8)
        assert_int_equal(lines_add(&l, "{\"a\":1}\n", 8, &e), 0);
    assert_true(lines_full(&l, 1));
    lines_close(&l);
}

static int count(const char *line, void *ctx, struct err *e)
{
    (void)line, (void)e;
    ++*(int *)ctx;
    return 0;
}

/* A line that is too long is none, nor are its pieces, nor is one without an end, nor what a
 * crash left of zeros: what comes behind it counts. */
static void test_lengths(void **state)
{
    static const char zeros[50] = "";
    FILE *f = fopen(path, "w");
    char line[16];
    int n = 0;

    (void)state;
    assert_non_null(f);
    fputs("short\n012345678901234567890123456789\nfourteen bytes\nfifteen bytes !\n", f);
    fwrite("half", 1, 5, f);
    fputs("\none\n", f);
    fwrite(zeros, 1, sizeof zeros, f);
    fputs("\ntwo\nend", f);
    fclose(f);
    assert_int_equal(lines_read("the file", path, line, sizeof line, count, &n, NULL), 0);
    assert_int_equal(n, 4);
    assert_int_equal(lines_read("the file", "/nowhere/at/all", line, sizeof line, count, &n, NULL),
                     0);
    assert_int_equal(n, 4);
}

static void test_names(void **state)
{
    struct names names = {0};
    char name[200];

    (void)state;
    assert_int_equal(names_find(&names, "a"), -1);
    for (int i = 0; i < 5000; i++) {
        snprintf(name, sizeof name, "node%d", i);
        assert_int_equal(names_add(&names, name), i);
    }
    assert_int_equal(names_add(&names, "node77"), 77);
    assert_int_equal(names_find(&names, "node4999"), 4999);
    assert_int_equal(names_find(&names, "node5000"), -1);
    memset(name, 'x', sizeof name);
    name[199] = '\0';
    assert_int_equal(names_add(&names, name), 5000);
    assert_int_equal(names_add(&names, name), 5000); /* cut alike */
    names_fini(&names);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_killed),
        cmocka_unit_test(test_renew),
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_names),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
