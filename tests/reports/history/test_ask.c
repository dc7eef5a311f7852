/* SPDX-License-Identifier: BSD-3-Clause */
/* Asking and forgetting, also with hostile words. */
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

/* ---- asking ---- */

static void test_filters(void **state)
{
    struct site *s = *state;
    struct history_row row;

    for (long job = 1; job <= 30; job++)
        file_job(s, job, job % 3 ? "ada" : "bob", RUN_COMPLETE, job % 2);
    const struct {
        struct history_filter f;
        long rows;
    } cases[] = {
        {{.array_task = -1, .het_offset = -1}, 30},
        {{.array_task = -1, .het_offset = -1, .limit = 7}, 7},
        {{.array_task = -1, .het_offset = -1, .user = "bob"}, 10},
        {{.array_task = -1, .het_offset = -1, .user = "eve"}, 0},
        {{.array_task = -1, .het_offset = -1, .node = "n2"}, 30},
        {{.array_task = -1, .het_offset = -1, .node = "n2", .user = "bob"}, 10},
        {{.array_task = -1, .het_offset = -1, .node = "n3"}, 0},
        {{.array_task = -1, .het_offset = -1, .workload = "cosmoflow"}, 30},
        {{.array_task = -1, .het_offset = -1, .workload = "cosmoflow", .user = "ada"}, 20},
        {{.array_task = -1, .het_offset = -1, .cluster = "lab"}, 30},
        {{.array_task = -1, .het_offset = -1, .cluster = "other"}, 0},
        {{.array_task = -1, .het_offset = -1, .job = 4}, 1},
        {{.array_task = -1, .het_offset = -1, .key = "lab-4.0.3"}, 1},
        {{.array_task = -1, .het_offset = -1, .metric = "samples_per_second"}, 30},
        {{.array_task = -1, .het_offset = -1, .metric = "quality", .workload = "cosmoflow"}, 30},
        {{.array_task = -1, .het_offset = -1, .metric = "energy_joules"}, 0},
        {{.array_task = -1, .het_offset = -1, .metric = "quality", .user = "bob", .limit = 4}, 4},
        /* of the whole run, and of its own slowest rank */
        {{.array_task = -1, .het_offset = -1, .metric = "compute_max_seconds", .node = "n1"}, 60},
        {{.array_task = -1, .het_offset = -1, .metric = "compute_max_seconds", .job = 3}, 3},
        {{.array_task = -1, .het_offset = -1, .since = 1795374177 + 60 * 11}, 20},
        {{.array_task = -1, .het_offset = -1, .until = 1795374177 + 60 * 11}, 10},
        {{.array_task = -1,
          .het_offset = -1,
          .metric = "quality",
          .since = 1795374177 + 60 * 11,
          .until = 1795374177 + 60 * 21},
         10},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        long rows = ask(s->h, &cases[i].f, &row);
        if (rows != cases[i].rows)
            fail_msg("filter %zu gave %ld rows, not %ld", i, rows, cases[i].rows);
    }
    /* the newest stay under a limit, the oldest of them comes first */
    ask(s->h, &cases[1].f, &row);
    assert_int_equal(row.job, 30);
}

/* ---- hostile words (T7) ---- */

static void test_words_are_never_sql(void **state)
{
    static const char evil[] = "'; DROP TABLE run; --\"";
    struct site *s = *state;
    struct err e = ERR_INIT;
    struct record r;
    struct paper p;

    sample_record(&r, 4, 2, 3);
    snprintf(r.job.user, sizeof r.job.user, "%s", evil);
    snprintf(r.job.account, sizeof r.job.account, "%s", evil);
    snprintf(r.nodes[0].name, sizeof r.nodes[0].name, "%s", evil);
    snprintf(r.workloads[0].result.name, sizeof r.workloads[0].result.name, "%s", evil);
    snprintf(r.workloads[0].result.metric, sizeof r.workloads[0].result.metric, "%s", evil);
    write_paper(&p, &r);
    enum history_outcome outcome;
    assert_int_equal(history_file(s->h, &p.run, &p.record, evil, &outcome, &e), 0);
    tear_up(&p);
    const struct history_filter filters[] = {
        {.array_task = -1, .het_offset = -1, .user = evil},
        {.array_task = -1, .het_offset = -1, .node = evil},
        {.array_task = -1, .het_offset = -1, .workload = evil, .metric = "quality"},
    };
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(ask(s->h, &filters[i], NULL), 1);
    struct history_filter f = {.array_task = -1, .het_offset = -1, .metric = evil};
    assert_int_equal(ask(s->h, &f, NULL), 0);
    f = (struct history_filter){.array_task = -1, .het_offset = -1, .key = evil};
    assert_int_equal(ask(s->h, &f, NULL), 0);
    assert_int_equal(history_forget(s->h, &f, &e), 0);
    assert_int_equal(ask_all(s, NULL), 1);
    assert_int_equal(history_check(s->h, &e), 0);
    assert_int_equal(history_forget(s->h, &filters[0], &e), 1);
}

