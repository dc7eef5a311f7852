/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "reports/draw/loglog.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reports/core/atomic.h"
#include "reports/core/utf8.h"
#include "reports/draw/xml.h"

/* Of a panel, in pixels. */
enum {
    WIDTH = 780,
    PANEL = 420,
    HEAD = 44,
    FOOT = 20,
    LEFT = 84,
    RIGHT = WIDTH - 24,
    TOP = 40,
    BOTTOM = PANEL - 56,
    TEXT = 11,    /* size of letters */
    GAP = 3,      /* between a point and its label */
    BOXES = 1024, /* that labels must not meet */
    SAMPLES = 96  /* of a line, where labels look for it */
};

static const char *const inks[LOGLOG_INKS] = {"#1b1d1f", "#0060c8", "#c47a0a",
                                              "#763b89", "#0f7b6c", "#6e5d00"};

struct box {
    double left, top, right, bottom;
};

struct canvas {
    FILE *f;
    const struct loglog_panel *p;
    struct box taken[BOXES];
    int n_taken;
};

/* ---- places ----------------------------------------------------------- */

static double share_of(const double range[2], double v)
{
    return log(v / range[0]) / log(range[1] / range[0]);
}

static double x_of(const struct loglog_panel *p, double v)
{
    return LEFT + share_of(p->x, v) * (RIGHT - LEFT);
}

static double y_of(const struct loglog_panel *p, double v)
{
    return BOTTOM - share_of(p->y, v) * (BOTTOM - TOP);
}

static bool finite_above_0(double v)
{
    return isfinite(v) && v > 0;
}

void loglog_range(const double *v, int n, double range[2])
{
    double least = INFINITY, most = 0;

    for (int i = 0; i < n; i++) {
        if (!finite_above_0(v[i]))
            continue;
        least = fmin(least, v[i]);
        most = fmax(most, v[i]);
    }
    range[0] = most > 0 ? pow(10, floor(log10(least))) : 1;
    range[1] = most > 0 ? pow(10, ceil(log10(most))) : 10;
    if (!(range[1] > range[0]))
        range[1] = 10 * range[0];
}

/* ---- ink -------------------------------------------------------------- */

/* Pixels that a text takes: generous, whatever the font. */
static double wide(const char *text)
{
    double em = 0;

    for (; *text; text++)
        em += (*text & 0xc0) == 0x80 ? 0 : strchr("il.,:;'|()[]/ ", *text) ? 0.36 : 0.62;
    return em * TEXT;
}

static void put_text(FILE *f, double x, double y, const char *anchor, int size, const char *more,
                     const char *text)
{
    char clean[256];

    snprintf(clean, sizeof clean, "%s", text);
    utf8_clean(clean);
    fprintf(f, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\" font-size=\"%d\"%s>", x, y, anchor,
            size, more);
    xml_text(f, clean);
    fprintf(f, "</text>\n");
}

