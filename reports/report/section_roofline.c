/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Rooflines: operators and steps of a training against the measured peak and memory,
 * and steps against the exchange and the reading; reports/diagnose/roofline.h has the
 * formulas. It must never claim: an invalid roof as a roof (a point above it); a gain.
 */
#include <config.h>

#include <math.h>
#include <string.h>

#include "reports/core/text.h"
#include "reports/diagnose/roofline.h"
#include "reports/draw/html.h"
#include "reports/draw/loglog.h"
#include "reports/record/fields.h"
#include "reports/report/section.h"

enum { MOST_OPERATORS = 12, NAMED = 5, LABEL = 48, TICKS = 10 };

struct point {
    char label[LABEL];
    struct roofline_work work;
    struct roofline_point at;
    double part; /* of the step */
};

struct subject {
    int group;
    struct roofline roof;
    struct roofline_step step;
    struct roofline_point whole;     /* the step */
    struct point of[MOST_OPERATORS]; /* the longest operators, which come first */
    int n, above;
    double peak;  /* of its precision; 0: not measured */
    double floor; /* seconds that its operators take at least in a step */
};

/* False: there is no profile, or no roof of its precision and threads. */
static bool subject_of(const struct page *p, int group, struct subject *s)
{
    const cJSON *w = group_work(p, group), *ceilings = group_ceilings(p, group), *row;
    double all = json_number(w, "profile.step_seconds", NAN);

    *s = (struct subject){.group = group};
    if (!(json_number(w, "profile.steps", 0) > 0))
        return false;
    roofline_read(&s->roof, ceilings, (int)json_integer(w, "threads", 0, 1 << 20, 0));
    s->step = roofline_step(ceilings, w);
    s->whole = roofline_point(&s->roof, &s->step.work);
    s->above = s->whole.above;
    s->peak = roofline_peak_of(&s->roof, s->step.work.dtype);
    s->floor = roofline_floor(&s->roof, w);
    cJSON_ArrayForEach(row, json_at(w, "profile.operators"))
    {
        struct roofline_work work = roofline_operator(row);
        struct roofline_point at = roofline_point(&s->roof, &work);
        s->above += at.above;
        if (s->n == MOST_OPERATORS)
            continue;
        struct point *q = &s->of[s->n++];
        *q = (struct point){.work = work, .at = at, .part = json_number(row, "seconds", 0) / all};
        snprintf(q->label, sizeof q->label, "%.28s %.16s", json_text(row, "name", "?"),
                 json_text(row, "pass", ""));
    }
    return s->peak > 0 && s->roof.n_levels > 0;
}

/* ---- pictures ---- */

/* An axis of whole powers of ten around values, its ticks with SI prefixes. */
struct decades {
    struct axis axis;
    struct tick ticks[TICKS];
    char texts[TICKS][TICK_TEXT];
};

static void decades_of(struct page *p, struct decades *d, const double *v, int n, const char *form,
                       const char *label)
{
    char text[64];
    double range[2];

    loglog_range(v, n, range);
    d->axis = (struct axis){
        .least = range[0], .most = range[1], .log = true, .ticks = d->ticks, .label = label};
    d->axis.n = chart_ticks(range[0], range[1], true, d->ticks, d->texts, TICKS);
    for (int i = 0; *form && i < d->axis.n; i++) {
        said_value(&p->pen, text, sizeof text, N(d->ticks[i].at), form);
        snprintf(d->texts[i], TICK_TEXT, "%.23s", text);
    }
}

/* A roof's slope; its label stands at the ridge. */
struct slope {
    double x[2], y[2];
    struct said label;
};

static struct mark slope_mark(struct slope *s, double bandwidth, double peak, const struct axis *x,
                              const struct axis *y, enum ink ink)
{
    s->x[0] = fmax(x->least, y->least / bandwidth);
    s->x[1] = peak / bandwidth;
    s->y[0] = s->x[0] * bandwidth;
    s->y[1] = peak;
    return (struct mark){.kind = MARK_LINE,
                         .x = s->x,
                         .y = s->y,
                         .n = 2,
                         .ink = ink,
                         .thin = true,
                         .text = s->label.text};
}

