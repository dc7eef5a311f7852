/* SPDX-License-Identifier: BSD-3-Clause */
/* The suite's networks as plans of the back end for CPUs: they have the counted
 * parameters, and no operator got the library's reference loop. */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/workloads/engine/nets.h"
#include "workloads/engine/backend.h"

/* Compiled, not started: takes no memory of size. */
static struct model *compiled(const struct net *net, enum tensor_dtype compute, struct graph **g)
{
    struct err e = ERR_INIT;
    struct engine_config c = {
        .backend = "cpu", .threads = 2, .compute = compute, .seed = 1, .comm = comm_self()};
    struct optimizer sgd = {.kind = OPTIMIZER_SGD};
    struct model *m = model_create(&c, &e);

    if (!m)
        fail_msg("%s", e.text);
    *g = graph_create(m, net->name, net->batch);
    struct tensor *loss = graph_output(net->build(net, m, *g, model_group(m, "all", &sgd)));
    if (engine_compile(*g, loss, &e))
        fail_msg("%s: %s", net->name, e.text);
    return m;
}

/* HPCAI500_TEST_SHOW=1 prints what each operator got. */
static void show(const struct graph *g, enum tensor_dtype compute)
{
    struct engine_implementation row;

    for (int i = 0; getenv("HPCAI500_TEST_SHOW") && graph_implementation(g, i, &row); i++)
        printf("%s %-12s %-16s %s\n", compute == TENSOR_BF16 ? "bf16" : "f32", row.node, row.what,
               row.name);
}

static void check(enum tensor_dtype compute)
{
    int bad = 0;

    for (int i = 0; i < n_nets; i++) {
        struct err e = ERR_INIT;
        struct graph *g;
        struct model *m = compiled(&nets[i], compute, &g);

        if (getenv("HPCAI500_TEST_SHOW"))
            printf("%s\n", nets[i].name);
        show(g, compute);
        if (nets[i].parameters > 0)
            assert_true((double)model_parameters(m, -1) == nets[i].parameters);
        if (model_check_implementations(m, &e)) {
            bad++;
            print_error("%s: %s\n", compute == TENSOR_BF16 ? "bf16" : "f32", e.text);
        }
        model_destroy(m);
    }
    assert_int_equal(bad, 0);
}

static void test_f32(void **state)
{
    (void)state;
    check(TENSOR_F32);
}

static void test_bf16(void **state)
{
    const char *why = engine_backend_cpu.refuses(TENSOR_BF16);

    (void)state;
    if (why) {
        print_message("skipped: %s\n", why);
        skip();
    }
    check(TENSOR_BF16);
}

/* Every product of a plan has a row: else the check would see nothing. */
static void test_rows(void **state)
{
    struct graph *g;
    struct model *m = compiled(&nets[0], TENSOR_F32, &g);
    struct engine_implementation row;
    int convolutions = 0, data = 0, products = 0;

    (void)state;
    for (int i = 0; graph_implementation(g, i, &row); i++) {
        convolutions += !strcmp(row.what, "convolution");
        data += !strcmp(row.what, "data gradient");
        products += !strcmp(row.what, "product");
        assert_true(strlen(row.name) > 0 && strlen(row.node) > 0);
    }
    assert_int_equal(convolutions, 4);
    assert_int_equal(data, 3);
    assert_true(products >= 3 * 3);
    model_destroy(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_f32),
        cmocka_unit_test(test_bf16),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
