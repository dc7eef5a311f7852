/* SPDX-License-Identifier: BSD-3-Clause */
/* Every network of every workload, class and model as a plan of the back end for
 * CPUs: no operator got the library's reference loop, which is a thousand times
 * slower; and the answer has the size of its field. Nothing is started. */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "workloads/component/harness.h"

/* "" when the plan is good. */
static void check_plan(const struct component *c, const struct recipe *r,
                       const struct runspec *spec, struct err *why)
{
    const struct workload_host host = {.comm = comm_self(), .threads = 2};
    struct net n = {.model = NULL};
    void *feed = calloc(1, c->feed_bytes + 1);

    assert_non_null(feed);
    if (net_look(&n, c, r, spec, &host, r->batch, feed, why) == 0 &&
        model_check_implementations(n.model, why) == 0) {
        const struct shape shape = tensor_shape(n.answer);
        const uint64_t moments = c->answer == ANSWER_ROLLED ? (uint64_t)c->rolls + 1 : 1;
        const uint64_t values = shape_count(&shape) / (uint64_t)shape.d[0] * moments;
        const uint64_t field =
            science_dims(c->science, c->answers, science_class(c->science, r->class), NULL);
        if (c->answer == ANSWER_CLASSES ? values % field != 0 : values != field)
            err_set(why, "its answer has %llu values for %llu of the field",
                    (unsigned long long)values, (unsigned long long)field);
    }
    model_destroy(n.model);
    free(feed);
}

/* Every row of every component's recipes; returns those that were good. */
static int check_all(enum runspec_dtype dtype)
{
    const struct workload *w;
    int good = 0, bad = 0;

    for (int i = 0; (w = workload_of(i)); i++) {
        const struct component *c = w->run == harness_run ? w->own : NULL;
        for (int k = 0; c && k < c->n_recipes; k++) {
            const struct recipe *r = &c->recipes[k];
            const struct runspec spec = {.dtype = dtype, .engine = ENGINE_CPU, .seed = 1};
            struct err why = ERR_INIT;
            check_plan(c, r, &spec, &why);
            if (why.text[0])
                print_error("%s %s %s %s: %s\n", c->name, runspec_class_name(r->class),
                            r->model ? r->model : "", runspec_dtype_name(dtype), why.text);
            *(why.text[0] ? &bad : &good) += 1;
        }
    }
    assert_int_equal(bad, 0);
    return good;
}

static void plans_in_f32(void **state)
{
    (void)state;
    assert_true(check_all(DTYPE_F32) >=
                19); /* cosmoflow 3, hep 6, defect 3, deepcam 4, forecast 3, and later ones */
}

static void plans_in_bf16(void **state)
{
    const struct engine_config config = {
        .backend = "cpu", .threads = 1, .compute = TENSOR_BF16, .comm = comm_self()};
    struct err why = ERR_INIT;
    struct model *m = model_create(&config, &why);

    (void)state;
    model_destroy(m);
    if (!m) {
        print_message("skipped: %s\n", why.text);
        skip();
    }
    check_all(DTYPE_BF16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plans_in_f32),
        cmocka_unit_test(plans_in_bf16),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
