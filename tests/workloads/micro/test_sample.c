/* SPDX-License-Identifier: BSD-3-Clause */
/* Quantiles, the slowest rank, orders; who of many links is slow. */
#include <config.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "workloads/micro/outlier.h"
#include "workloads/micro/polish.h"
#include "workloads/micro/sample.h"
#include "workloads/philox.h"

/* ---- quantiles ---- */

static void test_median(void **state)
{
    double odd[] = {3, 1, 2}, even[] = {4, 1, 3, 2};

    (void)state;
    assert_true(isnan(sample_median(odd, 0)));
    assert_true(sample_median(odd, 1) == 3);
    assert_true(sample_median(odd, 3) == 2);
    assert_true(sample_median(even, 4) == 2.5);
}

/* Nearest rank, as in the definition: the first that at least that part reached. */
static void test_reached(void **state)
{
    static const struct {
        int n;
        double part;
        int at;
    } rows[] = {{1, 0.95, 0},    {5, 0.95, 4},    {20, 0.95, 18}, {20, 0.5, 9},
                {100, 0.99, 98}, {100, 0.95, 94}, {64, 0.99, 63}, {40, 1, 39}};
    double v[100];

    (void)state;
    for (int i = 0; i < 100; i++)
        v[i] = i;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_true(sample_reached(v, rows[i].n, rows[i].part) == rows[i].at);
    assert_true(isnan(sample_reached(v, 0, 0.5)));
}

/* Three ranks; one has many samples and must not weigh more; one sample is missing. */
static void test_summary(void **state)
{
    double samples[] = {10, 12, 11, /* */ 5, 5, 5, 5, 5, 5, 7, /* */ 20, NAN, 22};
    struct micro_part parts[] = {{0, 0, 3}, {1, 0, 7}, {4, 1, 3}};
    struct micro_row r = {
        .samples = samples, .n_samples = 13, .parts = parts, .n_parts = 3, .more_is_better = true};

    (void)state;
    assert_int_equal(sample_summarise(&r, "why"), 12);
    assert_true(r.median.value == 11); /* of 11, 5 and 21 */
    assert_true(r.best.value == 22);
    assert_true(r.p95.value == 5 && r.p99.value == 5);
    assert_int_equal(r.slowest_rank, 1);
    assert_true(r.slowest.value == 5);
    r.more_is_better = false; /* times: the other end is the worst */
    assert_int_equal(sample_summarise(&r, "why"), 12);
    assert_true(r.best.value == 5 && r.p99.value == 22);
    assert_int_equal(r.slowest_rank, 4);
    assert_true(r.slowest.value == 21);
}

static void test_summary_of_little(void **state)
{
    double one[] = {3, NAN};
    struct micro_part part = {2, 0, 2};
    struct micro_row r = {.samples = one, .n_samples = 2, .parts = &part, .n_parts = 1};

    (void)state;
    assert_int_equal(sample_summarise(&r, "why"), 1);
    assert_true(r.median.value == 3 && !r.median.reason);
    assert_int_equal(r.slowest_rank, -1);
    assert_string_equal(r.slowest.reason, "one rank measured it");
    one[0] = INFINITY;
    assert_int_equal(sample_summarise(&r, "no sample came"), 0);
    assert_string_equal(r.median.reason, "no sample came");
    assert_string_equal(r.p95.reason, "no sample came");
}

static void test_order(void **state)
{
    int a[50], b[50], seen[50] = {0}, same = 0;

    (void)state;
    sample_order(a, 50, 1, 0, 0);
    sample_order(b, 50, 1, 0, 0);
    assert_memory_equal(a, b, sizeof a);
    for (int i = 0; i < 50; i++)
        seen[a[i]]++;
    for (int i = 0; i < 50; i++)
        assert_int_equal(seen[i], 1);
    for (int other = 0; other < 3; other++) {
        sample_order(b, 50, other == 0 ? 2 : 1, other == 1, other == 2);
        for (int i = 0; i < 50; i++)
            same += a[i] == b[i];
    }
    assert_true(same < 20); /* of 150 a chance order has 3 */
}

