/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/component/transport.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
    LEAST_ROUNDS = 5,
    MOST_ROUNDS = 9,
    SMALL = 256, /* floats */
    MIDDLE = 16384,
    LARGE = 262144, /* of a message between two */
    NODES = 64,
    PEERS = 8,
    SIZES = 2 /* of messages between two */
};

static const double longest_pause = 0.05, part_of_training = 0.02;

struct probe {
    const struct transport *t;
    struct comm *comm;
    struct result_transport *r;
    float *buf;
    size_t sum_floats[RESULT_SUMS], floats[SIZES];
    int leader[NODES], nodes; /* ranks of the nodes that take part */
    int own;                  /* this rank among them; -1 */
    int peers;                /* rounds of pairs */
    double sum[RESULT_SUMS][MOST_ROUNDS], echo[PEERS][SIZES][MOST_ROUNDS];
};

static void rest(const struct probe *p)
{
    const double s = p->r->pause_seconds;

    if (p->t->rest)
        p->t->rest(s);
    else
        nanosleep(&(struct timespec){(time_t)s, (long)((s - floor(s)) * 1e9)}, NULL);
}

/* ---- who takes part ---- */

/* A node's number is its place in the order of first ranks. */
static int count_nodes(const struct comm *c)
{
    int n = 0;

    for (int i = 0; c->node_of && i < c->size; i++)
        n += c->node_of(c, i) == n;
    return n;
}

static void choose_nodes(struct probe *p, int all)
{
    const struct comm *c = p->comm;
    const int stride = (all + NODES - 1) / NODES;

    p->own = -1;
    for (int i = 0, next = 0; i < c->size; i++) {
        if (c->node_of(c, i) != next)
            continue;
        if (next++ % stride)
            continue;
        if (i == c->rank)
            p->own = p->nodes;
        p->leader[p->nodes++] = i;
    }
    p->peers = p->nodes + p->nodes % 2 - 1;
    p->peers = p->peers > PEERS ? PEERS : p->peers;
}

/* The other of this rank's pair in that round, its place in leader[]; -1: none. */
static int partner(const struct probe *p, int round)
{
    const int n = p->nodes + p->nodes % 2 - 1; /* with the last one, or nobody, in the middle */
    const int other = p->own == n ? round : p->own == round ? n : (2 * round - p->own + n) % n;

    return p->own < 0 || other >= p->nodes ? -1 : other;
}

/* ---- readings ---- */

static int one_sum(struct probe *p, int size, int round, struct err *e)
{
    struct comm *c = p->comm;
    int request;

    rest(p);
    if (c->barrier(c, e) < 0)
        return -1;
    const double since = p->t->host->now();
    if (c->allreduce_start(c, p->buf, p->sum_floats[size], &request, e) < 0 ||
        c->wait(c, request, e) < 0)
        return -1;
    p->sum[size][round] = p->t->host->now() - since;
    return 0;
}

/* The first message only brings the two together. */
static int one_echo(struct probe *p, int peer, bool begins, size_t n, double *seconds,
                    struct err *e)
{
    struct comm *c = p->comm;
    double none;

    rest(p);
    return c->echo(c, peer, begins, p->buf, 1, &none, e) < 0
               ? -1
               : c->echo(c, peer, begins, p->buf, n, begins ? seconds : &none, e);
}

static int one_pair(struct probe *p, int pair, int round, struct err *e)
{
    const int other = partner(p, pair);

    for (int i = 0; other >= 0 && i < 2 * SIZES; i++) {
        const int k = (i + round) % (2 * SIZES), size = k / 2;
        const bool begins = (p->own < other) == (k % 2 == 0);
        if (one_echo(p, p->leader[other], begins, p->floats[size], &p->echo[pair][size][round], e) <
            0)
            return -1;
    }
    return 0;
}

static int one_round(struct probe *p, int round, struct err *e)
{
    for (int i = 0; i < RESULT_SUMS; i++)
        if (one_sum(p, (i + round) % RESULT_SUMS, round, e) < 0)
            return -1;
    for (int pair = 0; pair < p->peers; pair++)
        if (one_pair(p, pair, round, e) < 0)
            return -1;
    return 0;
}

/* ---- how many ---- */

static int refuse(struct probe *p, const char *why)
{
    snprintf(p->r->reason, sizeof p->r->reason, "%s", why);
    return 0;
}

static bool is_told(const struct workload_host *host)
{
    return host->stop && host->stop(host->ctx);
}

