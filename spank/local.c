/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * In srun. The command is the agent: it is the step. No command: srun becomes
 * srun with the agent. Another command: the agent runs first as a step of its
 * own on the same nodes and tasks, and the command's PMIx is untouched.
 *
 * srun cannot be stopped here (it would leave a step behind that keeps its
 * processors; tried): what must not start is told to its own tasks by
 * HPCAI500_STOP, and they end with exit code 1.
 */
#include <config.h>

#include "spank/plugin.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <slurm/slurm.h>

#include "spank/cmdline.h"
#include "spank/step.h"

extern char **environ;

/* The step that srun is about to launch. */
struct launch {
    uint32_t job, step, nodes, tasks;
    int argc;
    char **argv;
    const char *partition; /* NULL: not known */
    bool inherited;        /* the option came with the allocation, not with this srun */
    bool het;              /* a step over several components */
};

static int launch_get(spank_t sp, struct launch *l)
{
    struct cmdline c;

    memset(l, 0, sizeof *l);
    l->partition = getenv("SLURM_JOB_PARTITION");
    if (spank_get_item(sp, S_JOB_ID, &l->job) || spank_get_item(sp, S_JOB_STEPID, &l->step) ||
        spank_get_item(sp, S_JOB_NNODES, &l->nodes) ||
        spank_get_item(sp, S_JOB_TOTAL_TASK_COUNT, &l->tasks) ||
        spank_get_item(sp, S_JOB_ARGV, &l->argc, &l->argv))
        return -1;
    if (cmdline_init(&c))
        return 0;
    int own = c.argc - l->argc; /* words before the command */
    l->inherited = getenv(ENV_OPTION_JOB) && !cmdline_has_option(&c, own, "hpcai500");
    l->het = getenv("SLURM_HET_SIZE") && cmdline_is_het(&c, own);
    cmdline_fini(&c);
    return 0;
}

/* Only returns if srun goes on as it is. */
static void become_agent(struct request *r, const char *text)
{
    const char *partition = getenv("SLURM_JOB_PARTITION");
    struct cmdline c;

    if (!r->site.reexec || cmdline_init(&c))
        return;
    if (cmdline_ends_with(&c, "hpcai500", text)) {
        const char *asked = cmdline_partition(&c);
        c.argv[c.argc] = (char *)site_agent(&r->site, asked ? asked : partition);
        execv("/proc/self/exe", c.argv);
        slurm_error("hpcai500: srun could not be started again: %s", strerror(errno));
    }
    cmdline_fini(&c);
}

static int local_option(struct request *r, const char *text)
{
    login_option(r, text);
    become_agent(r, text);
    return 0;
}

/* A program of Slurm's: beside this srun. */
static int sibling(const char *name, char *path, size_t size)
{
    ssize_t n = readlink("/proc/self/exe", path, size - 1);

    if (n <= 0)
        return -1;
    path[n] = '\0';
    char *slash = strrchr(path, '/');
    if (!slash || strlen(name) >= size - (size_t)(slash + 1 - path))
        return -1;
    strcpy(slash + 1, name);
    return 0;
}

/* The nodes of the step, when it does not have all of the job's. */
static const char *step_nodes(const struct launch *l, char *buf, size_t size)
{
    const char *all = getenv("SLURM_JOB_NUM_NODES");
    struct err e = ERR_INIT;
    char path[4096], id[64];
    char *const argv[] = {
        path, (char *)"--noheader", (char *)"--steps", id, (char *)"-o", (char *)"%N", NULL};

    if (all && strtoul(all, NULL, 10) == l->nodes && !getenv("SLURM_HET_SIZE"))
        return NULL;
    snprintf(id, sizeof id, "%u.%u", l->job, l->step);
    if (sibling("squeue", path, sizeof path) || step_ask(argv, environ, buf, size, &e)) {
        slurm_info("hpcai500: %s; the agent may run on other nodes of the job", e.text);
        return NULL;
    }
    return buf[0] ? buf : NULL;
}

static void stop_command(const char *why)
{
    slurm_error("hpcai500: %s, so the command does not start", why);
    if (setenv(ENV_STOP, "1", 1))
        slurm_error("hpcai500: no memory to stop the command");
}

/* The run did not do what was asked: what that means for the command. */
static void judge(const struct request *r, const char *why)
{
    if (r->spec.gate)
        stop_command(why);
    else
        slurm_info("hpcai500: %s; the command starts all the same (gate=yes stops it)", why);
}

/* Runs the agent before the command. */
static void run_agent(const struct request *r, const struct launch *l)
{
    char srun[4096], nodes[4096];
    struct err e = ERR_INIT;
    struct step s = {
        .srun = srun,
        .agent = site_agent(&r->site, l->partition),
        .run = r->run,
        .job = l->job,
        .nodes = l->nodes,
        .tasks = l->tasks,
        .cpus = getenv("SLURM_CPUS_PER_TASK"),
        .nodelist = step_nodes(l, nodes, sizeof nodes),
        .to_stderr = true,
        .env = environ,
    };
    int told = 0, code = -1;

    if (sibling("srun", srun, sizeof srun))
        err_set(&e, "the path of srun is not known");
    else
        code = step_run(&s, &told, &e);
    if (code == 0)
        return;
    if (code > 0)
        err_set(&e, "%s ended with exit code %d", r->run, code);
    if (told)
        stop_command(e.text);
    else
        judge(r, e.text);
}

static void say_cost(const struct request *r, unsigned nodes)
{
    slurm_info("hpcai500: %s may cost %.3g node-hours", r->run,
               runspec_node_hours(&r->spec, nodes));
}

static int local_user_init(spank_t sp, struct request *r)
{
    struct err e = ERR_INIT;
    struct launch l;

    unsetenv(ENV_STOP);
    if (launch_get(sp, &l) || l.step > SLURM_MAX_NORMAL_STEP_ID)
        return 0; /* salloc's own shell */
    bool agent = is_agent(l.argc, l.argv);
    if (!agent && l.step > 0 && l.inherited)
        return 0; /* salloc --hpcai500: before its first step only */
    if (site_allows(r, l.nodes, l.partition, getuid(), &e)) {
        stop_command(e.text);
        return 0;
    }
    if (agent)
        say_cost(r, l.nodes);
    else if (!r->site.step)
        judge(r, "this site runs nothing before a command (step=no)");
    else if (l.het) /* 22.05 then waits for ever; tried */
        judge(r, "srun of several components cannot wait for a run before its command");
    else {
        say_cost(r, l.nodes);
        run_agent(r, &l);
    }
    return 0;
}

const struct context context_local = {
    .option = local_option,
    .local_user_init = local_user_init,
};
