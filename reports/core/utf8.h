/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Text from outside: is it UTF-8, and is it safe to show?
 *
 * Failure: none. Threads: pure functions.
 */
#ifndef CORE_UTF8_H
#define CORE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of the well-formed sequence (RFC 3629) at p of n bytes; 0: none. */
int utf8_length(const unsigned char *p, size_t n);

/* Offset of the first byte that is not UTF-8; n when all are. */
size_t utf8_check(const char *text, size_t n);

/* The same, and which character it is. */
int utf8_decode(const unsigned char *p, size_t n, uint32_t *c);

/* Whether a character hides or steers what is shown: control characters (C0,
 * DEL, C1), line and paragraph separators, what changes the direction of
 * text, what takes no room, tags, and what is not a character at all. One table
 * for what a run text may not hold and for what is shown of others' text. */
bool utf8_steers(uint32_t c);

/* In place: what is not UTF-8 and what steers become '?'. */
void utf8_clean(char *text);

#endif
