/* SPDX-License-Identifier: BSD-3-Clause */
/* Filing: what stands, what comes, the archive and the outbox. */
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

/* ---- filing ---- */

static void test_same_record_twice(void **state)
{
    struct site *s = *state;
    struct history_row row;

    assert_int_equal(file_job(s, 1, "ada", RUN_COMPLETE, false), HISTORY_FILED);
    for (int i = 0; i < 3; i++)
        assert_int_equal(file_job(s, 1, "ada", RUN_COMPLETE, false), HISTORY_SAME);
    assert_int_equal(ask_all(s, &row), 1);
    assert_int_equal(row.job, 1);
    assert_int_equal(row.status, RUN_COMPLETE);
    assert_false(row.witnessed);
    assert_int_equal(row.n_nodes, 2);
    assert_true(row.samples_per_second == 61.5);
}

/* Each pair of kinds in both orders: the better one stands, whichever came
 * first. */
static void test_the_better_one_stands(void **state)
{
    static const struct {
        enum run_status status;
        bool witnessed;
    } kinds[] = {{RUN_CRASHED, false}, {RUN_PARTIAL, false}, {RUN_COMPLETE, false},
                 {RUN_CRASHED, true},  {RUN_PARTIAL, true},  {RUN_COMPLETE, true}};
    struct site *s = *state;
    struct history_row row;
    long job = 1;

    for (int a = 0; a < 6; a++)
        for (int b = 0; b < 6; b++, job++) {
            int best = a > b ? a : b;
            assert_int_equal(file_job(s, job, "ada", kinds[a].status, kinds[a].witnessed),
                             HISTORY_FILED);
            assert_int_equal(file_job(s, job, "ada", kinds[b].status, kinds[b].witnessed),
                             b > a ? HISTORY_REPLACED
                             : b < a
                                 ? kinds[a].status == kinds[b].status ? HISTORY_SAME : HISTORY_KEPT
                                 : HISTORY_SAME);
            assert_int_equal(ask_job(s, job, &row), 1);
            assert_int_equal(row.status, kinds[best].status);
            assert_int_equal(row.witnessed, kinds[best].witnessed);
        }
}

static void file_none(struct site *s, long job, enum history_outcome wanted)
{
    struct err e = ERR_INIT;
    enum history_outcome outcome;
    const char *nodes[] = {"n1"};
    struct history_run run = {.cluster = "lab",
                              .job = job,
                              .array_job = -1,
                              .array_task = -1,
                              .het_job = -1,
                              .het_offset = -1,
                              .uid = 1000,
                              .user = "ada",
                              .nodes = nodes,
                              .n_nodes = 1,
                              .begin = 1795374177,
                              .status = HISTORY_NONE,
                              .witnessed = true,
                              .asked = "cosmoflow"};

    history_file(s->h, &run, &(struct history_record){0}, NULL, &outcome, &e);
    assert_string_equal(e.text, "");
    assert_int_equal(outcome, wanted);
}

static void test_asked_but_no_record(void **state)
{
    struct site *s = *state;
    struct history_row row;

    file_none(s, 5, HISTORY_FILED);
    file_none(s, 5, HISTORY_SAME);
    assert_int_equal(ask_job(s, 5, &row), 1);
    assert_int_equal(row.status, HISTORY_NONE);
    assert_int_equal(row.position, -1);
    assert_true(isnan(row.samples_per_second));
    assert_int_equal(file_job(s, 5, "ada", RUN_PARTIAL, false), HISTORY_FILED);
    assert_int_equal(ask_job(s, 5, &row), 1);
    assert_int_equal(row.status, RUN_PARTIAL);
    file_none(s, 5, HISTORY_KEPT);
    assert_int_equal(ask_job(s, 5, &row), 1);
}

