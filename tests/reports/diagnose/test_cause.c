/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Hundreds of series whose limit is known: 2 to 8 ranks, three levels of noise,
 * throttles of 15, 25 and 50 % of the step. And each pair of causes that look alike.
 */
#include <config.h>

#include "reports/diagnose/cause.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tests/reports/diagnose/synth.h"
#include "tests/unit.h"

/* ---- what is injected, and what may be said of it ---- */

enum injected {
    NOTHING,
    WIRE_ALL,
    WIRE_ONE,
    QUOTA_ALL,
    QUOTA_ONE,
    FOREIGN_ALL,
    THREADS_ALL,
    INPUT_ALL,
    INPUT_ONE,
    SLOW_ONE,
    SLOW_ONCE,
    WIRE_AND_QUOTA,
    INJECTED
};

static const struct {
    const char *name;
    enum cause cause;
    bool node; /* the last one is named */
} expected[INJECTED] = {
    [NOTHING] = {"nothing", CAUSE_PROCESSOR, false},
    [WIRE_ALL] = {"network of all", CAUSE_NETWORK, false},
    [WIRE_ONE] = {"network of one", CAUSE_NETWORK, true},
    [QUOTA_ALL] = {"quota on all", CAUSE_WITHHELD, false},
    [QUOTA_ONE] = {"quota on one", CAUSE_NODE_QUOTA, true},
    [FOREIGN_ALL] = {"others' work on all", CAUSE_PROCESSOR, false},
    [THREADS_ALL] = {"too many threads", CAUSE_THREADS, false},
    [INPUT_ALL] = {"storage of all", CAUSE_INPUT, false},
    [INPUT_ONE] = {"storage of one", CAUSE_INPUT, true},
    [SLOW_ONE] = {"slow node", CAUSE_SLOW_NODE, true},
    [SLOW_ONCE] = {"slow node, once", CAUSE_NODE_SLOWER, true},
    [WIRE_AND_QUOTA] = {"network and quota of one", CAUSE_SEVERAL, false},
};

static void inject(struct synth *s, enum injected what, double slow)
{
    const double step = s->compute + 0.003;
    const double wire = slow * step / (2 * (s->n - 1) * s->bytes / s->n);
    const int last = s->n - 1;

    for (int i = 0; i < s->n; i++) {
        const bool here = i == last;
        s->byte_seconds[i] +=
            what == WIRE_ALL || ((what == WIRE_ONE || what == WIRE_AND_QUOTA) && here) ? wire : 0;
        if (what == QUOTA_ALL || (here && (what == QUOTA_ONE || what == WIRE_AND_QUOTA)))
            s->quota[i] = slow * 1.1;
        if (what == FOREIGN_ALL || what == THREADS_ALL)
            s->foreign[i] = slow * 1.1;
        if (what == INPUT_ALL || what == INPUT_ONE)
            s->produce[i] = what == INPUT_ALL || here ? step * (1 + slow) : step * 0.3;
        if (here && (what == SLOW_ONE || what == SLOW_ONCE))
            s->slower[i] = slow * 1.1;
    }
}

/* ---- counting ---- */

enum outcome { RIGHT, ABSTAINED, WRONG };

static bool lists(const struct diagnosis *d, enum cause cause)
{
    for (int i = 0; i < d->n_of && i < 2; i++)
        if (d->of[i].cause == cause)
            return true;
    return false;
}

static enum outcome judge(enum injected what, const struct synth *s, const struct diagnosis *d)
{
    const char *last = s->names[s->n - 1];

    if (what == WIRE_AND_QUOTA && d->cause == CAUSE_SEVERAL)
        return lists(d, CAUSE_NETWORK) && lists(d, CAUSE_NODE_QUOTA) ? RIGHT : WRONG;
    if (d->cause == expected[what].cause)
        return strcmp(d->node, expected[what].node ? last : "") == 0 ? RIGHT : WRONG;
    return d->cause == CAUSE_SEVERAL || d->cause == CAUSE_PROCESSOR ? ABSTAINED : WRONG;
}

static struct diagnosis one(enum injected what, int n, double noise, double slow, uint64_t seed,
                            struct synth *s)
{
    struct cause_case c;
    struct diagnosis d;

    *s = synth_healthy(n, noise, seed);
    inject(s, what, slow);
    synth_make(s, &c);
    c.node_confirmed = what == SLOW_ONE;
    c.compute.cores = 4;
    c.compute.threads = what == THREADS_ALL ? 5 : 4;
    diagnose(&c, &d);
    return d;
}

