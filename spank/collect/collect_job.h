/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What one start of a job left on all of its nodes: its bundles, verified, and
 * which of their files belong to which run. There is no limit on the number
 * of bundles; a job of 10,000 nodes takes some 30 MB.
 *
 * A run is named by its files: `ID.json`, `ID.ranks.json.gz`,
 * `ID.journal/RANK`. Runs beyond `most_runs` are refused: their bundles go
 * into the quarantine with that sentence.
 *
 * Life:    JOB_INIT is empty; job_fini() frees and empties.
 * Failure: -1 and a sentence when out of memory.
 * Threads: one.
 */
#ifndef COLLECT_COLLECT_JOB_H
#define COLLECT_COLLECT_JOB_H

#include <stdbool.h>
#include <stddef.h>

#include "reports/core/err.h"
#include "reports/record/record.h"
#include "spank/collect/collect_judge.h"

/* A record, and the bundle that has it. */
struct job_record {
    struct verified *bundle;
    const struct verified_file *file;
    bool filed;
};

/* One run, known from the names of its files. */
struct job_run {
    char *id;
    bool has_journals;
};

/* A journal, its run and its bundle. */
struct job_journal {
    struct verified *bundle;
    const struct verified_file *file;
    char *id;
    int order; /* in which it was added */
};

struct job {
    struct verified **bundles;
    int n, room;
    struct job_record *records;
    int n_records, room_records;
    struct job_journal *journals;
    int n_journals, room_journals;
    struct job_run *runs; /* sorted by id */
    int n_runs, room_runs;

    bool waits;   /* one of its bundles cannot be read now */
    int accepted; /* records that the history has now */
    int before;   /* other runs of it that the history had; -1: not asked yet */
    double spent; /* of the job by its runs so far (check_sum()) */
    char why[64]; /* why something was refused; "" */
};

#define JOB_INIT                                                                                   \
    {                                                                                              \
        .before = -1                                                                               \
    }

void job_fini(struct job *j);

/* Whether the bundle is of that start of that job; any is, when it is empty. */
bool job_is(const struct job *j, const struct witness *w);
/* Whether it is of that job at all, whichever start. */
bool job_is_of(const struct job *j, const struct witness *w);

/* Takes v, also when it fails. Its witness stays only where filing asks for it. */
int job_add(struct job *j, struct verified *v, int most_runs, struct err *e);

/* Whether one of its files is of the run. */
bool job_has_run(const struct job *j, const char *id);

/* Journals sorted by run, then by rank's file, then as they were added. */
void job_sort_journals(struct job *j);

/* The bundle whose witness says what was asked; NULL: nothing was. */
const struct verified *job_asking(const struct job *j);

/* The first bundle: its witness is always there. */
const struct witness *job_facts(const struct job *j);

#endif
