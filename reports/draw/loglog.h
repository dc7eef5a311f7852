/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Points and lines on two logarithmic axes, panels beneath each other: rooflines. SVG
 * without scripts, styles or links; each panel is an image with a title and a
 * description that holds its numbers. Every text is escaped, and cleaned of what steers
 * a reader (T6).
 *
 * A label stands right, left, below or above its point, in the first place where it
 * meets neither the border, a line, a point, nor another label; one that finds no place
 * is left out: the description and the table of whoever draws have its numbers. Points
 * that come first have the first choice. A flat line's label stands above or below it, a slope's along
 * its beginning.
 *
 * Life:    everything is borrowed for the call.
 * Failure: -1 and one sentence; what stood under the path stays.
 * Threads: none inside.
 */
#ifndef DRAW_LOGLOG_H
#define DRAW_LOGLOG_H

#include <stdbool.h>

#include "reports/core/err.h"

/* What a colour stands for: contrast to white at least 3, to each other also for
 * colour-blind eyes; shapes differ as well. */
enum loglog_ink {
    LOGLOG_ROOF,
    LOGLOG_FIRST,
    LOGLOG_SECOND,
    LOGLOG_THIRD,
    LOGLOG_FOURTH,
    LOGLOG_FIFTH,
    LOGLOG_INKS
};

struct loglog_line {
    double x[2], y[2]; /* > 0; cut to the panel */
    const char *label;
    bool dashed;
};

enum loglog_shape { LOGLOG_CIRCLE, LOGLOG_SQUARE, LOGLOG_DIAMOND };

struct loglog_point {
    double x, y; /* > 0 */
    double area; /* 0 to 1, of the largest; 0: a small mark */
    enum loglog_shape shape;
    enum loglog_ink ink;
    const char *label; /* "": none */
    bool marked;       /* a ring around it: what is wrong */
};

struct loglog_panel {
    const char *title, *text; /* text: the description */
    const char *x_label, *y_label;
    double x[2], y[2];           /* least and most of the axes, > 0 */
    const char *x_unit, *y_unit; /* behind the SI prefix of a tick: "FLOP/s", "" */
    int n_lines, n_points;
    const struct loglog_line *lines;
    const struct loglog_point *points;
};

int loglog_svg(const char *path, const char *title, const char *note,
               const struct loglog_panel *panels, int n, struct err *e);

/* Whole powers of ten around these values, of which those that are not > 0 are left out;
 * 1 and 10 without any. */
void loglog_range(const double *v, int n, double range[2]);

#endif