static void hundreds_of_series(void **state)
{
    static const int ranks[] = {2, 4, 8};
    static const double noises[] = {0.03, 0.05, 0.08}, slows[] = {0.15, 0.25, 0.50};
    int count[INJECTED][3] = {{0}}, all = 0, right = 0, wrong = 0;

    (void)state;
    for (int i = 0; i < 2 * INJECTED * 27; i++) {
        const enum injected what = (enum injected)(i % INJECTED);
        const int at = i / INJECTED;
        struct synth s;
        struct diagnosis d =
            one(what, ranks[at % 3], noises[at / 3 % 3], slows[at / 9 % 3], (uint64_t)i, &s);
        const enum outcome o = judge(what, &s, &d);
        char said[CAUSE_TEXT_SIZE], why[CAUSE_TEXT_SIZE];
        if (o != RIGHT) {
            diagnosis_verdict(&d, LANGUAGE_EN, said, sizeof said);
            diagnosis_why(&d, LANGUAGE_EN, why, sizeof why);
            printf("%s, %d ranks, noise %g, %g: %s | %s\n", expected[what].name, s.n, s.noise,
                   slows[at / 9 % 3], said, why);
        }
        count[what][o]++;
        all++;
        right += o == RIGHT;
        wrong += o == WRONG;
    }
    for (int w = 0; w < INJECTED; w++)
        printf("%-26s right %3d, abstained %3d, wrong %3d\n", expected[w].name, count[w][RIGHT],
               count[w][ABSTAINED], count[w][WRONG]);
    assert_true(all >= 300);
    assert_int_equal(wrong, 0);
    assert_true(right >= all * 95 / 100);
}

/* ---- what looks alike ---- */

static struct diagnosis of(const struct cause_case *c)
{
    struct diagnosis d;

    diagnose(c, &d);
    return d;
}

/* A throttled rank also sends late: the others' wire is not the network's. */
static void a_quota_is_no_network(void **state)
{
    struct synth s = synth_healthy(2, 0.03, 1);
    struct cause_case c;

    (void)state;
    inject(&s, QUOTA_ONE, 0.25);
    s.late[1] = 0.008;
    synth_make(&s, &c);
    assert_true(c.wire / c.period > 0.12);
    struct diagnosis d = of(&c);
    assert_int_equal(d.cause, CAUSE_NODE_QUOTA);
    assert_string_equal(d.node, "n2");
    /* that it was late is what tells them apart */
    for (int i = 0; i < 2; i++)
        s.nodes[i].late = NAN;
    assert_int_equal(of(&c).cause, CAUSE_SEVERAL);
}

/* A throttled rank's exchange takes longer by the clock, and its software is no cause: as
 * a private cluster showed it, n2 with a third of a processor. */
static void a_quota_is_no_software(void **state)
{
    struct cause_node nodes[] = {
        {.name = "n1", .ranks = 1, .compute = 0.0322, .withheld = 0.0024, .half = 0.004},
        {.name = "n2",
         .ranks = 1,
         .compute = 0.0161,
         .withheld = 0.0767,
         .quota = 0.0767,
         .late = 0.0004,
         .last = 1,
         .half = 0.003}};
    struct cause_case c;

    (void)state;
    cause_case_init(&c);
    c.nodes = nodes;
    c.n_nodes = 2;
    c.steps = 127;
    c.period = 0.1131;
    c.exchange_cpu = 0.0193;
    c.computed = 0.0161;
    c.withheld = 0.0767;
    struct diagnosis d = of(&c);
    assert_int_equal(d.cause, CAUSE_NODE_QUOTA);
    assert_true(d.of[0].share >= 0.9 * d.visible);
    c.withheld = 0; /* then it is the software's own */
    assert_true(of(&c).of[0].share < 0.9 * of(&c).visible);
}

