/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The field's own baseline: a threshold on brightness.
 *
 * A pixel's level is (grey - mean) / standard deviation over its picture. Below
 * one threshold every pixel is called one class of flaw, above another one a
 * second class; thresholds and classes are those that reach the most on the
 * training pictures. The quality is that of the network: the mean over classes
 * of the intersection over union, counted over all pixels of the set.
 *
 * Life:    plain data; start from zeros.
 * Failure: none.
 * Threads: pure functions; integers, so the same sum in any order.
 */
#ifndef DEFECT_THRESHOLD_H
#define DEFECT_THRESHOLD_H

#include <stddef.h>
#include <stdint.h>

#include "workloads/generate/defect/flaw.h"

/* Levels from -6.4 to 6.4 in steps of .2; what is beyond counts at the end. */
enum { THRESHOLD_BINS = 64 };

struct threshold_counts {
    uint64_t pixels[FLAW_CLASSES][THRESHOLD_BINS];
};

struct threshold {
    int below, above;       /* bins < below, bins >= above */
    enum flaw dark, bright; /* what they are called */
};

void threshold_add(struct threshold_counts *c, const uint8_t *image, const uint8_t *mask,
                   size_t pixels);
struct threshold threshold_fit(const struct threshold_counts *train);

/* Intersection over union of each class (NAN: not in the set and not called;
 * FLAW_NONE as well); returns the mean over the flaws that are in the set. */
double threshold_iou(const struct threshold *t, const struct threshold_counts *c,
                     double iou[FLAW_CLASSES]);

#endif
