/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A record says of a node at most that it was slower in this run. What earlier runs
 * like it say (reports/diagnose/confirm.h) is found here: in the site's history,
 * as far as its user may read it, and among the records in a folder.
 *
 * Failure: none: what cannot be read is not there.
 * Threads: none inside.
 */
#ifndef TOOLS_REPEATS_H
#define TOOLS_REPEATS_H

#include <cjson/cJSON.h>

#include "reports/core/conf.h"

/* Each workload of doc that suspects a node (why.causes[0].suspect) says after it in why.why
 * how many runs agree; where they confirm it, cause, verdict and next are those of the
 * suspicion. folder: of the user's own records. */
void repeats_confirm(const struct conf *c, cJSON *doc, const char *folder);

struct history;
struct history_row;

/* A row of the history that suspects a node: where its repeats confirm it, cause,
 * verdict and next become those of the suspicion; text keeps the words. */
enum { REPEATS_VERDICT = 512 };
void repeats_row(struct history *h, struct history_row *row, char text[REPEATS_VERDICT]);

#endif
