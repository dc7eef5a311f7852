/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the sums of a training say of its messages, on a network whose speeds are known: the
 * steps of all ranks are written by its schedule, on a clock that is played, and the ranks
 * learn of each other by maxima over what each of them says.
 */
#include <config.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit.h"
#include "workloads/component/wire.h"

enum { RANKS = 4, STEPS = 64 };

/* The network and the steps on it. */
static struct {
    int ranks, buckets;
    double bytes[STEPS_BUCKETS];
    double alpha, software, rate;
    int slow; /* what this rank receives ... */
    double slow_rate;
    double own;     /* of a step: buckets are ready at even distances in it */
    double jitter;  /* own work of a step is longer by as much, by chance */
    double look;    /* between operators; 0: each moment is seen */
    double noise;   /* one sum in four takes so much more */
    double chance;  /* each sum takes more, so much on the mean, exponentially */
    int idle, deaf; /* steps in which rank 1 has failed, does not know its halves */
} net;

static uint64_t drawn;

/* Evenly in (0, 1): splitmix64. */
static double draw(void)
{
    uint64_t z = drawn += 0x9e3779b97f4a7c15u;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return ((double)((z ^ z >> 31) >> 11) + 0.5) / 9007199254740992.0;
}

static double more_of_sum(void)
{
    const double late = draw() < 0.25 ? net.noise : 0;

    return late - net.chance * log(draw());
}

/* As the model of transport.h has it: a phase, seen by that rank. */
static double phase(int rank, double bytes)
{
    const double rate = rank == net.slow ? net.slow_rate : net.rate;

    return net.software + (net.ranks - 1) * (net.alpha + bytes / rate) + more_of_sum();
}

/* The first look of a rank at which `at` has been, and the one before: it looks each time an
 * operator is over, until `arrived`, and then all the time. */
static double seen(double at, double begun, double arrived, double *before)
{
    const double n = net.look > 0 ? ceil((at - begun) / net.look) : 0;
    const double border = fmin(begun + n * net.look, arrived);

    if (net.look == 0 || at >= arrived) {
        *before = at - 1e-7;
        return at;
    }
    *before = fmin(begun + (n - 1) * net.look, border);
    return border;
}

static struct step_row rows[RANKS][STEPS];

static double ready_at(const struct step_row *row, int b)
{
    return row->begin + (double)row->own * (b + 1) / net.buckets;
}

/* The sum of bucket b in step k, of all ranks. *over: the one before is at the last. */
static void play_sum(int k, int b, double *over)
{
    const bool whole = net.bytes[b] * net.ranks <= 65536;
    const double bytes = whole ? net.bytes[b] : net.bytes[b] / net.ranks;
    double last = 0;

    for (int i = 0; i < net.ranks; i++)
        last = fmax(last, ready_at(&rows[i][k], b));
    const double begun = fmax(*over, last);
    for (int i = 0; i < net.ranks; i++) {
        struct step_row *row = &rows[i][k];
        const double arrived = row->begin + (double)row->own;
        const bool here = ready_at(row, b) >= last; /* what the others sent has come */
        const double first = begun + (here ? 1e-6 : phase(i, bytes));
        const double end = whole ? first : first + phase(i, bytes);
        double before, none;
        const double half = seen(first, row->begin, arrived, &before);
        const double done = whole ? half : seen(end, row->begin, arrived, &none);
        row->start[b] = (float)(ready_at(row, b) - row->begin);
        row->half_of[b] = whole ? -1 : (float)(half - row->begin);
        row->since_of[b] = (float)(before - row->begin);
        row->done_of[b] = (float)(done - row->begin);
        row->bytes_of[b] = (float)net.bytes[b];
        row->wait[b][0] = (float)fmax((double)row->own, *over - row->begin);
        row->wait[b][1] = (float)fmax((double)row->wait[b][0], done - row->begin);
        *over = fmax(*over, done);
    }
}

