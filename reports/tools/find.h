/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The record that a person means: a file, or the latest run of a job. A job is
 * looked for where its user may look: the folder that he names, the working
 * folder (a run under Slurm leaves hpcai500-JOB.json there), the spool, then
 * history and archive (reports/history/reader.h). Whether a file is of the job
 * says the record in it, never its name; the newest restart comes first, then
 * the latest end.
 *
 * Life:    find fills, fini frees; FOUND_INIT holds nothing.
 * Failure: -1 and one sentence that names the places.
 * Threads: none inside.
 */
#ifndef TOOLS_FIND_H
#define TOOLS_FIND_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "reports/core/conf.h"
#include "reports/core/err.h"

struct cJSON;

struct found {
    char name[PATH_MAX]; /* a file, or the place in the archive */
    char *text;          /* the record, byte for byte */
    size_t size;
    struct cJSON *doc;
    int n;         /* how many runs of the job there were */
    bool archived; /* name is a place in the archive */
    int seen;      /* root's witness: 1 the history has it, 0 it has it as a claim, -1 not known */
};

#define FOUND_INIT                                                                                 \
    {                                                                                              \
        .seen = -1                                                                                 \
    }

/* A word with a slash, or of a file that is there, is a file: a record, or one
 * packed as in the archive (.json.gz). folder may be NULL. */
int find_record(const struct conf *c, const char *word, const char *folder, struct found *f,
                struct err *e);
void found_fini(struct found *f);

/* The bytes of the run's steps file (reports/record/steps_file.h), which stands beside its
 * record and has the SHA-256 that the record says; free() them. */
void *find_steps(const struct conf *c, const struct found *f, size_t *size, struct err *e);
/* The same by the record's object steps_file, where that was redacted since; may be NULL. */
void *find_steps_of(const struct conf *c, const struct found *f, const struct cJSON *steps,
                    size_t *size, struct err *e);

#endif
