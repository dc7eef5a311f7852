/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A stored cube becomes what CosmoFlow is fed: (log(1 + count) - shift) x
 * scale per channel, turned by a symmetry, channels last.
 *
 * Counts are looked up in a table. Several levels of vector instructions do
 * it, all to the same bits; the best that this CPU has is used.
 *
 * Life:    init/fini; a turn is plain data.
 * Failure: init, measure: -1 with a sentence.
 * Threads: any number read one struct convert; a turn is one thread's own.
 */
#ifndef COMPONENT_COSMO_CONVERT_H
#define COMPONENT_COSMO_CONVERT_H

#include <stdint.h>

#include "reports/core/err.h"
#include "workloads/data/loader.h"
#include "workloads/data/science_cosmo.h"

enum { CONVERT_AXES = 3, CONVERT_MAX_EDGE = 1024 };

/* Per channel; scale all 0: log(1 + count) itself. */
struct cosmo_norm {
    float shift[COSMO_CHANNELS], scale[COSMO_CHANNELS];
};

struct convert {
    enum number type;
    long edge;
    bool periodic; /* the cube is a whole box: cyclic shifts are symmetries */
    struct cosmo_norm norm;
    float *table; /* [C][counts] normed log(1 + count) */
};

/* Where each cell of the output comes from: cell (i, j, k) is the stored one
 * at offset[i] + offset[edge + j] + offset[2 edge + k] values. */
struct convert_turn {
    int from[CONVERT_AXES]; /* the stored axis of each axis of the output */
    long offset[CONVERT_AXES * CONVERT_MAX_EDGE];
};

/* edge: at most CONVERT_MAX_EDGE. */
int convert_init(struct convert *c, long edge, enum number type, const struct cosmo_norm *norm,
                 struct err *e);
void convert_fini(struct convert *c);

/* One of 48: permutation 0 to 5 of the axes, each reflected where its bit of
 * `reflect` is set, then shifted by shift[axis] of 2^32 of the periodic box. */
void convert_turn_set(struct convert_turn *t, long edge, unsigned permutation, unsigned reflect,
                      const uint32_t shift[CONVERT_AXES]);

/* Stored planes first..first+n-1, [n][D][D][C], to where they belong in
 * x [D][D][D][C]. Counts are not negative. */
void convert_planes(const struct convert *c, const struct convert_turn *t, const void *planes,
                    long first, long n, float *x);

/* A loader_make: out[0] the cube, out[1] the parameters. ctx: a struct convert.
 * The symmetry is one of 48, and a cyclic shift where the box is periodic. */
int convert_sample(const void *ctx, const struct loader_sample *in, float *const out[],
                   struct err *e);

/* The norm that gives the first `samples` samples (at most all) mean 0 and
 * variance 1 in every channel. The same on every rank that reads the same set. */
int convert_measure(struct dataset *data, uint64_t samples, struct cosmo_norm *norm, struct err *e);

/* For tests: level i of those that this CPU has, the best first, and its
 * name; NULL past the end. */
const char *convert_level(int i);
void convert_planes_at(int level, const struct convert *c, const struct convert_turn *t,
                       const void *planes, long first, long n, float *x);

#endif
