/* SPDX-License-Identifier: BSD-3-Clause */
/* From lines of nodes to verdicts, the page, and the values of earlier runs. */
#include <config.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cjson/cJSON.h>

#include "reports/validate/assess.h"
#include "reports/validate/node_line.h"
#include "reports/validate/page.h"
#include "tests/reports/validate/made.h"
#include "tests/unit.h"

static const char *const four[] = {"n1", "n2", "n3", "n4"};

static struct assess *look(const struct node_result *r, int n, struct past *past)
{
    struct err e = ERR_INIT;
    struct assess *a = assess_create(four, 4, past, &e);

    assert_non_null(a);
    for (int i = 0; i < n; i++)
        assert_int_equal(assess_line(a, &r[i], &e), 0);
    assert_int_equal(assess_look(a, &e), 0);
    return a;
}

static void all_good(struct node_result r[4])
{
    for (unsigned i = 0; i < 4; i++)
        r[i] = made_node(four[i], 0, i + 1);
}

static void decide(struct assess *a)
{
    struct err e = ERR_INIT;

    assert_int_equal(assess_decide(a, &e), 0);
}

/* Three rounds of all four, n3's bandwidth so many times what is healthy. */
static void three_rounds(struct assess *a, double of_n3)
{
    struct err e = ERR_INIT;

    for (int round = 1; round <= 3; round++)
        for (unsigned i = 0; i < 4; i++) {
            struct node_result again = made_node(four[i], round, 17 * (unsigned)round + i);
            again.values[NODE_METRIC_triad].value *= i == 2 ? of_n3 : 1;
            assert_int_equal(assess_line(a, &again, &e), 0);
        }
}

static void test_good(void **state)
{
    struct node_result r[4];
    struct assess_todo todo;
    struct err e = ERR_INIT;

    (void)state;
    all_good(r);
    struct assess *a = look(r, 4, NULL);
    assert_int_equal(assess_todo(a, 1, &todo, &e), 0);
    decide(a);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(a->nodes[i].verdict, VERDICT_GOOD);
        assert_true(a->nodes[i].blind > 4 && a->nodes[i].blind <= 15);
    }
    assess_close(a);
}

/* n3 at half its bandwidth: measured again beside the others, and only then SLOW. */
static void test_slow(void **state)
{
    struct node_result r[4];
    struct assess_todo todo;
    struct err e = ERR_INIT;

    (void)state;
    all_good(r);
    r[2].values[NODE_METRIC_triad].value *= 0.5;
    struct assess *a = look(r, 4, NULL);
    decide(a);
    assert_true(a->nodes[2].gated);
    assert_int_not_equal(a->nodes[2].verdict, VERDICT_SLOW);
    assert_int_equal(assess_todo(a, 1, &todo, &e), 4);
    assert_int_equal(todo.metrics, 1U << NODE_METRIC_triad);
    assert_int_equal(todo.from, 1);
    assert_int_equal(todo.rounds, 3);
    free(todo.nodes);
    three_rounds(a, 0.5);
    assert_int_equal(assess_todo(a, 2, &todo, &e), 0);
    decide(a);
    assert_int_equal(a->nodes[2].verdict, VERDICT_SLOW);
    assert_int_equal(a->nodes[2].metric, NODE_METRIC_triad);
    assert_int_equal(a->nodes[2].rounds, 3);
    assert_true(fabs(a->nodes[2].loss - 50) < 1);
    assert_false(a->nodes[2].gated);
    for (int i = 0; i < 4; i++)
        assert_true(i == 2 || a->nodes[i].verdict == VERDICT_GOOD);
    assess_close(a);
}

/* The same in the first look, and as fast as the others ever after. */
static void test_transient(void **state)
{
    struct node_result r[4];

    (void)state;
    all_good(r);
    r[2].values[NODE_METRIC_triad].value *= 0.5;
    struct assess *a = look(r, 4, NULL);
    three_rounds(a, 1);
    decide(a);
    assert_int_equal(a->nodes[2].verdict, VERDICT_TRANSIENT);
    assess_close(a);
}

