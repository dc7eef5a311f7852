/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Rooflines: what the machine can do at most, as it was measured, and how far from it
 * work is (Williams, Waterman, Patterson 2009).
 *
 * Roofs are rows of the benchmark `machine` with as many threads as the work had: `peak`
 * of its precision [FLOP/s], and of each level of the memory the best of its kernels
 * [B/s]. They, and all points, are of one rank. A convolution's own peak is a dashed
 * line: what the library reaches, not what the processor could.
 *
 * A point is work of F FLOP (without those of padding: in small maps half of what is
 * counted by convention, and left out by good kernels) that moves Q bytes, all of which it needs, in t seconds. It
 * cannot take less than
 *
 *     max(F / peak, Q / bandwidth of the level that holds its Q bytes)
 *
 * which is its floor; its share of the roof is floor / t. A level holds what is at most as large
 * as it; what is larger lies in the next, of which at most the level's size may still
 * be in it: Q / bandwidth is then max((Q - size) / below, size / bandwidth), and no less than
 * Q / bandwidth. A share
 * above 1 + ROOFLINE_GRACE says that the roof was not the roof: the ceilings were taken
 * on a slower, or busier, machine than the work. The roofline is then not valid.
 *
 * The two rooflines of distributed learning have the same form: FLOP per byte that a
 * rank hands to the exchange, under what `allreduce` reached for a message of that
 * size, and FLOP per byte that is read, under what `read` reached.
 *
 * Life:    plain data; texts are copied.
 * Failure: what a record does not have is 0 or NAN, and `why` says what to do.
 * Threads: pure functions.
 */
#ifndef DIAGNOSE_ROOFLINE_H
#define DIAGNOSE_ROOFLINE_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

#define ROOFLINE_GRACE 0.05

enum { ROOFLINE_LEVELS = 4, ROOFLINE_TYPES = 2 };

struct roofline_level {
    char name[8];     /* "L1", "L2", "L3", "DRAM" */
    double bytes;     /* it holds so many of one rank's; INFINITY: the last */
    double bandwidth; /* [B/s] */
    char kernel[64];  /* what reached it: "triad DRAM non-temporal" */
};

struct roofline_peak {
    char dtype[8];
    double peak;        /* [FLOP/s]; 0: not measured */
    double convolution; /* of the library; 0: not measured */
    char source[64];    /* what reached the peak: "fma AVX-512" */
};

struct roofline {
    int threads;
    struct roofline_peak peak[ROOFLINE_TYPES]; /* f32, bf16 */
    struct roofline_level level[ROOFLINE_LEVELS];
    int n_levels;
    char why[160]; /* no roof is known, and what would give one; "": all are */
};

/* Roofs for work of so many threads from a record's rows of `machine`. */
void roofline_read(struct roofline *r, const cJSON *doc, int threads);

/* Work: one call of an operator, or a step of a workload. */
struct roofline_work {
    const char *dtype;
    double flop, bytes, seconds;
    double set; /* bytes that must be held at once; 0: `bytes` */
};

struct roofline_point {
    double intensity; /* FLOP / byte; 0: no FLOP is counted for it */
    double flops;     /* [FLOP/s] */
    double bandwidth; /* [B/s] */
    double floor;     /* seconds; NAN: no roof of its precision or level */
    double share;     /* floor / seconds */
    int level;        /* that holds it; -1: none */
    bool memory;      /* the floor is that of the memory */
    bool above;       /* share > 1 + ROOFLINE_GRACE */
};

struct roofline_point roofline_point(const struct roofline *r, const struct roofline_work *w);

/* Highest bandwidth for a set of so many bytes, and the level that holds it; NAN, -1. */
double roofline_bandwidth(const struct roofline *r, double bytes, int *level);

/* Peak of a precision, 0 when it was not measured. */
double roofline_peak_of(const struct roofline *r, const char *dtype);

/* What a rank of a workload does in a step, and what it exchanges and reads for it; 0
 * or NAN for what the record does not have. */
struct roofline_step {
    struct roofline_work work;
    double exchanged_bytes, exchange_rate; /* rate: [B/s], NAN: no row of allreduce */
    double read_bytes, read_rate;          /* of its samples as stored; NAN: no row of read */
    char exchange_source[64], read_source[64];
};

/* doc: where rows of micro benchmarks are; w: a workload of any record. */
struct roofline_step roofline_step(const cJSON *doc, const cJSON *w);

/* Work of one call of a row of profile.operators. */
struct roofline_work roofline_operator(const cJSON *row);

/* The same of a row of micro that measured an operator alone, with so many threads; its
 * FLOP count padding, so that it may lie above the roof. false: it is another kind of
 * row. */
bool roofline_micro(const cJSON *row, int threads, struct roofline_work *w);

/* A workload's step and its operators beside their roofs. doc: of the ceilings. */
struct roofline_count {
    int points; /* that have a roof */
    int above;  /* of them: more than ROOFLINE_GRACE above it */
};
struct roofline_count roofline_count(const struct roofline *r, const cJSON *doc,
                                     const cJSON *workload);

/* What it means that so many are above; "" of none. */
void roofline_verdict(int above, char *text, size_t size);

/* Seconds that a step takes at least: the sum of the floors of its operators; NAN where
 * one of those that have a row has none. */
double roofline_floor(const struct roofline *r, const cJSON *workload);

#endif