/* Every order of three is drawn about equally often: 6,000 seeds, 1,000 each; five
 * standard deviations are 144. */
static void test_order_is_fair(void **state)
{
    int counts[27] = {0}, o[3], kinds = 0;

    (void)state;
    for (uint64_t seed = 0; seed < 6000; seed++) {
        sample_order(o, 3, seed, 7, 9);
        counts[o[0] * 9 + o[1] * 3 + o[2]]++;
    }
    for (int i = 0; i < 27; i++) {
        kinds += counts[i] > 0;
        assert_true(counts[i] == 0 || abs(counts[i] - 1000) < 144);
    }
    assert_int_equal(kinds, 6);
}

/* ---- median polish ---- */

/* Tukey's additive table comes apart into its parts again. */
static void test_polish_of_a_sum(void **state)
{
    static const double s[5] = {-2, 0, 1, 0.5, -1}, r[5] = {0.25, 0, -3, 2, -0.5};
    double v[25], all, send[5], receive[5];

    (void)state;
    for (int i = 0; i < 25; i++)
        v[i] = i % 6 == 0 ? NAN : 7 + s[i / 5] + r[i % 5];
    assert_int_equal(polish_fit(v, 5, &all, send, receive), 0);
    for (int i = 0; i < 25; i++)
        if (i % 6) /* what is left of a table that is a sum: nothing but rounding */
            assert_true(fabs(v[i]) < 1e-6);
    for (int i = 1; i < 5; i++) {
        assert_true(fabs(send[i] - send[0] - (s[i] - s[0])) < 1e-6);
        assert_true(fabs(receive[i] - receive[0] - (r[i] - r[0])) < 1e-6);
    }
}

static void test_polish_lacks_an_end(void **state)
{
    double v[9] = {NAN, 1, NAN, 2, NAN, NAN, NAN, NAN, NAN}, all, send[3], receive[3];

    (void)state;
    assert_int_equal(polish_fit(v, 3, &all, send, receive), 0);
    assert_true(isnan(send[2]) && isnan(receive[2]));
    assert_true(isfinite(send[0]) && isfinite(receive[1]));
}

/* Tables of Student's t, 4 degrees of freedom. */
static void test_t4(void **state)
{
    static const double rows[][2] = {
        {0.95, 2.132}, {0.975, 2.776}, {0.99, 3.747}, {0.995, 4.604}, {0.9995, 8.610}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_true(fabs(polish_t4(rows[i][0]) - rows[i][1]) < 0.0006);
        assert_true(fabs(polish_t4(1 - rows[i][0]) + rows[i][1]) < 0.0006);
    }
}

/* A normal number from two uniforms (Box, Muller). */
static double noise(uint32_t a, uint32_t b)
{
    uint32_t c[4] = {a, b, 0, 0}, k[2] = {5, 6};

    philox4x32(c, k, c);
    return sqrt(-2 * log((c[0] + 1.0) / 4294967297.0)) *
           cos(6.283185307179586 * c[1] / 4294967296.0);
}

/* Rates of 1 with so much scatter; the sender or the receiver `slow` has a part. */
static void table(double *v, int n, double sigma, int slow, bool sends, double part, uint32_t seed)
{
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) {
            double rate = exp(sigma * noise(seed, (uint32_t)(i * n + j)));
            v[i * n + j] = i == j ? NAN : (sends ? i : j) == slow ? rate * part : rate;
        }
}

