/* SPDX-License-Identifier: BSD-3-Clause */
/* What stays of the values of earlier runs: those of the newest, and the parts of noise. */
#include <config.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "reports/judge/random.h"
#include "reports/validate/past.h"
#include "tests/unit.h"

enum { NODES = 64, RUNS = 160 };

static const char class_of_nodes[] = "AMD EPYC 7543, H12DSU";

static char folder[] = "/tmp/test_pastXXXXXX", path[64];

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
    (void)state;
    unlink(path);
    return rmdir(folder);
}

static void line_of(struct node_result *r, int node, double triad, double clock)
{
    *r = (struct node_result){.cpus = 64, .time = 1764511620, .corrected = -1, .uncorrected = -1};
    snprintf(r->node, sizeof r->node, "n%d", node);
    snprintf(r->class, sizeof r->class, "%s", class_of_nodes);
    for (int m = 0; m < NODE_METRICS; m++)
        r->values[m] = (struct node_value){NAN, NAN, 0};
    r->values[NODE_METRIC_triad] = (struct node_value){triad, 1, 5};
    r->values[NODE_METRIC_clock] = (struct node_value){clock, 1, 5};
}

static void file_run(int k, const struct node_result *r, int n)
{
    const struct node_result *lines[NODES];
    struct err e = ERR_INIT;
    char run[16];

    for (int i = 0; i < n; i++)
        lines[i] = &r[i];
    snprintf(run, sizeof run, "r%d", k);
    assert_int_equal(past_append(path, run, lines, n, &e), 0);
}

static struct judge_history noise(struct past *p, int metric)
{
    struct err e = ERR_INIT;
    struct judge_history h;

    assert_int_equal(past_noise(p, class_of_nodes, metric, &h, &e), 0);
    return h;
}

/* How many lines of the file have these words. */
static int lines_with(const char *words)
{
    char line[8192];
    FILE *f = fopen(path, "r");
    int n = 0;

    assert_non_null(f);
    while (fgets(line, sizeof line, f))
        n += strstr(line, words) != NULL;
    fclose(f);
    return n;
}

/* 160 runs of 64 nodes with known noise: triad 2 % run to run, clock 0.5 %; of them the
 * disk of one node was measured in the first five runs alone. */
static void test_keeps(void **state)
{
    static struct node_result r[NODES];
    struct random random = RANDOM_SEED(1);
    struct err e = ERR_INIT;
    struct stat st;

    (void)state;
    for (int k = 0; k < RUNS; k++) {
        for (int i = 0; i < NODES; i++) {
            line_of(&r[i], i, 3.5e11 * exp(0.02 * random_normal(&random)),
                    2e9 * exp(0.005 * random_normal(&random)));
            if (i == 3 && k < 5)
                r[i].values[NODE_METRIC_disk_write] =
                    (struct node_value){5e8 * exp(0.1 * random_normal(&random)), 1, 3};
        }
        file_run(k, r, NODES);
    }
    assert_int_equal(stat(path, &st), 0);
    assert_true(st.st_size < PAST_LEAST); /* without: 160 x 64 lines of 750 bytes */
    assert_true(lines_with("\"node 1\"") < NODES * RUNS / 2);
    assert_int_equal(lines_with("\"disk.write\":["), 5); /* of a metric its own newest runs stay */
    assert_true(lines_with("\"noise 1\"") >= 2);

    struct past *p = past_open(path, &e);
    assert_non_null(p);
    assert_int_equal(past_runs(p, class_of_nodes), PAST_KEEP + 5);
    struct judge_history triad = noise(p, NODE_METRIC_triad), clock = noise(p, NODE_METRIC_clock);
    assert_true(triad.known && fabs(triad.run - 2) < 0.2);
    assert_true(clock.known && fabs(clock.run - 0.5) < 0.05);
    assert_int_equal(past_own(p, &r[9]).runs, PAST_KEEP);
    past_close(p);
}

/* Links of 160 runs: 64 nodes with five partners each, others in each run, 5 % of noise. Of
 * each node those of its newest runs stay, however many partners it has had. */
