/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * In srun. The command is the agent: it is the step. No command: srun becomes
 * srun with the agent. Another command: the agent runs first, as `srun` with
 * the same words and the agent for a command, so on the same nodes and tasks.
 *
 * When depends on what a step costs. A step that was created must be launched:
 * its credential expires after two minutes, and until it is launched it keeps
 * its processors, which scancel does not change (both tried). Therefore:
 *   - in an allocation the agent runs before srun creates its step;
 *   - where srun makes the allocation, its step comes with it. The agent, then
 *     the command, run as further steps beside it (--overlap), and srun ends
 *     the job with the command's exit code.
 * What is refused after the step was created is told to its own tasks by
 * HPCAI500_STOP, and they end with exit code 1.
 */
#include <config.h>

#include "spank/plugin/plugin.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <slurm/slurm.h>

#include "spank/plugin/cmdline.h"
#include "spank/plugin/step.h"

extern char **environ;

/* Where it is missing Slurm ends the job by itself when its srun is gone. */
#pragma weak slurm_complete_job

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
    r->in_job = getenv("SLURM_JOB_ID") || getenv("SLURM_JOBID");
    become_agent(r, text);
    return 0;
}

enum {
    FOR_AGENT = 1,  /* not for the agent: it is about the command itself */
    OVERLAPPED = 2, /* not with --overlap, and the job has it already */
    OURS = 4,       /* the agent's srun alone has our option */
};

/* Options of srun that further steps do not have, and when. */
static const struct {
    const char *name;
    bool takes_value;
    int when;
} dropped[] = {
    {"pty", false, FOR_AGENT},        {"multi-prog", false, FOR_AGENT}, {"bcast", false, FOR_AGENT},
    {"exclusive", false, OVERLAPPED}, {"exact", false, OVERLAPPED},     {"hpcai500", true, OURS},
};

/* How many words from this one on are an option that is dropped. */
static int drop(const char *word, int when)
{
    for (size_t k = 0; k < sizeof dropped / sizeof *dropped; k++)
        if (dropped[k].when & when) {
            int n = cmdline_is_option(word, dropped[k].name, dropped[k].takes_value);
            if (n > 0)
                return n;
        }
    return 0;
}

/* srun's words before the command less the dropped, then `more`, then the
 * command's. free() it; NULL when out of memory. */
static char **reword(const struct cmdline *c, int own, int when, const char *const *more,
                     char *const *command)
{
    size_t extra = 0, words = 0, argc = 1;

    while (more[extra])
        extra++;
    while (command[words])
        words++;
    char **argv = calloc((size_t)own + extra + words + 1, sizeof *argv);
    if (!argv)
        return NULL;
    argv[0] = c->argv[0];
    for (int i = 1; i < own; i++) {
        int n = drop(c->argv[i], when);
        if (n == 0)
            argv[argc++] = c->argv[i];
        else
            i += n - 1;
    }
    memcpy(argv + argc, more, extra * sizeof *argv);
    memcpy(argv + argc + extra, command, words * sizeof *argv);
    return argv;
}

/* Runs srun with other words; a path takes the place of the word "srun". */
static int run_srun(char **argv, unsigned flags, int *told, struct err *e)
{
    char path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);

    *told = 0;
    if (!argv || n <= 0)
        return err_set(e, "srun could not be started again");
    path[n] = '\0';
    argv[0] = path;
    return step_run(argv, environ, flags, told, e);
}

/* The agent with srun's own words; true when the command may start. */
static bool agent_first(const struct request *r, const struct cmdline *c, int own,
                        const char *const *where)
{
    /* what the command reads and writes is not the agent's */
    const char *more[8] = {"--input=none", "--job-name=hpcai500", "--quit-on-interrupt"};
    char *agent[] = {(char *)site_agent(&r->site, getenv("SLURM_JOB_PARTITION")), NULL};
    struct err e = ERR_INIT;
    int told;

    for (int i = 0; where[i] && i < 4; i++)
        more[3 + i] = where[i];
    char **argv = reword(c, own, FOR_AGENT | (where[0] ? OVERLAPPED : 0), more, agent);
    int code = run_srun(argv, STEP_NO_INPUT | STEP_TO_STDERR, &told, &e);
    free(argv);
    if (code == 0)
        return true;
    if (code > 0)
        err_set(&e, "%s ended with exit code %d", r->run, code);
    /* A signal meant for all of it may have been taken by srun's own thread. */
    if (told || code >= 128 || r->spec.gate) {
        slurm_error("hpcai500: %s, so the command does not start", e.text);
        return false;
    }
    slurm_info("hpcai500: %s; the command starts all the same (gate=yes stops it)", e.text);
    return true;
}

