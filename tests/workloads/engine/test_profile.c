/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The profile by a clock that moves in known places only: operators on the host, the
 * update's exchange. What is booked where, and that nothing is lost: operators and
 * parts are all that the clock moved in training steps.
 */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/workloads/engine/harness.h"
#include "workloads/engine/internal.h"

/* Whole seconds, so that sums are exact. */
enum { FORWARD = 5, BACKWARD = 7, START = 11, MOVE = 1, WAIT = 3 };

static double seconds; /* what the clock says */
static long starts, moves, waits;

static double now(void)
{
    return seconds;
}

static int start(struct comm *c, float *buf, size_t n, int *request, struct err *e)
{
    (void)c, (void)buf, (void)n, (void)e;
    seconds += START;
    starts++;
    *request = 0;
    return 0;
}

static int progress(struct comm *c, struct err *e)
{
    (void)c, (void)e;
    seconds += MOVE;
    moves++;
    return 0;
}

static int wait_for(struct comm *c, int request, struct err *e)
{
    (void)c, (void)request, (void)e;
    seconds += WAIT;
    waits++;
    return 0;
}

static int forward(void *ctx, const struct engine_step *step, const float *const *in,
                   float *const *out, struct err *e)
{
    (void)ctx, (void)step, (void)e;
    memcpy(out[0], in[0], 8 * sizeof *out[0]);
    seconds += FORWARD;
    return 0;
}

static int backward(void *ctx, const struct engine_step *step, const float *const *in,
                    const float *const *out_grad, float *const *in_grad, struct err *e)
{
    (void)ctx, (void)step, (void)in, (void)e;
    memcpy(in_grad[0], out_grad[0], 8 * sizeof *in_grad[0]);
    seconds += BACKWARD;
    return 0;
}

/* x 2 x 6 -> dense 4 -> a node of the host -> dense 3 -> loss; a bucket a parameter. */
struct net {
    struct comm comm;
    struct model *m;
    struct graph *g;
    struct tensor *x, *y, *loss;
    int group;
};

static void must(int rc, const struct err *e)
{
    if (rc)
        fail_msg("%s", e->text);
}

static void create(struct net *n, double (*clock)(void))
{
    static const struct optimizer sgd = {.kind = OPTIMIZER_SGD};
    struct err e = ERR_INIT;

    *n = (struct net){.comm = *comm_self()};
    n->comm.allreduce_start = start;
    n->comm.progress = progress;
    n->comm.wait = wait_for;
    n->m = model_create(&(struct engine_config){.backend = "ref",
                                                .threads = 1,
                                                .seed = 2,
                                                .comm = &n->comm,
                                                .now = clock,
                                                .bucket_bytes = 1},
                        &e);
    must(n->m ? 0 : -1, &e);
    n->group = model_group(n->m, "all", &sgd);
    n->g = graph_create(n->m, "net", 2);
    n->x = graph_input(n->g, "x", SHAPE(6), CHANNELS_FIRST);
    n->y = graph_input(n->g, "y", SHAPE(3), CHANNELS_FIRST);
    struct tensor *t =
        op_dense(n->x, model_param(n->m, n->group, "one.weight", SHAPE(4, 6), XAVIER), NULL);
    struct host_node host = {.name = "made",
                             .n_in = 1,
                             .n_out = 1,
                             .in = {t},
                             .out = {SHAPE(2, 4)},
                             .forward = forward,
                             .backward = backward};
    op_host(n->g, &host, &t);
    t = op_dense(t, model_param(n->m, n->group, "two.weight", SHAPE(3, 4), XAVIER),
                 model_param(n->m, n->group, "two.bias", SHAPE(3), ZEROS));
    n->loss = op_mse(t, n->y, NULL);
    must(engine_compile(n->g, n->loss, &e), &e);
    must(engine_start(n->m, &e), &e);
}