static void test_wrong_numbers(void **state)
{
    struct node_result r[4];

    (void)state;
    all_good(r);
    r[1].n_faults = 1;
    snprintf(r[1].faults[0].test, sizeof r->faults->test, "correct");
    snprintf(r[1].faults[0].text, sizeof r->faults->text,
             "core 1: 1 of 40000 results differ, first in call 31007");
    snprintf(r[3].weights, sizeof r->weights, "0000000000000000");
    struct assess *a = look(r, 4, NULL);
    decide(a);
    assert_int_equal(a->nodes[1].verdict, VERDICT_FAULTY);
    assert_string_equal(a->nodes[1].text,
                        "correct: core 1: 1 of 40000 results differ, first in call 31007");
    assert_int_equal(a->nodes[3].verdict, VERDICT_FAULTY);
    assert_string_equal(a->nodes[3].text,
                        "the weights after training differ from those of 3 of 4 nodes");
    assess_close(a);
}

/* Another key: not compared. Two that differ: both unknown. */
static void test_keys(void **state)
{
    struct node_result r[4];

    (void)state;
    all_good(r);
    snprintf(r[3].key, sizeof r->key, "0000000000000000");
    snprintf(r[3].results, sizeof r->results, "1111111111111111");
    struct assess *a = look(r, 4, NULL);
    decide(a);
    assert_int_equal(a->nodes[3].verdict, VERDICT_GOOD);
    assess_close(a);

    snprintf(r[2].key, sizeof r->key, "0000000000000000");
    a = look(r, 4, NULL);
    decide(a);
    assert_int_equal(a->nodes[0].verdict, VERDICT_GOOD);
    assert_int_equal(a->nodes[2].verdict, VERDICT_UNKNOWN);
    assert_int_equal(a->nodes[3].verdict, VERDICT_UNKNOWN);
    assess_close(a);
}

static void test_unknown(void **state)
{
    struct node_result r[4];

    (void)state;
    all_good(r);
    r[0].values[NODE_METRIC_triad].value = NAN;
    r[0].n_unknown = 1;
    snprintf(r[0].unknown[0].test, sizeof r->unknown->test, "triad");
    snprintf(r[0].unknown[0].text, sizeof r->unknown->text, "hung");
    r[1].cpus = 63;
    r[2].corrected = 3;
    struct assess *a = look(r, 3, NULL);
    assess_why(a, "n4", "not measured: Slurm says down*");
    decide(a);
    assert_int_equal(a->nodes[0].verdict, VERDICT_UNKNOWN);
    assert_string_equal(a->nodes[0].text, "memory.triad: hung");
    assert_int_equal(a->nodes[1].verdict, VERDICT_SUSPECT);
    assert_string_equal(a->nodes[1].text, "inventory: 63 processors where 2 of 3 nodes have 64");
    assert_int_equal(a->nodes[2].verdict, VERDICT_SUSPECT);
    assert_string_equal(a->nodes[2].text, "ecc: 3 corrected errors of memory");
    assert_int_equal(a->nodes[3].verdict, VERDICT_UNKNOWN);
    assert_string_equal(a->nodes[3].text, "not measured: Slurm says down*");
    assess_close(a);
}

/* Three nodes and no history: nothing good can be said. */
static void test_few(void **state)
{
    struct node_result r[4];

    (void)state;
    all_good(r);
    struct assess *a = look(r, 3, NULL);
    decide(a);
    for (int i = 0; i < 3; i++)
        assert_int_equal(a->nodes[i].verdict, VERDICT_INCONCLUSIVE);
    assess_close(a);
}

/* A node whose sends are slow: out of it, with every partner, in every round. */
static void test_links(void **state)
{
    struct node_result r[4];
    struct assess_todo todo;
    struct err e = ERR_INIT;

    (void)state;
    all_good(r);
    struct assess *a = look(r, 4, NULL);
    for (int round = 0; round <= 3; round++)
        for (int i = 0; i < 4; i++)
            for (int k = 0; k < 4; k++)
                if (i != k)
                    assert_int_equal(assess_pair(a, round, four[i], four[k],
                                                 (i == 1 ? 1e9 : 12e9) * (1 + 0.01 * (i + k)), NAN,
                                                 &e),
                                     0);
    assert_int_equal(assess_look(a, &e), 0);
    decide(a);
    assert_int_equal(a->nodes[1].verdict, VERDICT_SLOW);
    assert_int_equal(a->nodes[1].metric, NODE_METRIC_net_out);
    for (int i = 0; i < 4; i++)
        assert_true(i == 1 || a->nodes[i].verdict == VERDICT_GOOD);
    assert_int_equal(assess_todo(a, 1, &todo, &e), 0);
    assess_close(a);
}

/* ---- the line, the past ---- */

