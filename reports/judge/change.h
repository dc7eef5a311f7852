/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Did a series change: a step, a drift, or nothing but noise?
 *
 * The test. For values x_1..x_n in the order of time with mid-ranks R_i, and
 * each cut t that leaves CHANGE_LEAST values on both sides, the Wilcoxon rank
 * sum of the first t values, standardised:
 *
 *     z_t = (R_1 + ... + R_t - t (n+1)/2) / sqrt(t (n-t) / n * s^2),
 *     s^2 = sum (R_i - (n+1)/2)^2 / (n-1)          (allows for ties)
 *
 * T = max |z_t|; its cut is the estimate of where the step is (Pettitt, Appl.
 * Statist. 28 (1979) 126, standardised as in Csorgo & Horvath, Limit Theorems
 * in Change-Point Analysis (1997), ch. 2). T depends on ranks only, so that
 * under "no change" its distribution is one and the same for any noise that
 * is independent and alike; a few outliers do nothing. The critical values
 * c(n) were simulated (tests/reports/judge/test_change --table; 200,000 shuffles
 * each) and are interpolated in ln n.
 *
 * The false-alarm rate: in CHANGE_RATE of series without any change something
 * is marked. Noise that is not independent (runs of one job, day and night)
 * raises it.
 *
 * Step or drift: with the values clipped to median +- 6 scaled MADs, a step
 * model (two levels and the cut: 3 parameters) and a line (2) are fitted by
 * least squares; the lower BIC = n ln(RSS/n) + k ln n names the change. After
 * a step both sides are tested again, each at the same rate.
 *
 * Failure: none; too few values or equal ones show no change.
 * Threads: pure functions.
 */
#ifndef JUDGE_CHANGE_H
#define JUDGE_CHANGE_H

#define CHANGE_RATE 0.01 /* false alarms per series without change */

enum {
    CHANGE_LEAST = 3,      /* values on each side of a step */
    CHANGE_SHORTEST = 12,  /* series below this are not tested */
    CHANGE_LONGEST = 1000, /* of a longer one only the newest are */
    CHANGE_MOST = 8        /* changes told of one series */
};

enum change_kind { CHANGE_STEP, CHANGE_DRIFT };

struct change {
    enum change_kind kind;
    int at;        /* step: index of the first value after it; drift: of the segment's first */
    int from, end; /* the segment [from, end) that it was found in */
    double before, after; /* medians beside a step; the line's ends of a drift */
    double statistic, critical;
};

/* Changes of n finite values in the order of time, at most CHANGE_MOST, in
 * the order of `at`; returns how many. */
int change_find(const double *x, int n, struct change changes[CHANGE_MOST]);

/* T and its cut (the index of the first value after it); 0 when n is less
 * than CHANGE_SHORTEST or all are equal. */
double change_statistic(const double *x, int n, int *cut);

/* c(n). */
double change_critical(int n);

/* Median of n values; reorders nothing; NAN when n is 0 or out of memory. */
double change_median(const double *x, int n);

#endif