static void run(struct net *n, enum engine_mode mode)
{
    static const uint64_t ids[2] = {1, 2};
    static const float x[12] = {1, 2, 3, 4, 5, 6}, y[6] = {1, 0, 1};
    struct err e = ERR_INIT;
    float loss;

    must(engine_begin(n->g, &(struct engine_step){.rows = 2, .global_rows = 2, .ids = ids}, &e),
         &e);
    must(engine_feed(n->g, n->x, x, &e), &e);
    must(engine_feed(n->g, n->y, y, &e), &e);
    if (mode == ENGINE_TRAIN)
        model_zero(n->m, n->group);
    must(engine_forward(n->g, mode, &e), &e);
    if (mode == ENGINE_TRAIN) {
        must(engine_backward(n->g, true, &e), &e);
        must(model_step(n->m, n->group, 0.1, &e), &e);
    }
    must(engine_read(n->g, n->loss, &loss, 1, &e), &e);
}

/* Row of an operator and pass. */
static struct engine_profile_row row_of(const struct net *n, const char *name, const char *pass)
{
    struct engine_profile_row r;

    for (int i = 0; graph_profile(n->g, i, &r); i++)
        if (!strcmp(r.name, name) && !strcmp(r.pass, pass))
            return r;
    fail_msg("the profile has no %s of %s", pass, name);
    return r;
}

static double sum_of(const struct net *n)
{
    struct engine_profile_row r;
    double sum = 0;

    for (int i = 0; graph_profile(n->g, i, &r); i++)
        sum += r.seconds;
    for (int p = 0; p < ENGINE_PARTS; p++)
        sum += model_profile(n->m, (enum engine_part)p);
    return sum;
}

static void test_sums(void **state)
{
    enum { STEPS = 3 };
    struct net n;

    (void)state;
    seconds = 100;
    starts = moves = waits = 0;
    create(&n, now);
    for (int i = 0; i < STEPS; i++) {
        run(&n, ENGINE_TRAIN);
        double before = seconds;
        run(&n, ENGINE_EVAL); /* is in no profile */
        assert_true(seconds == before + FORWARD);
    }
    assert_int_equal(starts, 3 * STEPS); /* one.weight, two.weight, two.bias */
    assert_int_equal(waits, starts);
    assert_true(moves >= 5 * STEPS);
    struct engine_profile_row made = row_of(&n, "made", "forward");
    assert_true(made.seconds == FORWARD * STEPS && made.least == FORWARD);
    assert_int_equal(made.calls, STEPS);
    assert_string_equal(made.op, "host");
    assert_string_equal(made.implementation, "host");
    assert_true(row_of(&n, "made", "data").seconds == BACKWARD * STEPS);
    assert_true(row_of(&n, "two", "weights").seconds == 0);
    assert_int_equal(row_of(&n, "two", "weights").calls, STEPS);
    assert_true(model_profile(n.m, ENGINE_PART_EXCHANGE) ==
                (double)(starts * START + moves * MOVE));
    assert_true(model_profile(n.m, ENGINE_PART_WAIT) == (double)(waits * WAIT));
    assert_true(model_stats(n.m, false).exposed_wait_seconds == (double)(waits * WAIT));
    assert_true(sum_of(&n) == seconds - 100 - FORWARD * STEPS);

    model_profile_reset(n.m);
    assert_true(sum_of(&n) == 0);
    assert_int_equal(row_of(&n, "made", "forward").calls, 0);
    model_destroy(n.m);
}

/* Every call of the clock takes a second: none is read between two pieces that is
 * not booked on one of them. */
static double ticking(void)
{
    return seconds++;
}

