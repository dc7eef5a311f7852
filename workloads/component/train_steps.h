/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The steps of the training loop as steps.h wants them: stamped while they run, put on
 * one clock and split into phases at an epoch's end, joined to the slowest path at the
 * end of training.
 *
 * Asking for the run delay is a read of a file, three in a step: the dearest of its stamps
 * (contrib/bench/steps.sh). After the first epoch it is known what they cost: where that is more
 * than 1 % of a mean step, only one step of each m is asked, by chance which, and the first
 * of each epoch; m is the least that makes it 0.5 %. The other steps of the epoch get the
 * part of their own time, and the late seconds, that the asked ones had: sums stay unbiased,
 * and the error of their mean is that of the asked ones.
 *
 * The clocks' part. They enter the path where another rank is last than in the step before, so
 * that of a mean step wire_error = bound x changes / steps is the most it is wrong by (of more
 * than two ranks twice that: each clock is known to `bound` against rank 0's). Beside it stands
 * a wire without any clock: the last rank hardly waits for anybody, so the least wait of all
 * ranks is it, of up to 64 steps an epoch; with one slow direction it may be half.
 *
 * The order of calls, on every rank:
 *
 *     init, start
 *     each epoch:  epoch, each step: asks, stamp, agreements: agreed +=
 *                  split
 *     fill, fini
 *
 * Life:    init/fini the caller's storage; task, clock and result are borrowed.
 * Failure: -1 and a sentence. start, split and fill are collective.
 * Threads: the trainer's.
 */
#ifndef COMPONENT_TRAIN_STEPS_H
#define COMPONENT_TRAIN_STEPS_H

#include "workloads/component/train.h"
#include "workloads/component/wire.h"

struct train_steps {
    struct phase_clock *clock;
    struct workload_result *result;
    struct comm *comm;
    const struct workload_host *host;
    double (*run_delay)(void);
    struct steps steps;  /* of the running epoch */
    double *packed;      /* [2 * steps.room] scratch: who was last, and the least met */
    double left, agreed; /* the last step ended; seconds of agreements since then */
    struct steps_sums first, steady;
    long before;                  /* steps of earlier epochs */
    double asking;                /* seconds of the run delay's readings in a step; 0: not known */
    long every;                   /* so many steps have one that is asked */
    bool *asked;                  /* [steps.room] of the running epoch */
    struct steps_blocks withheld; /* of asked steps, when not all are: a block each */
    struct wire wire;             /* of the steady steps */
    double least; /* waits of some steady steps, each of the rank that waited least ... */
    long leasts;  /* ... of so many */
    struct clock_offset clock_then; /* as it was compared last, and when */
    double compared;
};

int train_steps_init(struct train_steps *t, const struct train_task *task,
                     struct phase_clock *clock, struct workload_result *result, struct err *e);
void train_steps_fini(struct train_steps *t);

/* Compares the ranks' clocks. */
int train_steps_start(struct train_steps *t, struct err *e);

/* An epoch's training begins. */
void train_steps_epoch(struct train_steps *t, double begin);

/* Whether the next step of the epoch is asked for its run delay. */
bool train_steps_asks(const struct train_steps *t);

/* A step that took from `begin` to `end`; one that its component did not come to stamp
 * has computed. */
void train_steps_stamp(struct train_steps *t, const struct train_step *s, double begin, double end);

/* The epoch's seconds, which the clock has on PHASE_COMPUTE, go to their phases; those of
 * the first epoch stay one. The host gets the steps; epoch: from 1. *input: this rank's
 * wait for input. */
int train_steps_split(struct train_steps *t, int epoch, bool first, double seconds, double *input,
                      struct err *e);

/* Fills the result's paths, clock and this rank's place. */
int train_steps_fill(struct train_steps *t, struct err *e);

#endif
