/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Runs one small graph and gathers all that comes out of it: the output, the
 * loss, the gradient of every input and parameter. Two runs (two back ends,
 * two plans, with and without rewrites, a finite difference) are compared by
 * name. A back end's own test is a loop over op_cases with check_op().
 */
#ifndef ENGINE_HARNESS_H
#define ENGINE_HARNESS_H

#include "workloads/engine/engine.h"

/* Builds the operators of a case and returns the tensor that goes into the
 * loss (mean squares against random targets), or a loss. Inputs are made with
 * case_input(), parameters with case_param(), so that the harness fills them. */
struct case_build {
    struct model *m;
    struct graph *g;
    int group;
    struct tensor *inputs[8], *targets[4];
    float low[4], high[4]; /* of the targets' values */
    bool whole[4];
    struct param *params[16];
    struct state *states[8];
    int n_inputs, n_params, n_states, n_targets;
};

struct op_case {
    const char *name;
    struct tensor *(*build)(struct case_build *b);
    long batch;
    float step; /* of the finite difference, small where there are kinks; 0: too many */
};

extern const struct op_case op_cases[];
extern const int n_op_cases;

struct tensor *case_input(struct case_build *b, struct shape sample, enum host_layout layout);
/* An input without a gradient, for losses: uniform in [low, high), rounded down
 * to whole numbers or not. */
struct tensor *case_target(struct case_build *b, struct shape sample, float low, float high,
                           bool whole);
struct param *case_param(struct case_build *b, struct shape shape);
/* What it holds after the run is part of the outcome. */
struct state *case_state(struct case_build *b, struct shape shape, float start);

struct outcome_part {
    char name[64];
    struct shape shape;
    size_t n;
    float *v;
};

struct outcome {
    struct outcome_part parts[64];
    int n;
    struct engine_memory memory;
    unsigned long operators; /* bits 1 << enum op */
};

/* How a case is run. */
struct run_options {
    const char *backend;
    int threads;
    enum tensor_dtype compute;
    bool no_reuse, no_rewrite;
    bool recompute; /* every tensor, as far as it goes */
    int rows;       /* real samples; 0: the batch */
    int shorten;    /* test hook of the plan */
    int nudged, at; /* value `at` of input or parameter `nudged` ... */
    float by;       /* ... is changed by this; 0: nothing is */
    int repeats;    /* further forward and backward passes before reading */
    bool eval;   /* forward only, as in evaluation, with states that are not those of the start */
    bool values; /* what was fed and set becomes part of the outcome, behind the rest */
};

struct outcome outcome_run(const struct op_case *c, const struct run_options *o);
void outcome_free(struct outcome *o);

/* Loss of an outcome in double, from its output and the targets; as it came out
 * where the case returned a loss. */
double outcome_loss(const struct op_case *c, const struct outcome *o, int rows);

/* The largest |a - b| / |b| of any part, as vectors; *worst: its name. */
double outcome_distance(const struct outcome *a, const struct outcome *b, const char **worst);

/* Asserts that the case gives the same on both back ends within `tolerance`
 * (relative, each part as a vector). Whole and partial batch. */
void check_op(const struct op_case *c, const char *a, const char *b, enum tensor_dtype compute,
              int threads, double tolerance);

/* Deterministic noise for tests, in (-1, 1). */
float noise(unsigned which, unsigned long i);

#endif
