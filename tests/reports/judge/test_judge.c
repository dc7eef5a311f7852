/* SPDX-License-Identifier: BSD-3-Clause */
/* The rule by tables of cases without any noise: what is compared with what, and what
 * follows. Its rates under noise: test_simulate.c. */
#include <config.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reports/judge/judge.h"
#include "reports/judge/link.h"
#include "reports/judge/random.h"
#include "reports/judge/stat.h"
#include "reports/judge/variance.h"
#include "tests/unit.h"

static void near(double got, double wanted, double within)
{
    if (!(fabs(got - wanted) <= within)) {
        print_error("%.10g, wanted %.10g\n", got, wanted);
        fail();
    }
}

/* ---- stat ---- */

static int by_number(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void test_order(void **state)
{
    struct random g = RANDOM_SEED(7);
    double x[101], sorted[101];

    (void)state;
    for (int n = 1; n <= 101; n++)
        for (int few = 0; few < 2; few++) {
            for (int i = 0; i < n; i++)
                sorted[i] = x[i] = few ? random_below(&g, 3) : random_normal(&g);
            qsort(sorted, (size_t)n, sizeof *sorted, by_number);
            for (int k = 0; k < n; k += 1 + n / 7)
                assert_true(stat_select(x, n, k) == sorted[k]);
            double middle = n % 2 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
            assert_true(stat_median(x, n) == middle);
        }
    assert_true(isnan(stat_median(x, 0)));
    double y[] = {1, 2, 3, 4, 100};
    near(stat_scale(y, 5, 3), STAT_MAD, 1e-12);
}

/* Tables of Student's t and of the normal distribution (Abramowitz & Stegun, 26.7,
 * 26.2; nu = 4 and 1 in closed form). */
static void test_quantiles(void **state)
{
    static const struct {
        double p, nu, t;
    } cases[] = {
        {.975, 4, 2.7764451052},  {.99, 60, 2.3901194726}, {.995, 10, 3.1692726726},
        {.9995, 3, 12.923978637}, {.95, 1, 6.3137515147},  {.75, 2, .8164965809},
        {.999999, 1e7, 4.7534},   {.1, 5, -1.4758840488},  {.5, 9, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        near(stat_student(cases[i].p, cases[i].nu), cases[i].t, 1e-5 * fabs(cases[i].t) + 1e-9);
    for (double nu = 2; nu < 2000; nu *= 1.7)
        for (double tail = .3; tail > 1e-9; tail /= 9)
            near(stat_student_tail(stat_student(1 - tail, nu), nu) / tail, 1, 1e-6);
    near(stat_normal(.975), 1.959963984540054, 1e-12);
    near(stat_normal(1e-6), -4.753424308822899, 1e-10);
    assert_true(isnan(stat_student(0, 4)) && isnan(stat_student(1, 4)) && isnan(stat_normal(1)));
}

/* ---- the look ---- */

enum { MOST = 64 };

static const struct judge_history one_percent = {
    .step = 1, .freedom = 60, .baseline = 0, .known = true, .metrics = 1};
static struct judge_seen seen[MOST];
static struct judge_look look;

/* Nodes with these losses, none with an own history. */
static void look_at(const struct judge_history *h, const double *loss, int n)
{
    struct judge_node nodes[MOST];

    for (int i = 0; i < n; i++)
        nodes[i] = (struct judge_node){.loss = loss[i], .own = NAN, .group = -1};
    assert_int_equal(judge_look(h, nodes, n, seen, &look), 0);
}

static void test_loss(void **state)
{
    (void)state;
    near(judge_loss(95, 100, true), 5.1293, 1e-3);
    near(judge_loss(105.263, 100, false), 5.1293, 1e-3);
    near(judge_percent(judge_loss(181, 349, true)), 48.1, .05);
    assert_true(isnan(judge_loss(0, 1, true)) && isnan(judge_loss(NAN, 1, true)));
    assert_true(isnan(judge_loss(INFINITY, 1, true)) && isnan(judge_loss(-1, 1, false)));
}

/* The centre of each node is the median of the others, whatever n and ties. */
static void test_centre_is_of_the_others(void **state)
{
    struct random g = RANDOM_SEED(3);
    struct judge_history h = one_percent;
    double x[40], others[40];

    (void)state;
    h.baseline = NAN;
    for (int n = 2; n <= 40; n++)
        for (int few = 0; few < 2; few++) {
            for (int i = 0; i < n; i++)
                x[i] = few ? random_below(&g, 3) : random_normal(&g);
            look_at(&h, x, n);
            for (int i = 0; i < n; i++) {
                int m = 0;
                for (int k = 0; k < n; k++)
                    if (k != i)
                        others[m++] = x[k];
                near(seen[i].centre, stat_median(others, m), 1e-12);
            }
        }
}

/* One of two nodes is seen, with any n; the loss is not halved. */
static void test_one_bad_node(void **state)
{
    double x[MOST];

    (void)state;
    for (int n = 2; n <= MOST; n *= 2) {
        for (int i = 0; i < n; i++)
            x[i] = i == 1 ? 20 : 0;
        struct judge_history h = one_percent;
        h.baseline = n == 2 ? NAN : 0;
        look_at(&h, x, n);
        near(seen[1].d, 20, .01);
        assert_true(seen[1].gated && seen[1].beyond && !seen[0].gated);
        assert_int_equal(look.gated, 1);
        assert_int_equal(look.system, SYSTEM_NO);
    }
}

/* n = 1: the baseline is all there is; its own error and the common shift count. */
static void test_one_node(void **state)
{
    struct judge_history h = one_percent;
    const double loss[] = {6};

    (void)state;
    h.shift = 2;
    look_at(&h, loss, 1);
    near(seen[0].centre, 0, 1e-12);
    near(seen[0].scale, sqrt(1 + 4 + 1. / 50), 1e-9);
    assert_true(seen[0].gated);
    double d = judge_round(&look, 0, 7, NAN, NULL, 0);
    near(d, 7, 1e-12);
    look_at(&(struct judge_history){.run = 1, .freedom = 4, .baseline = NAN}, loss, 1);
    assert_true(!seen[0].gated);
    assert_int_equal(judge_verdict(&look, 0, JUDGE_NO, NAN), VERDICT_INCONCLUSIVE);
}

/* Below 8 nodes the baseline joins in by its precision. */
static void test_baseline_joins(void **state)
{
    struct judge_history h = one_percent;
    const double loss[] = {2, 2, 2, 2};
    double v = M_PI / 2 / 3, u = 1 + 1. / 50;

    (void)state;
    h.shift = 1;
    look_at(&h, loss, 4);
    near(seen[0].centre, 2 * (1 / v) / (1 / v + 1 / u), 1e-4);
    near(seen[0].v, 1 / (1 / v + 1 / u), 1e-4);
}

/* Today's noise widens the scale, and is it alone when it is beyond chance; quiet days
 * do not narrow it. */
static void test_moderated_scale(void **state)
{
    double x[32];

    (void)state;
    for (int loud = 0; loud < 3; loud++) {
        for (int i = 0; i < 32; i++)
            x[i] = (loud == 2 ? 3 : loud ? 1.3 : .2) * stat_normal((i + .5) / 32);
        look_at(&one_percent, x, 32);
        double sp = look.spread, np = .37 * 31;
        near(look.q, loud == 2 ? sp * sp : fmax(1, (60 + np * sp * sp) / (60 + np)), 1e-9);
        near(look.nu, 60 + np, 1e-9);
        assert_true(loud ? look.q > 1.1 : look.q == 1);
    }
}

/* A GPU that always was 8 % slower is as it was; one that lost 8 % is not. */
static void test_own_history(void **state)
{
    const struct judge_history h = {
        .between = 4, .run = .5, .freedom = 60, .baseline = 0, .known = true, .metrics = 1};
    struct judge_node nodes[16];

    (void)state;
    for (int i = 0; i < 16; i++)
        nodes[i] = (struct judge_node){
            .loss = i == 3 ? 8 : 0, .own = i == 3 ? 8 : 0, .own_runs = 20, .group = -1};
    nodes[5].loss = 8;
    nodes[6].own_runs = 4; /* too few: the class's spread is its own */
    assert_int_equal(judge_look(&h, nodes, 16, seen, &look), 0);
    assert_true(!seen[3].gated && seen[5].beyond && seen[3].own && !seen[6].own);
    near(seen[3].d, 0, 1e-9);
    assert_true(seen[6].b == 4 && seen[5].b == 0);
    near(seen[5].r, .5 * sqrt(1 + M_PI / 2 / 20), 1e-4);
    near(judge_floor(&look, 5), 5, 0);
    near(judge_floor(&look, 6), 10, 0);
    near(judge_round(&look, 5, 8, 0, (double[]){0, 0, 0}, 3), 8, 1e-9);
    near(judge_round(&look, 3, 8, 8, (double[]){0, 0, 0}, 3), 0, 1e-9);
}

/* ---- SYSTEM ---- */

static void test_system(void **state)
{
    struct judge_node nodes[16];
    double x[16] = {0};

    (void)state;
    for (int i = 0; i < 5; i++)
        x[i] = 20;
    look_at(&one_percent, x, 16); /* 5 of 16 */
    assert_int_equal(look.system, SYSTEM_MANY);
    assert_int_equal(judge_verdict(&look, 0, JUDGE_YES, 20), VERDICT_SYSTEM);
    assert_int_equal(judge_verdict(&look, 9, JUDGE_NO, NAN), VERDICT_GOOD);
    x[4] = 0;
    look_at(&one_percent, x, 16); /* 4 of 16 are bad nodes */
    assert_int_equal(look.system, SYSTEM_NO);
    for (int i = 0; i < 16; i++)
        x[i] = 5;
    look_at(&one_percent, x, 16); /* all alike: the peers do not see it */
    assert_int_equal(look.system, SYSTEM_SHIFT);
    assert_int_equal(judge_verdict(&look, 9, JUDGE_NO, NAN), VERDICT_SYSTEM);
    for (int i = 0; i < 16; i++)
        x[i] = 6 * stat_normal((i + .5) / 16);
    look_at(&one_percent, x, 16);
    assert_int_equal(look.system, SYSTEM_SPREAD);
    for (int i = 0; i < 16; i++)
        nodes[i] = (struct judge_node){.loss = i / 4 == 2 ? 20 : 0, .own = NAN, .group = i / 4};
    assert_int_equal(judge_look(&one_percent, nodes, 16, seen, &look), 0);
    assert_int_equal(look.system, SYSTEM_GROUP); /* one switch of four nodes */
    assert_int_equal(look.group, 2);
    nodes[0].loss = 20; /* and a node elsewhere: it is not the switch alone */
    assert_int_equal(judge_look(&one_percent, nodes, 16, seen, &look), 0);
    assert_int_not_equal(look.system, SYSTEM_GROUP);
    look_at(&one_percent, (double[]){20, 20, 20, 20}, 4); /* too few to say so */
    assert_int_equal(look.system, SYSTEM_NO);
}

/* ---- again ---- */

static void test_controls(void **state)
{
    double x[40] = {0};
    int controls[JUDGE_CONTROLS], taken[40] = {0};

    (void)state;
    x[7] = x[11] = 20;
    look_at(&one_percent, x, 40);
    for (int turn = 0; turn < 38; turn++) {
        int n = judge_controls(&look, turn, controls);
        assert_int_equal(n, JUDGE_CONTROLS);
        for (int k = 0; k < n; k++) {
            assert_true(k == 0 || controls[k] > controls[k - 1]);
            taken[controls[k]]++;
        }
    }
    for (int i = 0; i < 40; i++) /* all take their turn but the gated ones */
        assert_int_equal(taken[i], i == 7 || i == 11 ? 0 : 8);
    look_at(&one_percent, x + 6, 4);
    assert_int_equal(judge_controls(&look, 0, controls), 3);
}

static void test_answers(void **state)
{
    static const struct {
        double d[9];
        int K;
        enum judge_answer answer;
        enum verdict verdict;
    } cases[] = {
        {{7, 7, 7}, 2, JUDGE_MORE, VERDICT_TRANSIENT},
        {{7, 0, 8}, 3, JUDGE_YES, VERDICT_SLOW},
        {{4.5, 4.5, 0}, 3, JUDGE_YES, VERDICT_SUSPECT},
        {{7, 0, 0}, 3, JUDGE_NO, VERDICT_TRANSIENT},
        {{2.8, 2.8, 2.8}, 3, JUDGE_MORE, VERDICT_TRANSIENT},
        {{2.8, 2.8, 2.8, 2.8, 2.8}, 5, JUDGE_MORE, VERDICT_TRANSIENT},
        {{2.8, 2.8, 2.8, 2.8, 2.8, 2.8, 2.8, 2.8, 2.8}, 9, JUDGE_NO, VERDICT_TRANSIENT},
        {{2, 2, 2}, 3, JUDGE_NO, VERDICT_TRANSIENT},
    };
    double x[16] = {10}, D;

    (void)state;
    look_at(&one_percent, x, 16);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        enum judge_answer a = judge_again(&look, 0, cases[i].d, cases[i].K, 8, &D);
        assert_int_equal(a, cases[i].answer);
        assert_int_equal(judge_verdict(&look, 0, a, D), cases[i].verdict);
    }
    x[0] = 3.2; /* gated, not significant, did not stay */
    look_at(&one_percent, x, 16);
    assert_true(seen[0].gated && !seen[0].beyond);
    assert_int_equal(judge_verdict(&look, 0, JUDGE_NO, 0), VERDICT_GOOD);
    x[0] = NAN;
    look_at(&one_percent, x, 16);
    assert_int_equal(judge_verdict(&look, 0, JUDGE_NO, NAN), VERDICT_UNKNOWN);
    assert_int_equal(look.n, 15);
}

/* What stays with a node cannot be measured away: S2 does not fall below it. */
static void test_second_scale(void **state)
{
    const struct judge_history stays = {
        .run = 2, .step = 0, .freedom = 60, .baseline = 0, .known = true, .metrics = 1};
    const struct judge_history fresh = {
        .run = 0, .step = 2, .freedom = 60, .baseline = 0, .known = true, .metrics = 1};
    double x[16] = {0};

    (void)state;
    look_at(&stays, x, 16);
    near(judge_second(&look, 0, 9, 8), 2 * sqrt(1 + M_PI / 2 / 8), 1e-3);
    look_at(&fresh, x, 16);
    near(judge_second(&look, 0, 9, 8), 2 * sqrt(.166 * (1 + M_PI / 2 / 8)), 1e-3);
    near(judge_second(&look, 0, 3, 8), 2 * sqrt(.449 * (1 + M_PI / 2 / 8)), 1e-3);
}

/* The blind spot that is promised: max(4.4 %, 3.1 sigma), 5.3 sigma when the parts of
 * the scale are not known apart. */
static void test_blind_spot(void **state)
{
    double x[64] = {0};

    (void)state;
    for (double sigma = .5; sigma < 8; sigma *= 2) {
        struct judge_history h = one_percent;
        h.step = sigma;
        look_at(&h, x, 64);
        near(seen[0].blind / fmax(4.4, 3.1 * sigma), 1, .08);
        h.step = 0;
        h.run = sigma;
        look_at(&h, x, 64);
        near(seen[0].blind / fmax(4.4, 5.3 * sigma), 1, .12);
    }
}

/* ---- verdicts ---- */

static void test_verdicts(void **state)
{
    static const struct {
        int of[3];
        enum alarm alarm;
    } cases[] = {
        {{VERDICT_GOOD, VERDICT_TRANSIENT, VERDICT_GOOD}, ALARM_OK},
        {{VERDICT_GOOD, VERDICT_SUSPECT, VERDICT_GOOD}, ALARM_WARN},
        {{VERDICT_UNKNOWN, VERDICT_SUSPECT, VERDICT_GOOD}, ALARM_UNKNOWN},
        {{VERDICT_UNKNOWN, VERDICT_SLOW, VERDICT_GOOD}, ALARM_CRITICAL},
        {{VERDICT_FAULTY, VERDICT_GOOD, VERDICT_GOOD}, ALARM_CRITICAL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int counts[VERDICT_COUNT] = {0};
        for (int k = 0; k < 3; k++)
            counts[cases[i].of[k]]++;
        assert_int_equal(verdict_alarm(counts), cases[i].alarm);
    }
    assert_int_equal(verdict_alarm((const int[VERDICT_COUNT]){0}), ALARM_UNKNOWN);
    for (int v = 0; v < VERDICT_COUNT; v++)
        assert_int_equal(verdict_parse(verdict_word(v)), v);
    assert_int_equal(verdict_parse("PASS"), -1);
    assert_int_equal(verdict_worst(VERDICT_SLOW, VERDICT_UNKNOWN), VERDICT_SLOW);
    assert_string_equal(action_word(verdict_action(VERDICT_SLOW)), "ISOLATE");
    assert_string_equal(action_word(verdict_action(VERDICT_UNKNOWN)), "RESET");
    assert_string_equal(action_word(verdict_action(VERDICT_TRANSIENT)), "MONITOR");
}

/* ---- the parts of the noise ---- */

/* Fills runs of steps on nodes with known parts; returns how many values. */
static int make_history(struct random *g, struct variance_value *v, int runs, int nodes, int steps,
                        const struct judge_history *truth)
{
    double node[MOST];
    int n = 0;

    for (int i = 0; i < nodes; i++)
        node[i] = truth->between * stat_normal((i + .5) / nodes);
    for (int k = 0; k < runs; k++) {
        double shift = truth->shift * random_normal(g);
        for (int i = 0; i < nodes; i++) {
            double run = truth->run * random_normal(g);
            for (int s = 0; s < steps; s++)
                v[n++] = (struct variance_value){k, i, s,
                                                 truth->baseline + node[i] + shift + run +
                                                     truth->step * random_normal(g)};
        }
    }
    return n;
}

static void test_parts(void **state)
{
    const struct judge_history truth = {
        .between = 2, .run = 1.5, .step = .7, .shift = 1, .baseline = 7};
    static struct variance_value v[60 * 16 * 3];
    struct variance_node nodes[16];
    struct judge_history h;
    struct random g = RANDOM_SEED(11);

    (void)state;
    int n = make_history(&g, v, 60, 16, 3, &truth);
    for (int i = 0; i < n; i++) /* one node was bad for ten runs, one value absurd */
        v[i].x += (v[i].node == 4 && v[i].run < 10 ? 30 : 0) + (i == 5 ? 1e6 : 0);
    assert_int_equal(variance_parts(v, n, 60, 16, KIND_COMPUTE, &h, nodes), 0);
    print_message("b %.2f r %.2f w %.2f t %.2f B %.2f nu %.0f\n", h.between, h.run, h.step, h.shift,
                  h.baseline, h.freedom);
    near(h.between, 2, .5);
    near(h.run, 1.5, .2);
    near(h.step, .7, .05);
    near(h.shift, 1, .25);
    near(h.baseline, 7, .6);
    near(h.freedom, 60, 0);
    assert_true(h.known);
    assert_int_equal(nodes[3].runs, 60);
    near(nodes[0].median, 7 + 2 * stat_normal(.5 / 16), .8);
}

/* Little history: the prior, then no step noise apart. */
static void test_parts_of_little(void **state)
{
    const struct judge_history truth = {.run = 1, .step = 1, .baseline = 0};
    static struct variance_value v[20 * 8 * 2];
    struct judge_history h;
    struct random g = RANDOM_SEED(5);

    (void)state;
    int n = make_history(&g, v, 4, 8, 2, &truth);
    assert_int_equal(variance_parts(v, n, 4, 8, KIND_DISK, &h, NULL), 0);
    assert_true(!h.known && h.run == 10 && h.freedom == 4 && isnan(h.baseline));
    n = make_history(&g, v, 9, 8, 2, &truth);
    assert_int_equal(variance_parts(v, n, 9, 8, KIND_DISK, &h, NULL), 0);
    assert_true(h.known && h.step == 0);
    near(h.run, sqrt(2), .35);
    n = make_history(&g, v, 20, 1, 2, &truth); /* one node: b is the prior's */
    assert_int_equal(variance_parts(v, n, 20, 1, KIND_DISK, &h, NULL), 0);
    assert_true(h.known && h.between == 10 && h.shift == 0 && h.step > 0);
    assert_int_equal(variance_parts(v, 0, 0, 0, KIND_MEMORY, &h, NULL), 0);
    assert_true(!h.known && h.run == 2);
}

/* ---- links ---- */

/* Each round pairs everyone once (odd n: but one), nobody twice with the same. */
static void test_partners(void **state)
{
    static int partner[9 * MOST];

    (void)state;
    for (int n = 2; n <= MOST; n++)
        for (uint64_t seed = 0; seed < 5; seed++) {
            int rounds = link_rounds(n);
            bool met[MOST][MOST] = {{false}};
            assert_int_equal(link_partners(n, rounds, seed, partner), 0);
            for (int r = 0; r < rounds; r++) {
                int resting = 0;
                for (int i = 0; i < n; i++) {
                    int p = partner[r * n + i];
                    if (p < 0) {
                        resting++;
                        continue;
                    }
                    assert_int_equal(partner[r * n + p], i);
                    assert_false(met[i][p]);
                    met[i][p] = true;
                }
                assert_int_equal(resting, n % 2);
            }
        }
    assert_int_equal(link_rounds(1), 0);
    assert_int_equal(link_rounds(4), 3);
    assert_int_equal(link_rounds(1000), 5);
}

/* Three bad nodes of 16, all meeting one innocent one, and no noise: only they are named,
 * and node 0, whose partners are all bad, is as good as its best pair. */
static void test_peeling(void **state)
{
    struct judge_node ends[8];
    struct link_pair pairs[28];
    int n = 0;

    (void)state;
    for (int i = 0; i < 8; i++)
        ends[i] = (struct judge_node){.own = NAN, .group = -1};
    for (int a = 0; a < 8; a++)
        for (int b = a + 1; b < 8; b++) {
            bool bad = a == 2 || b == 2 || a == 5 || b == 5;
            if (a == 0 && b != 2 && b != 5)
                continue; /* node 0 meets the bad ones alone */
            pairs[n++] = (struct link_pair){a, b, a == 0 && b == 2 ? 12 : bad ? 20 : 0};
        }
    assert_int_equal(link_look(&one_percent, ends, 8, pairs, n, seen, &look), 0);
    for (int i = 1; i < 8; i++)
        assert_int_equal(seen[i].beyond, i == 2 || i == 5);
    near(ends[0].loss, 12, 1e-9);
    near(ends[1].loss, 0, 1e-9);
    for (int i = 0; i < n; i++)
        pairs[i].loss = NAN;
    assert_int_equal(link_look(&one_percent, ends, 8, pairs, n, seen, &look), 0);
    assert_int_equal(look.n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_quantiles),
        cmocka_unit_test(test_loss),
        cmocka_unit_test(test_centre_is_of_the_others),
        cmocka_unit_test(test_one_bad_node),
        cmocka_unit_test(test_one_node),
        cmocka_unit_test(test_baseline_joins),
        cmocka_unit_test(test_moderated_scale),
        cmocka_unit_test(test_own_history),
        cmocka_unit_test(test_system),
        cmocka_unit_test(test_controls),
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_second_scale),
        cmocka_unit_test(test_blind_spot),
        cmocka_unit_test(test_verdicts),
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_parts_of_little),
        cmocka_unit_test(test_partners),
        cmocka_unit_test(test_peeling),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
