/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The profile of steps by a clock that the test moves: what a step is made of sums to
 * it, over ranks it is their mean, a failed step and the first epoch are in nothing.
 */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "workloads/component/step_profile.h"

/* Whole seconds, so that sums are exact. */
enum { INPUT = 2, OPERATOR = 5, LOST = 1, BETWEEN = 3, AHEAD = 4 };

static double seconds = 50;

static double now(void)
{
    return seconds;
}

/* Another rank that took `more` seconds more in everything that took any, in as many
 * calls. */
static double more;

static int reduce(struct comm *c, double *v, int n, enum comm_op op, struct err *e)
{
    (void)c, (void)e;
    for (int i = 0; i < n && op == COMM_SUM; i++)
        v[i] += v[i] > 0 ? v[i] + more : 0;
    return 0;
}

static int host(void *ctx, const struct engine_step *step, const float *const *in,
                float *const *out, struct err *e)
{
    (void)ctx, (void)step, (void)e;
    memcpy(out[0], in[0], 2 * sizeof *out[0]);
    seconds += OPERATOR;
    return 0;
}

struct net {
    struct model *m;
    struct graph *g;
    struct tensor *x, *y;
    int group;
    struct step_profile p;
};

static void must(int rc, const struct err *e)
{
    if (rc)
        fail_msg("%s", e->text);
}

static void create(struct net *n)
{
    static const struct optimizer sgd = {.kind = OPTIMIZER_SGD};
    struct err e = ERR_INIT;

    *n = (struct net){.p = {.now = now}};
    n->m = model_create(
        &(struct engine_config){
            .backend = "ref", .threads = 1, .seed = 2, .comm = comm_self(), .now = now},
        &e);
    must(n->m ? 0 : -1, &e);
    n->group = model_group(n->m, "all", &sgd);
    n->g = graph_create(n->m, "net", 1);
    n->x = graph_input(n->g, "x", SHAPE(2), CHANNELS_FIRST);
    n->y = graph_input(n->g, "y", SHAPE(2), CHANNELS_FIRST);
    struct tensor *t = n->x;
    struct host_node node = {
        .name = "made", .n_in = 1, .n_out = 1, .in = {t}, .out = {SHAPE(1, 2)}, .forward = host};
    op_host(n->g, &node, &t);
    t = op_dense(t, model_param(n->m, n->group, "w", SHAPE(2, 2), XAVIER), NULL);
    must(engine_compile(n->g, op_mse(t, n->y, NULL), &e), &e);
    must(engine_start(n->m, &e), &e);
}

/* As the harness makes one. */
static void step(struct net *n, bool first, bool fails)
{
    static const uint64_t ids[1] = {1};
    static const float v[2] = {1, 2};
    struct err e = ERR_INIT;

    step_profile_enter(&n->p, first);
    seconds += INPUT;
    if (fails)
        return;
    n->p.input += INPUT;
    must(engine_begin(n->g, &(struct engine_step){.rows = 1, .global_rows = 1, .ids = ids}, &e),
         &e);
    must(engine_feed(n->g, n->x, v, &e), &e);
    must(engine_feed(n->g, n->y, v, &e), &e);
    model_zero(n->m, n->group);
    must(engine_forward(n->g, ENGINE_TRAIN, &e), &e);
    must(engine_backward(n->g, true, &e), &e);
    must(model_step(n->m, n->group, 0.1, &e), &e);
    seconds += LOST;
    step_profile_leave(&n->p, 16);
    seconds += BETWEEN;
}

static const struct result_operator *row_of(const struct workload_result *r, const char *name)
{
    for (int i = 0; i < r->profile.n_operators; i++)
        if (strcmp(r->operators[i].name, name) == 0)
            return &r->operators[i];
    fail_msg("no operator %s", name);
    return NULL;
}

static double parts(const struct result_profile *p)
{
    return p->operators_seconds + p->feed_seconds + p->zero_seconds + p->exchange_seconds +
           p->wait_seconds + p->update_seconds + p->read_seconds + p->input_seconds +
           p->agree_seconds + p->other_seconds;
}

static void test_sums(void **state)
{
    struct workload_result r = {.name = ""};
    struct err e = ERR_INIT;
    struct net n;

    (void)state;
    create(&n);
    seconds += AHEAD;
    step(&n, true, false);
    step(&n, false, false);
    step(&n, false, true);  /* it failed, and made nothing */
    step(&n, false, false); /* what lies before it is between nothing */
    must(step_profile_gather(&n.p, n.m, n.g, comm_self(), &r, &e), &e);
    assert_int_equal(r.profile.steps, 3);
    assert_false(r.profile.steady);
    assert_true(r.profile.operators_seconds == 3 * OPERATOR);
    assert_true(r.profile.input_seconds == 3 * INPUT);
    assert_true(r.profile.agree_seconds == 2 * BETWEEN);
    assert_true(r.profile.other_seconds == 3 * LOST);
    assert_true(r.profile.step_seconds == 3 * (INPUT + OPERATOR + LOST) + 2 * BETWEEN);
    assert_true(parts(&r.profile) == r.profile.step_seconds);
    assert_int_equal(r.profile.exchanged_bytes, 3 * 16);
    assert_string_equal(r.operators[0].name, "made"); /* most seconds first */
    assert_true(r.operators[0].seconds == 3 * OPERATOR &&
                r.operators[0].least_seconds == OPERATOR && r.operators[0].calls == 3);
    assert_true(row_of(&r, "w")->flop == 3 * 2 * 2 * 2);
    result_fini(&r);
    model_destroy(n.m);
}

static void test_restart(void **state)
{
    struct workload_result r = {.name = ""};
    struct err e = ERR_INIT;
    struct net n;

    (void)state;
    create(&n);
    must(step_profile_gather(&n.p, n.m, n.g, comm_self(), &r, &e), &e);
    assert_int_equal(r.profile.steps, 0);
    assert_null(r.operators);
    for (int i = 0; i < 3; i++)
        step(&n, i == 0, false);
    step_profile_restart(&n.p, n.m);
    step(&n, true, false);
    must(step_profile_gather(&n.p, n.m, n.g, comm_self(), &r, &e), &e);
    assert_int_equal(r.profile.steps, 1);
    assert_true(r.profile.steady);
    assert_true(r.profile.step_seconds == INPUT + OPERATOR + LOST);
    assert_true(r.profile.operators_seconds == OPERATOR);
    result_fini(&r);
    model_destroy(n.m);
}

static void test_ranks(void **state)
{
    struct workload_result r = {.name = ""};
    struct comm two = *comm_self();
    struct err e = ERR_INIT;
    struct net n;

    (void)state;
    two.size = 2;
    two.reduce = reduce;
    more = 0;
    create(&n);
    step(&n, true, false);
    more = 6; /* the other rank: every sum by 6 more, so the mean by 3 */
    must(step_profile_gather(&n.p, n.m, n.g, &two, &r, &e), &e);
    assert_true(r.profile.operators_seconds == OPERATOR + 3);
    assert_true(r.profile.input_seconds == INPUT + 3);
    result_fini(&r);
    model_destroy(n.m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sums),
        cmocka_unit_test(test_restart),
        cmocka_unit_test(test_ranks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
