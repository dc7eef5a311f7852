/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Operators: every kind, on every back end and in both precisions, is right by its own
 * check; one flipped bit of one number is seen; a part that is repeated changes nothing;
 * the lists of shapes; the benchmark's rows. No rate is asserted.
 */
#include <config.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/workloads/micro/host.h"
#include "workloads/micro/operator_inner.h"
#include "workloads/micro/shapes.h"
#include "workloads/workload.h"

enum { ALL = 7, BOTH = 3 };

/* ---- a network of the tests in the place of all workloads -------------- */

/* Two equal convolutions, the first one without a data gradient, a max-pool, a dense
 * layer; times: how often the network is shown. */
static int show_networks(const struct workload *w, enum runspec_class class, int ranks,
                         workload_visit *visit, void *ctx, struct err *e)
{
    static const struct optimizer adam = {.kind = OPTIMIZER_ADAM, OPTIMIZER_ADAM_COMMON};
    const struct engine_config config = {
        .backend = "ref", .threads = 1, .seed = 1, .comm = comm_self()};
    struct model *m = model_create(&config, e);
    int all = model_group(m, "all", &adam), rc = -1;
    struct graph *g = graph_create(m, "net", 4 / ranks);
    struct tensor *x = graph_input(g, "x", SHAPE(3, 8, 8), CHANNELS_FIRST);
    struct tensor *t = graph_input(g, "t", SHAPE(5), CHANNELS_FIRST);
    long c = 3;

    (void)w;
    for (int i = 0; i < 3; i++) {
        char name[16];
        snprintf(name, sizeof name, "conv%d", i);
        struct param *p = model_param(m, all, name, SHAPE(16, c, 3, 3), XAVIER);
        x = op_relu(op_conv(x, p, NULL, WINDOW(3, 1, 1)));
        c = 16;
    }
    x = op_flatten(op_maxpool(x, WINDOW(2, 2, 0)));
    x = op_dense(x, model_param(m, all, "dense", SHAPE(5, 256), XAVIER), NULL);
    x = op_mse(x, t, NULL);
    if (engine_compile(g, x, e) == 0) {
        const struct workload_graph shown = {class == CLASS_TINY ? NULL : "big", g, &adam,
                                             model_parameters(m, -1)};
        rc = visit(ctx, &shown, e);
    }
    model_destroy(m);
    return rc;
}

static const struct workload network = {.graphs = show_networks};

const struct workload *workload_of(int index)
{
    return index == 0 ? &network : NULL;
}

/* ---- cases ------------------------------------------------------------- */

#define WIN(...) .win = {__VA_ARGS__, {0}}

