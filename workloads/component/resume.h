/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * checkpoint= and resume=: after each epoch rank 0 leaves the model, the
 * moments, and how far training came in FOLDER/WORKLOAD-CLASS.checkpoint (the
 * engine's format, written beside it and renamed); a run that resumes goes on
 * with the next epoch, to the losses of a run that was never interrupted.
 *
 * A checkpoint is of one workload, class, model, data set, batch, seed, type and
 * number of epochs; another run refuses it. On other numbers of ranks it goes on
 * to the same losses up to rounding.
 *
 * Life:    init, then load once, save after epochs, fini.
 * Failure: load: -1 and a sentence, the same on all ranks. save: a checkpoint
 *          that cannot be written is said once; the run goes on without.
 * Threads: the one that may talk to the other ranks.
 */
#ifndef COMPONENT_RESUME_H
#define COMPONENT_RESUME_H

#include "workloads/component/tally.h"
#include "workloads/component/train.h"
#include "workloads/engine/engine.h"
#include "workloads/workload.h"

struct saved;

struct resume {
    char save[RUNSPEC_FOLDER_SIZE + 64], load[RUNSPEC_FOLDER_SIZE + 64]; /* files; "" none */
    char what[256];      /* whose checkpoint it is */
    struct saved *saved; /* the file's own part */
    bool said;           /* that writing failed */
};

int resume_init(struct resume *r, const char *workload, const struct runspec *spec, int index,
                const struct workload_plan *plan, struct err *e);
void resume_fini(struct resume *r);

/* Loads what the run text names, into the model, the epochs of *w, the task's
 * first epoch and time, and `seen` (on rank 0; zero on others, whose sum it is). A
 * folder without a checkpoint is a run that begins. Collective. */
int resume_load(struct resume *r, struct model *m, struct workload_result *w,
                struct train_task *task, double seen[TALLY_SUMS], const struct workload_host *host,
                struct err *e);

/* What a checkpoint is of: a run text that its network can be built from
 * ("hep,class=tiny,dtype=f32,batch=64,seed=1"), the epochs behind it, the first digits of
 * its data's manifest ("": the data were not generated). */
struct resume_origin {
    char text[256], data[32];
    long epochs;
};

int resume_peek(const char *path, struct resume_origin *o, struct err *e);

/* The parameters and states of a checkpoint alone, into a model that was started. */
int resume_restore(const char *path, struct model *m, struct err *e);

/* After an epoch; seen: summed over the ranks. Rank 0 writes. */
void resume_save(struct resume *r, struct model *m, const struct train_state *t,
                 const double seen[TALLY_SUMS], const struct workload_host *host);

#endif
