/* SPDX-License-Identifier: BSD-3-Clause */
/* The order of things: nodes, links, what stands out once more, rows. */
#include <config.h>

#include "agent/node/validate.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agent/micro/network.h"
#include "agent/node/validate_inner.h"
#include "reports/validate/metric_tests.h"
#include "workloads/node/node.h"

enum { TURNS_MOST = 4 }; /* of further rounds */

/* ---- links ---- */

/* Rank 0: a row of p2p becomes a pair and goes no further. */
static int take_pair(void *ctx, struct micro_row *row, struct err *e)
{
    struct validation *v = ctx;
    const bool bandwidth = strcmp(row->what, "bandwidth") == 0,
               latency = strcmp(row->what, "latency") == 0;
    int rc = 0;

    if (row->from[0] && row->to[0] && !row->median.reason && (bandwidth || latency))
        rc = assess_pair(v->a, v->round, row->from, row->to,
                         bandwidth ? row->median.value : (double)NAN,
                         latency ? row->median.value : (double)NAN, e);
    micro_row_fini(row);
    return rc;
}

static const char *node_name(void *ctx, int rank)
{
    const struct validation *v = ctx;

    return v->h->node_name(v->h->ctx, rank);
}

static int node_of(void *ctx, int rank)
{
    const struct validation *v = ctx;

    return v->h->node_of(v->h->ctx, rank);
}

static bool is_told(void *ctx)
{
    const struct validation *v = ctx;

    return v->h->stop && v->h->stop(v->h->ctx);
}

static int measure_links(struct validation *v, struct err *e)
{
    struct micro_host h = *v->h;
    int done = 0;

    if (h.n_nodes < 2)
        return 0;
    h.class = strcmp(h.profile, "deep") == 0 ? CLASS_SMALL : CLASS_TINY;
    h.samples = micro_samples(h.class);
    h.swap = NULL;
    h.ctx = v;
    h.node_name = node_name;
    h.node_of = node_of;
    h.stop = is_told;
    h.count = NULL;
    h.row = take_pair;
    return micro_p2p.run(&h, &done, e);
}

/* ---- further rounds ---- */

/* What rank 0 tells the others; behind it a byte for each node. */
struct told {
    int n, from, rounds;
    unsigned metrics;
};

static int ask_rank_0(struct validation *v, int turn, struct told *t, bool *wanted, struct err *e)
{
    struct comm *c = v->h->comm;
    struct assess_todo todo = {.nodes = NULL};
    int rc = 0;

    memset(wanted, 0, (size_t)v->h->n_nodes * sizeof *wanted);
    if (c->rank == 0) {
        rc = assess_todo(v->a, turn, &todo, e) < 0 ? -1 : 0;
        *t = (struct told){todo.n, todo.from, todo.rounds, todo.metrics};
        for (int i = 0; i < todo.n; i++)
            wanted[todo.nodes[i]] = true;
        free(todo.nodes);
    }
    if (comm_agree(c, rc, e) < 0 || c->broadcast(c, t, sizeof *t, 0, e) < 0)
        return -1;
    return c->broadcast(c, wanted, (size_t)v->h->n_nodes * sizeof *wanted, 0, e);
}

/* Whether a rank was told to stop, or time is over. */
static int is_over(const struct validation *v, bool *over, struct err *e)
{
    double any = v->h->now() >= v->h->deadline || is_told((void *)(uintptr_t)v);

    if (v->h->comm->reduce(v->h->comm, &any, 1, COMM_MAX, e) < 0)
        return -1;
    *over = any > 0;
    return 0;
}

/* Until the pause is over, of which so many are still to come, or the run is: ranks meet
 * every half second. *pause: never longer than the one before, so that no more than half of
 * the time is waited. */
static int wait_apart(struct validation *v, int rounds, double *pause, bool *over, struct err *e)
{
    const struct micro_host *h = v->h;
    const struct timespec beat = {0, 500000000L};
    bool waits = true;

    *pause = fmin(*pause, 0.5 * (h->deadline - h->now()) / rounds);
    if (h->comm->reduce(h->comm, pause, 1, COMM_MIN, e) < 0)
        return -1;
    while (waits) {
        double still = h->now() < v->measured + *pause;
        if (is_over(v, over, e) < 0 || h->comm->reduce(h->comm, &still, 1, COMM_MAX, e) < 0)
            return -1;
        waits = still > 0 && !*over;
        if (waits)
            nanosleep(&beat, NULL);
    }
    if (*pause > 0)
        v->apart = v->apart > 0 ? fmin(v->apart, *pause) : *pause;
    return 0;
}

static int measure_again(struct validation *v, const struct told *t, const bool *wanted,
                         struct err *e)
{
    char tests[METRIC_TESTS_SIZE];
    const bool links = metric_tests(t->metrics, tests);
    double pause = v->h->pause_seconds;
    bool over = false;