/* n2 sends slowly: n1 waits longer in the first half, and n2 is the one named. */
static void the_slow_direction(void **state)
{
    struct synth s = synth_healthy(2, 0.03, 2);
    struct cause_case c;

    (void)state;
    inject(&s, WIRE_ONE, 0.5);
    synth_make(&s, &c);
    assert_true(s.nodes[0].half > 2 * s.nodes[1].half);
    assert_string_equal(of(&c).node, "n2");
    /* both directions alike, or halves that nobody stamped: no node */
    s.nodes[1].half = s.nodes[0].half;
    assert_string_equal(of(&c).node, "");
    s.nodes[1].half = NAN;
    assert_string_equal(of(&c).node, "");
    assert_int_equal(of(&c).cause, CAUSE_NETWORK);
    /* halves that are nothing beside the wire, or over before the last arrival */
    s.nodes[0].half = 0.05 * c.wire;
    s.nodes[1].half = -0.004;
    assert_string_equal(of(&c).node, "");
    s.nodes[0].half = 0.5 * c.wire;
    assert_string_equal(of(&c).node, "n2");
}

/* All compute longer: with a quota they had no core, without one they are slow. */
static void a_quota_on_all_is_no_slow_processor(void **state)
{
    struct synth s = synth_healthy(4, 0.03, 3);
    struct cause_case c;

    (void)state;
    for (int i = 0; i < 4; i++)
        s.slower[i] = 0.4;
    synth_make(&s, &c);
    assert_int_equal(of(&c).cause, CAUSE_PROCESSOR);
}

/* The machine as a whole is now fast, now slow: nobody's fault. */
static void a_noisy_host_is_jitter(void **state)
{
    struct synth s = synth_healthy(4, 0.10, 4);
    struct cause_case c;

    (void)state;
    s.common = 0.3;
    synth_make(&s, &c);
    struct diagnosis d = of(&c);
    assert_int_equal(d.cause, CAUSE_PROCESSOR);
    assert_true(d.jitter > 0.05 && d.visible < 0.05);
}

/* Other work on all cores is said, and the cause is named from the rest. */
static void others_work_comes_out_first(void **state)
{
    struct synth s = synth_healthy(2, 0.03, 5);
    struct cause_case c;

    (void)state;
    inject(&s, FOREIGN_ALL, 0.4);
    inject(&s, WIRE_ALL, 0.25);
    synth_make(&s, &c);
    struct diagnosis d = of(&c);
    assert_int_equal(d.cause, CAUSE_NETWORK);
    assert_true(d.foreign > 0.2);
    /* threads of ours, the loader's with them, are not other work */
    c.compute.cores = 2;
    c.compute.threads = 2.4;
    d = of(&c);
    assert_true(d.foreign == 0 && d.cause == CAUSE_SEVERAL && lists(&d, CAUSE_THREADS));
}

static const double none = NAN;

static void kinds_of_network(void **state)
{
    const struct {
        struct cause_exchange facts;
        enum cause cause;
    } cases[] = {
        {{none, none, none, none, none, none, none}, CAUSE_NETWORK},
        {{0.8, 0.2, 0.9, 0.020, 0.015, 0.1, 0.3}, CAUSE_NETWORK_BANDWIDTH},
        {{0.3, 0.7, 0.9, 0.020, 0.015, 0.1, 0.3}, CAUSE_NETWORK_LATENCY},
        {{0.6, 0.4, 0.9, 0.020, 0.015, 0.1, 0.3}, CAUSE_NETWORK},
        {{0.8, 0.2, 0.9, 0.020, 0.000, 0.1, 0.3}, CAUSE_NOT_OVERLAPPED},
        {{0.8, 0.2, 0.9, 0.001, 0.000, 0.1, 0.3}, CAUSE_NETWORK_BANDWIDTH}, /* none to hide */
        {{0.8, 0.2, 0.3, 0.020, 0.015, 0.1, 0.3}, CAUSE_EXCHANGE_SOFTWARE}, /* the link was idle */
        {{none, none, none, 0.020, 0.000, 0.8, 0.3}, CAUSE_BATCH_NORM},
        {{none, none, none, 0.020, 0.000, 0.8, none}, CAUSE_BATCH_NORM},
        {{none, none, none, 0.020, 0.015, 0.8, 0.9}, CAUSE_NETWORK_BANDWIDTH}, /* they queue */
    };
    struct synth s = synth_healthy(4, 0.03, 6);
    struct cause_case c;

    (void)state;
    inject(&s, WIRE_ALL, 0.4);
    synth_make(&s, &c);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        c.exchange = cases[i].facts;
        assert_int_equal(of(&c).cause, cases[i].cause);
    }
}

