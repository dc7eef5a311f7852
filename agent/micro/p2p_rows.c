/* SPDX-License-Identifier: BSD-3-Clause */
/* Rows of p2p, on rank 0: every link, all of them together, and what each node is
 * worth as a sender and as a receiver. */
#include <config.h>

#include "agent/micro/p2p.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "workloads/micro/polish.h"
#include "workloads/micro/sample.h"

/* ---- ends ---- */

int p2p_ends(const struct micro_host *h, struct ends *ends, struct err *e)
{
    int size = h->comm->size, nodes = 0;

    *ends = (struct ends){.own = -1};
    ends->rank = malloc((size_t)size * sizeof *ends->rank);
    if (comm_agree(h->comm, ends->rank ? 0 : err_set(e, "out of memory for the links"), e) < 0) {
        p2p_ends_fini(ends);
        return -1;
    }
    for (int i = 0; i < size; i++) {
        /* nodes are numbered in the order of their first ranks */
        if (h->n_nodes > 1 && h->node_of(h->ctx, i) != nodes)
            continue;
        nodes++;
        if (i == h->comm->rank)
            ends->own = ends->n;
        ends->rank[ends->n++] = i;
    }
    return 0;
}

void p2p_ends_fini(struct ends *ends)
{
    free(ends->rank);
    ends->rank = NULL;
}

/* ---- what all have measured ---- */

struct table {
    const struct micro_host *h;
    const struct ends *ends;
    struct link *links; /* [n * n]: of end i towards j; to -1: none */
    double *rates;      /* [n * n]: median bandwidth, NAN none */
    double *room;
};

static struct link *link_of(const struct table *t, int i, int j)
{
    return &t->links[(size_t)i * (size_t)t->ends->n + (size_t)j];
}

/* All links on rank 0. */
static int gather(const struct micro_host *h, const struct ends *ends, const struct link *own,
                  struct link **all, struct err *e)
{
    struct comm *c = h->comm;
    size_t n = (size_t)ends->n, bytes = n * sizeof *own;
    size_t *counts = c->rank == 0 ? calloc((size_t)c->size, sizeof *counts) : NULL;
    int rc;

    *all = c->rank == 0 ? malloc(n * bytes) : NULL;
    rc = c->rank == 0 && (!counts || !*all) ? err_set(e, "out of memory for the links") : 0;
    rc = comm_agree(c, rc, e);
    for (int i = 0; rc == 0 && c->rank == 0 && i < ends->n; i++)
        counts[ends->rank[i]] = bytes;
    if (rc == 0)
        rc = c->gatherv(c, own, ends->own < 0 ? 0 : bytes, *all, counts, e);
    free(counts);
    return rc;
}

/* ---- rows ---- */

static const char *node_name(const struct table *t, int end)
{
    return t->h->node_name ? t->h->node_name(t->h->ctx, t->ends->rank[end]) : "?";
}

static void head(const struct table *t, struct micro_row *r, const char *what, const char *unit,
                 bool more_is_better)
{
    struct measure none = unmeasured("made of other rows");

    *r = (struct micro_row){.ranks = t->ends->n,
                            .threads = 1,
                            .checked = true,
                            .more_is_better = more_is_better,
                            .slowest_rank = -1};
    snprintf(r->name, sizeof r->name, "p2p");
    snprintf(r->what, sizeof r->what, "%s", what);
    snprintf(r->unit, sizeof r->unit, "%s", unit);
    snprintf(r->direction, sizeof r->direction, "none");
    r->median = r->p95 = r->p99 = r->best = r->slowest = none;
    r->run_delay = r->throttled_seconds = r->foreign_cores = r->clock_hertz = r->celsius = none;
    r->algbw = r->busbw = unmeasured("not a collective");
}

/* The names of both ends; on one node which ranks they are. */
static void name_ends(const struct table *t, struct micro_row *r, int from, int to)
{
    const char *message = strcmp(r->what, "latency") == 0 ? "8 B" : "1 MiB";
    char a[24] = "", b[32] = "";

    if (t->h->n_nodes > 1) {
        snprintf(r->from, sizeof r->from, "%s", from >= 0 ? node_name(t, from) : "");
        snprintf(r->to, sizeof r->to, "%s", to >= 0 ? node_name(t, to) : "");
        snprintf(r->shape, sizeof r->shape, "%s", message);
        return;
    }
    if (from >= 0)
        snprintf(a, sizeof a, "rank %d", t->ends->rank[from]);
    if (to >= 0)
        snprintf(b, sizeof b, "%srank %d", from >= 0 ? " > " : "", t->ends->rank[to]);
    snprintf(r->shape, sizeof r->shape, "%s%s", a, b);
}

