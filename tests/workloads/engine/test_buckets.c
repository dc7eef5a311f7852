/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Buckets: the cut ends as early as the best of all cuts, in the fewest buckets that
 * do; what a plan gives; the same bits whatever the cut.
 */
#include <config.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/workloads/engine/harness.h"
#include "tests/workloads/engine/ranks.h"
#include "tests/workloads/engine/trainer.h"
#include "workloads/engine/buckets.h"
#include "workloads/engine/internal.h"

enum { MOST = 10 };

/* When the exchange ends that is cut behind part i where bit i of `cuts` is set. */
static double end_of(const struct bucket_part *p, int n, unsigned cuts, int *buckets)
{
    double end = 0, ready = 0, bytes = 0;

    *buckets = 0;
    for (int i = 0; i < n; i++) {
        ready = fmax(ready, p[i].ready);
        bytes += (double)p[i].bytes;
        if (i + 1 < n && !(cuts & 1u << i))
            continue;
        end = fmax(end, ready) + BUCKET_SECONDS + bytes / BUCKET_RATE;
        bytes = 0;
        ++*buckets;
    }
    return end;
}

static void check_cut(const struct bucket_part *p, int n)
{
    const double backward = p[n - 1].ready;
    double best = INFINITY;
    int end[BUCKETS_MOST], fewest = MOST + 1, buckets;
    unsigned cuts = 0;

    for (unsigned c = 0; c < 1u << (n - 1); c++)
        best = fmin(best, end_of(p, n, c, &buckets));
    for (unsigned c = 0; c < 1u << (n - 1); c++)
        if (end_of(p, n, c, &buckets) <= best + BUCKET_SLACK * backward && buckets < fewest)
            fewest = buckets;
    const int k = buckets_cut(p, n, backward, end);
    assert_int_equal(k, fewest);
    assert_int_equal(end[k - 1], n);
    for (int b = 0; b < k - 1; b++) {
        assert_true(end[b] > (b ? end[b - 1] : 0));
        cuts |= 1u << (end[b] - 1);
    }
    assert_true(end_of(p, n, cuts, &buckets) <= best + BUCKET_SLACK * backward);
}

static void test_best(void **state)
{
    struct bucket_part p[MOST];

    (void)state;
    for (unsigned long t = 0; t < 200; t++) {
        int n = 1 + (int)(t % MOST);
        double at = 0;
        for (int i = 0; i < n; i++) {
            at += fabs((double)noise(70 + (unsigned)i, t)) * (t % 3 ? 2e-3 : 2e-4);
            p[i] =
                (struct bucket_part){at, (size_t)(1e6 * fabs((double)noise(90 + (unsigned)i, t)))};
        }
        check_cut(p, n);
    }
}

static void test_ends(void **state)
{
    static const struct bucket_part late[] = {{1, 1000}, {1, 1000}, {1, 1000}};
    static const struct bucket_part spread[] = {{0.1, 50000000}, {0.5, 50000000}, {1, 1000}};
    int end[BUCKETS_MOST];

    (void)state;
    assert_int_equal(buckets_cut(late, 0, 0, end), 0);
    assert_int_equal(buckets_cut(late, 3, 1, end), 1); /* all at once: one message */
    assert_int_equal(buckets_cut(spread, 3, 1, end), 2);
    assert_int_equal(end[0], 2); /* both are over before the last one is ready */
}

/* ---- of a model ---- */

struct cut {
    size_t bytes;
    int buckets;
    double loss;
    float weights[8];
};

static int train(struct comm *c, void *arg)
{
    static const struct optimizer sgd = {.kind = OPTIMIZER_SGD, .momentum = 0.9f};
    struct cut *cut = arg;
    struct trainer t;
    struct engine_config config = {
        .backend = "ref", .threads = 1, .seed = 11, .comm = c, .bucket_bytes = cut->bytes};
    uint64_t ids[2] = {(uint64_t)c->rank, (uint64_t)c->rank + 2};
    double loss = 0;

    trainer_create(&t, &config, 2, 0.5f, &sgd);
    for (int s = 0; s < 3; s++)
        loss = (double)trainer_step(&t, ids, 2, 2 * c->size, 1, 0.01);
    if (c->rank == 0) {
        cut->buckets = t.m->n_buckets;
        cut->loss = loss;
        memcpy(cut->weights, t.m->masters, sizeof cut->weights);
    }
    trainer_destroy(&t);
    return 0;
}