static void kinds_of_input(void **state)
{
    const struct {
        struct cause_loader facts; /* seconds, what readers gain, bytes */
        enum cause cause;
    } cases[] = {
        {{none, none, none, none, none, none, none, none, none, false}, CAUSE_INPUT},
        {{0.05, 0.002, 0.004, 0.001, 1.0, 1e8, 1e8, 8e9, 8e9, false}, CAUSE_STORAGE_BANDWIDTH},
        {{0.05, 0.002, 0.004, 0.001, 1.8, 1e8, 1e8, 8e9, 8e9, false}, CAUSE_STORAGE_LATENCY},
        {{0.05, 0.002, 0.004, 0.030, none, 1e8, 1e8, 8e9, 8e9, false}, CAUSE_STORAGE_LATENCY},
        {{0.05, 0.002, 0.004, 0.001, none, 1e8, 1e8, 8e9, 8e9, false}, CAUSE_STORAGE},
        {{0.01, 0.002, 0.050, 0.001, 1.0, 1e8, 1e8, 8e9, 8e9, false}, CAUSE_DECODE},
        {{0.05, 0.045, 0.004, 0.001, 1.0, 1e8, 1e8, 8e9, 8e9, false}, CAUSE_INPUT}, /* CPU */
        {{0.05, 0.002, 0.004, 0.001, 1.0, 6e9, 6e9, 8e9, 1e9, false}, CAUSE_MEMORY_SIZE},
        {{0.05, 0.002, 0.004, 0.001, 1.0, 9e9, 9e9, 8e9, 1e9, false}, CAUSE_STORAGE_BANDWIDTH},
        {{0.05, 0.002, 0.004, 0.001, 1.0, 0, 6e9, 8e9, 1e9, true}, CAUSE_DECODE}, /* from memory */
    };
    struct synth s = synth_healthy(4, 0.03, 7);
    struct cause_case c;

    (void)state;
    inject(&s, INPUT_ALL, 0.5);
    synth_make(&s, &c);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        c.loader = cases[i].facts;
        assert_int_equal(of(&c).cause, cases[i].cause);
    }
}

/* Slow storage of all nodes, as a private cluster had it: one is a sixth slower by chance. */
static void slow_storage_of_all_is_no_node(void **state)
{
    struct cause_node nodes[] = {
        {.name = "n1", .ranks = 1, .compute = 0.09, .last = 0.4, .produce = 0.20},
        {.name = "n2", .ranks = 1, .compute = 0.09, .last = 0.6, .produce = 0.24}};
    struct cause_case c;

    (void)state;
    cause_case_init(&c);
    c.nodes = nodes;
    c.n_nodes = 2;
    c.steps = 63;
    c.period = 0.241;
    c.input = 0.101;
    assert_int_equal(of(&c).cause, CAUSE_INPUT);
    assert_string_equal(of(&c).node, "");
    nodes[0].produce = 0.10; /* it keeps up: n2 is the one */
    assert_string_equal(of(&c).node, "n2");
}

static void kinds_of_compute(void **state)
{
    struct synth s = synth_healthy(2, 0.03, 8);
    struct cause_case c;

    (void)state;
    synth_make(&s, &c);
    assert_int_equal(of(&c).cause, CAUSE_PROCESSOR);
    c.compute.memory = 0.4;
    c.compute.kernels = 0.35;
    assert_int_equal(of(&c).cause, CAUSE_KERNELS);
    c.compute.memory = 0.55;
    assert_int_equal(of(&c).cause, CAUSE_MEMORY_BANDWIDTH);
}

/* An ablation names what alone is too little, and confirms. */
static void an_ablation_confirms(void **state)
{
    struct synth s = synth_healthy(2, 0.03, 9);
    struct cause_case c;

    (void)state;
    inject(&s, WIRE_ALL, 0.5);
    inject(&s, QUOTA_ALL, 0.2);
    synth_make(&s, &c);
    struct diagnosis d = of(&c);
    assert_int_equal(d.cause, CAUSE_SEVERAL);
    assert_true(d.of[0].share > 0.6 * d.visible && d.of[0].share < 0.8 * d.visible);
    c.ablation = (struct cause_ablation){.network = d.of[0].share, .input = 0, .both = 0.3};
    d = of(&c);
    assert_true(d.cause == CAUSE_NETWORK && d.confirmed);
    c.ablation.network = 0.05; /* it does not agree: all are printed, none is named */
    d = of(&c);
    assert_true(d.cause == CAUSE_SEVERAL && !d.confirmed);
}

