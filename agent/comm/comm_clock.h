/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The ranks' clocks against rank 0's. On one kernel (boot id and time namespace are
 * equal) all read one clock; else the first ranks of the nodes exchange rounds of
 * messages along a binomial tree, and tell their nodes. clock_offset.h has the
 * bounds.
 */
#ifndef COMM_COMM_CLOCK_H
#define COMM_COMM_CLOCK_H

#include "agent/comm/comm_base.h"

/* Collective: sets c->clock and c->clock_method, as of now. */
int clock_compare(struct comm *c, struct err *e);

#endif
