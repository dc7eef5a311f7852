/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Root reads what a user left in his drop folder, and trusts none of it.
 *
 * Taken are regular files of that user with one name, in the folder or one
 * folder below it (a run's journals), whose names bundle.h allows. An entry is
 * looked at before it is opened (O_PATH, then the same inode through
 * /proc/self/fd), so that a FIFO, a device or a link is never touched and an
 * entry that changes in between cannot be another than the one looked at. What
 * was read is what is hashed, also while the file is written. All else is
 * counted, with the reason of the first, and left alone. Nothing is parsed.
 *
 * Life:    scan_fini() frees what was read; {0} is empty.
 * Failure: -1 and a sentence only when the folder itself cannot be read.
 * Threads: any.
 */
#ifndef WITNESS_SCAN_H
#define WITNESS_SCAN_H

#include <stdint.h>
#include <sys/types.h>

#include "reports/core/err.h"
#include "spank/relay/bundle.h"

enum {
    SCAN_MAX_ENTRIES = 8192 /* looked at in all; then the rest is not */
};

struct scan_file {
    char name[BUNDLE_MAX_NAME + 1];
    char sha256[SHA256_HEX_SIZE];
    size_t size;
    char *bytes;
};

struct scan {
    int n, entries, skipped;
    uint64_t bytes, most; /* taken, and how many may be */
    struct scan_file *files;
    struct err why; /* the first reason why something was skipped */
};

/* Reads the folder (an open descriptor; it is not closed) into *s. Files of
 * more than most bytes together are skipped. */
int scan_folder(struct scan *s, int folder, uid_t uid, uint64_t most, struct err *e);
void scan_fini(struct scan *s);

#endif