/* What is usual for the class is no finding. */
static void a_class_has_its_own_floor(void **state)
{
    struct synth s = synth_healthy(2, 0.03, 10);
    struct cause_case c;

    (void)state;
    inject(&s, WIRE_ALL, 0.25);
    synth_make(&s, &c);
    assert_int_equal(of(&c).cause, CAUSE_NETWORK);
    c.healthy.wire = c.wire / c.period - 0.02;
    assert_int_equal(of(&c).cause, CAUSE_PROCESSOR);
}

/* Each of the three things that make a node's excess its own. */
static void chance_is_no_node(void **state)
{
    static const struct {
        double compute, error, last; /* of n2, ms and a part; the others: 80 ms */
        enum cause cause;
    } cases[] = {
        {0.100, 0.002, 0.60, CAUSE_NODE_SLOWER}, /* 20 ms of 103 */
        {0.083, 0.002, 0.60, CAUSE_PROCESSOR},   /* less than 3 % of the step */
        {0.100, 0.015, 0.60, CAUSE_PROCESSOR},   /* within its error */
        {0.100, 0.002, 0.37, CAUSE_PROCESSOR},   /* last as often as any */
        {0.100, NAN, 0.60, CAUSE_NODE_SLOWER},   /* error not known */
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct cause_node nodes[] = {{.name = "n1", .ranks = 2, .compute = 0.080, .last = 0.2},
                                     {.name = "n2",
                                      .ranks = 2,
                                      .compute = cases[i].compute,
                                      .compute_error = cases[i].error,
                                      .last = cases[i].last},
                                     {.name = "n3", .ranks = 2, .compute = 0.080, .last = 0.2}};
        struct cause_case c;
        cause_case_init(&c);
        c.nodes = nodes;
        c.n_nodes = 3;
        c.steps = 1000;
        c.period = 0.103;
        struct diagnosis d = of(&c);
        assert_int_equal(d.cause, cases[i].cause);
        assert_string_equal(d.node, d.cause == CAUSE_PROCESSOR ? "" : "n2");
        if (d.n_of)
            assert_int_equal(d.of[0].suspect, CAUSE_SLOW_NODE);
    }
}

/* What it would be called when other runs say it, too: the larger of its two excesses. */
static void a_suspicion_has_a_name(void **state)
{
    struct synth s = synth_healthy(2, 0.03, 12);
    struct cause_case c;

    (void)state;
    s.foreign[1] = 0.5;
    synth_make(&s, &c);
    struct diagnosis d = of(&c);
    assert_int_equal(d.cause, CAUSE_NODE_SLOWER);
    assert_int_equal(d.of[0].suspect, CAUSE_NODE_SHARED);
    c.node_confirmed = true;
    d = of(&c);
    assert_int_equal(d.cause, CAUSE_NODE_SHARED);
    assert_int_equal(d.of[0].suspect, CAUSE_UNKNOWN);

    s = synth_healthy(2, 0.03, 12);
    s.foreign[1] = 0.2;
    s.slower[1] = 0.5;
    synth_make(&s, &c);
    d = of(&c);
    assert_int_equal(d.n_of, 1);
    assert_int_equal(d.of[0].suspect, CAUSE_SLOW_NODE);
}

/* ---- in words ---- */

