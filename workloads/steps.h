/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Training steps of one rank, stamped, and what becomes of their time when it is
 * known who was last in each: parts that sum to wall time, and this rank's
 * stretches of the slowest path.
 *
 * One step, on the thread that computes:
 *
 *     begin   input   own             tail      w0_1 w1_1  w0_B  w1_B    begin + length
 *       |-------|------------------|-----------|..wait..|...|..wait..|......|
 *               i1                 r: the last bucket      exit
 *                                  is ready    a: nothing is left to compute
 *
 * R_k = max over ranks of r in step k, on one clock; j_k is the rank that has it.
 *
 * Parts of a step (each second in exactly one):
 *     input         waiting for the loader
 *     compute       own - lib - met - withheld
 *     withheld      the thread wanted to run in [i1, a] and had no core (run delay)
 *     exchange_cpu  lib (inside start and progress before r) + tail
 *     skew          of each wait what lies before R_k: a rank had not arrived; of met (sums
 *                   over the ranks inside forward and backward: batch norm) what is above
 *                   the least of all ranks, which waited for the others least
 *     wire          the rest of the waits: everybody had arrived; and that least
 *     update        the rest of the step: the optimiser
 *     agree, other  between steps
 *
 * The slowest path is walked back from the last exit: R_(k+1) - R_k is the wire of
 * step k (R_k to the exit of j_(k+1)) and j_(k+1)'s own step k+1 up to r. There is no
 * waiting for others on it, and its parts sum to R_n - R_1 exactly. Each rank
 * adds up the stretches that are its own; the sum over ranks is the path. Where ranks
 * meet inside a step the path may run through another one's compute in between: what
 * j_k's met is above the least is booked as that.
 *
 * Life:    init/fini the caller's storage; one epoch at a time.
 * Failure: steps_init() when out of memory.
 * Threads: none inside.
 */
#ifndef WORKLOADS_STEPS_H
#define WORKLOADS_STEPS_H

#include <stdbool.h>
#include <stddef.h>

#include "reports/core/err.h"

enum step_part {
    STEP_INPUT,
    STEP_COMPUTE,
    STEP_WITHHELD,
    STEP_EXCHANGE_CPU,
    STEP_SKEW,
    STEP_WIRE,
    STEP_UPDATE,
    STEP_AGREE,
    STEP_OTHER,
    STEP_PARTS
};

enum { STEPS_BUCKETS = 16 /* waits that are kept apart; later ones join the last */ };

/* Seconds; floats are kept for an epoch, begin is on this rank's clock. */
struct step_row {
    double begin;   /* the loader is asked */
    float agree;    /* since the step before: in agreements ... */
    float other;    /* ... and elsewhere */
    float input;    /* begin to i1 */
    float own;      /* i1 to r */
    float lib;      /* of own: inside start and progress of the exchange */
    float met;      /* of own: inside sums over the ranks of forward and backward */
    float withheld; /* run delay in [i1, a] */
    float tail;     /* r to a */
    float late;     /* run delay from a to the end */
    float half;     /* r to the end of the last sum's first half here; < 0: not known */
    float length;   /* begin to end */
    float wait[STEPS_BUCKETS][2]; /* w0, w1 of each bucket, after begin */
    float start[STEPS_BUCKETS];   /* it was ready, after begin; 0: not known */
    float half_of[STEPS_BUCKETS]; /* its first half was over here, after begin; <= 0: not known */
    /* Its sum was over here; its first half (without halves: its sum) was not yet over here.
     * After begin; <= 0: not known. */
    float done_of[STEPS_BUCKETS], since_of[STEPS_BUCKETS];
    float bytes_of[STEPS_BUCKETS]; /* <= 0: not known */
    int waits;
    /* When the loader was asked: batches that were ready; workers that read, inflate, convert. */
    int ready, reading, inflating, converting;
};

struct steps {
    struct step_row *row; /* [room] */
    long n, room;
};

int steps_init(struct steps *s, long room, struct err *e);
void steps_fini(struct steps *s);

/* ---- who was last: one maximum over the ranks ---- */

/* A step's r and the rank that has it as one number, so that COMM_MAX over the
 * ranks gives R_k and j_k, for ever so many of them. The mantissa holds 36 bits
 * of time since `base` and 17 of rank: 131,072 ranks, 0.25 us over 4.7 hours;
 * longer epochs get a coarser tick. */
struct steps_pack {
    double base; /* the run's clock; before all r */
    double tick; /* seconds */
};

enum { STEPS_RANKS = 1 << 17 };

/* For an epoch of at most so many seconds since base. */
struct steps_pack steps_packing(double base, double seconds);
double steps_packed(const struct steps_pack *p, double ready, int rank);
double steps_ready(const struct steps_pack *p, double packed);
int steps_last(double packed);

/* An epoch that is over, as the host gets it: all on rank 0's clock. */
struct steps_epoch {
    int epoch;   /* from 1 */
    long before; /* steps of this process before it */
    const struct steps *steps;
    const struct steps_pack *pack;
    const double *packed; /* [steps->n]: who was last, and when */
};

/* ---- what becomes of the time ---- */

/* Means of so many consecutive steps: their spread is the error of a mean, though
 * neighbours are alike. */
enum { STEPS_BLOCK = 16 };

struct steps_blocks {
    long n;
    double sum, squares;
};

struct steps_sums {
    double part[STEP_PARTS]; /* this rank's seconds */
    double path[STEP_PARTS]; /* its stretches of the slowest path; skew is 0 */
    double path_seconds;     /* their sum */
    double path_met;         /* of its wire: in sums inside forward and backward */
    long path_steps;         /* steps that the whole path has: the same on all ranks */
    long changes;            /* of them another rank was last than in the step before: likewise */
    long steps, last;        /* steps; of them this rank was the last to arrive */
    double half;             /* seconds from R to the end of the first half here, summed ... */
    long halves;             /* ... over so many steps */
    double late;             /* run delay after arrival */
    double lead;             /* seconds from the first bucket's being ready to the last one's ... */
    long leads;              /* ... summed over so many steps */
    struct steps_blocks compute, withheld;
};

/* Adds one epoch's steps to *sums. packed: [n] maxima over the ranks; least: [n] minima of
 * met over those that had samples, or NULL: ranks meet nowhere inside a step. offset is
 * added to this rank's clock to get the run's (0: it is the same). split: false when the
 * clocks cannot tell skew from wire: all waits are then wire. */
void steps_account(const struct steps *s, const struct steps_pack *pack, const double *packed,
                   const double *least, int rank, double offset, bool split,
                   struct steps_sums *sums);

/* Adds b to a, as if the steps had been accounted together. */
void steps_add(struct steps_sums *a, const struct steps_sums *b);

/* Standard error of the mean of those blocks; NAN: fewer than two. */
double steps_error(const struct steps_blocks *b);

/* Seconds that step k waited for sums in all. Without a common clock the rank
 * that waited least was the last, or nearly: the minimum over the ranks is the
 * wire; with one slow direction it may be low by a factor of two. */
double steps_waited(const struct steps *s, long k);

#endif
