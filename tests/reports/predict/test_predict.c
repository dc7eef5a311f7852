/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Machines whose truth is known: what is predicted of one run of them is compared with
 * a long run of the machine that was asked for. What lacks a measurement is refused, each
 * with its sentence.
 */
#include <config.h>

#include "reports/predict/predict.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "reports/judge/random.h"
#include "tests/reports/predict/machine.h"
#include "tests/unit.h"

enum { STEPS = 256, DRAWS = 30 };

/* ---- machines, and what is asked of them ---- */

static struct machine slow_network(int n, uint64_t seed)
{
    struct machine m = machine_healthy(n, seed);

    for (int i = 0; i < n; i++)
        m.inv[i] = 1 / 120e6;
    return m;
}

static struct machine slow_sender(int n, uint64_t seed)
{
    struct machine m = machine_healthy(n, seed);

    m.inv[n - 1] = 1 / 60e6;
    return m;
}

static struct machine slow_storage(int n, uint64_t seed)
{
    struct machine m = machine_healthy(n, seed);

    m.read = 0.055;
    m.decode = 0.003;
    return m;
}

static struct machine long_way(int n, uint64_t seed)
{
    struct machine m = machine_healthy(n, seed);

    m.alpha = 1.5e-3;
    return m;
}

/* The machine that is asked for. Returns by what its batch grows. */
static double change(struct machine *m, const struct what *w)
{
    const double k = w->factor;
    const int n = m->n;

    switch (w->kind) {
    case WHAT_COMPUTE:
        m->cpu /= k;
        m->decode /= k;
        m->software /= k;
        m->lib /= k;
        m->tail /= k;
        return 1;
    case WHAT_BANDWIDTH:
        for (int i = 0; i < n; i++)
            m->inv[i] /= k;
        return 1;
    case WHAT_LATENCY:
        m->alpha /= k;
        return 1;
    case WHAT_STORAGE:
        m->read /= k;
        return 1;
    case WHAT_WORKERS:
        m->workers = (int)(m->workers * k);
        return 1;
    case WHAT_NODES:
    case WHAT_NODES_WEAK:
        m->n = (int)(n * k);
        for (int i = n; i < m->n; i++)
            m->inv[i] = m->inv[i % n];
        if (w->kind == WHAT_NODES_WEAK)
            return k;
        m->rows /= k;
        return 1;
    case WHAT_ACCUMULATE:
        m->micro = (int)k;
        return k;
    case WHAT_BATCH:
        m->rows *= k;
        return k;
    case WHAT_BUCKET:
        m->buckets = (int)(m->buckets * k);
        for (int b = 0; b < m->buckets; b++) {
            m->bytes[b] = 4 * 432000.0 / m->buckets;
            m->ready[b] = 0.4 + 0.6 * (b + 1) / m->buckets;
        }
        return 1;
    default:
        fail();
    }
    return 1;
}

static double true_gain(const struct machine *m, const struct what *w)
{
    struct machine other = *m;
    const double batch = change(&other, w);

    return batch * machine_period(m) / machine_period(&other);
}

/* A run of the machine, and what it says of the question. */
static struct prediction asked(struct machine *m, const struct what *w)
{
    struct series s;
    struct predictor p;
    struct prediction out;
    struct err e = ERR_INIT;

    machine_run(m, STEPS, &s);
    assert_int_equal(predict_open(&p, &s, &e), 0);
    p.draws = DRAWS;
    assert_int_equal(predict(&p, NULL, 0, w, 1, &out, &e), 0);
    predict_close(&p);
    machine_fini(m);
    return out;
}

/* ---- the replay ---- */

static void test_replay(void **state)
{
    struct machine machines[] = {machine_healthy(2, 1), machine_healthy(8, 2), slow_network(4, 3),
                                 slow_sender(2, 4),     slow_sender(4, 5),     slow_storage(2, 6),
                                 long_way(4, 7),        machine_healthy(1, 8)};
    struct err e = ERR_INIT;

    (void)state;
    for (size_t i = 0; i < sizeof machines / sizeof *machines; i++) {
        struct series s;
        struct predictor p;
        machine_run(&machines[i], STEPS, &s);
        assert_int_equal(predict_open(&p, &s, &e), 0);
        const struct replay *r = &p.replay;
        if (!(fabs(r->error) < 0.03 && fabs(r->held_out) < fmax(0.03, 1.5 * fabs(r->drift))))
            fail_msg("machine %zu: %.4f, held out %.4f, drift %.4f", i, r->error, r->held_out,
                     r->drift);
        assert_false(p.shared);
        predict_close(&p);
        machine_fini(&machines[i]);
    }
}