static struct measure number(double v, const char *why)
{
    return isfinite(v) ? measured(v) : unmeasured(why);
}

static void conditions(struct micro_row *r, const struct condition *c)
{
    r->run_delay = number(c->delay / c->wall, "the kernel keeps no schedstat");
    r->throttled_seconds = number(c->throttled, "no cgroup tells it");
    r->foreign_cores = unmeasured("the partner's are not known");
    r->clock_hertz = number(c->hertz, "the system shows no clock");
    r->celsius = number(c->celsius, "the system shows no temperature");
}

/* Hands a row with these samples over. */
static int put(const struct table *t, struct micro_row *r, const struct micro_part *part,
               const double *samples, struct err *e)
{
    r->samples = malloc((size_t)part->n * sizeof *r->samples + 1);
    r->parts = malloc(sizeof *r->parts);
    if (!r->samples || !r->parts) {
        micro_row_fini(r);
        return err_set(e, "out of memory for the links");
    }
    memcpy(r->samples, samples, (size_t)part->n * sizeof *samples);
    *r->parts = *part;
    r->n_samples = part->n;
    r->n_parts = 1;
    if (sample_summarise(r, "no sample was taken") < 0) {
        micro_row_fini(r);
        return err_set(e, "out of memory for the links");
    }
    return t->h->row(t->h->ctx, r, e);
}

static int put_link(const struct table *t, int i, int j, bool bandwidth, struct err *e)
{
    const struct link *l = link_of(t, i, j);
    int rank = t->ends->rank[i];
    struct micro_part part = {rank, t->h->node_of ? t->h->node_of(t->h->ctx, rank) : 0,
                              bandwidth ? l->n_bandwidth : l->n_latency};
    struct micro_row r;
    int64_t wrong = l->wrong + (bandwidth ? 0 : link_of(t, j, i)->wrong);

    if (part.n == 0)
        return 0;
    head(t, &r, bandwidth ? "bandwidth" : "latency", bandwidth ? "B/s" : "s", bandwidth);
    name_ends(t, &r, i, j);
    r.ranks = 2;
    r.bytes = bandwidth ? 1 << 20 : 8;
    conditions(&r, &l->sum);
    if (bandwidth) /* who received tells */
        wrong = link_of(t, j, i)->wrong;
    if (wrong) {
        r.status = MICRO_FAULTY;
        snprintf(r.reason, sizeof r.reason, "%lld bytes or words arrived wrong", (long long)wrong);
    }
    return put(t, &r, &part, bandwidth ? l->bandwidth : l->latency, e);
}

static int put_links(const struct table *t, struct err *e)
{
    for (int i = 0; i < t->ends->n; i++)
        for (int j = 0; j < t->ends->n; j++) {
            if (i == j || link_of(t, i, j)->to < 0)
                continue;
            if (put_link(t, i, j, true, e) < 0 || (i < j && put_link(t, i, j, false, e) < 0))
                return -1;
        }
    return 0;
}

/* The links together: their medians are the samples. */
static int put_all(const struct table *t, bool bandwidth, struct err *e)
{
    struct micro_part part = {-1, -1, 0};
    struct micro_row r;
    int n = t->ends->n;

    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) {
            struct link *l = link_of(t, i, j);
            int count = bandwidth ? l->n_bandwidth : l->n_latency;
            if (i == j || l->to < 0 || count == 0)
                continue;
            double copy[LINK_SAMPLES];
            memcpy(copy, bandwidth ? l->bandwidth : l->latency, sizeof copy);
            t->room[part.n++] = sample_median(copy, count);
        }
    head(t, &r, bandwidth ? "bandwidth" : "latency", bandwidth ? "B/s" : "s", bandwidth);
    snprintf(r.shape, sizeof r.shape, "%d %s", part.n, bandwidth ? "links" : "pairs");
    r.bytes = bandwidth ? 1 << 20 : 8;
    return put(t, &r, &part, t->room, e);
}

/* ---- who is slow ---- */

static void fill_rates(struct table *t)
{
    int n = t->ends->n;

    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) {
            const struct link *l = link_of(t, i, j);
            double copy[LINK_SAMPLES];
            memcpy(copy, l->bandwidth, sizeof copy);
            t->rates[i * n + j] = i != j && l->to >= 0 ? sample_median(copy, l->n_bandwidth) : NAN;
        }
}