static const struct operator_shape cases[] = {
    {.kind = OPERATOR_CONV,
     .op = OP_CONV,
     .x = {4, {2, 16, 9, 7}},
     .w = {4, {32, 16, 3, 3}},
     WIN({3, 3}, {1, 1}, {1, 1}, {1, 1}),
     .parts = ALL},
    {.kind = OPERATOR_CONV,
     .op = OP_CONV,
     .x = {4, {2, 3, 12, 11}},
     .w = {4, {16, 3, 5, 2}},
     WIN({5, 2}, {3, 2}, {2, 0}, {1, 1}),
     .parts = ALL},
    {.kind = OPERATOR_CONV,
     .op = OP_CONV,
     .x = {5, {2, 4, 6, 5, 7}},
     .w = {5, {16, 4, 3, 2, 3}},
     WIN({3, 2, 3}, {1, 2, 1}, {1, 0, 2}, {1, 1, 0}),
     .parts = ALL},
    {.kind = OPERATOR_CONV,
     .op = OP_CONV,
     .x = {4, {2, 16, 9, 12}},
     .w = {4, {32, 16, 3, 2}},
     .win = {{3, 2}, {1, 2}, {2, 0}, {2, 3}, {2, 3}},
     .parts = ALL},
    {.kind = OPERATOR_CONV,
     .op = OP_DEPTHWISE,
     .x = {4, {2, 32, 9, 11}},
     .w = {4, {32, 1, 3, 3}},
     .win = {{3, 3}, {1, 1}, {2, 2}, {2, 2}, {2, 2}},
     .parts = ALL},
    {.kind = OPERATOR_CONV,
     .op = OP_DEPTHWISE,
     .x = {4, {3, 19, 8, 9}},
     .w = {4, {19, 1, 3, 3}},
     WIN({3, 3}, {2, 2}, {1, 1}, {1, 1}),
     .parts = ALL},
    {.kind = OPERATOR_CONV,
     .op = OP_DEPTHWISE,
     .x = {5, {1, 3, 4, 5, 6}},
     .w = {5, {3, 1, 2, 3, 2}},
     WIN({2, 3, 2}, {1, 2, 1}, {1, 1, 0}, {0, 1, 1}),
     .parts = ALL},
    {.kind = OPERATOR_DECONV,
     .op = OP_DECONV,
     .x = {4, {3, 16, 5, 4}},
     .w = {4, {16, 32, 5, 5}},
     WIN({5, 5}, {2, 2}, {1, 1}, {2, 2}),
     .parts = ALL},
    {.kind = OPERATOR_DECONV,
     .op = OP_DECONV,
     .x = {5, {1, 16, 3, 4, 3}},
     .w = {5, {16, 16, 2, 2, 2}},
     WIN({2, 2, 2}, {2, 2, 2}, {0}, {0}),
     .parts = ALL},
    {.kind = OPERATOR_GEMM, .op = OP_DENSE, .x = {2, {7, 33}}, .w = {2, {21, 33}}, .parts = ALL},
    {.kind = OPERATOR_ATTENTION,
     .op = OP_ATTENTION,
     .x = {4, {2, 3 * 32, 50, 1}},
     .heads = 2,
     .parts = BOTH},
    {.kind = OPERATOR_ATTENTION,
     .op = OP_ATTENTION,
     .x = {4, {1, 3 * 12, 130, 1}},
     .heads = 1,
     .parts = BOTH},
    {.kind = OPERATOR_POOL,
     .op = OP_MAXPOOL,
     .x = {4, {2, 16, 9, 8}},
     WIN({3, 3}, {2, 2}, {1, 1}, {1, 0}),
     .parts = BOTH},
    {.kind = OPERATOR_POOL,
     .op = OP_MAXPOOL,
     .x = {5, {1, 16, 4, 6, 5}},
     WIN({2, 2, 2}, {1, 2, 1}, {0}, {0}),
     .parts = BOTH},
    {.kind = OPERATOR_POOL,
     .op = OP_AVGPOOL,
     .x = {4, {2, 16, 9, 8}},
     WIN({3, 3}, {2, 1}, {1, 1}, {1, 1}),
     .parts = BOTH},
    {.kind = OPERATOR_NORM, .op = OP_BATCH_NORM, .x = {4, {3, 16, 5, 7}}, .parts = BOTH},
    {.kind = OPERATOR_NORM, .op = OP_BATCH_NORM, .x = {5, {2, 20, 3, 5, 7}}, .parts = BOTH},
    {.kind = OPERATOR_NORM, .op = OP_LAYER_NORM, .x = {2, {9, 40}}, .parts = BOTH},
    {.kind = OPERATOR_ACT, .op = OP_GELU, .x = {4, {2, 16, 5, 7}}, .parts = BOTH},
    {.kind = OPERATOR_ACT, .op = OP_ACT, .act = ACT_LEAKY, .x = {4, {2, 16, 5, 7}}, .parts = BOTH},
    {.kind = OPERATOR_ACT,
     .op = OP_ACT,
     .act = ACT_LEAKY,
     .factor = 0.3f,
     .x = {2, {5, 24}},
     .parts = BOTH},
    {.kind = OPERATOR_ACT, .op = OP_ACT, .act = ACT_TANH, .x = {4, {2, 18, 5, 7}}, .parts = BOTH},
    {.kind = OPERATOR_ACT,
     .op = OP_ACT,
     .act = ACT_SIGMOID,
     .x = {4, {2, 16, 5, 7}},
     .parts = BOTH},
    {.kind = OPERATOR_LOSS, .op = OP_MSE, .x = {3, {4, 3, 50}}, .parts = BOTH},
    {.kind = OPERATOR_LOSS, .op = OP_BCE, .x = {2, {4, 9}}, .parts = BOTH},
    {.kind = OPERATOR_LOSS, .op = OP_SMOOTH_L1, .factor = 1.5f, .x = {2, {4, 9}}, .parts = BOTH},
    {.kind = OPERATOR_LOSS, .op = OP_CROSS_ENTROPY, .x = {4, {3, 6, 5, 4}}, .parts = BOTH},
    {.kind = OPERATOR_LOSS, .op = OP_CROSS_ENTROPY, .x = {2, {30, 2}}, .parts = BOTH},
    {.kind = OPERATOR_OPTIMIZER,
     .op = OP_DENSE,
     .x = {2, {1, 1}},
     .w = {2, {1003, 1}},
     .rule = OPTIMIZER_SGD,
     .parts = 1},
    {.kind = OPERATOR_OPTIMIZER,
     .op = OP_DENSE,
     .x = {2, {1, 1}},
     .w = {2, {1003, 1}},
     .rule = OPTIMIZER_ADAM,
     .parts = 1},
    {.kind = OPERATOR_OPTIMIZER,
     .op = OP_DENSE,
     .x = {2, {1, 1}},
     .w = {2, {1003, 1}},
     .rule = OPTIMIZER_ADAMW,
     .parts = 1},
    {.kind = OPERATOR_OPTIMIZER,
     .op = OP_DENSE,
     .x = {2, {1, 1}},
     .w = {2, {1003, 1}},
     .rule = OPTIMIZER_RMSPROP,
     .parts = 1},
    {.kind = OPERATOR_OPTIMIZER,
     .op = OP_DENSE,
     .x = {2, {1, 1}},
     .w = {2, {1003, 1}},
     .rule = OPTIMIZER_LAMB,
     .parts = 1},
};

