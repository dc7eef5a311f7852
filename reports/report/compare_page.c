/* SPDX-License-Identifier: BSD-3-Clause */
/* A comparison as a page. */
#include <config.h>

#include <errno.h>
#include <math.h>
#include <string.h>

#include "reports/draw/html.h"
#include "reports/record/fields.h"
#include "reports/report/compare_show.h"
#include "reports/report/frame.h"
#include "reports/report/section.h"

struct view {
    const struct comparison *c;
    const struct compared *row;
};

static void draw_ratios(struct page *p, struct pic *pic, const void *what)
{
    const struct view *v = what;
    struct estimate_row rows[COMPARE_SIDES];
    struct said ends[COMPARE_SIDES], one = said(&p->pen, W_C_FIRST), title;
    char names[COMPARE_SIDES][80], desc[2048] = "", texts[6][TICK_TEXT];
    double least = .9, most = 1.1;
    struct tick ticks[6];
    size_t used = 0;
    int n = 0;

    for (int i = 1; i < v->c->n; i++) {
        const struct ratio *r = &v->row->speed[i];
        if (!isfinite(r->value))
            continue;
        html_clean(names[n], sizeof names[n], v->c->sides[i].name, 24);
        ends[n] = said(&p->pen, W_C_RATIO_VALUE, N(r->value));
        rows[n] = (struct estimate_row){
            names[n], {{r->value, r->low, r->high, INK_COMPUTE}}, 1, ends[n].text};
        least = fmin(least, isfinite(r->low) ? r->low : r->value);
        most = fmax(most, isfinite(r->high) ? r->high : r->value);
        if (used < sizeof desc)
            used += (size_t)snprintf(
                desc + used, sizeof desc - used, "%s",
                said(&p->pen, W_C_DESC, T(names[n]), N(r->value), N(r->low), N(r->high)).text);
        n++;
    }
    struct axis x = {.least = least - .02, .most = most + .02, .ticks = ticks};
    x.n = chart_ticks(x.least, x.most, false, ticks, texts, 6);
    title = said(&p->pen, W_C_RESULTS);
    pic->title = title.text;
    pic->desc = desc;
    draw_intervals(pic, rows, n, &x, 1, one.text);
}

static void ratio_table(struct page *p, const struct view *v)
{
    static const struct column columns[] = {
        {W_C_SYSTEM, false},    {W_METRIC, false}, {W_C_VALUE, true}, {W_C_RATIO, true},
        {W_C_PROCESSORS, true}, {W_C_EQUAL, true}, {W_C_SAYS, false}};
    const struct compared *row = v->row;
    struct grid g;

    grid_open(&g, p, columns, 7, false);
    for (int time = 0; time < 2; time++)
        for (int i = 0; i < v->c->n; i++) {
            const struct ratio *r = time ? &v->row->time[i] : &v->row->speed[i];
            if (!v->row->group[i])
                continue;
            grid_row(&g);
            grid_value(&g, T(v->c->sides[i].name), "");
            grid_say(&g, time ? W_C_TIME : W_C_SPEED);
            grid_value(&g, N(compared_value(v->row, i, time)), time ? "dur" : "g");
            grid_value(&g, N(i ? r->value : 1), "n3");
            if (isfinite(r->low)) {
                fputs(" <span class=\"iv\">", p->pen.f);
                say(&p->pen, W_C_INTERVAL, N(r->low), N(r->high));
                fputs("</span>", p->pen.f);
            }
            /* time to quality has evaluations in it, which the yardstick is no measure of */
            grid_value(&g, N(time ? NAN : i ? row->processor[i] : 1), "n3");
            grid_value(&g, N(time ? NAN : i ? r->value / row->processor[i] : 1), "n3");
            grid_say(&g, compared_says(row, i, time));
        }
    grid_close(&g);
    for (int i = 1; i < v->c->n; i++)
        if (row->group[i] && !isfinite(row->processor[i])) {
            para(p, "small", W_C_NO_PROCESSOR);
            return;
        }
    para(p, "small", W_C_EQUAL_NOTE);
}

static bool any_ratio(const struct compared *row, int n)
{
    bool any = false;

    for (int i = 1; i < n; i++)
        any = any || isfinite(row->speed[i].value);
    return any;
}

static void para_text(struct page *p, struct said text)
{
    if (!text.text[0])
        return;
    fputs("<p>", p->pen.f);
    html_text(p->pen.f, text.text, 0);
    fputs("</p>\n", p->pen.f);
}

static void results(struct page *p, const struct comparison *c)
{
    const struct book *b = c->sides[0].book;
    struct compared row;
    struct view v = {c, &row};

    for (int i = 0; i < b->n_groups; i++) {
        compare_group(c->sides, c->n, &b->groups[i], c->bonus, &row);
        fputs("<h3>", p->pen.f);
        html_text(p->pen.f, b->groups[i].name, HTML_MOST);
        fputs("</h3>\n", p->pen.f);
        if (any_ratio(&row, c->n)) {
            figure_open(p, true);
            say(&p->pen, W_C_CAPTION);
            figure_chart(p, draw_ratios, &v, 780);
            ratio_table(p, &v);
            figure_close(p);
        } else {
            ratio_table(p, &v);
        }
    }
    if (b->n_groups == 0)
        para(p, NULL, W_C_NO_SHARED);
}