static void test_line(void **state)
{
    struct node_result r = made_node("n1", 2, 3), back;
    char line[NODE_LINE_SIZE];

    (void)state;
    for (int i = 0; i < NODE_PROBLEMS; i++) {
        snprintf(r.faults[i].test, sizeof r.faults->test, "correct");
        memset(r.faults[i].text, '"', sizeof r.faults->text - 1);
        r.unknown[i] = r.faults[i];
    }
    r.n_faults = r.n_unknown = NODE_PROBLEMS; /* more than a line has room for */
    assert_true(node_line_print(&r, line));
    assert_true(strlen(line) < NODE_LINE_SIZE);
    assert_int_equal(node_line_parse(line, &back), 0);
    assert_string_equal(back.node, "n1");
    assert_int_equal(back.round, 2);
    assert_int_equal(back.n_faults, NODE_PROBLEMS);
    assert_true(back.n_unknown < NODE_PROBLEMS);
    assert_true(fabs(back.values[NODE_METRIC_triad].value / r.values[NODE_METRIC_triad].value - 1) <
                1e-5);
    assert_true(isnan(back.values[NODE_METRIC_tail].value));
    assert_int_equal(node_line_parse("{\"hpcai500\":\"node 2\",\"node\":\"n1\"}", &back), -1);
    assert_int_equal(node_line_parse("srun: error: n3", &back), -1);
}

/* Eight runs of four nodes with known parts of noise: the history takes over from the
 * priors, and a loss that they did not see is seen. */
static void test_past(void **state)
{
    char path[] = "/tmp/test_assessXXXXXX";
    int fd = mkstemp(path);
    struct err e = ERR_INIT;
    struct judge_history h;
    struct node_result r[4];

    (void)state;
    assert_true(fd >= 0);
    close(fd);
    for (unsigned k = 0; k < 12; k++)
        made_run(path, k, r, 4);
    struct past *p = past_open(path, &e);
    assert_non_null(p);
    assert_int_equal(past_runs(p, "AMD EPYC 7543, H12DSU"), 12);
    assert_int_equal(past_runs(p, "other"), 0);
    assert_int_equal(past_noise(p, "AMD EPYC 7543, H12DSU", NODE_METRIC_triad, &h, &e), 0);
    assert_true(h.known && h.run < 1 && h.between < 1 && h.freedom > 20);
    assert_int_equal(past_own(p, &r[2]).runs, 12);
    assert_int_equal(past_noise(p, "AMD EPYC 7543, H12DSU", NODE_METRIC_disk_write, &h, &e), 0);
    assert_false(h.known); /* nobody measured it */
    assert_true(h.between >= 10 || h.run >= 10);

    all_good(r);
    r[2].values[NODE_METRIC_triad].value *= 0.92;
    struct assess *with = look(r, 4, p), *without = look(r, 4, NULL);
    const struct assess_group *g = NULL;
    for (int i = 0; i < with->n_groups; i++)
        if (with->groups[i].metric == NODE_METRIC_triad)
            g = &with->groups[i];
    assert_non_null(g);
    assert_true(g->seen[2].beyond);
    assert_int_equal(g->runs, 12);
    for (int i = 0; i < without->n_groups; i++)
        if (without->groups[i].metric == NODE_METRIC_triad)
            assert_false(without->groups[i].seen[2].beyond);
    assess_close(with);
    assess_close(without);
    past_close(p);
    unlink(path);
}

/* A line that a crash cut short costs that line, and not the next run's first. */
static void test_past_cut_short(void **state)
{
    char path[] = "/tmp/test_assessXXXXXX";
    int fd = mkstemp(path);
    struct err e = ERR_INIT;
    struct judge_history h;
    struct node_result r[4];
    struct stat st;

    (void)state;
    assert_true(fd >= 0);
    for (unsigned k = 0; k < 6; k++) {
        made_run(path, k, r, 4);
        if (k == 2)
            assert_true(fstat(fd, &st) == 0 && ftruncate(fd, st.st_size - 20) == 0);
    }
    close(fd);
    struct past *p = past_open(path, &e);
    assert_non_null(p);
    assert_int_equal(past_noise(p, "AMD EPYC 7543, H12DSU", NODE_METRIC_triad, &h, &e), 0);
    assert_int_equal(past_own(p, &r[3]).runs, 5);
    assert_int_equal(past_own(p, &r[0]).runs, 6);
    past_close(p);
    unlink(path);
}

