/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is around every page: the head with the policy and the style sheet, the
 * link that skips to the content, the foot.
 *
 * Failure: frame_write() -1 and one sentence; the file is there whole or not
 *          at all.
 * Threads: none inside.
 */
#ifndef REPORT_FRAME_H
#define REPORT_FRAME_H

#include "reports/core/err.h"
#include "reports/report/words.h"

/* Up to the body's first element; title is data. */
void frame_open(const struct pen *p, const char *title);
/* Ends <main> and the document. */
void frame_close(const struct pen *p, const char *rules);

/* print(f, what, e) into the file at path. */
int frame_write(const char *path, int (*print)(FILE *f, const void *what, struct err *e),
                const void *what, struct err *e);

#endif
