/* SPDX-License-Identifier: BSD-3-Clause */
/* Pairs meet in rounds and measure; p2p_rows.c makes rows of it. */
#include <config.h>

#include "agent/micro/p2p.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "workloads/micro/sample.h"

enum { MESSAGE = 1 << 20, WINDOW = 8, TAG_WORD = 1, TAG_DATA = 2, LEAST_TRIPS = 20, PAGE = 4096 };

/* A batch of round trips, and the most messages of a sample: a tenth of a second of
 * 160 GB/s, so that the floor of time holds on every link. */
static const double batch_seconds = 0.005;
static const long most_messages = 1 << 14;

/* What sample_order() draws: the order of the rounds in a pass. */
enum { ORDER_ROUNDS = 1 << 20 };

struct p2p {
    const struct micro_host *h;
    MPI_Comm mpi;
    struct ends ends;
    struct link *links; /* of this end: [partner] */
    unsigned char *out, *in;
};

/* ---- messages ---- */

/* Blocking calls, as nothing else has a library's own latency; meet() brackets them. */
static int send_word(struct p2p *p, int peer, int64_t word, struct err *e)
{
    return MPI_Send(&word, sizeof word, MPI_BYTE, peer, TAG_WORD, p->mpi) == MPI_SUCCESS
               ? 0
               : err_set(e, "MPI_Send failed");
}

static int receive_word(struct p2p *p, int peer, int64_t *word, struct err *e)
{
    return MPI_Recv(word, sizeof *word, MPI_BYTE, peer, TAG_WORD, p->mpi, MPI_STATUS_IGNORE) ==
                   MPI_SUCCESS
               ? 0
               : err_set(e, "MPI_Recv failed");
}

/* Byte k of what an end sends. */
static unsigned char pattern(int rank, size_t k)
{
    return (unsigned char)(k * 31 + k / 4096 + (size_t)rank * 7 + 1);
}

static void fill(struct p2p *p)
{
    for (size_t k = 0; k < (size_t)MESSAGE * WINDOW; k++)
        p->out[k] = pattern(p->h->comm->rank, k);
}

static long count_wrong(const struct p2p *p, int peer, int messages)
{
    long wrong = 0;

    for (size_t k = 0; k < (size_t)MESSAGE * (size_t)messages; k++)
        wrong += p->in[k] != pattern(peer, k);
    return wrong;
}

/* One window of messages, out or in. */
static int window(struct p2p *p, int peer, bool sends, int n, struct err *e)
{
    MPI_Request q[WINDOW];
    MPI_Status done[WINDOW]; /* gcc takes MPICH's MPI_STATUSES_IGNORE for an array of none */

    for (int i = 0; i < n; i++) {
        size_t at = (size_t)i * MESSAGE;
        int code = sends ? MPI_Isend(p->out + at, MESSAGE, MPI_BYTE, peer, TAG_DATA, p->mpi, &q[i])
                         : MPI_Irecv(p->in + at, MESSAGE, MPI_BYTE, peer, TAG_DATA, p->mpi, &q[i]);
        if (code != MPI_SUCCESS)
            return err_set(e, "MPI_I%s failed", sends ? "send" : "recv");
    }
    return MPI_Waitall(n, q, done) == MPI_SUCCESS ? 0 : err_set(e, "MPI_Waitall failed");
}

/* ---- one pair ---- */

/* Half a round trip, by the lower end; the other answers. */
static int latency(struct p2p *p, int peer, bool lower, struct link *l, bool keep, struct err *e)
{
    int64_t word = l->trips;

    if (lower ? send_word(p, peer, word, e) < 0 : receive_word(p, peer, &word, e) < 0)
        return -1;
    long trips = (long)word;
    double begin = p->h->now();
    for (long t = 0; t < trips; t++) {
        word = t;
        if (lower && (send_word(p, peer, word, e) < 0 || receive_word(p, peer, &word, e) < 0))
            return -1;
        if (!lower && (receive_word(p, peer, &word, e) < 0 || send_word(p, peer, word, e) < 0))
            return -1;
        l->wrong += word != t;
    }
    double took = p->h->now() - begin;
    if (!lower)
        return 0;
    if (keep)
        l->latency[l->n_latency++] = took / (double)trips / 2;
    else
        l->trips = (int32_t)fmax(LEAST_TRIPS, fmin(1e6, batch_seconds / took * (double)trips));
    return 0;
}

