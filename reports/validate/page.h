/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Verdicts for people and for programs: a page of 80 columns, JSON, JUnit's XML.
 *
 * The page: one table in the order of the nodes, a paragraph for each node that is not
 * GOOD (the worst first), what the run could not see, the commands that would follow, one
 * last line. GOOD carries the smallest loss that is seen nine times in ten. Words are fixed:
 * scripts may look for them.
 *
 * Life:    borrows everything for the call.
 * Failure: none but of the stream.
 * Threads: any.
 */
#ifndef VALIDATE_PAGE_H
#define VALIDATE_PAGE_H

#include <stdio.h>

#include "reports/validate/assess.h"
#include "reports/validate/verdicts.h"

enum { PAGE_COLUMNS = 80, PAGE_REASON_SIZE = 128, PAGE_NUMBER_SIZE = 24 };

struct page {
    const struct assess *a;
    const char *run;         /* its name */
    const char *reservation; /* NULL: none */
    const char *profile;
    long job;          /* the last; 0 none */
    const char *where; /* the files of the run: "all of it: ..."; NULL */
};

/* The words of a drain reason, "hpcai500: METRIC WHAT (job N)": ASCII, no quote, no equals
 * sign, at most 120 bytes. */
void page_reason(const struct assess_node *n, long job, char reason[PAGE_REASON_SIZE]);

/* The line that is filed of a node. */
void page_verdict(const struct page *p, int i, struct verdict_line *v);

/* A value with its unit: "181 GB/s", "12.3 us", "3.55 G/s"; "-" NAN. Returns buf. */
const char *page_number(char buf[PAGE_NUMBER_SIZE], int metric, double v);

/* How many nodes have each verdict. */
void page_count(const struct assess *a, int counts[VERDICT_COUNT]);

void page_text(const struct page *p, FILE *f);
/* {"hpcai500":"validation 1","verdicts":[...],"actions":[...],"operating_point":[...]}; -1:
 * out of memory. */
int page_json(const struct page *p, FILE *f);
/* A suite; of each node a case per metric and one of its numbers. UNKNOWN is an error, SLOW
 * and FAULTY are failures, INCONCLUSIVE is skipped. */
void page_junit(const struct page *p, FILE *f);

#endif