enum { N_CASES = sizeof cases / sizeof *cases };

static bool multiplies(const struct operation *o)
{
    return o->s.kind == OPERATOR_CONV || o->s.kind == OPERATOR_DECONV || o->s.kind == OPERATOR_GEMM;
}

/* NULL: this processor cannot compute in bfloat16. */
static struct operation *open_case(const struct operator_shape *s, const char *backend, bool bf16)
{
    const struct operator_setting set = {
        .backend = backend, .bf16 = bf16, .threads = s == &cases[0] ? 2 : 1, .seed = 5};
    struct err e = ERR_INIT;
    struct operation *o = operator_open(s, &set, &e);

    if (!o && !(bf16 && strstr(e.text, "bfloat16")))
        fail_msg("%s: %s", operator_what(s), e.text);
    return o;
}

/* Wrong numbers of a part by everything that looks at it. */
static long wrong_of(struct operation *o, enum engine_pass part)
{
    struct err e = ERR_INIT;
    long wrong = 0;

    if (operator_check(o, part, &wrong, &e) < 0)
        fail_msg("%s", e.text);
    if (multiplies(o)) {
        long samples = product_samples(o, part), all = product_freivalds(o, part);
        assert_true(samples >= 0 && all >= 0);
        wrong += samples + all;
    }
    return wrong;
}

typedef void check_case(struct operation *o, enum engine_pass part);

/* Each part of each case, back end and precision, of an operator of its own. */
static void each(check_case *check)
{
    for (int b = 0; engine_backend_name(b); b++)
        for (int i = 0; i < N_CASES; i++)
            for (int bf16 = 0; bf16 <= (int)operator_has_bf16(&cases[i]); bf16++)
                for (int part = 0; part < 3; part++) {
                    if (!(cases[i].parts >> part & 1))
                        continue;
                    struct operation *o = open_case(&cases[i], engine_backend_name(b), bf16);
                    if (o)
                        check(o, (enum engine_pass)part);
                    operator_close(o);
                }
}

