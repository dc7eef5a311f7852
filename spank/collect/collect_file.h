/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From SPOOL/out into the history: the collector's one pass.
 *
 * Bundles of one job stand one behind the other when names are sorted, and are
 * filed together: each record that is what root saw (hash) and can be
 * (collect_check.h); for a run that left journals only, a partial record from
 * the journals of all nodes; for a job that asked and left nothing, that. A
 * bundle goes only after the history has committed what was in it; a pass that
 * dies anywhere is made good by the next one, which files the same again.
 * What is refused goes into the quarantine with its reason.
 *
 * A job without a record is waited for, up to `grace` seconds after its last
 * bundle, until all of its nodes have sent theirs.
 *
 * Life:    struct collector is the caller's; it borrows config and history.
 * Failure: -1 and a sentence: nothing can be filed now (no munged, no disk, no
 *          folder). Bundles that could not be are then still there.
 * Threads: one.
 */
#ifndef COLLECT_COLLECT_FILE_H
#define COLLECT_COLLECT_FILE_H

#include <stdbool.h>

#include "reports/core/conf.h"
#include "reports/core/err.h"
#include "reports/history/history.h"
#include "reports/record/redact.h"

/* The payload with which the collector vouches for a record that it made. */
#define COLLECTED_PREFIX "hpcai500-collected "

struct collector {
    const struct conf *config;
    const struct redact *redact; /* of what goes to the archive */
    struct history *history;
    int out;                           /* folder SPOOL/out */
    long grace;                        /* seconds */
    volatile const int *stop;          /* nonzero: end the pass at the next job */
    void (*say)(const char *sentence); /* what a person should know */

    /* of all passes */
    long bundles, filed, replaced, same, kept, none, refused, waiting;
};

int collect_pass(struct collector *c, struct err *e);

#endif
