/* SPDX-License-Identifier: BSD-3-Clause */
/* Rooflines of a run: tables, and the picture. */
#include <config.h>

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reports/diagnose/roofline.h"
#include "reports/core/text.h"
#include "reports/draw/loglog.h"
#include "reports/draw/table.h"
#include "reports/record/fields.h"
#include "reports/tools/show_profile.h"
#include "reports/tools/show_text.h"

enum {
    MOST_WORKLOADS = 32,
    MOST_POINTS = 400,
    MOST_LABELS = MOST_POINTS + 64,
    NAMED = 8,
    LABEL = 64,
    TEXT = 6144
};

/* A workload, its step, and which of the roofs hold for it. */
struct subject {
    const cJSON *w;
    struct roofline roof;
    struct roofline_step step;
    struct roofline_point point;
};

struct page {
    const cJSON *ceilings;
    struct subject of[MOST_WORKLOADS];
    int n, above; /* above: points that are */
};

static const char *name_of(const struct subject *s)
{
    return json_text(s->w, "name", "?");
}

/* ---- what there is ---------------------------------------------------- */

static void read_page(struct page *p, const cJSON *doc, const cJSON *ceilings)
{
    const cJSON *w;

    p->ceilings = ceilings;
    p->n = p->above = 0;
    cJSON_ArrayForEach(w, json_at(doc, "workloads"))
    {
        if (!(json_number(w, "profile.steps", 0) > 0) || p->n == MOST_WORKLOADS)
            continue;
        struct subject *s = &p->of[p->n++];
        s->w = w;
        roofline_read(&s->roof, ceilings, (int)json_integer(w, "threads", 0, 1 << 20, 0));
        s->step = roofline_step(ceilings, w);
        s->point = roofline_point(&s->roof, &s->step.work);
        p->above += roofline_count(&s->roof, ceilings, w).above;
    }
}

/* ---- tables ----------------------------------------------------------- */

static void show_roofs(const struct roofline *r)
{
    show_line("roofs of a rank with %d thread%s, as measured by machine", r->threads,
              r->threads == 1 ? "" : "s");
    for (int i = 0; i < ROOFLINE_TYPES; i++)
        if (r->peak[i].peak > 0) {
            show_line("  %-5s %12s  %s", r->peak[i].dtype, show_si(r->peak[i].peak, "FLOP/s").text,
                      r->peak[i].source);
            if (r->peak[i].convolution > 0)
                show_line("        %12s  the library's convolution",
                          show_si(r->peak[i].convolution, "FLOP/s").text);
        }
    for (int i = 0; i < r->n_levels; i++)
        show_line("  %-5s %12s  %s%s%s", r->level[i].name,
                  show_si(r->level[i].bandwidth, "B/s").text, r->level[i].kernel,
                  isfinite(r->level[i].bytes) ? ", holds " : "",
                  isfinite(r->level[i].bytes) ? show_si(r->level[i].bytes, "B").text : "");
}

/* part: of the step; NAN: not in one. */
static void put_row(struct table *t, const struct roofline *r, const char *name,
                    const struct roofline_work *w, double part)
{
    const struct roofline_point p = roofline_point(r, w);
    char time[16] = "-", share[24], intensity[32];

    if (isfinite(part))
        snprintf(time, sizeof time, "%.1f %%", 100 * part);
    snprintf(share, sizeof share, "-");
    if (isfinite(p.share))
        snprintf(share, sizeof share, "%.0f %%%s", 100 * p.share, p.above ? " ABOVE" : "");
    snprintf(intensity, sizeof intensity, "-");
    if (p.intensity > 0)
        snprintf(intensity, sizeof intensity, "%.3g", p.intensity);
    const struct shown flops = show_si(p.flops > 0 ? p.flops : NAN, "FLOP/s"),
                       bytes = show_si(p.bandwidth, "B/s"), set = show_si(w->bytes, "B");
    const char *const cells[] = {name,
                                 time,
                                 set.text,
                                 intensity,
                                 flops.text,
                                 bytes.text,
                                 p.level < 0 ? "-"
                                 : p.memory  ? r->level[p.level].name
                                             : "FLOP",
                                 share};
    table_row(t, cells);
}

static const struct table_column columns[] = {{"work", false, 10, 0},    {"time", true, 0, 0},
                                              {"moves", true, 0, 2},     {"FLOP/byte", true, 0, 0},
                                              {"reaches", true, 0, 0},   {"and", true, 0, 1},
                                              {"bound by", false, 0, 0}, {"of roof", true, 0, 0}};

enum { N_COLUMNS = sizeof columns / sizeof *columns };

