/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a workload is to who runs it, and who runs it to a workload.
 *
 * The agent fills a workload_host, asks for a plan, and runs. A unit test
 * does the same with comm_self() and no callbacks. A workload is one file
 * that defines `const struct workload workload_NAME` and one row in
 * reports/core/workloads.def.
 *
 * Life:    a workload keeps nothing between calls; all state is inside run().
 * Failure: -1 and a sentence. Every rank returns (agree, then act): a failure
 *          on one rank is agreed before the next collective.
 * Threads: run() is called by the thread that may talk to the other ranks.
 */
#ifndef WORKLOADS_WORKLOAD_H
#define WORKLOADS_WORKLOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "reports/core/err.h"
#include "reports/core/result.h"
#include "reports/core/runspec.h"
#include "workloads/comm.h"

struct steps_epoch;

/* One moment of a run, for the progress line and the journal. */
struct workload_progress {
    enum phase phase;
    int epoch, epochs;      /* from 1; 0 before the first */
    long step, steps;       /* in the epoch */
    double loss;            /* NAN before there is one */
    double quality, target; /* NAN before the first evaluation */
    double samples_per_second;
    double eta_seconds; /* to the end of `epochs`; NAN unknown */
};

/* Who runs it. Callbacks may be NULL. */
struct workload_host {
    struct comm *comm;
    double (*now)(void); /* monotonic seconds */
    double deadline;     /* on that clock; stop cleanly before it */
    /* Seconds that this thread has wanted to run and had no core, since it began;
     * NULL: the system does not say. */
    double (*run_delay)(void);
    int threads;           /* this rank uses so many: threads=, or what it may */
    uint64_t memory_bytes; /* this rank may use so much; 0 unknown */
    const char *cache_dir; /* for generated data; node-visible folder */
    const char *generator; /* path of hpcai500-generate */
    void *ctx;
    /* Entered a phase: counters are read here, never inside a step. */
    void (*phase)(void *ctx, enum phase p);
    /* What follows, tests and steps that train nothing, is in no phase. */
    void (*over)(void *ctx);
    void (*progress)(void *ctx, const struct workload_progress *p);
    void (*epoch)(void *ctx, const struct result_epoch *row);
    /* The profile of this rank's steps so far, now and then between two epochs: the first,
     * then each with twice the steps of the one before; profile and operators of *so_far. */
    void (*profile)(void *ctx, const struct workload_result *so_far);
    /* The steps of an epoch, before that; all of it is borrowed for the call. */
    void (*steps)(void *ctx, const struct steps_epoch *s);
    void (*say)(void *ctx, const char *sentence); /* rank 0: a line for a person */
    /* Rank 0: "making data, 3 of 10", as often as it changes. */
    void (*count)(void *ctx, const char *what, uint64_t done, uint64_t all);
    /* True when this rank was told to stop (signal). Workloads agree on it
     * over the ranks at step borders. */
    bool (*stop)(void *ctx);
};

/* What a run will take, before it starts (--dry-run, class=auto). */
struct workload_plan {
    enum runspec_class class; /* resolved */
    char title[96];           /* "CosmoFlow 32^3 x 4, 3 stages" */
    uint64_t parameters;
    long batch; /* global */
    int epochs;
    char metric[32]; /* of the quality: a row of metrics.def, which has its direction */
    double target;
    uint64_t train_samples, eval_samples;
    uint64_t arena_bytes; /* per rank */
    uint64_t data_bytes;  /* on storage, all samples */
    double flop_per_sample;
    double expected_seconds; /* of training to `epochs`, from flop_per_second */
    char data_path[RUNSPEC_FOLDER_SIZE];
    bool data_ready; /* exists and matches its manifest */
};

/* A network of a workload as it trains it, compiled but not started. Borrowed. */
struct graph;
struct optimizer;
struct workload_graph {
    const char *model; /* as model= has it; NULL: the only one */
    const struct graph *graph;
    const struct optimizer *optimizer;
    uint64_t parameters;
};
typedef int workload_visit(void *ctx, const struct workload_graph *g, struct err *e);

struct workload {
    /* Plans `class` (never CLASS_AUTO) for comm->size ranks; flop_per_second
     * is what one rank is expected to reach (measured by the agent). */
    int (*plan)(const struct workload *w, const struct runspec *spec, int index,
                enum runspec_class class, const struct workload_host *host, double flop_per_second,
                struct workload_plan *plan, struct err *e);
    /* Runs the plan. *result is filled also on failure, as far as it got. */
    int (*run)(const struct workload *w, const struct runspec *spec, int index,
               const struct workload_plan *plan, const struct workload_host *host,
               struct workload_result *result, struct err *e);
    /* Compiles the networks of `class` for one of so many ranks (a class that it does not have:
     * none), and shows each to visit(), until that fails. NULL: it has no graphs to show. */
    int (*graphs)(const struct workload *w, enum runspec_class class, int ranks,
                  workload_visit *visit, void *ctx, struct err *e);
    const void *own; /* the kind's: a struct component */
};

/* Workload of that row of workloads.def, NULL past the end. */
const struct workload *workload_of(int index);

#endif
