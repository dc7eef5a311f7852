/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "agent/series.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "agent/comm/comm_mpi.h"
#include "agent/run.h"

void series_begin(struct series *s)
{
    series_fini(s);
}

void series_fini(struct series *s)
{
    steps_keep_fini(&s->keep);
    *s = (struct series){.begun = false};
}

/* ---- while it trains ---- */

static double known(float after, bool is)
{
    return is ? (double)after : NAN;
}

/* A step as the file has it. */
static struct steps_row file_row(const struct steps_epoch *epoch, long k)
{
    const struct step_row *row = &epoch->steps->row[k];
    struct steps_row to = {
        .step = (double)(epoch->before + k),
        .begin = row->begin,
        .agree = (double)row->agree,
        .other = (double)row->other,
        .input = (double)row->input,
        .own = (double)row->own,
        .exchange_cpu = (double)row->lib,
        .met = (double)row->met,
        .withheld = (double)row->withheld,
        .tail = (double)row->tail,
        .late = (double)row->late,
        .length = (double)row->length,
        .last_ready = steps_ready(epoch->pack, epoch->packed[k]) - row->begin,
        .last_rank = steps_last(epoch->packed[k]),
        .buckets = row->waits,
        .queue = row->ready,
        .reading = row->reading,
        .inflating = row->inflating,
        .converting = row->converting,
    };

    for (int b = 0; b < STEPS_MAX_BUCKETS; b++) {
        const bool there = b < row->waits;
        to.start[b] = known(row->start[b], there && row->start[b] > 0);
        to.half[b] = known(row->half_of[b], there && row->half_of[b] > 0);
        to.wait_begin[b] = known(row->wait[b][0], there);
        to.wait_end[b] = known(row->wait[b][1], there);
    }
    return to;
}

static int most_waits(const struct steps *s)
{
    int most = 0;

    for (long k = 0; k < s->n; k++)
        most = s->row[k].waits > most ? s->row[k].waits : most;
    return most;
}

static int keep_epoch(struct series *s, const struct steps_epoch *epoch)
{
    const long n = epoch->steps->n;
    double *length = calloc((size_t)n + 1, sizeof *length);
    bool *near = calloc((size_t)n + 1, sizeof *near);
    int rc = length && near ? 0 : -1;

    for (long k = 0; rc == 0 && k < n; k++)
        length[k] = (double)epoch->steps->row[k].length;
    if (rc == 0)
        rc = steps_near_stalls(length, n, near);
    for (long k = 0; rc == 0 && k < n; k++)
        if (steps_keep_wants(&s->keep, epoch->before + k, near[k])) {
            const struct steps_row row = file_row(epoch, k);
            rc = steps_keep_add(&s->keep, epoch->epoch, &row, near[k]);
        }
    free(length);
    free(near);
    return rc;
}

void series_epoch(struct series *s, const struct steps_epoch *epoch)
{
    if (!s->begun) {
        steps_keep_init(&s->keep, most_waits(epoch->steps));
        s->begun = true;
    }
    s->epochs++;
    s->steps_per_epoch =
        epoch->steps->n > s->steps_per_epoch ? epoch->steps->n : s->steps_per_epoch;
    if (!s->failed && keep_epoch(s, epoch) < 0)
        s->failed = true;
}

/* ---- at its end ---- */

/* The ranks whose steps are collected, the same list on all. */
struct chosen {
    int n, rank[STEPS_RANKS_KEPT];
};

static bool has(const struct chosen *c, int rank)
{
    for (int i = 0; i < c->n; i++)
        if (c->rank[i] == rank)
            return true;
    return false;
}

static int choose(struct run *r, int at, struct chosen *c, struct err *e)
{
    const struct record_workload *w = r->comm->rank == 0 ? &r->record.workloads[at] : NULL;
    double *own = w ? malloc(((size_t)w->n_ranks + 1) * sizeof *own) : NULL;

    *c = (struct chosen){.n = 0};
    for (int i = 0; own && i < w->n_ranks; i++) {
        const double *p = w->ranks[i].phase_seconds;
        own[i] = p[PHASE_COMPUTE] + p[PHASE_WITHHELD] + p[PHASE_INPUT_WAIT];
    }
    if (own)
        c->n = steps_choose_ranks(own, w->n_ranks, c->rank);
    c->n = c->n > 0 ? c->n : 0;
    free(own);
    return r->comm->broadcast(r->comm, c, sizeof *c, 0, e);
}

/* This rank's blocks, each a struct steps_block and its bytes behind it. */
struct parcel {
    char *bytes;
    size_t n;
    double packed; /* bytes of blocks: what the file will have of it */
};

static int add_block(struct parcel *p, const struct steps_block *b, const void *bytes)
{
    char *more = realloc(p->bytes, p->n + sizeof *b + b->bytes);

    if (!more)
        return -1;
    memcpy(more + p->n, b, sizeof *b);
    memcpy(more + p->n + sizeof *b, bytes, b->bytes);
    *p = (struct parcel){more, p->n + sizeof *b + b->bytes, p->packed + (double)b->bytes + 16};
    return 0;
}