static void show_points(const struct subject *s)
{
    const double all = json_number(s->w, "profile.step_seconds", NAN);
    const cJSON *row;
    struct table t;
    char name[96];

    table_init(&t, stdout, table_terminal_width(), columns, N_COLUMNS);
    snprintf(name, sizeof name, "%s, a step", name_of(s));
    put_row(&t, &s->roof, name, &s->step.work, 1);
    cJSON_ArrayForEach(row, json_at(s->w, "profile.operators"))
    {
        const struct roofline_work w = roofline_operator(row);
        snprintf(name, sizeof name, "  %.40s %.20s", json_text(row, "name", "?"),
                 json_text(row, "pass", "?"));
        put_row(&t, &s->roof, name, &w, json_number(row, "seconds", 0) / all);
    }
    table_fini(&t);
}

/* Operators that a micro benchmark measured alone. */
static void show_micro(const struct page *p)
{
    const struct roofline *r = &p->of[0].roof;
    struct roofline_work w;
    const cJSON *row;
    struct table t;
    char name[160];

    table_init(&t, stdout, table_terminal_width(), columns, N_COLUMNS);
    cJSON_ArrayForEach(row, json_at(p->ceilings, "micro"))
    {
        if (!roofline_micro(row, r->threads, &w))
            continue;
        snprintf(name, sizeof name, "%.24s %.64s %.20s", json_text(row, "name", "?"),
                 json_text(row, "shape", ""), json_text(row, "direction", ""));
        put_row(&t, r, name, &w, NAN);
    }
    if (t.rows || t.flowing)
        printf("\n");
    table_fini(&t);
}

/* "exchanged 1.7 MB a step, 440 FLOP a byte: at most 2.1 GB/s, so 920 GFLOP/s" */
static void show_link(const struct subject *s, const char *what, double bytes, double rate,
                      const char *source)
{
    char text[320];

    if (!(bytes > 0))
        return;
    snprintf(text, sizeof text, "%s %s a step, %s FLOP a byte; ", what, show_si(bytes, "B").text,
             show_plain(s->step.work.flop / bytes).text);
    if (rate > 0)
        text_add(text, sizeof text, "%s (%s): no more than %s, %s x what it reaches",
                 show_si(rate, "B/s").text, source,
                 show_si(s->step.work.flop / bytes * rate, "FLOP/s").text,
                 show_plain(s->step.work.flop / bytes * rate / s->point.flops).text);
    else
        text_add(text, sizeof text, "no ceiling: the run has no rows of %s",
                 strcmp(what, "reads") == 0 ? "read" : "allreduce");
    show_wrapped("  ", text, 4);
}

static void show_subject(const struct subject *s, bool roofs)
{
    if (roofs && !s->roof.why[0]) {
        show_roofs(&s->roof);
        printf("\n");
    }
    show_points(s);
    const double floor = roofline_floor(&s->roof, s->w);
    if (isfinite(floor))
        show_line("  a step takes %s, its operators at least %s: %.0f %% of it",
                  show_duration(s->step.work.seconds).text, show_duration(floor).text,
                  100 * floor / s->step.work.seconds);
    if (s->roof.why[0])
        show_wrapped("  ", s->roof.why, 2);
    show_link(s, "exchanges", s->step.exchanged_bytes, s->step.exchange_rate,
              s->step.exchange_source);
    show_link(s, "reads", s->step.read_bytes, s->step.read_rate, s->step.read_source);
}

/* ---- the picture ------------------------------------------------------ */

struct picture {
    struct loglog_line lines[16];
    struct loglog_point points[MOST_POINTS];
    char labels[MOST_LABELS][LABEL];
    char text[TEXT];
    double x[MOST_LABELS], y[MOST_LABELS]; /* for the ranges */
    int n_lines, n_points, n_labels, n_range;
    struct loglog_panel panel;
};