/* Rounds, pause and sizes, the same on all ranks; 0: a reason why there are none. */
static int plan(struct probe *p, struct err *e)
{
    const struct workload_host *host = p->t->host;
    const double left = host->deadline > 0 ? host->deadline - host->now() - 1 : INFINITY;
    const double period = p->t->period_seconds;
    double v[5] = {isfinite(period) ? period : 0, -left, -p->t->trained_seconds, p->t->bucket_bytes,
                   is_told(host)};

    if (p->comm->reduce(p->comm, v, 5, COMM_MAX, e) < 0)
        return -1;
    if (v[4] > 0)
        return refuse(p, "the run was told to end");
    if (!(v[0] > 0) || !(v[3] > 0))
        return refuse(p, "there was no epoch after the first");
    p->r->pause_seconds = fmin(v[0], longest_pause);
    /* no message takes longer than a step that has it */
    const double round = (RESULT_SUMS + 2 * SIZES * p->peers) * (p->r->pause_seconds + v[0]);
    if (LEAST_ROUNDS * round > fmin(-v[1], -v[2]))
        return refuse(p, "training was too short for it, or the run's time is");
    const double fit = floor(part_of_training * -v[2] / round);
    const size_t bucket = (size_t)ceil(v[3] / sizeof(float));
    p->sum_floats[0] = SMALL;
    p->sum_floats[1] = MIDDLE;
    p->sum_floats[2] = bucket > SMALL ? bucket : SMALL;
    p->floats[0] = SMALL;
    p->floats[1] = bucket < MIDDLE ? MIDDLE : bucket > LARGE ? LARGE : bucket;
    return (int)fmin(fmax(fit, LEAST_ROUNDS), MOST_ROUNDS);
}

static size_t most_floats(const struct probe *p)
{
    const size_t sum = p->sum_floats[2] > MIDDLE ? p->sum_floats[2] : MIDDLE;

    return sum > p->floats[1] ? sum : p->floats[1];
}

/* All rounds, unless a rank is told to end; then those that were made count if they are
 * enough. */
static int measure(struct probe *p, int rounds, struct err *e)
{
    for (int k = 0; k < rounds; k++) {
        double told = is_told(p->t->host);
        if (p->comm->reduce(p->comm, &told, 1, COMM_MAX, e) < 0)
            return -1;
        if (told > 0)
            return k < LEAST_ROUNDS ? refuse(p, "the run was told to end") : 0;
        if (one_round(p, k, e) < 0)
            return -1;
        p->r->rounds = k + 1;
    }
    return 0;
}

/* ---- what they say ---- */

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Sorts v. */
static struct result_value value_of(double *v, int n)
{
    const int off = n >= 8;

    qsort(v, (size_t)n, sizeof *v, ascending);
    return (struct result_value){n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2, v[off],
                                 v[n - 1 - off]};
}

/* A link from its two messages. */
static struct result_link link_of(struct probe *p, int pair)
{
    const int n = p->r->rounds;
    const struct result_value trip = value_of(p->echo[pair][0], n);
    const struct result_value large = value_of(p->echo[pair][1], n);
    const double bytes = (double)((p->floats[1] - p->floats[0]) * sizeof(float));
    const double least = 1e-9; /* seconds: the messages take the same time */

    return (struct result_link){
        .from = p->comm->rank,
        .to = p->leader[partner(p, pair)],
        .alpha = {trip.value / 2, trip.low / 2, trip.high / 2},
        .rate = {bytes / fmax(least, large.value - trip.value),
                 bytes / fmax(least, large.high - trip.low),
                 bytes / fmax(least, large.low - trip.high)},
    };
}

static int slowest_first(const void *a, const void *b)
{
    const struct result_link *x = a, *y = b;

    if (x->rate.value != y->rate.value)
        return (x->rate.value > y->rate.value) - (x->rate.value < y->rate.value);
    return x->from != y->from ? (x->from > y->from) - (x->from < y->from)
                              : (x->to > y->to) - (x->to < y->to);
}

/* Median over the links of one of their numbers, at `offset` in them. */
static double median(const struct result_link *links, int n, size_t offset, double *v)
{
    for (int i = 0; i < n; i++)
        v[i] = *(const double *)((const char *)&links[i] + offset);
    return value_of(v, n).value;
}

static struct result_value middle(const struct result_link *links, int n, size_t offset, double *v)
{
    return (struct result_value){median(links, n, offset + offsetof(struct result_value, value), v),
                                 median(links, n, offset + offsetof(struct result_value, low), v),
                                 median(links, n, offset + offsetof(struct result_value, high), v)};
}

static int phases_of(const struct probe *p, size_t floats)
{
    return floats * (size_t)p->comm->size <= COMM_WHOLE ? 1 : 2;
}

/* alpha and c from the links and the smallest sum. */
static void split_small(struct probe *p)
{
    struct result_transport *r = p->r;
    const double others = p->comm->size - 1;
    const struct result_value *small = &r->sum[0].seconds;
    const int phases = r->sum[0].phases;
    const double most = small->value / phases / others;

    if (r->alpha.value > most) {
        const double part = most / r->alpha.value;
        r->alpha = (struct result_value){most, r->alpha.low * part, fmin(r->alpha.high, most)};
    }
    r->software = (struct result_value){fmax(0, small->value / phases - others * r->alpha.value),
                                        fmax(0, small->low / phases - others * r->alpha.high),
                                        fmax(0, small->high / phases - others * r->alpha.low)};
}

