/* SPDX-License-Identifier: BSD-3-Clause */
/* Tables, figures and names of a page. */
#include <config.h>

#include "reports/report/section.h"

#include <math.h>
#include <string.h>

#include "reports/diagnose/roofline.h"
#include "reports/draw/html.h"
#include "reports/record/fields.h"

void para_open(const struct page *p, const char *cls)
{
    if (cls)
        fprintf(p->pen.f, "<p class=\"%s\">", cls);
    else
        fputs("<p>", p->pen.f);
}

/* ---- tables ---- */

/* Its roles again where the style sheet turns rows to cards: without them a
 * reader of the screen would not hear a table any more. */
static const char *role(const struct grid *g, const char *name)
{
    return g->cards ? name : "";
}

void grid_open(struct grid *g, struct page *p, const struct column *columns, int n, bool cards)
{
    FILE *f = p->pen.f;

    *g = (struct grid){.p = p, .columns = columns, .n = n, .cards = cards};
    fputs("<div class=\"tw\"", f);
    if (n > 5 && !cards) { /* it scrolls: reachable by keyboard, and named */
        fputs(" tabindex=\"0\" role=\"region\" aria-label=\"", f);
        say(&p->pen, W_TABLE_NUMBER, N(++p->tables)); /* names of regions are there once */
        fputc('"', f);
    }
    fprintf(f, "><table%s><thead%s><tr%s>",
            cards   ? " class=\"stack\" role=\"table\""
            : n > 5 ? " class=\"broad\""
                    : "",
            role(g, " role=\"rowgroup\""), role(g, " role=\"row\""));
    for (int i = 0; i < n; i++) {
        fprintf(f, "<th scope=\"col\"%s%s>", role(g, " role=\"columnheader\""),
                columns[i].number ? " class=\"n\"" : "");
        say(&p->pen, columns[i].head);
        fputs("</th>", f);
    }
    fprintf(f, "</tr></thead><tbody%s>\n", role(g, " role=\"rowgroup\""));
}

static void end_cell(struct grid *g)
{
    if (g->at == 1)
        fputs("</th>", g->p->pen.f);
    else if (g->at > 1)
        fputs(g->cards ? "</span></td>" : "</td>", g->p->pen.f);
}

static void end_row(struct grid *g)
{
    if (!g->row)
        return;
    while (g->at < g->n)
        grid_cell(g);
    end_cell(g);
    fputs("</tr>\n", g->p->pen.f);
    g->at = 0;
    g->row = false;
}

void grid_row(struct grid *g)
{
    end_row(g);
    fprintf(g->p->pen.f, "<tr%s>", role(g, " role=\"row\""));
    g->row = true;
}

void grid_cell(struct grid *g)
{
    FILE *f = g->p->pen.f;

    end_cell(g);
    if (g->at == 0) {
        fprintf(f, "<th scope=\"row\"%s>", role(g, " role=\"rowheader\""));
    } else {
        fputs("<td", f);
        if (g->cards) {
            fputs(" role=\"cell\" data-h=\"", f);
            say(&g->p->pen, g->columns[g->at].head);
            fputc('"', f);
        }
        fprintf(f, "%s>%s", g->columns[g->at].number ? " class=\"n\"" : "",
                g->cards ? "<span>" : "");
    }
    g->at++;
}

void grid_value(struct grid *g, struct arg a, const char *form)
{
    grid_cell(g);
    say_value(&g->p->pen, a, form);
}

void grid_close(struct grid *g)
{
    end_row(g);
    fputs("</tbody></table></div>\n", g->p->pen.f);
}

/* ---- figures ---- */

void figure_open(struct page *p, bool full)
{
    fprintf(p->pen.f, "<figure%s><figcaption>", full ? " class=\"full\"" : "");
}

static void picture(struct page *p, draw_picture *draw, const void *what, int width,
                    const char *kind)
{
    struct pic pic = {.f = p->pen.f, .width = width, .id = ++p->pics, .kind = kind};

    draw(p, &pic, what);
}

void figure_chart(struct page *p, draw_picture *draw, const void *what, int width)
{
    fputs("</figcaption><div>", p->pen.f);
    picture(p, draw, what, width, "wid");
    picture(p, draw, what, 330, "nar");
    fputs("</div>\n", p->pen.f);
}

void figure_close(struct page *p)
{
    fputs("</figure>\n", p->pen.f);
}

void panel(struct page *p, draw_picture *draw, const void *what, int width)
{
    picture(p, draw, what, width, NULL);
}

/* ---- names ---- */

const cJSON *group_work(const struct page *p, int i)
{
    return group_reported(&p->book->groups[i])->workload;
}

struct said group_name(const struct page *p, int i)
{
    const struct group *g = &p->book->groups[i];
    struct said s;
    bool alone = true;

    for (int k = 0; k < p->book->n_groups; k++)
        alone = alone && (k == i || strcmp(p->book->groups[k].name, g->name) != 0);
    if (!alone)
        return said(&p->pen, W_NAME_OF_GROUP, T(g->name), T(g->class_name), T(g->dtype),
                    N(g->nodes));
    html_clean(s.text, sizeof s.text, g->name[0] ? g->name : "?", HTML_MOST);
    return s;
}

/* Roofs for as many threads as the training had are among its rows. */
static bool has_roofs(const cJSON *ceilings, const cJSON *w)
{
    struct roofline r;

    roofline_read(&r, ceilings, (int)json_integer(w, "threads", 0, 1 << 20, 0));
    return !r.why[0];
}

const cJSON *group_ceilings(const struct page *p, int group)
{
    const struct training *t = group_reported(&p->book->groups[group]);
    const char *class_name = json_text(t->record, "system.nodes[0].class", "");
    const cJSON *earlier = page_earlier_ceilings(p, t->record_index);

    if (has_roofs(t->record, t->workload))
        return t->record;
    for (int i = 0; i < p->book->n; i++)
        if (strcmp(json_text(p->book->records[i], "system.nodes[0].class", "-"), class_name) == 0 &&
            has_roofs(p->book->records[i], t->workload))
            return p->book->records[i];
    return earlier && has_roofs(earlier, t->workload) ? earlier : t->record;
}

const cJSON *page_earlier_ceilings(const struct page *p, int record)
{
    return p->o->ceilings ? p->o->ceilings[record] : NULL;
}

void page_of_history(struct page *p, int record)
{
    const cJSON *of = page_earlier_ceilings(p, record);

    para(p, NULL, W_CEILINGS_OF_HISTORY, T(json_text(p->book->records[record], "id", "?")),
         T(json_text(of, "id", "?")), N(book_time(of, "time.start")));
}
