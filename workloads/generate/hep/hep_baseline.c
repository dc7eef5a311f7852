/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/generate/hep/hep_baseline.h"

#include <math.h>
#include <string.h>

#include "workloads/generate/gen_math.h"

enum { K = HEP_OBSERVABLES + 1, NEWTON_STEPS = 20 };

static void standardise(const struct hep_seen *seen, size_t n, struct hep_logistic *l)
{
    for (int k = 0; k < HEP_OBSERVABLES; k++) {
        double sum = 0, squares = 0;
        for (size_t i = 0; i < n; i++)
            sum += seen[i].observable[k];
        l->mean[k] = sum / (double)n;
        for (size_t i = 0; i < n; i++) {
            double x = seen[i].observable[k] - l->mean[k];
            squares += x * x;
        }
        l->deviation[k] = squares > 0 ? sqrt(squares / (double)n) : 1;
    }
}

/* f[K]: the standardised observables and 1. */
static double features(const struct hep_logistic *l, const double *observable, double *f)
{
    double score = l->slope[K - 1];

    for (int k = 0; k < HEP_OBSERVABLES; k++) {
        f[k] = (observable[k] - l->mean[k]) / l->deviation[k];
        score += f[k] * l->slope[k];
    }
    f[K - 1] = 1;
    return score;
}

double hep_logistic_score(const struct hep_logistic *l, const double observable[HEP_OBSERVABLES])
{
    double f[K];

    return features(l, observable, f);
}

static double logistic(double score)
{
    double s = score > 500 ? 500 : score < -500 ? -500 : score;

    return 1 / (1 + gen_exp(-s));
}

/* a x = b of a positive definite a; leaves x in b (Gauss, Jordan). */
static void solve(double a[K][K], double b[K])
{
    for (int k = 0; k < K; k++)
        for (int r = 0; r < K; r++) {
            double factor = a[r][k] / a[k][k];
            if (r == k)
                continue;
            for (int c = k; c < K; c++)
                a[r][c] -= factor * a[k][c];
            b[r] -= factor * b[k];
        }
    for (int k = 0; k < K; k++)
        b[k] /= a[k][k];
}

void hep_logistic_fit(const struct hep_seen *seen, size_t n, struct hep_logistic *l)
{
    double total = 0;

    memset(l, 0, sizeof *l);
    standardise(seen, n, l);
    for (size_t i = 0; i < n; i++)
        total += seen[i].weight;
    for (int step = 0; step < NEWTON_STEPS; step++) {
        double hessian[K][K] = {{0}}, gradient[K] = {0}, f[K];
        for (size_t i = 0; i < n; i++) {
            double p = logistic(features(l, seen[i].observable, f));
            double w = seen[i].weight;
            for (int k = 0; k < K; k++) {
                gradient[k] += w * (p - seen[i].label) * f[k];
                for (int c = 0; c < K; c++)
                    hessian[k][c] += w * p * (1 - p) * f[k] * f[c];
            }
        }
        for (int k = 0; k < K; k++)
            hessian[k][k] += 1e-6 * total;
        solve(hessian, gradient);
        for (int k = 0; k < K; k++)
            l->slope[k] -= gradient[k];
    }
}
