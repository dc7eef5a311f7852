/* SPDX-License-Identifier: BSD-3-Clause */
/* What CosmoFlow plans, against the published figures. */
#include <config.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "workloads/workload.h"

#define assert_near(a, b, tolerance) assert_true(fabs((a) - (b)) <= (tolerance))

static struct workload_plan plan_of(const char *text, enum runspec_class class, struct comm *comm)
{
    struct workload_host host = {
        .comm = comm, .threads = 1, .cache_dir = "/nonexistent/hpcai500", .generator = "none"};
    struct runspec spec;
    struct workload_plan p = {.class = CLASS_AUTO};
    struct err e = ERR_INIT;

    if (runspec_parse(&spec, text, &e) < 0)
        fail_msg("%s", e.text);
    int index = runspec_find("cosmoflow");
    const struct workload *w = workload_of(index);
    if (w->plan(w, &spec, 0, class, &host, 1e11, &p, &e) < 0)
        fail_msg("%s", e.text);
    return p;
}

/* The published network: 8,907,556 parameters, 68.86 GFLOP forward at
 * 128^3 x 4 (two per multiply-add). As executed a training step is three
 * times that, less the data gradient of the layer that reads the input. */
static void standard_is_the_published_network(void **state)
{
    struct workload_plan p =
        plan_of("cosmoflow,class=standard,engine=ref", CLASS_STANDARD, comm_self());
    double first = 2.0 * 128 * 128 * 128 * 32 * 4 * 27;

    (void)state;
    assert_int_equal(p.parameters, 8907556);
    assert_near((p.flop_per_sample + first) / 3 / 1e9, 68.86, 0.01);
    assert_int_equal(p.batch, 64);
    assert_near(p.target, 0.124, 0);
    assert_false(p.data_ready);
}

static void classes_grow(void **state)
{
    struct workload_plan t = plan_of("cosmoflow,engine=ref", CLASS_TINY, comm_self());
    struct workload_plan s = plan_of("cosmoflow,engine=ref", CLASS_SMALL, comm_self());
    struct workload_plan x = plan_of("cosmoflow,engine=ref", CLASS_STANDARD, comm_self());

    (void)state;
    /* of an epoch: small learns from as large a cube as tiny, from more of them */
    double work[] = {t.flop_per_sample * (double)t.train_samples,
                     s.flop_per_sample * (double)s.train_samples,
                     x.flop_per_sample * (double)x.train_samples};
    assert_true(work[0] < work[1] && work[1] < work[2]);
    assert_true(t.arena_bytes < x.arena_bytes && s.arena_bytes < x.arena_bytes);
    assert_true(t.data_bytes < s.data_bytes && s.data_bytes < x.data_bytes);
    assert_true(t.target > s.target && s.target > x.target);
}

static void keys_are_obeyed(void **state)
{
    struct workload_plan p =
        plan_of("cosmoflow,batch=24,epochs=3,target=0.4,engine=ref", CLASS_TINY, comm_self());

    (void)state;
    assert_int_equal(p.batch, 24);
    assert_int_equal(p.epochs, 3);
    assert_near(p.target, 0.4, 0);
}

/* More ranks: the same global batch, fewer rows and less memory on each, and
 * never less than a sample per rank unless it was asked for. */
static void ranks_share_the_batch(void **state)
{
    struct comm many = *comm_self();
    struct workload_plan one = plan_of("cosmoflow,engine=ref", CLASS_TINY, comm_self());

    (void)state;
    many.size = 4;
    struct workload_plan four = plan_of("cosmoflow,engine=ref", CLASS_TINY, &many);
    assert_int_equal(four.batch, one.batch);
    assert_true(four.arena_bytes < one.arena_bytes);
    assert_true(four.expected_seconds < one.expected_seconds);
    many.size = 100;
    assert_int_equal(plan_of("cosmoflow,engine=ref", CLASS_TINY, &many).batch, 100);
    assert_int_equal(plan_of("cosmoflow,engine=ref,batch=50", CLASS_TINY, &many).batch, 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(standard_is_the_published_network),
        cmocka_unit_test(classes_grow),
        cmocka_unit_test(keys_are_obeyed),
        cmocka_unit_test(ranks_share_the_batch),
    };

    return cmocka_run_group_tests_name("cosmoflow", tests, NULL, NULL);
}
