/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tells accounting what waits in the history's outbox, by hpcai500-slurmdbd
 * (slurmdbd.h), which stands beside this program.
 *
 * Batches grow from 1 to ACCOUNT_BATCH while slurmdbd answers. When it does not
 * (down, busy, too slow) all wait, 5 s first, then twice as long each time, up to
 * ACCOUNT_PAUSE: nobody is counted as tried by that. A job that slurmdbd does not
 * know yet, or that others keep writing to, waits by itself.
 *
 * What was written is asked again a minute later, and is done only when it is
 * then still there: others (jobstats in EpilogSlurmctld) write at the job's end
 * too, over what is there.
 *
 * Life:    struct account is the caller's, zeroed but for config.
 * Failure: accounting that is down is not a failure; -1 is the history's.
 * Threads: one.
 */
#ifndef COLLECT_COLLECT_ACCOUNT_H
#define COLLECT_COLLECT_ACCOUNT_H

#include <stdint.h>

#include "reports/core/conf.h"
#include "reports/core/err.h"
#include "reports/history/history.h"

enum {
    ACCOUNT_BATCH = 64,
    ACCOUNT_ROUND = 2048, /* of one call, so that filing goes on between */
    ACCOUNT_PAUSE = 300,  /* seconds at most */
    ACCOUNT_UNKNOWN = 200 /* tries (a week) before a job that slurmdbd does not have is given up */
};

struct account {
    const struct conf *config;
    void (*say)(const char *sentence);

    int batch;
    int pause; /* seconds; 0: slurmdbd answers */
    int64_t not_before;
    long told, again; /* of all calls: read back, written */
};

/* Up to ACCOUNT_ROUND texts that are due at now. Returns how many were
 * handled; -1 and a sentence. */
int account_due(struct account *a, struct history *h, int64_t now, struct err *e);

#endif
