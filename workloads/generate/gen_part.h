/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Part files: what each process says of the files that it made whole. A record
 * is appended in one write, so it is there or torn at the end, and a torn one
 * is not read.
 *
 * Life:    parts: read ... fini. A writer: open ... close.
 * Failure: -1 and a sentence.
 * Threads: one.
 */
#ifndef GENERATE_GEN_PART_H
#define GENERATE_GEN_PART_H

#include <limits.h>

#include "workloads/generate/gen_set.h"

#define PART_HEAD "part-"

/* One whole file; per_file rows of features follow. */
struct part {
    uint64_t index; /* of the set's files, training first */
    uint64_t bytes;
    char sha256[72];
};

/* What all part files say together. */
struct parts {
    struct part *file; /* [files]; bytes 0: missing */
    float *features;   /* [files][per_file][generator's features] */
    uint64_t found;
};

/* Of files that are there, of that size. */
int parts_read(const struct gen_set *s, struct parts *p, struct err *e);
void parts_fini(struct parts *p);

struct part_writer {
    const struct gen_set *set;
    int fd;
    char path[PATH_MAX];
};

int part_open(struct part_writer *w, const struct gen_set *s, struct err *e);
int part_append(struct part_writer *w, const struct part *one, const float *features,
                struct err *e);
void part_close(struct part_writer *w);

#endif
