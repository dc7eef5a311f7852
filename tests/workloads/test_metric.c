/* SPDX-License-Identifier: BSD-3-Clause */
/* Metrics by hand, against their definitions taken literally (slow), and the
 * same bits on any number of ranks. */
#include <config.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/workloads/engine/ranks.h"
#include "workloads/metric.h"
#include "workloads/philox.h"

enum { MANY = 400 };

/* In double: cmocka 1's assert_float_equal() compares floats. */
static void near(double got, double wanted, double tolerance)
{
    if (!(fabs(got - wanted) <= tolerance))
        fail_msg("%.17g, wanted %.17g", got, wanted);
}

static double uniform(uint64_t key, uint64_t i)
{
    uint32_t r[4];

    philox_at(key, 0, i, r);
    return philox_double(r[0], r[1]);
}

/* Overlapping classes, uneven weights, and scores in steps, so that many are
 * equal. */
static void make_scores(struct score *s, size_t n, uint64_t key)
{
    for (size_t i = 0; i < n; i++) {
        int label = uniform(key, 4 * i) < 0.3;
        double x = uniform(key, 4 * i + 1) + 0.4 * label;

        s[i] = (struct score){.id = i,
                              .score = (float)(floor(x * 40) / 40),
                              .weight = (float)(0.1 + uniform(key, 4 * i + 2)),
                              .label = label};
    }
}

/* ---- against the definitions ------------------------------------------ */

/* The chance that a signal is above a background, pair by pair. */
static double slow_auc(const struct score *s, size_t n)
{
    double won = 0, all = 0;

    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) {
            if (!s[i].label || s[j].label)
                continue;
            double w = (double)s[i].weight * (double)s[j].weight;

            all += w;
            won += s[i].score > s[j].score ? w : s[i].score == s[j].score ? w / 2 : 0;
        }
    return won / all;
}

/* Weights of a label at or above a threshold. */
static double above(const struct score *s, size_t n, int label, float threshold)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++)
        if (s[i].label == label && s[i].score >= threshold)
            sum += (double)s[i].weight;
    return sum;
}

static double slow_ap(const struct score *s, size_t n)
{
    double sum = 0, last = 0, all = above(s, n, 1, -INFINITY);

    for (size_t i = 0; i < n; i++) { /* s is sorted */
        if (i + 1 < n && s[i + 1].score == s[i].score)
            continue;
        double hit = above(s, n, 1, s[i].score), recall = hit / all;

        sum += (recall - last) * hit / (hit + above(s, n, 0, s[i].score));
        last = recall;
    }
    return sum;
}

static double slow_efficiency(const struct score *s, size_t n, double rejection)
{
    double best = 0;

    for (size_t i = 0; i < n; i++)
        if (above(s, n, 0, s[i].score) <= (1 - rejection) * above(s, n, 0, -INFINITY))
            best = fmax(best, above(s, n, 1, s[i].score));
    return best / above(s, n, 1, -INFINITY);
}

static double slow_rejects(const struct score *s, size_t n, double recall)
{
    float threshold = -INFINITY;

    for (size_t i = 0; i < n; i++)
        if (above(s, n, 1, s[i].score) >= recall * above(s, n, 1, -INFINITY))
            threshold = fmaxf(threshold, s[i].score);
    return above(s, n, 0, threshold) / above(s, n, 0, -INFINITY);
}

static void test_definitions(void **state)
{
    struct score s[MANY];

    (void)state;
    for (uint64_t key = 1; key <= 20; key++) {
        make_scores(s, MANY, key);
        scores_sort(s, MANY);
        near(metric_auc(s, MANY).value, slow_auc(s, MANY), 1e-12);
        near(metric_average_precision(s, MANY).value, slow_ap(s, MANY), 1e-12);
        near(metric_efficiency(s, MANY, 0.9).value, slow_efficiency(s, MANY, 0.9), 1e-12);
        near(metric_false_rejects(s, MANY, 0.9, 10).value, slow_rejects(s, MANY, 0.9), 1e-12);
    }
}

/* ---- by hand ---------------------------------------------------------- */

