/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Series as pictures: a line of blocks for a terminal, panels in an SVG file
 * for a page. Every text is escaped, and cleaned of what steers a reader (T6).
 *
 * Life:    everything is borrowed for the call.
 * Failure: plot_svg() -1 and one sentence; what stood under the path stays.
 * Threads: none inside.
 */
#ifndef DRAW_PLOT_H
#define DRAW_PLOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reports/judge/change.h"
#include "reports/core/err.h"

struct plot_series {
    const char *title;
    const char *unit;    /* of the values: the metric's name */
    int n;               /* of the points, in the order of time */
    const int64_t *time; /* Unix time */
    const double *value; /* finite */
    int n_changes;
    const struct change *changes; /* indices into the points */
};

enum { SPARK_SIZE = 256 };

/* The series in `width` (at most 60) blocks, each the median of its share of
 * the points, '|' where a step is; plain: ASCII instead of block characters. */
void plot_spark(char text[SPARK_SIZE], const double *value, int n, const struct change *changes,
                int n_changes, int width, bool plain);

/* One panel per series, beneath each other, whole or not at all. */
int plot_svg(const char *path, const struct plot_series *series, int n, const char *note,
             struct err *e);

#endif