static struct cut run(int ranks, size_t bytes)
{
    struct cut cut = {.bytes = bytes};

    assert_int_equal(ranks_run(ranks, train, &cut), 0);
    return cut;
}

/* Sums are taken in the order of the ranks, element by element. */
static void test_same_bits(void **state)
{
    struct cut planned = run(2, 0), one = run(2, 1 << 30), each = run(2, 1);

    (void)state;
    assert_int_equal(one.buckets, 1);
    assert_int_equal(each.buckets, 10); /* ten parameters */
    assert_in_range(planned.buckets, 1, 9);
    assert_memory_equal(planned.weights, one.weights, sizeof one.weights);
    assert_memory_equal(planned.weights, each.weights, sizeof one.weights);
    assert_true(planned.loss == one.loss && planned.loss == each.loss);
    assert_int_equal(run(1, 0).buckets, 1); /* a rank alone exchanges nothing */
}

/* Large weights that are ready early, small ones of the costly layers in front. */
struct early {
    struct model *m;
    struct param *conv, *fc;
};

/* Of pictures of 64 x 64, or 16 x 16: then backward is too short to hide anything. */
static struct early early_start(struct comm *c, int edge)
{
    static const struct optimizer sgd = {.kind = OPTIMIZER_SGD};
    struct err e = ERR_INIT;
    struct early n = {
        .m = model_create(&(struct engine_config){.backend = "ref", .threads = 1, .comm = c}, &e)};
    int group = model_group(n.m, "all", &sgd);
    struct graph *g = graph_create(n.m, "net", edge == 64 ? 16 : 1);
    struct tensor *x = graph_input(g, "x", SHAPE(16, edge, edge), CHANNELS_FIRST);
    struct tensor *y = graph_input(g, "y", SHAPE(8), CHANNELS_FIRST);

    n.conv = model_param(n.m, group, "conv", SHAPE(16, 16, 3, 3), XAVIER);
    x = op_maxpool(op_conv(x, n.conv, NULL, WINDOW(3, 1, 1)), WINDOW(edge / 16, edge / 16, 0));
    n.fc = model_param(n.m, group, "fc", SHAPE(8, 16 * 16 * 16), XAVIER);
    struct tensor *loss = op_mse(op_dense(op_flatten(x), n.fc, NULL), y, NULL);
    assert_int_equal(engine_compile(g, loss, &e), 0);
    assert_int_equal(engine_start(n.m, &e), 0);
    return n;
}

/* The large weights do not wait for the small ones. */
static void test_plan(void **state)
{
    struct comm two = *comm_self();

    (void)state;
    two.size = 2;
    struct early n = early_start(&two, 64);
    assert_int_equal(n.m->n_buckets, 2);
    assert_int_equal(n.fc->bucket, 0);
    assert_int_equal(n.conv->bucket, 1);
    assert_true(n.m->buckets[0].count >= n.fc->count);
    assert_true(n.m->buckets[1].count >= n.conv->count);
    model_destroy(n.m);
    n = early_start(&two, 16);
    assert_int_equal(n.m->n_buckets, 1);
    model_destroy(n.m);
}

/* As on nodes whose library pads tensors in another way: the ranks' plans differ. */
static int start_unlike(struct comm *c, void *arg)
{
    struct early n = early_start(c, c->rank == 0 ? 64 : 16);

    ((int *)arg)[c->rank] = n.m->n_buckets;
    model_destroy(n.m);
    return 0;
}

static void test_one_cut(void **state)
{
    int buckets[2] = {0, 0};

    (void)state;
    assert_int_equal(ranks_run(2, start_unlike, buckets), 0);
    assert_int_equal(buckets[0], 2);
    assert_int_equal(buckets[1], 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_best),      cmocka_unit_test(test_ends),
        cmocka_unit_test(test_same_bits), cmocka_unit_test(test_plan),
        cmocka_unit_test(test_one_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
