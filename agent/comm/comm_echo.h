/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One message to one rank and a short one back, by the way that sums by mail go. The
 * function is struct comm's own (workloads/comm.h).
 */
#ifndef COMM_COMM_ECHO_H
#define COMM_COMM_ECHO_H

#include "agent/comm/comm_base.h"

int echo_send(struct comm *c, int peer, bool begins, float *buf, size_t n, double *seconds,
              struct err *e);

#endif
