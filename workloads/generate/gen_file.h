/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One file of a set: its samples made one by one, laid out as the layout says,
 * written whole.
 *
 * A layout with n holds up to class.per_file samples in chunks of per_chunk; a
 * cut one or one of a single sample is chunked in slabs along its first axis. A
 * field of one number a sample, and one of a few numbers a file, lie contiguous.
 *
 * Life:    open ... close; one per process.
 * Failure: -1 / NULL and a sentence; nothing of the file's name is left.
 * Threads: one (HDF5).
 */
#ifndef GENERATE_GEN_FILE_H
#define GENERATE_GEN_FILE_H

#include "workloads/generate/gen_set.h"

struct gen_file;

struct gen_file *gen_file_open(const struct gen_set *s, struct err *e);
void gen_file_close(struct gen_file *f);

/* Makes file i of the set at path. features: [per_file][generator's features],
 * rows past the file's samples 0. sha256 and bytes take what was written. */
int gen_file_make(struct gen_file *f, uint64_t i, const char *path, float *features,
                  char sha256[SHA256_HEX_SIZE], uint64_t *bytes, struct err *e);

#endif
