/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The collective operations of struct comm (workloads/comm.h), which says what
 * each does. A wait of theirs moves the sums under way.
 */
#ifndef COMM_COMM_COLLECT_H
#define COMM_COMM_COLLECT_H

#include "agent/comm/comm_base.h"

int collect_reduce(struct comm *c, double *v, int n, enum comm_op op, struct err *e);
int collect_broadcast(struct comm *c, void *buf, size_t bytes, int root, struct err *e);
int collect_allgatherv(struct comm *c, const void *send, void *recv, const size_t *counts,
                       struct err *e);
int collect_gatherv(struct comm *c, const void *send, size_t bytes, void *recv,
                    const size_t *counts, struct err *e);
int collect_barrier(struct comm *c, struct err *e);

#endif