static void test_names_who_is_slow(void **state)
{
    struct polish_end ends[16];
    double v[64];

    (void)state;
    for (int n = 4; n <= 8; n++)
        for (int slow = 0; slow < n; slow++)
            for (int sends = 0; sends < 2; sends++) {
                table(v, n, 0.03, slow, sends, 0.4, (uint32_t)(n * 100 + slow));
                assert_int_equal(polish_name(v, n, 0, ends), 1);
                assert_int_equal(ends[0].node, slow);
                assert_int_equal(ends[0].sends, sends);
                assert_true(ends[0].loss > ends[0].limit);
                /* the loss is ln(1 / 0.4) within the scatter of the fit */
                assert_true(fabs(ends[0].loss - 0.916) < 0.15);
            }
}

/* Two at once, one in each direction, worst first. */
static void test_names_two(void **state)
{
    struct polish_end ends[16];
    double v[64];

    (void)state;
    table(v, 8, 0.03, 2, true, 0.1, 1);
    for (int i = 0; i < 8; i++)
        v[i * 8 + 5] *= 0.4;
    assert_int_equal(polish_name(v, 8, 0, ends), 2);
    assert_int_equal(ends[0].node, 2);
    assert_true(ends[0].sends);
    assert_int_equal(ends[1].node, 5);
    assert_false(ends[1].sends);
}

/* 5 % from node to node is what the prior allows for: of 400 quiet machines a rule for
 * 1 % a run may name 4; 12 is four standard deviations more. */
static void test_cries_no_wolf(void **state)
{
    struct polish_end ends[16];
    double v[64];
    int named = 0;

    (void)state;
    for (uint32_t seed = 0; seed < 400; seed++) {
        int n = 4 + (int)(seed % 5);
        table(v, n, 0.05, -1, true, 1, seed + 1000);
        named += polish_name(v, n, 0, ends) > 0;
    }
    assert_true(named <= 12);
}

/* Cores that others share: links differ by 25 %, and their own samples say so. */
static void test_noise_of_the_samples_excuses(void **state)
{
    struct polish_end ends[16];
    double v[64];
    int alone = 0, known = 0;

    (void)state;
    for (uint32_t seed = 0; seed < 400; seed++) {
        table(v, 4, 0.25, -1, true, 1, seed + 5000);
        alone += polish_name(v, 4, 0, ends) > 0;
        known += polish_name(v, 4, 0.25, ends) > 0;
    }
    assert_true(alone > 12); /* which the fit of twelve links by seven effects cannot see */
    assert_true(known <= 12);
    table(v, 4, 0.25, 1, true, 0.01, 1); /* and a real fault is named all the same */
    assert_int_equal(polish_name(v, 4, 0.25, ends), 1);
    assert_int_equal(ends[0].node, 1);
    assert_true(ends[0].sends);
}

/* Seen in CI: n2 throttled, one link to n4 disturbed. Without n2's links n4 had two
 * senders left, and the mean of the two was called its rate. */
static void test_two_links_name_nobody(void **state)
{
    struct polish_end ends[8];
    double v[16] = {NAN,  2118, 1909, 1009, 24.3, NAN,  24.2, 24.2,
                    2334, 2489, NAN,  2043, 1545, 2331, 2412, NAN};

    (void)state;
    assert_int_equal(polish_name(v, 4, 0, ends), 1);
    assert_int_equal(ends[0].node, 1);
    assert_true(ends[0].sends);
}

static void test_noise_of_few_samples(void **state)
{
    double room[5], v[] = {1, 1.1, 0.9, 1.2, 5};

    (void)state;
    /* |ln(v / 1.1)|: .0953 0 .2007 .0870 1.514: median .0953 */
    assert_true(fabs(polish_noise(v, 5, room) - 1.4826 * 0.09531 * 5 / 4.2 * sqrt(1.57 / 5)) <
                1e-5);
    assert_true(isnan(polish_noise(v, 2, room)));
}

static void test_few_nodes_are_not_named(void **state)
{
    struct polish_end ends[6];
    double v[9];

    (void)state;
    for (int n = 2; n <= 3; n++) {
        table(v, n, 0.01, 1, true, 0.01, 3);
        assert_int_equal(polish_name(v, n, 0, ends), 0);
    }
}

/* ---- who of the nodes is slow ---- */