/* What the rate of a link is known to from its own samples: in the middle of the links,
 * so that the noisy ones do not excuse all. */
static double link_noise(const struct table *t)
{
    int n = t->ends->n, count = 0;
    double room[LINK_SAMPLES];

    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) {
            const struct link *l = link_of(t, i, j);
            double noise =
                i != j && l->to >= 0 ? polish_noise(l->bandwidth, l->n_bandwidth, room) : NAN;
            if (isfinite(noise))
                t->room[count++] = noise;
        }
    return count ? sample_median(t->room, count) : 0;
}

/* One node as sender or receiver. named: it stands out, NULL: not. */
static int put_end(const struct table *t, int end, bool sends, double rate,
                   const struct polish_end *named, struct err *e)
{
    struct micro_row r;

    head(t, &r, sends ? "sends" : "receives", "B/s", true);
    name_ends(t, &r, sends ? end : -1, sends ? -1 : end);
    r.bytes = 1 << 20;
    r.median = number(rate, "it met nobody");
    if (named) {
        r.status = MICRO_SLOW;
        snprintf(r.reason, sizeof r.reason,
                 "%s %s slowly: %.0f MB/s, %.2f of the others' rate; below %.2f is more than their "
                 "spread",
                 t->h->n_nodes > 1 ? node_name(t, end) : r.shape, sends ? "sends" : "receives",
                 rate / 1e6, exp(-named->loss), exp(-named->limit));
    }
    return t->h->row(t->h->ctx, &r, e);
}

static const struct polish_end *find_named(const struct polish_end *ends, int n, int node,
                                           bool sends)
{
    for (int i = 0; i < n; i++)
        if (ends[i].node == node && ends[i].sends == sends)
            return &ends[i];
    return NULL;
}

static int put_ends(const struct table *t, struct err *e)
{
    int n = t->ends->n, rc = -1, found;
    struct polish_end *named = malloc(2 * (size_t)n * sizeof *named);
    double all, *send = t->room, *receive = t->room + n, *logs = t->room + 2 * n;

    if (!named || (found = polish_name(t->rates, n, link_noise(t), named)) < 0) {
        free(named);
        return err_set(e, "out of memory for the links");
    }
    for (int i = 0; i < n * n; i++)
        logs[i] = log(t->rates[i]);
    if (polish_fit(logs, n, &all, send, receive) == 0)
        rc = 0;
    for (int i = 0; i < n && rc == 0; i++) {
        rc = put_end(t, i, true, exp(all + send[i]), find_named(named, found, i, true), e);
        if (rc == 0)
            rc = put_end(t, i, false, exp(all + receive[i]), find_named(named, found, i, false), e);
    }
    free(named);
    return rc;
}

static int put_rows(struct table *t, struct err *e)
{
    size_t n = (size_t)t->ends->n, cells = n * n;

    t->rates = malloc((2 * cells + 2 * n + 1) * sizeof *t->rates);
    if (!t->rates)
        return err_set(e, "out of memory for the links");
    t->room = t->rates + cells;
    fill_rates(t);
    int rc = put_all(t, true, e) < 0 || put_all(t, false, e) < 0 || put_ends(t, e) < 0 ||
                     put_links(t, e) < 0
                 ? -1
                 : 0;
    free(t->rates);
    return rc;
}

int p2p_rows(const struct micro_host *h, const struct ends *ends, const struct link *links,
             struct err *e)
{
    struct table t = {.h = h, .ends = ends};
    int rc = gather(h, ends, links, &t.links, e);

    if (rc == 0 && h->comm->rank == 0)
        rc = put_rows(&t, e);
    free(t.links);
    return comm_agree(h->comm, rc, e);
}

int p2p_no_link(const struct micro_host *h, struct err *e)
{
    const struct ends none = {0};
    struct table t = {.h = h, .ends = &none};
    struct micro_row r;
    int rc = 0;

    head(&t, &r, "bandwidth", "B/s", true);
    r.status = MICRO_SKIPPED;
    snprintf(r.shape, sizeof r.shape, "none");
    snprintf(r.reason, sizeof r.reason, "there is one rank, and so no link");
    if (h->comm->rank == 0)
        rc = h->row(h->ctx, &r, e);
    return comm_agree(h->comm, rc, e);
}
