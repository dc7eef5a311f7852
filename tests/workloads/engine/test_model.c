/* SPDX-License-Identifier: BSD-3-Clause */
/* Models and graphs beyond single operators: start values, optimiser,
 * schedule, freezing, sharing, host nodes, sizes, checkpoints, refusals. */
#include <config.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/workloads/engine/harness.h"
#include "tests/workloads/engine/trainer.h"
#include "workloads/engine/internal.h"
#include "workloads/engine/plan.h"
#include "workloads/engine/schedule.h"

static const struct optimizer plain_sgd = {.kind = OPTIMIZER_SGD, .momentum = 0, .weight_decay = 0};

static struct engine_config config_of(uint64_t seed)
{
    return (struct engine_config){
        .backend = "ref", .threads = 1, .seed = seed, .comm = comm_self()};
}

static void must(int rc, const struct err *e)
{
    if (rc)
        fail_msg("%s", e->text);
}

static struct model *model_of(uint64_t seed)
{
    struct err e = ERR_INIT;
    struct engine_config c = config_of(seed);
    struct model *m = model_create(&c, &e);

    if (!m)
        fail_msg("%s", e.text);
    return m;
}

static void begin(struct graph *g, long rows)
{
    struct err e = ERR_INIT;
    static const uint64_t ids[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

    must(engine_begin(g, &(struct engine_step){.rows = rows, .global_rows = rows, .ids = ids}, &e),
         &e);
}

static void feed(struct graph *g, struct tensor *t, const float *v)
{
    struct err e = ERR_INIT;

    must(engine_feed(g, t, v, &e), &e);
}

static void forward_backward(struct graph *g, bool last)
{
    struct err e = ERR_INIT;

    must(engine_forward(g, ENGINE_TRAIN, &e), &e);
    must(engine_backward(g, last, &e), &e);
}

static void get(struct param *p, enum param_part part, float *v, size_t n)
{
    struct err e = ERR_INIT;

    must(param_get(p, part, v, n, &e), &e);
}

/* ---- start values ----------------------------------------------------- */

struct moments {
    double mean, deviation, most;
};

static struct moments moments_of(struct init init, uint64_t seed, const char *name)
{
    enum { OUT = 64, IN = 32, N = OUT * IN * 9 };
    static float v[N];
    struct err e = ERR_INIT;
    struct model *m = model_of(seed);
    struct param *p =
        model_param(m, model_group(m, "g", &plain_sgd), name, SHAPE(OUT, IN, 3, 3), init);
    struct moments r = {0};

    must(engine_start(m, &e), &e);
    get(p, PARAM_VALUE, v, N);
    for (int i = 0; i < N; i++) {
        r.mean += (double)v[i] / N;
        r.deviation += (double)v[i] * (double)v[i] / N;
        r.most = fmax(r.most, fabs((double)v[i]));
    }
    r.deviation = sqrt(r.deviation - r.mean * r.mean);
    model_destroy(m);
    return r;
}

static void test_start_values(void **state)
{
    double limit = sqrt(6.0 / (32 * 9 + 64 * 9)), he = sqrt(2.0 / (32 * 9));
    struct moments x = moments_of(XAVIER, 1, "w"), h = moments_of(HE, 1, "w");
    struct moments n = moments_of((struct init){INIT_NORMAL, 0.02f}, 1, "w");
    struct moments c = moments_of((struct init){INIT_CONSTANT, 0.5f}, 1, "w");

    (void)state;
    assert_float_equal(x.mean, 0, 4 * limit / sqrt(3) / sqrt(18432));
    assert_float_equal(x.deviation, limit / sqrt(3), 0.02 * limit);
    assert_true(x.most <= limit && x.most > 0.99 * limit);
    assert_float_equal(h.mean, 0, 4 * he / sqrt(18432));
    assert_float_equal(h.deviation, he, 0.03 * he);
    assert_true(h.most > 3 * he && h.most < 6 * he);
    assert_float_equal(n.deviation, 0.02, 0.03 * 0.02);
    assert_true(fabs(c.mean - 0.5) < 1e-9 && c.most == 0.5);
    /* other seeds and other names are other numbers, the same are the same */
    assert_true(moments_of(XAVIER, 1, "w").mean == x.mean);
    assert_true(moments_of(XAVIER, 2, "w").mean != x.mean);
    assert_true(moments_of(XAVIER, 1, "v").mean != x.mean);
}

/* ---- optimiser and schedule ------------------------------------------- */

/* y = w x with one weight: every number by hand. */
static void test_sgd_by_hand(void **state)
{
    struct err e = ERR_INIT;
    struct model *m = model_of(1);
    struct optimizer o = {.kind = OPTIMIZER_SGD, .momentum = 0.9f, .weight_decay = 0.1f};
    int group = model_group(m, "g", &o);
    struct param *w = model_param(m, group, "w", SHAPE(1, 1), (struct init){INIT_CONSTANT, 2});
    struct graph *g = graph_create(m, "g", 2);
    struct tensor *x = graph_input(g, "x", SHAPE(1), CHANNELS_FIRST);
    struct tensor *t = graph_input(g, "t", SHAPE(1), CHANNELS_FIRST);
    struct tensor *loss = op_mse(op_dense(x, w, NULL), t, NULL);
    double value = 2, moment = 0;

    (void)state;
    must(engine_compile(g, loss, &e), &e);
    must(engine_start(m, &e), &e);
    for (int s = 0; s < 5; s++) {
        const float xs[2] = {1, 3}, ts[2] = {1, -1};
        double rate = 0.01 * (s + 1), gradient = 0;
        float got, expected = 0;

        begin(g, 2);
        feed(g, x, xs);
        feed(g, t, ts);
        model_zero(m, group);
        forward_backward(g, true);
        for (int i = 0; i < 2; i++) {
            double d = value * (double)xs[i] - (double)ts[i];

            expected += (float)(d * d / 2);
            gradient += d * (double)xs[i];
        }
        must(engine_read(g, loss, &got, 1, &e), &e);
        assert_float_equal(got, expected, 1e-5 * fabs((double)expected));
        must(model_step(m, group, rate, &e), &e);
        moment = 0.9 * moment + gradient + 0.1 * value;
        value -= rate * moment;
        get(w, PARAM_VALUE, &got, 1);
        assert_float_equal(got, value, 1e-5);
    }
    model_destroy(m);
}

static void test_schedule(void **state)
{
    const struct schedule s = {.base = 0.2,
                               .warmup_epochs = 4,
                               .warmup_factor = 0.1,
                               .n_decays = 2,
                               .decays = {{32, 0.25}, {64, 0.125}}};
    static const double cases[][2] = {{0, 0.02},  {2, 0.11},      {4, 0.2},    {31.999, 0.2},
                                      {32, 0.05}, {63.999, 0.05}, {64, 0.025}, {1000, 0.025}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_float_equal(schedule_rate(&s, cases[i][0]), cases[i][1], 1e-12);
    assert_float_equal(schedule_rate(&(struct schedule){.base = 3}, 0), 3, 0);
}

/* ---- graphs over one model -------------------------------------------- */

/* A generator in front of a discriminator: in its own graph the discriminator
 * is frozen, yet the gradient goes through it. */
static void test_freeze(void **state)
{
    struct err e = ERR_INIT;
    struct model *m = model_of(3);
    int gen = model_group(m, "generator", &plain_sgd);
    int dis = model_group(m, "discriminator", &plain_sgd);
    struct param *w = model_param(m, gen, "g", SHAPE(3, 2), XAVIER);
    struct param *v = model_param(m, dis, "d", SHAPE(1, 3), XAVIER);
    const float z[4] = {1, 2, -1, 0.5f}, one[2] = {1, 1}, real[6] = {1, 0, 1, 0, 1, 0};
    float before[3], after[3], gw[6], gv[3], sum = 0;

    (void)state;
    struct graph *a = graph_create(m, "generator step", 2);
    struct tensor *za = graph_input(a, "z", SHAPE(2), CHANNELS_FIRST);
    struct tensor *ya = graph_input(a, "y", SHAPE(1), CHANNELS_FIRST);
    graph_freeze(a, dis);
    must(engine_compile(a, op_mse(op_dense(op_dense(za, w, NULL), v, NULL), ya, NULL), &e), &e);
    struct graph *b = graph_create(m, "discriminator step", 2);
    struct tensor *xb = graph_input(b, "x", SHAPE(3), CHANNELS_FIRST);
    struct tensor *yb = graph_input(b, "y", SHAPE(1), CHANNELS_FIRST);
    must(engine_compile(b, op_mse(op_dense(xb, v, NULL), yb, NULL), &e), &e);
    assert_true(graph_flop(a).weight_gradient == 2 * 6 && graph_flop(a).data_gradient == 2 * 3);
    assert_true(graph_flop(b).weight_gradient == 2 * 3 && graph_flop(b).data_gradient == 0);
    must(engine_start(m, &e), &e);
    get(v, PARAM_VALUE, before, 3);

    begin(a, 2);
    feed(a, za, z);
    feed(a, ya, one);
    model_zero(m, gen);
    forward_backward(a, true);
    get(w, PARAM_GRADIENT, gw, 6);
    get(v, PARAM_GRADIENT, gv, 3);
    for (int i = 0; i < 6; i++)
        sum += fabsf(gw[i]);
    assert_true(sum > 0 && gv[0] == 0 && gv[1] == 0 && gv[2] == 0);
    must(model_step(m, gen, 0.1, &e), &e);
    get(v, PARAM_VALUE, after, 3);
    assert_memory_equal(before, after, sizeof before);

    begin(b, 2);
    feed(b, xb, real);
    feed(b, yb, one);
    model_zero(m, dis);
    forward_backward(b, true);
    must(model_step(m, dis, 0.1, &e), &e);
    get(v, PARAM_VALUE, after, 3);
    assert_true(memcmp(before, after, sizeof before) != 0);
    model_destroy(m);
}

/* Two graphs, one group: who is not in the second has gradient zero there, not
 * what the first has left. */
static void test_untouched_parameters(void **state)
{
    struct err e = ERR_INIT;
    struct model *m = model_of(3);
    int group = model_group(m, "g", &plain_sgd);
    struct param *w[2] = {model_param(m, group, "a", SHAPE(1, 1), XAVIER),
                          model_param(m, group, "b", SHAPE(1, 1), XAVIER)};
    struct graph *g[2];
    struct tensor *x[2], *t[2];
    const float one = 1, five = 5;
    float start[2], value[2];

    (void)state;
    for (int i = 0; i < 2; i++) {
        g[i] = graph_create(m, i ? "second" : "first", 1);
        x[i] = graph_input(g[i], "x", SHAPE(1), CHANNELS_FIRST);
        t[i] = graph_input(g[i], "t", SHAPE(1), CHANNELS_FIRST);
        must(engine_compile(g[i], op_mse(op_dense(x[i], w[i], NULL), t[i], NULL), &e), &e);
    }
    must(engine_start(m, &e), &e);
    for (int i = 0; i < 2; i++) {
        for (int k = 0; k < 2; k++)
            get(w[k], PARAM_VALUE, &start[k], 1);
        begin(g[i], 1);
        feed(g[i], x[i], &one);
        feed(g[i], t[i], &five);
        model_zero(m, group);
        forward_backward(g[i], true);
        must(model_step(m, group, 0.1, &e), &e);
        for (int k = 0; k < 2; k++)
            get(w[k], PARAM_VALUE, &value[k], 1);
        assert_true(value[i] != start[i] && value[1 - i] == start[1 - i]);
    }
    model_destroy(m);
}

/* Two backwards over halves are one over the whole. */
static void test_accumulated_gradients(void **state)
{
    struct err e = ERR_INIT;
    struct model *m = model_of(3);
    int group = model_group(m, "g", &plain_sgd);
    struct param *w = model_param(m, group, "w", SHAPE(3, 2), XAVIER);
    struct graph *g = graph_create(m, "g", 4);
    struct tensor *x = graph_input(g, "x", SHAPE(2), CHANNELS_FIRST);
    struct tensor *t = graph_input(g, "t", SHAPE(3), CHANNELS_FIRST);
    float xs[8], ts[12], whole[6], halves[6];

    (void)state;
    for (int i = 0; i < 12; i++) {
        xs[i % 8] = noise(1, (unsigned long)i);
        ts[i] = noise(2, (unsigned long)i);
    }
    must(engine_compile(g, op_mse(op_dense(x, w, NULL), t, NULL), &e), &e);
    must(engine_start(m, &e), &e);
    begin(g, 4);
    feed(g, x, xs);
    feed(g, t, ts);
    forward_backward(g, true);
    get(w, PARAM_GRADIENT, whole, 6);
    model_zero(m, group);
    for (int half = 0; half < 2; half++) {
        const uint64_t ids[2] = {0, 1};

        must(engine_begin(g, &(struct engine_step){.rows = 2, .global_rows = 4, .ids = ids}, &e),
             &e);
        feed(g, x, xs + 4 * half);
        feed(g, t, ts + 6 * half);
        forward_backward(g, half == 1);
    }
    get(w, PARAM_GRADIENT, halves, 6);
    for (int i = 0; i < 6; i++)
        assert_float_equal(halves[i], whole[i], 1e-6);
    model_destroy(m);
}

/* A rank alone that counts the sums that nobody has waited for. */
static int under_way;

static int counted_start(struct comm *c, float *buf, size_t n, int *request, struct err *e)
{
    (void)c;
    under_way++;
    return comm_self()->allreduce_start(comm_self(), buf, n, request, e);
}

static int counted_wait(struct comm *c, int request, struct err *e)
{
    (void)c;
    under_way--;
    return comm_self()->wait(comm_self(), request, e);
}

static size_t last_count;

static int sized_start(struct comm *c, float *buf, size_t n, int *request, struct err *e)
{
    last_count = n;
    return counted_start(c, buf, n, request, e);
}

/* A started model of one dense layer of n numbers, whose sums are counted. */
struct counted {
    struct comm comm;
    struct model *m;
    struct param *w;
    struct graph *g;
    struct tensor *x, *t;
    int group;
};

static void make_counted(struct counted *k, long n)
{
    struct err e = ERR_INIT;
    struct engine_config c = config_of(3);

    k->comm = *comm_self();
    k->comm.allreduce_start = sized_start;
    k->comm.wait = counted_wait;
    c.comm = &k->comm;
    k->m = model_create(&c, &e);
    k->group = model_group(k->m, "g", &plain_sgd);
    k->w = model_param(k->m, k->group, "w", SHAPE(1, n), XAVIER);
    k->g = graph_create(k->m, "g", 1);
    k->x = graph_input(k->g, "x", SHAPE(n), CHANNELS_FIRST);
    k->t = graph_input(k->g, "t", SHAPE(1), CHANNELS_FIRST);
    must(engine_compile(k->g, op_mse(op_dense(k->x, k->w, NULL), k->t, NULL), &e), &e);
    must(engine_start(k->m, &e), &e);
}

/* An exchange that is taken away for a measurement: no sum, or one of one number. */
static void test_exchange_taken_away(void **state)
{
    struct err e = ERR_INIT;
    struct counted k;
    const float x4[4] = {1, 1, 1, 1}, five = 5;

    (void)state;
    make_counted(&k, 4);
    const struct {
        enum engine_exchange exchange;
        size_t least, most; /* numbers in its sum; 0: no sum */
    } rows[] = {{EXCHANGE_NONE, 0, 0}, {EXCHANGE_MEET, 1, 1}, {EXCHANGE_SUMS, 4, 64}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        last_count = 0;
        model_exchange(k.m, rows[i].exchange);
        begin(k.g, 1);
        feed(k.g, k.x, x4);
        feed(k.g, k.t, &five);
        model_zero(k.m, k.group);
        forward_backward(k.g, true);
        assert_in_range(last_count, rows[i].least, rows[i].most);
        assert_int_equal(under_way, rows[i].least > 0);
        must(model_step(k.m, k.group, 0, &e), &e);
        assert_int_equal(under_way, 0);
        assert_int_equal(model_stats(k.m, true).exchanged_bytes, last_count * sizeof(float));
    }
    model_destroy(k.m);
}

/* Gradients that are dropped while their sum is under way are not written
 * again, nor stepped with, before it is over. */
static void test_dropped_sums(void **state)
{
    struct err e = ERR_INIT;
    struct counted k;
    const float one = 1, five = 5;
    float before, after;

    (void)state;
    make_counted(&k, 1);
    get(k.w, PARAM_VALUE, &before, 1);
    begin(k.g, 1);
    feed(k.g, k.x, &one);
    feed(k.g, k.t, &five);
    forward_backward(k.g, true);
    for (int i = 0; i < 2; i++) {
        model_zero(k.m, k.group);
        model_zero(k.m, k.group);
        assert_int_equal(under_way, 1);
        forward_backward(k.g, true);
        assert_int_equal(under_way, 1);
    }
    model_zero(k.m, k.group);
    must(model_step(k.m, k.group, 0.1, &e), &e);
    assert_int_equal(under_way, 0);
    get(k.w, PARAM_VALUE, &after, 1);
    assert_true(before == after);
    model_destroy(k.m);
}

/* A host node that picks the larger half of each row: shapes fixed, gradient
 * sent back to where it came from. */
static int pick(void *ctx, const struct engine_step *step, const float *const *in,
                float *const *out, struct err *e)
{
    int *picked = ctx;

    (void)e;
    for (long r = 0; r < 2; r++) {
        const float *row = in[0] + 4 * r;

        picked[r] = row[0] + row[1] >= row[2] + row[3] ? 0 : 2;
        out[0][2 * r] = row[picked[r]];
        out[0][2 * r + 1] = row[picked[r] + 1];
        out[1][r] = r < step->rows ? 0.5f : 0;
    }
    return 0;
}

static int unpick(void *ctx, const struct engine_step *step, const float *const *in,
                  const float *const *out_grad, float *const *in_grad, struct err *e)
{
    const int *picked = ctx;

    (void)step, (void)in, (void)e;
    memset(in_grad[0], 0, 8 * sizeof(float));
    for (long r = 0; r < 2; r++)
        memcpy(in_grad[0] + 4 * r + picked[r], out_grad[0] + 2 * r, 2 * sizeof(float));
    return 0;
}

static void test_host_node(void **state)
{
    struct err e = ERR_INIT;
    struct model *m = model_of(3);
    struct graph *g = graph_create(m, "g", 2);
    struct tensor *x = graph_want_grad(graph_input(g, "x", SHAPE(4), CHANNELS_FIRST));
    struct tensor *t = graph_input(g, "t", SHAPE(2), CHANNELS_FIRST);
    int picked[2];
    struct host_node h = {.name = "pick",
                          .n_in = 1,
                          .n_out = 2,
                          .in = {x},
                          .out = {SHAPE(2, 2), SHAPE(2)},
                          .ctx = picked,
                          .forward = pick,
                          .backward = unpick};
    struct tensor *out[2];
    const float xs[8] = {1, 2, 3, 4, 8, 7, 6, 5}, ts[4] = {0};
    const float expected[8] = {0, 0, 3. / 4, 4. / 4, 8. / 4, 7. / 4, 0, 0};
    float loss, grad[8];

    (void)state;
    assert_int_equal(op_host(g, &h, out), 0);
    struct tensor *l = op_mse(out[0], t, out[1]);
    must(engine_compile(g, l, &e), &e);
    must(engine_start(m, &e), &e);
    begin(g, 2);
    feed(g, x, xs);
    feed(g, t, ts);
    forward_backward(g, true);
    must(engine_read(g, l, &loss, 1, &e), &e);
    assert_float_equal(loss, 0.5 * (9 + 16 + 64 + 49) / 4, 1e-5);
    must(engine_read_grad(g, x, grad, 8, &e), &e);
    for (int i = 0; i < 8; i++)
        assert_float_equal(grad[i], expected[i], 1e-6);
    model_destroy(m);
}

/* Training and evaluation are the same graph; dropout acts in one only. */
static void test_modes(void **state)
{
    struct err e = ERR_INIT;
    struct model *m = model_of(3);
    struct graph *g = graph_create(m, "g", 2);
    struct tensor *x = graph_input(g, "x", SHAPE(1000), CHANNELS_FIRST);
    struct tensor *y = graph_output(op_dropout(x, 0.25f));
    static float xs[2000], train[2000], again[2000], eval[2000];
    int dropped = 0;

    (void)state;
    for (int i = 0; i < 2000; i++)
        xs[i] = 1 + (float)i;
    must(engine_compile(g, NULL, &e), &e);
    must(engine_start(m, &e), &e);
    begin(g, 2);
    feed(g, x, xs);
    must(engine_forward(g, ENGINE_TRAIN, &e), &e);
    must(engine_read(g, y, train, 2000, &e), &e);
    must(engine_forward(g, ENGINE_EVAL, &e), &e);
    must(engine_read(g, y, eval, 2000, &e), &e);
    must(engine_forward(g, ENGINE_TRAIN, &e), &e);
    must(engine_read(g, y, again, 2000, &e), &e);
    assert_memory_equal(eval, xs, sizeof xs);
    assert_memory_equal(train, again, sizeof train);
    for (int i = 0; i < 2000; i++) {
        dropped += train[i] == 0;
        assert_true(train[i] == 0 || fabsf(train[i] - xs[i] / 0.75f) < 1e-6f * train[i]);
    }
    assert_true(dropped > 430 && dropped < 570);
    assert_true(memcmp(train, train + 1000, 1000 * sizeof *train) != 0);
    model_destroy(m);
}

/* ---- sizes ------------------------------------------------------------ */

/* The published CosmoFlow at its published size, planned but not allocated. */
static void test_published_net(void **state)
{
    struct err e = ERR_INIT;
    struct model *m = model_of(1);
    int group = model_group(m, "all", &plain_sgd);
    struct graph *g = graph_create(m, "train", 1);
    struct tensor *x = graph_input(g, "x", SHAPE(4, 128, 128, 128), CHANNELS_LAST);
    struct tensor *t = graph_input(g, "t", SHAPE(4), CHANNELS_FIRST);
    const long widths[3] = {128, 64, 4};
    char name[32];
    long in = 4;

    (void)state;
    for (int i = 0; i < 5; i++) {
        long out = 32L << i;

        snprintf(name, sizeof name, "conv%d.weight", i);
        struct param *w = model_param(m, group, name, SHAPE(out, in, 3, 3, 3), XAVIER);
        snprintf(name, sizeof name, "conv%d.bias", i);
        struct param *b = model_param(m, group, name, SHAPE(out), ZEROS);
        x = op_maxpool(op_leaky_relu(op_conv(x, w, b, WINDOW(3, 1, 1)), 0.3f), WINDOW(2, 2, 0));
        in = out;
    }
    x = op_flatten(x);
    for (int i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "fc%d.weight", i);
        struct param *w = model_param(m, group, name, SHAPE(widths[i], tensor_shape(x).d[1]), HE);
        snprintf(name, sizeof name, "fc%d.bias", i);
        x = op_dense(x, w, model_param(m, group, name, SHAPE(widths[i]), ZEROS));
    }
    must(engine_compile(g, op_mse(x, t, NULL), &e), &e);
    assert_int_equal(model_parameters(m, -1), 8907556);
    assert_float_equal(graph_flop(g).forward / 1e9, 68.86, 0.01);
    assert_float_equal(graph_flop(g).three_forward / graph_flop(g).forward, 3, 1e-12);
    /* all but the data gradient of the first layer */
    assert_float_equal(graph_flop(g).executed / 1e9, 3 * 68.86 - 14.50, 0.03);
    struct engine_memory mem = model_memory(m);
    /* the first layer's output and the input must be there at the same time */
    assert_true(mem.activation_bytes > (32 + 4) * 128L * 128 * 128 * 4);
    assert_true(mem.activation_bytes < mem.no_reuse_bytes * 6 / 10);
    assert_true(mem.gradient_bytes >= 8907556 * 4 && mem.gradient_bytes < 8907556 * 4 + 4096);
    assert_true(mem.total_bytes == mem.arena_bytes + mem.gradient_bytes);
    model_destroy(m);
}

static void test_plan(void **state)
{
    struct plan_slot s[] = {
        {100, 0, 3, 0}, {200, 1, 2, 0}, {100, 4, 5, 0}, {64, 2, 4, 0}, {50, 1, 0, 0}};
    int pair[2];

    (void)state;
    assert_int_equal(plan_place(s, 5, true), 448);
    assert_false(plan_conflict(s, 5, pair));
    assert_int_equal(plan_place(s, 5, false), 128 + 256 + 128 + 64);
    assert_false(plan_conflict(s, 5, pair));
    s[3].offset = s[1].offset + 100;
    assert_true(plan_conflict(s, 5, pair));
    assert_int_equal(pair[0], 1);
    assert_int_equal(pair[1], 3);
}

/* Two tensors put on one another by hand must change the result: what the
 * comparison of plans rests on. */
static void test_overlap_shows(void **state)
{
    struct optimizer o = plain_sgd;
    struct engine_config c = config_of(5);
    uint64_t ids[2] = {1, 2};
    float loss[2];

    (void)state;
    for (int i = 0; i < 2; i++) {
        struct trainer t;

        trainer_create(&t, &c, 2, 0, &o);
        /* the first pool's output onto the second convolution's */
        if (i)
            for (int k = 0; k < t.g->n_nodes; k++)
                if (t.g->nodes[k]->op == OP_CONV && k > 2)
                    t.g->nodes[k]->out[0]->at_first = t.g->nodes[k]->in[0]->at_first;
        loss[i] = trainer_step(&t, ids, 2, 2, 0, 0.1);
        trainer_destroy(&t);
    }
    assert_true(isfinite(loss[0]) && loss[0] != loss[1]);
}

/* Arena of nine activations in a row; every: only each so-maniest is kept. */
static double chain_bytes(const char *backend, int every)
{
    struct err e = ERR_INIT;
    struct engine_config c = config_of(1);

    c.backend = backend;
    struct model *m = model_create(&c, &e);
    struct graph *g = graph_create(m, "chain", 2);
    struct tensor *y = graph_want_grad(graph_input(g, "x", SHAPE(4096), CHANNELS_FIRST));
    struct tensor *t = graph_input(g, "t", SHAPE(4096), CHANNELS_FIRST);
    for (int i = 1; i <= 9; i++) {
        y = op_tanh(y);
        if (i % every)
            graph_recompute(y);
    }
    must(engine_compile(g, op_mse(y, t, NULL), &e), &e);
    double bytes = (double)model_memory(m).activation_bytes;
    model_destroy(m);
    return bytes;
}

static void test_recompute_saves(void **state)
{
    (void)state;
    for (int i = 0; engine_backend_name(i); i++) {
        double tensor = 2 * 4096 * 4, kept = chain_bytes(engine_backend_name(i), 1);
        double fewer = chain_bytes(engine_backend_name(i), 3);

        /* three kept and at most four under way instead of nine and two */
        if (!(fewer <= kept - 3 * tensor))
            fail_msg("%s: %g tensors instead of %g", engine_backend_name(i), fewer / tensor,
                     kept / tensor);
    }
}

/* What is read after the step stays where it is, also by another name. */
static void test_recompute_spares_outputs(void **state)
{
    struct err e = ERR_INIT;
    struct model *m = model_of(1);
    int group = model_group(m, "g", &plain_sgd);
    struct graph *g = graph_create(m, "g", 1);
    struct tensor *x = graph_want_grad(graph_input(g, "x", SHAPE(2, 8, 8), CHANNELS_FIRST));
    struct tensor *t = graph_input(g, "t", SHAPE(3), CHANNELS_FIRST);
    struct tensor *y = op_maxpool(op_maxpool(x, WINDOW(1, 1, 0)), WINDOW(1, 1, 0));
    y = graph_output(op_flatten(graph_recompute(op_tanh(y)))); /* pools: not in place */
    struct param *w = model_param(m, group, "w", SHAPE(3, 128), XAVIER);
    float xs[128], before[128], after[128], ts[3] = {1, 2, 3};

    (void)state;
    must(engine_compile(g, op_mse(op_dense(y, w, NULL), t, NULL), &e), &e);
    must(engine_start(m, &e), &e);
    for (int i = 0; i < 128; i++)
        xs[i] = noise(8, (unsigned long)i);
    begin(g, 1);
    feed(g, x, xs);
    feed(g, t, ts);
    must(engine_forward(g, ENGINE_TRAIN, &e), &e);
    must(engine_read(g, y, before, 128, &e), &e);
    must(engine_backward(g, true, &e), &e);
    must(engine_read(g, y, after, 128, &e), &e);
    for (int i = 0; i < 128; i++)
        assert_float_equal(before[i], tanh((double)xs[i]), 1e-6);
    assert_memory_equal(before, after, sizeof before);
    model_destroy(m);
}

static double peak_bytes(void)
{
    FILE *f = fopen("/proc/self/status", "r");
    char line[256];
    double kib = 0;

    while (f && fgets(line, sizeof line, f))
        if (!strncmp(line, "VmHWM:", 6))
            kib = strtod(line + 6, NULL);
    if (f)
        fclose(f);
    return kib * 1024;
}

/* A step stays within the plan: peak memory of the process grows by no more. */
static void test_peak_memory(void **state)
{
    enum { SIDE = 64, CUBE = 4 * SIDE * SIDE * SIDE };
    struct err e = ERR_INIT;
    struct model *m = model_of(1);
    int group = model_group(m, "g", &plain_sgd);
    struct graph *g = graph_create(m, "g", 6);
    struct tensor *x = graph_input(g, "x", SHAPE(4, SIDE, SIDE, SIDE), CHANNELS_FIRST);
    struct tensor *t = graph_input(g, "t", SHAPE(1), CHANNELS_FIRST);
    struct tensor *y = op_maxpool(op_tanh(op_add(op_tanh(x), x)), WINDOW(4, 4, 0));
    struct param *w = model_param(m, group, "w", SHAPE(1, CUBE / 64), ZEROS);
    float *data = calloc(6 * CUBE, sizeof *data);

    (void)state;
    must(engine_compile(g, op_mse(op_dense(op_flatten(y), w, NULL), t, NULL), &e), &e);
    double plan = (double)model_memory(m).total_bytes, before = peak_bytes();
    must(engine_start(m, &e), &e);
    begin(g, 6);
    feed(g, x, data);
    feed(g, t, data);
    forward_backward(g, true);
    must(model_step(m, group, 0.1, &e), &e);
    double grown = peak_bytes() - before;
    if (plan < 40e6 || !(grown < 1.15 * plan + (1 << 20)) || !(grown > 0.5 * plan))
        fail_msg("the plan is %.0f bytes, peak memory grew by %.0f", plan, grown);
    free(data);
    model_destroy(m);
}

/* ---- checkpoints ------------------------------------------------------ */

struct extra {
    long epoch, cursor;
};

static void steps(struct trainer *t, int from, int to, float *loss)
{
    for (int s = from; s < to; s++) {
        const uint64_t ids[2] = {(uint64_t)s * 2, (uint64_t)s * 2 + 1};

        loss[s] = trainer_step(t, ids, 2, 2, 1, 0.02);
    }
}

static char *scratch_file(char *path, size_t size)
{
    snprintf(path, size, "engine-checkpoint-%ld", (long)getpid());
    return path;
}

/* The last four bytes: CRC-32 of IEEE 802.3 over all before, bit by bit, little-endian on
 * the machines that this runs on. Files of earlier builds must stay good. */
static void ends_with_crc(const char *path)
{
    FILE *f = fopen(path, "rb");
    uint32_t crc = ~UINT32_C(0), last;
    struct stat st;

    assert_true(f && fstat(fileno(f), &st) == 0);
    for (long i = 0; i < (long)st.st_size - 4; i++) {
        crc ^= (uint32_t)fgetc(f);
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? UINT32_C(0xedb88320) : 0);
    }
    assert_int_equal(fread(&last, sizeof last, 1, f), 1);
    assert_int_equal(last, ~crc);
    fclose(f);
}

