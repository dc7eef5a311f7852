/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Letters of our own, as strokes: so that a picture with words in it needs no
 * font of the machine, and is the same everywhere.
 *
 * A glyph lies on a grid: x from 0, y downwards; capitals and digits stand from
 * y 0 to GLYPH_BASE, small letters from 2, tails end at 9.
 *
 * Life:    constant data.
 * Failure: none.
 * Threads: any.
 */
#ifndef DRAW_GLYPHS_H
#define DRAW_GLYPHS_H

enum { GLYPH_BASE = 7, GLYPH_FULL = 9, GLYPH_BETWEEN = 2 /* from one to the next */ };

/* Lines from point to point, each point the digits x and y, a blank between
 * lines; a line that ends where it began is a dot. ASCII; an empty box for what is not. */
const char *glyph(unsigned c);

/* Largest x of a glyph. */
int glyph_width(const char *strokes);

#endif
