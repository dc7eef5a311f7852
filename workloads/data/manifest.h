/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The manifest of a generated set: what it is, how it was made, and the size
 * and SHA-256 of every file. It is the last file written: a folder without
 * one is not finished.
 *
 * Text, one `key value` a line in a fixed order, then `note NAME TEXT` and
 * `baseline NAME VALUE` lines, then one `file` line for each file (SHA-256,
 * bytes, path), then `end COUNT`. The text is hostile until parsed: sizes are
 * bounded, names are words that stand once, paths stay inside the folder.
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
#include "workloads/data/science.h"

enum { MANIFEST_FORMAT = 2 };
enum {
    MANIFEST_MAX_FILES = 1 << 20,
    MANIFEST_PATH_SIZE = 64,
    MANIFEST_NOTES = 8,
    MANIFEST_NAME_SIZE = 32
};

#define MANIFEST_NAME "MANIFEST"

struct manifest_file {
    char sha256[65];
    uint64_t bytes;
    char path[MANIFEST_PATH_SIZE]; /* "train/cube_0000000.hdf5" */
};

/* What a science says of its set, for a person. */
struct manifest_note {
    char name[MANIFEST_NAME_SIZE]; /* a word */
    char text[256];
};

/* What a simple predictor reaches on this set's validation part, made with it. */
struct manifest_baseline {
    char name[MANIFEST_NAME_SIZE]; /* of the science's table: "ridge_mae" */
    double value;
};

struct manifest {
    char science[MANIFEST_NAME_SIZE]; /* "cosmo" */
    char class_name[16];
    char layout[16]; /* by its name in the science's table */
    int generator;   /* version of the science's generator that made it */
    char build[128]; /* the build for which the bytes hold */
    uint64_t seed;
    uint64_t train, validation; /* files */
    uint64_t train_samples, validation_samples;
    int n_notes, n_baselines;
    struct manifest_note note[MANIFEST_NOTES];
    struct manifest_baseline baseline[SCIENCE_BASELINES];
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

/* Adds a line; false when there is no room, the name is not of small letters,
 * digits and _, the text empty or too long, the value not finite. */
bool manifest_note(struct manifest *m, const char *name, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
bool manifest_baseline(struct manifest *m, const char *name, double value);

#endif
