/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Data as text of a page: one function for what stands between tags and
 * inside an attribute's quotes. Nothing from outside goes into a page by
 * another way, and never into an id, a class, a style, a link or a comment.
 *
 * In this order: bytes that are not UTF-8 become U+FFFD; what hides or steers
 * (utf8_steers(): controls, direction, what takes no room) goes; the text is
 * cut to so many characters, the last an ellipsis; & < > " ' are escaped.
 *
 * Failure: none; what the stream could not take is seen at its end.
 * Threads: none inside.
 */
#ifndef DRAW_HTML_H
#define DRAW_HTML_H

#include <stddef.h>
#include <stdio.h>

enum { HTML_MOST = 64 }; /* characters of a name */

/* most 0: as long as it is. */
void html_text(FILE *f, const char *text, int most);

/* The same without the escapes, for what is escaped later. */
void html_clean(char *out, size_t size, const char *text, int most);

#endif
