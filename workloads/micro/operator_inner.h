/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The inside of an operator, for operator.c and its checks; operator.h is the manual.
 *
 * Life, Failure, Threads: as there.
 */
#ifndef MICRO_OPERATOR_INNER_H
#define MICRO_OPERATOR_INNER_H

#include <math.h>

#include "workloads/micro/operator.h"

/* Row major, channels first, as fed, set and read. n: how many; NULL: has none. */
struct numbers {
    float *v;
    size_t n;
};

struct operation {
    struct operator_shape s;
    struct operator_setting set;
    int range; /* inputs are whole numbers of -range to range, times unit */
    float unit;
    struct model *model;
    struct graph *graph;
    int group;
    struct tensor *in, *y, *target;
    struct tensor *zero;   /* added to an inner layer's input; NULL: it is a first layer */
    struct tensor *source; /* whose gradient is dx: `zero`, or `in` */
    struct param *w, *b, *identity;
    struct shape out;
    struct numbers x, dy, t, weight, bias; /* given */
    struct numbers value, dx, dw, db;      /* made */
    uint64_t *ids;
    float *zeros;
    bool stepped;
};

/* ---- operator_text.c ---- */

/* The rule with the numbers that it is measured with: PyTorch's defaults, momentum 0.9
 * and a weight decay where it has one. */
const struct optimizer *operator_rule(enum optimizer_kind rule);

/* ---- numbers.c ---- */

/* Whole numbers of -range to range, times unit; element i depends on (seed, stream, i). */
int numbers_draw(struct numbers *a, size_t n, uint64_t seed, uint32_t stream, int range, float unit,
                 struct err *e);
int numbers_room(struct numbers *a, size_t n, struct err *e);
void numbers_fini(struct numbers *a);

/* ---- product.c: CONV, DECONV, GEMM ---- */

/* The longest sum of any part: terms. */
double product_longest(const struct operator_shape *s);
/* How many of the part's numbers are wrong: of >= 4,096 samples, and by Freivalds. */
long product_samples(const struct operation *o, enum engine_pass part);
long product_freivalds(const struct operation *o, enum engine_pass part);

/* One rounding when a result is stored as bfloat16. */
static inline double operator_stored(const struct operation *o)
{
    return o->set.bf16 ? ldexp(1, -8) : 0;
}

/* ---- attention.c ---- */

/* -1 when out of memory. */
long attention_check(const struct operation *o, enum engine_pass part);

/* ---- tokens.c: NORM of rows, GELU ---- */

long layer_norm_check(const struct operation *o, enum engine_pass part);
long gelu_check(const struct operation *o, enum engine_pass part);

/* ---- value.c: the others ---- */

/* |have - want| <= of_value |want| + slack. */
static inline bool operator_near(double have, double want, double of_value, double slack)
{
    return fabs(have - want) <= of_value * fabs(want) + slack;
}

/* -1 when out of memory. */
long value_check(const struct operation *o, enum engine_pass part);
/* OPTIMIZER: w after so many steps of that rate and gradient against `have`. */
long value_check_rule(const struct operation *o, const float *before, const float *have, int steps,
                      double rate);

#endif
