/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The field's own baseline: what a place is, by a logistic regression on its own
 * sixteen channels (the labels are criteria on the fields).
 *
 * Seen of a picture: 48 x 72 places, all of them where it has no more, else one of
 * each block of as many; each channel in 256 levels between two values that hold all
 * but the strongest rain and wind. Fitted are the softmax of three classes with the
 * network's class weights, by Newton's method, on every eighth place. The quality is the
 * network's: the mean over pictures of the mean IoU of the classes, in which one that is
 * neither there nor called counts 1 (metric_sample_iou()).
 *
 * Life:    plain data.
 * Failure: none; channels that say nothing get no slope (a ridge of 1e-6 of the
 *          weights).
 * Threads: pure functions. The same bits on every CPU.
 */
#ifndef WEATHER_REGRESSION_H
#define WEATHER_REGRESSION_H

#include <stddef.h>
#include <stdint.h>

#include "workloads/data/science_weather.h"

enum { REGRESSION_ROWS = 48, REGRESSION_COLUMNS = 72, REGRESSION_PLACES = 48 * 72 };

struct regression_seen {
    uint8_t level[WEATHER_CHANNELS][REGRESSION_PLACES];
    uint8_t label[REGRESSION_PLACES];
};

/* Of a picture of ny x nx places, multiples of 48 and 72: data [c][ny][nx]. */
void regression_see(struct regression_seen *s, const float *data, const unsigned char *mask, int ny,
                    int nx);

enum { REGRESSION_INPUTS = WEATHER_CHANNELS + 1 /* 1 */ };

struct regression {
    double mean[WEATHER_CHANNELS], deviation[WEATHER_CHANNELS]; /* of the levels */
    double slope[WEATHER_CLASSES - 1][REGRESSION_INPUTS];       /* against the background */
};

void regression_fit(struct regression *r, const struct regression_seen *const seen[], size_t n);

/* Mean over the pictures of the mean IoU over the classes; constant: every place is called
 * background. */
double regression_iou(const struct regression *r, const struct regression_seen *const seen[],
                      size_t n);
double constant_iou(const struct regression_seen *const seen[], size_t n);

#endif
