/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A picture of points: rectangles, words, colours of values; written as PNG.
 *
 * Colours are 0xRRGGBB (sRGB). Coordinates are points from the upper left; what
 * lies outside is not drawn.
 *
 * Life:    init/fini the caller's storage; fini of a zeroed canvas is a no-op.
 * Failure: -1 and a sentence.
 * Threads: any, each canvas for one.
 */
#ifndef DRAW_CANVAS_H
#define DRAW_CANVAS_H

#include <stdint.h>

#include "reports/core/err.h"

enum { CANVAS_MOST = 16384 /* along an edge */ };

struct canvas {
    long width, height;
    uint8_t *rgb; /* [height][width][3] */
};

/* White all over. */
int canvas_init(struct canvas *c, long width, long height, struct err *e);
void canvas_fini(struct canvas *c);

void canvas_rect(struct canvas *c, long x, long y, long width, long height, uint32_t colour);
/* A line of one point around it, just inside. */
void canvas_frame(struct canvas *c, long x, long y, long width, long height, uint32_t colour);

/* Words (glyphs.h), capitals `size` points high, their foot on y; every character
 * that is not ASCII is an empty box. Returns the points to where the next one stands. */
double canvas_text(struct canvas *c, double x, double y, double size, uint32_t colour,
                   const char *text);
double canvas_text_width(double size, const char *text);

/* Values 0 to 1 from dark blue to yellow: lightness, hue and their distances even
 * (a straight line of lightness and hue in Oklab: Ottosson 2020). */
uint32_t canvas_palette(double t);

/* Class i: 0 is pale grey, 1 to 7 are those of Okabe and Ito (2008), which most
 * colour-blind people tell apart; others differ in hue by the golden angle, and in lightness. */
uint32_t canvas_class(int i);

/* Whole or not at all; what stood under the path is replaced. */
int canvas_write(const struct canvas *c, const char *path, struct err *e);

#endif
