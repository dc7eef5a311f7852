/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The transport's test on a network whose speeds are known: the ranks run one after the
 * other, each on a clock that messages move by hand, rank 0 last, which gets what the
 * others had sent. What they say is known to a microsecond; that two ranks that talk
 * always mean each other is played to its end.
 */
#include <config.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit.h"
#include "workloads/component/transport.h"

enum { RANKS = 100, CALLS = 2048, SENT = 8 * sizeof(struct result_link), GATHERED = 2 };

/* The network: two ranks of a node where `twins`. */
static struct {
    int size;
    bool twins;
    double alpha, software, rate; /* of all links ... */
    int slow;                     /* ... but of what this rank sends, */
    double slow_rate;             /* which has this; -1: none */
    double apart;                 /* so much after the one before it rank 0 leaves a barrier */
    int late;                     /* a sum in so many, and an echo, takes 1 ms more; 0: none */
    bool told;
} net;

static struct call {
    int peer;
    bool begins;
    size_t n;
} calls[RANKS][CALLS];
static int n_calls[RANKS], readings;
static char sent[GATHERED][RANKS][SENT];
static size_t sent_bytes[GATHERED][RANKS];
static int gathered; /* by the rank whose turn it is */
static double the_time, rested;
static size_t started;

static double now(void)
{
    return the_time;
}

static void sleeps(double seconds)
{
    rested += seconds;
    the_time += seconds;
}

static int node_of(const struct comm *c, int rank)
{
    (void)c;
    return net.twins ? rank / 2 : rank;
}

static double rate_of(int from)
{
    return from == net.slow ? net.slow_rate : net.rate;
}

static double lateness(void)
{
    const unsigned mixed = (unsigned)++readings * 2654435761u >> 8;

    return net.late && mixed % (unsigned)net.late == 0 ? 1e-3 : 0;
}

static int barrier(struct comm *c, struct err *e)
{
    (void)c, (void)e;
    return 0;
}

static int start(struct comm *c, float *buf, size_t n, int *request, struct err *e)
{
    (void)c, (void)buf, (void)e;
    *request = 0;
    started = n;
    return 0;
}

/* As the model of transport.h has it; rank 0 starts last, and rank 1 before it. */
static int wait(struct comm *c, int request, struct err *e)
{
    const double others = c->size - 1, bytes = 4.0 * (double)started;
    const bool whole = started * (size_t)c->size <= 16384;
    const double each = bytes / (whole ? 1 : c->size) / rate_of(net.slow >= 0 ? net.slow : 0);

    (void)request, (void)e;
    the_time += (whole ? 1 : 2) * (net.software + others * (net.alpha + each)) + lateness() +
                (c->rank == 0 ? -net.apart : net.apart * c->rank);
    return 0;
}

static int echo(struct comm *c, int peer, bool begins, float *buf, size_t n, double *seconds,
                struct err *e)
{
    const double took = 2 * net.alpha + 4.0 * (double)n / rate_of(begins ? c->rank : peer);

    (void)buf, (void)e;
    assert_in_range(n_calls[c->rank], 0, CALLS - 1);
    calls[c->rank][n_calls[c->rank]++] = (struct call){peer, begins, n};
    *seconds = begins && n > 1 ? took + lateness() : -1;
    the_time += took;
    return 0;
}

/* Ranks agree on one number, and all say the same. */
static int reduce(struct comm *c, double *v, int n, enum comm_op op, struct err *e)
{
    (void)c, (void)v, (void)n, (void)op, (void)e;
    return 0;
}

/* Ranks come one after the other, rank 0 last: it has what all sent. */
static int gatherv(struct comm *c, const void *send, size_t bytes, void *recv, const size_t *counts,
                   struct err *e)
{
    const int k = gathered++;
    char *to = recv;

    (void)e;
    assert_in_range(k, 0, GATHERED - 1);
    assert_in_range(bytes, 0, SENT);
    memcpy(sent[k][c->rank], send, bytes);
    sent_bytes[k][c->rank] = bytes;
    for (int i = 0; c->rank == 0 && i < c->size; to += counts[i++]) {
        assert_int_equal(counts[i], sent_bytes[k][i]);
        memcpy(to, sent[k][i], counts[i]);
    }
    return 0;
}

static void *allot(struct comm *c, size_t bytes, struct err *e)
{
    (void)c, (void)e;
    return calloc(1, bytes);
}

static void give_back(struct comm *c, void *p)
{
    (void)c;
    free(p);
}

static bool stop(void *ctx)
{
    (void)ctx;
    return net.told;
}

/* Rank 0's result of a run on that network. */
static struct result_transport tested(double bucket_bytes, double period, double trained)
{
    struct result_transport r = {.rounds = -1};
    struct err e = ERR_INIT;

