/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sums that go on while a step computes, by mail or in shared windows, and
 * every wait: a rank that waits moves all sums under way. The functions named as in
 * struct comm (workloads/comm.h) are its own.
 */
#ifndef COMM_COMM_SUMS_H
#define COMM_COMM_SUMS_H

#include "agent/comm/comm_base.h"

void *sums_alloc(struct comm *c, size_t bytes, struct err *e);
void sums_free(struct comm *c, void *p);
int sums_start(struct comm *c, float *buf, size_t n, int *request, struct err *e);
int sums_progress(struct comm *c, struct err *e);
int sums_wait(struct comm *c, int request, struct err *e);

/* Until an MPI request is done. what: "the barrier". */
int sums_wait_mpi(struct mpi_comm *m, MPI_Request *q, const char *what, struct err *e);

#endif
