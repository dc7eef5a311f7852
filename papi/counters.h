/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the machine did while a rank worked: hardware events, CPU, I/O,
 * network, energy, cgroup. The list of counters is fixed (counters.def), so
 * that all ranks hold the same rows; what cannot be counted is null with the
 * reason, never 0.
 *
 * The agent opens once after MPI_Init, calls counters_phase() at each phase
 * border, and exports the rows. Counters are read at borders only; what was
 * counted between two borders belongs to the phase between them.
 *
 *     struct counters *c = counters_open(NULL, &e);
 *     counters_phase(c, PHASE_STAGING);
 *     ...
 *     counters_stop(c);
 *     counters_export(c, rows);       gather a counter over ranks, then
 *     counters_combine(rows_of_one, 1, ranks, COUNTER_energy_package_joules, p)
 *
 * Life:    open returns, close frees. Strings returned live until close;
 *          those of counters_info() for ever.
 * Failure: missing hardware, a file that vanishes, a counter that goes
 *          backwards are answers: the value is null from then on with the
 *          reason. open fails only when out of memory.
 * Threads: one thread makes all calls. Events of all threads of the process
 *          are counted, those started later too; where that is refused, the
 *          source (counters_source) says which threads are.
 */
#ifndef PAPI_COUNTERS_H
#define PAPI_COUNTERS_H

#include <stddef.h>
#include <stdint.h>

#include "reports/core/err.h"
#include "reports/core/measure.h"
#include "reports/core/result.h"

enum counter {
#define COUNTER(symbol, backend, unit, kind, scope, title, ...) COUNTER_##symbol,
#include "reports/core/counters.def"
    COUNTER_COUNT
};

enum counter_kind { COUNTER_TOTAL, COUNTER_PEAK, COUNTER_LEVEL };

/* Who sees the same counter: see struct counters_row.domain. */
enum counter_scope { SCOPE_RANK, SCOPE_CGROUP, SCOPE_NETWORK, SCOPE_NODE };

/* One row of counters.def. */
struct counter_info {
    const char *name; /* as in the record: "energy_package_joules" */
    const char *backend;
    const char *unit;
    enum counter_kind kind;
    enum counter_scope scope;
    const char *title;
};

/* Row of counter i, NULL past the end. */
const struct counter_info *counters_info(int i);

/* "rank", "cgroup", "network", "node". */
const char *counters_scope_name(enum counter_scope s);

/* Stands in for the machine in tests: the raw reading of counter i in the
 * counter's unit, or a reason. Called once per counter and border. */
typedef struct measure counters_canned_fn(void *ctx, int i);

struct counters_options {
    const char *root;           /* prefix of /proc and /sys, NULL: none (fixtures) */
    unsigned off;               /* bits 1u << BACKEND: not opened, with that reason */
    counters_canned_fn *canned; /* reads every counter instead of the back ends */
    void *canned_ctx;
    /* The process is a Slurm job's: control groups count when they are the job's,
     * not when they are the node's or its daemon's. */
    bool in_job;
};

enum counters_backend {
    BACKEND_PAPI,
    BACKEND_PERF,
    BACKEND_PROC,
    BACKEND_NET,
    BACKEND_INFINIBAND,
    BACKEND_ENERGY,
    BACKEND_CGROUP,
    BACKEND_CPU,
    BACKEND_SOCKET,
    BACKEND_COUNT
};

struct counters;

/* Finds what can be counted. Takes some 10 ms (PAPI's start), once. o may be
 * NULL and is copied; its strings are borrowed for the call. */
struct counters *counters_open(const struct counters_options *o, struct err *e);
void counters_close(struct counters *c);

/* Border: what follows belongs to p. The same phase again is not a border. */
void counters_phase(struct counters *c, enum phase p);

/* Reads without a border. A phase of many minutes calls it now and then,
 * so that counters that wrap are never read less than once per round. */
void counters_sample(struct counters *c);

/* Ends the last phase; counters_phase() starts again. */
void counters_stop(struct counters *c);

/* Forgets what was added up: a new workload begins. Stops first. */
void counters_reset(struct counters *c);

/* Counter i in phase p, PHASE_COUNT for all phases together. */
struct measure counters_value(const struct counters *c, int i, enum phase p);

/* Where it comes from: "PAPI_TOT_CYC", "/proc/self/io"; "" when it is off. */
const char *counters_source(const struct counters *c, int i);

/* Part of the time that i was really counted, 1 without multiplexing; less:
 * the value is scaled up. NAN when unknown or when i is off. */
double counters_ratio(const struct counters *c, int i);

/* What the reads cost so far. */
struct counters_cost {
    long reads;
    double seconds;     /* sum over the reads */
    double max_seconds; /* dearest one */
};
struct counters_cost counters_cost(const struct counters *c);

/* One counter of one rank, to be sent as bytes between like machines. */
struct counters_row {
    double value[PHASE_COUNT + 1]; /* last: all phases; NAN: none */
    double ratio;
    uint64_t entered; /* bits 1u << p: the rank was in that phase */
    /* Ranks with the same domain see one and the same counter (a node's
     * energy): take one of them, not their sum. 0: the rank's own. */
    uint64_t domain;
};

void counters_export(const struct counters *c, struct counters_row rows[COUNTER_COUNT]);

/* Counter i in phase p (PHASE_COUNT: all) over all ranks; rows: those of that
 * counter, rank r's is rows[r * stride]. TOTAL sums each domain once; PEAK is
 * the highest, LEVEL the mean, of the ranks that entered the phase. Null when
 * one of them has no value, with a literal reason: show that rank's own
 * (counters_value().reason) where it is known. */
struct measure counters_combine(const struct counters_row *rows, size_t stride, int ranks, int i,
                                enum phase p);

#endif
