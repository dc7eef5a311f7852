/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The SPANK plugin: `srun|sbatch|salloc --hpcai500=RUN`.
 *
 * plugin.c exports Slurm's symbols and hands each call to the context that
 * Slurm is in: local.c (srun), login.c (what srun, sbatch and salloc share),
 * remote.c (slurmstepd), script.c (prolog and epilog). A context is a table of
 * functions, NULL where it has nothing to do. In slurmd there is no context.
 * request.c is what all contexts share: what was asked, and what the site allows.
 *
 * Life:    one request per process, static in plugin.c.
 * Failure: on the login node a sentence and exit; no hook returns failure, which as
 *          `required` would drain the node from prolog, epilog and, under
 *          sbatch, from most of slurmstepd's (tests/cluster/hooks.bats); there
 *          a task that must not start ends itself in task_init.
 * Threads: none; Slurm calls one hook at a time.
 */
#ifndef PLUGIN_PLUGIN_H
#define PLUGIN_PLUGIN_H

#include <stdbool.h>
#include <stdint.h> /* 22.05's spank.h uses its types without it */
#include <sys/types.h>

#include <slurm/spank.h>

#include "reports/core/err.h"
#include "reports/core/runspec.h"
#include "spank/plugin/site.h"

/* Environment by which the sides speak. HPCAI500_STOP comes from srun, is
 * seen by the tasks of the same step, and never leaves it. */
#define ENV_RUN    "HPCAI500_RUN"    /* canonical run text, for the agent */
#define ENV_PLUGIN "HPCAI500_PLUGIN" /* release of the plugin on this node */
#define ENV_STOP   "HPCAI500_STOP"   /* the command must not start */
#define ENV_JOB    "HPCAI500_JOB"    /* the number by which root knows the job */

/* A run inside a run is refused by this variable: the srun that the plugin
 * starts for the agent has it, and the agent's tasks. */
#define ENV_LEVEL  "HPCAI500_LEVEL"
#define LEVEL_SRUN "srun"
#define LEVEL_TASK "task"

/* Where Slurm carries the option; all are taken away from what we start. */
#define ENV_OPTION_STEP "_SLURM_SPANK_OPTION_hpcai500_hpcai500"
#define ENV_OPTION_JOB  "SLURM_SPANK_" ENV_OPTION_STEP
#define ENV_OPTION_ROOT ("SPANK_" ENV_OPTION_STEP) /* in prolog and epilog */

#define AGENT_NAME "hpcai500-agent"

/* What was asked in this process. */
struct request {
    bool said;     /* the option was given */
    bool in_job;   /* srun: inside an allocation that was there before */
    bool alone;    /* srun: nothing runs before the command */
    int command;   /* srun: word at which its command begins; 0: not known */
    int site_argc; /* plugstack arguments, as Slurm gave them */
    char **site_argv;
    struct site site; /* the same, parsed when the option is used */
    struct runspec spec;
    char run[RUNSPEC_MAX_BYTES + 1]; /* canonical text of spec */
    struct err refusal;              /* remote: why it cannot be; "" */
};

struct context {
    void (*init)(void);
    int (*option)(struct request *r, const char *text);
    int (*init_post_opt)(spank_t sp, struct request *r);
    int (*local_user_init)(spank_t sp, struct request *r);
    int (*task_init)(spank_t sp, struct request *r);
    int (*job_prolog)(spank_t sp, int argc, char *argv[]);
    int (*job_epilog)(spank_t sp, int argc, char *argv[]);
};

extern const struct context context_local;     /* srun */
extern const struct context context_allocator; /* sbatch, salloc */
extern const struct context context_remote;    /* slurmstepd */
extern const struct context context_script;    /* prolog, epilog */

/* Fills r from the option's value: both sides use this and nothing else. */
int request_parse(struct request *r, const char *text, struct err *e);

/* Whether the command is the agent, by the last part of its path. */
bool is_agent(int argc, char *const argv[]);

/* Why the site does not allow the run on so many nodes of the partition (NULL:
 * not known yet) to this user: -1 and a sentence, else 0. */
int site_allows(const struct request *r, unsigned nodes, const char *partition, uid_t uid,
                struct err *e);

/* "0.333 node-hours", "1 node-hour". */
const char *node_hours(double hours, char *buf, size_t size);

/* On the login node: answers help and list and exits, refuses a bad option
 * with one sentence and exits, else fills r. */
void login_option(struct request *r, const char *text);

#endif