    for (v->round = t->from; v->round < t->from + t->rounds; v->round++) {
        if (wait_apart(v, t->from + t->rounds - v->round, &pause, &over, e) < 0)
            return -1;
        if (over)
            return 0;
        if ((*tests && validate_nodes(v, tests, wanted, e) < 0) ||
            (links && measure_links(v, e) < 0))
            return -1;
        v->measured = v->h->now();
    }
    return 0;
}

static int confirm(struct validation *v, bool *wanted, struct err *e)
{
    struct comm *c = v->h->comm;
    bool over = false;

    for (int turn = 1; turn <= TURNS_MOST; turn++) {
        struct told t = {0};
        if (ask_rank_0(v, turn, &t, wanted, e) < 0 || is_over(v, &over, e) < 0)
            return -1;
        if (t.n == 0 || over)
            return 0;
        if (measure_again(v, &t, wanted, e) < 0)
            return -1;
        int rc = c->rank == 0 && t.from == 0 ? assess_look(v->a, e) : 0;
        if (comm_agree(c, rc, e) < 0)
            return -1;
    }
    return 0;
}

/* ---- the benchmark ---- */

static double node_seconds(const struct micro_host *h)
{
    const int profile = node_profile_parse(h->profile);
    double seconds;

    node_choose(profile < 0 ? PROFILE_STANDARD : (enum node_profile)profile, h->budget_seconds,
                &seconds);
    return seconds;
}

/* What is left for the tests of a node when links, further rounds and the record get their
 * part; on every rank the same. */
static const double node_part = 0.6;

static int set_budget(struct validation *v, struct err *e)
{
    const struct micro_host *h = v->h;
    double left = node_part * (h->deadline - h->now()) / (h->turns ? h->n_nodes : 1);

    if (h->comm->reduce(h->comm, &left, 1, COMM_MIN, e) < 0)
        return -1;
    v->budget = h->budget_seconds;
    if (left < node_seconds(h))
        v->budget = fmax(1, floor(left));
    return 0;
}

static void plan(const struct micro_host *h, struct micro_plan *p)
{
    struct micro_host links = *h;
    struct micro_plan own = {0};

    links.class = CLASS_TINY;
    links.samples = micro_samples(CLASS_TINY);
    if (h->n_nodes > 1)
        micro_p2p.plan(&links, &own);
    p->rows = 1;
    p->expected_seconds = node_seconds(h) * (h->turns ? h->n_nodes : 1) + own.expected_seconds;
    p->memory_bytes = own.memory_bytes;
    snprintf(p->title, sizeof p->title, "%d node%s%s, profile %s: numbers, speed, links",
             h->n_nodes, h->n_nodes == 1 ? "" : "s",
             h->turns && h->n_nodes > 1 ? " one by one" : "", h->profile);
}

static int begin(struct validation *v, struct err *e)
{
    const struct micro_host *h = v->h;
    const char **names = calloc((size_t)h->n_nodes, sizeof *names);
    int rc = 0;

    v->first = malloc((size_t)h->n_nodes * sizeof *v->first);
    if (!names || !v->first)
        rc = err_set(e, "out of memory for the nodes");
    for (int rank = h->comm->size - 1; rank >= 0 && rc == 0; rank--) {
        const int node = h->node_of(h->ctx, rank);
        v->first[node] = rank;
        names[node] = h->node_name(h->ctx, rank);
    }
    if (rc == 0) {
        v->own = v->first[h->node] == h->comm->rank;
        if (h->comm->rank == 0 && !(v->a = assess_create(names, h->n_nodes, NULL, e)))
            rc = -1;
    }
    free(names);
    return comm_agree(h->comm, rc, e) < 0 ? -1 : set_budget(v, e);
}

static int run(const struct micro_host *h, int *done, struct err *e)
{
    struct validation v = {.h = h};
    bool *wanted = malloc((size_t)h->n_nodes * sizeof *wanted);
    int rc = begin(&v, e) < 0 ||
                     comm_agree(h->comm, wanted ? 0 : err_set(e, "out of memory for nodes"), e) < 0
                 ? -1
                 : 0;

    for (int i = 0; i < h->n_nodes && rc == 0; i++)
        wanted[i] = true;
    if (rc == 0 && (validate_nodes(&v, NULL, wanted, e) < 0 || measure_links(&v, e) < 0))
        rc = -1;
    v.measured = h->now();
    if (rc == 0)
        rc = comm_agree(h->comm, v.a ? assess_look(v.a, e) : 0, e);
    if (rc == 0)
        rc = confirm(&v, wanted, e);
    if (rc == 0)
        rc = comm_agree(h->comm, v.a ? (assess_decide(v.a, e) < 0 ? -1 : validate_rows(&v, e)) : 0,
                        e);
    *done = rc == 0;
    assess_close(v.a);
    free(v.first);
    free(wanted);
    return rc;
}

const struct micro_bench micro_validate = {plan, run}, micro_vet = {plan, run};