static void test_checkpoint_goes_on(void **state)
{
    struct optimizer o = {.kind = OPTIMIZER_SGD, .momentum = 0.9f, .weight_decay = 1e-3f};
    struct engine_config c = config_of(5);
    struct extra extra = {3, 17}, back = {0, 0};
    struct err e = ERR_INIT;
    char path[64];
    float straight[4], resumed[4];
    struct trainer t;

    (void)state;
    scratch_file(path, sizeof path);
    trainer_create(&t, &c, 2, 0.5f, &o);
    steps(&t, 0, 4, straight);
    trainer_destroy(&t);
    trainer_create(&t, &c, 2, 0.5f, &o);
    steps(&t, 0, 2, resumed);
    must(model_save(t.m, path, &extra, sizeof extra, &e), &e);
    ends_with_crc(path);
    trainer_destroy(&t);
    trainer_create(&t, &c, 2, 0.5f, &o);
    must(model_load(t.m, path, &back, sizeof back, &e), &e);
    assert_memory_equal(&extra, &back, sizeof extra);
    steps(&t, 2, 4, resumed);
    assert_memory_equal(straight, resumed, sizeof straight);
    trainer_destroy(&t);
    unlink(path);
}

/* What is done to a good file, and the sentence that must come. */
enum damage { NONE, CUT, FLIP, OTHER_VERSION, MAGIC, OTHER_EXTRA, OTHER_MODEL, MISSING };