static void three_lines(void **state)
{
    struct synth s = synth_healthy(2, 0.03, 11);
    struct cause_case c;
    struct diagnosis d;
    char text[CAUSE_TEXT_SIZE], small[24];

    (void)state;
    cause_case_init(&c);
    diagnose(&c, &d);
    diagnosis_verdict(&d, LANGUAGE_EN, text, sizeof text);
    assert_string_equal(text, "not known");
    diagnosis_why(&d, LANGUAGE_EN, text, sizeof text);
    assert_string_equal(text, "there was no epoch after the first");

    inject(&s, WIRE_ONE, 0.5);
    synth_make(&s, &c);
    c.whole = (struct cause_whole){.wall = 100, .training = 40, .evaluation = 50};
    diagnose(&c, &d);
    diagnosis_verdict(&d, LANGUAGE_EN, text, sizeof text);
    assert_string_equal(
        text, "network: n2 sends slowly (not confirmed); of the whole run: evaluation (50 %)");
    diagnosis_verdict(&d, LANGUAGE_JA, text, sizeof text);
    assert_string_equal(text, "ネットワーク: n2 の送信が遅い(未確認)。実行全体では: 評価 (50 %)");
    diagnosis_why(&d, LANGUAGE_EN, text, sizeof text);
    assert_non_null(strstr(text, "of a step of "));
    assert_non_null(strstr(text, "network: n2 sends slowly "));
    diagnosis_next(&d, LANGUAGE_EN, text, sizeof text);
    assert_string_equal(text, cause_next(CAUSE_NETWORK, LANGUAGE_EN));
    diagnosis_verdict(&d, LANGUAGE_JA, small, sizeof small);
    assert_true(strlen(small) < sizeof small);

    c.whole.evaluation = 5; /* less than the network: it is not worth a word */
    diagnose(&c, &d);
    assert_int_equal(d.whole, CAUSE_UNKNOWN);

    s = synth_healthy(2, 0.03, 11);
    inject(&s, WIRE_AND_QUOTA, 0.25);
    synth_make(&s, &c);
    diagnose(&c, &d);
    diagnosis_verdict(&d, LANGUAGE_EN, text, sizeof text);
    assert_true(
        strcmp(text, "no single bottleneck: network: n2 sends slowly, node n2: CPU quota") == 0 ||
        strcmp(text, "no single bottleneck: node n2: CPU quota, network: n2 sends slowly") == 0);
}

static struct diagnosis play(int what, double slow)
{
    static struct synth s;
    struct cause_case c;

    s = synth_healthy(2, 0.03, 13);
    if (what != NOTHING)
        inject(&s, (enum injected)what, slow);
    synth_make(&s, &c);
    return of(&c);
}

/* The border that is printed is the rule's: on its other side the verdict is another. */
static void what_would_change_it(void **state)
{
    char text[CAUSE_TEXT_SIZE];
    double border, now;

    (void)state;
    struct diagnosis d = play(NOTHING, 0);
    diagnosis_change(&d, LANGUAGE_EN, text, sizeof text);
    assert_int_equal(
        sscanf(text, "something else is named when what steps wait for is %lf %%", &border), 1);
    assert_true(border == 10);

    d = play(WIRE_ALL, 0.5);
    diagnosis_change(&d, LANGUAGE_EN, text, sizeof text);
    assert_int_equal(sscanf(text, "it stays while it takes at least %lf %% of a step (now %lf %%)",
                            &border, &now),
                     2);
    assert_true(border >= 10 - 100 * (d.visible - d.of[0].share) - 0.5 && border < now);
    assert_non_null(strstr(text, "; a run without it"));

    d = play(SLOW_ONCE, 0.5);
    diagnosis_change(&d, LANGUAGE_EN, text, sizeof text);
    assert_non_null(strstr(text, "; two of three runs like this one"));

    d = play(WIRE_AND_QUOTA, 0.25);
    assert_int_equal(d.cause, CAUSE_SEVERAL);
    diagnosis_change(&d, LANGUAGE_EN, text, sizeof text);
    assert_int_equal(
        sscanf(
            text,
            "the first is named alone when all others take at most %lf %% of a step (now %lf %%)",
            &border, &now),
        2);
    assert_true(fabs(border - 25 * d.of[0].share) <= 0.5 && now > border);
    for (int l = LANGUAGE_EN; l < LANGUAGE_COUNT; l++) {
        diagnosis_change(&d, (enum language)l, text, sizeof text);
        assert_true(strlen(text) > 20);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hundreds_of_series),
        cmocka_unit_test(a_quota_is_no_network),
        cmocka_unit_test(a_quota_is_no_software),
        cmocka_unit_test(the_slow_direction),
        cmocka_unit_test(a_quota_on_all_is_no_slow_processor),
        cmocka_unit_test(a_noisy_host_is_jitter),
        cmocka_unit_test(others_work_comes_out_first),
        cmocka_unit_test(kinds_of_network),
        cmocka_unit_test(kinds_of_input),
        cmocka_unit_test(slow_storage_of_all_is_no_node),
        cmocka_unit_test(kinds_of_compute),
        cmocka_unit_test(an_ablation_confirms),
        cmocka_unit_test(a_class_has_its_own_floor),
        cmocka_unit_test(chance_is_no_node),
        cmocka_unit_test(a_suspicion_has_a_name),
        cmocka_unit_test(three_lines),
        cmocka_unit_test(what_would_change_it),
    };

    return cmocka_run_group_tests_name("cause", tests, NULL, NULL);
}
