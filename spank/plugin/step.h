/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A step of its own, started by srun from inside srun or from the process that
 * becomes the batch script, and waited for.
 *
 * Processes are started with posix_spawn, default signals and an environment
 * from which what belongs to the caller's own step is taken away: the option
 * (or it would start the agent again), PMI, and the step's ids.
 *
 * Life:    borrows everything for the call.
 * Failure: -1 and a sentence: could not be started.
 * Threads: waits in the calling thread, the process's first; signals that reach
 *          the process meanwhile go to the step.
 * Time:    the agent's run ends by itself within its time=. Slurm ends the step
 *          after step_minutes() (a vet: after twice its time=), and where it need not
 *          wait for others, its srun is told to end after step_seconds() and killed
 *          KILL_SECONDS later. The
 *          user's command has no bound but the job's.
 */
#ifndef PLUGIN_STEP_H
#define PLUGIN_STEP_H

#include <stddef.h>
#include <stdbool.h>
#include <stdint.h>

#include "reports/core/err.h"
#include "reports/core/runspec.h"

enum { STEP_TEXT = 1 << 20 };

enum {
    STEP_AGENT = 1,     /* stdin from nowhere: it belongs to what follows */
    STEP_TO_STDERR = 2, /* stdout belongs to what follows */
    STEP_BESIDE = 4,    /* with --overlap: no SLURM_EXCLUSIVE, SLURM_EXACT */
};

/* Slurm's limit for the step of a run, and when its srun is told to end. */
unsigned step_minutes(const struct runspec *spec);
double step_seconds(const struct runspec *spec);

/* Runs argv[0] (a path) with step_environment(env, flags). Its exit code, 128 +
 * signal if one ended it. *told is the signal that told the caller itself to
 * end meanwhile, 0 for none. seconds: most that it may take, 0 for no limit;
 * past it the step's srun is ended: -1 and a sentence. */
int step_run(char *const argv[], char *const env[], unsigned flags, double seconds, int *told,
             struct err *e);

/* The same, and what it prints goes into *text, to free() (NULL: nothing): at most
 * STEP_TEXT bytes of it. */
int step_capture(char *const argv[], char *const env[], unsigned flags, double seconds, int *told,
                 char **text, struct err *e);

/* Path of a program beside srun. -1: too long. */
int step_beside(const char *srun, const char *name, char *path, size_t size);

/* Runs argv[0] (a path) in env and reads the first line that it prints within
 * 30 seconds. */
int step_ask(char *const argv[], char *const env[], char *line, size_t size, struct err *e);

/* Whether Slurm still lets the job run ("7", of an array "7_1"); true when it does not
 * answer. Asks the squeue beside srun. */
bool step_job_runs(const char *job, const char *srun, char *const env[]);

/* A copy of env changed as step.h's top says; free() it, the strings are
 * borrowed. NULL when out of memory. */
char **step_environment(char *const *env, unsigned flags);

/* Path of a program in the PATH of env; -1 when there is none. */
int step_find(const char *name, char *const *env, char *path, size_t size);

#endif
