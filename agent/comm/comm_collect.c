/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "agent/comm/comm_collect.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "agent/comm/comm_sums.h"

enum { SUM_BYTES = 1 << 20 };

static void fold(double *v, const double *all, int n, int size)
{
    for (int i = 0; i < n; i++) {
        v[i] = all[i];
        for (int r = 1; r < size; r++)
            v[i] += all[(size_t)r * (size_t)n + (size_t)i];
    }
}

/* Memory for an operation that is posted. After a failure the operation is
 * still posted and MPI may write there at any time: it is never given back,
 * and it is never the caller's, whose stack it may be. */
static void *posted_memory(struct mpi_comm *m, struct comm *c, size_t bytes, struct err *e)
{
    void *p = malloc(bytes);

    if (!p) {
        err_set(e, "out of memory to exchange %zu bytes", bytes);
        comm_fail(m, c->rank, e);
    }
    return p;
}

/* MIN and MAX do not depend on the order: MPI's own way, which takes no more
 * memory with more ranks. */
static int reduce_any_order(struct mpi_comm *m, double *v, int n, enum comm_op op, struct err *e)
{
    size_t count = (size_t)n;
    MPI_Request q;
    double *mine = posted_memory(m, &m->base, 2 * count * sizeof *mine, e);

    if (!mine)
        return -1;
    memcpy(mine, v, count * sizeof *mine);
    m->ops++;
    if (comm_check(m,
                   MPI_Iallreduce(mine, mine + count, n, MPI_DOUBLE,
                                  op == COMM_MIN ? MPI_MIN : MPI_MAX, m->world, &q),
                   "MPI_Iallreduce", e) < 0 ||
        sums_wait_mpi(m, &q, "numbers of all ranks", e) < 0)
        return -1;
    memcpy(v, mine + count, count * sizeof *mine);
    free(mine);
    return 0;
}

static int sum_piece(struct mpi_comm *m, double *v, int n, struct err *e)
{
    size_t count = (size_t)n, size = (size_t)m->base.size;
    MPI_Request q;
    double *all = posted_memory(m, &m->base, (size + 1) * count * sizeof *all, e);

    if (!all)
        return -1;
    double *mine = all + size * count;
    memcpy(mine, v, count * sizeof *mine);
    m->ops++;
    if (comm_check(m, MPI_Iallgather(mine, n, MPI_DOUBLE, all, n, MPI_DOUBLE, m->world, &q),
                   "MPI_Iallgather", e) < 0 ||
        sums_wait_mpi(m, &q, "numbers of all ranks", e) < 0)
        return -1;
    fold(v, all, n, m->base.size);
    free(all);
    return 0;
}

/* A sum in rank order needs all ranks' numbers: so many at a time that they
 * take SUM_BYTES, whatever the number of ranks. */
int collect_reduce(struct comm *c, double *v, int n, enum comm_op op, struct err *e)
{
    struct mpi_comm *m = mpi_of(c);
    int most = (int)(SUM_BYTES / sizeof *v) / c->size;

    if (comm_usable(m, e) < 0)
        return -1;
    if (c->size == 1 || n == 0)
        return 0;
    if (op != COMM_SUM)
        return reduce_any_order(m, v, n, op, e);
    if (most < 1)
        most = 1;
    for (int at = 0; at < n; at += most)
        if (sum_piece(m, v + at, n - at < most ? n - at : most, e) < 0)
            return -1;
    return 0;
}

enum { PIECE = 1 << 20 };

int collect_broadcast(struct comm *c, void *buf, size_t bytes, int root, struct err *e)
{
    struct mpi_comm *m = mpi_of(c);
    char *p = buf;

    if (comm_usable(m, e) < 0)
        return -1;
    m->ops++;
    if (bytes == 0 || c->size == 1)
        return 0;
    char *piece = posted_memory(m, c, bytes < PIECE ? bytes : PIECE, e);
    if (!piece)
        return -1;
    while (bytes > 0) {
        size_t n = bytes < PIECE ? bytes : PIECE;
        MPI_Request q;
        memcpy(piece, p, n);
        if (comm_check(m, MPI_Ibcast(piece, (int)n, MPI_BYTE, root, m->world, &q), "MPI_Ibcast",
                       e) < 0 ||
            sums_wait_mpi(m, &q, "a broadcast", e) < 0)
            return -1;
        memcpy(p, piece, n);
        p += n;
        bytes -= n;
    }
    free(piece);
    return 0;
}

