/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "reports/core/clock.h"

#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

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

int clock_delay_open(void)
{
    return open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
}

/* "running waiting timeslices", the first two in nanoseconds. */
double clock_delay(int fd)
{
    char text[128], *second;
    const ssize_t n = fd < 0 ? -1 : pread(fd, text, sizeof text - 1, 0);

    if (n <= 0)
        return -1;
    text[n] = '\0';
    strtoull(text, &second, 10);
    return *second == ' ' ? 1e-9 * (double)strtoull(second + 1, NULL, 10) : -1;
}
