/* SPDX-License-Identifier: BSD-3-Clause */
/* The file itself: its versions, damage, and several processes at once. */
#include <config.h>

#include <dirent.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cjson/cJSON.h>
#include <sqlite3.h>

#include "reports/history/history.h"
#include "tests/reports/history/site.h"
#include "tests/reports/record/sample.h"
#include "tests/unit.h"

/* ---- versions ---- */

/* One row's first column of a statement on a file of its own connection. */
static long sql_number(const char *path, const char *sql)
{
    sqlite3 *db;
    sqlite3_stmt *s;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &s, NULL), SQLITE_OK);
    long n = sqlite3_step(s) == SQLITE_ROW ? (long)sqlite3_column_int64(s, 0) : -1;
    sqlite3_finalize(s);
    sqlite3_close(db);
    return n;
}

static void sql_file(const char *path, const char *file)
{
    const char *top = getenv("top_srcdir");
    char name[PATH_MAX], *text = calloc(1, 1 << 16);
    sqlite3 *db;

    snprintf(name, sizeof name, "%s/tests/reports/history/%s", top ? top : ".", file);
    FILE *f = fopen(name, "r");
    assert_non_null(f);
    assert_true(fread(text, 1, (1 << 16) - 1, f) > 0);
    fclose(f);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    free(text);
}

static void test_an_older_file_is_brought_on(void **state)
{
    struct site *s = *state;
    struct err e = ERR_INIT;
    struct history_row row;
    char old[128];

    snprintf(old, sizeof old, "%s/old.sqlite", s->dir);
    sql_file(old, "history_v1.sql");
    assert_int_equal(sql_number(old, "PRAGMA user_version"), 1);
    assert_null(history_open_reader(old, &e));
    assert_non_null(strstr(e.text, "is of version 1, older than this release"));
    struct history *h = history_open_writer(old, s->archive, &e);
    assert_non_null(h);
    assert_int_equal(ask(h, &(struct history_filter)HISTORY_FILTER_INIT, &row), 1);
    assert_int_equal(row.job, 4711);
    assert_int_equal(history_check(h, &e), 0);
    long waiting;
    int64_t since;
    assert_int_equal(history_outbox_size(h, &waiting, &since, &e), 0);
    history_close(h);
    assert_int_equal(sql_number(old, "PRAGMA user_version"), HISTORY_VERSION);
}

static void test_a_newer_file_is_refused(void **state)
{
    struct site *s = *state;
    struct err e = ERR_INIT;

    close_site(s);
    sql_number(s->db, "PRAGMA user_version = 99");
    assert_null(history_open_writer(s->db, NULL, &e));
    char said[64];
    snprintf(said, sizeof said, "is of version 99, this release reads up to %d", HISTORY_VERSION);
    assert_non_null(strstr(e.text, said));
    e.text[0] = '\0';
    assert_null(history_open_reader(s->db, &e));
    assert_non_null(strstr(e.text, "is of version 99"));
    assert_int_equal(sql_number(s->db, "PRAGMA user_version"), 99);
}

static void test_what_is_no_history(void **state)
{
    struct site *s = *state;
    struct err e = ERR_INIT;
    char path[128];

    snprintf(path, sizeof path, "%s/none", s->dir);
    assert_null(history_open_reader(path, &e));
    assert_non_null(strstr(e.text, "no history at "));
    FILE *f = fopen(path, "w");
    fprintf(f, "this is a text of a person, and it is long enough to be looked at\n");
    fclose(f);
    assert_null(history_open_writer(path, NULL, &e));
    assert_non_null(strstr(e.text, "file is not a database"));
    snprintf(path, sizeof path, "%s/link", s->dir);
    assert_int_equal(symlink(s->db, path), 0);
    assert_null(history_open_writer(path, NULL, &e));
    assert_null(history_open_writer(s->dir, NULL, &e));
}

static void test_damage_is_found(void **state)
{
    struct site *s = *state;
    struct err e = ERR_INIT;
    struct stat st;

    for (long job = 1; job <= 50; job++)
        file_job(s, job, "ada", RUN_COMPLETE, true);
    assert_int_equal(history_check(s->h, &e), 0);
    close_site(s);
    sql_number(s->db, "PRAGMA wal_checkpoint(TRUNCATE)");
    assert_int_equal(stat(s->db, &st), 0);
    int fd = open(s->db, O_WRONLY);
    char noise[4096];
    memset(noise, 0x5a, sizeof noise);
    assert_int_equal(pwrite(fd, noise, sizeof noise, st.st_size / 2 / 4096 * 4096), 4096);
    close(fd);
    open_site(s);
    assert_int_equal(history_check(s->h, &e), -1);
    assert_non_null(strstr(e.text, "is damaged: "));
}

/* ---- several processes ---- */

/* Every run is whole: parts, numbers, nodes, and its file in the archive. */
static void assert_whole(struct site *s, struct history *h)
{
    struct err e = ERR_INIT;
    struct history_filter f = HISTORY_FILTER_INIT;
    struct history_row row;
    size_t size;
    long runs = ask(h, &f, NULL);
    struct history_query *q;

    f.metric = "samples_per_second";
    assert_int_equal(ask(h, &f, NULL), runs);
    f.metric = "counter_instructions"; /* the last that is filed */
    assert_int_equal(ask(h, &f, NULL), runs);
    f.node = "n2";
    assert_int_equal(ask(h, &f, NULL), runs);
    f = (struct history_filter)HISTORY_FILTER_INIT;
    assert_non_null(q = history_ask(h, &f, &e));
    while (history_next(q, &row, &e) > 0) {
        char *text = archive_get(s->archive, row.archive, &size, &e);
        if (!text)
            fail_msg("%s", e.text);
        assert_non_null(strstr(text, row.key));
        free(text);
    }
    history_done(q);
    assert_int_equal(history_check(h, &e), 0);
}