static const struct {
    enum damage damage;
    const char *sentence;
} damages[] = {
    {CUT, " bytes instead of "},
    {FLIP, " is damaged: its CRC does not match"},
    {OTHER_VERSION, " has format version 9, this build reads 1"},
    {MAGIC, " is not a checkpoint of hpcai500"},
    {OTHER_EXTRA, " is of another workload: its own part has 16 bytes, 8 are expected"},
    {OTHER_MODEL, " is of another model: it has 20 arrays, this model 2"},
    {MISSING, " cannot be opened: No such file or directory"},
};

static void put_byte(const char *path, long at, int c)
{
    FILE *f = fopen(path, "r+b");

    assert_non_null(f);
    fseek(f, at, SEEK_SET);
    fputc(c, f);
    fclose(f);
}

static void do_damage(const char *path, enum damage d)
{
    switch (d) {
    case CUT:
        assert_int_equal(truncate(path, 5000), 0);
        break;
    case FLIP:
        put_byte(path, 9000, 0x5a);
        break;
    case OTHER_VERSION:
        put_byte(path, 8, 9);
        break;
    case MAGIC:
        put_byte(path, 0, 'H');
        break;
    case MISSING:
        unlink(path);
        break;
    default:
        break;
    }
}

static void test_checkpoint_refusals(void **state)
{
    struct optimizer o = {.kind = OPTIMIZER_SGD, .momentum = 0.9f, .weight_decay = 0};
    struct engine_config c = config_of(5);
    struct extra extra = {3, 17};
    char path[64];
    struct trainer t;

    (void)state;
    scratch_file(path, sizeof path);
    trainer_create(&t, &c, 2, 0, &o);
    struct model *other = model_of(5);
    struct err e = ERR_INIT;
    model_param(other, model_group(other, "g", &plain_sgd), "w", SHAPE(3), ZEROS);
    must(engine_start(other, &e), &e);
    for (size_t i = 0; i < sizeof damages / sizeof damages[0]; i++) {
        float before[4], after[4];
        bool small = damages[i].damage == OTHER_EXTRA;

        must(model_save(t.m, path, &extra, sizeof extra, &e), &e);
        do_damage(path, damages[i].damage);
        get(t.params[t.n_params - 1], PARAM_VALUE, before, 4);
        struct model *m = damages[i].damage == OTHER_MODEL ? other : t.m;
        assert_int_equal(model_load(m, path, &extra, small ? 8 : sizeof extra, &e), -1);
        if (!strstr(e.text, damages[i].sentence))
            fail_msg("damage %d: '%s' does not say '%s'", (int)damages[i].damage, e.text,
                     damages[i].sentence);
        get(t.params[t.n_params - 1], PARAM_VALUE, after, 4);
        assert_memory_equal(before, after, sizeof before);
    }
    unlink(path);
    model_destroy(other);
    trainer_destroy(&t);
}