static void draw_roofline(struct page *p, struct pic *pic, const void *what)
{
    const struct subject *s = what;
    struct said title = said(&p->pen, W_ROOF_TITLE, T(group_name(p, s->group).text));
    struct said xlabel = said(&p->pen, W_ROOF_X), ylabel = said(&p->pen, W_ROOF_Y), peak;
    struct slope slopes[ROOFLINE_LEVELS];
    struct mark marks[ROOFLINE_LEVELS + 2 * MOST_OPERATORS + 3];
    double v[2][MOST_OPERATORS + ROOFLINE_LEVELS + 2], radius[MOST_OPERATORS], small = 2;
    struct decades x, y;
    char desc[4096] = "";
    int n = 0, nv = 0;

    for (int i = 0; i < s->n; i++, nv++) {
        v[0][nv] = s->of[i].at.intensity;
        v[1][nv] = s->of[i].at.flops;
        radius[i] = 3 + 15 * sqrt(fmin(fmax(s->of[i].part, 0), 1));
    }
    for (int i = 0; i < s->roof.n_levels; i++, nv++) {
        v[0][nv] = s->peak / s->roof.level[i].bandwidth;
        v[1][nv] = s->peak;
    }
    v[0][nv] = s->whole.intensity;
    v[1][nv++] = s->whole.flops;
    decades_of(p, &x, v[0], nv, "", xlabel.text);
    decades_of(p, &y, v[1], nv, "flops", ylabel.text);
    for (int i = 0; i < s->roof.n_levels; i++) {
        double b = s->roof.level[i].bandwidth;
        html_clean(slopes[i].label.text, sizeof slopes[i].label.text, s->roof.level[i].name, 0);
        marks[n++] = slope_mark(&slopes[i], b, s->peak, &x.axis, &y.axis, INK_OTHER);
        text_add(desc, sizeof desc, "%s. ",
                 said(&p->pen, W_ROOF_LEVEL, T(s->roof.level[i].name), N(b)).text);
    }
    peak = said(&p->pen, W_ROOF_PEAK, T(s->step.work.dtype), N(s->peak));
    double flat_x[2] = {s->peak / s->roof.level[0].bandwidth, x.axis.most};
    double flat_y[2] = {s->peak, s->peak};
    marks[n++] = (struct mark){
        .kind = MARK_LINE, .x = flat_x, .y = flat_y, .n = 2, .ink = INK_OTHER, .text = peak.text};
    text_add(desc, sizeof desc, "%s. ", peak.text);
    for (int i = 0; i < s->n; i++) {
        const struct point *q = &s->of[i];
        enum ink ink = q->at.memory ? INK_MEMORY : INK_COMPUTE;
        if (!(q->at.intensity > 0))
            continue;
        marks[n++] = (struct mark){.kind = MARK_DOTS,
                                   .x = &q->at.intensity,
                                   .y = &q->at.flops,
                                   .n = 1,
                                   .ink = ink,
                                   .radius = &radius[i],
                                   .faint = true};
        marks[n++] = (struct mark){.kind = MARK_DOTS,
                                   .x = &q->at.intensity,
                                   .y = &q->at.flops,
                                   .n = 1,
                                   .ink = ink,
                                   .radius = &small,
                                   .text = i < NAMED ? q->label : NULL};
        text_add(desc, sizeof desc, "%s",
                 said(&p->pen, W_ROOF_POINT, T(q->label), N(100 * q->part), N(q->at.intensity),
                      N(q->at.flops), N(100 * q->at.share))
                     .text);
    }
    struct said step = said(&p->pen, W_ROOF_STEP);
    marks[n++] = (struct mark){.kind = MARK_DOTS,
                               .x = &s->whole.intensity,
                               .y = &s->whole.flops,
                               .n = 1,
                               .hollow = true,
                               .text = step.text};
    text_add(desc, sizeof desc, "%s",
             said(&p->pen, W_ROOF_POINT, T(step.text), N(100), N(s->whole.intensity),
                  N(s->whole.flops), N(100 * s->whole.share))
                 .text);
    pic->title = title.text;
    pic->desc = desc;
    draw_xy(pic, pic->width > CHART_NARROW ? 330 : 270, &x.axis, &y.axis, marks, n);
}

static void operator_row(struct grid *g, const struct subject *s, struct arg name, double part,
                         const struct roofline_work *w, const struct roofline_point *at)
{
    grid_row(g);
    grid_value(g, name, "");
    grid_value(g, N(100 * part), "pct1");
    grid_value(g, N(w->bytes), "bytes");
    grid_value(g, N(at->intensity > 0 ? at->intensity : NAN), "g");
    grid_value(g, N(at->flops > 0 ? at->flops : NAN), "flops");
    if (at->level < 0)
        grid_value(g, N(NAN), "");
    else if (at->memory)
        grid_value(g, T(s->roof.level[at->level].name), "");
    else
        grid_say(g, W_ROOF_BY_PEAK);
    grid_value(g, N(100 * at->share), "pct");
}

