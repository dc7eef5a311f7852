/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One sentence that a person can act on.
 *
 * Every function that can fail for a reason a person must know takes a
 * `struct err *e` (may be NULL) and leaves one sentence in it, with the
 * offending value inside. Libraries never print; the mains do.
 *
 * Life:    the caller owns the struct; ERR_INIT or {0} is empty.
 * Failure: none; a sentence too long is cut and ends in "...".
 * Threads: one struct err per thread.
 */
#ifndef CORE_ERR_H
#define CORE_ERR_H

struct err {
    char text[512];
};

#define ERR_INIT                                                                                   \
    {                                                                                              \
        {                                                                                          \
            0                                                                                      \
        }                                                                                          \
    }

/* Sets the sentence; what steers a terminal becomes '?' in it (utf8_clean(), as
 * words from outside are in it). Returns -1, so that a failing line is
 * `return err_set(e, "...")`. e may be NULL. */
int err_set(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Puts "words: " before the sentence that is there. Returns -1. */
int err_prefix(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