static void test_states(void **state)
{
    struct err e = ERR_INIT;
    char path[64];
    float v[3] = {1, 2, 3}, back[3];

    (void)state;
    scratch_file(path, sizeof path);
    for (int i = 0; i < 2; i++) {
        struct model *m = model_of(1);
        struct state *s = model_state(m, "statistics", SHAPE(3), 0.25f);

        must(engine_start(m, &e), &e);
        must(state_get(s, back, 3, &e), &e);
        assert_true(back[0] == 0.25f && back[2] == 0.25f);
        if (i == 0) {
            must(state_set(s, v, 3, &e), &e);
            must(model_save(m, path, NULL, 0, &e), &e);
        } else {
            must(model_load(m, path, NULL, 0, &e), &e);
            must(state_get(s, back, 3, &e), &e);
            assert_memory_equal(v, back, sizeof v);
        }
        model_destroy(m);
    }
    unlink(path);
}

/* ---- FLOP ------------------------------------------------------------- */

/* 5 x 6 inputs of 4 channels, each times 2 channels x 3 x 3 weights. */
static void test_deconv_flop(void **state)
{
    struct err e = ERR_INIT;
    struct model *m = model_of(1);
    int group = model_group(m, "g", &plain_sgd);
    struct graph *g = graph_create(m, "net", 3);
    struct tensor *x = graph_input(g, "x", SHAPE(4, 5, 6), CHANNELS_FIRST);
    struct tensor *y =
        op_deconv(x, model_param(m, group, "up.weight", SHAPE(4, 2, 3, 3), HE),
                  model_param(m, group, "up.bias", SHAPE(2), ZEROS), WINDOW(3, 2, 1));

    (void)state;
    assert_true(tensor_shape(y).d[1] == 2 && tensor_shape(y).d[2] == 9 &&
                tensor_shape(y).d[3] == 11);
    struct tensor *t = graph_input(g, "t", SHAPE(2, 9, 11), CHANNELS_FIRST);
    must(engine_compile(g, graph_output(op_mse(y, t, NULL)), &e), &e);
    double one = 2.0 * 4 * 5 * 6 * 2 * 3 * 3;
    assert_true(graph_flop(g).forward == one && graph_flop(g).weight_gradient == one);
    assert_true(graph_flop(g).data_gradient == 0);
    model_destroy(m);
}

