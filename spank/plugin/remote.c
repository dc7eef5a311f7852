/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * In slurmstepd. The value of the option is hostile here (a user can write it
 * into the environment past srun's check) and parsed by the same function; a
 * refusal waits for task_init, which runs in the process that becomes the
 * task, as the user. There, and nowhere else, is anything read, started or
 * ended.
 */
#include <config.h>

#include "spank/plugin/plugin.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <slurm/slurm.h>

#include "spank/plugin/step.h"

/* Called twice for a step (launch message, environment): the last counts. */
static int remote_option(struct request *r, const char *text)
{
    r->refusal = (struct err)ERR_INIT;
    request_parse(r, text, &r->refusal);
    return 0;
}

/* A pipe that nobody reads any more must not end what we let go on. */
static void tell(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void tell(const char *fmt, ...)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN}, theirs;
    char text[1024];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    sigaction(SIGPIPE, &ignore, &theirs);
    fprintf(stderr, "hpcai500: %s\n", text);
    fflush(stderr);
    sigaction(SIGPIPE, &theirs, NULL);
}

/* `optional` ignores return codes; this ends the task alone, before exec. */
static void end_task(spank_t sp, const char *sentence)
{
    uint32_t rank = 0;

    if (sentence && (spank_get_item(sp, S_TASK_GLOBAL_ID, &rank) || rank == 0))
        tell("%s", sentence);
    _exit(1);
}

static bool has_env(spank_t sp, const char *name)
{
    char buf[2];
    spank_err_t rc = spank_getenv(sp, name, buf, sizeof buf);

    return rc == ESPANK_SUCCESS || rc == ESPANK_NOSPACE;
}

/* Whether a task of the agent has started this one. */
static bool is_nested(spank_t sp)
{
    char level[sizeof LEVEL_TASK];

    return spank_getenv(sp, ENV_LEVEL, level, sizeof level) == ESPANK_SUCCESS &&
           strcmp(level, LEVEL_TASK) == 0;
}

/* What the agent cannot know otherwise. */
static void announce(spank_t sp, const struct request *r)
{
    char *slurm = NULL, job[16] = "";
    uint32_t number = 0;

    if (spank_get_item(sp, S_JOB_ID, &number) == ESPANK_SUCCESS)
        snprintf(job, sizeof job, "%u", number);
    if (spank_get_item(sp, S_SLURM_VERSION, &slurm))
        slurm = NULL;
    const struct {
        const char *name, *value;
    } rows[] = {
        {ENV_PLUGIN, PACKAGE_VERSION},     {ENV_RUN, r->said ? r->run : NULL},
        {ENV_LEVEL, LEVEL_TASK},           {"HPCAI500_CONF", r->site.conf},
        {"HPCAI500_SPOOL", r->site.spool}, {ENV_JOB, job[0] ? job : NULL},
        {"SLURM_VERSION", slurm}, /* Slurm itself does not say it to tasks */
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].value)
            spank_setenv(sp, rows[i].name, rows[i].value, 1);
}

/* What the batch step's environment says, all of it. */
struct batch_job {
    char partition[256], cpus[64], tasks[64], nodes[64], id[64], name[64];
    uint32_t job, n_nodes;
    char **env;
};

static void word(spank_t sp, const char *name, const char *option, char *buf, size_t size)
{
    size_t n = (size_t)snprintf(buf, size, "%s", option);

    if (spank_getenv(sp, name, buf + n, (int)(size - n)) || !buf[n])
        buf[0] = '\0';
}

/* The job's own name: the number of an array's last task is also that of all its tasks. */
static void name_job(spank_t sp, uint32_t job, char *name, size_t size)
{
    char array[32], task[32];

    word(sp, "SLURM_ARRAY_JOB_ID", "", array, sizeof array);
    word(sp, "SLURM_ARRAY_TASK_ID", "", task, sizeof task);
    if (array[0] && task[0])
        snprintf(name, size, "%s_%s", array, task);
    else
        snprintf(name, size, "%u", job);
}

/* S_JOB_NNODES is 0 in the batch step. */
static int batch_job_get(spank_t sp, struct batch_job *b)
{
    word(sp, "SLURM_JOB_PARTITION", "", b->partition, sizeof b->partition);
    word(sp, "SLURM_CPUS_PER_TASK", "--cpus-per-task=", b->cpus, sizeof b->cpus);
    word(sp, "SLURM_NTASKS", "--ntasks=", b->tasks, sizeof b->tasks);
    word(sp, "SLURM_JOB_NUM_NODES", "--nodes=", b->nodes, sizeof b->nodes);
    if (spank_get_item(sp, S_JOB_ENV, &b->env) || !b->env ||
        spank_get_item(sp, S_JOB_ID, &b->job) || !b->nodes[0])
        return -1;
    b->n_nodes = (uint32_t)strtoul(strchr(b->nodes, '=') + 1, NULL, 10);
    snprintf(b->id, sizeof b->id, "--jobid=%u", b->job);
    name_job(sp, b->job, b->name, sizeof b->name);
    return 0;
}

