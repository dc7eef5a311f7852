/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The manifest of a generated set: what it is, how it was made, and the size
 * and SHA-256 of every file. It is the last file written: a folder without
 * one is not finished.
 *
 * Text, one `key value` a line in a fixed order, then one `file` line for
 * each file (SHA-256, bytes, path), then `end COUNT`. The text is hostile
 * until parsed: sizes are bounded, paths stay inside the folder.
 *
 * Life:    manifest_read() fills the struct, manifest_fini() frees the list.
 * Failure: -1 and a sentence with file and line; the struct is then empty.
 * Threads: pure functions on the caller's storage.
 */
#ifndef DATA_MANIFEST_H
#define DATA_MANIFEST_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "reports/core/err.h"
#include "workloads/data/cosmo_classes.h"

/* Grows when the same seed no longer gives the same bytes. */
enum { MANIFEST_FORMAT = 1, MANIFEST_GENERATOR = 3 };
enum { MANIFEST_MAX_FILES = 1 << 20, MANIFEST_PATH_SIZE = 64 };

#define MANIFEST_NAME "MANIFEST"

enum data_layout { DATA_CUT, DATA_RAW };

struct manifest_file {
    char sha256[65];
    uint64_t bytes;
    char path[MANIFEST_PATH_SIZE]; /* "train/s000000.hdf5" */
};

struct manifest {
    char workload[32]; /* "cosmoflow" */
    char class_name[16];
    enum data_layout layout;
    int generator;   /* MANIFEST_GENERATOR of who made it */
    char build[128]; /* the build for which the bytes hold */
    uint64_t seed;
    int edge;                   /* cells per side of one file's cube */
    double cell_mpc;            /* [Mpc/h] */
    char parameters[256];       /* what varies, between what: for a person */
    char redshifts[64];         /* of the channels */
    uint64_t train, validation; /* files */
    /* Baselines on this set's validation part, made with it: mean absolute
     * error over the unit parameters. */
    double constant_mae;         /* mean of the training labels */
    double ridge_mae;            /* ridge regression on log P(k) of log(1 + x) */
    struct manifest_file *files; /* train first, then validation, sorted by path */
    uint64_t n_files;
};

/* Reads folder/MANIFEST. 0; 1 when there is no such file; -1. sha256 (65
 * bytes, may be NULL) takes the hash of the manifest itself. */
int manifest_read(struct manifest *m, const char *folder, char *sha256, struct err *e);

/* Parses text of size bytes (not NUL-terminated); name is for the sentence. */
int manifest_parse(struct manifest *m, const char *text, size_t size, const char *name,
                   struct err *e);

/* Writes the text; parse gives the same struct again. -1 on a write error. */
int manifest_write(const struct manifest *m, FILE *f);

void manifest_fini(struct manifest *m);

/* Compares the folder with the manifest: every file's size, and the SHA-256
 * of `hashes` files spread evenly over the list (0: none; n_files: all). */
int manifest_verify(const struct manifest *m, const char *folder, uint64_t hashes, struct err *e);

const char *data_layout_name(enum data_layout l);

#endif
