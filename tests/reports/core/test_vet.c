/* SPDX-License-Identifier: BSD-3-Clause */
/* What a script learns of its nodes, from what an agent said. */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reports/core/vet.h"
#include "tests/unit.h"

static const char four[] = "n1\nn2\nn3\nn10\n";

static void test_lines(void **state)
{
    static const struct {
        const char *said;
        int spares;
        const char *state, *nodes, *left, *srun;
    } rows[] = {
        {"hpcai500-vet ok 1:n2\n", 1, "ok", "n1,n3,n10", "n2", "-N3 -n16 -x n2"},
        {"noise\nhpcai500-vet short 3:n10,1:n2\n", 2, "short", "n1,n3", "n2,n10",
         "-N2 -n12 -x n2,n10"},
        {"hpcai500-vet ok 0:n1", 1, "ok", "n2,n3,n10", "n1", "-N3 -n16 -x n1"},
        /* none, fewer, more, another's place, twice, no such place, a piece of a name */
        {NULL, 1, "failed", "n1,n2,n3", "n10", "-N3 -n20 -x n10"},
        {"", 2, "failed", "n1,n2", "n3,n10", "-N2 -n16 -x n3,n10"},
        {"hpcai500-vet ok \n", 1, "failed", "n1,n2,n3", "n10", "-N3 -n20 -x n10"},
        {"hpcai500-vet ok 1:n2,2:n3\n", 1, "failed", "n1,n2,n3", "n10", "-N3 -n20 -x n10"},
        {"hpcai500-vet ok 2:n2\n", 1, "failed", "n1,n2,n3", "n10", "-N3 -n20 -x n10"},
        {"hpcai500-vet ok 1:n2,1:n2\n", 2, "failed", "n1,n2", "n3,n10", "-N2 -n16 -x n3,n10"},
        {"hpcai500-vet ok 4:n2\n", 1, "failed", "n1,n2,n3", "n10", "-N3 -n20 -x n10"},
        {"hpcai500-vet ok -1:n2\n", 1, "failed", "n1,n2,n3", "n10", "-N3 -n20 -x n10"},
        {"hpcai500-vet ok 3:n1\n", 1, "failed", "n1,n2,n3", "n10", "-N3 -n20 -x n10"},
        {"hpcai500-vet", 1, "failed", "n1,n2,n3", "n10", "-N3 -n20 -x n10"},
        {"hpcai500-vet ok 1:$(id)\n", 1, "failed", "n1,n2,n3", "n10", "-N3 -n20 -x n10"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct err e = ERR_INIT;
        struct vet v;
        assert_int_equal(vet_choose(&v, rows[i].said, four, "8(x2),4(x2)", rows[i].spares, &e), 0);
        assert_string_equal(v.state, rows[i].state);
        assert_string_equal(v.nodes, rows[i].nodes);
        assert_string_equal(v.spares, rows[i].left);
        assert_string_equal(v.srun, rows[i].srun);
        vet_fini(&v);
    }
}

/* For eval in an allocation. */
static void test_words(void **state)
{
    struct err e = ERR_INIT;
    struct vet v;

    (void)state;
    assert_int_equal(vet_choose(&v, "hpcai500-vet short 1:n2\n", four, "8(x2),4(x2)", 1, &e), 0);
    char *words = vet_exports(&v);
    assert_non_null(words);
    assert_string_equal(words, "export HPCAI500_VET='short'\n"
                               "export HPCAI500_NODES='n1,n3,n10'\n"
                               "export HPCAI500_SPARES='n2'\n"
                               "export HPCAI500_SRUN='-N3 -n16 -x n2'\n");
    free(words);
    vet_fini(&v);
}

static void test_hosts(void **state)
{
    struct err e = ERR_INIT;
    struct vet v;

    (void)state;
    assert_int_equal(vet_choose(&v, "hpcai500-vet ok 1:n2\n", four, "8(x2),4(x2)", 1, &e), 0);
    assert_string_equal(v.hosts, "n1 slots=8\nn3 slots=4\nn10 slots=4\n");
    vet_fini(&v);
    assert_int_equal(vet_choose(&v, NULL, four, NULL, 1, &e), 0);
    assert_string_equal(v.hosts, "n1 slots=1\nn2 slots=1\nn3 slots=1\n");
    vet_fini(&v);
    assert_int_equal(vet_choose(&v, NULL, four, "nonsense", 1, &e), 0);
    assert_string_equal(v.srun, "-N3 -n3 -x n10");
    vet_fini(&v);
}

static void test_refused(void **state)
{
    struct err e = ERR_INIT;
    struct vet v;

    (void)state;
    assert_int_equal(vet_choose(&v, NULL, "", NULL, 1, &e), -1);
    assert_string_equal(e.text, "the names of the job's nodes are not known");
    e = (struct err)ERR_INIT;
    assert_int_equal(vet_choose(&v, NULL, "n1\n", NULL, 1, &e), -1);
    assert_string_equal(e.text, "spares=1 of 1 node leaves none");
    e = (struct err)ERR_INIT;
    assert_int_equal(vet_choose(&v, NULL, "n1\nn;2\n", NULL, 1, &e), -1);
    assert_string_equal(e.text, "the names of the job's nodes are not known");
    assert_null(v.nodes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_hosts),
        cmocka_unit_test(test_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
