/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What getopt_long(3) refused, as a sentence with the nearest good word. The
 * program sets opterr = 0 first, so that getopt says nothing itself.
 *
 * Life:    none.
 * Failure: always -1, that is its purpose.
 * Threads: as getopt, one.
 */
#ifndef CORE_OPTION_H
#define CORE_OPTION_H

#include "reports/core/err.h"

struct option;

/* Call it when getopt_long() gave '?'; longs ends with a NULL name. */
int option_refuse(char *const *argv, const struct option *longs, struct err *e);

#endif
