/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "agent/run.h"

#include <time.h>

double run_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}
