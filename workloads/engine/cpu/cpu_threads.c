/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/engine/cpu/cpu_threads.h"

#include <sched.h>
#include <stdlib.h>

#ifdef _OPENMP
#include <omp.h>
#endif

static int environment_places(void)
{
    return getenv("OMP_PROC_BIND") || getenv("OMP_PLACES") || getenv("GOMP_CPU_AFFINITY");
}

void cpu_threads_place(void)
{
#ifdef _OPENMP
    cpu_set_t all;

    if (environment_places() || sched_getaffinity(0, sizeof all, &all) ||
        CPU_COUNT(&all) != omp_get_max_threads())
        return;
#pragma omp parallel
    {
        int left = omp_get_thread_num(), cpu = 0;
        cpu_set_t one;

        while (!CPU_ISSET(cpu, &all) || left-- > 0)
            cpu++;
        CPU_ZERO(&one);
        CPU_SET(cpu, &one);
        if (omp_get_thread_num() > 0)
            sched_setaffinity(0, sizeof one, &one);
    }
#endif
}
