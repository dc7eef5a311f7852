/* SPDX-License-Identifier: BSD-3-Clause */
/* A line of blocks, and panels in SVG 1.1 without scripts, styles or links. */
#include <config.h>

#include "reports/draw/plot.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "reports/core/atomic.h"
#include "reports/core/utf8.h"
#include "reports/draw/xml.h"

/* ---- one line ---- */

enum { SPARK_MOST = 60, LEVELS = 8 };

static const char *const blocks[LEVELS] = {"\u2581", "\u2582", "\u2583", "\u2584",
                                           "\u2585", "\u2586", "\u2587", "\u2588"};
static const char *const letters[LEVELS] = {"_", ".", "-", "~", "=", "+", "*", "#"};

/* A step stands before the first column that has values after it. */
static bool step_before(const struct change *changes, int n_changes, int from, int end)
{
    for (int i = 0; i < n_changes; i++)
        if (changes[i].kind == CHANGE_STEP && changes[i].at > from && changes[i].at <= end)
            return true;
    return false;
}

void plot_spark(char text[SPARK_SIZE], const double *value, int n, const struct change *changes,
                int n_changes, int width, bool plain)
{
    double shares[SPARK_MOST], least = INFINITY, most = -INFINITY;
    int starts[SPARK_MOST + 1];

    text[0] = '\0';
    if (width > SPARK_MOST)
        width = SPARK_MOST;
    if (width > n)
        width = n;
    for (int c = 0; c < width; c++) {
        starts[c] = (int)((long)n * c / width);
        starts[c + 1] = (int)((long)n * (c + 1) / width);
        shares[c] = change_median(value + starts[c], starts[c + 1] - starts[c]);
        least = fmin(least, shares[c]);
        most = fmax(most, shares[c]);
    }
    for (int c = 0; c < width; c++) {
        if (c > 0 && step_before(changes, n_changes, starts[c - 1], starts[c]))
            strcat(text, "|");
        double height = most > least ? (shares[c] - least) / (most - least) : 0.5;
        int level = isfinite(height) ? (int)(height * (LEVELS - 1) + 0.5) : 0;
        strcat(text, plain ? letters[level] : blocks[level]);
    }
}

/* ---- text ---- */

/* In place: of a long text so many characters, the last an ellipsis. */
static void cut(char *text, int most)
{
    static const char ellipsis[] = "\u2026";
    char *last = text, *at = text;
    int length;

    for (int n = 0; (length = utf8_length((unsigned char *)at, strlen(at))) && *at; n++) {
        if (n == most - 1)
            last = at;
        if (n == most) {
            strcpy(last, ellipsis);
            return;
        }
        at += length;
    }
}

/* ---- panels ---- */

/* Of a panel, in pixels: where its points may be. */
enum {
    WIDTH = 960,
    PANEL = 260,
    HEAD = 40,
    FOOT = 30,
    LEFT = 80,
    RIGHT = WIDTH - 20,
    TOP = 34,
    BOTTOM = PANEL - 34,
    TICKS = 5,
    TITLE_MOST = 132, /* characters that find room above a panel */
    TIME_WIDTH = 110, /* of the words at a tick */
    DAY = 86400
};

struct axis {
    double least, most; /* of the values */
    double from, to;    /* of the pixels */
};

static double place(const struct axis *a, double v)
{
    double share = (v - a->least) / (a->most - a->least);
    return a->from + fmin(fmax(share, 0), 1) * (a->to - a->from);
}

/* alone: half the axis when there is one value only. */
static struct axis axis_of(double least, double most, double alone, double from, double to)
{
    double margin = (most - least) * 0.05;

    if (!(margin > 0) || !isfinite(margin))
        margin = alone;
    return (struct axis){least - margin, most + margin, from, to};
}

/* 1, 2 or 5 times a power of ten, about `parts` of them in the axis. */
static double tick_step(const struct axis *a, int parts)
{
    double raw = (a->most - a->least) / parts, power = pow(10, floor(log10(raw)));
    double digit = raw / power;

    return (digit < 1.5 ? 1 : digit < 3.5 ? 2 : digit < 7.5 ? 5 : 10) * power;
}

static void draw_text(FILE *f, double x, double y, const char *anchor, int size, const char *text)
{
    char clean[512]; /* of a character that this cuts, a question mark stays */

    snprintf(clean, sizeof clean, "%s", text);
    utf8_clean(clean);
    cut(clean, TITLE_MOST);
    fprintf(f, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\" font-size=\"%d\">", x, y, anchor,
            size);
    xml_text(f, clean);
    fprintf(f, "</text>\n");
}

static void draw_line(FILE *f, double x1, double y1, double x2, double y2, const char *colour,
                      const char *more)
{
    fprintf(f, "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"%s\"%s/>\n", x1, y1,
            x2, y2, colour, more);
}

static void draw_value_axis(FILE *f, const struct axis *y)
{
    double step = tick_step(y, TICKS);
    char label[32];

    if (!(step > 0) || !isfinite(step))
        return;
    double first = ceil(y->least / step) * step;
    for (int i = 0; i < 4 * TICKS && first + i * step <= y->most; i++) {
        double v = first + i * step, at = place(y, v);
        snprintf(label, sizeof label, "%.6g", fabs(v) < step / 1e6 ? 0 : v);
        draw_line(f, LEFT, at, RIGHT, at, "#e0e0e0", "");
        draw_text(f, LEFT - 6, at + 4, "end", 11, label);
    }
}

