/* SPDX-License-Identifier: BSD-3-Clause */
/* Baselines: lines, versions, what is proposed, and what they change in verdicts. */
#include <config.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reports/validate/assess.h"
#include "reports/validate/baseline.h"
#include "tests/reports/validate/made.h"
#include "tests/unit.h"

enum { NODES = 12, RUNS = 8 };

static const char class_of_nodes[] = "AMD EPYC 7543, H12DSU";

static char folder[] = "/tmp/test_baselineXXXXXX", values[64], path[64];

static int make_folder(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    snprintf(values, sizeof values, "%s/values.jsonl", folder);
    snprintf(path, sizeof path, "%s/baseline.jsonl", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(values);
    unlink(path);
    return rmdir(folder);
}

/* Of eight runs of twelve nodes. */
static struct baseline proposal(struct past **p)
{
    static struct node_result r[NODES];
    struct err e = ERR_INIT;
    struct baseline *b, is;
    int n;

    unlink(values);
    for (unsigned k = 0; k < RUNS; k++)
        made_run(values, k, r, NODES);
    *p = past_open(values, &e);
    assert_non_null(*p);
    assert_int_equal(baseline_propose(values, *p, &b, &n, &e), 0);
    assert_int_equal(n, 1);
    is = b[0];
    free(b);
    return is;
}

static void test_propose(void **state)
{
    struct past *p;
    struct baseline b = proposal(&p);

    (void)state;
    assert_string_equal(b.class, class_of_nodes);
    assert_int_equal(b.nodes, NODES);
    assert_int_equal(b.runs, RUNS);
    assert_true(b.metrics[NODE_METRIC_triad].there);
    assert_true(fabs(b.metrics[NODE_METRIC_triad].value / 3.5e11 - 1) < 0.002);
    assert_true(b.metrics[NODE_METRIC_triad].run < 1);
    assert_false(b.metrics[NODE_METRIC_disk_write].there);
    assert_string_equal(b.facts[0], "64");
    assert_string_equal(b.facts[1], "238"); /* 256e9 bytes in GiB */
    assert_string_equal(b.facts[2], "");    /* no node said its microcode */
    past_close(p);
}

/* Runs with another software do not count once there is a newer one. */
static void test_software(void **state)
{
    static struct node_result r[NODES];
    const struct node_result *lines[NODES];
    struct err e = ERR_INIT;
    struct baseline *b;
    struct past *p;
    int n;

    (void)state;
    proposal(&p);
    past_close(p);
    for (int i = 0; i < NODES; i++) {
        char name[16];
        snprintf(name, sizeof name, "n%d", i + 1);
        r[i] = made_node(name, 0, (unsigned)i);
        snprintf(r[i].kernel, sizeof r[i].kernel, "6.1");
        lines[i] = &r[i];
    }
    assert_int_equal(past_append(values, "new", lines, NODES, &e), 0);
    p = past_open(values, &e);
    assert_non_null(p);
    assert_int_equal(baseline_propose(values, p, &b, &n, &e), 0);
    assert_int_equal(b[0].runs, 1);
    assert_string_equal(b[0].software, "6.1, ");
    assert_false(b[0].metrics[NODE_METRIC_triad].there);
    free(b);
    past_close(p);
}

/* Of a fact that half of the nodes have, nothing is proposed. */
static void test_majority(void **state)
{
    static struct node_result r[NODES];
    const struct node_result *lines[NODES];
    struct err e = ERR_INIT;

    (void)state;
    for (int few = NODES / 2 - 1; few <= NODES / 2; few++) {
        struct baseline *b;
        int n;
        unlink(values);
        for (int i = 0; i < NODES; i++) {
            char name[16];
            snprintf(name, sizeof name, "n%d", i + 1);
            r[i] = made_node(name, 0, (unsigned)i);
            r[i].cpus = i >= NODES - few ? 63 : 64;
            lines[i] = &r[i];
        }
        assert_int_equal(past_append(values, "r", lines, NODES, &e), 0);
        struct past *p = past_open(values, &e);
        assert_non_null(p);
        assert_int_equal(baseline_propose(values, p, &b, &n, &e), 0);
        assert_string_equal(b[0].facts[0], 2 * few < NODES ? "64" : "");
        assert_string_equal(b[0].facts[3], "2");
        free(b);
        past_close(p);
    }
}

static void test_file(void **state)
{
    struct err e = ERR_INIT;
    struct past *p;
    struct baseline b = proposal(&p), again = b, *all;
    int n;

    (void)state;
    past_close(p);
    snprintf(b.by, sizeof b.by, "alice");
    snprintf(b.note, sizeof b.note, "a \"note\"");
    b.time = 1764511620;
    assert_int_equal(baseline_read(path, &all, &n, &e), 0);
    assert_int_equal(n, 0);
    assert_int_equal(baseline_approve(path, &b, 1, &e), 0);
    assert_int_equal(b.version, 1);
    assert_int_equal(baseline_approve(path, &again, 1, &e), 0);
    assert_int_equal(again.version, 2);
    snprintf(again.class, sizeof again.class, "other");
    assert_int_equal(baseline_approve(path, &again, 1, &e), 0);
    assert_int_equal(again.version, 1);
    assert_int_equal(baseline_read(path, &all, &n, &e), 0);
    assert_int_equal(n, 3);
    assert_string_equal(all[0].by, "alice");
    assert_string_equal(all[0].note, "a \"note\"");
    assert_int_equal(all[0].time, 1764511620);
    assert_true(fabs(all[0].metrics[NODE_METRIC_triad].value / b.metrics[NODE_METRIC_triad].value -
                     1) < 1e-5);
    assert_string_equal(all[0].facts[0], "64");
    assert_int_equal(baseline_newest(all, n, class_of_nodes)->version, 2);
    assert_null(baseline_newest(all, n, "none"));
    free(all);
    assert_int_equal(baseline_approve("/nowhere/at/all", &b, 1, &e), -1);
}

static void test_facts(void **state)
{
    struct node_result r = made_node("n1", 0, 1);
    char facts[BASELINE_FACTS][BASELINE_FACT_SIZE];

    (void)state;
    snprintf(r.governor, sizeof r.governor, "a b");
    baseline_facts(&r, facts);
    assert_string_equal(facts[2], "-");
    assert_string_equal(facts[4], "a_b");
    assert_true(baseline_same(1, "500", "503"));
    assert_false(baseline_same(1, "480", "503"));
    assert_false(baseline_same(0, "63", "64"));
    assert_true(baseline_same(0, "-", "64")); /* not read: no deviation */
    assert_true(baseline_same(0, "63", ""));
}

/* ---- verdicts ---- */

static const char *const names[NODES] = {"n1", "n2", "n3", "n4",  "n5",  "n6",
                                         "n7", "n8", "n9", "n10", "n11", "n12"};

static struct assess *judged(const struct node_result *r, struct past *p, const struct baseline *b)
{
    struct err e = ERR_INIT;
    struct assess *a = assess_create(names, NODES, p, &e);

    assert_non_null(a);
    a->baselines = b;
    a->n_baselines = 1;
    for (int i = 0; i < NODES; i++)
        assert_int_equal(assess_line(a, &r[i], &e), 0);
    assert_int_equal(assess_look(a, &e), 0);
    assert_int_equal(assess_decide(a, &e), 0);
    return a;
}

static void today(struct node_result r[NODES], double part)
{
    for (int i = 0; i < NODES; i++) {
        r[i] = made_node(names[i], 0, 7000 + (unsigned)i);
        r[i].values[NODE_METRIC_triad].value *= part;
    }
}

/* A lost DIMM: not what was approved, whatever its speed. What most of the class has
 * blames nobody. */
static void test_inventory(void **state)
{
    static struct node_result r[NODES];
    struct past *p;
    struct baseline b = proposal(&p);

    (void)state;
    today(r, 1);
    r[4].memory_bytes *= 15.0 / 16;
    struct assess *a = judged(r, p, &b);
    assert_int_equal(a->nodes[4].verdict, VERDICT_FAULTY);
    assert_string_equal(a->nodes[4].text, "inventory: memory_gib is 224, approved 238");
    assert_int_equal(a->nodes[5].verdict, VERDICT_GOOD);
    assess_close(a);
    for (int i = 0; i < 7; i++)
        r[i].memory_bytes = r[4].memory_bytes;
    a = judged(r, p, &b);
    assert_int_equal(a->nodes[4].verdict, VERDICT_SYSTEM);
    assert_string_equal(a->nodes[4].text,
                        "inventory: memory_gib is 224, approved 238; so it is on 7 of 12 nodes");
    assess_close(a);
    past_close(p);
}

static const struct assess_group *triad_of(const struct assess *a)
{
    for (int g = 0; g < a->n_groups; g++)
        if (a->groups[g].metric == NODE_METRIC_triad)
            return &a->groups[g];
    return NULL;
}

/* The whole class has lost 6 % since it was approved, and the history has followed: the
 * approved value shows it, also where every node has a history of its own. */
static void test_shift(void **state)
{
    static struct node_result r[NODES];
    struct past *p;
    struct baseline b = proposal(&p);

    (void)state;
    b.version = 3;
    b.metrics[NODE_METRIC_triad].value *= 1.06;
    today(r, 1);
    struct assess *a = judged(r, p, &b);
    const struct assess_group *g = triad_of(a);
    assert_non_null(g);
    assert_true(g->seen[3].own);
    assert_int_equal(g->version, 3);
    assert_int_equal(g->look.system, SYSTEM_SHIFT);
    assess_close(a);
    /* one node is upgraded: one value for all would judge it by what it does not run */
    snprintf(r[11].kernel, sizeof r[11].kernel, "6.1");
    a = judged(r, p, &b);
    assert_int_equal(triad_of(a)->version, 0);
    assess_close(a);
    today(r, 1);
    /* of other software it does not count */
    snprintf(b.software, sizeof b.software, "5.10, avx2");
    a = judged(r, p, &b);
    g = triad_of(a);
    assert_int_equal(g->look.system, SYSTEM_NO);
    assert_int_equal(g->version, 0);
    assess_close(a);
    past_close(p);
}

/* A site that has approved values and lost its history: their noise stands in. */
static void test_without_history(void **state)
{
    struct past *p, *none;
    struct baseline b = proposal(&p);
    struct err e = ERR_INIT;
    struct judge_history h;

    (void)state;
    past_close(p);
    none = past_open("/nowhere/at/all", &e);
    assert_non_null(none);
    assert_int_equal(past_noise(none, class_of_nodes, NODE_METRIC_triad, &h, &e), 0);
    assert_false(h.known);
    assert_true(baseline_join(&b, ", ", NODE_METRIC_triad, &h));
    assert_true(h.known && h.approved && h.run == b.metrics[NODE_METRIC_triad].run);
    assert_true(h.approved_at == h.baseline);
    assert_false(baseline_join(&b, ", ", NODE_METRIC_disk_write, &h));
    past_close(none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_propose),  cmocka_unit_test(test_software),
        cmocka_unit_test(test_majority), cmocka_unit_test(test_file),
        cmocka_unit_test(test_facts),    cmocka_unit_test(test_inventory),
        cmocka_unit_test(test_shift),    cmocka_unit_test(test_without_history),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
