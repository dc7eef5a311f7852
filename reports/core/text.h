/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A text of fixed size that is put together piece by piece.
 *
 * Failure: none; what does not fit is cut, at the end of a whole UTF-8 character.
 * Threads: pure functions.
 */
#ifndef CORE_TEXT_H
#define CORE_TEXT_H

#include <stddef.h>

/* Adds to what stands in text of so many bytes, which ends with a NUL. */
void text_add(char *text, size_t size, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#endif