static void fail_case(const struct operation *o, enum engine_pass part, const char *why)
{
    char text[64];

    operator_text(&o->s, text);
    fail_msg("%s %s %s on %s, %s, part %d: %s", operator_name(o->s.kind), operator_what(&o->s),
             text, o->set.backend, o->set.bf16 ? "bf16" : "f32", (int)part, why);
}

static void is_right(struct operation *o, enum engine_pass part)
{
    if (wrong_of(o, part) != 0)
        fail_case(o, part, "wrong numbers");
    struct engine_cost cost = operator_cost(o, part);
    const bool attention = o->s.kind == OPERATOR_ATTENTION, counts = multiplies(o) || attention;
    if (cost.parts == 0 || !(cost.bytes > 0) || (cost.flop > 0) != counts)
        fail_case(o, part, "what it costs");
    const double products = attention && part == ENGINE_DATA ? 2 : 1; /* four for two */
    if (counts && cost.flop != 2 * products * operator_work(&o->s))
        fail_case(o, part, "its FLOP");
}

/* ---- one bit ----------------------------------------------------------- */

static struct numbers *made(struct operation *o, enum engine_pass part)
{
    return part == ENGINE_FORWARD ? &o->value : part == ENGINE_DATA ? &o->dx : &o->dw;
}

static void flip(float *v, int bit)
{
    uint32_t u;

    memcpy(&u, v, sizeof u);
    u ^= UINT32_C(1) << bit;
    memcpy(v, &u, sizeof u);
}

/* The lowest bit of a product or a maximum in float32 (zero becomes the smallest number
 * there is, which is seen, too); elsewhere one of the exponent's. */
static void sees_a_bit(struct operation *o, enum engine_pass part)
{
    const bool exact = !o->set.bf16 && (multiplies(o) || o->s.op == OP_MAXPOOL);
    struct numbers *m = made(o, part);

    if (o->s.kind == OPERATOR_OPTIMIZER)
        return; /* test_update() */
    for (size_t k = 0; k < 5; k++) {
        size_t i = (m->n - 1) * k / 4;
        float was = m->v[i];
        if (!exact && was == 0)
            continue; /* next to nothing beside what was summed, whatever its exponent */
        flip(&m->v[i], exact ? 0 : 28);
        if (wrong_of(o, part) == 0)
            fail_case(o, part, "a flipped bit is not seen");
        m->v[i] = was;
    }
}

/* An update that is off by 2^-18 of a weight. */
static void test_update(void **state)
{
    (void)state;
    for (int rule = 0; rule < OPTIMIZER_COUNT; rule++) {
        struct operator_shape s = cases[N_CASES - 1];
        struct err e = ERR_INIT;
        long wrong = 0;
        s.rule = (enum optimizer_kind)rule;
        struct operation *o = open_case(&s, "ref", false);
        assert_int_equal(operator_check(o, ENGINE_FORWARD, &wrong, &e), 0);
        assert_int_equal(wrong, 0);
        /* dw has what came out */
        assert_int_equal(value_check_rule(o, o->weight.v, o->dw.v, 2, 0.001), 0);
        o->dw.v[17] += ldexpf(1, -16);
        assert_int_equal(value_check_rule(o, o->weight.v, o->dw.v, 2, 0.001), 1);
        assert_true(value_check_rule(o, o->weight.v, o->dw.v, 1, 0.001) > 800);
        operator_close(o);
    }
}

/* Of 18,432 results 4,096 are looked at; the random vector sees the others. */
static void test_freivalds(void **state)
{
    static const struct operator_shape s = {.kind = OPERATOR_CONV,
                                            .op = OP_CONV,
                                            .x = {4, {2, 16, 24, 24}},
                                            .w = {4, {16, 16, 3, 3}},
                                            WIN({3, 3}, {1, 1}, {1, 1}, {1, 1}),
                                            .parts = ALL};
    struct operation *o = open_case(&s, engine_backend_name(0), false);
    int unseen = 0;

    (void)state;
    for (size_t k = 0; k < 20; k++) {
        size_t i = k * 919 + 3;
        float was = o->value.v[i];
        if (was == 0)
            continue; /* would become less than the sum's last digit */
        flip(&o->value.v[i], 0);
        unseen += product_samples(o, ENGINE_FORWARD) == 0;
        assert_int_equal(product_freivalds(o, ENGINE_FORWARD), 1);
        o->value.v[i] = was;
    }
    assert_true(unseen > 5);
    operator_close(o);
}