/* ---- refusals --------------------------------------------------------- */

/* Builds something wrong over model m, graph g, parameter w (4, 2, 3, 3). */
static void wrong_channels(struct model *m, struct graph *g, struct param *w)
{
    (void)m;
    op_conv(graph_input(g, "x", SHAPE(3, 8, 8), CHANNELS_FIRST), w, NULL, WINDOW(3, 1, 1));
}

static void wrong_kernel(struct model *m, struct graph *g, struct param *w)
{
    (void)m;
    op_conv(graph_input(g, "x", SHAPE(2, 8, 8), CHANNELS_FIRST), w, NULL, WINDOW(5, 1, 2));
}

static void wrong_window(struct model *m, struct graph *g, struct param *w)
{
    (void)m, (void)w;
    op_maxpool(graph_input(g, "x", SHAPE(2, 2, 2), CHANNELS_FIRST), WINDOW(3, 2, 0));
}

static void wrong_deconv(struct model *m, struct graph *g, struct param *w)
{
    (void)m;
    op_deconv(graph_input(g, "x", SHAPE(2, 8, 8), CHANNELS_FIRST), w, NULL, WINDOW(3, 1, 1));
}

static void wrong_deconv_bias(struct model *m, struct graph *g, struct param *w)
{
    op_deconv(graph_input(g, "x", SHAPE(4, 8, 8), CHANNELS_FIRST), w,
              model_param(m, 0, "b", SHAPE(4), ZEROS), WINDOW(3, 1, 1));
}

