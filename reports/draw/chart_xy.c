/* SPDX-License-Identifier: BSD-3-Clause */
/* Points and lines; a label takes the first place beside its point where it
 * hits neither the picture's edge, nor a line, nor another label. */
#include <config.h>

#include <math.h>
#include <stddef.h>

#include "reports/draw/chart.h"
#include "reports/draw/chart_ink.h"

enum { MOST_LABELS = 32 };

struct box {
    double x1, y1, x2, y2;
};

struct plane {
    struct pic *p;
    const struct axis *x, *y;
    double left, right, top, bottom;
    int n_labels;
    struct box labels[MOST_LABELS];
};

static double at_x(const struct plane *q, double v)
{
    return chart_place(q->x, q->left, q->right, v);
}

static double at_y(const struct plane *q, double v)
{
    return chart_place(q->y, q->bottom, q->top, v);
}

static bool usable(const struct plane *q, double x, double y)
{
    return isfinite(x) && isfinite(y) && (!q->x->log || x > 0) && (!q->y->log || y > 0);
}

/* ---- labels ---- */

static bool overlap(const struct box *a, const struct box *b)
{
    return a->x1 < b->x2 && b->x1 < a->x2 && a->y1 < b->y2 && b->y1 < a->y2;
}

/* Whether the segment goes through the box: looked at in steps of 2 units. */
static bool crosses(const struct box *b, double x1, double y1, double x2, double y2)
{
    int steps = 1 + (int)(hypot(x2 - x1, y2 - y1) / 2);

    for (int i = 0; i <= steps; i++) {
        double x = x1 + (x2 - x1) * i / steps, y = y1 + (y2 - y1) * i / steps;
        if (x > b->x1 && x < b->x2 && y > b->y1 && y < b->y2)
            return true;
    }
    return false;
}

static bool hits_line(const struct plane *q, const struct box *b, const struct mark *m)
{
    if (m->kind == MARK_RULE)
        return crosses(b, q->left, at_y(q, m->y[0]), q->right, at_y(q, m->y[0]));
    if (m->kind == MARK_BAND)
        return false;
    for (int i = 0; i < m->n; i++) {
        int k = i > 0 && m->kind == MARK_LINE ? i - 1 : i;
        if (usable(q, m->x[i], m->y[i]) && usable(q, m->x[k], m->y[k]) &&
            crosses(b, at_x(q, m->x[k]), at_y(q, m->y[k]), at_x(q, m->x[i]), at_y(q, m->y[i])))
            return true;
    }
    return false;
}

static bool is_free(const struct plane *q, const struct box *b, const struct mark *marks, int n)
{
    if (b->x1 < q->left || b->x2 > q->p->width || b->y1 < q->top - 6 || b->y2 > q->bottom)
        return false;
    for (int i = 0; i < q->n_labels; i++)
        if (overlap(b, &q->labels[i]))
            return false;
    for (int i = 0; i < n; i++)
        if (hits_line(q, b, &marks[i]))
            return false;
    return true;
}

/* Right, left, below, above of the point, to its right below, and half-way along; none
 * when none is free. */
static void put_label(struct plane *q, double x, double y, const char *text, const char *cls,
                      const struct mark *marks, int n)
{
    double w = chart_wide(text) * 1.12;
    const struct box places[] = {{x + 6, y - 7, x + 6 + w, y + 6},
                                 {x - 6 - w, y - 7, x - 6, y + 6},
                                 {x - w / 2, y + 6, x + w / 2, y + 19},
                                 {x - w / 2, y - 19, x + w / 2, y - 6},
                                 {x + 6, y + 3, x + 6 + w, y + 16},
                                 {x - w, y + 6, x, y + 19},
                                 {x - w, y - 19, x, y - 6},
                                 {q->right - w, q->top - 4, q->right, q->top + 9}};
    size_t last = sizeof places / sizeof *places - 1, i = 0;

    while (i < last && !is_free(q, &places[i], marks, n))
        i++;
    if (i == last && !is_free(q, &places[i], marks, n))
        return; /* the table beside has it */
    ink_text(q->p, places[i].x1, places[i].y2 - 3, ANCHOR_START, cls, text);
    if (q->n_labels < MOST_LABELS)
        q->labels[q->n_labels++] = places[i];
}

/* ---- marks ---- */

static void draw_points(struct plane *q, const struct mark *m)
{
    char cls[16];

    snprintf(cls, sizeof cls, m->hollow ? "hollow" : m->faint ? "b-%s" : "d-%s", ink_class(m->ink));
    for (int i = 0; i < m->n; i++)
        if (usable(q, m->x[i], m->y[i]))
            ink_circle(q->p, at_x(q, m->x[i]), at_y(q, m->y[i]),
                       m->radius ? m->radius[i]
                       : m->thin ? 2
                                 : 3.2,
                       cls);
}

