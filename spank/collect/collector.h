/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the collector works with, and what it has done.
 *
 * Life:    the caller's; it borrows config, redact and history.
 * Failure, Threads: none, one.
 */
#ifndef COLLECT_COLLECTOR_H
#define COLLECT_COLLECTOR_H

#include "reports/core/conf.h"
#include "reports/history/history.h"
#include "reports/record/redact.h"
#include "spank/collect/collect_say.h"

struct collector {
    const struct conf *config;
    const struct redact *redact; /* of what goes to the archive */
    struct history *history;
    int out;                  /* folder SPOOL/out */
    long grace;               /* seconds */
    volatile const int *stop; /* nonzero: end the pass at the next job */
    collect_say_fn *say;      /* what a person should know */

    /* of all passes */
    long bundles, filed, replaced, same, kept, none, refused, waiting;
};

#endif