static const char *label(struct picture *d, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
static const char *label(struct picture *d, const char *fmt, ...)
{
    va_list ap;

    if (d->n_labels == MOST_LABELS)
        return "";
    char *text = d->labels[d->n_labels++];
    va_start(ap, fmt);
    vsnprintf(text, LABEL, fmt, ap);
    va_end(ap);
    show_whole(text);
    return text;
}

static void reach(struct picture *d, double x, double y)
{
    if (d->n_range == MOST_LABELS)
        return;
    d->x[d->n_range] = x;
    d->y[d->n_range++] = y;
}

static bool put_point(struct picture *d, struct loglog_point q)
{
    if (d->n_points == MOST_POINTS || !(q.x > 0) || !(q.y > 0))
        return false;
    d->points[d->n_points++] = q;
    reach(d, q.x, q.y);
    return true;
}

static enum loglog_ink ink_of(int workload)
{
    return (enum loglog_ink)(LOGLOG_FIRST + workload % (LOGLOG_INKS - LOGLOG_FIRST));
}

/* The end of a sentence; a share is not known without a roof of its precision. */
static void add_share(struct picture *d, double share)
{
    if (isfinite(share))
        text_add(d->text, TEXT, ", %.0f %% of its roof", 100 * share);
    text_add(d->text, TEXT, ". ");
}

/* Of one workload: its step as a square, its operators as circles; the longest have
 * their names. Returns what has no FLOP, as part of the step. */
static double put_subject(struct picture *d, const struct subject *s, int index)
{
    const double all = json_number(s->w, "profile.step_seconds", NAN);
    const cJSON *row;
    double without = 0;
    int named = 0;

    const char *title = label(d, "%.40s", name_of(s));
    text_add(d->text, TEXT, "%s: %.3g FLOP/byte, %s", title, s->point.intensity,
             show_si(s->point.flops, "FLOP/s").text);
    add_share(d, s->point.share);
    put_point(d, (struct loglog_point){s->point.intensity, s->point.flops, 0, LOGLOG_SQUARE,
                                       ink_of(index), title, s->point.above});
    cJSON_ArrayForEach(row, json_at(s->w, "profile.operators"))
    {
        const struct roofline_work w = roofline_operator(row);
        const struct roofline_point p = roofline_point(&s->roof, &w);
        const double part = json_number(row, "seconds", 0) / all;

        if (!(w.flop > 0))
            without += part;
        if (!(p.intensity > 0) || d->n_labels >= MOST_POINTS)
            continue;
        const bool big = named < NAMED && part > 0.01;
        const char *text =
            label(d, "%.32s %.16s", json_text(row, "name", "?"), json_text(row, "pass", "?"));
        if (part > 0.005) {
            text_add(d->text, TEXT, "%s: %.1f %% of the step, %.3g FLOP/byte, %s", text, 100 * part,
                     p.intensity, show_si(p.flops, "FLOP/s").text);
            add_share(d, p.share);
        }
        if (put_point(d, (struct loglog_point){p.intensity, p.flops, part, LOGLOG_CIRCLE,
                                               ink_of(index), big ? text : "", p.above}))
            named += big;
    }
    return without;
}

static void put_line(struct picture *d, const char *text, bool dashed, double x1, double y1,
                     double x2, double y2)
{
    if (d->n_lines < 16)
        d->lines[d->n_lines++] = (struct loglog_line){{x1, x2}, {y1, y2}, text, dashed};
}

/* Operators measured alone: small diamonds, without names. */
static void put_micro(struct picture *d, const struct page *p)
{
    const struct roofline *r = &p->of[0].roof;
    struct roofline_work w;
    const cJSON *row;
    int n = 0;

    cJSON_ArrayForEach(row, json_at(p->ceilings, "micro"))
    {
        if (!roofline_micro(row, r->threads, &w))
            continue;
        const struct roofline_point q = roofline_point(r, &w);
        n += put_point(d, (struct loglog_point){q.intensity, q.flops, 0, LOGLOG_DIAMOND,
                                                LOGLOG_ROOF, "", false});
    }
    if (n)
        text_add(d->text, TEXT, "Diamonds: %d operators that a micro benchmark measured alone. ",
                 n);
}

static bool uses(const struct page *p, const char *dtype)
{
    for (int i = 0; i < p->n; i++)
        if (strcmp(p->of[i].step.work.dtype, dtype) == 0)
            return true;
    return false;
}

/* Of the precisions that work is done in; the highest bounds the slopes, which end there. */
static double put_peaks(struct picture *d, const struct page *page)
{
    const struct roofline *r = &page->of[0].roof;
    double top = 0;

    for (int i = 0; i < ROOFLINE_TYPES; i++) {
        const struct roofline_peak *p = &r->peak[i];
        if (!(p->peak > 0) || !uses(page, p->dtype))
            continue;
        put_line(d, label(d, "%s peak %s", p->dtype, show_si(p->peak, "FLOP/s").text), false, 1e-9,
                 p->peak, 1e12, p->peak);
        if (p->convolution > 0 && p->convolution < p->peak)
            put_line(
                d, label(d, "%s convolution %s", p->dtype, show_si(p->convolution, "FLOP/s").text),
                true, 1e-9, p->convolution, 1e12, p->convolution);
        top = fmax(top, p->peak);
        reach(d, NAN, p->peak);
    }
    return top;
}

static void finish(struct picture *d, const char *title, const char *x_label)
{
    d->panel = (struct loglog_panel){
        .title = title,
        .text = d->text,
        .x_label = x_label,
        .y_label = "FLOP/s of a rank (logarithmic)",
        .x_unit = "",
        .y_unit = "",
        .n_lines = d->n_lines,
        .lines = d->lines,
        .n_points = d->n_points,
        .points = d->points,
    };
    loglog_range(d->x, d->n_range, d->panel.x);
    loglog_range(d->y, d->n_range, d->panel.y);
}

static void draw_memory(struct picture *d, const struct page *p)
{
    const struct roofline *r = &p->of[0].roof;
    double without = 0;

    const double top = put_peaks(d, p);
    for (int i = 0; i < r->n_levels && top > 0; i++) {
        const double b = r->level[i].bandwidth, ridge = top / b;
        put_line(d, label(d, "%s %s", r->level[i].name, show_si(b, "B/s").text), false, 1e-9,
                 1e-9 * b, ridge, top);
        reach(d, ridge, NAN);
        text_add(d->text, TEXT, "%s: %s. ", d->labels[d->n_labels - 1], r->level[i].kernel);
    }
    for (int i = 0; i < p->n; i++)
        without = fmax(without, put_subject(d, &p->of[i], i));
    put_micro(d, p);
    if (without > 0)
        text_add(d->text, TEXT,
                 "Operators without products, up to %.0f %% of a step, are in the table.",
                 100 * without);
    finish(d, "Work against peak and memory (squares: steps; circles: operators, area = time)",
           "FLOP per byte moved (logarithmic)");
}

/* One of the two rooflines of distributed learning. */
static bool draw_link(struct picture *d, const struct page *p, bool exchange)
{
    const double top = put_peaks(d, p);
    bool any = false;

    for (int i = 0; i < p->n; i++) {
        const struct subject *s = &p->of[i];
        const double bytes = exchange ? s->step.exchanged_bytes : s->step.read_bytes;
        const double rate = exchange ? s->step.exchange_rate : s->step.read_rate;
        const double x = s->step.work.flop / bytes;

        if (!(bytes > 0) || !(s->step.work.flop > 0))
            continue;
        any = true;
        const char *text = label(d, "%.40s", name_of(s));
        put_point(
            d, (struct loglog_point){x, s->point.flops, 0, LOGLOG_DIAMOND, ink_of(i), text, false});
        text_add(d->text, TEXT, "%s: %.3g FLOP/byte, %s. ", text, x,
                 show_si(s->point.flops, "FLOP/s").text);
        if (!(rate > 0))
            continue;
        reach(d, top / rate, NAN);
        put_line(d,
                 label(d, "%s: %s", exchange ? s->step.exchange_source : s->step.read_source,
                       show_si(rate, "B/s").text),
                 false, 1e-9, 1e-9 * rate, top / rate, top);
        text_add(d->text, TEXT, "At most %s. ", d->labels[d->n_labels - 1]);
    }
    finish(d,
           exchange ? "Work against the exchange of gradients"
                    : "Work against the reading of samples",
           exchange ? "FLOP per byte handed to the exchange (logarithmic)"
                    : "FLOP per byte read (logarithmic)");
    return any;
}

static int draw_page(const struct page *p, const cJSON *doc, const char *path, struct err *e)
{
    enum { PANELS = 3 };
    struct picture *d = calloc(PANELS, sizeof *d);
    struct loglog_panel panels[PANELS];
    char title[160], note[320];
    int n = 0;

    if (!d)
        return err_set(e, "out of memory for a picture");
    snprintf(title, sizeof title, "hpcai500 roofline, %.100s", json_text(doc, "id", "?"));
    roofline_verdict(p->above, note, sizeof note);
    if (!note[0])
        snprintf(note, sizeof note,
                 "Roofs are measured: threads of a rank, best kernel of each level. Point: mean of "
                 "its calls.");
    draw_memory(&d[0], p);
    panels[n++] = d[0].panel;
    for (int exchange = 1; exchange >= 0; exchange--)
        if (draw_link(&d[n], p, exchange)) {
            panels[n] = d[n].panel;
            n++;
        } else {
            memset(&d[n], 0, sizeof d[n]);
        }
    int rc = loglog_svg(path, title, note, panels, n, e);
    free(d);
    return rc;
}

/* ---- all -------------------------------------------------------------- */

int show_roofline(const cJSON *doc, const cJSON *ceilings, const char *svg, struct err *e)
{
    struct page *p = calloc(1, sizeof *p);
    char text[320];
    int rc = 0;

    if (!p)
        return err_set(e, "out of memory for rooflines");
    read_page(p, doc, ceilings);
    if (p->n == 0) {
        err_set(e, "%s has no profile: it trained no network, ended early, or is of an older agent",
                json_text(doc, "id", "the record"));
        free(p);
        return 1;
    }
    for (int i = 0; i < p->n; i++) {
        if (i)
            printf("\n");
        show_subject(&p->of[i], i == 0 || p->of[i].roof.threads != p->of[i - 1].roof.threads);
    }
    show_micro(p);
    roofline_verdict(p->above, text, sizeof text);
    if (text[0]) {
        printf("\n");
        show_wrapped("", text, 2);
    }
    if (svg)
        rc = draw_page(p, doc, svg, e);
    free(p);
    return rc;
}