static int send_all(struct p2p *p, int peer, long messages, struct err *e)
{
    for (long left = messages; left > 0; left -= WINDOW)
        if (window(p, peer, true, left < WINDOW ? (int)left : WINDOW, e) < 0)
            return -1;
    return 0;
}

static int receive_all(struct p2p *p, int peer, long messages, struct err *e)
{
    for (long left = messages; left > 0; left -= WINDOW)
        if (window(p, peer, false, left < WINDOW ? (int)left : WINDOW, e) < 0)
            return -1;
    return 0;
}

/* So many are sent before the clock runs: the first pay for pages and caches. */
static long untimed(long messages)
{
    return messages / 8;
}

/* Announces messages, sends them, hears that they are there. */
static int send_timed(struct p2p *p, int peer, long messages, double *rate, struct err *e)
{
    int64_t word = messages;

    if (send_word(p, peer, word, e) < 0 || send_all(p, peer, untimed(messages), e) < 0)
        return -1;
    double begin = p->h->now();
    if (send_all(p, peer, messages, e) < 0 || receive_word(p, peer, &word, e) < 0)
        return -1;
    *rate = (double)messages * MESSAGE / (p->h->now() - begin);
    return 0;
}

/* How many messages a sample has: from one on, as the first are slower by far. */
static int find_messages(struct p2p *p, int peer, struct link *l, struct err *e)
{
    double rate;
    long n;

    l->messages = 1;
    do {
        n = l->messages;
        if (send_timed(p, peer, n, &rate, e) < 0)
            return -1;
        l->messages = (int32_t)fmax(
            (double)n, fmin((double)most_messages, ceil(rate * p->h->floor_seconds / MESSAGE)));
    } while (l->messages > 4 * n);
    return send_word(p, peer, 0, e);
}

static int bandwidth_out(struct p2p *p, int peer, struct link *l, bool keep, struct err *e)
{
    if (!keep)
        return find_messages(p, peer, l, e);
    return send_timed(p, peer, l->messages, &l->bandwidth[l->n_bandwidth++], e);
}

/* Of one announcement; *announced 0: it was the last. */
static int receive_announced(struct p2p *p, int peer, struct link *l, long *announced,
                             struct err *e)
{
    int64_t word;

    memset(p->in, 0, (size_t)MESSAGE * WINDOW); /* before the sender's clock runs */
    if (receive_word(p, peer, &word, e) < 0)
        return -1;
    if (word < 0 || word > most_messages)
        return err_set(e, "rank %d announced %lld messages", peer, (long long)word);
    *announced = (long)word;
    if (word == 0)
        return 0;
    if (receive_all(p, peer, untimed(*announced), e) < 0 ||
        receive_all(p, peer, *announced, e) < 0 || send_word(p, peer, word, e) < 0)
        return -1;
    l->wrong += count_wrong(p, peer, word < WINDOW ? (int)word : (int)((word - 1) % WINDOW + 1));
    return 0;
}

static int bandwidth_in(struct p2p *p, int peer, struct link *l, bool keep, struct err *e)
{
    long announced;

    do {
        if (receive_announced(p, peer, l, &announced, e) < 0)
            return -1;
    } while (!keep && announced > 0);
    return 0;
}

/* The pair's three measurements, lower end first. */
static int meet(struct p2p *p, int partner, bool keep, struct err *e)
{
    struct link *l = &p->links[partner];
    int peer = p->ends.rank[partner];
    bool lower = p->ends.own < partner;
    struct condition before, after;

    l->to = partner;
    condition_read(&before, p->h->now());
    if (p->h->blocking)
        p->h->blocking(p->h->ctx, "messages between two nodes");
    int rc = latency(p, peer, lower, l, keep, e);
    for (int turn = 0; turn < 2 && rc == 0; turn++)
        rc = lower == (turn == 0) ? bandwidth_out(p, peer, l, keep, e)
                                  : bandwidth_in(p, peer, l, keep, e);
    if (p->h->blocking)
        p->h->blocking(p->h->ctx, NULL);
    condition_read(&after, p->h->now());
    if (keep)
        condition_add(&l->sum, &before, &after);
    return rc;
}

/* ---- passes ---- */

