/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How a person names a run: 4711, 4711_7 (a task of an array), 4711+1 (a
 * component of a heterogeneous job), 4711.0 (a step, as Slurm writes it),
 * 4711.2.0 (restart 2, step 0), or a record's whole id, lab-4711.2.0.
 *
 * Life:    plain data. Failure: -1 and a sentence. Threads: pure functions.
 */
#ifndef RECORD_JOB_WORD_H
#define RECORD_JOB_WORD_H

#include <stdbool.h>

#include "reports/core/err.h"
#include "reports/record/record.h"

struct cJSON;

struct job_word {
    char id[RECORD_ID_SIZE];     /* a whole id: then the rest is empty */
    long job;                    /* of a job, or of all tasks of an array or het job */
    long array_task, het_offset; /* -1: any */
    int restart;                 /* -1: any */
    char step[16];               /* "": any */
};

int job_word_parse(const char *text, struct job_word *w, struct err *e);

/* Whether a record is of that run, by what stands in it. */
bool job_word_is(const struct job_word *w, const struct cJSON *doc);

#endif