/* The step's exit code, -1 and a sentence when it did not start. *ended is set
 * when the job is being ended, so that nothing more may start: an agent that is
 * told to end writes its record and exits as after any partial run, and Slurm's
 * signal may reach it before it reaches this process. */
static int start_step(spank_t sp, const struct request *r, int *told, bool *ended, struct err *e)
{
    char srun[4096], limit[32];
    struct batch_job b = {.env = NULL};

    if (batch_job_get(sp, &b))
        return err_set(e, "Slurm does not say how many nodes the job has");
    const char *partition = b.partition[0] ? b.partition : NULL;
    if (site_allows(r, b.n_nodes, partition, getuid(), e))
        return -1;
    if (r->site.srun)
        snprintf(srun, sizeof srun, "%s", r->site.srun);
    else if (step_find("srun", b.env, srun, sizeof srun))
        return err_set(e, "there is no srun in the job's PATH");
    snprintf(limit, sizeof limit, "--time=%u", step_minutes(&r->spec));
    const char *const words[] = {"--overlap",
                                 "--input=none",
                                 "--quit-on-interrupt",
                                 "--job-name=hpcai500",
                                 "--wait=600",
                                 limit,
                                 b.id,
                                 b.nodes,
                                 b.tasks,
                                 b.cpus,
                                 "--",
                                 site_agent(&r->site, partition),
                                 r->run};
    char *argv[sizeof words / sizeof *words + 2] = {srun};
    int argc = 1;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (words[i][0])
            argv[argc++] = (char *)words[i];
    int code = step_run(argv, b.env, STEP_AGENT | STEP_BESIDE, step_seconds(&r->spec), told, e);
    *ended = code != 0 && !step_job_runs(b.name, srun, b.env);
    return code;
}

/* In the process that becomes the batch script: the agent's step comes first,
 * and no srun in the script inherits the option. */
static void before_script(spank_t sp, struct request *r)
{
    struct err e = ERR_INIT;
    bool ended = false;
    int told = 0;

    spank_unsetenv(sp, ENV_OPTION_JOB);
    spank_unsetenv(sp, ENV_OPTION_STEP);
    if (!r->site.batch)
        return;
    int code = start_step(sp, r, &told, &ended, &e);
    if (told) {
        raise(told); /* as it would have ended a script that had begun */
        _exit(128 + told);
    }
    if (ended)
        _exit(code > 0 ? code : 1);
    if (code == 0)
        return;
    if (code > 0)
        err_set(&e, "%s ended with exit code %d", r->run, code);
    if (r->spec.gate) {
        err_prefix(&e, "the script does not start");
        end_task(sp, e.text);
    }
    tell("%s; the script starts anyway (gate=yes would stop it)", e.text);
}

static int remote_task_init(spank_t sp, struct request *r)
{
    uint32_t step = 0, local = 0;
    char node[256];
    char **argv = NULL;
    int argc = 0;

    word(sp, "SLURMD_NODENAME", "node ", node, sizeof node);
    bool agent =
        spank_get_item(sp, S_JOB_ARGV, &argc, &argv) == ESPANK_SUCCESS && is_agent(argc, argv);
    if (!r->said && !agent)
        return 0;
    if (!r->said && site_parse(&r->site, r->site_argc, r->site_argv, &r->refusal)) {
        if (spank_get_item(sp, S_TASK_ID, &local) || local == 0)
            tell("%s%s%s; the agent runs without this node's conf= and spool=", node,
                 node[0] ? ": " : "", r->refusal.text);
        r->site = (struct site){0};
    }
    if (r->said && r->refusal.text[0])
        end_task(sp, r->refusal.text);
    if (r->said && has_env(sp, ENV_STOP))
        end_task(sp, NULL); /* srun has said why */
    if (agent && is_nested(sp))
        end_task(sp,
                 "this agent was started inside a run of hpcai500, which cannot start another run");
    if (agent)
        announce(sp, r);
    if (r->said && spank_get_item(sp, S_JOB_STEPID, &step) == ESPANK_SUCCESS &&
        step == SLURM_BATCH_SCRIPT)
        before_script(sp, r);
    return 0;
}

const struct context context_remote = {
    .option = remote_option,
    .task_init = remote_task_init,
};
