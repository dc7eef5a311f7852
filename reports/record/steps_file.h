/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The steps file, <id>.steps.gz: the steps of training, each by itself, beside the
 * record of the run, which has its SHA-256. Schema hpcai500/steps 1.0. The agent
 * writes it; `hpcai500 export --steps` and simulations read it. The record never needs it.
 *
 * It is gzip members (RFC 1952) one behind the other, so that zcat reads it:
 *
 *     member 0      one line of JSON
 *     member 1...   blocks: rows of one rank in one epoch of one workload
 *
 *     {"schema": "hpcai500/steps", "schema_version": "1.0", "id": "lab-4711.0.3",
 *      "tick_seconds": 1e-07,
 *      "columns": [["step", "count"], ["begin", "ticks"], ...],       steps.def
 *      "bucket_columns": [["start", "ticks"], ...],
 *      "nodes": ["n1", "n2"],
 *      "workloads": [{"name": "cosmoflow", "ranks": 2, "buckets": 1, "epochs": 4,
 *                     "steps_per_epoch": 128, "window": 128, "stride": 1}],
 *      "blocks": [[workload, rank, node, epoch, rows, bytes], ...]}
 *
 * A block starts where the one before it ends; `bytes` are those of its member. In it
 * stand the columns one after the other, first those of the step, then those of each
 * bucket; a column is its rows' values as whole numbers, each less the one before it
 * (the first less 0), zigzag coded ((d << 1) ^ (d >> 63)) in LEB128. -2^31 ticks is a
 * time that is not known.
 *
 * A reader takes columns by name: it skips those that it does not know, and a time
 * that the file does not have is not known. A change of that kind is a minor version.
 *
 * What is not there: a file has at most 16 MiB. Of more than 64 ranks it has those with
 * the longest and the shortest own work and some between; of more than 4,096 steps
 * windows of 128 consecutive ones at a stride, the same on all ranks, and the steps
 * around stalls of that rank (steps_keep.h). A step is of a window when
 * step / window % stride is 0.
 *
 * Life:    a set and a file are opened and freed by their functions.
 * Failure: 0/-1 or NULL and one sentence; so does everything in a build without zlib.
 * Threads: one per handle.
 */
#ifndef RECORD_STEPS_FILE_H
#define RECORD_STEPS_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "reports/core/err.h"
#include "reports/record/record.h"
#include "reports/record/steps_set.h"

#define STEPS_SCHEMA         "hpcai500/steps"
#define STEPS_SCHEMA_VERSION "1.0"

enum {
    STEPS_MAX_BUCKETS = 16,
    STEPS_MAX_ROWS = 8192 /* of a block */
};

/* One step; times in seconds, NAN: not known. */
struct steps_row {
#define STEP(name, kind, title)        double name;
#define STEP_BUCKET(name, kind, title) double name[STEPS_MAX_BUCKETS];
#include "reports/record/steps.def"
};

/* ---- making one ---- */

/* Rows as a block; free() it. */
void *steps_pack(const struct steps_row *rows, int n, int buckets, size_t *bytes, struct err *e);

/* The file of the run `id`, into fd. */
int steps_set_write(const struct steps_set *s, const char *id, int fd, struct err *e);

/* ---- reading one, which may be hostile ---- */

struct steps_file;
struct steps_file *steps_file_open(const char *path, struct err *e);
/* The same from bytes, which are borrowed; name is for sentences. */
struct steps_file *steps_file_of(const void *bytes, size_t size, const char *name, struct err *e);
void steps_file_close(struct steps_file *f);

/* Borrowed until the close. */
const char *steps_file_id(const struct steps_file *f);
const struct steps_workload *steps_file_workloads(const struct steps_file *f, int *n);
const struct steps_block *steps_file_blocks(const struct steps_file *f, int *n);

/* The rows of block i into rows[blocks[i].rows]. */
int steps_file_rows(struct steps_file *f, int i, struct steps_row *rows, struct err *e);

#endif
