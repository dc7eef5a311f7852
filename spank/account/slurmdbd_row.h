/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One job's row in slurmdbd: which it is, and what it says. hpcai500-slurmdbd
 * alone includes it, since libslurm may end the process that asks.
 *
 * Life:    row_connection is of slurmdb_connection_get(), opened and closed by
 *          the main. A row's comment is the caller's to free().
 * Failure: enum slurmdbd_code and a sentence.
 * Threads: one.
 */
#ifndef ACCOUNT_SLURMDBD_ROW_H
#define ACCOUNT_SLURMDBD_ROW_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include <slurm/slurm.h>
#include <slurm/slurmdb.h>

#include "reports/core/err.h"
#include "spank/account/slurmdbd.h"

extern void *row_connection;

/* Which start of which job. */
struct target {
    char cluster[64];
    uint32_t job;
    time_t begin; /* 0: the newest */
};

/* What we know of a job's row. */
struct row {
    uint32_t job, array_job, array_task, het_job, het_offset;
    uint64_t index;
    char state[16]; /* as slurmdbd's conditions name it */
    bool newest;    /* no later start of the job has a row */
    char *comment;  /* NULL: none */
};

/* Takes the row that is meant into *row. */
enum slurmdbd_code row_read(const struct target *t, struct row *row, struct err *e);

/* What libslurm's last error means, with the sentence "WHAT job N: ...". */
enum slurmdbd_code row_failed(struct err *e, const char *what, uint32_t job);

/* Whether Slurm says a number there, or none. */
bool row_is_number(uint32_t n);

/* The job, or one task or component of it (else NO_VAL). */
slurm_selected_step_t row_selected(uint32_t job, uint32_t task, uint32_t offset);

/* From the beginning of time; state: of rows in that state only, NULL of all.
 * row_condition_end() frees, also after -1 (out of memory). */
int row_condition(slurmdb_job_cond_t *c, const char *cluster, slurm_selected_step_t *step,
                  const char *state);
void row_condition_end(slurmdb_job_cond_t *c);

#endif
