/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A number as its language writes it; the forms stand in words.h. Always the C
 * locale; what is not finite is an en dash.
 *
 * Failure: none. Threads: pure functions.
 */
#ifndef REPORT_FORMAT_H
#define REPORT_FORMAT_H

#include "reports/report/words.h"

enum { FORMAT_SIZE = 64 };

/* currency NULL: bare numbers. A form that is not known: "g". */
void format_number(char out[FORMAT_SIZE], double v, const char *form, enum language l,
                   const char *currency);

#endif
