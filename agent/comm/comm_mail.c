/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sums by messages, between nodes or for memory that is in no window.
 *
 * Rank i owns chunk i: it receives every rank's piece of the chunk, adds them
 * up in rank order, and sends the sum to all. Each rank sends and receives
 * 2 (size - 1) / size of the array, as a ring does; a ring, or sums inside a
 * node first, would make the order depend on the placement. A short array is
 * sent whole to everybody instead, who all make the same sum: one message
 * time instead of two.
 */
#include <config.h>

#include "agent/comm/comm_mail.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "reports/core/clock.h"

enum { TAGS = 8192 };

/* Chunk i of n floats over size ranks: [begin, begin + *len). */
static size_t chunk_of(const struct request *r, int size, int i, size_t *len)
{
    size_t each = (r->n + (size_t)size - 1) / (size_t)size;

    each = (each + 15) / 16 * 16;
    size_t begin = each * (size_t)i < r->n ? each * (size_t)i : r->n;
    *len = r->n - begin < each ? r->n - begin : each;
    return begin;
}

/* Where rank i's piece is received. */
static float *piece_of(const struct request *r, size_t len, int i)
{
    return r->scratch + len * (size_t)i;
}

static int post(struct mpi_comm *m, struct request *r, bool send, float *p, size_t n, int rank,
                int tag, struct err *e)
{
    if (n == 0)
        return 0;
    MPI_Request *q = &r->mpi[r->n_mpi++];
    int rc = send ? MPI_Isend(p, (int)n, MPI_FLOAT, rank, tag, m->world, q)
                  : MPI_Irecv(p, (int)n, MPI_FLOAT, rank, tag, m->world, q);
    return comm_check(m, rc, send ? "MPI_Isend" : "MPI_Irecv", e);
}

/* Everybody's pieces of what this rank sums. */
static int post_pieces(struct mpi_comm *m, struct request *r, struct err *e)
{
    int rank = m->base.rank, size = m->base.size;
    size_t own_len, len = r->n, begin = 0;

    chunk_of(r, size, rank, &own_len);
    if (r->whole)
        own_len = r->n;
    for (int i = 0; i < size; i++)
        if (i != rank && post(m, r, false, piece_of(r, own_len, i), own_len, i, r->tag, e) < 0)
            return -1;
    r->n_pieces = r->n_mpi;
    for (int k = 1; k < size; k++) {
        int to = (rank + k) % size;
        if (!r->whole)
            begin = chunk_of(r, size, to, &len);
        if (post(m, r, true, r->buf + begin, len, to, r->tag, e) < 0)
            return -1;
    }
    return 0;
}

/* All pieces are here: adds them up in place. */
static void add_pieces(struct mpi_comm *m, struct request *r)
{
    int rank = m->base.rank, size = m->base.size;
    size_t len;
    size_t begin = chunk_of(r, size, rank, &len);
    if (r->whole) {
        begin = 0;
        len = r->n;
    }
    for (int i = 0; i < size; i++)
        m->at[i] = i == rank ? r->buf + begin : piece_of(r, len, i);
    comm_sum_in_order(r->buf + begin, m->at, size, len);
}

/* The sums travel back: this rank's to all, theirs into place. */
static int post_sums(struct mpi_comm *m, struct request *r, struct err *e)
{
    int rank = m->base.rank, size = m->base.size;
    size_t own_len;
    size_t own = chunk_of(r, size, rank, &own_len);

    for (int k = 1; k < size; k++) {
        int i = (rank + k) % size;
        size_t len, begin = chunk_of(r, size, i, &len);
        if (post(m, r, false, r->buf + begin, len, i, r->tag + 1, e) < 0 ||
            post(m, r, true, r->buf + own, own_len, i, r->tag + 1, e) < 0)
            return -1;
    }
    return 0;
}

int mail_start(struct mpi_comm *m, struct request *r, struct err *e)
{
    size_t size = (size_t)m->base.size, len;

    if (r->n > INT_MAX)
        return err_set(e, "a sum of %zu floats is more than one message can carry", r->n);
    r->whole = r->n * size <= COMM_WHOLE;
    chunk_of(r, (int)size, m->base.rank, &len);
    size_t need = (r->whole ? r->n : len) * size;
    if (r->scratch_n < need) {
        float *p = realloc(r->scratch, need * sizeof *p);
        if (!p)
            return err_set(e, "out of memory for a sum of %zu floats", r->n);
        r->scratch = p;
        r->scratch_n = need;
    }
    if (!r->mpi && !(r->mpi = calloc(2 * size, sizeof(MPI_Request))))
        return err_set(e, "out of memory for a sum over %zu ranks", size);
    r->n_mpi = r->n_done = 0;
    r->returning = false;
    r->since = clock_now();
    r->tag = m->mail_number++ % TAGS * 2;
    return post_pieces(m, r, e);
}

static double later(double a, double b)
{
    return a > b ? a : b;
}

static int finish(struct request *r)
{
    r->done = clock_now();
    r->state = REQUEST_DONE;
    return 0;
}

int mail_move(struct mpi_comm *m, struct request *r, bool *moved, struct err *e)
{
    while (r->n_done < r->n_mpi) { /* in order: any of them moves all of MPI */
        int done = 0;
        if (comm_check(m, MPI_Test(&r->mpi[r->n_done], &done, MPI_STATUS_IGNORE), "MPI_Test", e) <
            0)
            return -1;
        if (!done)
            return 0;
        r->n_done++;
        if (!r->returning && !r->whole && r->n_done == r->n_pieces) {
            r->half = clock_now(); /* its own may still be on their way out */
            r->since = later(r->since, m->looked[1]);
        }
    }
    *moved = true;
    r->n_mpi = r->n_done = 0;
    if (r->returning)
        return finish(r);
    if (r->whole)
        r->since = later(r->since, m->looked[1]);
    add_pieces(m, r);
    if (r->whole)
        return finish(r);
    r->returning = true;
    return post_sums(m, r, e);
}

void mail_close(struct mpi_comm *m)
{
    for (int i = 0; i < COMM_REQUESTS; i++) {
        free(m->requests[i].scratch);
        free(m->requests[i].mpi);
    }
}
