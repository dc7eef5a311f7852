/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tensors in the layouts of kernel_map.h for tests of the CPU engine's own
 * kernels: made of noise, read value by value, and compared with what a loop in
 * double says. Behind each lies a guard that a kernel must leave alone.
 *
 * Life:    field_free() frees what field_make() and field_noise() made.
 * Failure: a failing assertion.
 */
#ifndef ENGINE_FIELDS_H
#define ENGINE_FIELDS_H

#include "workloads/engine/cpu/kernel_map.h"

struct field {
    struct map m;
    void *p; /* map_count(m) values, 64-byte aligned */
};

/* What a value should be, and the sum of the magnitudes of its terms. */
struct expected {
    double value, size;
};

/* The OpenMP threads of the kernels from here on. */
void fields_threads(int n);

/* 64-byte aligned, at least `bytes` of it. */
void *fields_memory(size_t bytes);

struct map field_map(long N, long C, long S, long b, enum tensor_dtype dtype);
/* Every value NaN: a kernel that forgets one shows. */
struct field field_make(struct map m);
/* Noise in all places that have a channel, zeros in the padding. The same values
 * in any layout; those of bfloat16 are rounded. */
struct field field_noise(struct map m, unsigned which);
void field_free(struct field *f);

/* Value of sample n, channel c, place s. */
double field_at(const struct field *f, long n, long c, long s);

/* The value is that, within the rounding of a float32 sum (2e-6 of the terms' size)
 * and, in bfloat16, of the result and of so many values before it. */
void field_expect(const struct field *f, const char *what, long n, long c, long s,
                  struct expected want, int roundings);
/* Padding is 0, and the guard is whole. */
void field_check(const struct field *f, const char *what);

/* The next (n, c, s) that is looked at, from *at = 0 on: every one of a small tensor,
 * some of a large one; false at the end. */
bool field_next(const struct map *m, long *at, long *n, long *c, long *s);

/* act(v), and its slope as a function of its value y, in double. */
double field_act(enum act act, double slope, double v);
double field_act_slope(enum act act, double slope, double y);
const char *field_act_name(enum act act);

/* The i-th layout of tests with that many channels: row major, blocks of 8, blocks of
 * 16, channels last; 0 past the end. */
long field_block(int i, long C);

#endif