/* Without Slurm, a task of an array, and as large as records come. */
static void test_records_of_other_kinds(void **state)
{
    struct site *s = *state;
    struct history_row row;
    struct record r;
    struct paper p;

    sample_record(&r, 1, 1, 1);
    r.job.present = false;
    write_paper(&p, &r);
    assert_int_equal(file(s, &p), HISTORY_FILED);
    assert_int_equal(file(s, &p), HISTORY_SAME);
    tear_up(&p);
    assert_int_equal(ask_all(s, &row), 1);
    assert_int_equal(row.job, -1);
    assert_int_equal(row.n_nodes, 1);

    sample_record(&r, 4, 2, 3);
    r.job.job_id = 4713;
    r.job.array_job_id = 4711;
    r.job.array_task_id = 2;
    write_paper(&p, &r);
    assert_int_equal(file(s, &p), HISTORY_FILED);
    tear_up(&p);
    assert_int_equal(ask_job(s, 4711, &row), 1); /* the array */
    assert_int_equal(ask_job(s, 4713, &row), 1); /* the task's own number */
    struct history_filter f = HISTORY_FILTER_INIT;
    f.key = "lab-4711_2.0.3";
    assert_int_equal(ask(s->h, &f, &row), 1);

    sample_record(&r, 4096, 1024, 400);
    r.job.job_id = 4714;
    write_paper(&p, &r);
    assert_true(p.run.n_nodes > 100);
    assert_int_equal(file(s, &p), HISTORY_FILED);
    tear_up(&p);
    assert_int_equal(ask_job(s, 4714, &row), 1);
}

