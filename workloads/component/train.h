/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The training loop that all components share: epochs of steps, evaluation
 * after each, until the target, the last epoch, or the time. A component
 * gives one step and one evaluation; this file keeps the time, agrees over
 * the ranks, and fills the result.
 *
 * Ranks agree about stopping only now and then (about twice a second), not in
 * every step or batch of an evaluation. A rank that fails in between ends its step
 * and makes further ones as idle steps (model_abandon(): zero gradients, its
 * model untouched) until the next agreement, so nobody waits for it for ever.
 *
 * Life:    nothing is kept after train_run().
 * Failure: -1 and the sentence of the lowest failing rank, on all ranks.
 * Threads: the one that may talk to the other ranks.
 */
#ifndef COMPONENT_TRAIN_H
#define COMPONENT_TRAIN_H

#include <stdbool.h>

#include "reports/core/err.h"
#include "reports/core/result.h"
#include "workloads/component/phase_clock.h"
#include "workloads/steps.h"
#include "workloads/workload.h"

/* Asked of a component: step `step` of epoch `epoch` (both from 0). */
struct train_step {
    int epoch;
    long step;
    double place; /* epoch + step / steps: where the schedule is */
    bool idle;    /* this rank failed before: model_abandon(), then the same calls of the engine */
    bool asked;   /* host->run_delay() is asked in this step (train_steps.h); else withheld is 0 */
    /* Left by the component. */
    long global_rows;     /* samples of the step over all ranks */
    double loss;          /* this rank's share: the sum over ranks is the mean of the step */
    double quality;       /* likewise */
    struct step_row row;  /* its stamps; agree, other, late and length are the loop's */
    double arrived_delay; /* host->run_delay() when nothing was left to compute */
    bool exchanged;       /* its sums are over: a failure after that needs no idle step */
};

/* How far training has come. */
struct train_state {
    const struct result_epoch *epochs;
    int n_epochs;
    double trained_seconds; /* over all runs of it */
};

struct train_task {
    const struct workload_host *host;
    void *ctx;
    int first_epoch; /* those before it stand in the result's epochs: training was resumed ... */
    double trained_seconds; /* ... and they took so long */
    int epochs;
    long steps; /* per epoch */
    double target;
    bool higher_is_better;
    /* Makes one step, and stamps it. An idle step must not fail for the reason
     * that made it idle. */
    int (*step)(void *ctx, struct train_step *s, struct err *e);
    /* An evaluation: begun by all ranks together (collective; may be NULL), then
     * eval_steps batches, each rank for itself, then judged: the quality of
     * the validation set over all ranks (collective). The loop agrees between
     * batches: an evaluation that is stopped is not judged. */
    long eval_steps;
    int (*begin_evaluation)(void *ctx, struct err *e);
    int (*evaluate)(void *ctx, long batch, struct err *e);
    int (*judge)(void *ctx, double *quality, struct err *e);
    /* After each epoch that was judged, on every rank; NULL: nothing is kept. */
    void (*keep)(void *ctx, const struct train_state *s);
    /* Before another epoch begins, each rank for itself; may be NULL. */
    void (*between)(void *ctx);
};

/* Runs, and fills of *r: epochs, achieved, epochs_to_target, status, valid
 * and reason as far as training decides them, samples_per_second,
 * flop_per_second and VFLOPS from r->flop_per_sample, time to quality, stalls,
 * the slowest path, this rank's place in it, phase_seconds (added to what the
 * clock holds). r->status is RUN_PARTIAL when
 * it was told to stop, or a loss was not finite. */
int train_run(const struct train_task *t, struct phase_clock *clock, struct workload_result *r,
              struct err *e);

/* What the class and the run text say of validity. */
struct train_rules {
    double target;     /* the class's own */
    bool class_recipe; /* the class's batch, epochs and data: its reference points hold */
    bool beats_domain; /* also the field's own baseline is to be beaten */
};

/* Validity gates on a trained result: a result that is no better than the
 * trivial predictor (or the field's own), that was asked to reach less than the
 * class's own target, or that converged faster than the reference runs make
 * plausible (rcp) is not valid. */
void train_gate(struct workload_result *r, const struct train_rules *rules);

#endif