/* ---- the page ---- */

static char *page_of(const struct page *p, void (*print)(const struct page *p, FILE *f))
{
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);

    assert_non_null(f);
    print(p, f);
    fclose(f);
    return text;
}

static void print_json(const struct page *p, FILE *f)
{
    assert_int_equal(page_json(p, f), 0);
}

static void holds(const char *text, const char *what)
{
    if (!strstr(text, what))
        print_error("no '%s' in:\n%s", what, text);
    assert_non_null(strstr(text, what));
}

static void test_page(void **state)
{
    struct node_result r[4];
    struct err e = ERR_INIT;

    (void)state;
    all_good(r);
    r[2].values[NODE_METRIC_triad].value *= 0.5;
    r[1].n_faults = 1;
    snprintf(r[1].faults[0].test, sizeof r->faults->test, "correct");
    snprintf(r[1].faults[0].text, sizeof r->faults->text, "core 17: \"wrong\" = 1");
    struct assess *a = look(r, 3, NULL);
    assert_int_equal(assess_line(a, &r[3], &e), 0);
    assert_int_equal(assess_look(a, &e), 0);
    three_rounds(a, 0.5);
    decide(a);
    struct page p = {.a = a,
                     .run = "r1",
                     .reservation = "maint",
                     .profile = "quick",
                     .job = 4711,
                     .where = "/shared/r1"};
    char *text = page_of(&p, page_text), *json = page_of(&p, print_json),
         *junit = page_of(&p, page_junit);
    for (char *line = text, *end; *line; line = end + 1) {
        end = line + strcspn(line, "\n");
        if (end - line > PAGE_COLUMNS)
            print_error("%.*s\n", (int)(end - line), line);
        assert_true(end - line <= PAGE_COLUMNS);
    }
    holds(text, "n3   A     SLOW          memory.triad ");
    holds(text, "n2   A     FAULTY        correct: core 17");
    holds(text, "n1   A     GOOD ");
    holds(text, "class A: AMD EPYC 7543, H12DSU\n");
    holds(text, "no history: judged by shipped priors, which see little; 5 runs make one\n");
    holds(text, "quick ends before a node is warm");
    holds(text, "  scontrol update reservationname=maint nodes-=n1,n4\n");
    holds(text, "reason=\"hpcai500: memory.triad 50 % behind its class (job 4711)\"");
    holds(text, "reason=\"hpcai500: correct: core 17: ?wrong? ? 1 (job 4711)\"");
    holds(text, "2 good, 1 slow, 1 faulty: CRITICAL\n");
    assert_true(strstr(text, "\nn2 FAULTY") < strstr(text, "\nn3 SLOW")); /* worst first */
    cJSON *doc = cJSON_Parse(json);
    assert_non_null(doc);
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(doc, "verdicts")), 4);
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(doc, "actions")), 4);
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(doc, "operating_point")), 3);
    holds(junit, "<testcase classname=\"n3\" name=\"memory.triad\"><failure message=\"");
    holds(junit, "<testcase classname=\"n1\" name=\"memory.triad\"/>");
    cJSON_Delete(doc);
    free(text);
    free(json);
    free(junit);
    assess_close(a);
}

/* A reservation that would be left empty is ended; without one nothing is to be done. */
static void test_page_of_good_nodes(void **state)
{
    struct node_result r[4];

    (void)state;
    all_good(r);
    struct assess *a = look(r, 4, NULL);
    decide(a);
    struct page p = {.a = a, .run = "r1", .reservation = "maint", .profile = "quick", .job = 1};
    char *text = page_of(&p, page_text);
    p.reservation = NULL;
    char *none = page_of(&p, page_text);
    holds(text,
          "hpcai500 validate act --apply would do:\n  scontrol delete reservationname=maint\n");
    assert_null(strstr(text, "nodes-="));
    holds(none, "\nNothing would be changed in Slurm.\n4 good: OK\n");
    assert_null(strstr(none, "scontrol"));
    free(text);
    free(none);
    assess_close(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_slow),
        cmocka_unit_test(test_transient),
        cmocka_unit_test(test_wrong_numbers),
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_unknown),
        cmocka_unit_test(test_few),
        cmocka_unit_test(test_links),
        cmocka_unit_test(test_line),
        cmocka_unit_test(test_past),
        cmocka_unit_test(test_past_cut_short),
        cmocka_unit_test(test_page),
        cmocka_unit_test(test_page_of_good_nodes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