static void test_by_hand(void **state)
{
    struct score s[] = {{0, 4, 1, 1}, {1, 3, 1, 0}, {2, 2, 1, 1}, {3, 1, 1, 0}};

    (void)state;
    assert_true(metric_auc(s, 4).value == 0.75);
    near(metric_average_precision(s, 4).value, 0.5 + 0.5 * 2 / 3, 1e-15);
    assert_true(metric_false_rejects(s, 4, 1, 2).value == 0.5);
    assert_true(metric_false_rejects(s, 4, 0.5, 2).value == 0);
    for (int i = 0; i < 4; i++)
        s[i].score = 7;
    assert_true(metric_auc(s, 4).value == 0.5);
    for (int i = 0; i < 4; i++)
        s[i].score = (float)(s[i].label ? 1e30 : -1e30);
    scores_sort(s, 4);
    assert_true(metric_auc(s, 4).value == 1);
}

static void test_not_defined(void **state)
{
    struct score s[] = {{0, 2, 1, 1}, {1, 1, 1, 1}};

    (void)state;
    assert_string_equal(metric_auc(s, 2).why, "no sample of class 0");
    assert_true(isnan(metric_auc(s, 2).value));
    assert_string_equal(metric_auc(s, 0).why, "no sample of class 1");
    s[1].label = 0;
    assert_null(metric_auc(s, 2).why);
    assert_string_equal(metric_efficiency(s, 2, 0.9996).why,
                        "fewer than ten background events would decide");
    assert_string_equal(metric_false_rejects(s, 2, 0.99, 128).why, "too few defective samples");
    s[1].weight = -1;
    assert_string_equal(metric_auc(s, 2).why, "a weight is negative or not finite");
    s[1].weight = 1;
    s[0].score = NAN;
    scores_sort(s, 2);
    assert_true(isnan(s[1].score));
    assert_string_equal(metric_average_precision(s, 2).why, "a score is not a number");
    assert_non_null(metric_iou(&(struct counts){0, 0, 0}).why);
    assert_non_null(metric_detection(&(struct counts){0, 3, 0}).why);
    assert_null(metric_false_alarm_ratio(&(struct counts){0, 3, 0}).why);
}

/* The rule that needs many events: 25,000 equal weights are enough for .9996,
 * one fewer is not, uneven ones count less. */
static void test_effective_background(void **state)
{
    enum { N = 25001 };
    struct score *s = calloc(N, sizeof *s);

    (void)state;
    assert_non_null(s);
    for (int i = 0; i < N; i++)
        s[i] = (struct score){(uint64_t)i, (float)(N - i), 1, i == 0};
    assert_null(metric_efficiency(s, N, 0.9996).why);
    assert_true(metric_efficiency(s, N, 0.9996).value == 1);
    assert_non_null(metric_efficiency(s, N - 1, 0.9996).why);
    s[N - 1].weight = 2;
    assert_non_null(metric_efficiency(s, N, 0.9996).why);
    free(s);
}

static void test_counts(void **state)
{
    const struct counts k[3] = {{6, 2, 2}, {0, 0, 0}, {0, 5, 0}};

    (void)state;
    near(metric_iou(&k[0]).value, 0.6, 1e-15);
    near(metric_false_alarm_ratio(&k[0]).value, 0.25, 1e-15);
    near(metric_detection(&k[0]).value, 0.75, 1e-15);
    near(metric_sample_iou(k, 3), (0.6 + 1 + 0) / 3, 1e-15);
}

/* ---- detections ------------------------------------------------------- */

/* Two frames, three true boxes; the second best look at a taken box is a
 * false alarm (VOC), boxes of other classes and frames are not seen. */
static void test_detections(void **state)
{
    const struct detection truth[] = {
        {0, 0, 1, 0, {0, 0, 10, 10}},
        {0, 1, 1, 0, {20, 0, 30, 10}},
        {1, 0, 1, 0, {0, 0, 10, 10}},
        {1, 1, 2, 0, {50, 50, 60, 60}},
    };
    struct detection found[] = {
        {1, 3, 1, 0.2f, {1, 0, 11, 10}},   /* hit: third, 4 of class 1 looked at before: 3 / 5 */
        {0, 0, 1, 0.9f, {0, 0, 10, 9}},    /* hit: 1 / 1 */
        {0, 1, 1, 0.8f, {0, 0, 10, 10}},   /* its best box is taken: false alarm */
        {0, 2, 1, 0.7f, {21, 0, 31, 10}},  /* hit: 2 / 3 */
        {0, 3, 1, 0.6f, {40, 0, 50, 10}},  /* nothing there */
        {1, 0, 2, 0.99f, {50, 50, 60, 61}} /* another class */
    };

    (void)state;
    near(box_iou(truth[0].box, found[1].box), 0.9, 1e-12);
    struct metric m = metric_detection_ap(found, 6, truth, 4, 1, 0.5);
    near(m.value, (1 + 2.0 / 3 + 0.6) / 3, 1e-12);
    assert_true(metric_detection_ap(found, 6, truth, 4, 2, 0.5).value == 1);
    assert_string_equal(metric_detection_ap(found, 6, truth, 4, 3, 0.5).why,
                        "no true box of this class");
    assert_true(metric_detection_ap(found, 0, truth, 4, 1, 0.5).value == 0);
    /* the envelope: a late run of hits lifts what came before it */
    struct detection late[] = {{9, 0, 1, 0.9f, {0, 0, 1, 1}},
                               {0, 0, 1, 0.8f, {0, 0, 10, 10}},
                               {0, 1, 1, 0.7f, {20, 0, 30, 10}},
                               {1, 0, 1, 0.6f, {0, 0, 10, 10}}};
    near(metric_detection_ap(late, 4, truth, 4, 1, 0.5).value, 0.75, 1e-12);
}

