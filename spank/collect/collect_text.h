/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What accounting is told of a run, in one short line (admin_comment.h):
 *
 *     H5:cosmoflow tiny mae 0.2992<=0.31 reached 188/s complete valid lab-4711.0.3;
 *
 * per workload its name, class, quality against the target and speed; then
 * status and verdict of the run and, always whole, its id, by which
 * `hpcai500 show` and `hpcai500 history` find it.
 *
 * Life:    the caller owns the line.
 * Failure: none; what does not fit is cut with "..." before the end part.
 * Threads: pure functions.
 */
#ifndef COLLECT_COLLECT_TEXT_H
#define COLLECT_COLLECT_TEXT_H

#include "reports/history/history.h"
#include "spank/account/admin_comment.h"

struct cJSON;

/* doc NULL: the job asked (run->asked) and left no record, because of why
 * (may be ""). more: records of other steps of the job that were filed too. */
void collect_line(const struct cJSON *doc, const struct history_run *run, const char *why, int more,
                  char line[ADMIN_COMMENT_LINE + 1]);

/* The id at the end of a line that collect_line() made; false when there is none. */
bool collect_line_id(const char *line, char id[HISTORY_KEY_SIZE]);

#endif
