/* SPDX-License-Identifier: BSD-3-Clause */
/* What tests say of counters' values; what does not hold fails the test. */
#ifndef TESTS_PAPI_ANSWERS_H
#define TESTS_PAPI_ANSWERS_H

#include "papi/counters.h"

/* Null, for a reason with these words. */
void assert_reason(struct measure m, const char *words);
/* To 1e-9 of it. */
void assert_value(struct measure m, double value);
/* Every value of every phase is a finite number, not negative, or has words. */
void assert_answers(const struct counters *c);

#endif
