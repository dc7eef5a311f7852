/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What getopt_long(3) refused, as a sentence with the nearest good word. The
 * program sets opterr = 0 first, and getopt says nothing itself.
 *
 * Life:    none.
 * Failure: -1 and the sentence.
 * Threads: as getopt, one.
 */
#ifndef CORE_OPTION_H
#define CORE_OPTION_H

#include "reports/core/err.h"

struct option;

/* Call it when getopt_long() gave '?'; longs ends with a NULL name. Always -1. */
int option_refuse(char *const *argv, const struct option *longs, struct err *e);

/* The command line of a program whose only option is --help (-h): 1 when that is
 * given, 0 when none is, -1 and a sentence for another. optind is then at the
 * first word. */
int option_help(int argc, char **argv, struct err *e);

#endif
