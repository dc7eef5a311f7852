/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The earlier runs of a book's trainings out of the site's history, as far as this
 * user may read it (reports/history/reader.h).
 *
 * Failure: -1 and one sentence, also in a build without a history.
 * Threads: none inside.
 */
#ifndef TOOLS_EARLIER_H
#define TOOLS_EARLIER_H

#include "reports/core/conf.h"
#include "reports/report/past.h"

/* file: a history of one's own, NULL: the site's. Adds what is complete and valid. */
int earlier_find(struct past_runs *r, const struct conf *site, const char *file,
                 const struct book *b, struct err *e);

#endif
