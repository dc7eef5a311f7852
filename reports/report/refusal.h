/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The simulator's refusals in the language of a page: refusals.def, one row a sentence.
 *
 * Failure: none. A sentence without a row stays as it is.
 * Threads: pure functions.
 */
#ifndef REPORT_REFUSAL_H
#define REPORT_REFUSAL_H

#include "reports/report/words.h"

/* why: a sentence of reports/predict; not escaped, neither is what comes back. */
struct said refusal_said(const char *why, enum language l);

/* Row i as it stands, for tests; NULL: past the last. */
const char *refusal_text(int i, enum language l);

#endif
