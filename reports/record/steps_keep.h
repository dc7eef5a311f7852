/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which steps and ranks a steps file has, decided while training goes on: memory and
 * file are bounded however many steps there will be.
 *
 * Steps are kept in windows of STEPS_WINDOW consecutive ones: at first every window;
 * when they are more than STEPS_KEPT steps, every second of those that are kept goes.
 * The first window always stays. Which steps are in windows hangs on their number
 * alone, so it is the same on all ranks. Stalls, steps of more than 1.5 x the median
 * of their epoch, are kept with the two before and the two after them, up to
 * STEPS_STALLS rows: those are this rank's.
 *
 *     steps_keep_init(&k, buckets);
 *     each epoch, each step:  if (steps_keep_wants(&k, step, stall)) steps_keep_add(...)
 *     steps_keep_thin(&k)     while what it gives is too large
 *     for (i = 0; steps_keep_pack(&k, &at, &block, &bytes, &e) > 0;) ...
 *     steps_keep_fini(&k);
 *
 * A row takes 16 + 8 x (18 + 4 x buckets) bytes, at most 5,120 of them are held:
 * 1 MB with one bucket, 3.4 MB with 16.
 *
 * Life:    init/fini the caller's storage.
 * Failure: -1 when out of memory; nothing is lost that was kept before.
 * Threads: none inside.
 */
#ifndef RECORD_STEPS_KEEP_H
#define RECORD_STEPS_KEEP_H

#include <stdbool.h>

#include "reports/record/steps_file.h"

enum {
    STEPS_WINDOW = 128,
    STEPS_KEPT = 4096,   /* rows in windows */
    STEPS_STALLS = 1024, /* rows beside them */
    STEPS_AROUND = 2,    /* kept with a stall, on each side */
    STEPS_RANKS_KEPT = 64
};

struct steps_keep {
    long stride; /* windows that are kept: every so many-th */
    int buckets;
    int n, room, stalls; /* rows; of them outside the windows */
    char *rows;
};

void steps_keep_init(struct steps_keep *k, int buckets);
void steps_keep_fini(struct steps_keep *k);

/* Whether a step is to be kept; near: it is a stall or near one. */
bool steps_keep_wants(const struct steps_keep *k, long step, bool near);
int steps_keep_add(struct steps_keep *k, int epoch, const struct steps_row *row, bool near);
/* Every second window goes. False: there is only one left. */
bool steps_keep_thin(struct steps_keep *k);

/* Marks in near[n] the steps that are kept as stalls of an epoch, from their lengths. */
int steps_near_stalls(const double *length, long n, bool *near);

/* The rows of the next epoch as a block; *at begins with 0. 1, 0 at the end, -1 and a
 * sentence. *bytes: free() it. Of *b only epoch, rows and bytes are set. */
int steps_keep_pack(const struct steps_keep *k, int *at, struct steps_block *b, void **bytes,
                    struct err *e);

/* Which of n ranks a file has, by their own work in a step [s] (NAN: none known): all of
 * up to 64; else the 16 with most, the 16 with least, and 32 evenly from between. Rising;
 * how many, -1: out of memory. */
int steps_choose_ranks(const double *own, int n, int chosen[STEPS_RANKS_KEPT]);

#endif
