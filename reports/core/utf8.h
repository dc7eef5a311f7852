/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Text from outside: is it UTF-8, and is it safe to show?
 *
 * Failure: none. Threads: pure functions.
 */
#ifndef CORE_UTF8_H
#define CORE_UTF8_H

#include <stddef.h>

/* Bytes of the well-formed sequence (RFC 3629) at p of n bytes; 0: none. */
int utf8_length(const unsigned char *p, size_t n);

/* Offset of the first byte that is not UTF-8; n when all are. */
size_t utf8_check(const char *text, size_t n);

/* In place: what is not UTF-8, and control characters (C0, DEL, C1, line and
 * paragraph separators, bidirectional overrides), become '?'. */
void utf8_clean(char *text);

#endif
