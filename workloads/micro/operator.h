/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One operator of one shape: a graph of the engine with nothing else in it that is
 * timed, its numbers, and whether they are right.
 *
 * The graph. Input, operator, and a host node in the place of a loss that gives the
 * gradient dy which is to come in. Operators that do not multiply take the precision
 * and layout of what is before them: they stand behind a 1 x 1 convolution (or a dense
 * layer) with the identity as its weight, as in a network, where it is not timed. So do
 * convolutions of 16 channels and more, which are inner layers: their input lies as the
 * library likes, while what is fed to a first layer is row major. An input whose gradient
 * is wanted would be row major too, so dx is taken of a zero that is added. Attention
 * takes its tokens from a map whose places they are, by op_patches(). The plan
 * reuses no memory and rewrites nothing, so engine_again() can repeat one part: all data
 * of a part stay where they are, in whichever cache holds them.
 *
 * Numbers. Inputs are small whole numbers (halves for ATTENTION, NORM, ACT and LOSS), drawn from
 * the seed: exact in bfloat16, and |a| |b| summed over the longest sum of the shape
 * stays below 2^24, so that float32 sums are exact in whatever order.
 *
 * Checks, in double, of what one step of the engine left:
 *   CONV DECONV GEMM   every number against `ref` where the shape has at most 2^22
 *              multiply-adds; else >= 4,096 numbers, each summed from its receptive
 *              field, and Freivalds (1977): for random v, sum_z v_z y[.][z][.] must be
 *              what the operator makes of the weight sum_z v_z w[z] (likewise
 *              backward, which is linear, too). v is of 1 to 1,023, so one wrong number
 *              is always seen and several at once but for 1 in 1,023. Wanted: equal; in
 *              bfloat16 within 2^-8 of the value, the one rounding when it is stored.
 *              Weight gradients are float32: equal. A depthwise convolution (CONV, op
 *              OP_DEPTHWISE) sums no channels: every number from its receptive field.
 *   POOL       all numbers. max: equal, ties to the first; average: 2^-22 of the sum of
 *              |terms| (each is divided, or multiplied by a rounded inverse), in bfloat16
 *              2^-8 of the value more, and backward, where terms are stored before they
 *              are summed, of that sum.
 *   ATTENTION  of at most four pairs of sample and head, spread over all: 256 tokens (all
 *              of a short sample), each in double from all others. 2^-18 of the sum of
 *              |terms|, for exponentials of float32 scores; in bfloat16 2^-8 of the value,
 *              and backward, where the output as it is stored is used, 2^-8 of that sum.
 *   NORM       all numbers, from statistics in double; 2^-20 of the sum of |terms|
 *              (each is rounded some eight times), in bfloat16 2^-8 of the value more.
 *   ACT        all numbers; 2^-22 of the value for ReLUs, 2^-20 for tanh, GELU and the
 *              logistic function; backward of tanh and that is made of the output as
 *              stored.
 *   LOSS       value: 2^-20 of the sum of |terms|; gradient: 2^-20 of 2 / elements.
 *   OPTIMIZER  two steps of the rule in double; 2^-20 of |w| + rate per step.
 *
 * Life:    operator_close() frees; NULL is fine.
 * Failure: NULL or -1 and a sentence: too large for memory_bytes, or what the engine
 *          says of a precision.
 * Threads: one, which uses `threads` OpenMP threads.
 */
#ifndef MICRO_OPERATOR_H
#define MICRO_OPERATOR_H

#include "workloads/engine/backend.h"

enum operator_kind {
    OPERATOR_CONV,
    OPERATOR_DECONV,
    OPERATOR_POOL,
    OPERATOR_GEMM,
    OPERATOR_ATTENTION,
    OPERATOR_NORM,
    OPERATOR_ACT,
    OPERATOR_LOSS,
    OPERATOR_OPTIMIZER,
    OPERATOR_KINDS
};

enum { OPERATOR_FORWARD = 1 << ENGINE_FORWARD, OPERATOR_FROM_SIZE = 96 };

struct operator_shape {
    enum operator_kind kind;
    enum op op;                    /* of the engine: which pool, norm, activation, loss;
                                    * OPTIMIZER: OP_DENSE */
    struct shape x;                /* input, its batch first; OPTIMIZER: the parameters;
                                    * ATTENTION: samples, 3 D, tokens, 1 */
    long heads;                    /* ATTENTION */
    struct shape w;                /* weight as the engine has it; n 0: none */
    struct window win;             /* CONV, DECONV, POOL */
    enum act act;                  /* ACT */
    float factor;                  /* ACT_LEAKY: slope; OP_SMOOTH_L1: beta */
    enum optimizer_kind rule;      /* OPTIMIZER */
    unsigned parts;                /* bits 1 << enum engine_pass that are wanted */
    long times;                    /* layers that have it, in all networks */
    char from[OPERATOR_FROM_SIZE]; /* who has it: "HPC AI500 V1, hep 3" */
};

struct operator_setting {
    const char *backend;
    bool bf16;
    int threads;
    uint64_t seed;
    uint64_t memory_bytes; /* 0: as much as it takes */
};

/* "conv"; "2-D", "max", "relu", "adam"; "4x32x56x56 64 3x3 p1" (text of 64). */
const char *operator_name(enum operator_kind kind);
const char *operator_what(const struct operator_shape *s);
void operator_text(const struct operator_shape *s, char text[64]);

/* Whether it is computed in bfloat16 at all; multiply-adds of one pass, and values of
 * input and output together, for plans. */
bool operator_has_bf16(const struct operator_shape *s);
double operator_work(const struct operator_shape *s);
double operator_values(const struct operator_shape *s);
/* Bytes that it takes while it is measured and checked, roughly. */
double operator_bytes(const struct operator_shape *s);

struct operation;
struct operation *operator_open(const struct operator_shape *s, const struct operator_setting *set,
                                struct err *e);
void operator_close(struct operation *o);

/* Of one time: parts 0 where it has no such part (a max-pool has no weights). */
struct engine_cost operator_cost(const struct operation *o, enum engine_pass part);
/* What the library calls the implementation of that part: "brgconv:avx512_core"; ""
 * where it is a kernel of the engine's own. */
const char *operator_how(const struct operation *o, enum engine_pass part);

/* Numbers of the part that are wrong are added to *wrong. */
int operator_check(struct operation *o, enum engine_pass part, long *wrong, struct err *e);
/* The part, so many times; seconds of it in *seconds where they are not those of the
 * call (OPTIMIZER makes a gradient before each step), else that is not touched. */
int operator_run(struct operation *o, enum engine_pass part, long times, double *seconds,
                 struct err *e);

#endif
