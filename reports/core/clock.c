/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "reports/core/clock.h"

#include <time.h>

static int64_t nanoseconds(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

double clock_now(void)
{
    return 1e-9 * (double)nanoseconds(CLOCK_MONOTONIC);
}

int64_t clock_now_ms(void)
{
    return nanoseconds(CLOCK_MONOTONIC) / 1000000;
}

int64_t clock_real(void)
{
    return nanoseconds(CLOCK_REALTIME);
}

double clock_cpu(void)
{
    return 1e-9 * (double)nanoseconds(CLOCK_PROCESS_CPUTIME_ID);
}

double clock_thread(void)
{
    return 1e-9 * (double)nanoseconds(CLOCK_THREAD_CPUTIME_ID);
}
