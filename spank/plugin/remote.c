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

#include "reports/core/vet.h"
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

/* What the batch step's environment says, all of it, and the srun there. */
struct batch_job {
    char srun[4096];
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

/* The step of a vet: a task on every node, on all of its processors. */
static void vet_words(struct batch_job *b)
{
    snprintf(b->tasks, sizeof b->tasks, "--ntasks=%u", b->n_nodes);
    snprintf(b->cpus, sizeof b->cpus, "--cpu-bind=none");
}

/* The step's exit code, -1 and a sentence when it did not start. *ended is set
 * when the job is being ended, so that nothing more may start: an agent that is
 * told to end writes its record and exits as after any partial run, and Slurm's
 * signal may reach it before it reaches this process. */
static int start_step(spank_t sp, const struct request *r, struct batch_job *b, char **text,
                      int *told, bool *ended, struct err *e)
{
    const bool vet = runspec_is_vet(&r->spec);
    char limit[32];

    if (batch_job_get(sp, b))
        return err_set(e, "Slurm does not say how many nodes the job has");
    if (r->site.srun)
        snprintf(b->srun, sizeof b->srun, "%s", r->site.srun);
    else if (step_find("srun", b->env, b->srun, sizeof b->srun)) {
        b->srun[0] = '\0';
        return err_set(e, "there is no srun in the job's PATH");
    }
    const char *partition = b->partition[0] ? b->partition : NULL;
    if (site_allows(r, b->n_nodes, partition, getuid(), e))
        return -1;
    if (vet)
        vet_words(b);
    snprintf(limit, sizeof limit, "--time=%u", step_minutes(&r->spec));
    const char *const words[] = {"--overlap",
                                 "--input=none",
                                 "--quit-on-interrupt",
                                 "--job-name=hpcai500",
                                 "--wait=600",
                                 limit,
                                 b->id,
                                 b->nodes,
                                 b->tasks,
                                 b->cpus,
                                 vet ? "--ntasks-per-node=1" : "",
                                 "--",
                                 site_agent(&r->site, partition),
                                 r->run};
    char *argv[sizeof words / sizeof *words + 2] = {b->srun};
    int argc = 1;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (words[i][0])
            argv[argc++] = (char *)words[i];
    const unsigned flags = STEP_AGENT | STEP_BESIDE;
    const double seconds = step_seconds(&r->spec);
    int code = vet ? step_capture(argv, b->env, flags, seconds, told, text, e)
                   : step_run(argv, b->env, flags, seconds, told, e);
    *ended = code != 0 && !step_job_runs(b->name, b->srun, b->env);
    return code;
}

/* ---- a vet ---- */

/* The job's nodes, a line each, to free(); NULL: not known. */
static char *ask_names(const struct batch_job *b)
{
    char path[4096], *text = NULL;
    char *const argv[] = {path, (char *)"show", (char *)"hostnames", NULL};
    int told;

    if (!b->srun[0] || step_beside(b->srun, "scontrol", path, sizeof path) < 0 ||
        step_capture(argv, b->env, STEP_AGENT, 30, &told, &text, NULL) != 0) {
        free(text);
        return NULL;
    }
    return text;
}

/* A file of the job's user on the batch host, which mpirun there reads. */
static int write_hosts(const struct batch_job *b, const char *hosts, char *path, size_t size)
{
    char tmp[1024] = "";

    for (char **row = b->env; *row; row++)
        if (strncmp(*row, "TMPDIR=/", 8) == 0)
            snprintf(tmp, sizeof tmp, "%s", *row + 7);
    if (snprintf(path, size, "%s/hpcai500-vet-%u.XXXXXX", tmp[0] ? tmp : "/tmp", b->job) >=
        (int)size)
        return -1;
    const int fd = mkstemp(path);
    const size_t n = strlen(hosts);
    const bool fine = fd >= 0 && write(fd, hosts, n) == (ssize_t)n;
    if (fd >= 0)
        close(fd);
    return fine ? 0 : -1;
}

static void set_vet(spank_t sp, const struct batch_job *b, const struct vet *v)
{
    char path[2048];
    const struct {
        const char *name, *value;
    } rows[] = {
        {ENV_VET, v->state},
        {"HPCAI500_NODES", v->nodes},
        {"HPCAI500_SPARES", v->spares},
        {"HPCAI500_SRUN", v->srun},
        {"HPCAI500_HOSTFILE",
         v->hosts && write_hosts(b, v->hosts, path, sizeof path) == 0 ? path : NULL},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].value)
            spank_setenv(sp, rows[i].name, rows[i].value, 1);
}

/* What the script learns; said: all that the step printed, NULL: nothing. code and why: how
 * the step ended. */
static void vet_script(spank_t sp, const struct request *r, const struct batch_job *b,
                       const char *said, int code, const struct err *why)
{
    struct vet v = {.state = "failed"};
    struct err e = ERR_INIT;
    char *names = ask_names(b), tasks[4096];

    word(sp, "SLURM_TASKS_PER_NODE", "", tasks, sizeof tasks);
    if (vet_choose(&v, said, names ? names : "", tasks, r->spec.spares, &e) < 0) {
        v.state = "failed";
        tell("%s; the script starts with all nodes", e.text);
    } else if (strcmp(v.state, "failed") == 0 && code < 0) {
        tell("%s; the last nodes are left out: %s", why->text, v.spares);
    } else if (strcmp(v.state, "failed") == 0) {
        tell("%s gave no answer (exit code %d); the last nodes are left out: %s", r->run, code,
             v.spares);
    } else {
        tell("left out: %s%s", v.spares,
             strcmp(v.state, "short") == 0 ? "; more nodes than that are bad" : "");
    }
    free(names);
    if (strcmp(v.state, "short") == 0 && r->spec.gate) {
        tell("the script does not start: gate=yes");
        _exit(3);
    }
    set_vet(sp, b, &v);
    vet_fini(&v);
}

/* In the process that becomes the batch script: the agent's step comes first,
 * and no srun in the script inherits the option. */
static void before_script(spank_t sp, struct request *r)
{
    struct batch_job b = {.env = NULL};
    struct err e = ERR_INIT;
    bool ended = false;
    char *said = NULL;
    int told = 0;

    spank_unsetenv(sp, ENV_OPTION_JOB);
    spank_unsetenv(sp, ENV_OPTION_STEP);
    if (!r->site.batch)
        return;
    int code = start_step(sp, r, &b, &said, &told, &ended, &e);
    if (told) {
        raise(told); /* as it would have ended a script that had begun */
        _exit(128 + told);
    }
    if (ended)
        _exit(code > 0 ? code : 1);
    if (runspec_is_vet(&r->spec)) {
        vet_script(sp, r, &b, said, code, &e);
        free(said);
        return;
    }
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