static void test_outlier(void **state)
{
    double rates[] = {100, 25, 101, 99}, room[4];
    struct outlier o = outlier_find(rates, 4, 0.01, OUTLIER_COMPUTE, 20, room);

    (void)state;
    assert_int_equal(o.node, 1);
    assert_true(fabs(exp(-o.loss) - 0.25) < 1e-9);
    assert_true(o.limit < o.loss && o.limit > 0.05);
    assert_int_equal(outlier_find(rates, 3, 0.01, OUTLIER_COMPUTE, 20, room).node, -1);
    rates[2] = NAN; /* three are left */
    assert_int_equal(outlier_find(rates, 4, 0.01, OUTLIER_COMPUTE, 20, room).node, -1);
    rates[2] = 101;
    rates[1] = 95; /* 5 %: less than four nodes can tell without a history */
    assert_int_equal(outlier_find(rates, 4, 0, OUTLIER_COMPUTE, 20, room).node, -1);
    rates[1] = 25; /* repeats that scatter by as much as the loss */
    assert_int_equal(outlier_find(rates, 4, 0.5, OUTLIER_COMPUTE, 20, room).node, -1);
}

/* From eight nodes on the others' own spread counts; a slow one does not hide in it. */
static void test_outlier_of_many(void **state)
{
    double rates[16], room[16];

    (void)state;
    for (int i = 0; i < 16; i++)
        rates[i] = 100 + 40 * (i % 4); /* a mixed machine: nobody */
    assert_int_equal(outlier_find(rates, 16, 0, OUTLIER_COMPUTE, 1, room).node, -1);
    for (int i = 0; i < 16; i++)
        rates[i] = 100 + i % 3;
    rates[11] = 60;
    assert_int_equal(outlier_find(rates, 16, 0, OUTLIER_COMPUTE, 20, room).node, 11);
}

/* Healthy nodes whose spread is the prior: at most 1 % of the runs name somebody (2,000
 * runs of 10 rows, 4 nodes: Student's limit is wide for normal noise, so fewer do). */
static void test_outlier_false_alarms(void **state)
{
    double rates[4], room[4];
    int named = 0;

    (void)state;
    for (uint32_t run = 0; run < 2000; run++) {
        int any = 0;
        for (uint32_t row = 0; row < 10; row++) {
            for (uint32_t i = 0; i < 4; i++) {
                const uint32_t key[2] = {17, 4};
                uint32_t at[4] = {run, row, i, 0};
                double sum = -6; /* of twelve uniform numbers: normal */
                for (int k = 0; k < 3; k++) {
                    uint32_t bits[4];
                    at[3] = (uint32_t)k;
                    philox4x32(at, key, bits);
                    for (int j = 0; j < 4; j++)
                        sum += bits[j] / 4294967296.0;
                }
                rates[i] = exp(OUTLIER_COMPUTE * sum);
            }
            any |= outlier_find(rates, 4, 0, OUTLIER_COMPUTE, 10, room).node >= 0;
        }
        named += any;
    }
    assert_true(named <= 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_median),
        cmocka_unit_test(test_reached),
        cmocka_unit_test(test_summary),
        cmocka_unit_test(test_summary_of_little),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_order_is_fair),
        cmocka_unit_test(test_polish_of_a_sum),
        cmocka_unit_test(test_polish_lacks_an_end),
        cmocka_unit_test(test_t4),
        cmocka_unit_test(test_names_who_is_slow),
        cmocka_unit_test(test_names_two),
        cmocka_unit_test(test_cries_no_wolf),
        cmocka_unit_test(test_noise_of_the_samples_excuses),
        cmocka_unit_test(test_two_links_name_nobody),
        cmocka_unit_test(test_noise_of_few_samples),
        cmocka_unit_test(test_few_nodes_are_not_named),
        cmocka_unit_test(test_outlier),
        cmocka_unit_test(test_outlier_of_many),
        cmocka_unit_test(test_outlier_false_alarms),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