static void play_steps(void)
{
    double at = 1000;

    memset(rows, 0, sizeof rows);
    for (int k = 0; k < STEPS; k++) {
        double over = 0;
        for (int i = 0; i < net.ranks; i++)
            rows[i][k] = (struct step_row){
                .begin = at, .own = (float)(net.own + net.jitter * draw()), .waits = net.buckets};
        for (int b = 0; b < net.buckets; b++)
            play_sum(k, b, &over);
        for (int i = 0; i < net.ranks; i++)
            rows[i][k].length = (float)(over - at);
        if (k < net.idle)
            rows[1][k] = (struct step_row){.begin = at, .waits = 1, .length = 1};
        for (int b = 0; b < net.buckets && k < net.deaf; b++)
            rows[1][k].half_of[b] = rows[1][k].done_of[b] = -1;
        at = over + 0.01;
    }
}

/* ---- ranks ---- */

enum { MOST = WIRE_STEPS * STEPS_BUCKETS * 2 };
static double said[RANKS][MOST];
static bool told; /* all have said what they know */

static int reduce(struct comm *c, double *v, int n, enum comm_op op, struct err *e)
{
    (void)e;
    assert_int_equal(op, COMM_MAX);
    assert_in_range(n, 1, MOST);
    if (!told)
        memcpy(said[c->rank], v, (size_t)n * sizeof *v);
    for (int i = 0; i < c->size && told; i++)
        for (int k = 0; k < n; k++)
            v[k] = fmax(v[k], said[i][k]);
    return 0;
}

/* What each rank knows after an epoch of such steps. */
static void epoch(struct wire *w, double bound)
{
    static struct wire none;
    struct err e = ERR_INIT;

    play_steps();
    for (int pass = 0; pass < 2; pass++)
        for (int i = 0; i < net.ranks; i++) {
            struct comm c = {.rank = i, .size = net.ranks, .reduce = reduce};
            const struct steps s = {rows[i], STEPS, STEPS};
            told = pass == 1;
            assert_int_equal(wire_epoch(told ? &w[i] : &none, &s, bound, &c, &e), 0);
        }
}

static struct wire wires[RANKS];

static struct result_wire rank_of(int rank)
{
    struct result_wire r;

    wire_fit(&wires[rank], net.ranks, &r);
    return r;
}

/* Sums that all ranks count: of each all but the rank that began last. */
static long all_sums(void)
{
    long n = 0;

    for (int i = 0; i < net.ranks; i++)
        n += rank_of(i).sums;
    return n;
}

static int a_quiet_network(void **state)
{
    (void)state;
    memset(&net, 0, sizeof net);
    memset(wires, 0, sizeof wires);
    drawn = 1;
    net.ranks = 2;
    net.buckets = 3;
    net.bytes[0] = 1e6;
    net.bytes[1] = 4e5;
    net.bytes[2] = 1e5;
    net.alpha = 50e-6;
    net.software = 20e-6;
    net.rate = 1e9;
    net.slow = -1;
    net.own = 0.06;
    net.jitter = 0.001;
    return 0;
}

static void near(double is, double is_to_be, double part)
{
    if (!(fabs(is - is_to_be) <= part * is_to_be))
        fail_msg("%.6g is not %.6g to %g %%", is, is_to_be, 100 * part);
}

/* All of software is a message's here. */
static double cost(void)
{
    return net.alpha + net.software / (net.ranks - 1);
}

static void holds(const struct result_value *v, double is_to_be)
{
    if (!(v->low <= is_to_be && !(v->high < is_to_be)))
        fail_msg("%.6g is not from %.6g to %.6g", is_to_be, v->low, v->high);
}

static void ordered(const struct result_value *v)
{
    assert_true(v->low <= v->value && v->value <= v->high);
}

