/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "spank/account/slurmdbd_row.h"

#include "spank/account/last_error.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <slurm/slurm_errno.h>

void *row_connection;

/* Later, unless the answer says that it is final. */
enum slurmdbd_code row_failed(struct err *e, const char *what, uint32_t job)
{
    int no = last_error();

    err_set(e, "%s job %u: %s", what, job, no ? slurm_strerror(no) : "no answer");
    return no == ESLURM_ACCESS_DENIED ? SLURMDBD_DENIED : SLURMDBD_LATER;
}

/* ---- asking ---- */

slurm_selected_step_t row_selected(uint32_t job, uint32_t task, uint32_t offset)
{
    slurm_selected_step_t s;

    memset(&s, 0, sizeof s);
    s.array_task_id = task;
    s.het_job_offset = offset;
#ifdef SLURM_STEP_ID_INITIALIZER
    s.step_id = (slurm_step_id_t)SLURM_STEP_ID_INITIALIZER;
#endif
#if HAVE_SLURM_SELECTED_STEP_T_STEP_ID_JOB_ID
    s.step_id.job_id = job;
    s.step_id.step_id = NO_VAL;
    s.step_id.step_het_comp = NO_VAL;
#else
    s.jobid = job;
    s.stepid = NO_VAL;
#endif
    return s;
}

/* From the beginning of time; state: of rows in that state only, NULL of all. */
int row_condition(slurmdb_job_cond_t *c, const char *cluster, slurm_selected_step_t *step,
                  const char *state)
{
    memset(c, 0, sizeof *c);
    c->cluster_list = slurm_list_create(NULL);
    c->step_list = slurm_list_create(NULL);
    if (!c->cluster_list || !c->step_list)
        return -1;
    slurm_list_append(c->cluster_list, (void *)(uintptr_t)cluster);
    slurm_list_append(c->step_list, step);
    c->db_flags = SLURMDB_JOB_FLAG_NOTSET;
    c->flags = JOBCOND_FLAG_NO_STEP | JOBCOND_FLAG_NO_TRUNC;
    if (!state) {
        c->usage_end = time(NULL) + 86400;
        return 0;
    }
    if (!(c->state_list = slurm_list_create(NULL)))
        return -1;
    slurm_list_append(c->state_list, (void *)(uintptr_t)state);
    return 0;
}

void row_condition_end(slurmdb_job_cond_t *c)
{
    if (c->cluster_list)
        slurm_list_destroy(c->cluster_list);
    if (c->step_list)
        slurm_list_destroy(c->step_list);
    if (c->state_list)
        slurm_list_destroy(c->state_list);
}

bool row_is_number(uint32_t n)
{
    return n != 0 && n != NO_VAL && n != INFINITE;
}

/* How far t is from the time that a row's start lasted. A slurmdbd that was
 * away may have been told of an end and of no beginning. */
static time_t distance(const slurmdb_job_rec_t *j, time_t t)
{
    const bool started = row_is_number((uint32_t)j->start);
    const time_t from = started ? j->start : j->submit;

    if (!started && j->end == 0) /* waits to start */
        return INT32_MAX;
    if (t < from)
        return from - t;
    return j->end == 0 || t <= j->end ? 0 : t - j->end;
}

/* Whether a is rather meant than b. */
static bool rather(const slurmdb_job_rec_t *a, const slurmdb_job_rec_t *b, time_t begin)
{
    time_t to_a = begin ? distance(a, begin) : 0, to_b = begin ? distance(b, begin) : 0;

    return to_a != to_b ? to_a < to_b : a->submit >= b->submit;
}

/* The row of exactly that job. */
static bool take_row(void *jobs, const struct target *t, struct row *row)
{
    void *at = slurm_list_iterator_create(jobs);
    slurmdb_job_rec_t *j, *best = NULL, *newest = NULL;

    while (at && (j = slurm_list_next(at))) {
        if (j->jobid != t->job)
            continue;
        if (!best || rather(j, best, t->begin))
            best = j;
        if (!newest || rather(j, newest, 0))
            newest = j;
    }
    if (at)
        slurm_list_iterator_destroy(at);
    if (!best)
        return false;
    *row = (struct row){.job = best->jobid,
                        .array_job = best->array_job_id,
                        .array_task = best->array_task_id,
                        .het_job = best->het_job_id,
                        .het_offset = best->het_job_offset,
                        .index = best->db_index,
                        .newest = best == newest,
                        .comment = best->admin_comment ? strdup(best->admin_comment) : NULL};
    snprintf(row->state, sizeof row->state, "%u", (unsigned)best->state);
    return true;
}

enum slurmdbd_code row_read(const struct target *t, struct row *row, struct err *e)
{
    slurm_selected_step_t step = row_selected(t->job, NO_VAL, NO_VAL);
    enum slurmdbd_code code = SLURMDBD_LATER;
    slurmdb_job_cond_t c;
    void *jobs = NULL;

    errno = 0;
    if (row_condition(&c, t->cluster, &step, NULL) < 0) {
        err_set(e, "out of memory");
        goto out;
    }
    c.flags |= JOBCOND_FLAG_DUP;
    if (!(jobs = slurmdb_jobs_get(row_connection, &c)))
        code = row_failed(e, "slurmdbd does not tell of", t->job);
    else if (take_row(jobs, t, row))
        code = SLURMDBD_DONE;
    else {
        code = SLURMDBD_NO_JOB;
        err_set(e, "slurmdbd has no job %u of cluster %s", t->job, t->cluster);
    }
out:
    if (jobs)
        slurm_list_destroy(jobs);
    row_condition_end(&c);
    return code;
}
