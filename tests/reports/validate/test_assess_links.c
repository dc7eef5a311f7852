/* SPDX-License-Identifier: BSD-3-Clause */
/* Links: two ends of one, and what pairs of nodes were before. */
#include <config.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "reports/validate/assess.h"
#include "tests/reports/validate/made.h"
#include "tests/unit.h"

static const char *const six[] = {"n1", "n2", "n3", "n4", "n5", "n6"};

static void decide(struct assess *a)
{
    struct err e = ERR_INIT;

    assert_int_equal(assess_decide(a, &e), 0);
}

static void all_lines(struct assess *a, int n)
{
    struct err e = ERR_INIT;

    for (int i = 0; i < n; i++) {
        struct node_result r = made_node(six[i], 0, (unsigned)i + 1);
        assert_int_equal(assess_line(a, &r, &e), 0);
    }
}

/* Pairs of n nodes in a round, but those that are absent: what `slow` sends is so many
 * times what is usual. */
static void pairs_but(struct assess *a, int n, int round, int slow, double of_slow,
                      bool (*absent)(int i, int k))
{
    struct err e = ERR_INIT;

    for (int i = 0; i < n; i++)
        for (int k = 0; k < n; k++) {
            const double off = 1 + 0.004 * ((7 * round + 3 * i + k) % 5 - 2);
            if (i != k && !(absent && absent(i, k)))
                assert_int_equal(assess_pair(a, round, six[i], six[k],
                                             12e9 * off * (i == slow ? of_slow : 1),
                                             i < k ? 2e-6 * off : (double)NAN, &e),
                                 0);
        }
}

static void all_pairs(struct assess *a, int n, int round, int slow, double of_slow)
{
    pairs_but(a, n, round, slow, of_slow, NULL);
}

/* Of two nodes nobody can say which end is slow: neither is to be drained for it. */
static void test_two_ends(void **state)
{
    struct err e = ERR_INIT;
    struct assess *a = assess_create(six, 2, NULL, &e);

    (void)state;
    assert_non_null(a);
    all_lines(a, 2);
    for (int round = 0; round <= 3; round++)
        all_pairs(a, 2, round, 0, 0.1);
    assert_int_equal(assess_look(a, &e), 0);
    decide(a);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(a->nodes[i].verdict, VERDICT_SUSPECT);
        assert_int_equal(a->nodes[i].metric, i ? NODE_METRIC_net_in : NODE_METRIC_net_out);
        assert_string_equal(a->nodes[i].text,
                            "it or its partner: fewer than three links do not tell which");
    }
    assess_close(a);
}

static const struct assess_group *sends(const struct assess *a)
{
    for (int g = 0; g < a->n_groups; g++)
        if (a->groups[g].metric == NODE_METRIC_net_out)
            return &a->groups[g];
    fail_msg("no links were judged");
    return NULL;
}

/* The links of `a` become the look of run k; closes it. How many. */
static int file_run(struct assess *a, int k, const char *path)
{
    struct err e = ERR_INIT;
    struct link_line *links;
    char run[16];
    int n;

    assert_int_equal(assess_links(a, &links, &n, &e), 0);
    for (int i = 0; i < n; i++)
        links[i].round = 0;
    snprintf(run, sizeof run, "r%d", k);
    assert_int_equal(past_append_links(path, run, links, n, &e), 0);
    free(links);
    assess_close(a);
    return n;
}

/* A node that has always sent at two thirds of the others' rate is compared with itself, in
 * the look and in the rounds; one that has become slower is seen, which the priors would not
 * have. What was measured becomes history. */