/* The links are found, also whose is slow. */
static void test_links(void **state)
{
    struct machine m = slow_sender(4, 11);
    struct series s;
    struct exchange x;
    long block[STEPS / SERIES_BLOCK];

    (void)state;
    machine_run(&m, STEPS, &s);
    const int blocks = fit_blocks(0, STEPS, block);
    assert_int_equal(fit_exchange(&s, block, blocks, FIT_ALL_BYTES, &x), 0);
    if (fabs(log(x.inv[3] * 60e6)) > 0.15)
        fail_msg("the slow link is %.3g MB/s", 1e-6 / x.inv[3]);
    for (int i = 0; i < 3; i++)
        assert_true(x.inv[i] < 0.3 * x.inv[3]);
    machine_fini(&m);
}

/* ---- against the truth ---- */

struct question {
    struct machine (*machine)(int n, uint64_t seed);
    int n;
    struct what what;
    double within; /* of ln */
};

static const struct question questions[] = {
    {machine_healthy, 2, {WHAT_COMPUTE, 2}, 0.02},    {machine_healthy, 4, {WHAT_NODES, 2}, 0.03},
    {machine_healthy, 2, {WHAT_NODES_WEAK, 4}, 0.03}, {machine_healthy, 2, {WHAT_BATCH, 2}, 0.02},
    {slow_network, 2, {WHAT_BANDWIDTH, 2}, 0.02},     {slow_network, 4, {WHAT_BANDWIDTH, 4}, 0.03},
    {slow_network, 4, {WHAT_BANDWIDTH, 0.5}, 0.03},   {slow_network, 4, {WHAT_COMPUTE, 2}, 0.05},
    {slow_network, 2, {WHAT_NODES, 2}, 0.05},         {slow_network, 4, {WHAT_ACCUMULATE, 2}, 0.03},
    {slow_network, 4, {WHAT_BUCKET, 2}, 0.03},        {slow_sender, 2, {WHAT_BANDWIDTH, 2}, 0.03},
    {slow_sender, 4, {WHAT_BANDWIDTH, 2}, 0.05},      {slow_sender, 4, {WHAT_COMPUTE, 2}, 0.06},
    {long_way, 4, {WHAT_LATENCY, 2}, 0.03},           {slow_storage, 2, {WHAT_STORAGE, 2}, 0.02},
    {slow_storage, 2, {WHAT_STORAGE, 0.5}, 0.02},     {slow_storage, 4, {WHAT_WORKERS, 2}, 0.03},
    {slow_storage, 2, {WHAT_COMPUTE, 2}, 0.03},
};

static void test_truth(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof questions / sizeof *questions; i++) {
        const struct question *q = &questions[i];
        struct machine m = q->machine(q->n, 100 + i);
        for (int b = 0; b < m.buckets; b++) /* as machine_run()'s curve has it */
            m.ready[b] = 0.4 + 0.6 * (b + 1) / m.buckets;
        const double truth = true_gain(&m, &q->what);
        const struct prediction p = asked(&m, &q->what);
        if (p.state != PREDICTED || fabs(log(p.gain / truth)) > q->within || !(p.low < truth) ||
            !(truth < p.high))
            fail_msg("question %zu, %s x %g: true %.3f, predicted %.3f [%.3f, %.3f] %s", i,
                     what_row(q->what.kind)->name, q->what.factor, truth, p.gain, p.low, p.high,
                     p.why);
    }
}

/* Truths that lie about the model's as far as the table of whats says: 90 % intervals
 * have to cover 84 to 96 % of 120. */