/* A child that files jobs first..last, `batch` in one transaction, and says
 * nothing. */
static pid_t start_writer(struct site *s, long first, long last, int batch)
{
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid)
        return pid;
    struct err e = ERR_INIT;
    struct archive *a = archive_open(s->archive_dir, &e);
    struct history *h = history_open_writer(s->db, a, &e);
    for (long job = first; h && job <= last; job++) {
        struct paper p;
        enum history_outcome outcome;
        make_paper(&p, job, "ada", RUN_COMPLETE);
        p.record.witness = job % 2 ? "MUNGE:x:" : NULL;
        if (batch > 1 && (job - first) % batch == 0 && history_begin(h, &e) < 0)
            _exit(1);
        if (history_file(h, &p.run, &p.record, "H5:x", &outcome, &e) < 0)
            _exit(1);
        if (batch > 1 && (job - first) % batch == batch - 1 && history_commit(h, &e) < 0)
            _exit(1);
        tear_up(&p);
    }
    history_close(h);
    _exit(h ? 0 : 1);
}

static void test_reading_while_it_is_written(void **state)
{
    struct site *s = *state;
    struct err e = ERR_INIT;
    struct history_filter f = HISTORY_FILTER_INIT;
    long seen = 0;
    int status = 0;

    pid_t pid = start_writer(s, 1, 200, 1);
    struct history *reader = history_open_reader(s->db, &e);
    assert_non_null(reader);
    for (pid_t done = 0; done == 0;) {
        done = waitpid(pid, &status, WNOHANG);
        f.metric = NULL;
        long runs = ask(reader, &f, NULL);
        f.metric = "counter_instructions";
        assert_true(ask(reader, &f, NULL) >= runs);
        assert_true(runs >= seen);
        seen = runs;
    }
    assert_int_equal(status, 0);
    assert_int_equal(ask_all(s, NULL), 200);
    assert_whole(s, reader);
    history_close(reader);
}

static void test_two_writers_share(void **state)
{
    struct site *s = *state;
    int status;

    pid_t a = start_writer(s, 1, 60, 1), b = start_writer(s, 31, 90, 5);
    assert_int_equal(waitpid(a, &status, 0), a);
    assert_int_equal(status, 0);
    assert_int_equal(waitpid(b, &status, 0), b);
    assert_int_equal(status, 0);
    assert_int_equal(ask_all(s, NULL), 90);
    assert_whole(s, s->h);
}

/* kill -9 at any time: what is there is whole, and filing again completes it. */
static void test_a_killed_writer(void **state)
{
    struct site *s = *state;
    int status, killed = 0;

    close_site(s);
    for (int i = 0; i < 40; i++) {
        pid_t pid = start_writer(s, 1 + 10 * i, 400 + 10 * i, i % 2 ? 8 : 1);
        usleep(5000u + 7919u * (unsigned)i % 150000u);
        kill(pid, SIGKILL);
        waitpid(pid, &status, 0);
        killed += WIFSIGNALED(status);
        open_site(s);
        assert_whole(s, s->h);
        close_site(s);
    }
    open_site(s);
    assert_true(killed > 0);
    print_message("%d writers killed, %ld runs whole\n", killed, ask_all(s, NULL));
}

/* Who may only read the folder can ask, whether or not a writer is there. */
static void test_a_reader_of_no_rights(void **state)
{
    struct site *s = *state;
    int status;

    if (geteuid() != 0)
        skip();
    file_job(s, 1, "ada", RUN_COMPLETE, true);
    assert_int_equal(chmod(s->dir, 0755), 0);
    char command[256];
    snprintf(command, sizeof command, "chmod 644 %s*", s->db);
    assert_int_equal(system(command), 0);
    for (int closed = 0; closed < 2; closed++) {
        if (closed)
            close_site(s);
        pid_t pid = fork();
        if (pid == 0) {
            struct err e = ERR_INIT;
            struct history_filter f = HISTORY_FILTER_INIT;
            struct history_row row;
            if (setgid(65534) < 0 || setuid(65534) < 0)
                _exit(9);
            struct history *h = history_open_reader(s->db, &e);
            struct history_query *q = h ? history_ask(h, &f, &e) : NULL;
            int rc = q ? history_next(q, &row, &e) : -1;
            if (rc != 1)
                fprintf(stderr, "%s\n", e.text);
            _exit(rc == 1 ? 0 : 1);
        }
        waitpid(pid, &status, 0);
        assert_int_equal(status, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_an_older_file_is_brought_on, site_setup,
                                        site_teardown),
        cmocka_unit_test_setup_teardown(test_a_newer_file_is_refused, site_setup, site_teardown),
        cmocka_unit_test_setup_teardown(test_what_is_no_history, site_setup, site_teardown),
        cmocka_unit_test_setup_teardown(test_damage_is_found, site_setup, site_teardown),
        cmocka_unit_test_setup_teardown(test_reading_while_it_is_written, site_setup,
                                        site_teardown),
        cmocka_unit_test_setup_teardown(test_two_writers_share, site_setup, site_teardown),
        cmocka_unit_test_setup_teardown(test_a_killed_writer, site_setup, site_teardown),
        cmocka_unit_test_setup_teardown(test_a_reader_of_no_rights, site_setup, site_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
