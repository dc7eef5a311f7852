/* SPDX-License-Identifier: BSD-3-Clause */
/* The state of one run on one rank: what agent.c and report.c share. */
#ifndef AGENT_RUN_H
#define AGENT_RUN_H

#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "agent/energy.h"
#include "agent/options.h"
#include "agent/place.h"
#include "agent/plan.h"
#include "agent/progress.h"
#include "agent/resources.h"
#include "agent/series.h"
#include "papi/counters.h"
#include "reports/record/journal.h"
#include "reports/record/record.h"
#include "reports/core/runspec.h"
#include "workloads/workload.h"

struct run {
    struct options o;
    struct runspec spec;
    FILE *out; /* standard output; libraries that print get standard error */
    struct comm *comm;
    int thread_level; /* that MPI granted */
    /* Monotonic seconds: the run is over by `end` (time=, or the job's end) and
     * stops training at `deadline`, the workload that runs at its own share. */
    double begun, end, deadline, workload_deadline;
    int threads, threads_asked; /* of a rank: that it really gets, that it asked for */
    bool turns;                 /* micro benchmarks: one node at a time */
    struct place place;
    struct resources resources;
    struct run_plan plan;
    struct counters *counters; /* NULL: none */
    struct energy energy;      /* of the workload that runs */
    struct progress progress;

    struct series series; /* of the workload that runs */
    struct record record; /* head on every rank; nodes and workloads on rank 0 */
    struct record_node self;
    char id[RECORD_ID_SIZE];

    /* The guard's thread, too, uses the journal and writes a record. */
    pthread_mutex_t lock;
    struct journal *journal; /* NULL: there is none */

    atomic_int index; /* of the workload that runs, -1 none; the guard reads it, and phase */
    double workload_begun;
    _Atomic(enum phase) phase;
    double phase_begun, phase_seconds[PHASE_COUNT];
    double phases_written; /* when the journal got them */
    /* By a CPU quota, of this workload's steady steps; NAN: no control group tells it. And
     * what it was when the phase began. */
    double throttled, throttled_then;
};

#endif
