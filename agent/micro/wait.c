/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include <sched.h>

#include "agent/micro/network.h"
#include "reports/core/clock.h"

int network_wait(MPI_Request *requests, int n, double patience, const char *what, struct err *e)
{
    double begin = clock_now();
    int at = 0, done = 0; /* requests before `at` are over */

    for (long turn = 1;; turn++) {
        if (at < n && MPI_Test(&requests[at], &done, MPI_STATUS_IGNORE) != MPI_SUCCESS)
            return err_set(e, "MPI failed in %s", what);
        at += at < n && done;
        if (at == n)
            return 0;
        if (turn % 64)
            continue;
        sched_yield(); /* the peer may need this core */
        if (clock_now() - begin > patience)
            return err_set(e, "no answer for %.0f s in %s", patience, what);
    }
}

double network_factor(enum network_factor f, int n)
{
    double part = n > 0 ? (double)(n - 1) / n : 0;

    return f == FACTOR_ALLREDUCE ? 2 * part : f == FACTOR_PART ? part : 1;
}
