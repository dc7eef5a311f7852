/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a person types to ask the history: times, jobs, counts, names.
 *
 * Failure: -1 and one sentence with the word in it.
 * Threads: none inside.
 */
#ifndef HISTORY_HISTORY_WORDS_H
#define HISTORY_HISTORY_WORDS_H

#include <stdint.h>
#include <time.h>

#include "reports/history/history.h"

/* "2026-11-22", "2026-11-22T19:02[:57][Z]" (UTC), "30m" "12h" "7d" "2w" ago,
 * "@1795374177", "now". */
int words_time(const char *text, time_t now, int64_t *t, struct err *e);

/* A run as reports/record/job_word.h reads it; a key "lab-4711.0.3" is copied
 * into key, which f->key then is. */
int words_job(const char *text, struct history_filter *f, char key[HISTORY_KEY_SIZE],
              struct err *e);

/* A whole number, 0 or more. */
int words_count(const char *text, const char *option, long *n, struct err *e);

/* 0 when every name that f asks for is in the history, 1 and a sentence with
 * the nearest one when one is not, -1 when it cannot be read. */
int words_check(struct history *h, const struct history_filter *f, struct err *e);

#endif
