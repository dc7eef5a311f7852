/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The report as one page: for a manager first, for an engineer behind. One
 * HTML file without a script, nothing loaded from elsewhere, a strict content
 * security policy with the hash of the one style sheet.
 *
 * Every number comes from a record or from the price file; what neither has is
 * a sentence that says what would fill it. What a section must never claim
 * stands above its function.
 *
 * Life:    everything is borrowed for the call.
 * Failure: 0/-1 and one sentence; page_write() publishes whole or not at all.
 * Threads: none inside.
 */
#ifndef REPORT_PAGE_H
#define REPORT_PAGE_H

#include "reports/report/book.h"
#include "reports/report/gates.h"
#include "reports/report/node_verdicts.h"
#include "reports/report/past.h"
#include "reports/report/prices.h"
#include "reports/report/words.h"

struct page_source {
    const char *name;   /* of the file, as it was found */
    const char *sha256; /* of its bytes; "" when they were changed (--redact) */
};

struct page_options {
    enum language lang;
    bool redacted;                     /* names are hashes already: none is to be called a node's */
    const struct prices *prices;       /* NULL: there is no price file */
    const char *prices_name;           /* of the file */
    const struct page_source *sources; /* a row per record of the book */
    const struct past_runs *earlier;   /* of the site's history; NULL: it was not asked */
    /* Of each record the run whose ceilings hold for it where it has none of its own (and a
     * row of NULL: none); ceilings itself may be NULL. */
    const cJSON *const *ceilings;
    const struct node_verdicts *verdicts; /* of the site's validations; NULL: not asked */
    /* Bytes of the steps file of that record of the book, free() them; NULL: it is not
     * there. steps itself may be NULL. */
    void *(*steps)(void *from, int record, size_t *size);
    void *steps_from;
};

/* The page into a stream: 0, or -1 when a record has no content. */
int page_print(FILE *f, const struct book *b, const struct page_options *o, struct err *e);

/* The same into a file. */
int page_write(const char *path, const struct book *b, const struct page_options *o, struct err *e);

#endif
