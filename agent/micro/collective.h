/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Inside the collectives: an operation, its numbers, and how it is done.
 * network.h says what is measured.
 *
 * Life:    buffers are opened and closed once for a benchmark.
 * Failure: -1 and a sentence.
 * Threads: the one that may talk to the other ranks.
 */
#ifndef MICRO_COLLECTIVE_H
#define MICRO_COLLECTIVE_H

#include "agent/micro/network.h"

enum operation { OP_ALLREDUCE, OP_REDUCE_SCATTER, OP_ALLGATHER, OP_ALLTOALL, OP_BCAST };

/* By MPI's own call; by struct comm in memory of its alloc(); by struct comm elsewhere. */
enum way { WAY_LIBRARY, WAY_WINDOW, WAY_MESSAGES };

struct exchange {
    struct comm *comm;
    MPI_Comm mpi;
    enum operation op;
    enum way way;
    size_t part;   /* floats of one rank's part; of allreduce and bcast: all of them */
    size_t floats; /* in all: S / 4 */
    float *in, *out;
};

/* S of at most `bytes`, split evenly over the ranks. */
void exchange_size(struct exchange *x, size_t bytes);
/* Puts this rank's numbers where the operation takes them. */
void exchange_fill(struct exchange *x);
/* Does it once and waits for its end. */
int exchange_run(struct exchange *x, struct err *e);
/* How many of the results are not what the ranks' numbers make. Only after a fill and
 * one run: a sum in place is taken from sums after that. */
long exchange_wrong(const struct exchange *x);

/* All ranks begin together, more closely than by struct comm's barrier. */
int exchange_together(struct exchange *x, struct err *e);

#endif