static void put_line(FILE *f, double x1, double y1, double x2, double y2, const char *more)
{
    fprintf(f, "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"%s/>\n", x1, y1, x2, y2, more);
}

/* ---- room ------------------------------------------------------------- */

static bool meet(const struct box *a, const struct box *b)
{
    return a->left < b->right && b->left < a->right && a->top < b->bottom && b->top < a->bottom;
}

static void take(struct canvas *c, struct box b)
{
    if (c->n_taken < BOXES)
        c->taken[c->n_taken++] = b;
}

static bool inside(const struct box *b)
{
    return b->left > LEFT && b->right < RIGHT && b->top > TOP && b->bottom < BOTTOM;
}

static bool crosses(const struct loglog_panel *p, const struct loglog_line *l, const struct box *b)
{
    const double x1 = x_of(p, l->x[0]), x2 = x_of(p, l->x[1]);
    const double y1 = y_of(p, l->y[0]), y2 = y_of(p, l->y[1]);

    for (int i = 0; i <= SAMPLES; i++) {
        const double x = x1 + (x2 - x1) * i / SAMPLES, y = y1 + (y2 - y1) * i / SAMPLES;
        if (x > b->left - 1 && x < b->right + 1 && y > b->top - 1 && y < b->bottom + 1)
            return true;
    }
    return false;
}

static bool is_free(const struct canvas *c, const struct box *b)
{
    if (!inside(b))
        return false;
    for (int i = 0; i < c->n_taken; i++)
        if (meet(&c->taken[i], b))
            return false;
    for (int i = 0; i < c->p->n_lines; i++)
        if (crosses(c->p, &c->p->lines[i], b))
            return false;
    return true;
}

/* ---- axes ------------------------------------------------------------- */

/* "100 G", "10 m": a power of ten with its SI prefix and the unit. */
static void tick_text(double v, const char *unit, char *text, size_t size)
{
    static const char *const prefixes[] = {"n", "u", "m", "", "k", "M", "G", "T", "P", "E"};
    int power = (int)lround(log10(v)), third = (int)floor(power / 3.0);

    if (third < -3 || third > 6) {
        snprintf(text, size, "1e%d %s", power, unit);
        return;
    }
    snprintf(text, size, "%.0f %s%s", pow(10, power - 3 * third), prefixes[third + 3], unit);
}

static void draw_ticks(const struct canvas *c, bool vertical)
{
    const struct loglog_panel *p = c->p;
    const double *range = vertical ? p->y : p->x;
    const int from = (int)lround(log10(range[0])), to = (int)lround(log10(range[1]));
    const int step = (to - from) / 9 + 1;
    char text[32];

    for (int i = from; i <= to; i += step) {
        const double v = pow(10, i);
        const double at = vertical ? y_of(p, v) : x_of(p, v);
        tick_text(v, vertical ? p->y_unit : p->x_unit, text, sizeof text);
        if (vertical) {
            put_line(c->f, LEFT, at, RIGHT, at, " stroke=\"#e4e4e4\"");
            put_text(c->f, LEFT - 6, at + 4, "end", TEXT, "", text);
        } else {
            put_line(c->f, at, TOP, at, BOTTOM, " stroke=\"#e4e4e4\"");
            put_text(c->f, at, BOTTOM + 16, "middle", TEXT, "", text);
        }
    }
}

static void draw_frame(const struct canvas *c)
{
    char turned[64];

    fprintf(c->f,
            "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"none\" "
            "stroke=\"#6e6c5f\"/>\n",
            LEFT, TOP, RIGHT - LEFT, BOTTOM - TOP);
    put_text(c->f, (LEFT + RIGHT) / 2.0, BOTTOM + 36, "middle", TEXT, "", c->p->x_label);
    snprintf(turned, sizeof turned, " transform=\"rotate(-90 16 %d)\"", (TOP + BOTTOM) / 2);
    put_text(c->f, 16, (TOP + BOTTOM) / 2.0, "middle", TEXT, turned, c->p->y_label);
}

/* ---- lines ------------------------------------------------------------ */

/* The part of it that is in the panel; false: none. Straight in logarithms. */
static bool clip(const struct loglog_panel *p, struct loglog_line *l)
{
    double from = 0, to = 1;
    const double x1 = share_of(p->x, l->x[0]), dx = share_of(p->x, l->x[1]) - x1;
    const double y1 = share_of(p->y, l->y[0]), dy = share_of(p->y, l->y[1]) - y1;
    const double a[4] = {-dx, dx, -dy, dy}, b[4] = {x1, 1 - x1, y1, 1 - y1};

    for (int i = 0; i < 4; i++) { /* Liang, Barsky 1984 */
        if (a[i] == 0 && b[i] < 0)
            return false;
        if (a[i] < 0)
            from = fmax(from, b[i] / a[i]);
        else if (a[i] > 0)
            to = fmin(to, b[i] / a[i]);
    }
    if (!(from < to))
        return false;
    const double logs[4] = {log(l->x[0]), log(l->x[1] / l->x[0]), log(l->y[0]),
                            log(l->y[1] / l->y[0])};
    for (int k = 0; k < 2; k++) {
        l->x[k] = exp(logs[0] + (k ? to : from) * logs[1]);
        l->y[k] = exp(logs[2] + (k ? to : from) * logs[3]);
    }
    return true;
}

/* Above or below a flat line, as far right as there is room. */
static void label_flat(struct canvas *c, const struct loglog_line *l)
{
    const double right = x_of(c->p, l->x[1]) - 4, y = y_of(c->p, l->y[1]);
    const double length = wide(l->label);
    const double tops[2] = {y - TEXT - 5, y + 3};

    for (double x = right; x - length > LEFT; x -= 16)
        for (int below = 0; below < 2; below++) {
            struct box b = {x - length, tops[below], x, tops[below] + TEXT + 3};
            if (!is_free(c, &b))
                continue;
            put_text(c->f, x, b.bottom - 3, "end", TEXT, "", l->label);
            take(c, b);
            return;
        }
}

/* Along a slope, where it begins. */
static void label_slope(struct canvas *c, const struct loglog_line *l)
{
    const double x1 = x_of(c->p, l->x[0]), y1 = y_of(c->p, l->y[0]);
    const double x2 = x_of(c->p, l->x[1]), y2 = y_of(c->p, l->y[1]);
    const double length = wide(l->label);
    const double angle = atan2(y2 - y1, x2 - x1);
    char turned[96];

    if (length + 16 > hypot(x2 - x1, y2 - y1))
        return;
    const double x = x1 + 8 * cos(angle) + 5 * sin(angle);
    const double y = y1 + 8 * sin(angle) - 5 * cos(angle);
    snprintf(turned, sizeof turned, " transform=\"rotate(%.1f %.1f %.1f)\"",
             angle * 180 / 3.14159265358979323846, x, y);
    put_text(c->f, x, y, "start", TEXT, turned, l->label);
    for (double s = 0; s < length; s += TEXT) { /* boxes along it */
        const double at_x = x + s * cos(angle), at_y = y + s * sin(angle);
        take(c, (struct box){at_x - 2, at_y - TEXT, at_x + TEXT, at_y + 2});
    }
}

static void draw_lines(struct canvas *c)
{
    for (int i = 0; i < c->p->n_lines; i++) {
        struct loglog_line l = c->p->lines[i];
        char more[96];

        if (!clip(c->p, &l))
            continue;
        snprintf(more, sizeof more, " stroke=\"%s\" stroke-width=\"1.5\"%s", inks[LOGLOG_ROOF],
                 l.dashed ? " stroke-dasharray=\"6,4\"" : "");
        put_line(c->f, x_of(c->p, l.x[0]), y_of(c->p, l.y[0]), x_of(c->p, l.x[1]),
                 y_of(c->p, l.y[1]), more);
    }
}

static void label_lines(struct canvas *c)
{
    for (int i = 0; i < c->p->n_lines; i++) {
        struct loglog_line l = c->p->lines[i];

        if (!l.label || !clip(c->p, &l))
            continue;
        if (fabs(y_of(c->p, l.y[1]) - y_of(c->p, l.y[0])) < 1)
            label_flat(c, &l);
        else
            label_slope(c, &l);
    }
}

/* ---- points ----------------------------------------------------------- */

static double radius_of(const struct loglog_point *q)
{
    return 3.5 + 17 * sqrt(fmin(fmax(q->area, 0), 1));
}

static struct box around(const struct loglog_panel *p, const struct loglog_point *q)
{
    const double x = x_of(p, q->x), y = y_of(p, q->y), r = radius_of(q);

    return (struct box){x - r, y - r, x + r, y + r};
}

static bool shown(const struct loglog_panel *p, const struct loglog_point *q)
{
    if (!finite_above_0(q->x) || !finite_above_0(q->y))
        return false;
    return q->x >= p->x[0] && q->x <= p->x[1] && q->y >= p->y[0] && q->y <= p->y[1];
}

static void draw_point(const struct canvas *c, const struct loglog_point *q)
{
    const double x = x_of(c->p, q->x), y = y_of(c->p, q->y), r = radius_of(q);
    const char *ink = inks[q->ink];

    if (q->shape == LOGLOG_CIRCLE)
        fprintf(c->f,
                "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\" fill=\"%s\" fill-opacity=\"0.35\" "
                "stroke=\"%s\"/>\n",
                x, y, r, ink, ink);
    else if (q->shape == LOGLOG_SQUARE)
        fprintf(c->f,
                "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"%s\" "
                "stroke=\"#ffffff\"/>\n",
                x - r, y - r, 2 * r, 2 * r, ink);
    else
        fprintf(c->f,
                "<polygon points=\"%.1f,%.1f %.1f,%.1f %.1f,%.1f %.1f,%.1f\" fill=\"%s\" "
                "stroke=\"#ffffff\"/>\n",
                x, y - r - 2, x + r + 2, y, x, y + r + 2, x - r - 2, y, ink);
    if (q->marked)
        fprintf(c->f,
                "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\" fill=\"none\" stroke=\"#a8323e\" "
                "stroke-width=\"2\"/>\n",
                x, y, r + 4);
}

static void label_point(struct canvas *c, const struct loglog_point *q)
{
    const struct box at = around(c->p, q);
    const double w = wide(q->label), h = TEXT + 2;
    const double x = (at.left + at.right) / 2, y = (at.top + at.bottom) / 2;
    const struct box places[] = {
        {at.right + GAP, y - h / 2, at.right + GAP + w, y + h / 2},
        {at.left - GAP - w, y - h / 2, at.left - GAP, y + h / 2},
        {x - w / 2, at.bottom + GAP, x + w / 2, at.bottom + GAP + h},
        {x - w / 2, at.top - GAP - h, x + w / 2, at.top - GAP},
    };

    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        if (!is_free(c, &places[i]))
            continue;
        put_text(c->f, places[i].left, places[i].bottom - 3, "start", TEXT, "", q->label);
        take(c, places[i]);
        return;
    }
}

