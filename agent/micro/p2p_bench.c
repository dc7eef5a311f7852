/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * p2p against plain blocking MPI between two ranks, for contrib/bench/micro.sh:
 * adjacent pairs of one sample of ours and one of plain MPI, in turn which is first.
 *
 *     mpirun -n 2 p2p_bench [PAIRS]
 *
 * Prints on rank 0 a line a pair: metric, ours, plain (bytes/s or 1/s: more is
 * better).
 */
#include <config.h>

#include <math.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/comm/comm_mpi.h"
#include "agent/micro/network.h"
#include "reports/core/clock.h"

enum { MESSAGE = 1 << 20, WINDOW = 8, TRIPS = 500, TAG = 9 };

static const double sample_seconds = 0.12;

struct ours {
    double latency, bandwidth; /* of rank 0 */
};

static int take(void *ctx, struct micro_row *row, struct err *e)
{
    struct ours *o = ctx;

    (void)e;
    if (strcmp(row->shape, "rank 0 > rank 1") == 0 && row->status == MICRO_OK)
        *(strcmp(row->what, "latency") == 0 ? &o->latency : &o->bandwidth) = row->median.value;
    micro_row_fini(row);
    return 0;
}

static int node_of(void *ctx, int rank)
{
    (void)ctx, (void)rank;
    return 0;
}

static int measure_ours(struct comm *c, struct ours *o, struct err *e)
{
    struct micro_host h = {.comm = c,
                           .now = clock_now,
                           .deadline = INFINITY,
                           .threads = 1,
                           .class = CLASS_TINY,
                           .seed = 1,
                           .floor_seconds = sample_seconds,
                           .samples = 1,
                           .n_nodes = 1,
                           .ctx = o,
                           .node_of = node_of,
                           .row = take};
    int done = 0;

    return micro_p2p.run(&h, &done, e);
}

static double plain_latency(int rank, int trips)
{
    char word[8] = "";

    MPI_Barrier(MPI_COMM_WORLD);
    double begin = MPI_Wtime();
    for (int i = 0; i < trips; i++) {
        if (rank == 0)
            MPI_Send(word, 8, MPI_BYTE, 1, TAG, MPI_COMM_WORLD);
        MPI_Recv(word, 8, MPI_BYTE, 1 - rank, TAG, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        if (rank == 1)
            MPI_Send(word, 8, MPI_BYTE, 0, TAG, MPI_COMM_WORLD);
    }
    return (MPI_Wtime() - begin) / trips / 2;
}

/* Windows of messages until rank 0 has had enough, as OSU's osu_bw has them. */
static double plain_bandwidth(int rank, char *buf, long windows)
{
    MPI_Request q[WINDOW];
    char word = 0;

    MPI_Barrier(MPI_COMM_WORLD);
    double begin = MPI_Wtime();
    for (long w = 0; w < windows; w++) {
        for (int i = 0; i < WINDOW; i++) {
            char *at = buf + (size_t)i * MESSAGE;
            if (rank == 0)
                MPI_Isend(at, MESSAGE, MPI_BYTE, 1, TAG, MPI_COMM_WORLD, &q[i]);
            else
                MPI_Irecv(at, MESSAGE, MPI_BYTE, 0, TAG, MPI_COMM_WORLD, &q[i]);
        }
        for (int k = 0; k < WINDOW; k++)
            MPI_Wait(&q[k], MPI_STATUS_IGNORE);
    }
    if (rank == 1)
        MPI_Send(&word, 1, MPI_BYTE, 0, TAG, MPI_COMM_WORLD);
    else
        MPI_Recv(&word, 1, MPI_BYTE, 1, TAG, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    return (double)windows * WINDOW * MESSAGE / (MPI_Wtime() - begin);
}

static void measure_plain(int rank, char *buf, struct ours *o)
{
    double rate = plain_bandwidth(rank, buf, 8);
    long windows = (long)ceil(rate * sample_seconds / WINDOW / MESSAGE);

    MPI_Bcast(&windows, 1, MPI_LONG, 0, MPI_COMM_WORLD);
    windows = windows < 1 ? 1 : windows;
    /* as long as ours: on shared cores a longer batch is interrupted more often */
    int trips = (int)fmin(1e6, 0.0025 / plain_latency(rank, TRIPS));
    MPI_Bcast(&trips, 1, MPI_INT, 0, MPI_COMM_WORLD);
    o->latency = plain_latency(rank, trips < TRIPS ? TRIPS : trips);
    o->bandwidth = plain_bandwidth(rank, buf, windows);
}

static int pairs(struct comm *c, char *buf, int n, struct err *e)
{
    for (int i = 0; i < n; i++) {
        struct ours ours = {0}, plain = {0};
        if (i % 2)
            measure_plain(c->rank, buf, &plain);
        if (measure_ours(c, &ours, e) < 0)
            return -1;
        if (i % 2 == 0)
            measure_plain(c->rank, buf, &plain);
        if (c->rank > 0)
            continue;
        printf("p2p-latency plain-MPI %.6g %.6g\n", 1 / ours.latency, 1 / plain.latency);
        printf("p2p-bandwidth plain-MPI %.6g %.6g\n", ours.bandwidth, plain.bandwidth);
    }
    return 0;
}

int main(int argc, char **argv)
{
    struct comm_mpi_options options = {.timeout_seconds = 60};
    char *buf = aligned_alloc(4096, (size_t)WINDOW * MESSAGE);
    struct err e = ERR_INIT;
    int level;

    MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &level);
    struct comm *c = comm_mpi_create(&options, &e);
    if (buf) /* pages that were never written are all one page, which a cache holds */
        memset(buf, 1, (size_t)WINDOW * MESSAGE);
    if (!c || !buf || c->size != 2 || pairs(c, buf, argc > 1 ? atoi(argv[1]) : 40, &e) < 0) {
        fprintf(stderr, "p2p_bench: %s\n", e.text[0] ? e.text : "start two ranks");
        MPI_Abort(MPI_COMM_WORLD, 1);
    }
    comm_mpi_destroy(c);
    free(buf);
    MPI_Finalize();
    return 0;
}