static void test_links_past(void **state)
{
    char path[] = "/tmp/test_assessXXXXXX";
    const int fd = mkstemp(path), slow = 0;
    struct err e = ERR_INIT;

    (void)state;
    assert_true(fd >= 0);
    close(fd);
    for (int k = 0; k < 6; k++) {
        struct assess *a = assess_create(six, 4, NULL, &e);
        assert_non_null(a);
        all_lines(a, 4);
        all_pairs(a, 4, k, slow, 0.67); /* its noise, as of round k */
        assert_int_equal(file_run(a, k, path), 12);
    }
    struct past *p = past_open(path, &e);
    assert_non_null(p);
    assert_int_equal(past_runs(p, PAST_LINKS), 6);
    assert_int_equal(past_pair(p, "n2", "n1", NODE_METRIC_net_latency).runs, 6);
    assert_int_equal(past_pair(p, "n2", "n9", NODE_METRIC_net_out).runs, 0);

    struct assess *with = assess_create(six, 4, p, &e), *without = assess_create(six, 4, NULL, &e);
    assert_true(with && without);
    all_lines(with, 4);
    all_lines(without, 4);
    all_pairs(with, 4, 0, slow, 0.67);
    all_pairs(without, 4, 0, slow, 0.67);
    assert_int_equal(assess_look(with, &e), 0);
    assert_int_equal(assess_look(without, &e), 0);
    assert_true(sends(without)->seen[slow].gated);
    assert_true(sends(with)->look.h.known && sends(with)->runs == 6);
    assert_true(sends(with)->seen[slow].own && !sends(with)->seen[slow].gated);
    decide(with);
    for (int i = 0; i < 4; i++)
        assert_int_equal(with->nodes[i].verdict, VERDICT_GOOD);
    assess_close(with);
    assess_close(without);

    assert_non_null(with = assess_create(six, 4, p, &e));
    all_lines(with, 4);
    for (int round = 0; round <= 3; round++) {
        all_pairs(with, 4, round, slow, 0.67 * 0.85);
        if (round == 0)
            assert_int_equal(assess_look(with, &e), 0);
    }
    assert_true(sends(with)->seen[slow].gated && sends(with)->seen[slow].own);
    decide(with);
    assert_int_equal(with->nodes[slow].verdict, VERDICT_SLOW);
    assert_true(fabs(with->nodes[slow].loss - 15) < 1.5); /* 43 % behind the others */
    for (int i = 1; i < 4; i++)
        assert_int_equal(with->nodes[i].verdict, VERDICT_GOOD);
    assess_close(with);
    past_close(p);
    unlink(path);
}

/* The first with one of the last two. */
static bool is_new(int i, int k)
{
    return (i == 0 && k >= 4) || (k == 0 && i >= 4);
}

/* One that has met neither of them, or two others. */
static bool is_old(int i, int k)
{
    return !is_new(i, k) && (i < 4 || k < 4);
}

/* In further rounds the first of six meets nodes that it has no history with. It has always sent
 * at two thirds of the others' rate, and is not blamed for it there either; what it has lost
 * since is seen. */
static void test_links_met_anew(void **state)
{
    static const struct {
        double look, rounds;
        enum verdict verdict;
    } rows[] = {{0.9, 1, VERDICT_TRANSIENT}, {0.8, 0.8, VERDICT_SLOW}};
    char path[] = "/tmp/test_assessXXXXXX";
    const int fd = mkstemp(path);
    struct err e = ERR_INIT;

    (void)state;
    assert_true(fd >= 0);
    close(fd);
    for (int k = 0; k < 6; k++) {
        struct assess *a = assess_create(six, 6, NULL, &e);
        assert_non_null(a);
        pairs_but(a, 6, k, 0, 0.67, is_new);
        assert_int_equal(file_run(a, k, path), 26);
    }
    struct past *p = past_open(path, &e);
    assert_non_null(p);
    for (size_t row = 0; row < sizeof rows / sizeof *rows; row++) {
        struct assess *a = assess_create(six, 6, p, &e);
        assert_non_null(a);
        all_lines(a, 6);
        pairs_but(a, 6, 0, 0, 0.67 * rows[row].look, is_new);
        assert_int_equal(assess_look(a, &e), 0);
        assert_true(sends(a)->seen[0].gated && sends(a)->seen[0].own);
        for (int round = 1; round <= 3; round++)
            pairs_but(a, 6, round, 0, 0.67 * rows[row].rounds, is_old);
        decide(a);
        if (rows[row].verdict == VERDICT_SLOW) {
            assert_int_equal(a->nodes[0].metric, NODE_METRIC_net_out);
            assert_true(fabs(a->nodes[0].loss - 20) < 2);
            assert_int_equal(a->nodes[0].verdict, VERDICT_SLOW);
        } else {
            assert_true(a->nodes[0].verdict <= rows[row].verdict);
        }
        for (int i = 1; i < 6; i++)
            assert_int_equal(a->nodes[i].verdict, VERDICT_GOOD);
        assess_close(a);
    }
    past_close(p);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_two_ends),
        cmocka_unit_test(test_links_past),
        cmocka_unit_test(test_links_met_anew),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