static void wrong_deconv_cut(struct model *m, struct graph *g, struct param *w)
{
    (void)m;
    op_deconv(graph_input(g, "x", SHAPE(4, 1, 8), CHANNELS_FIRST), w, NULL, WINDOW(3, 2, 2));
}

static void wrong_name(struct model *m, struct graph *g, struct param *w)
{
    (void)g, (void)w;
    model_param(m, 0, "conv.weight", SHAPE(1), ZEROS);
}

static void wrong_group(struct model *m, struct graph *g, struct param *w)
{
    (void)g, (void)w;
    model_param(m, 5, "b", SHAPE(1), ZEROS);
}

static void wrong_probability(struct model *m, struct graph *g, struct param *w)
{
    (void)m, (void)w;
    op_dropout(graph_input(g, "x", SHAPE(2), CHANNELS_FIRST), 1);
}

static void wrong_add(struct model *m, struct graph *g, struct param *w)
{
    (void)m, (void)w;
    op_add(graph_input(g, "x", SHAPE(2), CHANNELS_FIRST),
           graph_input(g, "y", SHAPE(3), CHANNELS_FIRST));
}

static void wrong_slice(struct model *m, struct graph *g, struct param *w)
{
    (void)m, (void)w;
    op_slice(graph_input(g, "x", SHAPE(4, 2, 2), CHANNELS_FIRST), 2, 3);
}