static void test_readings(void **state)
{
    struct engine_profile_row r;
    struct net n;
    double parts = 0;

    (void)state;
    seconds = 0;
    create(&n, ticking);
    run(&n, ENGINE_TRAIN);
    for (int i = 0; graph_profile(n.g, i, &r); i++)
        if (r.pass[0] == 'f') /* one reading an operator, nothing between them */
            assert_true(r.seconds == (strcmp(r.name, "made") ? 1 : 1 + FORWARD));
    for (int p = 0; p < ENGINE_PARTS; p++) {
        assert_true(model_profile(n.m, (enum engine_part)p) > 0);
        parts += model_profile(n.m, (enum engine_part)p);
    }
    assert_true(parts < seconds);
    const double before = sum_of(&n);
    run(&n, ENGINE_EVAL);
    run(&n, ENGINE_EVAL);
    assert_true(sum_of(&n) == before);
    model_destroy(n.m);
}

static void test_no_clock(void **state)
{
    struct net n;

    (void)state;
    create(&n, NULL);
    run(&n, ENGINE_TRAIN);
    assert_true(sum_of(&n) == 0);
    assert_int_equal(row_of(&n, "made", "forward").calls, 1);
    model_destroy(n.m);
}

/* The bytes of a pass are those of the tensors and parameters it moves. */
static void test_counts(void **state)
{
    const double f = sizeof(float), x = 2 * 6 * f, h = 2 * 4 * f, w = 4 * 6 * f;
    struct net n;

    (void)state;
    create(&n, NULL);
    struct engine_profile_row one = row_of(&n, "one", "forward");
    assert_true(one.flop == 2 * 2 * 6 * 4 && one.needed == one.flop);
    assert_true(one.bytes == x + h + w);
    assert_true(one.dtype == TENSOR_F32);
    assert_string_equal(one.implementation, "own"); /* `ref` has no library */
    one = row_of(&n, "one", "weights");
    assert_true(one.bytes == x + h + w && one.flop == 2 * 2 * 6 * 4);
    struct engine_profile_row two = row_of(&n, "two", "data");
    assert_true(two.bytes == 2 * 3 * f + 2 * 4 * f + 3 * 4 * f);
    model_destroy(n.m);
}

/* Taps on padding are no work: 4 places and a window of 3 with one place of padding on
 * each side have 10 taps of 12 inside, in each of two dimensions; stride 2 without
 * padding before has 2 x 3 of which the last is outside. Transposed: the same pairs. */
static void test_padding(void **state)
{
    static const struct optimizer sgd = {.kind = OPTIMIZER_SGD};
    static const struct window wide = {{3, 3}, {2, 2}, {0, 0}, {1, 1}, {0}};
    const struct {
        struct window win;
        double inside, taps;
    } cases[] = {{WINDOW(3, 1, 1), 100, 144}, {wide, 25, 36}};

    (void)state;
    for (size_t i = 0; i < 2; i++)
        for (int transposed = 0; transposed < 2; transposed++) {
            struct net n = {.comm = *comm_self()};
            struct err e = ERR_INIT;
            n.m = model_create(
                &(struct engine_config){.backend = "ref", .threads = 1, .comm = &n.comm}, &e);
            n.group = model_group(n.m, "all", &sgd);
            n.g = graph_create(n.m, "net", 2);
            long side = transposed && i == 1 ? 2 : 4;
            struct tensor *x = graph_input(n.g, "x", SHAPE(5, side, side), CHANNELS_FIRST);
            struct param *w = model_param(
                n.m, n.group, "w", transposed ? SHAPE(5, 7, 3, 3) : SHAPE(7, 5, 3, 3), XAVIER);
            graph_output(transposed ? op_deconv(x, w, NULL, cases[i].win)
                                    : op_conv(x, w, NULL, cases[i].win));
            must(engine_compile(n.g, NULL, &e), &e);
            struct engine_profile_row r = row_of(&n, "w", "forward");
            assert_float_equal(r.flop, 2.0 * 2 * 5 * 7 * cases[i].taps, 0);
            assert_float_equal(r.needed, 2.0 * 2 * 5 * 7 * cases[i].inside, 1e-6);
            model_destroy(n.m);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sums),     cmocka_unit_test(test_readings),
        cmocka_unit_test(test_no_clock), cmocka_unit_test(test_counts),
        cmocka_unit_test(test_padding),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