/* All pairs of a round at once, or, with turns, one after the other. */
static int one_round(struct p2p *p, int round, bool keep, struct err *e)
{
    const struct micro_host *h = p->h;
    int own = p->ends.own, rc = 0;
    int partner = own < 0 ? -1 : pairs_partner(own, round, p->ends.n, h->seed);

    for (int i = 0; i < (h->turns ? p->ends.n : 1); i++) {
        if (h->turns && pairs_partner(i, round, p->ends.n, h->seed) < i)
            continue; /* has had its turn, or rests */
        if (h->comm->barrier(h->comm, e) < 0)
            return -1;
        bool mine = !h->turns || own == i || partner == i;
        if (rc == 0 && partner >= 0 && mine)
            rc = meet(p, partner, keep, e);
    }
    return comm_agree(h->comm, rc, e);
}

static int one_pass(struct p2p *p, int pass, int *order, struct err *e)
{
    int rounds = pairs_rounds(p->ends.n);

    sample_order(order, rounds, p->h->seed, ORDER_ROUNDS, (uint32_t)pass);
    for (int i = 0; i < rounds; i++)
        if (one_round(p, order[i], pass > 0, e) < 0)
            return -1;
    return 0;
}

static int all_passes(struct p2p *p, int *done, struct err *e)
{
    int samples = p->h->samples < LINK_SAMPLES ? p->h->samples : LINK_SAMPLES, rc = 0;
    int *order = malloc((size_t)(pairs_rounds(p->ends.n) + 1) * sizeof *order);
    bool over = false;

    if (comm_agree(p->h->comm, order ? 0 : err_set(e, "out of memory for the pairs"), e) < 0)
        rc = -1;
    for (int pass = 0; pass <= samples && rc == 0; pass++) {
        if ((rc = harness_over(p->h, &over, e)) < 0 || over)
            break;
        if (p->h->count)
            p->h->count(p->h->ctx, "p2p", (uint64_t)pass, (uint64_t)samples);
        rc = one_pass(p, pass, order, e);
        *done += rc == 0 && pass > 0;
    }
    free(order);
    return rc;
}

static int open_p2p(struct p2p *p, struct err *e)
{
    size_t bytes = (size_t)MESSAGE * WINDOW;

    p->links = calloc((size_t)p->ends.n, sizeof *p->links);
    p->out = aligned_alloc(PAGE, bytes);
    p->in = aligned_alloc(PAGE, bytes);
    int rc = !p->links || !p->out || !p->in ? err_set(e, "out of memory for messages") : 0;
    if (comm_agree(p->h->comm, rc, e) < 0)
        return -1;
    for (int i = 0; i < p->ends.n; i++)
        p->links[i] =
            (struct link){.to = -1, .trips = LEAST_TRIPS, .messages = 1, .sum = condition_none()};
    fill(p);
    rc = MPI_Comm_dup(MPI_COMM_WORLD, &p->mpi) == MPI_SUCCESS ? 0
                                                              : err_set(e, "MPI_Comm_dup failed");
    return comm_agree(p->h->comm, rc, e);
}

static void plan(const struct micro_host *h, struct micro_plan *plan)
{
    int n = h->n_nodes > 1 ? h->n_nodes : h->comm->size, rounds = pairs_rounds(n);
    double seconds = 2 * h->floor_seconds + 2 * batch_seconds;

    *plan = (struct micro_plan){.rows = h->samples, .memory_bytes = 2 * MESSAGE * WINDOW};
    plan->expected_seconds =
        1.3 * (h->samples + 1) * rounds * seconds * (h->turns ? fmax(1, n / 2) : 1);
    snprintf(plan->title, sizeof plan->title,
             "latency and bandwidth of %d links of %d %s, %d samples each", n < 2 ? 0 : n * rounds,
             n, h->n_nodes > 1 ? "nodes" : "ranks", h->samples);
}

static int run(const struct micro_host *h, int *done, struct err *e)
{
    struct p2p p = {.h = h, .mpi = MPI_COMM_NULL};

    if (p2p_ends(h, &p.ends, e) < 0)
        return -1;
    if (p.ends.n < 2) {
        p2p_ends_fini(&p.ends);
        *done = h->samples;
        return p2p_no_link(h, e);
    }
    int rc = open_p2p(&p, e);
    if (rc == 0)
        rc = all_passes(&p, done, e);
    if (rc == 0)
        rc = p2p_rows(h, &p.ends, p.links, e);
    if (rc == 0) { /* else messages may be under way */
        MPI_Comm_free(&p.mpi);
        free(p.out);
        free(p.in);
    }
    free(p.links);
    p2p_ends_fini(&p.ends);
    return rc;
}

const struct micro_bench micro_p2p = {plan, run};
