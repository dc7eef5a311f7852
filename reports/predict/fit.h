/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the steps say of the exchange: how fast each rank sends, and what a wait is
 * usually. Nothing is fitted to the time of a step, so that a replay is a test:
 *
 *     inv_j  least sum over ranks of log^2 of played to measured, for the end of the
 *            first half of the last bucket and for its end, both after the last arrival;
 *            medians over the steps. Two rates: of the rank whose own first half is over
 *            first (what it sends is late at all others), and of the others. Without
 *            halves one for all: whose it is cannot be told
 *     alpha  the transport's test, at most the least first half of all messages; else 0, it is
 *            then in c
 *     c      the small sums of the transport's test, at most what alpha leaves of that half.
 *            Without them it cannot be told from the bytes: fit_exchange() is then asked
 *            for both ends, c = 0 and c = the least first half
 *
 * Failure: -1 when out of memory.
 * Threads: pure functions.
 */
#ifndef PREDICT_FIT_H
#define PREDICT_FIT_H

#include "reports/predict/play.h"

/* Of c where small sums were not measured. */
enum fit_end { FIT_ALL_BYTES, FIT_LEAST_BYTES };

/* Fits what the steps of these blocks say. */
int fit_exchange(const struct series *s, const long *block, int blocks, enum fit_end end,
                 struct exchange *x);

/* Whether c is known. */
bool fit_knows_software(const struct series *s);

/* First steps of the whole blocks in [from, to). block: [(to - from) / SERIES_BLOCK]. How
 * many. */
int fit_blocks(long from, long to, long *block);

#endif