static void wrong_graph(struct model *m, struct graph *g, struct param *w)
{
    (void)w;
    struct graph *h = graph_create(m, "other", 2);

    op_add(graph_input(g, "x", SHAPE(2), CHANNELS_FIRST),
           graph_input(h, "y", SHAPE(2), CHANNELS_FIRST));
}

static void wrong_wish(struct model *m, struct graph *g, struct param *w)
{
    (void)m, (void)w;
    graph_want_grad(op_relu(graph_input(g, "x", SHAPE(2), CHANNELS_FIRST)));
}

static void wrong_shape(struct model *m, struct graph *g, struct param *w)
{
    (void)g, (void)w;
    model_param(m, 0, "b", SHAPE(3, 0), ZEROS);
}

static const struct {
    void (*build)(struct model *m, struct graph *g, struct param *w);
    const char *sentence;
} refusals[] = {
    {wrong_channels, "conv in graph 'net' cannot take an input of shape (2, 3, 8, 8): the "
                     "weight's input channels are not those of the input"},
    {wrong_kernel, "conv in graph 'net' cannot take an input of shape (2, 2, 8, 8): the "
                   "window's kernel is not that of the weight"},
    {wrong_window, "maxpool in graph 'net' cannot take an input of shape (2, 2, 2, 2): the "
                   "window is larger than the padded input"},
    {wrong_deconv, "deconv in graph 'net' cannot take an input of shape (2, 2, 8, 8): it must have "
                   "2 or 3 dimensions, and the channels that the weight begins with"},
    {wrong_deconv_bias,
     "deconv in graph 'net' cannot take an input of shape (2, 4, 8, 8): the bias "
     "does not have one value per output channel"},
    {wrong_deconv_cut, "deconv in graph 'net' cannot take an input of shape (2, 4, 1, 8): nothing "
                       "is left of the output"},
    {wrong_name, "two parameters are called 'conv.weight'"},
    {wrong_group, "parameter 'b' is put into group 5, which does not exist"},
    {wrong_probability, "dropout in graph 'net' cannot take an input of shape (2, 2): the "
                        "probability must lie in [0, 1)"},
    {wrong_add, "add in graph 'net' cannot take an input of shape (2, 2): the other input has "
                "another shape"},
    {wrong_slice, "slice in graph 'net' cannot take an input of shape (2, 4, 2, 2): it does not "
                  "have those channels"},
    {wrong_graph, "add in graph 'net' takes a tensor of graph 'other'"},
    {wrong_wish, "only the gradient of an input can be wanted, not that of 'act1'"},
    {wrong_shape, "parameter 'b' has 0 as its dimension 1"},
};

