/* SPDX-License-Identifier: BSD-3-Clause */
/* The history and the archive: what is filed, replaced, found, forgotten. */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

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
#include "tests/reports/record/sample.h"

/* ---- a folder, a history, records ---- */

struct site {
    char dir[64], db[96], archive_dir[96];
    struct archive *archive;
    struct history *h;
};

static void open_site(struct site *s)
{
    struct err e = ERR_INIT;

    s->archive = archive_open(s->archive_dir, &e);
    assert_string_equal(e.text, "");
    s->h = history_open_writer(s->db, s->archive, &e);
    assert_string_equal(e.text, "");
    assert_non_null(s->h);
}

static void close_site(struct site *s)
{
    history_close(s->h);
    archive_close(s->archive);
    s->h = NULL;
    s->archive = NULL;
}

static int setup(void **state)
{
    struct site *s = calloc(1, sizeof *s);

    snprintf(s->dir, sizeof s->dir, "/tmp/hpcai500-history-XXXXXX");
    assert_non_null(mkdtemp(s->dir));
    snprintf(s->db, sizeof s->db, "%s/history.sqlite", s->dir);
    snprintf(s->archive_dir, sizeof s->archive_dir, "%s/archive", s->dir);
    assert_int_equal(mkdir(s->archive_dir, 0755), 0);
    open_site(s);
    *state = s;
    return 0;
}

static int teardown(void **state)
{
    struct site *s = *state;
    char command[128];

    close_site(s);
    snprintf(command, sizeof command, "rm -rf '%s'", s->dir);
    assert_int_equal(system(command), 0);
    free(s);
    return 0;
}

/* A record of a job, and the run that it claims. */
struct paper {
    struct history_run run;
    struct history_record record;
    char *text;
    cJSON *doc;
};

static void write_paper(struct paper *p, struct record *r)
{
    struct err e = ERR_INIT;

    record_judge(r);
    p->text = record_to_json(r, NULL, &e);
    assert_non_null(p->text);
    p->doc = record_parse(p->text, strlen(p->text), "paper", &e);
    assert_string_equal(e.text, "");
    assert_int_equal(history_claim(p->doc, &p->run, &e), 0);
    p->record = (struct history_record){.doc = p->doc, .text = p->text, .size = strlen(p->text)};
    record_fini(r);
}

static void make_paper(struct paper *p, long job, const char *user, enum run_status status)
{
    struct record r;

    sample_record(&r, 4, 2, 3);
    r.job.job_id = job;
    snprintf(r.job.user, sizeof r.job.user, "%s", user);
    r.workloads[0].result.status = status;
    r.time.start.tv_sec += 60 * job;
    r.time.end.tv_sec += 60 * job;
    write_paper(p, &r);
}

static void tear_up(struct paper *p)
{
    free((void *)(uintptr_t)p->run.nodes);
    free(p->text);
    cJSON_Delete(p->doc);
}

static enum history_outcome file(struct site *s, struct paper *p)
{
    struct err e = ERR_INIT;
    enum history_outcome outcome = HISTORY_KEPT;

    int rc = history_file(s->h, &p->run, &p->record, NULL, &outcome, &e);
    assert_string_equal(e.text, "");
    assert_int_equal(rc, 0);
    return outcome;
}

static enum history_outcome file_job(struct site *s, long job, const char *user,
                                     enum run_status status, bool witnessed)
{
    struct paper p;

    make_paper(&p, job, user, status);
    p.run.witnessed = witnessed;
    enum history_outcome outcome = file(s, &p);
    tear_up(&p);
    return outcome;
}

/* Rows that answer, the last one in *last (its texts are gone). */
static long ask(struct history *h, const struct history_filter *f, struct history_row *last)
{
    struct err e = ERR_INIT;
    struct history_row row;
    long n = 0;
    int rc;
    struct history_query *q = history_ask(h, f, &e);

    assert_string_equal(e.text, "");
    while ((rc = history_next(q, &row, &e)) > 0) {
        n++;
        if (last)
            *last = row;
    }
    assert_string_equal(e.text, "");
    assert_int_equal(rc, 0);
    history_done(q);
    return n;
}

static long ask_all(struct site *s, struct history_row *last)
{
    return ask(s->h, &(struct history_filter)HISTORY_FILTER_INIT, last);
}

static long ask_job(struct site *s, long job, struct history_row *last)
{
    struct history_filter f = HISTORY_FILTER_INIT;

    f.job = job;
    return ask(s->h, &f, last);
}

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
        const struct archive_item one = {"one", 3, k & 1 ? "MUNGE:1:" : NULL,
                                         k & 4 ? "ranks 1" : NULL, k & 4 ? 7 : 0};
        const struct archive_item two = {"two", 3, k & 2 ? "MUNGE:2:" : NULL,
                                         k & 8 ? "ranks 2" : NULL, k & 8 ? 7 : 0};
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
    assert_non_null(strstr(e.text, "is of version 99, this release reads up to 3"));
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
    assert_string_equal(e.text, "whose runs to forget was not said");
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
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
        T(test_same_record_twice),
        T(test_the_better_one_stands),
        T(test_asked_but_no_record),
        T(test_records_of_other_kinds),
        cmocka_unit_test(test_keys),
        T(test_a_batch_is_all_or_nothing),
        T(test_archive),
        T(test_archive_in_a_batch),
        T(test_archive_bomb),
        T(test_outbox),
        T(test_each_start_has_its_text),
        T(test_filters),
        T(test_words_are_never_sql),
        T(test_no_word_on_other_nodes),
        T(test_an_older_file_is_brought_on),
        T(test_a_newer_file_is_refused),
        T(test_what_is_no_history),
        T(test_damage_is_found),
        T(test_reading_while_it_is_written),
        T(test_two_writers_share),
        T(test_a_killed_writer),
        T(test_a_reader_of_no_rights),
        T(test_forgetting_leaves_no_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