static void vflops_table(struct page *p, const struct comparison *c, const struct compared *row)
{
    static const struct column columns[] = {{W_C_SYSTEM, false},     {W_C_CAPPED_1, true},
                                            {W_C_CAPPED_5, true},    {W_C_CAPPED_10, true},
                                            {W_C_PUBLISHED_1, true}, {W_C_PUBLISHED_5, true},
                                            {W_C_PUBLISHED_10, true}};
    static const int exponents[] = {1, 5, 10};
    struct grid g;

    grid_open(&g, p, columns, 7, false);
    for (int i = 0; i < c->n; i++) {
        if (!row->group[i])
            continue;
        grid_row(&g);
        grid_value(&g, T(c->sides[i].name), "");
        for (int k = 0; k < 6; k++)
            grid_value(&g, N(compare_vflops(row->group[i], exponents[k % 3], k >= 3)), "flops");
    }
    grid_close(&g);
}

static void ranking(struct page *p, const struct comparison *c)
{
    const struct book *b = c->sides[0].book;
    struct compared row;

    for (int i = 0; i < b->n_groups; i++) {
        compare_group(c->sides, c->n, &b->groups[i], c->bonus, &row);
        para_text(p, compared_rank(&p->pen, c, &row));
        para_text(p, compared_shown(&p->pen, &row));
        fputs("<ul>", p->pen.f);
        for (int t = 0; t < COMPARE_TARGETS; t++) {
            struct said at = compared_target(&p->pen, c, &row, t);
            if (!at.text[0])
                continue;
            fputs("<li>", p->pen.f);
            html_text(p->pen.f, at.text, 0);
            fputs("</li>", p->pen.f);
        }
        fputs("</ul>\n", p->pen.f);
        vflops_table(p, c, &row);
    }
    para(p, "small", c->bonus ? W_C_BONUS : W_C_NO_BONUS);
    if (comparison_repeats(c))
        para(p, "small", W_C_MEANS);
}

static void systems(struct page *p, const struct comparison *c)
{
    static const struct column columns[] = {
        {W_C_SYSTEM, false}, {W_RUNS, true}, {W_NODE_COUNT, true}, {W_RUN, false}, {W_WHEN, false}};
    struct grid g;

    grid_open(&g, p, columns, 5, false);
    for (int i = 0; i < c->n; i++) {
        const cJSON *r = c->sides[i].book->records[0];
        grid_row(&g);
        grid_value(&g, T(c->sides[i].name), "");
        grid_value(&g, N(c->sides[i].book->n), "n");
        grid_value(&g, N(record_nodes(r)), "n");
        grid_value(&g, T(json_text(r, "id", "?")), "");
        grid_value(&g, N(book_time(r, "time.start")), "day");
    }
    grid_close(&g);
}

static void open_part(struct page *p, const char *id, enum word title)
{
    fprintf(p->pen.f, "<section aria-labelledby=\"%s\"><h2 id=\"%s\">", id, id);
    say(&p->pen, title);
    fputs("</h2>\n", p->pen.f);
}

static void close_part(struct page *p)
{
    fputs("</section>\n", p->pen.f);
}

static int print(FILE *f, const void *what, struct err *e)
{
    static struct page page;
    const struct comparison *c = what;
    struct page *p = &page;

    page = (struct page){.pen = {.f = f, .lang = c->lang}, .book = c->sides[0].book};
    struct said title = said(&p->pen, W_C_TITLE, T(c->sides[0].name), N(c->n - 1));
    frame_open(&p->pen, title.text);
    fputs("<header class=\"top\"><span><b>hpcai500</b> ", f);
    say(&p->pen, W_C_HEAD);
    fputs("</span></header>\n<main id=\"main\"><h1>", f);
    html_text(f, title.text, 0);
    fputs("</h1>\n", f);
    open_part(p, "systems", W_C_SYSTEMS);
    systems(p, c);
    close_part(p);
    open_part(p, "layers", W_C_LAYERS);
    for (int i = 1; i < c->n; i++) {
        para_text(p, compared_layers(&p->pen, c, i));
        para_text(p, compared_unknown(&p->pen, c, i));
    }
    para_text(p, compared_level_says(&p->pen, c));
    close_part(p);
    open_part(p, "results", W_C_RESULTS);
    results(p, c);
    close_part(p);
    open_part(p, "ranking", W_C_RANKING);
    ranking(p, c);
    close_part(p);
    frame_close(&p->pen, json_text(c->sides[0].book->records[0], "run.rules_version", "?"));
    return ferror(f) ? err_set(e, "cannot write the page: %s", strerror(errno)) : 0;
}

int compare_page(const char *path, const struct comparison *c, struct err *e)
{
    return frame_write(path, print, c, e);
}
