/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Pictures of a page: four types of chart out of rect, line, polyline,
 * polygon, circle and text. Colours are classes of the page's style sheet
 * (reports/report/style.css), one meaning each; they follow light, dark and
 * print. Every text is data: cleaned, cut and escaped by html.h.
 *
 *     struct pic p = {.f = f, .width = 520, .id = ++ids, .title = ..., .desc = ...};
 *     draw_bars(&p, bars, n, &axis, legend, n_legend, 20, 8);
 *
 * A picture is `role=img` with a title and a description that holds the
 * numbers; the caller puts the table beside it. Texts are 11 units high in
 * every picture: draw near the size that is shown (270 for a panel of three,
 * 330 narrow, 520 beside a table, 780 on page one).
 *
 * Bars begin at zero; points and lines need not and say so in the axis' label.
 * Below CHART_NARROW units the labels of rows stand above their bars.
 *
 * Failure: none; what the stream could not take is seen at its end. A value
 *          that is not finite is not drawn.
 * Threads: none inside.
 */
#ifndef DRAW_CHART_H
#define DRAW_CHART_H

#include <stdbool.h>
#include <stdio.h>

enum { CHART_NARROW = 480, CHART_MOST_POINTS = 400 };

enum ink {
    INK_COMPUTE,
    INK_MEMORY,
    INK_INPUT,
    INK_WIRE,
    INK_SKEW,
    INK_CORES,
    INK_EVALUATION,
    INK_START,
    INK_OTHER,
    INK_GHOST,
    INK_COUNT
};

/* "c", "m1", ...: the class of its fill in the style sheet. */
const char *ink_class(enum ink ink);

struct pic {
    FILE *f;
    int width;
    int id;            /* counts through the page */
    const char *kind;  /* class: "wid" or "nar", of a picture that is drawn twice; NULL */
    const char *title; /* of the picture, for who hears it */
    const char *desc;  /* its numbers, in words */
};

struct tick {
    double at;
    const char *text;
};

struct axis {
    double least, most;
    bool log;
    const struct tick *ticks;
    int n;
    const char *label; /* NULL: none */
};

struct legend {
    enum ink ink;
    const char *text;
};

/* Where a value is between two places; outside of the axis: its end. */
double chart_place(const struct axis *a, double from, double to, double value);

/* About how wide a text of 11 units is: .62 em, narrow letters .34, CJK 1. */
double chart_wide(const char *text);

/* Up to `most` round ticks (1, 2, 5 times a power of ten; powers of ten of a
 * logarithmic axis) with their texts in `texts`; returns how many. */
enum { TICK_TEXT = 24 };
int chart_ticks(double least, double most, bool log, struct tick *ticks, char (*texts)[TICK_TEXT],
                int room);

/* ---- 1: stacked bars from zero ---- */

struct seg {
    double value;
    enum ink ink;
    const char *label; /* drawn if it fits; NULL: none */
};

struct bar {
    const char *label;
    const struct seg *seg; /* NULL: the row is a heading */
    int n;
    const char *end; /* behind the bar; NULL: none */
};

void draw_bars(struct pic *p, const struct bar *bars, int n, const struct axis *x,
               const struct legend *legend, int n_legend, int bar_px, int gap_px);

/* ---- 2: points and lines ---- */

struct mark {
    enum { MARK_LINE, MARK_DOTS, MARK_BAND, MARK_RULE } kind;
    const double *x, *y, *y2; /* y2: the band's other side. Of a rule y[0] alone */
    int n;
    enum ink ink;
    bool dashed, thin, hollow;
    bool faint;           /* of dots: as a band, what is below shows */
    const double *radius; /* of each dot; NULL: all alike */
    const char *text;     /* at the last point, where there is room; NULL: none */
};

void draw_xy(struct pic *p, int height, const struct axis *x, const struct axis *y,
             const struct mark *marks, int n);

/* ---- 3: values with intervals, bars from a reference ---- */

struct estimate {
    double value, low, high; /* low and high not finite: no interval is known */
    enum ink ink;
};

struct estimate_row {
    const char *label;
    struct estimate estimate[2];
    int n;
    const char *end;
};

void draw_intervals(struct pic *p, const struct estimate_row *rows, int n, const struct axis *x,
                    double reference, const char *reference_text);

/* ---- 4: strip of points, or of quantiles, per row ---- */

struct strip_point {
    const char *name;
    double value;
};

struct strip_row {
    const char *label;
    const struct strip_point *points; /* each node; or with `boxed` the worst alone */
    int n;
    bool boxed;
    double quantile[5]; /* least, 25 %, median, 95 %, most: thin and thick; NAN: not known */
};

/* A point with a name at or beyond `watch` is named. words: of the zones. */
void draw_strip(struct pic *p, const struct strip_row *rows, int n, const struct axis *x,
                double watch, double act, const char *const words[2]);

#endif
