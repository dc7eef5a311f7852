/* SPDX-License-Identifier: BSD-3-Clause */
/* Waiting for other ranks, and who is missing: comm_watch.c says how. */
#ifndef COMM_COMM_WATCH_H
#define COMM_COMM_WATCH_H

#include "agent/comm/comm_base.h"

struct wait {
    const char *what; /* "the sum of gradients" */
    double begun, last, polled;
    unsigned idle;
};
void wait_begin(struct wait *w, const char *what);
/* Between two tests that found nothing: pauses; fails on time-out or death. */
int wait_pause(struct mpi_comm *m, struct wait *w, struct err *e);
/* Something moved: the pauses begin anew; the time-out does, too. */
void wait_moved(struct wait *w);
/* Answers the roll calls of others; cheap, called now and then. */
int watch_answer(struct mpi_comm *m, struct err *e);
/* Does nothing else for so long; also after a failure. */
void watch_linger(struct mpi_comm *m, double seconds);
void watch_open(struct mpi_comm *m);
void watch_close(struct mpi_comm *m);

#endif
