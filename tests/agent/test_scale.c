/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a rank holds of the others at 10,000 nodes x 8 ranks: the ranks are
 * played by a struct comm that answers for all of them and looks at the heap
 * while it is asked.
 */
#include <config.h>

#include <malloc.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/comm/comm_base.h"
#include "agent/report.h"
#include "agent/why.h"
#include "reports/diagnose/cause.h"
#include "tests/unit.h"

enum { NODES = 10000, PER_NODE = 8, RANKS = NODES * PER_NODE };

static size_t held, most_held;
static long gathers, gathers_to_all;

static size_t heap(void)
{
    struct mallinfo2 m = mallinfo2();

    return m.uordblks + m.hblkhd;
}

static void look(void)
{
    size_t now = heap() - held;

    most_held = now > most_held ? now : most_held;
}

static int play_reduce(struct comm *c, double *v, int n, enum comm_op op, struct err *e)
{
    (void)c, (void)v, (void)n, (void)op, (void)e;
    look();
    return 0;
}

static int play_broadcast(struct comm *c, void *buf, size_t bytes, int root, struct err *e)
{
    (void)c, (void)buf, (void)bytes, (void)root, (void)e;
    look();
    return 0;
}

static int play_allgatherv(struct comm *c, const void *send, void *recv, const size_t *counts,
                           struct err *e)
{
    (void)c, (void)send, (void)recv, (void)counts;
    gathers_to_all++;
    return err_set(e, "a table of all ranks on every rank");
}

/* All ranks have measured what this one has. */
static int play_gatherv(struct comm *c, const void *send, size_t bytes, void *recv,
                        const size_t *counts, struct err *e)
{
    char *at = recv;

    (void)e;
    gathers++;
    look();
    for (int i = 0; i < c->size && c->rank == 0; at += counts[i++])
        if (counts[i] > 0)
            memcpy(at, send, bytes);
    return 0;
}

static struct mpi_comm *play(int rank)
{
    struct mpi_comm *m = calloc(1, sizeof *m);

    assert_non_null(m);
    m->base = (struct comm){.rank = rank,
                            .size = RANKS,
                            .local_rank = rank % PER_NODE,
                            .local_size = PER_NODE,
                            .reduce = play_reduce,
                            .broadcast = play_broadcast,
                            .allgatherv = play_allgatherv,
                            .gatherv = play_gatherv};
    m->peers = calloc(RANKS, sizeof *m->peers);
    assert_non_null(m->peers);
    for (int i = 0; i < RANKS; i++)
        m->peers[i].node = i / PER_NODE;
    m->n_nodes = NODES;
    return m;
}

/* Bytes that the end of a workload takes on that rank, at most, in its call. */
static size_t end_of_workload(int rank)
{
    static struct run r;
    struct workload_result result = {.name = "cosmoflow", .ranks = RANKS, .wall_seconds = 9};
    struct mpi_comm *m = play(rank);
    struct err e = ERR_INIT;

    memset(&r, 0, sizeof r);
    pthread_mutex_init(&r.lock, NULL);
    record_init(&r.record);
    r.comm = &m->base;
    r.counters = counters_open(NULL, &e);
    assert_non_null(r.counters);
    counters_phase(r.counters, PHASE_COMPUTE);
    counters_stop(r.counters);
    held = heap();
    most_held = 0;
    gathers = gathers_to_all = 0;
    if (report_result(&r, &result, &e) < 0)
        fail_msg("%s", e.text);
    look();
    assert_int_equal(gathers_to_all, 0);
    assert_int_equal(gathers, 1 + COUNTER_COUNT);
    assert_int_equal(r.record.n_workloads, rank == 0);
    counters_close(r.counters);
    record_fini(&r.record);
    free(m->peers);
    free(m);
    return most_held;
}

static void no_rank_but_0_holds_what_others_measured(void **state)
{
    size_t other = end_of_workload(7);

    (void)state;
    print_message("rank 7 of %d: %zu bytes for the counters and times of all\n", RANKS, other);
    assert_true(other < 100000);
}

/* Times, counters in each phase, and one row of all ranks at a time. */
static void rank_0_holds_what_the_record_keeps(void **state)
{
    const size_t kept =
        sizeof(struct record_rank) + (size_t)COUNTER_COUNT * (PHASE_COUNT + 1) * sizeof(double);
    size_t first = end_of_workload(0);

    (void)state;
    print_message("rank 0: %zu MB, of which the record keeps %zu bytes for each rank\n",
                  first / 1000000, kept);
    assert_true(first < (kept + 1000) * RANKS);
}

/* Who the others are: on every rank, for as long as it runs. */
static void the_table_of_ranks_is_small(void **state)
{
    const size_t each = sizeof(struct peer) + sizeof(int64_t) + sizeof(float *);

    (void)state;
    print_message("every rank: %.1f MB for who %d ranks on %d nodes are\n",
                  (double)(each * RANKS) / 1e6, RANKS, NODES);
    assert_true(each * RANKS < 12000000);
}

/* What limited it is found by rank 0 from what it has: a row a node, and no more than a
 * few passes over them (a pass of all nodes for each node would take minutes). */
static void rank_0_diagnoses_all_nodes(void **state)
{
    const size_t each = 200; /* of a node: struct cause_node, and a copy of a column */
    struct record_rank *ranks = calloc(RANKS, sizeof *ranks);
    struct workload_result result = {.name = "cosmoflow", .ranks = RANKS};
    struct record r;

    (void)state;
    assert_non_null(ranks);
    record_init(&r);
    for (int i = 0; i < NODES; i++) {
        struct record_node node = {.plugin_remote = true};
        snprintf(node.name, sizeof node.name, "n%d", i + 1);
        assert_int_equal(record_add_node(&r, &node), i);
    }
    for (int i = 0; i < RANKS; i++) {
        const bool slow = i / PER_NODE == 4711;
        ranks[i].node = i / PER_NODE;
        ranks[i].steady = (struct result_rank){.steps = 1000,
                                               .last = slow ? 0.1 : 1e-6,
                                               .compute_error = 1e-4,
                                               .half_seconds = NAN,
                                               .produce_seconds = NAN};
        ranks[i].phase_seconds[PHASE_COMPUTE] = slow ? 60 : 40 + i % 3 * 0.1;
        ranks[i].throttled_seconds = NAN;
    }
    result.path = (struct result_path){
        .steps = 999, .period_seconds = 0.062, .compute_seconds = 0.060, .wire_seconds = 0.001};
    assert_int_equal(record_add_workload(&r, &result, ranks, RANKS), 0);
    held = heap();
    struct record_workload *w = &r.workloads[0];
    assert_int_equal(why_find(&r, 0, &(struct why_host){.cores = 1, .threads = 1}), 0);
    assert_string_equal(w->why.cause, "node_was_slower");
    assert_string_equal(w->why.node, "n4712");
    print_message("rank 0: %zu bytes a node while it diagnoses %d of them\n",
                  sizeof(struct cause_node) + sizeof(double), NODES);
    assert_true(sizeof(struct cause_node) + sizeof(double) <= each);
    assert_true(heap() - held < 100000); /* nothing of it stays */
    free(ranks);
    record_fini(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_rank_but_0_holds_what_others_measured),
        cmocka_unit_test(rank_0_holds_what_the_record_keeps),
        cmocka_unit_test(the_table_of_ranks_is_small),
        cmocka_unit_test(rank_0_diagnoses_all_nodes),
    };

    return cmocka_run_group_tests_name("scale", tests, NULL, NULL);
}
