/* SPDX-License-Identifier: BSD-3-Clause */
/* Which nodes of a job are left out. */
#include <config.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "reports/validate/spares.h"
#include "tests/reports/validate/made.h"
#include "tests/unit.h"

enum { NODES = 8 };

static const char *const names[NODES] = {"n1", "n2", "n3", "n4", "n5", "n6", "n7", "n8"};

/* Eight nodes, of which n5's memory is 4 % slower, n3's 2 %. */
static struct assess *eight(void)
{
    struct err e = ERR_INIT;
    struct assess *a = assess_create(names, NODES, NULL, &e);

    assert_non_null(a);
    for (int i = 0; i < NODES; i++) {
        struct node_result r = made_node(names[i], 0, (unsigned)i);
        r.values[NODE_METRIC_triad].value *= i == 4 ? 0.96 : i == 2 ? 0.98 : 1;
        assert_int_equal(assess_line(a, &r, &e), 0);
    }
    assert_int_equal(assess_look(a, &e), 0);
    assert_int_equal(assess_decide(a, &e), 0);
    return a;
}

/* Those left out, as "n5 n3 "; bad: of those that stay. */
static const char *left_out(const struct assess *a, int k, int bad)
{
    static char text[64];
    bool spare[NODES];

    *text = '\0';
    assert_int_equal(spares_choose(a, k, spare), bad);
    for (int i = 0; i < a->n; i++)
        if (spare[i])
            strcat(strcat(text, names[i]), " ");
    return text;
}

static void test_choose(void **state)
{
    struct assess *a = eight();
    double loss;
    int metric;

    (void)state;
    assert_string_equal(left_out(a, 1, 0), "n5 ");
    assert_string_equal(left_out(a, 2, 0), "n3 n5 ");
    assert_true(spares_behind(a, 4, &metric, &loss) > 0);
    assert_int_equal(metric, NODE_METRIC_triad);
    assert_true(fabs(loss - 4) < 0.5);
    a->nodes[6].verdict = VERDICT_SUSPECT;
    assert_string_equal(left_out(a, 1, 0), "n7 ");
    a->nodes[5].verdict = VERDICT_SLOW;
    assert_string_equal(left_out(a, 1, 0), "n6 ");
    a->nodes[3].verdict = VERDICT_UNKNOWN;
    assert_string_equal(left_out(a, 1, 1), "n4 ");
    assert_string_equal(left_out(a, 2, 0), "n4 n6 ");
    assert_string_equal(left_out(a, 4, 0), "n4 n5 n6 n7 ");
    assess_close(a);
}

/* The script runs on the first node: it stays, bad as it is. */
static void test_first(void **state)
{
    struct assess *a = eight();

    (void)state;
    a->nodes[0].verdict = VERDICT_FAULTY;
    assert_string_equal(left_out(a, 1, 1), "n5 ");
    assert_string_equal(left_out(a, 7, 1), "n2 n3 n4 n5 n6 n7 n8 ");
    assert_string_equal(left_out(a, 8, 1), "n2 n3 n4 n5 n6 n7 n8 ");
    assess_close(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_choose),
        cmocka_unit_test(test_first),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