/* ---- again ------------------------------------------------------------- */

/* Whatever is repeated, what the step left stays. */
static void stays(struct operation *o, enum engine_pass part)
{
    struct numbers *m = made(o, part);
    struct err e = ERR_INIT;
    double seconds = -1;
    float *now = malloc((m->n + 1) * sizeof *now);

    assert_non_null(now);
    for (int p = 0; p < 3; p++)
        assert_int_equal(operator_run(o, (enum engine_pass)p, 3, &seconds, &e), 0);
    assert_true((o->s.kind == OPERATOR_OPTIMIZER) == (seconds >= 0));
    if (o->s.kind != OPERATOR_OPTIMIZER) {
        assert_int_equal(part == ENGINE_FORWARD ? engine_read(o->graph, o->y, now, m->n, &e)
                         : part == ENGINE_DATA
                             ? engine_read_grad(o->graph, o->source, now, m->n, &e)
                             : param_get(o->w, PARAM_GRADIENT, now, m->n, &e),
                         0);
        if (memcmp(now, m->v, m->n * sizeof *now) != 0)
            fail_case(o, part, "repeating it changed it");
    }
    free(now);
}

static void all_of_it(struct operation *o, enum engine_pass part)
{
    is_right(o, part);
    sees_a_bit(o, part);
    stays(o, part);
}

static void test_each(void **state)
{
    (void)state;
    each(all_of_it);
}

/* It repeats: what a part reads, changed, changes what it makes. */
static void test_again_computes(void **state)
{
    struct operation *o = open_case(&cases[0], engine_backend_name(0), false);
    struct err e = ERR_INIT;
    long wrong = 0;

    (void)state;
    for (size_t i = 0; i < o->weight.n; i++)
        o->weight.v[i] = 0;
    assert_int_equal(param_set(o->w, o->weight.v, o->weight.n, &e), 0);
    for (size_t i = 0; i < o->dw.n; i++)
        o->dw.v[i] = NAN;
    assert_int_equal(operator_run(o, ENGINE_WEIGHTS, 1, NULL, &e), 0);
    assert_int_equal(param_get(o->w, PARAM_GRADIENT, o->dw.v, o->dw.n, &e), 0);
    assert_int_equal(operator_check(o, ENGINE_WEIGHTS, &wrong, &e), 0);
    assert_int_equal(wrong, 0);
    operator_close(o);
}

/* A plan that reuses memory does not have what a part reads. */
static void test_again_refuses(void **state)
{
    const struct engine_config config = {
        .backend = "ref", .threads = 1, .seed = 1, .comm = comm_self()};
    struct err e = ERR_INIT;
    struct model *m = model_create(&config, &e);
    struct graph *g = graph_create(m, "plain", 1);
    struct tensor *y = op_scale(graph_input(g, "x", SHAPE(4), CHANNELS_FIRST), 2);

    (void)state;
    graph_output(y);
    assert_int_equal(engine_compile(g, NULL, &e), 0);
    assert_int_equal(engine_start(m, &e), 0);
    assert_int_equal(engine_again(y, ENGINE_FORWARD, 1, &e), -1);
    assert_string_equal(e.text, "engine_again() of graph 'plain' needs a plan without reuse and "
                                "rewrites: what it reads may be gone");
    model_destroy(m);
}

/* ---- lists ------------------------------------------------------------- */