static void test_keys(void **state)
{
    static const struct {
        struct history_run run;
        const char *key;
    } cases[] = {
        {{.cluster = "lab", .job = 7, .step = "0", .array_task = -1, .het_offset = -1},
         "lab-7.0.0"},
        {{.cluster = "lab",
          .job = 9,
          .step = "batch",
          .restart = 2,
          .array_job = 8,
          .array_task = 3},
         "lab-8_3.2.batch"},
        {{.cluster = "lab", .job = 9, .step = "0", .het_job = 8, .het_offset = 1, .array_task = -1},
         "lab-8+1.0.0"},
        {{.cluster = "lab", .job = 9, .status = HISTORY_NONE}, "lab-9.0"},
        {{.local_id = "local-20261122T190257Z-42"}, "local-20261122T190257Z-42"},
        {{.local_id = "lab-7.0.0"}, NULL},
        {{.local_id = "local-../../x"}, NULL},
        {{.cluster = "lab", .step = "0"}, NULL},
        {{.cluster = "", .job = 7, .step = "0"}, NULL},
        {{.cluster = "a/b", .job = 7, .step = "0"}, NULL},
        {{.cluster = "lab", .job = 7, .step = "0 1"}, NULL},
        {{.cluster = "lab", .job = 7}, NULL},
        {{.cluster = "lab", .job = 7, .step = "0", .status = HISTORY_NONE}, NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char key[HISTORY_KEY_SIZE] = "";
        assert_int_equal(history_key(&cases[i].run, key), cases[i].key != NULL);
        if (cases[i].key)
            assert_string_equal(key, cases[i].key);
    }
}

static void test_a_batch_is_all_or_nothing(void **state)
{
    struct site *s = *state;
    struct err e = ERR_INIT;
    struct paper p;
    enum history_outcome outcome;

    assert_int_equal(history_begin(s->h, &e), 0);
    for (long job = 1; job <= 20; job++)
        assert_int_equal(file_job(s, job, "ada", RUN_COMPLETE, true), HISTORY_FILED);
    history_rollback(s->h);
    assert_int_equal(ask_all(s, NULL), 0);

    assert_int_equal(history_begin(s->h, &e), 0);
    assert_int_equal(file_job(s, 1, "ada", RUN_COMPLETE, true), HISTORY_FILED);
    make_paper(&p, 2, "ada", RUN_COMPLETE);
    char long_text[HISTORY_MAX_TEXT + 1];
    memset(long_text, 'x', sizeof long_text - 1);
    long_text[HISTORY_MAX_TEXT] = '\0';
    assert_int_equal(history_file(s->h, &p.run, &p.record, long_text, &outcome, &e), -1);
    assert_string_equal(e.text, "lab-2.0.3: 4096 bytes are too many for accounting");
    tear_up(&p);
    assert_int_equal(history_commit(s->h, &e), -0);
    assert_int_equal(ask_all(s, NULL), 1);
}

/* ---- the archive ---- */

/* A record that is replaced in the batch it came in, with credentials and
 * without; one that is rolled back leaves nothing. */
static void test_archive_in_a_batch(void **state)
{
    struct site *s = *state;
    struct err e = ERR_INIT;
    char place[ARCHIVE_PLACE_SIZE], command[512];
    size_t size;

    archive_place("lab-1.0.3", 1795374177, place);
    for (int k = 0; k < 16; k++) {
        archive_begin(s->archive);
        const struct archive_item one = {"one",
                                         3,
                                         k & 1 ? "MUNGE:1:" : NULL,
                                         {k & 4 ? "ranks 1" : NULL, k & 4 ? 7 : 0},
                                         {k & 8 ? "steps 1" : NULL, k & 8 ? 7 : 0}};
        const struct archive_item two = {"two",
                                         3,
                                         k & 2 ? "MUNGE:2:" : NULL,
                                         {k & 8 ? "ranks 2" : NULL, k & 8 ? 7 : 0},
                                         {k & 4 ? "steps 2" : NULL, k & 4 ? 7 : 0}};
        assert_int_equal(archive_put(s->archive, place, &one, &e), 0);
        assert_int_equal(archive_put(s->archive, place, &two, &e), 0);
        assert_int_equal(archive_commit(s->archive, &e), 0);
        char *text = archive_get(s->archive, place, &size, &e);
        assert_string_equal(text, "two");
        free(text);
        text = archive_witness(s->archive, place, &size, &e);
        assert_int_equal(text != NULL, (k & 2) != 0);
        if (text)
            assert_string_equal(text, "MUNGE:2:");
        free(text);
        text = archive_steps(s->archive, place, &size, &e);
        assert_int_equal(text != NULL, (k & 4) != 0);
        if (text)
            assert_string_equal(text, "steps 2");
        free(text);
    }
    archive_begin(s->archive);
    const struct archive_item three = {.text = "three", .size = 5};
    assert_int_equal(archive_put(s->archive, place, &three, &e), 0);
    archive_rollback(s->archive);
    char *text = archive_get(s->archive, place, &size, &e);
    assert_string_equal(text, "two");
    free(text);
    snprintf(command, sizeof command, "! find %s -name '*.tmp' | grep .", s->archive_dir);
    assert_int_equal(system(command), 0);
}

static void test_archive(void **state)
{
    struct site *s = *state;
    struct err e = ERR_INIT;
    struct paper p;
    char place[ARCHIVE_PLACE_SIZE], path[512];
    size_t size;

    archive_place("lab-1.0.3", 1795374177, place);
    assert_string_equal(place, "2026/11/22/lab-1.0.3.json.gz");
    archive_place("../x y", -5, place);
    assert_string_equal(place, "1970/01/01/_._x_y.json.gz");

    make_paper(&p, 1, "ada", RUN_COMPLETE);
    p.record.witness = "MUNGE:abc:\n";
    file(s, &p);
    archive_place("lab-1.0.3", p.run.begin, place);
    char *text = archive_get(s->archive, place, &size, &e);
    assert_int_equal(size, p.record.size);
    assert_memory_equal(text, p.text, size);
    free(text);
    text = archive_witness(s->archive, place, &size, &e);
    assert_string_equal(text, "MUNGE:abc:\n");
    free(text);

    /* a better record without credentials: the old ones do not stay beside it */
    p.run.witnessed = true;
    p.record.witness = NULL;
    assert_int_equal(file(s, &p), HISTORY_REPLACED);
    assert_null(archive_witness(s->archive, place, &size, &e));
    assert_string_equal(e.text, "");

    static const char *const bad[] = {"/etc/passwd", "2026/11/22/../../../x.json.gz",
                                      "2026/11/22/.json.gz", "2026/11/22/x.json", ""};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_null(archive_get(s->archive, bad[i], &size, &e));
        assert_non_null(strstr(e.text, "is not a place in an archive"));
        assert_int_equal(archive_remove(s->archive, bad[i], &e), -1);
    }
    snprintf(path, sizeof path, "%s/%s", s->archive_dir, place);
    assert_int_equal(truncate(path, 100), 0);
    assert_null(archive_get(s->archive, place, &size, &e));
    assert_non_null(strstr(e.text, "cut off"));
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink("/etc/hostname", path), 0);
    assert_null(archive_get(s->archive, place, &size, &e));
    assert_int_equal(archive_remove(s->archive, place, &e), 0);
    assert_int_equal(archive_remove(s->archive, place, &e), 0);
    snprintf(path, sizeof path, "%s/2026", s->archive_dir);
    assert_int_equal(access(path, F_OK), -1);
    tear_up(&p);
}

/* A megabyte of gzip that unpacks to a gigabyte stops at the bound. */
static void test_archive_bomb(void **state)
{
    struct site *s = *state;
    struct err e = ERR_INIT;
    char command[512];
    size_t size;

    snprintf(command, sizeof command,
             "mkdir -p %s/2026/11/22 && head -c 100000000 /dev/zero | gzip -1 "
             ">%s/2026/11/22/bomb.json.gz",
             s->archive_dir, s->archive_dir);
    assert_int_equal(system(command), 0);
    assert_null(archive_get(s->archive, "2026/11/22/bomb.json.gz", &size, &e));
    assert_non_null(strstr(e.text, "unpacks to more than a record may have"));
}

