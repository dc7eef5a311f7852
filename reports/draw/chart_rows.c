/* SPDX-License-Identifier: BSD-3-Clause */
/* A row per name: values with intervals, strips of points or quantiles. */
#include <config.h>

#include <math.h>

#include "reports/draw/chart.h"
#include "reports/draw/chart_ink.h"

/* Where rows are. */
struct rows_box {
    double left, right, top;
    int row, head; /* of a row, of the label above it */
    bool narrow;
};

static struct rows_box rows_of(const struct pic *p, double label, double end, double top, int row)
{
    bool narrow = p->width < CHART_NARROW;

    return (struct rows_box){.left = narrow ? 6 : label + 14,
                             .right = p->width - fmax(end > 0 ? end + 12 : 0, 14),
                             .top = top,
                             .row = row,
                             .head = narrow ? 14 : 0,
                             .narrow = narrow};
}

static double row_at(const struct rows_box *b, int i)
{
    return b->top + i * (b->row + b->head);
}

static void draw_grid(struct pic *p, const struct rows_box *b, const struct axis *x, int n)
{
    for (int i = 0; i < x->n; i++) {
        double at = chart_place(x, b->left, b->right, x->ticks[i].at);
        ink_line(p, at, b->top, at, row_at(b, n), "grid");
    }
}

static void draw_label(struct pic *p, const struct rows_box *b, int i, const char *label)
{
    if (b->narrow)
        ink_text(p, 4, row_at(b, i) + 11, ANCHOR_START, NULL, label);
    else
        ink_text(p, b->left - 8, row_at(b, i) + b->row / 2.0 + 4, ANCHOR_END, NULL, label);
}

/* ---- intervals ---- */

static void draw_estimate(struct pic *p, const struct rows_box *b, const struct axis *x,
                          const struct estimate *e, double reference, double y, double thick)
{
    double from = chart_place(x, b->left, b->right, reference);
    double to = chart_place(x, b->left, b->right, e->value);

    if (!isfinite(e->value))
        return;
    ink_rect(p, fmin(from, to), y - thick / 2, fabs(to - from), thick, ink_class(e->ink));
    if (!isfinite(e->low) || !isfinite(e->high))
        return;
    double low = chart_place(x, b->left, b->right, e->low);
    double high = chart_place(x, b->left, b->right, e->high);
    ink_line(p, low, y, high, y, "ink");
    ink_line(p, low, y - 3, low, y + 3, "ink");
    ink_line(p, high, y - 3, high, y + 3, "ink");
}

void draw_intervals(struct pic *p, const struct estimate_row *rows, int n, const struct axis *x,
                    double reference, const char *reference_text)
{
    double label = 0, end = 0;

    for (int i = 0; i < n; i++) {
        label = fmax(label, chart_wide(rows[i].label));
        end = rows[i].end ? fmax(end, chart_wide(rows[i].end) * 1.12) : end;
    }
    struct rows_box b = rows_of(p, label, end, reference_text ? 18 : 6, 26);
    double foot = row_at(&b, n), at = chart_place(x, b.left, b.right, reference);
    ink_open(p, foot + 20);
    draw_grid(p, &b, x, n);
    for (int i = 0; i < n; i++) {
        double thick = (b.row - 8.0) / (rows[i].n > 1 ? rows[i].n : 1);
        draw_label(p, &b, i, rows[i].label);
        for (int k = 0; k < rows[i].n; k++)
            draw_estimate(p, &b, x, &rows[i].estimate[k], reference,
                          row_at(&b, i) + b.head + 4 + thick * (k + 0.5), thick - 1);
        if (rows[i].end)
            ink_text(p, b.right + 8, row_at(&b, i) + b.head + b.row / 2.0 + 4, ANCHOR_START,
                     "strong", rows[i].end);
    }
    ink_line(p, at, b.top - 2, at, foot, "axis");
    if (reference_text)
        ink_text(p, fmin(fmax(at, chart_wide(reference_text) / 2), b.right), 11, ANCHOR_MIDDLE,
                 "soft", reference_text);
    ink_ticks(p, x, b.left, b.right, foot + 14);
    ink_close(p);
}