static void test_layers(void **state)
{
    struct shapes list;
    struct err e = ERR_INIT;
    char text[64];

    (void)state;
    /* of three convolutions two are equal, and only the first has no data gradient */
    assert_int_equal(shapes_list(&list, OPERATOR_CONV, CLASS_TINY, 2, &e), 0);
    assert_int_equal(list.n, 1); /* 2-D: the one with most work */
    operator_text(&list.v[0], text);
    assert_string_equal(text, "2x16x8x8 16 3x3 p1");
    assert_int_equal(list.v[0].parts, ALL);
    assert_string_equal(list.v[0].from, "cosmoflow 2");
    shapes_free(&list);
    /* in small also DeepLabv3+'s depthwise ones, behind all others */
    assert_int_equal(shapes_list(&list, OPERATOR_CONV, CLASS_SMALL, 1, &e), 0);
    assert_true(list.n > 2);
    for (int i = list.n - 2; i < list.n; i++) {
        const bool dilated = i == list.n - 1;
        operator_text(&list.v[i], text);
        assert_string_equal(text,
                            dilated ? "1x1536x48x72 1536 3x3 p2 d2" : "1x728x48x72 728 3x3 p1");
        assert_string_equal(operator_what(&list.v[i]), "depthwise");
        assert_string_equal(list.v[i].from, "DeepLabv3+");
        assert_int_equal(list.v[i].parts, ALL);
    }
    shapes_free(&list);
    assert_int_equal(shapes_list(&list, OPERATOR_POOL, CLASS_SMALL, 1, &e), 0);
    assert_int_equal(list.n, 1); /* V1's is too large */
    operator_text(&list.v[0], text);
    assert_string_equal(text, "4x16x8x8 2x2 s2");
    assert_string_equal(list.v[0].from, "cosmoflow/big 1");
    shapes_free(&list);
    assert_int_equal(shapes_list(&list, OPERATOR_POOL, CLASS_STANDARD, 1, &e), 0);
    assert_string_equal(list.v[list.n - 1].from, "HPC AI500 V1");
    shapes_free(&list);
    assert_int_equal(shapes_list(&list, OPERATOR_OPTIMIZER, CLASS_TINY, 1, &e), 0);
    assert_int_equal(list.n, 1);
    operator_text(&list.v[0], text);
    assert_string_equal(text, "6320"); /* 432 + 2 x 2304 + 1280 */
    assert_string_equal(operator_what(&list.v[0]), "adam");
    shapes_free(&list);
}

static bool has(const struct shapes *list, const struct operator_shape *s)
{
    char want[64], text[64];

    operator_text(s, want);
    for (int i = 0; i < list->n; i++) {
        operator_text(&list->v[i], text);
        if (strcmp(text, want) == 0)
            return true;
    }
    return false;
}

/* Small: the network's, and six of the published that are small, in even steps of work. */
static void is_spread(const struct shapes *some, const struct shapes *all)
{
    double work[6];
    int n = 0, more = 0;

    for (int i = 0; i < some->n; i++) {
        assert_true(has(all, &some->v[i]));
        if (strcmp(some->v[i].from, "DeepBench") == 0 && n < 6)
            work[n++] = operator_work(&some->v[i]);
    }
    assert_int_equal(n, 6);
    for (int i = 1; i < n; i++)
        assert_true(work[i] <= work[i - 1]);
    for (int i = 0; i < all->n; i++) { /* the largest and the smallest are among them */
        const struct operator_shape *s = &all->v[i];
        if (strcmp(s->from, "DeepBench") == 0 && operator_work(s) <= 4294967296.0 &&
            operator_values(s) <= 1 << 25)
            more += operator_work(s) > work[0] || operator_work(s) < work[5];
    }
    assert_int_equal(more, 0);
}

