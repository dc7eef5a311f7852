/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A stored cube becomes what a network is fed: (log(1 + count) - shift) x
 * scale, turned by a symmetry, in the layout asked for. Inner part of the
 * loader.
 *
 * Counts are looked up in a table. Several levels of vector instructions do
 * it, all to the same bits; the best that this CPU has is used.
 *
 * Life:    init/fini; a turn borrows nothing.
 * Failure: init -1 with a sentence.
 * Threads: any number read one struct convert; a turn is one thread's own.
 */
#ifndef DATA_CONVERT_H
#define DATA_CONVERT_H

#include <stdint.h>

#include "reports/core/err.h"
#include "workloads/data/loader.h"

enum { CONVERT_AXES = 3 };

struct convert {
    enum loader_layout layout;
    enum dataset_type type;
    long edge;
    struct loader_norm norm;
    float *table; /* [C][counts] normed log(1 + count) */
};

/* Where each cell of the output comes from: cell (i, j, k) is the stored one
 * at offset[i] + offset[edge + j] + offset[2 edge + k] values. */
struct convert_turn {
    int from[CONVERT_AXES]; /* the stored axis of each axis of the output */
    long *offset;           /* [CONVERT_AXES][edge] */
};

int convert_init(struct convert *c, const struct dataset_info *info, enum loader_layout layout,
                 const struct loader_norm *norm, struct err *e);
void convert_fini(struct convert *c);

int convert_turn_init(struct convert_turn *t, long edge, struct err *e);
void convert_turn_fini(struct convert_turn *t);

/* One of 48: permutation 0 to 5 of the axes, each reflected where its bit of
 * `reflect` is set, then shifted by shift[axis] of 2^32 of the periodic box. */
void convert_turn_set(struct convert_turn *t, long edge, unsigned permutation, unsigned reflect,
                      const uint32_t shift[CONVERT_AXES]);

/* Stored planes first..first+n-1, [n][D][D][C], to where they belong in
 * x [C][D][D][D] or [D][D][D][C]. Counts are not negative. */
void convert_planes(const struct convert *c, const struct convert_turn *t, const void *planes,
                    long first, long n, float *x);

/* For tests: level i of those that this CPU has, the best first, and its
 * name; NULL past the end. */
const char *convert_level(int i);
void convert_planes_at(int level, const struct convert *c, const struct convert_turn *t,
                       const void *planes, long first, long n, float *x);

#endif