static int pack_all(const struct run *r, struct parcel *p)
{
    struct steps_block b = {.rank = r->comm->rank};
    int at = 0, rc;
    void *bytes;

    snprintf(b.node, sizeof b.node, "%s", comm_mpi_node(r->comm, r->comm->rank));
    while ((rc = steps_keep_pack(&r->series.keep, &at, &b, &bytes, NULL)) > 0) {
        rc = add_block(p, &b, bytes);
        free(bytes);
        if (rc < 0)
            break;
    }
    return rc;
}

/* Packs what this rank has, if it is one of those chosen; collective because windows go
 * on all ranks until the longest parcel is within its share of the file. *good: false
 * when a rank has no memory. */
static int pack_within(struct run *r, struct chosen *c, struct parcel *p, bool *good, struct err *e)
{
    const double all = 0.98 * STEPS_MAX_BYTES / r->spec.n_workloads;

    for (;;) {
        double most[2] = {0, 0};
        free(p->bytes);
        *p = (struct parcel){NULL, 0, 0};
        if (has(c, r->comm->rank) && pack_all(r, p) < 0)
            most[1] = 1;
        most[0] = p->packed;
        if (r->comm->reduce(r->comm, most, 2, COMM_MAX, e) < 0)
            return -1;
        *good = most[1] == 0;
        if (!*good || most[0] * c->n <= all)
            return 0;
        if (!steps_keep_thin(&r->series.keep)) {
            for (int i = 0; 2 * i < c->n; i++)
                c->rank[i] = c->rank[2 * i];
            c->n = c->n > 1 ? (c->n + 1) / 2 : 0; /* one is too long: none */
        }
    }
}

/* Blocks of all parcels, on rank 0. */
static int unpack(struct steps_set *set, int workload, const char *bytes, size_t n)
{
    struct steps_block b;

    for (size_t at = 0; at + sizeof b <= n; at += sizeof b + b.bytes) {
        memcpy(&b, bytes + at, sizeof b);
        b.workload = workload;
        if (steps_set_block(set, &b, bytes + at + sizeof b) < 0)
            return -1;
    }
    return 0;
}

/* Rank 0: the workload's part of the file, from what came. */
static int store(struct run *r, int at, const char *bytes, size_t n)
{
    const struct series *s = &r->series;
    struct steps_workload w = {.ranks = r->comm->size,
                               .buckets = s->keep.buckets,
                               .epochs = s->epochs,
                               .steps_per_epoch = s->steps_per_epoch,
                               .window = STEPS_WINDOW,
                               .stride = s->keep.stride};

    snprintf(w.name, sizeof w.name, "%s", r->record.workloads[at].result.name);
    if (!r->record.steps && !(r->record.steps = steps_set_create()))
        return -1;
    const int workload = steps_set_workload(r->record.steps, &w);
    return workload < 0 ? -1 : unpack(r->record.steps, workload, bytes, n);
}

/* The parcels to rank 0: first how long each is. */
static int gather(struct run *r, int at, const struct parcel *p, struct err *e)
{
    struct comm *c = r->comm;
    const bool here = c->rank == 0;
    size_t *counts = here ? malloc((size_t)c->size * sizeof *counts) : NULL;
    size_t *lengths = here ? calloc((size_t)c->size, sizeof *lengths) : NULL;
    size_t all = 0;
    char *bytes = NULL;
    int rc = here && (!counts || !lengths) ? err_set(e, "out of memory for the steps") : 0;

    if ((rc = comm_agree(c, rc, e)) < 0)
        goto out;
    for (int i = 0; here && i < c->size; i++)
        counts[i] = sizeof p->n;
    if ((rc = c->gatherv(c, &p->n, sizeof p->n, lengths, counts, e)) < 0)
        goto out;
    for (int i = 0; here && i < c->size; i++)
        all += lengths[i];
    bytes = here ? malloc(all + 1) : NULL;
    rc = here && !bytes ? err_set(e, "out of memory for the steps") : 0;
    if ((rc = comm_agree(c, rc, e)) == 0 &&
        (rc = c->gatherv(c, p->bytes, p->n, bytes, lengths, e)) == 0 && here)
        rc = store(r, at, bytes, all) < 0 ? err_set(e, "out of memory for the steps") : 0;
    rc = comm_agree(c, rc, e);
out:
    free(counts);
    free(lengths);
    free(bytes);
    return rc;
}

int series_collect(struct run *r, int at, struct err *e)
{
    struct series *s = &r->series;
    struct chosen chosen;
    struct parcel p = {NULL, 0, 0};
    double none = !s->begun || s->failed;
    bool good = false;
    int rc = r->comm->reduce(r->comm, &none, 1, COMM_MAX, e);

    if (rc == 0 && !(none > 0)) {
        rc = choose(r, at, &chosen, e);
        if (rc == 0)
            rc = pack_within(r, &chosen, &p, &good, e);
        if (rc == 0 && good)
            rc = gather(r, at, &p, e);
    }
    free(p.bytes);
    series_fini(s);
    return rc < 0 && comm_mpi_failed(r->comm) ? -1 : 0; /* for want of memory no run ends */
}
