/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the sections of a page share, for reports/report alone: the page being
 * written, tables, figures, and a row per section.
 *
 * Failure: none; what the stream could not take is seen at its end.
 * Threads: none inside.
 */
#ifndef REPORT_SECTION_H
#define REPORT_SECTION_H

#include "reports/draw/chart.h"
#include "reports/report/advised.h"
#include "reports/report/held.h"
#include "reports/report/page.h"
#include "reports/report/split.h"

struct page {
    struct pen pen;
    const struct book *book;
    const struct page_options *o;
    const struct prices *prices;   /* NULL: none */
    const struct price_node *node; /* of the first record's hardware; NULL: no price */
    struct gates gates;
    int pics, tables;                     /* counted, for their names */
    struct split split[BOOK_MOST_GROUPS]; /* of each group's reported run */
    struct held held[BOOK_MOST_GROUPS];
    struct advised advised[BOOK_MOST_GROUPS]; /* by their steps, where they are there */
};

/* ---- elements ---- */

/* <p class="cls">; cls NULL: none. */
#define para(p, cls, w, ...)                                                                       \
    (para_open(p, cls), say(&(p)->pen, w, ##__VA_ARGS__), fputs("</p>\n", (p)->pen.f))
void para_open(const struct page *p, const char *cls);
#define heading(p, level, w, ...)                                                                  \
    (fprintf((p)->pen.f, "<h%d>", level), say(&(p)->pen, w, ##__VA_ARGS__),                        \
     fprintf((p)->pen.f, "</h%d>\n", level))

struct column {
    enum word head;
    bool number; /* right, tabular */
};

/* A table, cell by cell: grid_row(), then grid_cell() before what is in each. */
struct grid {
    struct page *p;
    const struct column *columns;
    int n, at;
    bool cards, row; /* cards: on a narrow screen each row is one; for page one */
};
void grid_open(struct grid *g, struct page *p, const struct column *columns, int n, bool cards);
void grid_row(struct grid *g);
void grid_cell(struct grid *g);
void grid_close(struct grid *g);
/* A cell with one value, or one sentence. */
void grid_value(struct grid *g, struct arg a, const char *form);
#define grid_say(g, w, ...) (grid_cell(g), say(&(g)->p->pen, w, ##__VA_ARGS__))

/* ---- figures: the chart, and behind it the table beside it ---- */

/* Draws one picture; called twice, with a width of the page and a narrow one. */
typedef void draw_picture(struct page *p, struct pic *pic, const void *what);

/* Opens <figure> with its caption (said by the caller between the two calls). */
void figure_open(struct page *p, bool full);
void figure_chart(struct page *p, draw_picture *draw, const void *what, int width);
void figure_close(struct page *p);

/* One picture of a panel. */
void panel(struct page *p, draw_picture *draw, const void *what, int width);

/* ---- names of things ---- */

/* "hep" or, where several groups have that name, "hep, small, 16 nodes". */
struct said group_name(const struct page *p, int i);
/* The reported training of a group. */
const cJSON *group_work(const struct page *p, int i);

/* The record whose ceilings hold for a group, with roofs for its threads: its own, else the
 * first of the book of the same class of nodes, else the one that the site's history has
 * for its record; its own where none has. */
const cJSON *group_ceilings(const struct page *p, int group);

/* That of the history for a record of the book; NULL: none. */
const cJSON *page_earlier_ceilings(const struct page *p, int record);
/* "ceilings of lab-4601, 21 Nov 2026": what a section says of such a one, whose paragraph
 * it is. */
void page_of_history(struct page *p, int record);

/* ---- the sections ---- */

struct section {
    const char *id;
    enum word title, lead;
    void (*print)(struct page *p);
};

void page_one(struct page *p);    /* its section stays open for page_advice() */
void page_advice(struct page *p); /* its second half, behind page_one() */
bool page_buys(struct page *p);   /* what to buy; true: something is advised */

/* The group that waits most of its time, by the split; of its steps, by a diagnosis; the
 * first with a diagnosis; -1: none. */
int page_worst_wait(const struct page *p);
int page_worst_held(const struct page *p);
int page_first_held(const struct page *p);
/* The group on whose cores other work was, more than HELD_FOREIGN, the most; -1: none. */
int page_disturbed(const struct page *p);
/* What limits a group that has a diagnosis: "network bandwidth: n2 sends slowly". */
struct said page_cause(const struct page *p, int i);
/* The shares of the price file's mix, 0 to 1, that this report has trainings of; there is a
 * price file. */
double page_mix(const struct page *p);
/* Nothing on this page is against judging a purchase by it: it is valid, of reached quality,
 * of several runs on cores of their own, and no cause is open. */
bool page_decides(const struct page *p);
/* Of all records. */
double page_node_hours(const struct page *p);
/* Of one training to its target quality; NAN: it did not reach it. */
double page_quality_hours(const struct page *p, int i);

void section_system(struct page *p);
void section_results(struct page *p);
void section_curves(struct page *p);
void section_time(struct page *p);
void section_counters(struct page *p);
void section_ceilings(struct page *p);
void section_rooflines(struct page *p); /* the end of section_ceilings() */
void section_stairs(struct page *p);
void section_scaling(struct page *p);
void section_whatif(struct page *p);
void section_nodes(struct page *p);
void section_money(struct page *p);
void section_stability(struct page *p);
void section_history(struct page *p);
void section_validity(struct page *p);
void section_glossary(struct page *p);
void section_raw(struct page *p);

/* The bars of where the time went; what: a bool for each group whether it is shown; NULL: of
 * all. */
void draw_split(struct page *p, struct pic *pic, const void *what);

#endif
