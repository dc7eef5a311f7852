/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who of the ends of many links is slow: the value of a link is taken as the sum
 * of what its sender, its receiver and all have in common, fitted by median polish
 * (Tukey 1977), so that one slow node does not darken the nodes that it met.
 *
 * Life:    arrays are the caller's. Failure: -1 when out of memory.
 * Threads: pure functions.
 */
#ifndef MICRO_POLISH_H
#define MICRO_POLISH_H

#include <stdbool.h>

/* v[i * n + j]: value of the link from i to j, NAN where there is none (and on the
 * diagonal). v is fitted as all + send[i] + receive[j], medians of each being 0;
 * an end without links gets NAN. Leaves the residuals in v. */
int polish_fit(double *v, int n, double *all, double *send, double *receive);

/* Quantile of Student's t with 4 degrees of freedom, 0 < p < 1 (closed form: Shaw
 * 2006). */
double polish_t4(double p);

/* An end of a link that stands out. */
struct polish_end {
    int node;
    bool sends;   /* else receives */
    double loss;  /* ln(others / its rate): what it is slower by */
    double limit; /* that this is above */
};

/*
 * Names the ends that are slower than the others allow, worst first, by the rule for
 * links without a history (validation of a cluster's nodes): an end's value is its
 * effect against the median of the other ends' effects of the same kind; the scale is
 * that of network rates from node to node (a prior of 5 %, 4 degrees of freedom), the
 * scatter of the links about the fit or `noise`, whichever is the most, with the
 * uncertainty of the median of the others (1.57 / (n - 1)); the limit is Student's t for
 * 1 % over all ends of one run. The worst end above its limit is named, its links are
 * dropped, and all is computed again, until none is. Nobody is named with fewer than four
 * nodes, or by fewer than three of its links: of one or two the median is no median, and
 * whether a link's sender or its receiver is slow cannot be told.
 *
 * rates[i * n + j]: of the link from i to j, as polish_fit(); kept. noise: standard error
 * of ln(rate) of a link as its own samples tell it (polish_noise()), 0 where they do not:
 * the scatter about a fit of few links is hardly a measure, as the fit follows them.
 * Returns how many of ends[2 n] were filled, -1 when out of memory.
 */
int polish_name(const double *rates, int n, double noise, struct polish_end *ends);

/* Standard error of the median of ln(v[0..n-1]), from their median absolute deviation
 * (1.4826 MAD n / (n - 0.8), Croux and Rousseeuw 1992; sqrt(1.57 / n)). room[n]. NAN with
 * fewer than three samples. */
double polish_noise(const double *v, int n, double *room);

enum { POLISH_LEAST_NODES = 4, POLISH_LEAST_LINKS = 3 };

#endif
