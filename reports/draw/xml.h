/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Text from outside as character data of XML: pictures, reports of CI servers.
 *
 * Failure: none; what the stream could not take is seen at its end.
 * Threads: none inside.
 */
#ifndef DRAW_XML_H
#define DRAW_XML_H

#include <stdio.h>

/* Also right inside an attribute's quotes. The text is UTF-8 and has no
 * control characters: utf8_clean() was there before. */
void xml_text(FILE *f, const char *text);

#endif