static void test_refusals(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        struct err e = ERR_INIT;
        struct model *m = model_of(1);
        struct param *w = model_param(m, model_group(m, "g", &plain_sgd), "conv.weight",
                                      SHAPE(4, 2, 3, 3), ZEROS);
        struct graph *g = graph_create(m, "net", 2);

        refusals[i].build(m, g, w);
        op_relu(NULL); /* what follows a failure is quiet */
        assert_int_equal(engine_compile(g, NULL, &e), -1);
        assert_string_equal(e.text, refusals[i].sentence);
        assert_int_equal(engine_start(m, &e), -1);
        model_destroy(m);
    }
}

static void test_misuse(void **state)
{
    struct err e = ERR_INIT;
    struct engine_config bad = config_of(1);
    struct optimizer o = plain_sgd;
    struct engine_config c = config_of(1);
    struct trainer t;
    const uint64_t ids[2] = {1, 2};
    float v;

    (void)state;
    bad.backend = "abacus";
    assert_null(model_create(&bad, &e));
    assert_non_null(strstr(e.text, "this build has no engine 'abacus'; use '"));
    trainer_create(&t, &c, 2, 0, &o);
    assert_int_equal(engine_forward(t.g, ENGINE_TRAIN, &e), -1);
    assert_string_equal(e.text, "engine_forward() of graph 'train' comes before engine_begin()");
    assert_int_equal(engine_begin(t.g, &(struct engine_step){.rows = 3, .global_rows = 3}, &e), -1);
    assert_string_equal(e.text, "a step of graph 'train' has 3 samples, its batch holds 0 to 2");
    assert_int_equal(engine_backward(t.g, true, &e), -1);
    assert_string_equal(e.text, "engine_backward() of graph 'train' needs an engine_forward() in "
                                "training mode before it");
    trainer_step(&t, ids, 2, 2, 0, 0.1);
    assert_int_equal(model_step(t.m, t.group, 0.1, &e), -1);
    assert_string_equal(e.text, "model_step() of group 'all' comes twice without model_zero()");
    must(engine_forward(t.g, ENGINE_TRAIN, &e), &e);
    assert_int_equal(engine_backward(t.g, true, &e), -1);
    assert_string_equal(e.text, "gradients of group 'all' were exchanged: model_zero() must come "
                                "before engine_backward() of graph 'train'");
    assert_int_equal(engine_read(t.g, t.x, &v, 1, &e), -1);
    assert_string_equal(e.text, "graph 'train' is asked for a tensor that is not its output");
    must(engine_begin(t.g, &(struct engine_step){.rows = 0, .global_rows = 1}, &e), &e);
    assert_int_equal(engine_read(t.g, t.loss, &v, 1, &e), -1);
    assert_string_equal(e.text, "engine_read() of graph 'train' comes before engine_forward()");
    must(engine_feed(t.g, t.x, &v, &e), &e);
    assert_int_equal(engine_forward(t.g, ENGINE_TRAIN, &e), -1);
    assert_string_equal(e.text, "engine_forward() of graph 'train' comes before engine_feed() of "
                                "its input 'y'");
    trainer_destroy(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_start_values),
        cmocka_unit_test(test_sgd_by_hand),
        cmocka_unit_test(test_schedule),
        cmocka_unit_test(test_freeze),
        cmocka_unit_test(test_untouched_parameters),
        cmocka_unit_test(test_accumulated_gradients),
        cmocka_unit_test(test_dropped_sums),
        cmocka_unit_test(test_exchange_taken_away),
        cmocka_unit_test(test_host_node),
        cmocka_unit_test(test_modes),
        cmocka_unit_test(test_published_net),
        cmocka_unit_test(test_recompute_saves),
        cmocka_unit_test(test_recompute_spares_outputs),
        cmocka_unit_test(test_peak_memory),
        cmocka_unit_test(test_plan),
        cmocka_unit_test(test_overlap_shows),
        cmocka_unit_test(test_checkpoint_goes_on),
        cmocka_unit_test(test_checkpoint_refusals),
        cmocka_unit_test(test_states),
        cmocka_unit_test(test_deconv_flop),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_misuse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
