/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A bundle: what one job left on one node, in one file.
 *
 * Frames as in a journal, `LLLLLLLL CCCCCCCC payload\n` (length and CRC32C of
 * the payload in hexadecimal). The first payload is the witness as a MUNGE
 * credential (cred.h); each other one is a file: its name, a NUL, its bytes.
 * The witness writes bundles (witness.h), the collector reads them. The frames
 * only show what is torn; what is true says the credential: it lists name,
 * size and SHA-256 of every file.
 *
 * A name is what stood in the job's drop folder, "lab-4711.0.3.json" or
 * "lab-4711.0.3.journal/00000": at most one slash, each part of
 * [A-Za-z0-9._+-] and not beginning with a dot. No other name passes; whether
 * one comes twice, or is not in the credential's list, the reader checks.
 *
 * Life:    open returns, close frees; what next() shows is borrowed until the
 *          next call. A reader holds one file in memory, never more.
 * Failure: -1 and a sentence. Everything read is hostile: sizes are bounded
 *          before memory is asked for. A reader's errno is 0 when what is
 *          there is no good bundle; else it could not be read, and may be later.
 * Threads: one thread per bundle.
 */
#ifndef RELAY_BUNDLE_H
#define RELAY_BUNDLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reports/core/err.h"
#include "reports/core/sha256.h"

enum {
    BUNDLE_MAX_FILES = 2048,
    BUNDLE_MAX_NAME = 200,            /* bytes, without the NUL */
    BUNDLE_MAX_CREDENTIAL = 2 << 20,  /* MUNGE itself stops at 1 MiB of payload */
    BUNDLE_MAX_FILE_BYTES = 16 << 20, /* one file */
    BUNDLE_MAX_BYTES = 64 << 20,      /* all files */
};

struct bundle_file {
    char name[BUNDLE_MAX_NAME + 1];
    const void *bytes; /* borrowed until the next call */
    size_t size;
    char sha256[SHA256_HEX_SIZE]; /* computed while reading */
};

struct bundle;

/* Whether a bundle may carry a file of that name. */
bool bundle_name_ok(const char *name);

/* Opens folder/name (dirfd AT_FDCWD: the working folder): a regular file, not
 * through a link, never waiting. Reads the credential. */
struct bundle *bundle_open(int dirfd, const char *name, struct err *e);
void bundle_close(struct bundle *b);

/* The first frame: text, NUL at its end; borrowed until close. */
const char *bundle_credential(const struct bundle *b);

/* 1: the next file stands in *f, 0: there is no more, -1: torn or not a
 * bundle. After 0 or -1 always the same. */
int bundle_next(struct bundle *b, struct bundle_file *f, struct err *e);

/* Writing: both append one frame to fd, wherever it stands. */
int bundle_write_credential(int fd, const char *credential, struct err *e);
int bundle_write_file(int fd, const char *name, const void *bytes, size_t size, struct err *e);

#endif