static void test_coverage(void **state)
{
    static const struct what whats[] = {{WHAT_BANDWIDTH, 2}, {WHAT_BANDWIDTH, 0.5}};
    const double sigma = what_row(WHAT_BANDWIDTH)->sigma;
    struct random g = RANDOM_SEED(5);
    const struct machine any = slow_network(2, 1);
    const double gains[] = {true_gain(&any, &whats[0]), true_gain(&any, &whats[1])};
    int covered = 0, all = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        struct machine m = slow_network(2, seed);
        for (int k = 0; k < 2; k++) {
            const double truth = gains[k] * exp(sigma * random_normal(&g));
            const struct prediction p = asked(&m, &whats[k]);
            assert_int_equal(p.state, PREDICTED);
            covered += p.low <= truth && truth <= p.high;
            all++;
        }
    }
    if (covered < 0.84 * all || covered > 0.96 * all)
        fail_msg("%d of %d are covered", covered, all);
}

/* What follows from noise alone is of the size of the noise. */
static void test_noise(void **state)
{
    const struct what storage = {WHAT_STORAGE, 2};
    double sum = 0, squares = 0, noise = 0;
    const int n = 40;

    (void)state;
    for (int i = 0; i < n; i++) {
        struct machine m = slow_storage(2, 500 + (uint64_t)i);
        const struct prediction p = asked(&m, &storage);
        sum += log(p.gain);
        squares += log(p.gain) * log(p.gain);
        noise += p.noise / n;
    }
    const double seen = sqrt((squares - sum * sum / n) / (n - 1));
    if (noise < 0.6 * seen || noise > 1.8 * seen)
        fail_msg("drawn %.4f, seen %.4f", noise, seen);
}

/* ---- refusals ---- */

static void lack_nothing(struct series *s)
{
    (void)s;
}

static void lack_steps(struct series *s)
{
    s->steps = 48;
}

static void lack_transport(struct series *s)
{
    s->transport.alpha = NAN;
}

static void lack_loader(struct series *s)
{
    s->loader = NULL;
}

static void lack_memory(struct series *s)
{
    s->memory_low = NAN;
}

static void lack_curve(struct series *s)
{
    s->curve[0] = -1;
}

static void lack_clock(struct series *s)
{
    s->split = false;
    s->clock_bound = 0.002;
}

static void lack_network(struct series *s)
{
    s->nodes = 1;
}

static void lack_yardstick(struct series *s)
{
    s->yardstick_moved = 0.2;
}

static const struct {
    void (*lack)(struct series *s);
    struct what what;
    const char *why;
} refusals[] = {
    {lack_transport,
     {WHAT_LATENCY, 2},
     "the time of a message was not measured: the run has no transport test"},
    {lack_loader, {WHAT_STORAGE, 2}, "what a batch costs the loader was not measured"},
    {lack_loader, {WHAT_WORKERS, 2}, "what a batch costs the loader was not measured"},
    {lack_memory,
     {WHAT_COMPUTE, 2},
     "how much of the work memory binds was not measured: run machine+WORKLOAD, or machine once on "
     "these nodes"},
    {lack_memory,
     {WHAT_MEMORY, 2},
     "how much of the work memory binds was not measured: run machine+WORKLOAD, or machine once on "
     "these nodes"},
    {lack_nothing,
     {WHAT_BF16, 1},
     "the operators were not measured in both types: run micro with dtype=f32 and with dtype=bf16"},
    {lack_curve,
     {WHAT_BUCKET, 2},
     "when gradients are ready was not measured: run with two buckets or more (bucket=)"},
    {lack_clock,
     {WHAT_BANDWIDTH, 2},
     "the clocks of the nodes cannot tell waiting for a rank from the network: they are known "
     "to 2 ms only"},
    {lack_network, {WHAT_BANDWIDTH, 2}, "all ranks are on one node: no network was used"},
    {lack_network, {WHAT_NODES, 2}, "the network was not measured: run it on two nodes or more"},
    {lack_yardstick, {WHAT_BATCH, 2}, "the processors' speed changed by 22 % within the run"},
    {lack_nothing, {WHAT_NODES, 1.3}, "2 ranks × 1.3 is not a number of ranks"},
    {lack_nothing, {WHAT_NODES, 16}, "8 samples of a rank cannot be shared by 16"},
    {lack_nothing, {WHAT_BATCH, 128}, "128 times what was measured is beyond 64 times"},
    {lack_nothing, {WHAT_ACCUMULATE, 1.5}, "1.5 steps are not a number of steps"},
    {lack_nothing,
     {WHAT_THREADS, 2},
     "threads and binding are measured (diagnose=yes), not simulated"},
    {lack_nothing, {WHAT_BATCH, 0}, "a factor of 0 is not one"},
};