static void test_keeps_links(void **state)
{
    enum { PARTNERS = 5 };
    static struct link_line links[NODES * PARTNERS];
    struct random random = RANDOM_SEED(2);
    struct err e = ERR_INIT;
    struct judge_history h;
    struct stat st;
    char run[16];

    (void)state;
    unlink(path);
    for (int k = 0; k < RUNS; k++) {
        for (int i = 0; i < NODES * PARTNERS; i++) {
            const int from = i / PARTNERS,
                      to = (from + 1 + (k * PARTNERS + i % PARTNERS) % (NODES - 1)) % NODES;
            links[i] = (struct link_line){.time = 1764511620 + k, .latency = NAN};
            snprintf(links[i].from, sizeof links->from, "n%d", from);
            snprintf(links[i].to, sizeof links->to, "n%d", to);
            links[i].bandwidth = 12e9 * exp(0.05 * random_normal(&random));
        }
        snprintf(run, sizeof run, "r%d", k);
        assert_int_equal(past_append_links(path, run, links, NODES * PARTNERS, &e), 0);
    }
    assert_int_equal(stat(path, &st), 0);
    assert_true(st.st_size < PAST_LEAST);
    assert_true(lines_with("\"link 1\"") < RUNS * NODES * PARTNERS * 3 / 4);
    assert_int_equal(lines_with("\"r9\""), 0);
    assert_true(lines_with("\"noise 1\",\"class\":\"links\"") >= 1);
    assert_int_equal(lines_with("\"r159\""), NODES * PARTNERS);
    assert_int_equal(lines_with("\"r128\""), NODES * PARTNERS); /* the 32nd from the last */

    struct past *p = past_open(path, &e);
    assert_non_null(p);
    assert_int_equal(past_noise(p, PAST_LINKS, NODE_METRIC_net_out, &h, &e), 0);
    assert_true(h.known && fabs(h.baseline - judge_loss(12e9, 1, true)) < 0.5);
    assert_true(h.run > 2 && h.run < 3.5); /* a median of five: 5 % x sqrt(.287) */
    assert_int_equal(past_noise(p, PAST_LINKS, NODE_METRIC_net_in, &h, &e), 0);
    assert_false(h.known); /* both ends are in net.out's */
    assert_true(past_pair(p, "n1", "n2", NODE_METRIC_net_out).runs >= 2);
    past_close(p);
}

/* Where only parts are left they stand in for the values. */
static void test_parts(void **state)
{
    struct err e = ERR_INIT;
    struct judge_history h;
    FILE *f = fopen(path, "w");

    (void)state;
    assert_non_null(f);
    fprintf(f,
            "{\"hpcai500\":\"noise 1\",\"class\":\"%s\",\"metric\":\"memory.triad\","
            "\"value\":3e11,\"between\":0.4,\"run\":9,\"step\":0,\"shift\":0,\"freedom\":60,"
            "\"runs\":9,\"nodes\":4,\"time\":1}\n"
            "{\"hpcai500\":\"noise 1\",\"class\":\"%s\",\"metric\":\"memory.triad\","
            "\"value\":3.5e11,\"between\":0.4,\"run\":0.8,\"step\":0.3,\"shift\":0.2,"
            "\"freedom\":60,\"runs\":212,\"nodes\":64,\"time\":2}\n"
            "{\"hpcai500\":\"noise 1\",\"class\":\"%s\",\"metric\":\"memory.latency\","
            "\"value\":1e-7,\"between\":-1,\"run\":0.8,\"step\":0.3,\"shift\":0.2,\"freedom\":60,"
            "\"runs\":212,\"nodes\":64,\"time\":2}\n",
            class_of_nodes, class_of_nodes, class_of_nodes);
    fclose(f);
    struct past *p = past_open(path, &e);
    assert_non_null(p);
    assert_string_equal(past_class(p, 0), class_of_nodes);
    assert_null(past_class(p, 1));
    h = noise(p, NODE_METRIC_triad);
    assert_true(h.known && h.between == 0.4 && h.run == 0.8 && h.step == 0.3 && h.shift == 0.2);
    assert_true(fabs(h.baseline - judge_loss(3.5e11, 1, true)) < 1e-6);
    assert_false(noise(p, NODE_METRIC_clock).known);
    assert_false(noise(p, NODE_METRIC_latency).known); /* not such a line */
    past_close(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keeps),
        cmocka_unit_test(test_keeps_links),
        cmocka_unit_test(test_parts),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
