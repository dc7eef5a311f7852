/* SPDX-License-Identifier: BSD-3-Clause */
/* What the collector decides by: host lists, bounds, the line for accounting,
 * the quarantine's limits. */
#include <config.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "reports/record/fields.h"
#include "reports/record/record.h"
#include "spank/collect/collect_check.h"
#include "spank/collect/collect_hostlist.h"
#include "spank/collect/collect_quarantine.h"
#include "spank/collect/collect_text.h"
#include "tests/reports/record/sample.h"
#include "tests/unit.h"

/* ---- host lists ---- */

static const struct {
    const char *list, *name;
    bool has;
} hosts[] = {
    {"n1", "n1", true},
    {"n1", "n12", false},
    {"n12", "n1", false},
    {"", "n1", false},
    {"n[1-4]", "n1", true},
    {"n[1-4]", "n4", true},
    {"n[1-4]", "n5", false},
    {"n[1-4]", "n01", false},
    {"n[1-12]", "n10", true},
    {"n[01-12]", "n1", false},
    {"n[098-1001]", "n1000", true}, /* Slurm's own for n098 to n1001 */
    {"n[098-1001]", "n0999", false},
    {"r[1-2][3-4]", "r14", true},
    {"r[1-2][3-4]", "r41", false},
    {"n[01-12]", "n01", true},
    {"n[001-12]", "n012", true},
    {"n[1,3,7-9]", "n3", true},
    {"n[1,3,7-9]", "n8", true},
    {"n[1,3,7-9]", "n2", false},
    {"m1,n[1-2],k3", "n2", true},
    {"m1,n[1-2],k3", "k3", true},
    {"m1,n[1-2],k3", "m2", false},
    {"r[1-2]n[1-2]", "r2n1", true},
    {"r[1-2]n[1-2]", "r3n1", false},
    {"n[1-2]-ib", "n2-ib", true},
    {"n[1-2]-ib", "n2", false},
    {"n[1-2", "n1", false},
    {"n[", "n", false},
    {"n]", "n]", true},
    {"n[]", "n", false},
    {"n[-]", "n1", false},
    {"n[2-1]", "n1", false},
};

static void a_host_list_names_its_nodes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++)
        if (hostlist_has(hosts[i].list, hosts[i].name) != hosts[i].has)
            fail_msg("%s in %s: not %d", hosts[i].name, hosts[i].list, hosts[i].has);
}

static void a_host_list_is_counted(void **state)
{
    (void)state;
    assert_int_equal(hostlist_count("n1", 10), 1);
    assert_int_equal(hostlist_count("n[1-4]", 10), 4);
    assert_int_equal(hostlist_count("n[1-4],m[7,9]", 10), 6);
    assert_int_equal(hostlist_count("r[1-2]n[1-3]", 10), 6);
    assert_int_equal(hostlist_count("n[1-4]", 3), -1);
    assert_int_equal(hostlist_count("n[1-4000000000]", 1000), -1);
    assert_int_equal(hostlist_count("", 10), -1);
    assert_int_equal(hostlist_count("n[", 10), -1);
    assert_int_equal(hostlist_count("n[]", 10), -1);
    assert_int_equal(hostlist_count("n[4-1]", 10), -1);
}

static void join(void *ctx, const char *name)
{
    char *text = ctx;

    snprintf(text + strlen(text), 200 - strlen(text), "%s ", name);
}