static void draw_points(struct canvas *c)
{
    const struct loglog_panel *p = c->p;

    for (int i = p->n_points - 1; i >= 0; i--)
        if (shown(p, &p->points[i])) {
            draw_point(c, &p->points[i]);
            take(c, around(p, &p->points[i]));
        }
}

static void label_points(struct canvas *c)
{
    const struct loglog_panel *p = c->p;

    for (int i = 0; i < p->n_points; i++)
        if (shown(p, &p->points[i]) && p->points[i].label[0])
            label_point(c, &p->points[i]);
}

/* ---- all -------------------------------------------------------------- */

static void draw_words(FILE *f, const char *element, int id, const char *text)
{
    char *clean = malloc(strlen(text) + 1);

    fprintf(f, "<%s id=\"%c%d\">", element, element[0], id);
    if (clean) {
        strcpy(clean, text);
        utf8_clean(clean);
        xml_text(f, clean);
    }
    fprintf(f, "</%s>\n", element);
    free(clean);
}

static void draw_panel(FILE *f, const struct loglog_panel *p, int i)
{
    struct canvas c = {.f = f, .p = p};

    fprintf(f, "<g transform=\"translate(0,%d)\" role=\"img\" aria-labelledby=\"t%d d%d\">\n",
            HEAD + i * PANEL, i, i);
    draw_words(f, "title", i, p->title);
    draw_words(f, "desc", i, p->text);
    put_text(f, LEFT, TOP - 12, "start", 13, " font-weight=\"bold\"", p->title);
    draw_ticks(&c, false);
    draw_ticks(&c, true);
    draw_frame(&c);
    draw_lines(&c);
    draw_points(&c);
    label_lines(&c);
    label_points(&c);
    fprintf(f, "</g>\n");
}

