/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "agent/run_delay.h"

#include <math.h>

#include "reports/core/clock.h"

static double waited(void)
{
    static int fd = -2;

    if (fd == -2)
        fd = clock_delay_open();
    return clock_delay(fd);
}

bool run_delay_known(void)
{
    return waited() >= 0;
}

double run_delay(void)
{
    return fmax(0, waited());
}
