/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "agent/micro/collective.h"

static const double patience_seconds = 120;

void exchange_size(struct exchange *x, size_t bytes)
{
    size_t floats = bytes / sizeof(float), n = (size_t)x->comm->size;
    bool whole = x->op == OP_ALLREDUCE || x->op == OP_BCAST;

    x->part = whole ? floats : floats / n;
    x->floats = whole ? floats : x->part * n;
}

/* Number i of a rank: small and whole, so that sums are exact in any order. */
static float number_of(int rank, size_t i)
{
    return (float)((rank % 7 + 1) * (int)(i % 13 + 1));
}

static float sum_of(int ranks, size_t i)
{
    int sum = 0;

    for (int r = 0; r < ranks; r++)
        sum += (r % 7 + 1) * (int)(i % 13 + 1);
    return (float)sum;
}

/* Where the number of a part that goes to rank d begins to count. */
static size_t shift(int d)
{
    return (size_t)d * 5;
}

void exchange_fill(struct exchange *x)
{
    int own = x->comm->rank, n = x->comm->size;

    for (size_t i = 0; i < x->floats; i++)
        x->out[i] = -1;
    switch (x->op) {
    case OP_ALLREDUCE: /* in place */
        for (size_t i = 0; i < x->floats; i++)
            x->out[i] = number_of(own, i);
        break;
    case OP_REDUCE_SCATTER:
        for (size_t i = 0; i < x->floats; i++)
            x->in[i] = number_of(own, i);
        break;
    case OP_ALLGATHER:
        for (size_t i = 0; i < x->part; i++)
            x->in[i] = number_of(own, i);
        break;
    case OP_ALLTOALL:
        for (int d = 0; d < n; d++)
            for (size_t i = 0; i < x->part; i++)
                x->in[(size_t)d * x->part + i] = number_of(own, i + shift(d));
        break;
    case OP_BCAST:
        for (size_t i = 0; i < x->floats && own == 0; i++)
            x->out[i] = number_of(0, i);
        break;
    }
}

/* The period of numbers, so that the sum over many ranks is made 13 times only. */
static long wrong_sums(const float *have, size_t n, size_t from, int ranks)
{
    float want[13];
    long wrong = 0;

    for (size_t i = 0; i < 13; i++)
        want[i] = sum_of(ranks, i);
    for (size_t i = 0; i < n; i++)
        wrong += have[i] != want[(from + i) % 13];
    return wrong;
}

static long wrong_parts(const struct exchange *x)
{
    int own = x->comm->rank;
    long wrong = 0;

    for (int r = 0; r < x->comm->size; r++)
        for (size_t i = 0; i < x->part; i++)
            wrong += x->out[(size_t)r * x->part + i] !=
                     number_of(r, i + (x->op == OP_ALLTOALL ? shift(own) : 0));
    return wrong;
}

long exchange_wrong(const struct exchange *x)
{
    long wrong = 0;

    switch (x->op) {
    case OP_ALLREDUCE:
        return wrong_sums(x->out, x->floats, 0, x->comm->size);
    case OP_REDUCE_SCATTER:
        return wrong_sums(x->out, x->part, (size_t)x->comm->rank * x->part, x->comm->size);
    case OP_BCAST:
        for (size_t i = 0; i < x->floats; i++)
            wrong += x->out[i] != number_of(0, i);
        return wrong;
    default:
        return wrong_parts(x);
    }
}

static int start_library(struct exchange *x, MPI_Request *q)
{
    int n = (int)x->floats, part = (int)x->part;

    switch (x->op) {
    case OP_ALLREDUCE:
        return MPI_Iallreduce(MPI_IN_PLACE, x->out, n, MPI_FLOAT, MPI_SUM, x->mpi, q);
    case OP_REDUCE_SCATTER:
        return MPI_Ireduce_scatter_block(x->in, x->out, part, MPI_FLOAT, MPI_SUM, x->mpi, q);
    case OP_ALLGATHER:
        return MPI_Iallgather(x->in, part, MPI_FLOAT, x->out, part, MPI_FLOAT, x->mpi, q);
    case OP_ALLTOALL:
        return MPI_Ialltoall(x->in, part, MPI_FLOAT, x->out, part, MPI_FLOAT, x->mpi, q);
    default:
        return MPI_Ibcast(x->out, n, MPI_FLOAT, 0, x->mpi, q);
    }
}

int exchange_run(struct exchange *x, struct err *e)
{
    MPI_Request q;
    int request;

    if (x->way == WAY_LIBRARY) {
        if (start_library(x, &q) != MPI_SUCCESS)
            return err_set(e, "MPI cannot start a collective of %zu floats", x->floats);
        return network_wait(&q, 1, patience_seconds, "a collective", e);
    }
    return x->comm->allreduce_start(x->comm, x->out, x->floats, &request, e) < 0
               ? -1
               : x->comm->wait(x->comm, request, e);
}

int exchange_together(struct exchange *x, struct err *e)
{
    MPI_Request q;

    if (MPI_Ibarrier(x->mpi, &q) != MPI_SUCCESS)
        return err_set(e, "MPI_Ibarrier failed");
    return network_wait(&q, 1, patience_seconds, "a barrier", e);
}