static void operator_table(struct page *p, const struct subject *s)
{
    static const struct column columns[] = {
        {W_OPERATOR, false},  {W_PATH_STEP, true}, {W_OP_MOVES, true},  {W_OP_INTENSITY, true},
        {W_OP_REACHES, true}, {W_OP_BOUND, false}, {W_OP_OF_ROOF, true}};
    struct said step = said(&p->pen, W_ROOF_STEP);
    struct grid g;

    grid_open(&g, p, columns, 7, false);
    operator_row(&g, s, T(step.text), 1, &s->step.work, &s->whole);
    for (int i = 0; i < s->n; i++)
        operator_row(&g, s, T(s->of[i].label), s->of[i].part, &s->of[i].work, &s->of[i].at);
    grid_close(&g);
}

/* ---- the two of distributed learning ---- */

struct links {
    const struct subject *of;
    int n;
    bool exchange;
};

static double link_bytes(const struct links *l, int i)
{
    return l->exchange ? l->of[i].step.exchanged_bytes : l->of[i].step.read_bytes;
}

static double link_rate(const struct links *l, int i)
{
    return l->exchange ? l->of[i].step.exchange_rate : l->of[i].step.read_rate;
}

static void draw_link(struct page *p, struct pic *pic, const void *what)
{
    const struct links *l = what;
    struct said title = said(&p->pen, l->exchange ? W_ROOF_EXCHANGE : W_ROOF_READING);
    struct said xlabel = said(&p->pen, l->exchange ? W_ROOF_EXCHANGE_X : W_ROOF_READING_X);
    struct said ylabel = said(&p->pen, W_ROOF_Y), names[BOOK_MOST_GROUPS], peak;
    struct slope slopes[BOOK_MOST_GROUPS];
    struct mark marks[3 * BOOK_MOST_GROUPS + 1];
    enum ink ink = l->exchange ? INK_WIRE : INK_INPUT;
    double x[BOOK_MOST_GROUPS], v[2][2 * BOOK_MOST_GROUPS], top = l->of[0].peak;
    double flat_x[2] = {INFINITY, 0}, flat_y[2] = {top, top};
    struct decades ax, ay;
    char desc[2048] = "";
    int n = 0, nv = 0;

    for (int i = 0; i < l->n; i++) {
        x[i] = l->of[i].step.work.flop / link_bytes(l, i);
        v[0][nv] = x[i];
        v[1][nv++] = l->of[i].whole.flops;
        v[0][nv] = top / link_rate(l, i);
        v[1][nv++] = top;
        flat_x[0] = fmin(flat_x[0], top / link_rate(l, i));
    }
    decades_of(p, &ax, v[0], nv, "", xlabel.text);
    decades_of(p, &ay, v[1], nv, "flops", ylabel.text);
    flat_x[1] = ax.axis.most;
    for (int i = 0; i < l->n; i++) {
        bool again = i > 0 && link_rate(l, i) == link_rate(l, i - 1);
        names[i] = group_name(p, l->of[i].group);
        if (link_rate(l, i) > 0 && !again) {
            slopes[i].label = said(&p->pen, W_ROOF_RATE, N(link_rate(l, i)));
            marks[n++] = slope_mark(&slopes[i], link_rate(l, i), top, &ax.axis, &ay.axis, ink);
        }
        marks[n++] = (struct mark){.kind = MARK_DOTS,
                                   .x = &x[i],
                                   .y = &l->of[i].whole.flops,
                                   .n = 1,
                                   .ink = INK_COMPUTE,
                                   .text = names[i].text};
        text_add(desc, sizeof desc, "%s",
                 said(&p->pen, W_ROOF_LINK, T(names[i].text), N(x[i]), N(l->of[i].whole.flops),
                      N(x[i] * link_rate(l, i)))
                     .text);
    }
    peak = said(&p->pen, W_ROOF_PEAK, T(l->of[0].step.work.dtype), N(top));
    if (isfinite(flat_x[0]))
        marks[n++] = (struct mark){.kind = MARK_LINE,
                                   .x = flat_x,
                                   .y = flat_y,
                                   .n = 2,
                                   .ink = INK_OTHER,
                                   .text = peak.text};
    pic->title = title.text;
    pic->desc = desc;
    draw_xy(pic, 230, &ax.axis, &ay.axis, marks, n);
}

