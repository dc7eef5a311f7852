/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How long the calling thread has wanted to run and had no core (reports/core/clock.h).
 *
 * Life:    the file of the thread that asks first stays open.
 * Failure: run_delay_known() says that the system does not tell.
 * Threads: one.
 */
#ifndef AGENT_RUN_DELAY_H
#define AGENT_RUN_DELAY_H

#include <stdbool.h>

bool run_delay_known(void);

/* Seconds since the thread began; 0 where it is not known. */
double run_delay(void);

#endif
