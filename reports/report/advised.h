/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the page says of gains and purchases, of each group's reported run whose steps
 * file is there; and, of an option of the price file, of all of them together.
 *
 *     less time   1 - 1 / gain, at both ends of the gain; below 0 it is 0
 *     together    sum of mix x less time / sum of mix, over the trainings of [mix] that
 *                 the report has: what prices_break_even() of the same mix is held against
 *
 * Life:    plain data; texts are copied.
 * Failure: -1 and a sentence: out of memory. A run without steps is no failure.
 * Threads: pure but for the steps files.
 */
#ifndef REPORT_ADVISED_H
#define REPORT_ADVISED_H

#include "reports/report/advice_run.h"
#include "reports/report/lengths.h"
#include "reports/report/page.h"

struct advised {
    bool there;    /* the steps of this training are */
    char why[256]; /* nothing can be said of them; "": advice holds */
    struct advice advice;
    struct lengths lengths; /* of the steps, by the file */
};

/* Fills a[BOOK_MOST_GROUPS], by each record's own nodes. */
int advised_of(const struct book *b, const struct page_options *o, struct advised *a,
               struct err *e);

/* Whether its advice holds. */
bool advised_known(const struct advised *a);

/* Part of the time, 0 to 1, that is saved. */
double advised_less(double gain);

/* Below it the lower end is shown as 0: only the most is said. */
#define ADVISED_LEAST 0.005

struct advised_option {
    bool complete;    /* every training of the mix that is here has an answer */
    bool refused;     /* one of them was asked and has none */
    bool shared;      /* other work was on the cores of one */
    bool clear;       /* in each it is clear of more nodes for the same money */
    double low, high; /* of the time of the mix that is here */
};
void advised_option(const struct book *b, const struct prices *p, const struct advised *a,
                    int option, struct advised_option *out);

#endif
