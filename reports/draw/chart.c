/* SPDX-License-Identifier: BSD-3-Clause */
/* Elements, axes, and the chart of bars. */
#include <config.h>

#include "reports/draw/chart.h"

#include <math.h>
#include <string.h>

#include "reports/core/utf8.h"
#include "reports/draw/chart_ink.h"
#include "reports/draw/html.h"

/* ---- elements ---- */

const char *ink_class(enum ink ink)
{
    static const char *const classes[INK_COUNT] = {"c", "m1", "i", "w", "k",
                                                   "r", "e",  "s", "o", "g"};
    return classes[ink];
}

void ink_open(struct pic *p, double height)
{
    fprintf(p->f,
            "<svg viewBox=\"0 0 %d %.0f\" width=\"%d\" height=\"%.0f\" role=\"img\" "
            "aria-labelledby=\"t%d d%d\" font-size=\"11\"",
            p->width, height, p->width, height, p->id, p->id);
    if (p->kind)
        fprintf(p->f, " class=\"%s\"", p->kind);
    fprintf(p->f, "><title id=\"t%d\">", p->id);
    html_text(p->f, p->title, 0);
    fprintf(p->f, "</title><desc id=\"d%d\">", p->id);
    html_text(p->f, p->desc, 0);
    fputs("</desc>\n", p->f);
}

void ink_close(struct pic *p)
{
    fputs("</svg>\n", p->f);
}

void ink_rect(struct pic *p, double x, double y, double w, double h, const char *cls)
{
    fprintf(p->f, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" class=\"%s\"/>", x, y,
            fmax(w, 0), fmax(h, 0), cls);
}

void ink_line(struct pic *p, double x1, double y1, double x2, double y2, const char *cls)
{
    fprintf(p->f, "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" class=\"%s\"/>", x1, y1,
            x2, y2, cls);
}

void ink_circle(struct pic *p, double x, double y, double r, const char *cls)
{
    fprintf(p->f, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\" class=\"%s\"/>", x, y, r, cls);
}

void ink_text(struct pic *p, double x, double y, enum anchor anchor, const char *cls,
              const char *text)
{
    static const char *const anchors[] = {"", " text-anchor=\"middle\"", " text-anchor=\"end\""};

    fprintf(p->f, "<text x=\"%.1f\" y=\"%.1f\"%s", x, y, anchors[anchor]);
    if (cls)
        fprintf(p->f, " class=\"%s\"", cls);
    fputc('>', p->f);
    html_text(p->f, text, 2 * HTML_MOST);
    fputs("</text>\n", p->f);
}

/* ---- axes ---- */

double chart_place(const struct axis *a, double from, double to, double value)
{
    double least = a->log ? log10(a->least) : a->least, most = a->log ? log10(a->most) : a->most;
    double share = ((a->log ? log10(value) : value) - least) / (most - least);

    if (isnan(share))
        share = 0;
    return from + fmin(fmax(share, 0), 1) * (to - from);
}

double chart_wide(const char *text)
{
    size_t left = strlen(text);
    double em = 0;

    while (left) {
        uint32_t c = 0;
        int n = utf8_decode((const unsigned char *)text, left, &c);
        if (n <= 0)
            n = 1;
        em += c > 0x2e80 ? 1 : c < 0x80 && strchr(" .,:il|", (int)c) ? .34 : .62;
        text += n;
        left -= (size_t)n;
    }
    return 11 * em;
}

static int log_ticks(double least, double most, struct tick *ticks, char (*texts)[TICK_TEXT],
                     int room)
{
    int n = 0, from = (int)ceil(log10(least) - 1e-9), to = (int)floor(log10(most) + 1e-9);
    int stride = (to - from) / room + 1;

    for (int power = from; power <= to && n < room; power += stride, n++) {
        double v = pow(10, power);
        snprintf(texts[n], TICK_TEXT, power >= -3 && power < 4 ? "%.6g" : "1e%.0f",
                 power >= -3 && power < 4 ? v : (double)power);
        ticks[n] = (struct tick){v, texts[n]};
    }
    return n;
}

int chart_ticks(double least, double most, bool log, struct tick *ticks, char (*texts)[TICK_TEXT],
                int room)
{
    int n = 0;

    if (!(most > least) || !isfinite(least) || !isfinite(most) || room < 2)
        return 0;
    if (log)
        return log_ticks(least, most, ticks, texts, room);
    double raw = (most - least) / (room - 1), power = pow(10, floor(log10(raw)));
    double digit = raw / power, step = power * (digit <= 1   ? 1
                                                : digit <= 2 ? 2
                                                : digit <= 5 ? 5
                                                             : 10);
    for (double at = ceil(least / step - 1e-9) * step; n < room && at <= most + step * 1e-9;
         at += step, n++) {
        snprintf(texts[n], TICK_TEXT, "%.6g", fabs(at) < step * 1e-6 ? 0 : at);
        ticks[n] = (struct tick){at, texts[n]};
    }
    return n;
}

