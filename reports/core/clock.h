/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What time it is, asked in one place. Durations and deadlines use
 * clock_now(), which nobody can set back; only what is written down or
 * compared between machines uses clock_real().
 *
 * Failure: none.
 * Threads: any.
 */
#ifndef CORE_CLOCK_H
#define CORE_CLOCK_H

#include <stdint.h>

/* Seconds since some moment of this boot (CLOCK_MONOTONIC). */
double clock_now(void);

/* The same in whole milliseconds, as poll() counts. */
int64_t clock_now_ms(void);

/* Nanoseconds since 1970 UTC. */
int64_t clock_real(void);

/* Seconds of CPU time that this process has used, all threads. */
double clock_cpu(void);

/* Of this thread. */
double clock_thread(void);

/* How long a thread has wanted to run and had no core: the kernel's run delay
 * (Documentation/scheduler/sched-stats.rst), half a microsecond a reading. open: of the
 * thread that calls it, for any thread to read; -1: the system does not tell. Seconds
 * since that thread began; -1: not known. */
int clock_delay_open(void);
double clock_delay(int fd);

#endif
