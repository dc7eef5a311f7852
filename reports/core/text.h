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

/* Appends to the NUL-terminated text, whose room is size bytes; what does not fit is cut. */
void text_add(char *text, size_t size, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#endif