/* ---- distributions ---------------------------------------------------- */

static void test_ks(void **state)
{
    double a[] = {1, 2, 3, 4}, b[] = {2.5, 3.5, 4.5, 5.5}, none[1];

    (void)state;
    near(metric_ks(a, 4, b, 4).value, 0.5, 1e-15);
    near(metric_ks(a, 4, a, 4).value, 0, 1e-15);
    assert_string_equal(metric_ks(a, 4, none, 0).why, "one of the two has no values");
    a[2] = NAN;
    assert_string_equal(metric_ks(a, 4, b, 4).why, "a value is not a number");
    /* Q(1) = 0.26999967..., Q(1.36) = 0.0494859 (Smirnov's table) */
    double k = sqrt(50), at_one = 1 / (k + 0.12 + 0.11 / k);
    near(metric_ks_p(at_one, 100, 100), 0.2699996716, 1e-9);
    near(metric_ks_p(1.36 * at_one, 100, 100), 0.0494859, 1e-6);
    assert_true(metric_ks_p(0, 10, 10) == 1);
    assert_true(metric_ks_p(1, 1000, 1000) < 1e-200);
}

/* ---- ranks ------------------------------------------------------------ */

struct gathered {
    double auc, ap;
    uint64_t first;
    size_t n, boxes;
};

/* Sample i is on rank i % size, boxes likewise; rank 1 of three has none of
 * the boxes. */
static int gather_all(struct comm *c, void *arg)
{
    struct gathered *g = arg;
    struct score all[MANY], mine[MANY], *list;
    struct detection box[MANY], *boxes;
    struct err e = ERR_INIT;
    size_t n = 0, n_boxes = 0, total, total_boxes;

    make_scores(all, MANY, 99);
    for (int i = 0; i < MANY; i++) {
        if (i % c->size != c->rank)
            continue;
        mine[n++] = all[i];
        if (c->size == 1 || c->rank != 1)
            box[n_boxes++] = (struct detection){.frame = (uint64_t)(MANY - i), .index = i};
    }
    if (scores_gather(c, mine, n, &list, &total, &e) ||
        detections_gather(c, box, n_boxes, &boxes, &total_boxes, &e))
        return -1;
    for (size_t i = 1; i < total_boxes; i++)
        if (boxes[i].frame < boxes[i - 1].frame)
            return -1;
    if (c->rank == c->size - 1)
        *g = (struct gathered){metric_auc(list, total).value,
                               metric_average_precision(list, total).value, list[0].id, total,
                               total_boxes};
    free(list);
    free(boxes);
    return 0;
}

static void test_any_number_of_ranks(void **state)
{
    struct gathered g[4];

    (void)state;
    memset(g, 0, sizeof g);
    for (int n = 1; n <= 4; n++)
        assert_int_equal(ranks_run(n, gather_all, &g[n - 1]), 0);
    for (int n = 1; n < 4; n++) {
        assert_memory_equal(&g[0].auc, &g[n].auc, sizeof g[0].auc);
        assert_memory_equal(&g[0].ap, &g[n].ap, sizeof g[0].ap);
        assert_true(g[n].n == MANY && g[n].first == g[0].first);
        assert_true(g[n].boxes == (size_t)(MANY - (MANY + n - 1) / (n + 1)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_definitions), cmocka_unit_test(test_by_hand),
        cmocka_unit_test(test_not_defined), cmocka_unit_test(test_effective_background),
        cmocka_unit_test(test_counts),      cmocka_unit_test(test_detections),
        cmocka_unit_test(test_ks),          cmocka_unit_test(test_any_number_of_ranks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
