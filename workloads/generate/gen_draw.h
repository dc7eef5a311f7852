/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Random draws in order: a reader of one Philox stream, for generators whose
 * samples take as many numbers as they happen to need (a shower, a crack).
 *
 * The draws are a function of (seed, stream) and of the draws before them, so
 * a sample that has a stream of its own (its id) has the same bits whoever
 * makes it. Own functions (gen_math.h) instead of libm's, so the same on every
 * CPU. Where two draws make one value, draw them in two statements: C does not
 * say which argument of a call comes first.
 *
 * Life:    plain data.
 * Failure: none; arguments outside the stated range are the caller's mistake.
 * Threads: one per struct draw.
 */
#ifndef GENERATE_GEN_DRAW_H
#define GENERATE_GEN_DRAW_H

#include <stdbool.h>
#include <stdint.h>

#include "workloads/philox.h"

struct draw {
    uint64_t seed, stream, index; /* of the block of four words that comes next */
    uint32_t word[4];
    int left;      /* words of it that are not used yet */
    bool has_next; /* the second normal of a pair */
    double next;
};

/* A reader at the start of the stream. */
void draw_init(struct draw *d, uint64_t seed, uint64_t stream);

static inline uint32_t draw_bits(struct draw *d)
{
    if (d->left == 0) {
        philox_at(d->seed, d->stream, d->index++, d->word);
        d->left = 4;
    }
    return d->word[--d->left];
}

/* In (0, 1): (bits + 1/2) / 2^32, never 0 and never 1. */
static inline double draw_uniform(struct draw *d)
{
    return (draw_bits(d) + 0.5) * 0x1p-32;
}

double draw_between(struct draw *d, double least, double most);
double draw_log_between(struct draw *d, double least, double most); /* 0 < least; 1/x */
double draw_normal(struct draw *d);                                 /* N(0, 1): Box, Muller 1958 */
double draw_exponential(struct draw *d);                            /* mean 1 */
double draw_gamma(struct draw *d, double shape); /* scale 1; shape >= 1: Marsaglia, Tsang 2000 */
int draw_poisson(struct draw *d, double mean);   /* 0 <= mean <= 500: as many uniforms */
bool draw_chance(struct draw *d, double probability);

#endif
