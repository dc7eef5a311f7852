/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * `struct comm` over MPI-3.1: the one place where ranks talk.
 *
 * Sums. Every element is added in rank order, r0 + r1 + ... in float, by
 * any rank that adds it: the same rank count gives the same bits on any nodes. All
 * ranks on one node, memory from alloc(): the ranks' arrays lie in a shared
 * window and are summed in place, chunk by chunk, by whichever rank has time
 * (comm_share.c). Otherwise rank i owns chunk i, gets every rank's piece of
 * it, sums, and sends the sum back (comm_mail.c).
 *
 * Waiting. No call blocks in MPI: everything is started and tested, with
 * pauses that grow, so that more ranks than cores do not burn the time of
 * those who work. A wait ends in one of four ways: done; a rank on this node
 * has ended; MPI says so; or timeout_seconds, or the time of the run, are over. Then a roll is called:
 * who is alive answers, the sentence names rank and node of who does not.
 *
 * Life:    create after MPI_Init_thread(), destroy before MPI_Finalize(); both
 *          collective. After a failure nothing here talks to MPI any more:
 *          destroy frees memory only, and MPI_Finalize() must not be called.
 * Failure: -1 and the sentence; comm_mpi_failed() is then true for ever.
 * Threads: one (MPI_THREAD_FUNNELED).
 */
#ifndef COMM_COMM_MPI_H
#define COMM_COMM_MPI_H

#include <stdbool.h>
#include <stddef.h>

#include "reports/core/err.h"
#include "workloads/comm.h"

struct comm_mpi_options {
    double timeout_seconds; /* longest wait; <= 0: 300 */
    bool no_window;         /* always messages: tests, benchmark */
    bool ask_clocks;        /* compare all ranks' clocks by messages: tests */
    /* Brackets calls of MPI that cannot be interrupted, so that a watchdog can
     * end them. what is a literal; NULL at the end. May be NULL. */
    void (*blocking)(void *ctx, const char *what);
    /* True when no wait may go on: the time of the run is over. May be NULL. */
    bool (*over)(void *ctx);
    void *ctx;
    /* Name of this rank's node; NULL: its host name. Names that two nodes share
     * (a launcher carried the first one's environment to all) give way to the
     * host names on all ranks. Borrowed for the call. */
    const char *node;
};

/* Collective over MPI_COMM_WORLD. Sets MPI_ERRORS_RETURN. */
struct comm *comm_mpi_create(const struct comm_mpi_options *o, struct err *e);
void comm_mpi_destroy(struct comm *c);

/* Node of a rank: its name, and a number from 0 in order of first rank. Ranks
 * that share memory are on one node. */
const char *comm_mpi_node(const struct comm *c, int rank);
int comm_mpi_node_index(const struct comm *c, int rank);
int comm_mpi_nodes(const struct comm *c);

bool comm_mpi_failed(const struct comm *c);
/* After a failure: the rank it is about (the lowest one), -1 when unknown. */
int comm_mpi_culprit(const struct comm *c);
/* After a failure: the lowest rank that is not known to be gone. That one
 * speaks for the run. */
int comm_mpi_speaker(const struct comm *c);

/* After a failure: goes on answering the roll calls of others for so long, so
 * that they do not take this rank for dead. */
void comm_mpi_linger(struct comm *c, double seconds);

/* True when the memory of p is summed through a window (tests, benchmark). */
bool comm_mpi_shared(const struct comm *c, const void *p);

#endif
