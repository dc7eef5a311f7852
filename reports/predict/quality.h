/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From samples per second to what counts: how much sooner is the target quality reached?
 *
 *     time to quality = before + epochs(batch) x (samples of an epoch / speed + evaluation)
 *
 * before and evaluation (with checkpoints, an epoch's) are the run's own and stay; over more
 * nodes an evaluation, which exchanges nothing, is shared by them. Where the batch stays the
 * epochs stay. At another batch they are the run's own x the mean of the reference points
 * there / at its own batch (reports/core/convergence.def); nothing is read between two
 * batches or beyond them, and no target but the class's own is known. Where fewer than nine
 * seeds in ten reach the target, a training of that batch would not converge.
 *
 * The interval is that of the gain and, in quadrature, t x sqrt(sum of std^2 / seeds / mean^2)
 * of the two reference points, in ln.
 *
 * Life:    plain data; texts of a record are borrowed.
 * Failure: none: what has no answer is refused in a sentence.
 * Threads: pure functions.
 */
#ifndef PREDICT_QUALITY_H
#define PREDICT_QUALITY_H

#include "reports/predict/predict.h"

struct cJSON;

struct quality_run {
    const char *workload, *class_name;
    double batch;
    double seconds; /* to the target; NAN: not reached */
    double epochs;  /* likewise */
    double speed;   /* samples per second, steady */
    double samples; /* of an epoch */
    double evaluation;
    bool own; /* target, data or model are not the class's: its points do not hold */
};

/* canonical: the run's text. */
void quality_read(struct quality_run *q, const struct cJSON *work, const char *canonical);

enum quality_state { QUALITY_REFUSED, QUALITY_KNOWN, QUALITY_BOUND, QUALITY_NEVER };

struct quality {
    enum quality_state state;
    double gain, low, high; /* time to quality, before / after; BOUND: high alone */
    double epochs;          /* after / before */
    char why[192];          /* of the others, a sentence */
};

/* Whether time to quality is not just samples per second: it changes batch or nodes. */
bool quality_differs(enum what_kind k);

/* The same run so many times as fast, its batch and nodes as they were. */
struct quality_run quality_faster(const struct quality_run *q, double gain);

/* gain: of these n changes together; a taken free measure keeps the batch. */
void quality_after(const struct quality_run *q, const struct what *w, int n,
                   const struct prediction *gain, struct quality *out);

#endif