/* ---- the outbox ---- */

static void test_outbox(void **state)
{
    struct site *s = *state;
    struct err e = ERR_INIT;
    struct history_outbox o[4];
    struct paper p;
    enum history_outcome outcome;
    long waiting;
    int64_t since;

    make_paper(&p, 1, "ada", RUN_PARTIAL);
    assert_int_equal(history_file(s->h, &p.run, &p.record, "H5:first", &outcome, &e), 0);
    assert_int_equal(history_file(s->h, &p.run, &p.record, "H5:again", &outcome, &e), 0);
    assert_int_equal(outcome, HISTORY_SAME);
    assert_int_equal(history_outbox_due(s->h, 1000, o, 4, &e), 1);
    assert_string_equal(o[0].text, "H5:first");
    assert_string_equal(o[0].cluster, "lab");
    assert_int_equal(o[0].job, 1);

    static const int minutes[] = {1, 2, 4, 8, 16, 32, 60, 60};
    int64_t now = 1000;
    for (int i = 0; i < 8; i++) {
        assert_int_equal(history_outbox_due(s->h, now, o, 4, &e), 1);
        assert_int_equal(o[0].tries, i);
        assert_int_equal(history_outbox_failed(s->h, &o[0], now, "slurmdbd is down", &e), 0);
        now += 60 * minutes[i];
        assert_int_equal(history_outbox_due(s->h, now - 1, o + 1, 3, &e), 0);
    }
    /* a better record came while the first text was being told */
    assert_int_equal(history_outbox_due(s->h, now, o, 4, &e), 1);
    p.run.witnessed = true;
    assert_int_equal(history_file(s->h, &p.run, &p.record, "H5:second", &outcome, &e), 0);
    assert_int_equal(history_outbox_done(s->h, &o[0], &e), 0);
    assert_int_equal(history_outbox_due(s->h, 1000, o, 4, &e), 1);
    assert_string_equal(o[0].text, "H5:second");
    assert_int_equal(history_outbox_size(s->h, &waiting, &since, &e), 0);
    assert_int_equal(waiting, 1);
    assert_true(since > 1600000000);
    assert_int_equal(history_outbox_done(s->h, &o[0], &e), 0);
    assert_int_equal(history_outbox_due(s->h, INT64_MAX, o, 4, &e), 0);
    tear_up(&p);
}

static void test_each_start_has_its_text(void **state)
{
    struct site *s = *state;
    struct err e = ERR_INIT;
    struct history_outbox o[4];
    enum history_outcome outcome;

    for (int restart = 0; restart < 2; restart++) {
        struct history_run run = {.cluster = "lab",
                                  .job = 7,
                                  .restart = restart,
                                  .array_job = -1,
                                  .array_task = -1,
                                  .het_job = -1,
                                  .het_offset = -1,
                                  .begin = 1795374000 + 600 * restart,
                                  .status = HISTORY_NONE};
        struct history_record none = {0};
        assert_int_equal(history_file(s->h, &run, &none, restart ? "H5:b;" : "H5:a;", &outcome, &e),
                         0);
        assert_int_equal(outcome, HISTORY_FILED);
    }
    assert_int_equal(history_outbox_due(s->h, 1000, o, 4, &e), 2);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(o[i].restart, i);
        assert_int_equal(o[i].begin, 1795374000 + 600 * i);
        assert_string_equal(o[i].text, i ? "H5:b;" : "H5:a;");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_same_record_twice, site_setup, site_teardown),
        cmocka_unit_test_setup_teardown(test_the_better_one_stands, site_setup, site_teardown),
        cmocka_unit_test_setup_teardown(test_asked_but_no_record, site_setup, site_teardown),
        cmocka_unit_test_setup_teardown(test_records_of_other_kinds, site_setup, site_teardown),
        cmocka_unit_test(test_keys),
        cmocka_unit_test_setup_teardown(test_a_batch_is_all_or_nothing, site_setup, site_teardown),
        cmocka_unit_test_setup_teardown(test_archive, site_setup, site_teardown),
        cmocka_unit_test_setup_teardown(test_archive_in_a_batch, site_setup, site_teardown),
        cmocka_unit_test_setup_teardown(test_archive_bomb, site_setup, site_teardown),
        cmocka_unit_test_setup_teardown(test_outbox, site_setup, site_teardown),
        cmocka_unit_test_setup_teardown(test_each_start_has_its_text, site_setup, site_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
