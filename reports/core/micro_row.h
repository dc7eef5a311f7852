/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What one micro benchmark leaves: plain data that a benchmark fills, the agent
 * gathers over ranks, and the record prints as one row of `micro`. Field names
 * are those of the record.
 *
 * Quantiles are of the repeats, from the fast side: `median`, `p95` and `p99` are
 * what 50, 95 and 99 % of the repeats reached or beat, whether more is better (a
 * rate) or less (a time). `median` is the median over the ranks of each rank's own
 * median, so that ranks with more repeats do not weigh more; `p95`, `p99` and
 * `best` are of all repeats of all ranks.
 *
 * Life:    plain values; `samples` and `parts` are the two allocations:
 *          micro_row_fini() frees them. A reason is borrowed, as in measure.h.
 * Threads: none inside.
 */
#ifndef CORE_MICRO_ROW_H
#define CORE_MICRO_ROW_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "reports/core/measure.h"

/* OK: measured. SLOW: measured, and one node or direction stands out from the
 * others by more than their spread explains. FAULTY: a wrong number came out,
 * whatever the speed. SKIPPED: not measured. UNSTEADY: it depends on the order of rows. */
enum micro_status {
    MICRO_OK,
    MICRO_SLOW,
    MICRO_FAULTY,
    MICRO_SKIPPED,
    MICRO_UNSTEADY,
    MICRO_STATUS_COUNT
};

#define MICRO_STATUS_WORDS                                                                         \
    {                                                                                              \
        "OK", "SLOW", "FAULTY", "SKIPPED", "UNSTEADY", NULL                                        \
    }

/* Of a row that reads files: none of their bytes was in the node's memory when the clock
 * started, all were, or it cannot be told. */
#define MICRO_CACHE_WORDS                                                                          \
    {                                                                                              \
        "cold", "warm", "unknown", NULL                                                            \
    }

/* A run of samples that one rank measured. */
struct micro_part {
    int rank, node; /* node: index in the record; -1 unknown */
    int n;          /* samples, behind those of the parts before */
};

struct micro_row {
    char name[32];           /* benchmark: a row of workloads.def */
    char what[32];           /* of it: kernel, operation, way: "triad", "window" */
    char shape[64];          /* sizes, level of the memory: "DRAM non-temporal" */
    char dtype[8];           /* "": has none */
    char direction[24];      /* forward, backward_data, ..., "back to back"; "none" */
    char from[64], to[64];   /* nodes of a link; "": not one */
    uint64_t bytes;          /* of a message, or that a rank works on or moves; 0: none */
    double flop;             /* of one time; 0: is not counted in FLOP */
    char found_in[96];       /* who has this shape: "hep 3, cosmoflow 1"; "" */
    char implementation[48]; /* as the library calls it; "" */
    char cache[8];           /* where what was read lay: MICRO_CACHE_WORDS; "": reads no files */
    int ranks, threads;      /* that measured it; threads of each */
    int position;            /* from 1, in the order in which the run measured its rows */
    int index;               /* in the list of its benchmark: the order of rows in the record */
    char unit[24];           /* of median, p95, p99, best, slowest and samples */
    bool more_is_better;
    bool checked; /* its numbers were checked before they were timed */
    enum micro_status status;
    char reason[160]; /* of a status that is not OK, or what an order swap found; "" */

    struct measure median, p95, p99, best;
    struct measure algbw, busbw; /* of a collective, bytes/s, at the median */
    struct measure slowest;      /* the median of the rank that has the worst */
    int slowest_rank;            /* -1: none */
    char slowest_node[64];       /* "": none */

    /* What else went on while it was measured; of the rank or node that had most. */
    struct measure run_delay;         /* part of its time that a thread waited for a core */
    struct measure throttled_seconds; /* that a CPU quota kept the processes back */
    struct measure foreign_cores;     /* cores that processes of others took */
    struct measure clock_hertz;       /* as the system says: least of all ranks */
    struct measure celsius;           /* hottest sensor of all nodes */
    struct measure resident;          /* part of its files that was in the node's memory */

    int n_samples;
    double *samples;
    int n_parts;
    struct micro_part *parts; /* NULL: who measured what is not known */
};

static inline void micro_row_fini(struct micro_row *r)
{
    free(r->samples);
    free(r->parts);
    r->samples = NULL;
    r->parts = NULL;
    r->n_samples = r->n_parts = 0;
}

#endif
