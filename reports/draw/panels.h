/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A picture of arrays: panels in a grid, each with its caption and either a bar of
 * colours or a legend, below a title and a few lines of words. It knows neither
 * files nor sciences.
 *
 * An array of values has a colour for each value, from its least to its greatest;
 * what is not finite is magenta, which no value has, and is counted in the caption.
 * An array of classes (whole numbers from 0) has a colour for each class and a
 * legend with their shares. Arrays are enlarged by whole factors; those longer than
 * PANEL_EDGE_MOST are reduced: values by means of blocks (one that is not finite
 * shows), classes by the highest class in a block, so that small flaws are seen.
 *
 * Life:    picture_fini() frees what the panels hold; a zeroed picture is empty.
 * Failure: -1 and a sentence.
 * Threads: any, each picture for one.
 */
#ifndef DRAW_PANELS_H
#define DRAW_PANELS_H

#include <stdbool.h>
#include <stdint.h>

#include "reports/core/err.h"

enum {
    PANEL_TEXT = 200,
    PANEL_EDGE = 224,      /* arrays are enlarged to about so many points, ... */
    PANEL_EDGE_MOST = 512, /* ... and never reduced below */
    PANEL_COLUMNS = 4,
    PICTURE_PANELS = 64,
    PICTURE_LINES = 32
};

/* Linear; logarithmic: asinh(value / s), s the median of what is not 0, which is
 * linear below s and logarithmic far above, and has room for 0 and negative values;
 * auto: logarithmic where the largest is more than 10 s. */
enum panel_scale { SCALE_AUTO, SCALE_LINEAR, SCALE_LOG };

struct panel {
    char title[PANEL_TEXT], note[PANEL_TEXT];
    char axis[2];       /* letters down and to the right; 0: none */
    bool row;           /* begins a row */
    long height, width; /* of the array */
    float *values;      /* [height][width], owned */
    enum panel_scale scale;
    double least, greatest; /* of the bar; both 0: those of the values */
    int classes;            /* 0: values; else so many */
    const char *const *names;
    const uint32_t *colours; /* of the classes; NULL: canvas_class() */
};

struct picture {
    char title[PANEL_TEXT], note[PANEL_TEXT];
    char line[PICTURE_LINES][PANEL_TEXT]; /* '\t' between columns */
    int n_lines;
    struct panel panel[PICTURE_PANELS];
    int n_panels;
};

/* The next panel, its values still to be filled by the caller; NULL and a sentence. */
struct panel *picture_panel(struct picture *p, long height, long width, struct err *e);

/* A further line of words; past the last there is none. */
void picture_line(struct picture *p, const char *format, ...) __attribute__((format(printf, 2, 3)));

int picture_write(const struct picture *p, const char *path, struct err *e);
void picture_fini(struct picture *p);

#endif
