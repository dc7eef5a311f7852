/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A page as PDF, printed by the Chromium that is on this machine.
 *
 * Failure: -1 and one sentence: no browser, or what it did not do.
 * Threads: none inside.
 */
#ifndef TOOLS_PDF_H
#define TOOLS_PDF_H

#include "reports/core/err.h"

/* page.html becomes page.pdf beside it; another suffix gets ".pdf" behind it. */
int pdf_print(const char *page, struct err *e);

#endif