    memset(n_calls, 0, sizeof n_calls);
    readings = 0;
    for (int rank = net.size - 1; rank >= 0; rank--) {
        struct comm c = {.rank = rank,
                         .size = net.size,
                         .alloc = allot,
                         .free = give_back,
                         .allreduce_start = start,
                         .wait = wait,
                         .reduce = reduce,
                         .gatherv = gatherv,
                         .barrier = barrier,
                         .echo = echo,
                         .node_of = node_of};
        const struct workload_host host = {.comm = &c, .now = now, .stop = stop};
        const struct transport t = {&host, bucket_bytes, period, trained, sleeps};
        rested = 0;
        gathered = 0;
        if (transport_run(&t, &r, &e) < 0)
            fail_msg("%s", e.text);
    }
    return r;
}

static int a_quiet_network(void **state)
{
    (void)state;
    memset(&net, 0, sizeof net);
    net.size = 2;
    net.alpha = 50e-6;
    net.software = 20e-6;
    net.rate = 1e9;
    net.slow = -1;
    return 0;
}

static void near(double a, double b, double within)
{
    if (!(fabs(a - b) <= within))
        fail_msg("%.9g is not within %g of %.9g", a, within, b);
}

static void all_near(const struct result_value *v, double b, double within)
{
    near(v->value, b, within);
    near(v->low, b, within);
    near(v->high, b, within);
}

/* Half a round trip has its 1 KiB once: 0.5 us at 1 GB/s. */
static void speeds_are_found(void **state)
{
    static const int sizes[] = {2, 3, 4, 7, 8};

    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        net.size = sizes[i];
        const struct result_transport r = tested(432000, 0.03, 1000);
        assert_int_equal(r.rounds, 9);
        assert_string_equal(r.reason, "");
        near(r.pause_seconds, 0.03, 0);
        assert_int_equal(r.links, net.size * (net.size - 1));
        all_near(&r.alpha, net.alpha, 1e-6);
        all_near(&r.software, net.software, 1e-6 * net.size);
        all_near(&r.rate, net.rate, 1);
        near(r.sum[0].bytes, 1024, 0);
        near(r.sum[1].bytes, 65536, 0);
        near(r.sum[2].bytes, 432000, 0);
        assert_int_equal(r.sum[0].phases, 1);
        assert_int_equal(r.sum[2].phases, 2);
        all_near(&r.sum[2].seconds,
                 2 * (net.software + (net.size - 1) * (net.alpha + 432000 / net.rate / net.size)),
                 1e-6);
        near(rested, 9 * 0.03 * (3 + 4 * (net.size - 1)), 1e-9);
    }
}

/* Who leaves the barrier last waits less than a message takes, or not at all, and the one
 * before him as much longer: nothing is lost or gained. */
static void a_barrier_is_no_measure(void **state)
{
    static const int sizes[] = {2, 3, 8};

    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        net.size = sizes[i];
        net.alpha = 1e-3;
        net.apart = 0.9e-3;
        const struct result_transport r = tested(432000, 0.03, 1000);
        all_near(&r.alpha, net.alpha, 1e-6);
        all_near(&r.software, net.software, 1e-6 * net.size);
        all_near(&r.sum[2].seconds,
                 2 * (net.software + (net.size - 1) * (net.alpha + 432000 / net.rate / net.size)),
                 1e-6);
    }
}

/* Only one direction is slow: it is named, and the others are not. */
static void a_slow_sender_is_named(void **state)
{
    (void)state;
    net.size = 4;
    net.slow = 2;
    net.slow_rate = 12e6;
    const struct result_transport r = tested(1.7e6, 0.05, 1000);
    assert_int_equal(r.links, 12);
    assert_int_equal(r.n_links, RESULT_LINKS);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(r.link[i].from, 2);
        all_near(&r.link[i].rate, 12e6, 1);
    }
    for (int i = 3; i < RESULT_LINKS; i++) {
        assert_int_not_equal(r.link[i].from, 2);
        all_near(&r.link[i].rate, 1e9, 1);
    }
    near(r.rate.value, 1e9, 1); /* the median link */
}

/* One reading in four is late by a millisecond: medians do not move, their intervals know
 * of it. */
static void late_readings_are_no_speed(void **state)
{
    (void)state;
    net.late = 4;
    const struct result_transport r = tested(432000, 0.03, 1000);
    near(r.alpha.value, net.alpha, 1e-6);
    near(r.software.value, net.software, 1e-6);
    near(r.rate.value, net.rate, 1);
    assert_true(r.alpha.low <= r.alpha.value && r.alpha.value <= r.alpha.high);
    assert_true(r.rate.low <= r.rate.value && r.rate.value <= r.rate.high);
    near(r.alpha.low, net.alpha, 1e-6);
    assert_true(r.alpha.high > 5 * net.alpha);
}

