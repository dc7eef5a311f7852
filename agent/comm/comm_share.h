/* SPDX-License-Identifier: BSD-3-Clause */
/* Sums in shared windows of one node: comm_share.c says how. */
#ifndef COMM_COMM_SHARE_H
#define COMM_COMM_SHARE_H

#include "agent/comm/comm_base.h"

int share_open(struct mpi_comm *m, struct err *e);
void share_close(struct mpi_comm *m);
/* A window of bytes on every rank; NULL and a sentence on all ranks. */
struct window *window_open(struct mpi_comm *m, size_t bytes, struct err *e);
void window_close(struct mpi_comm *m, struct window *w);
struct window *window_of(const struct mpi_comm *m, const void *p);
void share_start(struct mpi_comm *m, struct request *r);
/* Adds up chunks that are ready: one, or all when waiting. */
bool share_move(struct mpi_comm *m, struct request *r, bool waiting);

#endif