/* Of those that exchange, or read, something. */
static void link_panel(struct page *p, const struct subject *all, int n, bool exchange)
{
    struct subject some[BOOK_MOST_GROUPS];
    struct links l = {some, 0, exchange};

    for (int i = 0; i < n; i++) {
        double bytes = exchange ? all[i].step.exchanged_bytes : all[i].step.read_bytes;
        if (bytes > 0 && all[i].step.work.flop > 0)
            some[l.n++] = all[i];
    }
    if (l.n == 0)
        return;
    fputs("<div><h3>", p->pen.f);
    say(&p->pen, exchange ? W_ROOF_EXCHANGE : W_ROOF_READING);
    fputs("</h3>", p->pen.f);
    panel(p, draw_link, &l, 330);
    fputs("</div>\n", p->pen.f);
}

/* ---- the gap ---- */

static void gap_row(struct grid *g, const struct subject *s, enum word resource, double least,
                    double seen)
{
    const double step = s->step.work.seconds;

    grid_row(g);
    grid_value(g, T(group_name(g->p, s->group).text), "");
    grid_say(g, resource);
    grid_value(g, N(least), "dur");
    grid_value(g, N(100 * least / step), "pct1");
    grid_value(g, N(seen), "dur");
    grid_value(g, N(100 * seen / step), "pct1");
}

/* What a step needs of each ceiling, beside what of it the step was seen to spend. */
static void gap(struct page *p, const struct subject *of, int n)
{
    static const struct column columns[] = {{W_WORKLOAD, false}, {W_GAP_RESOURCE, false},
                                            {W_GAP_LEAST, true}, {W_GAP_OF_STEP, true},
                                            {W_GAP_SEEN, true},  {W_GAP_OF_STEP, true}};
    struct grid g;

    heading(p, 3, W_GAP);
    para(p, NULL, W_GAP_TEXT);
    grid_open(&g, p, columns, 6, false);
    for (int i = 0; i < n; i++) {
        const struct roofline_step *step = &of[i].step;
        const cJSON *profile = json_at(group_work(p, of[i].group), "profile");
        double steps = json_number(profile, "steps", NAN);
        gap_row(&g, &of[i], W_GAP_COMPUTE, of[i].floor,
                json_number(profile, "operators_seconds", NAN) / steps);
        if (step->exchanged_bytes > 0)
            gap_row(&g, &of[i], W_GAP_EXCHANGE, step->exchanged_bytes / step->exchange_rate,
                    (json_number(profile, "exchange_seconds", NAN) +
                     json_number(profile, "wait_seconds", NAN)) /
                        steps);
        if (step->read_bytes > 0)
            gap_row(&g, &of[i], W_GAP_READING, step->read_bytes / step->read_rate,
                    json_number(profile, "input_seconds", NAN) / steps);
    }
    grid_close(&g);
}

/* ---- all ---- */

static void one_roofline(struct page *p, const struct subject *s)
{
    const int record = group_reported(&p->book->groups[s->group])->record_index;

    figure_open(p, true);
    say(&p->pen, W_ROOF_CAPTION, T(group_name(p, s->group).text), N(s->roof.threads));
    figure_chart(p, draw_roofline, s, 780);
    operator_table(p, s);
    figure_close(p);
    if (group_ceilings(p, s->group) == page_earlier_ceilings(p, record))
        page_of_history(p, record);
    if (s->above)
        para(p, "warn", W_ROOF_ABOVE, N(s->above), N(100 * ROOFLINE_GRACE));
}

void section_rooflines(struct page *p)
{
    static struct subject of[BOOK_MOST_GROUPS]; /* 100 KiB */
    int n = 0, profiles = 0;

    for (int i = 0; i < p->book->n_groups; i++) {
        profiles += json_number(group_work(p, i), "profile.steps", 0) > 0;
        n += subject_of(p, i, &of[n]);
    }
    heading(p, 3, W_ROOFS);
    if (n == 0) {
        para(p, NULL, profiles ? W_ROOFS_NO_ROOF : W_ROOFS_NEEDS);
        return;
    }
    for (int i = 0; i < n; i++)
        one_roofline(p, &of[i]);
    figure_open(p, true);
    say(&p->pen, W_ROOF_LINKS_CAPTION);
    fputs("</figcaption><div class=\"pair\">\n", p->pen.f);
    link_panel(p, of, n, true);
    link_panel(p, of, n, false);
    fputs("</div></figure>\n", p->pen.f);
    gap(p, of, n);
}