/* A broadcast from each: what does not fit into MPI's ints. */
static int gather_by_broadcasts(struct comm *c, const void *send, char *recv, const size_t *counts,
                                struct err *e)
{
    for (int i = 0; i < c->size; recv += counts[i++]) {
        if (i == c->rank)
            memcpy(recv, send, counts[i]);
        if (collect_broadcast(c, recv, counts[i], i, e) < 0)
            return -1;
    }
    return 0;
}

int collect_allgatherv(struct comm *c, const void *send, void *recv, const size_t *counts,
                       struct err *e)
{
    struct mpi_comm *m = mpi_of(c);
    size_t total = 0, at = 0, ints = 2 * (size_t)c->size * sizeof(int);
    MPI_Request q;

    if (comm_usable(m, e) < 0)
        return -1;
    m->ops++;
    for (int i = 0; i < c->size; i++)
        total += counts[i];
    if (total > INT_MAX)
        return gather_by_broadcasts(c, send, recv, counts, e);
    int *n = posted_memory(m, c, ints + total + counts[c->rank], e);
    if (!n)
        return -1;
    char *all = (char *)n + ints, *mine = all + total;
    for (int i = 0; i < c->size; at += counts[i++]) {
        n[i] = (int)counts[i];
        n[c->size + i] = (int)at;
    }
    memcpy(mine, send, counts[c->rank]);
    if (comm_check(m,
                   MPI_Iallgatherv(mine, n[c->rank], MPI_BYTE, all, n, n + c->size, MPI_BYTE,
                                   m->world, &q),
                   "MPI_Iallgatherv", e) < 0 ||
        sums_wait_mpi(m, &q, "what all ranks gather", e) < 0)
        return -1;
    memcpy(recv, all, total);
    free(n);
    return 0;
}

/* Where each rank's bytes go, as MPI wants it; -1: more than its ints hold. */
static int lay_out(struct mpi_comm *m, const size_t *counts, int *n, struct err *e)
{
    size_t at = 0;

    for (int i = 0; i < m->base.size; at += counts[i++]) {
        if (counts[i] > INT_MAX || at > INT_MAX - counts[i]) {
            err_set(e, "rank 0 cannot gather more than %d bytes at once", INT_MAX);
            return comm_fail(m, 0, e);
        }
        n[i] = (int)counts[i];
        n[m->base.size + i] = (int)at;
    }
    return 0;
}

int collect_gatherv(struct comm *c, const void *send, size_t bytes, void *recv,
                    const size_t *counts, struct err *e)
{
    struct mpi_comm *m = mpi_of(c);
    size_t total = 0, ints = c->rank == 0 ? 2 * (size_t)c->size * sizeof(int) : 0;
    MPI_Request q;

    if (comm_usable(m, e) < 0)
        return -1;
    for (int i = 0; i < c->size && c->rank == 0; i++)
        total += counts[i];
    int *n = posted_memory(m, c, ints + total + bytes, e);
    if (!n || (c->rank == 0 && lay_out(m, counts, n, e) < 0))
        return -1;
    char *all = (char *)n + ints, *mine = all + total;
    memcpy(mine, send, bytes);
    m->ops++;
    if (comm_check(m,
                   MPI_Igatherv(mine, (int)bytes, MPI_BYTE, all, n,
                                c->rank == 0 ? n + c->size : NULL, MPI_BYTE, 0, m->world, &q),
                   "MPI_Igatherv", e) < 0 ||
        sums_wait_mpi(m, &q, "what rank 0 gathers", e) < 0)
        return -1;
    if (c->rank == 0)
        memcpy(recv, all, total);
    free(n);
    return 0;
}

int collect_barrier(struct comm *c, struct err *e)
{
    struct mpi_comm *m = mpi_of(c);
    MPI_Request q;

    if (comm_usable(m, e) < 0)
        return -1;
    m->ops++;
    if (comm_check(m, MPI_Ibarrier(m->world, &q), "MPI_Ibarrier", e) < 0)
        return -1;
    return sums_wait_mpi(m, &q, "all ranks to come together", e);
}