/* A record's word on a node where the run was not does not count. */
static void test_no_word_on_other_nodes(void **state)
{
    struct site *s = *state;
    struct paper p;
    const char *only[] = {"n1"};
    struct history_filter f = {
        .array_task = -1, .het_offset = -1, .metric = "compute_max_seconds", .node = "n2"};

    make_paper(&p, 1, "ada", RUN_COMPLETE);
    const char *const *claimed = p.run.nodes;
    p.run.nodes = only; /* what root saw */
    p.run.n_nodes = 1;
    p.run.witnessed = true;
    file(s, &p);
    p.run.nodes = claimed;
    tear_up(&p);
    assert_int_equal(ask(s->h, &f, NULL), 0);
    f.node = "n1";
    assert_int_equal(ask(s->h, &f, NULL), 2);
}

/* ---- forgetting ---- */

static void file_canary(struct site *s, long job, const char *canary)
{
    struct err e = ERR_INIT;
    struct record r;
    struct paper p;
    enum history_outcome outcome;

    sample_record(&r, 4, 2, 3);
    r.job.job_id = job;
    r.time.start.tv_sec += 60 * (job * 7919 % 1000);
    snprintf(r.job.user, sizeof r.job.user, "u-%s", canary);
    snprintf(r.job.account, sizeof r.job.account, "a-%s", canary);
    snprintf(r.job.partition, sizeof r.job.partition, "p-%s", canary);
    snprintf(r.run.text, sizeof r.run.text, "cosmoflow,out=/home/%s", canary);
    snprintf(r.nodes[0].name, sizeof r.nodes[0].name, "n-%s", canary);
    snprintf(r.workloads[0].result.class_name, sizeof r.workloads[0].result.class_name, "%s",
             canary);
    snprintf(r.workloads[0].result.name, sizeof r.workloads[0].result.name, "w-%s", canary);
    write_paper(&p, &r);
    p.record.witness = canary;
    char text[64];
    snprintf(text, sizeof text, "H5:%s", canary);
    assert_int_equal(history_file(s->h, &p.run, &p.record, text, &outcome, &e), 0);
    tear_up(&p);
}

static int grep(struct site *s, const char *what)
{
    char command[512];

    snprintf(command, sizeof command, "grep -rqaF '%s' '%s'", what, s->dir);
    return system(command) == 0;
}

/* Many runs of many people, so that pages were split and moved: not one byte
 * of the forgotten is left in the file, its log or the archive. */
static void test_forgetting_leaves_no_byte(void **state)
{
    struct site *s = *state;
    struct err e = ERR_INIT;
    struct history_filter f = HISTORY_FILTER_INIT;

    assert_int_equal(history_forget(s->h, &f, &e), -1);
    assert_string_equal(e.text, "name a user, a job or a run to forget");
    assert_int_equal(history_begin(s->h, &e), 0);
    for (long job = 1; job <= 600; job++)
        file_canary(s, job, job % 3 ? "KEEP" : "KANARI");
    assert_int_equal(history_commit(s->h, &e), 0);
    assert_true(grep(s, "KANARI"));
    f.user = "u-KANARI";
    assert_int_equal(history_forget(s->h, &f, &e), 200);
    assert_int_equal(history_check(s->h, &e), 0);
    assert_false(grep(s, "KANARI"));
    assert_int_equal(ask_all(s, NULL), 400);
    assert_true(grep(s, "KEEP"));
    assert_int_equal(history_forget(s->h, &f, &e), 0);

    f = (struct history_filter)HISTORY_FILTER_INIT;
    f.job = 1;
    f.cluster = "other";
    assert_int_equal(history_forget(s->h, &f, &e), 0);
    f.cluster = "lab";
    assert_int_equal(history_forget(s->h, &f, &e), 1);
    assert_int_equal(ask_all(s, NULL), 399);
    for (long job = 2; job <= 600; job++) {
        f.job = job;
        assert_true(history_forget(s->h, &f, &e) >= 0);
    }
    assert_int_equal(ask_all(s, NULL), 0);
    assert_false(grep(s, "KEEP"));
    assert_int_equal(rmdir(s->archive_dir), 0); /* records and folders are gone */
    assert_int_equal(mkdir(s->archive_dir, 0755), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_filters, site_setup, site_teardown),
        cmocka_unit_test_setup_teardown(test_words_are_never_sql, site_setup, site_teardown),
        cmocka_unit_test_setup_teardown(test_no_word_on_other_nodes, site_setup, site_teardown),
        cmocka_unit_test_setup_teardown(test_forgetting_leaves_no_byte, site_setup, site_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