static int keep_links(struct probe *p, struct result_link *links, int n, struct err *e)
{
    struct result_transport *r = p->r;
    double *v = malloc(((size_t)n + 1) * sizeof *v);

    if (!v || n == 0) {
        free(v);
        return v ? 0 : err_set(e, "out of memory for the speeds of %d links", n);
    }
    qsort(links, (size_t)n, sizeof *links, slowest_first);
    r->alpha = middle(links, n, offsetof(struct result_link, alpha), v);
    r->rate = middle(links, n, offsetof(struct result_link, rate), v);
    free(v);
    r->links = n;
    r->n_links = n < RESULT_LINKS ? n : RESULT_LINKS;
    for (int i = 0; i < r->n_links; i++)
        r->link[i] = links[i];
    split_small(p);
    return 0;
}

/* Links of all who measured some, to rank 0. */
static int gather_links(struct probe *p, struct err *e)
{
    struct comm *c = p->comm;
    const bool here = c->rank == 0;
    struct result_link own[PEERS], *all = NULL;
    size_t *counts = here ? calloc((size_t)c->size, sizeof *counts) : NULL;
    int n = 0, total = 0;

    for (int i = 0; i < p->peers; i++)
        if (partner(p, i) >= 0)
            own[n++] = link_of(p, i);
    if (here)
        all = calloc((size_t)(p->nodes * p->peers) + 1, sizeof *all);
    for (int i = 0; counts && i < p->nodes; i++) {
        const struct probe other = {.nodes = p->nodes, .own = i};
        int has = 0;
        for (int k = 0; k < p->peers; k++)
            has += partner(&other, k) >= 0;
        counts[p->leader[i]] = (size_t)has * sizeof *all;
        total += has;
    }
    int rc = comm_agree(
        c, here && (!all || !counts) ? err_set(e, "out of memory for the speeds of links") : 0, e);
    if (rc == 0)
        rc = c->gatherv(c, own, (size_t)n * sizeof *own, all, counts, e);
    if (rc == 0)
        rc = comm_agree(c, here ? keep_links(p, all, total, e) : 0, e);
    free(all);
    free(counts);
    return rc;
}

/* Mean of the two least of `ranks` readings: of the rank that started last and of the one
 * before it (transport.h). */
static double two_least(const double (*all)[RESULT_SUMS][MOST_ROUNDS], int ranks, int size,
                        int round)
{
    double least = INFINITY, second = INFINITY;

    for (int i = 0; i < ranks; i++) {
        const double v = all[i][size][round];
        second = fmin(second, fmax(least, v));
        least = fmin(least, v);
    }
    return (least + second) / 2;
}

static void keep_sums(struct probe *p, const double (*all)[RESULT_SUMS][MOST_ROUNDS])
{
    for (int i = 0; i < RESULT_SUMS; i++) {
        for (int k = 0; k < p->r->rounds; k++)
            p->sum[i][k] = two_least(all, p->comm->size, i, k);
        p->r->sum[i] =
            (struct result_sum){(double)(p->sum_floats[i] * sizeof(float)),
                                phases_of(p, p->sum_floats[i]), value_of(p->sum[i], p->r->rounds)};
    }
}

/* Sums of all ranks, to rank 0. */
static int gather_sums(struct probe *p, struct err *e)
{
    struct comm *c = p->comm;
    const bool here = c->rank == 0;
    size_t *counts = here ? calloc((size_t)c->size, sizeof *counts) : NULL;
    double(*all)[RESULT_SUMS][MOST_ROUNDS] = here ? calloc((size_t)c->size, sizeof *all) : NULL;

    for (int i = 0; counts && i < c->size; i++)
        counts[i] = sizeof *all;
    int rc = comm_agree(c,
                        here && (!all || !counts)
                            ? err_set(e, "out of memory for the sums of %d ranks", c->size)
                            : 0,
                        e);
    if (rc == 0)
        rc = c->gatherv(c, p->sum, sizeof p->sum, all, counts, e);
    if (rc == 0 && here)
        keep_sums(p, all);
    free(all);
    free(counts);
    return rc;
}

int transport_run(const struct transport *t, struct result_transport *r, struct err *e)
{
    struct comm *c = t->host->comm;
    struct probe p = {.t = t, .comm = c, .r = r};
    const int nodes = c->size > 1 && c->echo ? count_nodes(c) : 0;
    int rc;

    *r = (struct result_transport){.rounds = 0};
    if (nodes < 2)
        return refuse(&p, c->size == 1 ? "one rank alone exchanges nothing"
                                       : "the ranks of one node share memory");
    choose_nodes(&p, nodes);
    const int rounds = plan(&p, e);
    if (rounds <= 0)
        return rounds;
    p.buf = c->alloc(c, most_floats(&p) * sizeof *p.buf, NULL);
    double lacks = !p.buf;
    rc = c->reduce(c, &lacks, 1, COMM_MAX, e);
    if (rc == 0 && lacks > 0)
        refuse(&p, "a rank has no memory for it");
    if (rc == 0 && !r->reason[0])
        rc = measure(&p, rounds, e);
    if (rc == 0 && !r->reason[0])
        rc = gather_sums(&p, e);
    if (rc == 0 && !r->reason[0])
        rc = gather_links(&p, e);
    if (r->reason[0])
        r->rounds = 0;
    c->free(c, p.buf);
    return rc;
}