/* A round time of which at most TICKS are in the axis [s]. */
static double time_step(double span)
{
    static const int steps[] = {60,      300,      900,      1800,     3600,
                                10800,   21600,    43200,    DAY,      2 * DAY,
                                7 * DAY, 14 * DAY, 30 * DAY, 91 * DAY, 365 * DAY};
    enum { STEPS = sizeof steps / sizeof *steps };
    double step = steps[STEPS - 1];

    for (int i = STEPS - 1; i >= 0 && steps[i] * (double)TICKS >= span; i--)
        step = steps[i];
    while (step * TICKS < span)
        step *= 2;
    return step;
}

static void draw_time_axis(FILE *f, const struct axis *x)
{
    double step = time_step(x->most - x->least);
    char label[32];

    for (double t = ceil(x->least / step) * step; t <= x->most; t += step) {
        time_t seconds = (time_t)t;
        struct tm day;
        if (!gmtime_r(&seconds, &day))
            continue;
        strftime(label, sizeof label, step >= DAY ? "%Y-%m-%d" : "%Y-%m-%d %H:%M", &day);
        double at = place(x, t);
        draw_line(f, at, BOTTOM, at, BOTTOM + 4, "#808080", "");
        draw_text(f, at, BOTTOM + 18, at > RIGHT - TIME_WIDTH / 2.0 ? "end" : "middle", 11, label);
    }
}

static void draw_change(FILE *f, const struct plot_series *s, const struct change *c,
                        const struct axis *x, const struct axis *y)
{
    static const char dashed[] = " stroke-width=\"1.5\" stroke-dasharray=\"5,3\"";
    double x1 = place(x, (double)s->time[c->from]);
    double x2 = place(x, (double)s->time[c->end - 1]), cut = place(x, (double)s->time[c->at]);
    char label[48];

    snprintf(label, sizeof label, "%s %+.2g %%", c->kind == CHANGE_STEP ? "step" : "drift",
             c->before != 0 ? 100 * (c->after / c->before - 1) : 0.0);
    if (c->kind == CHANGE_DRIFT) {
        draw_line(f, x1, place(y, c->before), x2, place(y, c->after), "#c03020", dashed);
        draw_text(f, (x1 + x2) / 2, TOP + 12, "middle", 12, label);
        return;
    }
    draw_line(f, cut, TOP, cut, BOTTOM, "#c03020", dashed);
    draw_line(f, x1, place(y, c->before), cut, place(y, c->before), "#c03020", "");
    draw_line(f, cut, place(y, c->after), x2, place(y, c->after), "#c03020", "");
    draw_text(f, cut + (cut > WIDTH / 2.0 ? -5 : 5), TOP + 12, cut > WIDTH / 2.0 ? "end" : "start",
              12, label);
}

static void draw_panel(FILE *f, const struct plot_series *s, int top)
{
    double least = INFINITY, most = -INFINITY;
    char title[512];

    snprintf(title, sizeof title, "%s: %s", s->unit, s->title);
    for (int i = 0; i < s->n; i++) {
        least = fmin(least, s->value[i]);
        most = fmax(most, s->value[i]);
    }
    fprintf(f, "<g transform=\"translate(0,%d)\">\n", top);
    draw_text(f, LEFT, TOP - 10, "start", 12, title);
    if (s->n > 0) {
        struct axis x = axis_of((double)s->time[0], (double)s->time[s->n - 1], 3600, LEFT, RIGHT);
        most += (most - least) * 0.1; /* room for the words of a change */
        struct axis y = axis_of(least, most, fmax(fabs(most) * 0.05, 1e-9), BOTTOM, TOP);
        draw_value_axis(f, &y);
        draw_time_axis(f, &x);
        for (int i = 0; i < s->n; i++)
            fprintf(f, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"2.2\" fill=\"#2060a0\"/>\n",
                    place(&x, (double)s->time[i]), place(&y, s->value[i]));
        for (int i = 0; i < s->n_changes; i++)
            draw_change(f, s, &s->changes[i], &x, &y);
    }
    fprintf(f,
            "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"none\" "
            "stroke=\"#808080\"/>\n</g>\n",
            LEFT, TOP, RIGHT - LEFT, BOTTOM - TOP);
}

static void draw(FILE *f, const struct plot_series *series, int n, const char *note)
{
    int height = HEAD + (n ? n : 1) * PANEL + FOOT;

    fprintf(f,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
            "viewBox=\"0 0 %d %d\" font-family=\"sans-serif\" fill=\"#202020\">\n"
            "<rect width=\"%d\" height=\"%d\" fill=\"#ffffff\"/>\n",
            WIDTH, height, WIDTH, height, WIDTH, height);
    draw_text(f, LEFT, 26, "start", 16, "hpcai500 history, times in UTC");
    for (int i = 0; i < n; i++)
        draw_panel(f, &series[i], HEAD + i * PANEL);
    if (n == 0)
        draw_text(f, WIDTH / 2.0, HEAD + PANEL / 2.0, "middle", 14, "no values");
    draw_text(f, LEFT, height - 12, "start", 11, note);
    fprintf(f, "</svg>\n");
}

int plot_svg(const char *path, const struct plot_series *series, int n, const char *note,
             struct err *e)
{
    struct atomic a;
    FILE *f;

    if (atomic_open(&a, AT_FDCWD, path, NULL, 0666, ATOMIC_UMASK) < 0)
        return err_set(e, "cannot write %s: %s", path, strerror(errno));
    if ((f = atomic_stream(&a)))
        draw(f, series, n, note);
    int rc = f ? atomic_publish(&a, NULL) : -1;
    if (rc < 0)
        err_set(e, "cannot write %s: %s", path, strerror(errno));
    atomic_discard(&a);
    return rc;
}