static bool has_agent(const struct cmdline *c, int from, int to)
{
    for (int i = from; i < to && i < c->argc; i++)
        if (is_agent(1, c->argv + i))
            return true;
    return false;
}

/* Why nothing can run before the command here; NULL when it can. */
static const char *cannot(const struct request *r, bool het)
{
    if (!r->site.step)
        return "this site runs nothing before a command (step=no)";
    if (het) /* the other components do not wait; tried */
        return "srun of several components cannot wait for a run before its command";
    return NULL;
}

/* In an allocation, before srun has a step. getopt has just left optind at the
 * command. An option that came with salloc is for the agent's own srun. */
static int local_init_post_opt(spank_t sp, struct request *r)
{
    static const char *const nowhere[] = {NULL};
    struct cmdline c;
    bool go_on = true;

    (void)sp;
    if (cmdline_init(&c))
        return 0;
    /* of several components getopt has only seen the last one's words */
    bool het = cmdline_is_het(&c, c.argc);
    int own = het ? c.argc : optind;
    if (own < 1 || own > c.argc || has_agent(&c, het ? 1 : own, het ? c.argc : own + 1) ||
        !cmdline_has_option(&c, own, "hpcai500")) {
        r->site.step = r->site.step && !het;
        goto out;
    }
    const char *why = cannot(r, het);
    if (why) {
        (r->spec.gate ? slurm_error : slurm_info)("hpcai500: %s", why);
        go_on = !r->spec.gate;
        r->site.step = false; /* said once */
    } else if (r->in_job || cmdline_has_option(&c, own, "jobid")) {
        r->in_job = true;
        go_on = agent_first(r, &c, own, nowhere);
    }
out:
    cmdline_fini(&c);
    if (!go_on)
        exit(EXIT_FAILURE);
    return 0;
}

/* Ends the job that this srun has made, and this srun. */
static void finish(uint32_t job, int code)
{
    const uint32_t status = (uint32_t)(code >= 128 ? code - 128 : code << 8);

    if (slurm_complete_job) {
#ifdef SLURM_COMPLETE_JOB_TAKES_STEP_ID
        slurm_step_id_t id = SLURM_STEP_ID_INITIALIZER;
        id.job_id = job;
        slurm_complete_job(&id, status);
#else
        slurm_complete_job(job, status);
#endif
    }
    exit(code);
}

/* srun has made the allocation: the agent, then the command, then the end. */
static void run_both(const struct request *r, uint32_t job, int argc)
{
    char id[32];
    const char *const where[] = {"--overlap", id, NULL};
    struct err e = ERR_INIT;
    struct cmdline c;
    int told, code = 1;

    if (cmdline_init(&c))
        return;
    snprintf(id, sizeof id, "--jobid=%u", job);
    int own = c.argc - argc;
    if (own > 0 && agent_first(r, &c, own, where)) {
        char **words = reword(&c, own, OURS | OVERLAPPED, where, c.argv + own);
        code = run_srun(words, 0, &told, &e);
        free(words);
        if (code < 0) {
            slurm_error("hpcai500: %s", e.text);
            code = 1;
        }
    }
    cmdline_fini(&c);
    finish(job, code);
}

static int local_user_init(spank_t sp, struct request *r)
{
    uint32_t job, step, nodes;
    struct err e = ERR_INIT;
    char **argv;
    int argc;

    unsetenv(ENV_STOP);
    if (spank_get_item(sp, S_JOB_ID, &job) || spank_get_item(sp, S_JOB_STEPID, &step) ||
        spank_get_item(sp, S_JOB_NNODES, &nodes) || spank_get_item(sp, S_JOB_ARGV, &argc, &argv) ||
        step > SLURM_MAX_NORMAL_STEP_ID)
        return 0; /* also salloc's own shell */
    if (!is_agent(argc, argv)) {
        if (!r->in_job && r->site.step)
            run_both(r, job, argc);
        return 0;
    }
    if (site_allows(r, nodes, getenv("SLURM_JOB_PARTITION"), getuid(), &e)) {
        slurm_error("hpcai500: %s", e.text);
        if (setenv(ENV_STOP, "1", 1))
            slurm_error("hpcai500: no memory to stop the agent");
        return 0;
    }
    slurm_info("hpcai500: %s may cost %.3g node-hours", r->run,
               runspec_node_hours(&r->spec, nodes));
    return 0;
}

const struct context context_local = {
    .option = local_option,
    .init_post_opt = local_init_post_opt,
    .local_user_init = local_user_init,
};
