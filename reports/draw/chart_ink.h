/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The elements that charts are made of, for reports/draw/chart*.c alone.
 *
 * Failure: none. Threads: none inside.
 */
#ifndef DRAW_CHART_INK_H
#define DRAW_CHART_INK_H

#include "reports/draw/chart.h"

void ink_open(struct pic *p, double height);
void ink_close(struct pic *p);
void ink_rect(struct pic *p, double x, double y, double w, double h, const char *cls);
void ink_line(struct pic *p, double x1, double y1, double x2, double y2, const char *cls);
void ink_circle(struct pic *p, double x, double y, double r, const char *cls);

enum anchor { ANCHOR_START, ANCHOR_MIDDLE, ANCHOR_END };
/* cls NULL: none. */
void ink_text(struct pic *p, double x, double y, enum anchor anchor, const char *cls,
              const char *text);

/* The texts of ticks under a horizontal axis, those that have room. */
void ink_ticks(struct pic *p, const struct axis *x, double from, double to, double y);

#endif
