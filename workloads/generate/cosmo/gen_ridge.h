/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The field's own baseline: ridge regression of the parameters on log P(k).
 *
 * Features of a sample: for each channel the logarithm of the shell-averaged
 * power of log(1 + count), up to half the Nyquist number of shells at least.
 * Fitted on the training part, judged on the validation part by the mean
 * absolute error; the penalty is chosen on a fifth of the training part.
 *
 * Life:    the caller owns all arrays.
 * Failure: memory, or too few samples.
 * Threads: pure functions; features use the field's transform.
 */
#ifndef COSMO_GEN_RIDGE_H
#define COSMO_GEN_RIDGE_H

#include <stddef.h>
#include <stdint.h>

#include "reports/core/err.h"
#include "workloads/generate/cosmo/gen_field.h"

enum { RIDGE_SHELLS = 16, RIDGE_FEATURES = RIDGE_SHELLS * COSMO_CHANNELS };

/* One sample as the regression sees it. */
struct ridge_row {
    float x[RIDGE_FEATURES];
    float y[COSMO_PARAMETERS];
};

/* Features of counts [n][n][n][COSMO_CHANNELS], a cube of f->n cells. */
void ridge_features(struct cosmo_field *f, const int16_t *counts, float x[RIDGE_FEATURES]);

/* Mean absolute error over parameters on test rows: of the mean of the
 * training labels, and of the regression. */
int ridge_fit(const struct ridge_row *train, size_t n_train, const struct ridge_row *test,
              size_t n_test, double *constant_mae, double *ridge_mae, struct err *e);

#endif