static void speeds_are_found(void **state)
{
    (void)state;
    for (net.ranks = 2; net.ranks <= RANKS; net.ranks++) {
        memset(wires, 0, sizeof wires);
        epoch(wires, 0);
        assert_int_equal(all_sums(), STEPS * 3 * (net.ranks - 1));
        for (int i = 0; i < net.ranks; i++) {
            const struct result_wire r = rank_of(i);
            near(r.least_bytes, 1e5 / net.ranks, 1e-6);
            near(r.most_bytes, 1e6 / net.ranks, 1e-6);
            near(r.alpha.value, cost(), 0.02);
            near(r.rate.value, net.rate, 0.01);
            ordered(&r.alpha);
            ordered(&r.rate);
            near(r.rate.low, net.rate, 0.02);
            near(r.rate.high, net.rate, 0.02);
        }
    }
}

/* What a short sum takes is its message, whole, once. */
static void short_sums_count(void **state)
{
    (void)state;
    net.bytes[2] = 16384;
    epoch(wires, 0);
    const struct result_wire r = rank_of(0);
    near(r.least_bytes, 16384, 0);
    near(r.alpha.value, cost(), 0.02);
    near(r.rate.value, net.rate, 0.01);
}

/* A rank that computes looks every two milliseconds: that is in the interval. */
static void between_operators_nothing_is_seen(void **state)
{
    struct result_wire r;

    (void)state;
    net.rate = 1e8;
    net.look = 0.002;
    epoch(wires, 0);
    for (int i = 0; i < 2; i++) {
        r = rank_of(i);
        holds(&r.rate, net.rate);
        holds(&r.alpha, cost());
        assert_true(r.rate.low < 0.75 * net.rate);
    }
    /* what takes less than a look is told neither from messages nor from nothing */
    memset(wires, 0, sizeof wires);
    net.rate = 1e10;
    epoch(wires, 0);
    r = rank_of(0);
    assert_true(isnan(r.rate.high));
    holds(&r.rate, net.rate);
    holds(&r.alpha, cost());
}

/* One sum in four is late by a millisecond: medians do not move. */
static void late_sums_are_no_speed(void **state)
{
    (void)state;
    net.noise = 1e-3;
    epoch(wires, 0);
    const struct result_wire r = rank_of(1);
    near(r.alpha.value, cost(), 0.02);
    near(r.rate.value, net.rate, 0.01);
}

/* Each sum takes more by chance, a third of what the largest takes: the slope does not mind,
 * to what 200 sums of a size tell. */
static void chance_is_in_the_interval(void **state)
{
    (void)state;
    net.rate = 2e8;
    net.chance = 1e-3;
    for (int i = 0; i < 8; i++)
        epoch(wires, 0);
    for (int i = 0; i < 2; i++) {
        const struct result_wire r = rank_of(i);
        near(r.rate.value, net.rate, 0.2);
        holds(&r.rate, net.rate);
        assert_true(r.rate.high / r.rate.low > 1.1);
        /* the median of the noise is ln 2 of its mean, and no message is free of it */
        near(r.alpha.value, cost() + log(2) * net.chance, 0.3);
    }
}

static void a_slow_link_is_its_receivers(void **state)
{
    (void)state;
    net.ranks = 3;
    net.slow = 2;
    net.slow_rate = 1e8;
    epoch(wires, 0);
    near(rank_of(0).rate.value, 1e9, 0.01);
    near(rank_of(1).rate.value, 1e9, 0.01);
    near(rank_of(2).rate.value, 1e8, 0.01);
    near(rank_of(2).alpha.value, cost(), 0.05);
}

/* One size: a limit for each, no value. */
static void equal_sizes_tell_no_value(void **state)
{
    (void)state;
    net.bytes[1] = net.bytes[2] = net.bytes[0];
    epoch(wires, 0);
    struct result_wire r = rank_of(0);
    assert_int_equal(all_sums(), STEPS * 3);
    assert_true(isnan(r.alpha.value) && isnan(r.rate.value) && isnan(r.rate.high));
    holds(&r.alpha, cost());
    holds(&r.rate, net.rate);
    near(r.alpha.high, cost() + 5e5 / net.rate, 0.01);
    near(r.rate.low, 5e5 / (cost() + 5e5 / net.rate), 0.01);
    /* neither do sizes that are nearly one */
    memset(wires, 0, sizeof wires);
    net.bytes[1] = 1.5e6;
    net.bytes[2] = 1.9e6;
    epoch(wires, 0);
    r = rank_of(0);
    assert_true(isnan(r.rate.value) && r.rate.low > 0);
}

