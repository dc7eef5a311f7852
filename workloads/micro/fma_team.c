/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/micro/fma_team.h"

enum { READINGS = 3 };

long fma_team_run(enum fma_type type, int threads, long times)
{
    long bad = 0;

#pragma omp parallel num_threads(threads) reduction(+ : bad)
    bad += fma_run(type, times);
    return bad;
}

double fma_team_rate(enum fma_type type, int threads, double (*now)(void), long *wrong)
{
    double best = 0;

    for (int i = 0; fma_name(type) && i < READINGS; i++) {
        const double since = now();
        *wrong += fma_team_run(type, threads, 1);
        const double seconds = now() - since;
        const double rate = seconds > 0 ? fma_flop(type) * threads / seconds : 0;
        best = rate > best ? rate : best;
    }
    return best;
}
