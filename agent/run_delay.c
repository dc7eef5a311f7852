/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "agent/run_delay.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* "running waiting timeslices", the first two in nanoseconds. */
static int stat_fd(void)
{
    static int fd = -2;

    if (fd == -2)
        fd = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
    return fd;
}

/* Nanoseconds; -1: not known. */
static double waited(void)
{
    char text[128], *second;
    const int fd = stat_fd();
    const ssize_t n = fd < 0 ? -1 : pread(fd, text, sizeof text - 1, 0);

    if (n <= 0)
        return -1;
    text[n] = '\0';
    strtoull(text, &second, 10);
    return *second == ' ' ? (double)strtoull(second + 1, NULL, 10) : -1;
}

bool run_delay_known(void)
{
    return waited() >= 0;
}

double run_delay(void)
{
    const double ns = waited();

    return ns > 0 ? 1e-9 * ns : 0;
}