/* A sum that had others beside it does not count: only the first of each step is left. */
static void sums_one_after_the_other_count(void **state)
{
    (void)state;
    net.rate = 1e7; /* 100 ms for the first one */
    epoch(wires, 0);
    const struct result_wire r = rank_of(0);
    assert_int_equal(all_sums(), STEPS);
    near(r.most_bytes, 5e5, 1e-6);
    assert_true(isnan(r.rate.value));
    holds(&r.rate, net.rate);
}

static void what_is_not_known_does_not_count(void **state)
{
    (void)state;
    net.idle = STEPS / 2; /* a rank that failed: its steps say nothing of anybody */
    epoch(wires, 0);
    assert_int_equal(all_sums(), STEPS / 2 * 3);
    memset(wires, 0, sizeof wires);
    net.idle = 0;
    net.deaf = STEPS - 7; /* fewer than eight of a size */
    epoch(wires, 0);
    assert_int_equal(all_sums(), 0);
    assert_true(rank_of(0).most_bytes == 0);
    memset(wires, 0, sizeof wires);
    net.deaf = 0;
    epoch(wires, INFINITY); /* clocks that nobody compared */
    assert_int_equal(all_sums(), 0);
    net.ranks = 1;
    epoch(wires, 0);
    assert_int_equal(rank_of(0).sums, 0);
}

/* What the clocks may be off is in the interval. */
static void clocks_are_in_the_interval(void **state)
{
    (void)state;
    epoch(wires, 1e-4);
    const struct result_wire r = rank_of(0);
    near(r.alpha.value, cost(), 0.02);
    assert_true(r.alpha.low == 0);
    near(r.alpha.high, cost() + 5e4 / net.rate + 1e-4, 0.01);
    holds(&r.rate, net.rate);
    assert_true(r.rate.low < 0.5 * net.rate && isnan(r.rate.high));
}

/* The latest sums are kept: a network that has become slow is slow. */
static void the_latest_count(void **state)
{
    const int epochs = 3 * WIRE_SUMS / STEPS; /* every second sum is a rank's */

    (void)state;
    for (int i = 0; i < epochs; i++)
        epoch(wires, 0);
    net.rate = 2e8;
    for (int i = 0; i < epochs; i++)
        epoch(wires, 0);
    assert_int_equal(all_sums(), 2 * epochs * 3 * STEPS);
    for (int i = 0; i < 2; i++) {
        const struct result_wire r = rank_of(i);
        near(r.rate.value, 2e8, 0.01);
        near(r.rate.high, 2e8, 0.01); /* none of the fast ones is left */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(speeds_are_found, a_quiet_network),
        cmocka_unit_test_setup(short_sums_count, a_quiet_network),
        cmocka_unit_test_setup(between_operators_nothing_is_seen, a_quiet_network),
        cmocka_unit_test_setup(late_sums_are_no_speed, a_quiet_network),
        cmocka_unit_test_setup(chance_is_in_the_interval, a_quiet_network),
        cmocka_unit_test_setup(a_slow_link_is_its_receivers, a_quiet_network),
        cmocka_unit_test_setup(equal_sizes_tell_no_value, a_quiet_network),
        cmocka_unit_test_setup(sums_one_after_the_other_count, a_quiet_network),
        cmocka_unit_test_setup(what_is_not_known_does_not_count, a_quiet_network),
        cmocka_unit_test_setup(clocks_are_in_the_interval, a_quiet_network),
        cmocka_unit_test_setup(the_latest_count, a_quiet_network),
    };

    return cmocka_run_group_tests_name("wire", tests, NULL, NULL);
}
