/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Rows of the history for machines, on stdout: one table of a row's fields, as JSON
 * and as CSV (RFC 4180; a text that a spreadsheet would calculate has an apostrophe
 * before it).
 *
 * Failure: none; what stdout did not take is seen at its end.
 * Threads: none inside.
 */
#ifndef TOOLS_HISTORY_ROWS_H
#define TOOLS_HISTORY_ROWS_H

#include <cjson/cJSON.h>
#include <stdint.h>

#include "reports/history/history.h"

enum { HISTORY_UTC = 24 };

/* "complete", ...; "none": it left no record. */
const char *history_status(int status);
/* "2026-11-22T19:02:57Z"; "" when unknown */
const char *history_utc(int64_t t, char text[HISTORY_UTC]);

/* Takes o; NULL is printed as null. */
void history_json(cJSON *o);
/* Row n of a list, from 0. */
void history_row_json(const struct history_row *row, long n);
void history_csv_head(void);
void history_csv_row(const struct history_row *row);

#endif
