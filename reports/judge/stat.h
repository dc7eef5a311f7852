/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Robust statistics and quantiles of small tails.
 *
 * Scale is 1.4826 x the median of the absolute deviations (MAD), which is the
 * standard deviation of normal noise and does not see a few outliers.
 *
 * Failure: none. NAN where there is nothing to say (no values, p outside (0, 1)).
 * Threads: pure functions; stat_select() and what is built on it reorder what the
 *          caller gives them.
 */
#ifndef JUDGE_STAT_H
#define JUDGE_STAT_H

#define STAT_MAD    1.4826 /* 1 / normal quantile of 3/4 */
#define STAT_MEDIAN 1.5708 /* pi/2: variance of a median of m normal values x m / their variance */

/* Value of rank k (from 0) of x[0..n); what is below it comes before it. Expected O(n). */
double stat_select(double *x, int n, int k);
/* Median of x[0..n), which it reorders. */
double stat_median(double *x, int n);
/* STAT_MAD x median of |x - centre|; overwrites x. */
double stat_scale(double *x, int n, double centre);

/* z with P(Z <= z) = p, Z normal. Acklam's rational approximation (relative error
 * 1.2e-9), then one Newton step on erfc. */
double stat_normal(double p);
/* t with P(T <= t) = p, T Student's with nu degrees of freedom, nu any real above 0.
 * Newton on the incomplete beta function (DLMF 8.17.22) in ln of the tail. */
double stat_student(double p, double nu);
/* P(T > t) of Student's T, t >= 0. */
double stat_student_tail(double t, double nu);

#endif
