/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The agent as a step of its own, started by `srun --overlap` from inside
 * srun or from the process that becomes the batch script, and waited for.
 *
 * Processes are started with posix_spawn, default signals and an environment
 * from which what belongs to the caller's own step is taken away: the option
 * (or it would start the agent again), PMI, and the step's ids.
 *
 * Life:    borrows everything for the call.
 * Failure: -1 and a sentence: could not be started.
 * Threads: waits in the calling thread, the process's first; signals that reach
 *          the process meanwhile go to the step.
 */
#ifndef SPANK_STEP_H
#define SPANK_STEP_H

#include <stddef.h>
#include <stdbool.h>
#include <stdint.h>

#include "reports/err.h"

struct step {
    const char *srun; /* path */
    const char *agent;
    const char *run;
    uint32_t job;
    uint32_t nodes;
    uint32_t tasks;       /* 0: as srun would in this job */
    const char *cpus;     /* per task; NULL */
    const char *nodelist; /* NULL: any `nodes` of the job */
    bool to_stderr;       /* stdout belongs to the command that follows */
    char *const *env;     /* the job's */
};

/* Runs it; its exit code, 128 + signal if one ended it. *stopped is the signal
 * that told the caller itself to end meanwhile, 0 for none. */
int step_run(const struct step *s, int *stopped, struct err *e);

/* Runs argv[0] (a path) in env and reads the first line that it prints. */
int step_ask(char *const argv[], char *const env[], char *line, size_t size, struct err *e);

/* Whether Slurm still lets the job run; true when it does not answer. Asks the
 * squeue beside srun. */
bool step_job_runs(const struct step *s);

/* A copy of env without what step.h's top says; free() it, the strings are
 * borrowed. NULL when out of memory. */
char **step_environment(char *const *env);

/* Path of a program in the PATH of env; -1 when there is none. */
int step_find(const char *name, char *const *env, char *path, size_t size);

#endif
