/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Qualities as pure functions: of scored samples, of counts, of detections.
 *
 * What a metric needs of all ranks is either summed (counts: comm->reduce) or
 * gathered (scores, detections: scores_gather(), detections_gather()). What is
 * gathered is sorted by its samples' ids where scores are equal and summed in
 * that order in double, so the value has the same bits on any number of ranks.
 *
 * A value that is not defined (no sample of a class, too few for the claim) is
 * NAN with a reason, never 0 or 1.
 *
 * Life:    functions keep nothing; a gathered list is the caller's: free().
 * Failure: -1 and a sentence where ranks or memory are involved; else none.
 * Threads: pure.
 */
#ifndef WORKLOADS_METRIC_H
#define WORKLOADS_METRIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reports/core/err.h"
#include "workloads/comm.h"

struct metric {
    double value;    /* NAN: not defined */
    const char *why; /* then: the reason, a string constant */
};

/* ---- scored samples of two classes ------------------------------------ */

/* The score as the network gave it (a difference of logits: a softmax rounds
 * to ties at 0 and 1); label 1: signal, defective; 0: background, good. */
struct score {
    uint64_t id; /* of the sample, over all ranks */
    float score;
    float weight;
    int32_t label;
};

/* By falling score, equal ones by id. Scores that are NaN come last. */
void scores_sort(struct score *s, size_t n);

/* The lists of all ranks, sorted, on every rank: *all (free() it) and *n_all.
 * Collective. */
int scores_gather(struct comm *c, const struct score *mine, size_t n, struct score **all,
                  size_t *n_all, struct err *e);

/* The following take a sorted list. Not defined: a class without weight, a
 * score that is NaN, a weight that is negative or not finite. */

/* Area under the ROC curve with weights, ties as half:
 *   sum over groups of equal score of w1 (W0 below + w0 / 2) / (W1 W0)
 * (Mann, Whitney 1947, weighted). */
struct metric metric_auc(const struct score *s, size_t n);

/* Weighted share of the signal above the lowest threshold that at most
 * 1 - rejection of the weighted background reaches; no interpolation. Not
 * defined below an effective background ((sum w)^2 / sum w^2) of 10 / (1 -
 * rejection): fewer than ten events would decide (25,000 for .9996). */
struct metric metric_efficiency(const struct score *s, size_t n, double rejection);

/* sum over thresholds of (R_k - R_k-1) P_k, equal scores as one threshold, no
 * interpolation (scikit-learn's average_precision_score). */
struct metric metric_average_precision(const struct score *s, size_t n);

/* Weighted share of the good ones that the highest threshold with a recall of
 * at least `recall` rejects. Not defined with fewer than `fewest` defective. */
struct metric metric_false_rejects(const struct score *s, size_t n, double recall, size_t fewest);

/* ---- counts ----------------------------------------------------------- */

/* Of one class, or one event: hits (true positives), false alarms, misses. */
struct counts {
    double hit, false_alarm, miss;
};

/* Intersection over union of a class: hit / (hit + false_alarm + miss); also
 * the critical success index of a forecast. Not defined without any. */
struct metric metric_iou(const struct counts *k);
struct metric metric_false_alarm_ratio(const struct counts *k); /* false_alarm / forecast */
struct metric metric_detection(const struct counts *k);         /* hit / observed */

/* Mean of the IoU over the classes of one sample, in which a class that is in
 * neither picture counts 1 (DeepCAM's: mlcommons/hpc, metric.py). */
double metric_sample_iou(const struct counts *k, int classes);

/* ---- detections ------------------------------------------------------- */

/* Boxes as x1, y1, x2, y2; their extents are x2 - x1 and y2 - y1. */
struct detection {
    uint64_t frame;
    int32_t index; /* in its frame */
    int32_t class;
    float score; /* of a box that was found; of a true one: not read */
    float box[4];
};

/* The lists of all ranks on every rank, by frame and index. Collective. */
int detections_gather(struct comm *c, const struct detection *mine, size_t n,
                      struct detection **all, size_t *n_all, struct err *e);

/* Average precision of one class at an IoU threshold, as PASCAL VOC has it
 * (Everingham et al. 2010): detections by falling score, equal ones by frame
 * and index; each looks at its best true box only: an IoU of at least `iou`
 * and a box not taken is a hit, else a false alarm; the area under the
 * monotone envelope of the curve. Not defined without a true box. found is
 * sorted in place. */
struct metric metric_detection_ap(struct detection *found, size_t n_found,
                                  const struct detection *truth, size_t n_truth, int32_t class,
                                  double iou);

double box_iou(const float a[4], const float b[4]);

/* ---- distributions ---------------------------------------------------- */

/* Two-sample Kolmogorov-Smirnov distance; a and b are sorted in place. Not
 * defined without values or with a NaN. */
struct metric metric_ks(double *a, size_t n, double *b, size_t m);

/* Its significance, asymptotically: Q((sqrt(k) + .12 + .11 / sqrt(k)) D), k =
 * n m / (n + m), Q(x) = 2 sum over j >= 1 of (-1)^(j - 1) exp(-2 j^2 x^2)
 * (Stephens 1970). */
double metric_ks_p(double distance, size_t n, size_t m);

#endif
