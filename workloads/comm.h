/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The other ranks, as a workload sees them: a table of functions that the
 * agent fills with MPI, a unit test with threads, and comm_self() with
 * nothing. Rank and size are plain ints.
 *
 * All sums are taken in rank order, whatever the placement, so that the same
 * rank count gives the same bits on any nodes.
 *
 * Life:    the filler owns it; a workload borrows it for its run.
 * Failure: -1 and a sentence (a peer died, a time-out); after a failure the
 *          table must not be used again except its free(). Buffers of the
 *          blocking calls may be on the stack all the same: the filler lets
 *          nothing that may still be under way after a failure write there.
 * Threads: one thread of a rank talks (MPI_THREAD_FUNNELED).
 */
#ifndef WORKLOADS_COMM_H
#define WORKLOADS_COMM_H

#include <stdbool.h>
#include <stddef.h>

#include "reports/core/err.h"
#include "workloads/clock_offset.h"

enum comm_op { COMM_SUM, COMM_MIN, COMM_MAX };

/* Floats of all ranks together up to which a sum by messages has one phase, whole arrays from
 * all to all; above, two phases of pieces (contrib/bench/allreduce.sh found the border). */
enum { COMM_WHOLE = 16384 };

struct comm {
    int rank, size;             /* in the run */
    int local_rank, local_size; /* on this node */
    const char *node;           /* its name, for sentences; NULL: not known */
    /* Of the sum that was waited for last, by the host's clock: when its first half was
     * over here, all pieces had come (0: it has no halves), and when it was (0: not known).
     * A rank that computes looks between operators only: at `since` the first half, or the
     * sum without halves, was not over yet. */
    double half, done, since;
    /* This rank's clock against rank 0's: an offset to be added to its moments. */
    struct clock_offset clock;
    const char *clock_method; /* "one rank", "same kernel", "ping-pong"; NULL: not compared */
    void *ctx;

    /* Memory whose exchange is cheapest (a shared window inside a node).
     * Collective: all ranks call with the same size. 64-byte aligned, zeroed.
     * Other memory may be exchanged too, at the price of a copy. */
    void *(*alloc)(struct comm *c, size_t bytes, struct err *e);
    void (*free)(struct comm *c, void *p);

    /* Starts the in-place sum of n floats over all ranks; ranks start the
     * same sums in the same order. *request is for wait(); buf is taken until
     * then. Several may be under way. */
    int (*allreduce_start)(struct comm *c, float *buf, size_t n, int *request, struct err *e);
    /* Moves what is under way forward; called between operators, cheap. */
    int (*progress)(struct comm *c, struct err *e);
    int (*wait)(struct comm *c, int request, struct err *e);

    /* The ranks of this rank's node among themselves, as a table of its own; collective
     * over c, on all nodes at once. close() it before c is over; collective over it. NULL:
     * there are no nodes. */
    struct comm *(*of_node)(struct comm *c, struct err *e);
    void (*close)(struct comm *of_node);

    /* Blocking, for set-up, metrics and synchronised statistics. */
    int (*reduce)(struct comm *c, double *v, int n, enum comm_op op, struct err *e);
    int (*broadcast)(struct comm *c, void *buf, size_t bytes, int root, struct err *e);
    /* recv: sum of counts[0..size) bytes, in rank order, on every rank. */
    int (*allgatherv)(struct comm *c, const void *send, void *recv, const size_t *counts,
                      struct err *e);
    /* The same to rank 0 alone: recv and counts are read there only. What a
     * table of all ranks is for goes this way, else each rank holds it. */
    int (*gatherv)(struct comm *c, const void *send, size_t bytes, void *recv, const size_t *counts,
                   struct err *e);
    int (*barrier)(struct comm *c, struct err *e);
    /* Sets clock and clock_method of every rank, as of now. NULL: they stay. */
    int (*compare_clocks)(struct comm *c, struct err *e);

    /* A message of n floats from who `begins` to `peer`, answered by one of a float:
     * both call, with the same n. buf, of alloc(), is sent or written. *seconds of the
     * round trip, at who begins. NULL: there are no messages. */
    int (*echo)(struct comm *c, int peer, bool begins, float *buf, size_t n, double *seconds,
                struct err *e);
    /* Node of a rank: 0, 1, ... in the order of their first ranks. NULL: not known. */
    int (*node_of)(const struct comm *c, int rank);
};

/* Agree, then act: every rank says its own rc (0 or -1, with *e), all get 0
 * when all said 0, else -1 and the sentence of the lowest rank that failed,
 * with that rank, and its node where that is known, in front when there is more
 * than one. Collective. */
int comm_agree(struct comm *c, int rc, struct err *e);

/* One rank alone: sums are the identity. Static, never freed. */
struct comm *comm_self(void);

#endif
