/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The command line of hpcai500-agent: one table for parsing and help.
 *
 * Life:    borrows argv.
 * Failure: -1 and a sentence.
 * Threads: before any other.
 */
#ifndef AGENT_OPTIONS_H
#define AGENT_OPTIONS_H

#include <stdbool.h>
#include <stdio.h>

#include "reports/core/err.h"

struct options {
    const char *run; /* the run text; NULL: neither argument nor HPCAI500_RUN */
    bool by_option;  /* it is that of the environment, as srun's --hpcai500= leaves it */
    bool verbose;    /* every rank speaks */
    bool json;       /* the record goes to stdout, too */
    bool dry_run;
    bool help, version;
    double timeout_seconds; /* longest wait for another rank */
};

/* The argument RUN wins over HPCAI500_RUN, --timeout over HPCAI500_TIMEOUT. */
int options_parse(struct options *o, int argc, char **argv, struct err *e);
void options_help(FILE *f);

#endif
