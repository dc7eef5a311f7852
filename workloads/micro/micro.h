/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Micro benchmarks: what the machine can do at most, row by row.
 *
 * A benchmark is a list of *rows* (one kernel at one size with one precision and
 * so many threads) that one harness measures (harness.h). It gives the harness two
 * functions a row: `check`, which computes once and compares every number, and
 * `run`, which does the work so many times over.
 *
 * Measuring. Each row is warmed up, which also finds how often its work must be
 * repeated for a sample to take `floor_seconds`: 0.12 s, since the median of shorter
 * pieces does not see a CPU quota (its period is 0.01 to 0.1 s) and a second thread
 * that wakes up late must not be missed. Then `samples` samples are taken. Ranks
 * begin each sample together after a barrier; with `turns` one node after the other
 * does, n1 n2 n3 n1 n2 n3, as nodes that share processors measure each other. Rows
 * run in an order drawn from the seed, nodes likewise in each round: what drifts
 * (clock, neighbours) must not fall on the same row in all runs.
 *
 * Values. Rates are work / wall time of the sample, of one rank. Quantiles:
 * reports/core/micro_row.h.
 *
 *   FLOP       2 per multiply-add, n the rank's threads:
 *              fma   own kernels, multiply-adds of independent registers (AVX-512,
 *                    AVX2, vdpbf16ps, else what the compiler makes); no memory
 *              matmul, convolution   forward of a graph of one operator through the
 *                    engine, so by the library's best (AMX where it has it), its own
 *                    count of FLOP (2 N I O; 2 N O C K Q, padding counted)
 *              peak  the best of the three: the hard roof
 *   bandwidth  STREAM's kernels and count (McCalpin 1995): doubles, what a store
 *              fetches is not counted: copy a = b and scale a = q b 16 bytes an
 *              element, add a = b + c and triad a = b + q c 24. In caches each thread
 *              works on arrays that together take half of its share of the level; in
 *              DRAM each array has 4 x the last-level caches (STREAM's rule), all
 *              ranks of a node together, and stores that bypass the caches are used
 *              where they are faster ("non-temporal").
 *   chain      multiplications, each of which needs the one before: x = a x + 1 of 64
 *              bits takes a fixed number of cycles (4 on current x86: 3 + 1), so it
 *              tells clocks apart, whatever the memory does [multiplications/s]
 *   spread     the chain on each core in turn: speed of the slowest / of the fastest
 *
 *   read       samples of 256 KiB, by one thread of each rank, files of its own
 *              (samples.h); bytes of samples / time of a pass over all; dropping is not
 *              counted, nor opening what a reader holds open. Each way is measured cold and warm (files.h), and the part of the
 *              files that was in memory is taken before each pass: only what was asked
 *              for is called so, the rest "unknown". On a file system that lives in
 *              memory cold rows are skipped.
 *   write      a new file by write(2) until fsync() has returned; a checkpoint by the
 *              engine (model_save(): CRC, fsync, rename, fsync of the folder) and back
 *              (model_load()), cold and warm; bytes of the file / time
 *   meta       names in a folder of the rank's own, in the order of the seed: create,
 *              create with fsync, stat, open and close, unlink [1/s]. Whether the system
 *              looked a name up in memory it does not tell: cache is "unknown"
 *
 * Checks. Numbers are chosen so that results are exact (small whole numbers; the
 * chain modulo 2^64 against its closed form by repeated squaring): every element
 * of fma, memory and chain is compared, of the library's products >= 4,096 in double
 * and, for the matrix product, all of them by Freivalds' test. A wrong one makes the
 * row FAULTY; it is timed all the same, since how fast is then a question, too.
 *
 * Conditions. With each row: run delay of all threads (/proc/self/task/N/schedstat),
 * time throttled by a quota (cpu.stat of the cgroup), processors that others used
 * (/proc/stat minus our own), clock and temperature where the system shows them.
 *
 * Order. When all rows are done, the two that came first are measured again in the other
 * order: row "order swap". A median may then differ by what its repeats can detect, 2.8
 * standard errors of the difference (80 % power, 5 % false alarms) and at least 1 %; by
 * more: UNSTEADY, as rows disturb each other, or the machine drifts. Of machine, read,
 * write and meta: those that harness_rows() runs.
 *
 * Who is slow. Of four nodes or more the rate of each is compared with the others', row by
 * row (outlier.h); one that stands out makes the row SLOW, with what held its threads.
 * With turns, what other work took of the shared cores is put back before.
 * A peak has the status of the row that it is taken from. p2p: polish.h. Operators are
 * not compared.
 *
 * Life:    a benchmark keeps nothing between calls.
 * Failure: -1 and a sentence, on all ranks (agree, then act). A wrong number is no
 *          failure but a row's status.
 * Threads: called by the thread that may talk to the other ranks; kernels use up
 *          to `threads` OpenMP threads.
 */
#ifndef MICRO_MICRO_H
#define MICRO_MICRO_H

#include <stdbool.h>
#include <stdint.h>

#include "reports/core/err.h"
#include "reports/core/micro_row.h"
#include "reports/core/runspec.h"
#include "workloads/comm.h"

/* The harness's own, of a run: the first two rows that were measured, and the same two
 * again in the other order. */
struct micro_swap {
    bool again; /* now */
    struct micro_swapped {
        double log, error; /* of the median, and its standard error; log NAN: none */
        /* What tells one row from another, in the order in which it is said. */
        char what[32], shape[64], dtype[8], direction[24], threads[24];
    } first[2], second[2]; /* as they were measured */
};

/* Who runs it. Callbacks may be NULL. */
struct micro_host {
    struct comm *comm;
    double (*now)(void);   /* monotonic seconds */
    double deadline;       /* on that clock: no row begins after it */
    int threads;           /* of a rank */
    uint64_t memory_bytes; /* a rank may use so much; 0 unknown */
    const char *backend;   /* of the engine */
    const char *folder;    /* where files are made: data=, else where generated data are kept */
    enum runspec_class class;
    enum runspec_dtype dtype; /* BF16: leave out f32 */
    uint64_t seed;
    const char *profile;      /* of validate: quick, standard, deep */
    double budget_seconds;    /* of its tests of a node; 0: the profile's own */
    double pause_seconds;     /* of validate and vet: between further rounds */
    int spares;               /* nodes that vet leaves out; 0: it is validate */
    bool before_script;       /* of vet: what it says is for the plugin, not for a person */
    const char *node_program; /* that it starts on each node */
    bool turns;               /* one node, or one pair, at a time */
    double floor_seconds;     /* of a sample */
    int samples;              /* of each row */
    int node, n_nodes;        /* of this rank; all */
    struct micro_swap *swap;  /* NULL: no order-swap test */
    void *ctx;
    const char *(*node_name)(void *ctx, int rank);
    int (*node_of)(void *ctx, int rank);
    bool (*stop)(void *ctx); /* this rank was told to stop */
    /* Brackets calls that nobody can interrupt (agent/guard.h); what NULL: the end. */
    void (*blocking)(void *ctx, const char *what);
    void (*count)(void *ctx, const char *what, uint64_t done, uint64_t all);
    /* Rank 0 takes the line of a node, with its newline. */
    void (*line)(void *ctx, const char *line);
    /* Rank 0 takes a row, which it frees. */
    int (*row)(void *ctx, struct micro_row *row, struct err *e);
};

/* What it will take, before it starts. */
struct micro_plan {
    char title[96]; /* "44 rows of 5 samples: ..." */
    int rows;
    double expected_seconds;
    uint64_t memory_bytes; /* of a rank, most at a time */
};

/* A benchmark: a row of workloads.def is its name. Collective but plan, which is
 * the same on all ranks of the same machine. run returns 0 when it measured all;
 * *done: rows that it did. */
struct micro_bench {
    void (*plan)(const struct micro_host *h, struct micro_plan *plan);
    int (*run)(const struct micro_host *h, int *done, struct err *e);
};

/* Samples of each row, and the least seconds of a sample, of a class. */
int micro_samples(enum runspec_class class);
#define MICRO_FLOOR_SECONDS 0.12

/* Of the engine's operators: shapes.h says at which shapes, operator.h how they are
 * built and checked. */
extern const struct micro_bench micro_conv, micro_deconv, micro_pool, micro_gemm, micro_attention,
    micro_norm, micro_act, micro_loss, micro_optimizer;
extern const struct micro_bench micro_machine, micro_read, micro_write, micro_meta;

#endif
