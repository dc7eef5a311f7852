/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Filing what one job left (collect_job.h): each record that can be
 * (collect_check.h) goes to the history and the archive, with the credentials
 * of the job's nodes; a job that asked and left nothing has that filed.
 * Runs that left journals only are in collect_journals.h.
 *
 * Life:    struct filer is the caller's; it borrows everything.
 * Failure: 0 filed or refused (the bundle then knows why), -1 not now.
 * Threads: one.
 */
#ifndef COLLECT_COLLECT_FILE_H
#define COLLECT_COLLECT_FILE_H

#include "spank/collect/collect_job.h"
#include "spank/collect/collector.h"

struct filer {
    struct collector *c;
    struct store *store;
    int failures;       /* of the history, one after the other */
    bool said_journals; /* why they cannot be unpacked */
};

/* Every record of the job. */
int file_records(struct filer *f, struct job *j);

/* Asked, and nothing to show: because of j->why, which may be "". */
int file_none(struct filer *f, struct job *j);

/* One record's text, of the bundle v; ours is the credential of a record that
 * the collector made, or NULL. *refusal is "" when it was filed. */
int file_text(struct filer *f, struct job *j, struct verified *v, const char *name,
              const char *text, size_t size, const char *ours, struct err *refusal);

#endif