/* All of DeepBench's, each once; small ones are some of them. */
static void test_published(void **state)
{
    struct shapes all, some;
    struct err e = ERR_INIT;
    unsigned parts = 0;
    int benches = 0;

    (void)state;
    assert_int_equal(shapes_list(&all, OPERATOR_GEMM, CLASS_STANDARD, 1, &e), 0);
    assert_int_equal(shapes_list(&some, OPERATOR_GEMM, CLASS_SMALL, 1, &e), 0);
    for (int i = 0; i < all.n; i++) {
        benches += strstr(all.v[i].from, "DeepBench") != NULL;
        parts |= strcmp(all.v[i].from, "DeepBench") == 0 ? all.v[i].parts : 0;
    }
    assert_int_equal(benches, 223);
    assert_int_equal(parts, ALL);
    is_spread(&some, &all);
    shapes_free(&all);
    shapes_free(&some);
    assert_int_equal(shapes_list(&all, OPERATOR_CONV, CLASS_STANDARD, 1, &e), 0);
    assert_int_equal(all.n, 191 + 1 + 2); /* and V1's, and two of the network */
    shapes_free(&all);
    assert_int_equal(shapes_list(&all, OPERATOR_DECONV, CLASS_STANDARD, 1, &e), 0);
    assert_int_equal(all.n, 4); /* of a DCGAN */
    shapes_free(&all);
}

/* ---- the benchmark ----------------------------------------------------- */

static void test_rows(void **state)
{
    static const struct micro_bench *const benches[] = {&micro_conv, &micro_pool, &micro_act,
                                                        &micro_loss, &micro_optimizer};
    static struct seen s;
    struct err e = ERR_INIT;

    (void)state;
    for (size_t b = 0; b < sizeof benches / sizeof *benches; b++) {
        struct micro_host h = host_of(&s);
        struct micro_plan plan;
        int done = 0, positions = 0, measured_ = 0;
        benches[b]->plan(&h, &plan);
        assert_int_equal(benches[b]->run(&h, &done, &e), 0);
        assert_int_equal(done, plan.rows);
        assert_int_equal(s.n, plan.rows);
        assert_true(plan.rows > 0 && plan.expected_seconds > 0 && plan.memory_bytes > 0);
        for (int i = 0; i < s.n; i++) {
            const struct micro_row *r = &s.rows[i];
            if (r->status == MICRO_SKIPPED)
                continue; /* bfloat16 where the processor has none */
            measured_++;
            positions += r->position;
            assert_int_equal(r->status, MICRO_OK);
            assert_true(r->checked && r->median.value > 0 && r->bytes > 0);
            assert_string_equal(r->unit, r->flop > 0 ? "FLOP/s" : "B/s");
            assert_non_null(strstr(r->found_in, "cosmoflow"));
        }
        assert_int_equal(positions, measured_ * (measured_ + 1) / 2);
    }
}

static void test_bf16_alone(void **state)
{
    static struct seen s;
    struct micro_host h = host_of(&s);
    struct err e = ERR_INIT;
    int done = 0;

    (void)state;
    h.dtype = DTYPE_BF16;
    h.backend = "ref";
    assert_int_equal(micro_conv.run(&h, &done, &e), 0);
    assert_int_equal(s.n, 3);
    for (int i = 0; i < s.n; i++)
        assert_string_equal(s.rows[i].dtype, "bf16");
}

static void test_too_large(void **state)
{
    static struct seen s;
    struct micro_host h = host_of(&s);
    struct err e = ERR_INIT;
    int done = 0;

    (void)state;
    h.memory_bytes = 1000;
    assert_int_equal(micro_conv.run(&h, &done, &e), 0);
    assert_int_equal(done, 6);
    for (int i = 0; i < s.n; i++) {
        assert_int_equal(s.rows[i].status, MICRO_SKIPPED);
        assert_true(strstr(s.rows[i].reason, "and a rank may use 1000") ||
                    strstr(s.rows[i].reason, "bfloat16"));
    }
}

static void test_time_is_over(void **state)
{
    (void)state;
    check_time_is_over(&micro_conv);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each),          cmocka_unit_test(test_update),
        cmocka_unit_test(test_freivalds),     cmocka_unit_test(test_again_computes),
        cmocka_unit_test(test_again_refuses), cmocka_unit_test(test_layers),
        cmocka_unit_test(test_published),     cmocka_unit_test(test_rows),
        cmocka_unit_test(test_bf16_alone),    cmocka_unit_test(test_too_large),
        cmocka_unit_test(test_time_is_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
