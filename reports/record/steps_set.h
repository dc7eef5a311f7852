/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a steps file (steps_file.h) will hold, in memory: a record has one until it is
 * written.
 *
 * Life:    create returns it, destroy frees it; destroy(NULL) is a no-op and keeps errno.
 * Failure: -1 when out of memory.
 * Threads: one per set.
 */
#ifndef RECORD_STEPS_SET_H
#define RECORD_STEPS_SET_H

#include <stddef.h>

#include "reports/record/record.h"

enum {
    STEPS_MAX_BYTES = 16 << 20, /* of a file: what a bundle and the archive take */
    STEPS_MAX_BLOCKS = 1 << 17
};

struct steps_workload {
    char name[32];
    int ranks;   /* of the run */
    int buckets; /* columns of so many */
    int epochs;  /* that were trained, whole or in part */
    long steps_per_epoch;
    long window, stride; /* steps are kept in windows, every stride-th; 1: all */
};

/* One rank in one epoch. */
struct steps_block {
    int workload, rank;
    int epoch; /* from 1, as in the record */
    char node[RECORD_NAME_SIZE];
    int rows;
    size_t bytes; /* packed */
};

struct steps_stored {
    struct steps_block of;
    void *bytes; /* packed */
};

struct steps_set {
    int n_workloads, n_blocks;
    struct steps_workload *workloads;
    struct steps_stored *blocks;
    /* its own: */
    int room;
    size_t bytes;
};

struct steps_set *steps_set_create(void);
void steps_set_destroy(struct steps_set *s);
/* Copies; the index of the workload, -1: out of memory. */
int steps_set_workload(struct steps_set *s, const struct steps_workload *w);
/* Copies b and its bytes, which steps_pack() made. -1: out of memory, or it would be
 * more than STEPS_MAX_BYTES. */
int steps_set_block(struct steps_set *s, const struct steps_block *b, const void *bytes);
int steps_set_blocks(const struct steps_set *s);

#endif