static void test_refusals(void **state)
{
    struct err e = ERR_INIT;

    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        struct machine m = slow_network(2, 1);
        struct series s;
        struct predictor p;
        struct prediction out;
        machine_run(&m, STEPS, &s);
        refusals[i].lack(&s);
        assert_int_equal(predict_open(&p, &s, &e), 0);
        assert_int_equal(predict(&p, NULL, 0, &refusals[i].what, 1, &out, &e), 0);
        assert_int_equal(out.state, PREDICT_REFUSED);
        assert_string_equal(out.why, refusals[i].why);
        assert_true(isnan(out.gain) && isnan(out.low) && isnan(out.high));
        predict_close(&p);
        machine_fini(&m);
    }
}

static void test_too_few(void **state)
{
    struct machine m = machine_healthy(2, 1);
    struct series s;
    struct predictor p;
    struct err e = ERR_INIT;

    (void)state;
    machine_run(&m, STEPS, &s);
    lack_steps(&s);
    assert_int_equal(predict_open(&p, &s, &e), -1);
    assert_string_equal(e.text, "there are 48 steady steps; a prediction needs 64");
    machine_fini(&m);
}

/* A run that the model cannot play: the exchange waits for something that it does not
 * know. */
static void test_not_played(void **state)
{
    const struct what w = {WHAT_BATCH, 2};
    struct machine m = machine_healthy(2, 1);
    struct series s;
    struct predictor p;
    struct prediction out;
    struct err e = ERR_INIT;

    (void)state;
    machine_run(&m, STEPS, &s);
    for (long k = 0; k < s.steps; k++) { /* between steps passes what no part has */
        m.last[k] += 0.01 * (double)k;
        for (int i = 0; i < 2; i++)
            m.step[i * s.steps + k].ready += 0.01 * (double)k;
    }
    assert_int_equal(predict_open(&p, &s, &e), 0);
    assert_int_equal(predict(&p, NULL, 0, &w, 1, &out, &e), 0);
    assert_int_equal(out.state, PREDICT_REFUSED);
    assert_non_null(strstr(out.why, "the model plays the measured steps"));
    predict_close(&p);
    machine_fini(&m);
}

/* ---- width ---- */

static double width(const struct prediction *p)
{
    return log(p->high / p->low);
}

static void test_beyond(void **state)
{
    const struct what near = {WHAT_BATCH, 8}, far = {WHAT_BATCH, 32};
    struct machine m = slow_network(2, 3);
    const struct prediction a = asked(&m, &near), b = asked(&m, &far);

    (void)state;
    assert_false(a.beyond);
    assert_true(b.beyond);
    assert_true(width(&b) > 3.5 * width(&a));
}

/* Bytes and software are told apart by small sums alone: without them both ends are in
 * the interval. */
static void test_no_small_sums(void **state)
{
    const struct what w = {WHAT_BANDWIDTH, 4};
    struct machine m = slow_network(2, 3);
    struct series s;
    struct predictor p;
    struct prediction with, without;
    struct err e = ERR_INIT;

    (void)state;
    m.software = 2e-3;
    machine_run(&m, STEPS, &s);
    assert_int_equal(predict_open(&p, &s, &e), 0);
    p.draws = DRAWS;
    assert_int_equal(predict(&p, NULL, 0, &w, 1, &with, &e), 0);
    s.transport.software = NAN;
    assert_int_equal(predict(&p, NULL, 0, &w, 1, &without, &e), 0);
    assert_true(width(&without) > width(&with) + 0.02);
    const double truth = true_gain(&m, &w);
    assert_true(without.low < truth && truth < without.high);
    predict_close(&p);
    machine_fini(&m);
}