/* Two ranks of a node: only first ranks talk, and a sum has messages to all. */
static void one_rank_of_a_node_talks(void **state)
{
    (void)state;
    net.size = 6;
    net.twins = true;
    const struct result_transport r = tested(432000, 0.03, 1000);
    assert_int_equal(r.links, 6);
    for (int i = 0; i < r.n_links; i++)
        assert_true(r.link[i].from % 2 == 0 && r.link[i].to % 2 == 0 &&
                    r.link[i].from != r.link[i].to);
    for (int i = 1; i < 6; i += 2)
        assert_int_equal(n_calls[i], 0);
}

/* Messages that overlap: what a sum leaves to each is less than half a round trip. */
static void overlapping_messages_cost_less(void **state)
{
    (void)state;
    net.size = 8;
    net.software = -7 * 30e-6; /* of each message 30 us pass beside the others */
    const struct result_transport r = tested(432000, 0.03, 1000);
    near(r.alpha.value, 20e-6, 1.1e-6);
    near(r.software.value, 0, 1e-9);
}

/* Whom each rank talks to, in its order: played until nobody can go on, everybody is done. */
static void pairs_always_meet(void **state)
{
    (void)state;
    for (int size = 2; size <= RANKS; size += size < 12 ? 1 : 11) {
        int at[RANKS] = {0}, links = 0;
        bool moved = true;
        net.size = size;
        tested(432000, 0.03, 1000);
        while (moved) {
            moved = false;
            for (int i = 0; i < size; i++) {
                const struct call *a = &calls[i][at[i]];
                if (at[i] == n_calls[i])
                    continue;
                const struct call *b = &calls[a->peer][at[a->peer]];
                if (at[a->peer] == n_calls[a->peer] || b->peer != i || b->begins == a->begins ||
                    b->n != a->n)
                    continue;
                at[i]++;
                at[a->peer]++;
                links += a->n > 256;
                moved = true;
            }
        }
        for (int i = 0; i < size; i++)
            if (at[i] != n_calls[i])
                fail_msg("%d nodes: rank %d stands at call %d of %d", size, i, at[i], n_calls[i]);
        assert_true(links > 0);
    }
}

/* Five rounds at least, nine at most, a fiftieth of the training between: a round of two
 * nodes is 7 pauses and 7 steps. */
static void training_says_how_many(void **state)
{
    (void)state;
    assert_int_equal(tested(432000, 0.01, 1).rounds, 5);
    assert_int_equal(tested(432000, 0.01, 50 * 7 * 0.02 * 6.5).rounds, 6);
    assert_int_equal(tested(432000, 0.01, 50 * 7 * 0.02 * 8.5).rounds, 8);
    assert_int_equal(tested(432000, 0.01, 1e6).rounds, 9);
    near(tested(432000, 0.4, 1e6).pause_seconds, 0.05, 0);
}

static void what_cannot_be_measured_has_a_reason(void **state)
{
    (void)state;
    struct result_transport r = tested(432000, 0.01, 5 * 7 * 0.02 - 0.01);
    assert_int_equal(r.rounds, 0);
    assert_string_equal(r.reason, "training was too short for it, or the run's time is");
    assert_string_equal(tested(432000, NAN, 100).reason, "there was no epoch after the first");
    assert_string_equal(tested(0, 0.01, 100).reason, "there was no epoch after the first");
    net.told = true;
    assert_string_equal(tested(432000, 0.01, 100).reason, "the run was told to end");
    net.told = false;
    net.twins = true;
    assert_string_equal(tested(432000, 0.01, 100).reason, "the ranks of one node share memory");
    net.size = 1;
    assert_string_equal(tested(432000, 0.01, 100).reason, "one rank alone exchanges nothing");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(speeds_are_found, a_quiet_network),
        cmocka_unit_test_setup(a_barrier_is_no_measure, a_quiet_network),
        cmocka_unit_test_setup(a_slow_sender_is_named, a_quiet_network),
        cmocka_unit_test_setup(late_readings_are_no_speed, a_quiet_network),
        cmocka_unit_test_setup(one_rank_of_a_node_talks, a_quiet_network),
        cmocka_unit_test_setup(overlapping_messages_cost_less, a_quiet_network),
        cmocka_unit_test_setup(pairs_always_meet, a_quiet_network),
        cmocka_unit_test_setup(training_says_how_many, a_quiet_network),
        cmocka_unit_test_setup(what_cannot_be_measured_has_a_reason, a_quiet_network),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
