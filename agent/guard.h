/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who watches while the main thread works: signals and calls that do not
 * come back.
 *
 * SIGTERM, SIGINT, SIGUSR1, SIGUSR2, SIGXCPU mean "stop cleanly": guard_told()
 * becomes true, the workload sees it at its next agreement, and the record
 * says partial. That takes a step or two; the sender of the signal may kill
 * earlier (mpirun gives one second). So a thread of its own waits a moment,
 * and when the main thread has not begun to write the record by then it has
 * an interim record written from the journals.
 *
 * Nothing goes on for ever: what has not ended grace_seconds after the end that
 * guard_end() was told, or after a signal, is ended here, with a partial record
 * from the journals, whatever the main thread does meanwhile (a library that
 * spins, a file system that hangs). guard_late() is true from the middle of that
 * time on: a wait for other ranks that sees it gives up and tells who is missing.
 *
 * A call of MPI that cannot be interrupted is bracketed by guard_blocking();
 * when it takes longer than the time-out, the same is done, and the process
 * ends: a peer that is stopped must not make this rank hang for ever.
 *
 * A process that was stopped and continued, as those of a suspended job are,
 * has not waited meanwhile: no time-out counts it. guard_stood() tells for how
 * long that was, since nothing that was measured then can be compared.
 *
 * Life:    start once; stop before the process ends.
 * Failure: -1 and a sentence.
 * Threads: `emergency` is called by the guard's thread; all else by the main
 *          thread. The guard never calls MPI.
 */
#ifndef AGENT_GUARD_H
#define AGENT_GUARD_H

#include <stdbool.h>

#include "reports/core/err.h"

struct guard_options {
    double timeout_seconds;  /* of a blocking call */
    double patience_seconds; /* between a signal and the interim record */
    double grace_seconds;    /* between the end, or a signal, and the guard's own end */
    /* last: the process ends after it. */
    void (*emergency)(void *ctx, const char *sentence, bool last);
    void *ctx;
};

int guard_start(const struct guard_options *o, struct err *e);
void guard_stop(void);

/* The run means to be over by then, on CLOCK_MONOTONIC; how long the guard waits
 * from there. May be called again. */
void guard_end(double when, double grace_seconds);

/* True when half of the grace after the end is over. As comm_mpi_options.over. */
bool guard_late(void *ctx);

bool guard_told(void);
/* "SIGTERM"; "" before. */
const char *guard_signal(void);

/* Seconds that this process stood still until a SIGCONT came, more than two at
 * a time. */
double guard_stood(void);

/* The main thread writes the record itself: no interim one any more. */
void guard_finishing(void);

/* As comm_mpi_options.blocking. */
void guard_blocking(void *ctx, const char *what);

#endif
