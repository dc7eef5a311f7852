/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * All-reduce of floats, three ways in turn, for contrib/bench/allreduce.sh:
 * shared window, messages (both comm_mpi), and the library's MPI_Iallreduce.
 * Seconds are those of the slowest rank, median over repeats.
 * busbw = S / t x 2 (n - 1) / n (nccl-tests).
 *
 *     mpirun -n 2 allreduce_bench [MOST-MIB]
 */
#include <config.h>

#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/comm/comm_mpi.h"

enum { LEAST = 4096, MAX_REPEATS = 200, WARM_UP = 2, WAYS = 3 };

/* A size is repeated until it took so long, within bounds. */
static const double enough_seconds = 1;

struct bench {
    struct comm *comm;
    float *window, *plain;
};

static int by_comm(struct bench *b, float *p, size_t n, struct err *e)
{
    int request;

    return b->comm->allreduce_start(b->comm, p, n, &request, e) < 0
               ? -1
               : b->comm->wait(b->comm, request, e);
}

static int by_window(struct bench *b, size_t n, struct err *e)
{
    return by_comm(b, b->window, n, e);
}

static int by_messages(struct bench *b, size_t n, struct err *e)
{
    return by_comm(b, b->plain, n, e);
}

static int by_library(struct bench *b, size_t n, struct err *e)
{
    MPI_Request q;
    int rc = MPI_Iallreduce(MPI_IN_PLACE, b->plain, (int)n, MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD, &q);

    if (rc == MPI_SUCCESS)
        rc = MPI_Wait(&q, MPI_STATUS_IGNORE);
    return rc == MPI_SUCCESS ? 0 : err_set(e, "MPI_Iallreduce failed");
}

static const struct {
    const char *name;
    int (*run)(struct bench *b, size_t n, struct err *e);
} ways[WAYS] = {{"window", by_window}, {"messages", by_messages}, {"library", by_library}};

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static int time_one(struct bench *b, int way, size_t n, double *seconds, struct err *e)
{
    if (b->comm->barrier(b->comm, e) < 0)
        return -1;
    double begin = MPI_Wtime();
    if (ways[way].run(b, n, e) < 0)
        return -1;
    *seconds = MPI_Wtime() - begin;
    return b->comm->reduce(b->comm, seconds, 1, COMM_MAX, e);
}

static int one_size(struct bench *b, size_t bytes, struct err *e)
{
    static double took[WAYS][MAX_REPEATS];
    double total = 0, factor = 2.0 * (b->comm->size - 1) / b->comm->size;
    int n = 0;

    memset(b->plain, 0, bytes);
    memset(b->window, 0, bytes);
    for (int i = -WARM_UP; i < MAX_REPEATS && (i < 5 || total < enough_seconds); i++)
        for (int way = 0; way < WAYS; way++) {
            double seconds;
            if (time_one(b, way, bytes / sizeof(float), &seconds, e) < 0)
                return -1;
            if (i < 0)
                continue;
            took[way][i] = seconds;
            total += seconds;
            n = i + 1;
        }
    if (b->comm->rank > 0)
        return 0;
    printf("%10zu", bytes);
    for (int way = 0; way < WAYS; way++) {
        qsort(took[way], (size_t)n, sizeof took[way][0], by_value);
        double median = took[way][n / 2];
        printf("  %10.1f %7.2f", median * 1e6, (double)bytes / median * factor / 1e9);
    }
    printf("  %6.2f\n", took[2][n / 2] / took[0][n / 2]);
    fflush(stdout);
    return 0;
}

int main(int argc, char **argv)
{
    struct comm_mpi_options options = {.timeout_seconds = 60};
    struct bench b = {0};
    struct err e = ERR_INIT;
    int level;

    MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &level);
    size_t most = (size_t)(argc > 1 ? atoi(argv[1]) : 256) << 20;
    b.comm = comm_mpi_create(&options, &e);
    if (!b.comm || !(b.window = b.comm->alloc(b.comm, most, &e)) || !(b.plain = malloc(most)))
        goto fail;
    if (b.comm->rank == 0) {
        printf("# %d ranks on %d node(s); microseconds and busbw in GB/s; last: library / window\n",
               b.comm->size, comm_mpi_nodes(b.comm));
        printf("#    bytes");
        for (int way = 0; way < WAYS; way++)
            printf("  %18s", ways[way].name);
        printf("\n");
    }
    for (size_t bytes = LEAST; bytes <= most; bytes *= 4)
        if (one_size(&b, bytes, &e) < 0)
            goto fail;
    free(b.plain);
    b.comm->free(b.comm, b.window);
    comm_mpi_destroy(b.comm);
    MPI_Finalize();
    return 0;
fail:
    fprintf(stderr, "allreduce_bench: %s\n", e.text);
    MPI_Abort(MPI_COMM_WORLD, 1);
    return 1;
}