static void draw_band(struct plane *q, const struct mark *m)
{
    fputs("<polygon points=\"", q->p->f);
    for (int i = 0; i < m->n; i++)
        fprintf(q->p->f, "%.1f,%.1f ", at_x(q, m->x[i]), at_y(q, m->y[i]));
    for (int i = m->n; i-- > 0;)
        fprintf(q->p->f, "%.1f,%.1f ", at_x(q, m->x[i]), at_y(q, m->y2[i]));
    fprintf(q->p->f, "\" class=\"b-%s\"/>\n", ink_class(m->ink));
}

static void draw_path(struct plane *q, const struct mark *m)
{
    fputs("<polyline points=\"", q->p->f);
    for (int i = 0; i < m->n; i++)
        if (usable(q, m->x[i], m->y[i]))
            fprintf(q->p->f, "%.1f,%.1f ", at_x(q, m->x[i]), at_y(q, m->y[i]));
    fprintf(q->p->f, "\" class=\"l-%s%s%s\"/>\n", ink_class(m->ink), m->dashed ? " dash" : "",
            m->thin ? " thin" : "");
}

static void draw_mark(struct plane *q, const struct mark *m)
{
    if (m->kind == MARK_RULE)
        ink_line(q->p, q->left, at_y(q, m->y[0]), q->right, at_y(q, m->y[0]), "ref");
    else if (m->kind == MARK_BAND)
        draw_band(q, m);
    else if (m->kind == MARK_LINE)
        draw_path(q, m);
    else
        draw_points(q, m);
}

/* Above or below its line, at the right or the left. */
static void name_rule(struct plane *q, const struct mark *m, const struct mark *marks, int n)
{
    double w = chart_wide(m->text), y = at_y(q, m->y[0]);
    const struct box places[] = {{q->right - w, y - 16, q->right, y - 3},
                                 {q->right - w, y + 3, q->right, y + 16},
                                 {q->left + 4, y - 16, q->left + 4 + w, y - 3},
                                 {q->left + 4, y + 3, q->left + 4 + w, y + 16}};
    size_t last = sizeof places / sizeof *places - 1, i = 0;

    while (i < last && !is_free(q, &places[i], marks, n))
        i++;
    ink_text(q->p, places[i].x1, places[i].y2 - 3, ANCHOR_START, "soft", m->text);
    if (q->n_labels < MOST_LABELS)
        q->labels[q->n_labels++] = places[i];
}

static void name_mark(struct plane *q, const struct mark *m, const struct mark *marks, int n)
{
    if (!m->text || m->kind == MARK_BAND)
        return;
    if (m->kind == MARK_RULE) {
        name_rule(q, m, marks, n);
        return;
    }
    for (int i = m->n; i-- > 0;)
        if (usable(q, m->x[i], m->y[i])) {
            put_label(q, at_x(q, m->x[i]), at_y(q, m->y[i]), m->text, "strong", marks, n);
            return;
        }
}

/* ---- the chart ---- */

static void draw_axes(struct plane *q)
{
    struct pic *p = q->p;

    if (q->y->label)
        ink_text(p, 0, 10, ANCHOR_START, "soft", q->y->label);
    for (int i = 0; i < q->y->n; i++) {
        double at = at_y(q, q->y->ticks[i].at);
        ink_line(p, q->left, at, q->right, at, "grid");
        ink_text(p, q->left - 5, at + 4, ANCHOR_END, "soft", q->y->ticks[i].text);
    }
    for (int i = 0; i < q->x->n; i++) {
        double at = at_x(q, q->x->ticks[i].at);
        ink_line(p, at, q->bottom, at, q->bottom + 4, "axis");
    }
    ink_ticks(p, q->x, q->left, q->right, q->bottom + 16);
    if (q->x->label)
        ink_text(p, q->right, q->bottom + 30, ANCHOR_END, "soft", q->x->label);
    ink_line(p, q->left, q->bottom, q->right, q->bottom, "axis");
}

void draw_xy(struct pic *p, int height, const struct axis *x, const struct axis *y,
             const struct mark *marks, int n)
{
    struct plane q = {.p = p, .x = x, .y = y, .right = p->width - 10, .top = 20};

    for (int i = 0; i < y->n; i++)
        q.left = fmax(q.left, chart_wide(y->ticks[i].text) + 8);
    q.bottom = height - 34;
    ink_open(p, height);
    draw_axes(&q);
    for (int i = 0; i < n; i++)
        draw_mark(&q, &marks[i]);
    for (int i = 0; i < n; i++)
        name_mark(&q, &marks[i], marks, n);
    ink_close(p);
}