/* Bytes of the words of a text that fit one line of the picture; at least one word. */
static size_t fitting(const char *text)
{
    char line[256];
    size_t fits = strcspn(text, " ");

    for (size_t n = fits; n < sizeof line; n += 1 + strcspn(text + n + 1, " ")) {
        memcpy(line, text, n);
        line[n] = '\0';
        if (LEFT + wide(line) > RIGHT)
            break;
        fits = n;
        if (!text[n])
            break;
    }
    return fits;
}

/* In lines from y on; f NULL: only counted. Returns how many lines there are. */
static int draw_note(FILE *f, const char *note, double y)
{
    char line[256];
    int lines = 0;

    for (; *note; lines++) {
        size_t n = fitting(note);
        const size_t kept = n < sizeof line ? n : sizeof line - 1;
        memcpy(line, note, kept);
        line[kept] = '\0';
        if (f)
            put_text(f, LEFT, y + lines * (TEXT + 4), "start", TEXT, "", line);
        note += n;
        note += strspn(note, " ");
    }
    return lines;
}

static void draw(FILE *f, const char *title, const char *note, const struct loglog_panel *panels,
                 int n)
{
    const int height = HEAD + n * PANEL + FOOT + draw_note(NULL, note, 0) * (TEXT + 4);

    fprintf(f,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
            "viewBox=\"0 0 %d %d\" font-family=\"sans-serif\" fill=\"#1b1d1f\">\n"
            "<rect width=\"%d\" height=\"%d\" fill=\"#ffffff\"/>\n",
            WIDTH, height, WIDTH, height, WIDTH, height);
    put_text(f, LEFT, 28, "start", 16, "", title);
    for (int i = 0; i < n; i++)
        draw_panel(f, &panels[i], i);
    draw_note(f, note, HEAD + n * PANEL + FOOT);
    fprintf(f, "</svg>\n");
}

int loglog_svg(const char *path, const char *title, const char *note,
               const struct loglog_panel *panels, int n, struct err *e)
{
    struct atomic a;
    FILE *f;

    if (atomic_open(&a, AT_FDCWD, path, NULL, 0666, ATOMIC_UMASK) < 0)
        return err_set(e, "cannot write %s: %s", path, strerror(errno));
    if ((f = atomic_stream(&a)))
        draw(f, title, note, panels, n);
    int rc = f ? atomic_publish(&a, NULL) : -1;
    if (rc < 0)
        err_set(e, "cannot write %s: %s", path, strerror(errno));
    atomic_discard(&a);
    return rc;
}
