/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Standard output is the agent's alone: the plan, the record, an answer.
 * Libraries print to it too when their variables say so (ONEDNN_VERBOSE), so it
 * becomes a stream of our own and descriptor 1 goes to standard error.
 *
 * Life:    output_open() before any library is used, output_close() once.
 * Failure: -1 and a sentence. Threads: the main thread.
 */
#ifndef AGENT_OUTPUT_H
#define AGENT_OUTPUT_H

#include <stdio.h>

#include "reports/core/err.h"

/* Never NULL: without a standard output what is written fails. */
FILE *output_open(void);

/* Whether all that was written has arrived. f may not be used afterwards. */
int output_close(FILE *f, struct err *e);

#endif