/* ---- strips ---- */

static void draw_box(struct pic *p, const struct rows_box *b, const struct axis *x,
                     const double q[5], double y)
{
    double at[5];

    for (int i = 0; i < 5; i++)
        at[i] = chart_place(x, b->left, b->right, q[i]);
    if (isfinite(q[0]) && isfinite(q[4]))
        ink_line(p, at[0], y, at[4], y, "ink");
    double from = isfinite(q[1]) ? at[1] : at[2];
    if (isfinite(q[2]) && isfinite(q[3]))
        ink_rect(p, from, y - 5, at[3] - from, 10, "p0");
    if (isfinite(q[2]))
        ink_line(p, at[2], y - 7, at[2], y + 7, "ink");
}

static void draw_zones(struct pic *p, const struct rows_box *b, const struct axis *x, double watch,
                       double act, double foot, const char *const words[2])
{
    double w = chart_place(x, b->left, b->right, watch), a = chart_place(x, b->left, b->right, act);
    double end = chart_place(x, b->left, b->right, x->most);

    ink_rect(p, w, b->top, a - w, foot - b->top, "zone1");
    ink_rect(p, a, b->top, end - a, foot - b->top, "zone2");
    if (a - w > chart_wide(words[0]))
        ink_text(p, (w + a) / 2, 13, ANCHOR_MIDDLE, "soft", words[0]);
    if (end - a > chart_wide(words[1]))
        ink_text(p, (a + end) / 2, 13, ANCHOR_MIDDLE, "soft", words[1]);
}

/* Jitter from the index, never from chance: the same picture every time. */
static void draw_strip_points(struct pic *p, const struct rows_box *b, const struct axis *x,
                              const struct strip_row *row, double y, double watch, double act)
{
    double last = -1e9;

    for (int i = 0; i < row->n; i++) {
        double v = row->points[i].value, at = chart_place(x, b->left, b->right, v);
        double up = ((i * 7) % 5 - 2) * 3.2;
        if (!isfinite(v))
            continue;
        ink_circle(p, at, y + up, 3.5, v >= act ? "p2" : v >= watch ? "p1" : "p0");
        double w = chart_wide(row->points[i].name) * 1.12;
        if (v < watch || fabs(at - last) < w + 16)
            continue;
        bool flip = at + 7 + w > p->width;
        ink_text(p, flip ? at - 7 : at + 7, y + up + 4, flip ? ANCHOR_END : ANCHOR_START, "strong",
                 row->points[i].name);
        last = at;
    }
}

void draw_strip(struct pic *p, const struct strip_row *rows, int n, const struct axis *x,
                double watch, double act, const char *const words[2])
{
    double label = 0;

    for (int i = 0; i < n; i++)
        label = fmax(label, chart_wide(rows[i].label));
    struct rows_box b = rows_of(p, label, 0, 20, 30);
    double foot = row_at(&b, n);
    ink_open(p, foot + 20);
    draw_zones(p, &b, x, watch, act, foot, words);
    draw_grid(p, &b, x, n);
    for (int i = 0; i < n; i++) {
        double y = row_at(&b, i) + b.head + b.row / 2.0;
        draw_label(p, &b, i, rows[i].label);
        if (rows[i].boxed)
            draw_box(p, &b, x, rows[i].quantile, y);
        draw_strip_points(p, &b, x, &rows[i], y, watch, act);
        ink_line(p, b.left, row_at(&b, i + 1), b.right, row_at(&b, i + 1), "grid");
    }
    double zero = chart_place(x, b.left, b.right, 0);
    ink_line(p, zero, b.top, zero, foot, "axis");
    ink_ticks(p, x, b.left, b.right, foot + 14);
    ink_close(p);
}
