/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where the collector puts what it refuses: QUARANTINE/NAME.bundle, and why
 * in NAME.bundle.reason. Bounded (QUARANTINE_FILES, QUARANTINE_BYTES in
 * spank/relay/spool.h): the oldest go when there are too many files or bytes.
 * Nothing here is read again but by people.
 *
 * Life:    no state.
 * Failure: -1 and a sentence; then the bundle is still where it was.
 * Threads: one at a time.
 */
#ifndef COLLECT_COLLECT_QUARANTINE_H
#define COLLECT_COLLECT_QUARANTINE_H

#include "reports/core/err.h"

/* Moves out/name there, also over file systems, reason first; one that is
 * there already under that name is replaced. */
int quarantine_take(const char *folder, int out, const char *name, const char *reason,
                    struct err *e);

/* Removes the oldest until no more than so many files and bytes are left;
 * a bundle and its reason are one. Returns how many went, -1. */
int quarantine_bound(const char *folder, int files, long long bytes, struct err *e);

#endif