static void a_host_list_is_expanded(void **state)
{
    static const struct {
        const char *list, *names;
        int n;
    } rows[] = {
        {"n1", "n1 ", 1},
        {"n[1-3]", "n1 n2 n3 ", 3},
        {"n[098-101]", "n098 n099 n100 n101 ", 4},
        {"m3,n[01,03-04]-ib,k", "m3 n01-ib n03-ib n04-ib k ", 5},
        {"r[1-2]n[7-8]", "r1n7 r1n8 r2n7 r2n8 ", 4},
        {"n[1-4000000000]", "", -1},
        {"n[2-1]", "", -1},
        {"n[", "", -1},
        {"", "", -1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[200] = "";
        assert_int_equal(hostlist_each(rows[i].list, 1000, join, text), rows[i].n);
        assert_string_equal(text, rows[i].names);
    }
}

/* ---- bounds ---- */

/* One number of the record is changed; the sentence that comes. */
static const struct bad {
    const char *path; /* dotted; "" the witness or nothing */
    double number;
    const char *text;
    const char *sentence; /* NULL: it is possible */
} bads[] = {
    {"", 0, NULL, NULL},
    {"job.job_id", 4712, NULL, "it is of job 4712, the folder was of job 4711"},
    {"job.cluster", 0, "other", "it is of cluster 'other', the job was of 'lab'"},
    {"job.uid", 0, NULL, "it is of user id 0, the job was of 1000"},
    {"job.restart", 1, NULL,
     "its id 'lab-4711.0.3' is not what its job and step make, 'lab-4711.1.3'"},
    {"id", 0, "lab-4711.0.4",
     "its id 'lab-4711.0.4' is not what its job and step make, 'lab-4711.0.3'"},
    {"time.start", 0, "2026-11-22T18:00:00.000Z", "its start is 3770 s before the job began"},
    {"time.end", 0, "2026-11-22T20:02:57.000Z", "its end is 3487 s after the job ended"},
    {"time.wall_seconds", 129, NULL, NULL},
    {"time.wall_seconds", 131, NULL, "its wall time is 131.0 s, the job had 130.0 s"},
    {"time.wall_seconds", -1, NULL, "its wall time is -1 s"},
    {"workloads[0].wall_seconds", 200, NULL, "cosmoflow took 200.0 s of 99.8 s"},
    {"workloads[0].ranks", 5000, NULL, "cosmoflow had 5000 ranks on 1 node"},
    {"workloads[0].performance.time_to_quality_seconds", 300, NULL,
     "cosmoflow reached its target after 300.0 s of 99.8 s"},
    {"workloads[0].performance.flop_per_second", 1e15, NULL,
     "cosmoflow ran at 1e+15 FLOP/s, its nodes can do 8.32e+11"},
    {"workloads[0].performance.flop_per_second", 2e10, NULL,
     "cosmoflow ran at 2e+10 FLOP/s, but its samples make 1.292e+10"},
    {"workloads[0].performance.samples_per_second", 6150, NULL,
     "cosmoflow ran at 1.29e+12 FLOP/s, its nodes can do 8.32e+11"},
    {"workloads[0].data.train_samples", 50, NULL,
     "cosmoflow ran at 61.5 samples/s, but its fastest epoch at 6.061"},
    {"workloads[0].name", 0, "cosmoflaw", "'cosmoflaw' is not a workload of this release"},
    {"workloads[0].engine", 0, "warp", "cosmoflow: 'warp' is not an engine of this release"},
    {"workloads[0].quality.achieved", 1e-17, NULL,
     "cosmoflow tiny says mae 1e-17; better than 0.155 is not plausible"},
    {"workloads[0].quality.achieved", 0.16, NULL, NULL},
    {"workloads[0].quality.achieved", -0.1, NULL,
     "cosmoflow says mae -0.1, which goes from 0 to inf"},
    {"workloads[0].quality.metric", 0, "mse", "cosmoflow tiny is judged by mae, not by 'mse'"},
    {"workloads[0].quality.metric", 0, "auc", "cosmoflow says that a lower auc is better"},
    {"workloads[0].quality.others[1].value", 1, NULL, NULL},
    {"workloads[0].quality.others[1].value", 1.5, NULL,
     "cosmoflow says accuracy 1.5, which goes from 0 to 1"},
    {"workloads[0].quality.others[0].name", 0, "iou", "cosmoflow says that a lower iou is better"},
    {"workloads[0].quality.others[0].name", 0, "of_a_later_release", NULL},
    {"workloads[0].performance.samples_per_second", -1, NULL,
     "cosmoflow ran at 1.2915e+10 FLOP/s, -1 samples/s"},
    {"workloads[0].performance.energy_joules", 1e12, NULL,
     "cosmoflow took 1e+12 J, 1 nodes can take 2.2e+06"},
    {"workloads[0].performance.energy_joules", 1e5, NULL, NULL},
};

static cJSON *sample_doc(void)
{
    struct record r;
    struct err e = ERR_INIT;

    sample_record(&r, 2, 1, 2);
    record_judge(&r);
    char *text = record_to_json(&r, NULL, &e);
    cJSON *doc = record_parse(text, strlen(text), "sample", &e);
    free(text);
    record_fini(&r);
    assert_non_null(doc);
    return doc;
}

static struct witness sample_witness(void)
{
    struct witness w = WITNESS_INIT;

    strcpy(w.cluster, "lab");
    strcpy(w.nodes, "n[1-1]");
    w.job = 4711;
    w.uid = 1000;
    w.begin = 1795374170;
    w.end = w.begin + 120;
    w.cpus = 2;
    w.flop_f32 = 2 * 6.5e9 * 64;
    return w;
}

static int judge(const cJSON *doc, const struct witness *w, struct err *e)
{
    struct history_run run;
    int rc = history_claim(doc, &run, e);
    struct claim claim = {doc, &run, w};

    if (rc == 0)
        rc = check_all(&claim, e);
    free((void *)run.nodes);
    return rc;
}

static void change(cJSON *doc, const struct bad *b)
{
    char parent[128];
    const char *dot = strrchr(b->path, '.');
    snprintf(parent, sizeof parent, "%.*s", dot ? (int)(dot - b->path) : 0, b->path);
    cJSON *o = dot ? (cJSON *)(uintptr_t)json_at(doc, parent) : doc;

    assert_non_null(o);
    cJSON_ReplaceItemInObject(o, dot ? dot + 1 : b->path,
                              b->text ? cJSON_CreateString(b->text)
                                      : cJSON_CreateNumber(b->number));
}

static void what_cannot_be_is_named(void **state)
{
    struct witness w = sample_witness();

    (void)state;
    for (size_t i = 0; i < sizeof bads / sizeof *bads; i++) {
        const struct bad *b = &bads[i];
        struct err e = ERR_INIT;
        cJSON *doc = sample_doc();
        if (b->path[0])
            change(doc, b);
        int rc = judge(doc, &w, &e);
        if ((rc == 0) != !b->sentence || (b->sentence && strcmp(b->sentence, e.text) != 0))
            fail_msg("%s: '%s', not '%s'", b->path, e.text, b->sentence ? b->sentence : "");
        cJSON_Delete(doc);
    }
}

/* The same record, another witness. */
static void another_job_is_seen(void **state)
{
    struct err e = ERR_INIT;
    cJSON *doc = sample_doc();
    struct witness w = sample_witness();

    (void)state;
    strcpy(w.nodes, "n[2-9]");
    assert_int_equal(judge(doc, &w, &e), -1);
    assert_string_equal(e.text, "node 'n1' is not one of the job's, n[2-9]");
    w = sample_witness();
    w.restart = 2;
    assert_int_equal(judge(doc, &w, &e), -1);
    assert_string_equal(e.text, "it is of restart 0, the job was at 2");
    /* What root does not know binds nobody. */
    w = sample_witness();
    w.nodes[0] = w.cluster[0] = '\0';
    w.begin = w.end = w.cpus = w.flop_f32 = NAN;
    assert_int_equal(judge(doc, &w, &e), 0);
    cJSON_Delete(doc);
}

/* Runs of 99.75 s on four of four processors in a job of 120 s, four at once. */
static void the_runs_of_a_job_fit_into_it(void **state)
{
    struct err e = ERR_INIT;
    cJSON *doc = sample_doc();
    struct witness w = sample_witness();
    struct history_run run;
    double spent = 0;
    int fit = 0;

    (void)state;
    w.cpus = 4;
    assert_int_equal(history_claim(doc, &run, &e), 0);
    struct claim claim = {doc, &run, &w};
    while (check_sum(&claim, &spent, &e) == 0)
        fit++;
    assert_int_equal(fit, 5);
    assert_string_equal(e.text, "the runs of its job took 2394.0 core-seconds, its job had 2080.0");
    /* Runs of no time take some. */
    struct bad none = {"time.wall_seconds", 0.001, NULL, NULL};
    change(doc, &none);
    w.end = w.begin + 3;
    for (spent = fit = 0; check_sum(&claim, &spent, &e) == 0;)
        fit++;
    assert_int_equal(fit, 519); /* 0.1 s each, of 4 processors */
    free((void *)run.nodes);
    cJSON_Delete(doc);
}

/* ---- the line ---- */

static void the_line_says_what_and_where(void **state)
{
    char line[ADMIN_COMMENT_LINE + 1], id[HISTORY_KEY_SIZE];
    struct history_run run;
    struct err e = ERR_INIT;
    cJSON *doc = sample_doc();

    (void)state;
    assert_int_equal(history_claim(doc, &run, &e), 0);
    collect_line(doc, &run, "", 0, line);
    assert_string_equal(
        line, "H5:cosmoflow tiny mae 0.31<=0.34 reached 61.5/s complete valid lab-4711.0.3;");
    assert_true(collect_line_id(line, id));
    assert_string_equal(id, "lab-4711.0.3");
    collect_line(doc, &run, "", 2, line);
    assert_string_equal(
        line, "H5:cosmoflow tiny mae 0.31<=0.34 reached 61.5/s complete valid +2 lab-4711.0.3;");
    struct bad missed = {"workloads[0].quality.achieved", 0.35, NULL, NULL};
    change(doc, &missed);
    collect_line(doc, &run, "", 0, line);
    assert_string_equal(
        line, "H5:cosmoflow tiny mae 0.35>0.34 missed 61.5/s complete valid lab-4711.0.3;");
    /* Eight workloads do not fit; the id is whole. */
    cJSON *list = (cJSON *)(uintptr_t)json_at(doc, "workloads");
    for (int i = 0; i < 8; i++)
        cJSON_AddItemToArray(list, cJSON_Duplicate(json_at(doc, "workloads[0]"), 1));
    collect_line(doc, &run, "", 0, line);
    assert_int_equal(strlen(line), ADMIN_COMMENT_LINE);
    assert_non_null(strstr(line, "... complete valid lab-4711.0.3;"));
    free((void *)run.nodes);
    cJSON_Delete(doc);
}

static void a_job_without_a_record_has_a_line(void **state)
{
    char line[ADMIN_COMMENT_LINE + 1], id[HISTORY_KEY_SIZE];
    struct history_run run = {.status = HISTORY_NONE};

    (void)state;
    strcpy(run.asked, "cosmoflow,data='a|b;c'");
    collect_line(NULL, &run, "", 0, line);
    assert_string_equal(line, "H5:cosmoflow,data='a_b_c' no record;");
    assert_false(collect_line_id(line, id));
    collect_line(NULL, &run, "its record was refused", 0, line);
    assert_string_equal(line, "H5:cosmoflow,data='a_b_c' no record: its record was refused;");
}

/* ---- the quarantine ---- */

static void touch(int dir, const char *name, const char *text, long at)
{
    struct timespec times[2] = {{at, 0}, {at, 0}};
    int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_true(write(fd, text, strlen(text)) >= 0);
    futimens(fd, times);
    close(fd);
}

static bool is_there(int dir, const char *name)
{
    return faccessat(dir, name, F_OK, 0) == 0;
}

static void the_quarantine_is_bounded(void **state)
{
    char folder[] = "/tmp/test-collect-XXXXXX", out[] = "/tmp/test-collect-XXXXXX", text[64];
    struct err e = ERR_INIT;
    int q, o;

    (void)state;
    assert_non_null(mkdtemp(folder));
    assert_non_null(mkdtemp(out));
    q = open(folder, O_RDONLY | O_DIRECTORY);
    o = open(out, O_RDONLY | O_DIRECTORY);
    for (int i = 1; i <= 4; i++) {
        snprintf(text, sizeof text, "b%d.bundle", i);
        touch(o, text, "12345", 1000 + i);
        assert_int_equal(quarantine_take(folder, o, text, "because", &e), 0);
        assert_false(is_there(o, text));
    }
    int fd = openat(q, "b1.bundle.reason", O_RDONLY);
    ssize_t n = read(fd, text, sizeof text);
    close(fd);
    assert_int_equal(n, 8);
    assert_memory_equal(text, "because\n", 8);
    /* The oldest goes, with its reason. */
    assert_int_equal(quarantine_bound(folder, 3, 1000, &e), 1);
    assert_false(is_there(q, "b1.bundle"));
    assert_false(is_there(q, "b1.bundle.reason"));
    assert_true(is_there(q, "b2.bundle.reason"));
    assert_int_equal(quarantine_bound(folder, 10, 10, &e), 1);
    assert_false(is_there(q, "b2.bundle"));
    assert_true(is_there(q, "b3.bundle"));
    assert_int_equal(quarantine_bound(folder, 0, 0, &e), 2);
    close(q);
    close(o);
    assert_int_equal(rmdir(folder), 0);
    assert_int_equal(rmdir(out), 0);
    assert_int_equal(quarantine_take(folder, -1, "x", "y", &e), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_host_list_names_its_nodes),
        cmocka_unit_test(a_host_list_is_counted),
        cmocka_unit_test(a_host_list_is_expanded),
        cmocka_unit_test(what_cannot_be_is_named),
        cmocka_unit_test(another_job_is_seen),
        cmocka_unit_test(the_runs_of_a_job_fit_into_it),
        cmocka_unit_test(the_line_says_what_and_where),
        cmocka_unit_test(a_job_without_a_record_has_a_line),
        cmocka_unit_test(the_quarantine_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