void ink_ticks(struct pic *p, const struct axis *x, double from, double to, double y)
{
    double last = -1e9;

    for (int i = 0; i < x->n; i++) {
        double half = chart_wide(x->ticks[i].text) / 2;
        double at = fmin(chart_place(x, from, to, x->ticks[i].at), p->width - half);
        at = fmax(at, half);
        if (at - half < last + 4)
            continue;
        ink_text(p, at, y, ANCHOR_MIDDLE, "soft", x->ticks[i].text);
        last = at + half;
    }
}

/* ---- bars ---- */

/* Draws the legend and returns how high it is. */
static double draw_legend(struct pic *p, const struct legend *legend, int n, bool draw)
{
    double x = 0, y = 4;

    for (int i = 0; i < n; i++) {
        double need = chart_wide(legend[i].text) + 27;
        if (x > 0 && x + need > p->width) {
            x = 0;
            y += 17;
        }
        if (draw) {
            ink_rect(p, x, y, 11, 11, ink_class(legend[i].ink));
            ink_text(p, x + 15, y + 9.5, ANCHOR_START, NULL, legend[i].text);
        }
        x += need;
    }
    return n ? y + 22 : 4;
}

struct bars_box {
    double left, right; /* of the bars */
    double top, height;
    bool narrow;
};

static double row_height(const struct bars_box *b, const struct bar *bar, int bar_px, int gap_px)
{
    return bar->seg ? bar_px + gap_px + (b->narrow && bar->label[0] ? 15 : 0) : 20;
}

static struct bars_box measure_bars(const struct pic *p, const struct bar *bars, int n, double top,
                                    int bar_px, int gap_px)
{
    struct bars_box b = {.top = top, .narrow = p->width < CHART_NARROW};
    double label = 0, end = 0;

    for (int i = 0; i < n; i++) {
        label = bars[i].seg ? fmax(label, chart_wide(bars[i].label)) : label;
        end = bars[i].end ? fmax(end, chart_wide(bars[i].end) * 1.12) : end;
    }
    b.left = b.narrow || label == 0 ? 0 : label + 12;
    b.right = p->width - (end > 0 ? end + 10 : 2);
    for (int i = 0; i < n; i++)
        b.height += row_height(&b, &bars[i], bar_px, gap_px);
    return b;
}

static void draw_bar(struct pic *p, const struct bar *bar, const struct bars_box *b,
                     const struct axis *x, double y, int bar_px)
{
    double sum = 0;
    char cls[16];

    for (int i = 0; i < bar->n; i++) {
        const struct seg *s = &bar->seg[i];
        if (!(s->value > 0) || !isfinite(s->value))
            continue;
        double from = chart_place(x, b->left, b->right, sum);
        double to = chart_place(x, b->left, b->right, sum += s->value);
        ink_rect(p, from, y, to - from - (to - from > 2 ? 1 : 0), bar_px, ink_class(s->ink));
        if (s->label && to - from > fmax(chart_wide(s->label) + 6, 26)) {
            snprintf(cls, sizeof cls, "on %st", ink_class(s->ink));
            ink_text(p, (from + to) / 2, y + bar_px / 2.0 + 4, ANCHOR_MIDDLE, cls, s->label);
        }
    }
    if (bar->end)
        ink_text(p, chart_place(x, b->left, b->right, sum) + 6, y + bar_px / 2.0 + 4, ANCHOR_START,
                 "strong", bar->end);
}

static void draw_bar_rows(struct pic *p, const struct bar *bars, int n, const struct bars_box *b,
                          const struct axis *x, int bar_px, int gap_px)
{
    double y = b->top;

    for (int i = 0; i < n; y += row_height(b, &bars[i], bar_px, gap_px), i++) {
        double at = y;
        if (!bars[i].seg) {
            ink_text(p, 0, y + 12, ANCHOR_START, "strong", bars[i].label);
            continue;
        }
        if (b->narrow && bars[i].label[0]) {
            ink_text(p, 4, y + 10, ANCHOR_START, NULL, bars[i].label);
            at += 15;
        } else if (bars[i].label[0]) {
            ink_text(p, b->left - 8, y + bar_px / 2.0 + 4, ANCHOR_END, NULL, bars[i].label);
        }
        draw_bar(p, &bars[i], b, x, at, bar_px);
    }
}

void draw_bars(struct pic *p, const struct bar *bars, int n, const struct axis *x,
               const struct legend *legend, int n_legend, int bar_px, int gap_px)
{
    double top = draw_legend(p, legend, n_legend, false);
    struct bars_box b = measure_bars(p, bars, n, top, bar_px, gap_px);
    double foot = b.top + b.height - gap_px + 4;

    ink_open(p, foot + (x->n ? 18 : 2));
    draw_legend(p, legend, n_legend, true);
    for (int i = 0; i < x->n; i++) {
        double at = chart_place(x, b.left, b.right, x->ticks[i].at);
        ink_line(p, at, b.top - 2, at, foot, "grid");
    }
    draw_bar_rows(p, bars, n, &b, x, bar_px, gap_px);
    ink_line(p, b.left, b.top - 2, b.left, foot, "axis");
    ink_ticks(p, x, b.left, b.right, foot + 13);
    ink_close(p);
}