static void test_bound(void **state)
{
    const struct what w = {WHAT_BANDWIDTH, 2};
    struct machine m = machine_healthy(2, 3);
    const struct prediction p = asked(&m, &w);

    (void)state;
    assert_int_equal(p.state, PREDICT_BOUND);
    assert_true(p.high > 1 && p.high < 1.06 && isnan(p.gain));
}

/* No what-if promises more than its ablation, and none more than with the resource free. */
static void test_ablation(void **state)
{
    struct machine m = slow_network(2, 3);
    struct series s;
    struct predictor p;
    struct err e = ERR_INIT;
    double before = 1;

    (void)state;
    machine_run(&m, STEPS, &s);
    assert_int_equal(predict_open(&p, &s, &e), 0);
    p.draws = DRAWS;
    for (double k = 2; k <= 64; k *= 2) {
        struct prediction out;
        assert_int_equal(predict(&p, NULL, 0, &(struct what){WHAT_BANDWIDTH, k}, 1, &out, &e), 0);
        assert_int_equal(out.state, PREDICTED);
        assert_true(out.gain >= before * 0.999);
        before = out.gain;
    }
    struct machine none = m;
    none.step = NULL, none.loader = NULL, none.first = NULL, none.last = NULL;
    none.buckets = 0;
    const double most = machine_period(&m) / machine_period(&none);
    assert_true(before < most * 1.01);
    p.ablation.network = 1.01;
    struct prediction out;
    assert_int_equal(predict(&p, NULL, 0, &(struct what){WHAT_BANDWIDTH, 8}, 1, &out, &e), 0);
    assert_int_equal(out.state, PREDICT_REFUSED);
    assert_string_equal(out.why, "the model promises more than the step gained without the "
                                 "resource at all: the model is wrong here");
    predict_close(&p);
    machine_fini(&m);
}

/* What is free is applied first; a purchase brings what is left. */
static void test_what_is_left(void **state)
{
    const struct what free = {WHAT_WORKERS, 4}, buy = {WHAT_STORAGE, 4};
    struct machine m = slow_storage(2, 3);
    struct series s;
    struct predictor p;
    struct prediction alone, left;
    struct err e = ERR_INIT;

    (void)state;
    machine_run(&m, STEPS, &s);
    assert_int_equal(predict_open(&p, &s, &e), 0);
    p.draws = DRAWS;
    assert_int_equal(predict(&p, NULL, 0, &buy, 1, &alone, &e), 0);
    assert_int_equal(predict(&p, &free, 1, &buy, 1, &left, &e), 0);
    assert_true(left.gain < alone.gain - 0.1);
    assert_true(left.gain > 0.99);
    predict_close(&p);
    machine_fini(&m);
}

static void test_shared(void **state)
{
    struct machine m = machine_healthy(2, 3);
    struct series s;
    struct predictor p;
    struct err e = ERR_INIT;

    (void)state;
    m.withheld[0] = m.withheld[1] = 0.2;
    machine_run(&m, STEPS, &s);
    assert_int_equal(predict_open(&p, &s, &e), 0);
    assert_true(p.shared);
    predict_close(&p);
    machine_fini(&m);
}

static void test_words(void **state)
{
    char text[64];

    (void)state;
    what_text(&(struct what){WHAT_BANDWIDTH, 2}, text, sizeof text);
    assert_string_equal(text, "network bandwidth × 2");
    what_text(&(struct what){WHAT_ACCUMULATE, 4}, text, sizeof text);
    assert_string_equal(text, "one exchange in 4 steps, batch × 4");
    what_text(&(struct what){WHAT_BUCKET, 2}, text, sizeof text);
    assert_string_equal(text, "buckets 1/2");
    assert_int_equal(what_find("storage"), WHAT_STORAGE);
    assert_int_equal(what_find("luck"), WHAT_COUNT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_replay),       cmocka_unit_test(test_links),
        cmocka_unit_test(test_truth),        cmocka_unit_test(test_coverage),
        cmocka_unit_test(test_noise),        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_too_few),      cmocka_unit_test(test_not_played),
        cmocka_unit_test(test_beyond),       cmocka_unit_test(test_no_small_sums),
        cmocka_unit_test(test_bound),        cmocka_unit_test(test_ablation),
        cmocka_unit_test(test_what_is_left), cmocka_unit_test(test_shared),
        cmocka_unit_test(test_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
