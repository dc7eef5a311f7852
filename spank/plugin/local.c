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
#include <fcntl.h>
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

/* Ends this srun with one sentence. */
static void refuse(const char *sentence) __attribute__((noreturn));
static void refuse(const char *sentence)
{
    slurm_error("hpcai500: %s", sentence);
    exit(EXIT_FAILURE);
}

/* getopt has just read the option, so the rest begins at optind. Without a
 * command srun becomes srun with the agent, if the option is the last word. */
static void without_command(struct request *r, const struct cmdline *c)
{
    struct cmdline_option o;
    int at = optind;

    if (at < 1 || at > c->argc || cmdline_is_het(c) || !cmdline_only_options(c, at))
        return;
    while (cmdline_next(c, &at, c->argc, false, &o))
        if (o.name && (strcmp(o.name, "hpcai500") == 0 || strcmp(o.name, "help") == 0 ||
                       strcmp(o.name, "usage") == 0 || strcmp(o.name, "version") == 0))
            return; /* said again, or srun will only answer */
    if (!r->site.reexec || cmdline_find(c, c->argc, "multi-prog", &o))
        return;
    if (at != optind)
        refuse("there is no command; write --hpcai500=RUN as the last word, or write the command");
    const char *asked = cmdline_find(c, optind, "partition", &o) ? o.value : NULL;
    c->argv[c->argc] = (char *)site_agent(&r->site, asked ? asked : getenv("SLURM_JOB_PARTITION"));
    execv("/proc/self/exe", c->argv);
    slurm_error("hpcai500: srun could not be started again: %s", strerror(errno));
}

/* Where standard descriptors are closed, srun takes what it opens next for
 * them, and what the plugin starts hangs on that: /dev/null is there instead. */
static void fill_descriptors(void)
{
    int fd;

    while ((fd = open("/dev/null", O_RDWR)) >= 0 && fd < 3)
        ;
    if (fd >= 0)
        close(fd);
}

static int local_option(struct request *r, const char *text)
{
    struct cmdline c;

    fill_descriptors();
    login_option(r, text);
    r->in_job = getenv("SLURM_JOB_ID") || getenv("SLURM_JOBID");
    if (cmdline_init(&c))
        return 0;
    without_command(r, &c);
    cmdline_fini(&c);
    return 0;
}

enum {
    FOR_AGENT = 1,  /* not for the agent: it is about the command itself */
    OVERLAPPED = 2, /* not with --overlap, and the job has it already */
    OURS = 4,       /* the agent's srun alone has our option */
};

/* Options of srun that further steps do not have, and when. None has a short
 * form, which could share its word with another option. */
static const struct {
    const char *name;
    int when;
} dropped[] = {
    {"pty", FOR_AGENT},        {"multi-prog", FOR_AGENT}, {"bcast", FOR_AGENT},
    {"exclusive", OVERLAPPED}, {"exact", OVERLAPPED},     {"hpcai500", OURS},
    {"uid", OVERLAPPED},       {"gid", OVERLAPPED}, /* srun has become that user */
};

static bool is_dropped(const struct cmdline_option *o, int when)
{
    for (size_t k = 0; o->name && k < sizeof dropped / sizeof *dropped; k++)
        if ((dropped[k].when & when) && strcmp(dropped[k].name, o->name) == 0)
            return true;
    return false;
}

/* srun's options less the dropped, then `more`, "--" and the command. `own` is
 * where srun's command begins. free() it; NULL when out of memory. */
static char **reword(const struct cmdline *c, int own, int when, const char *const *more,
                     char *const *command)
{
    size_t extra = 0, words = 0, argc = 1;
    struct cmdline_option o;

    while (more[extra])
        extra++;
    while (command[words])
        words++;
    char **argv = calloc((size_t)own + extra + words + 2, sizeof *argv);
    if (!argv)
        return NULL;
    argv[0] = c->argv[0];
    for (int at = 1; cmdline_next(c, &at, own, true, &o);)
        for (int i = 0; i < o.words && !is_dropped(&o, when); i++)
            argv[argc++] = c->argv[o.at + i];
    memcpy(argv + argc, more, extra * sizeof *argv);
    argv[argc + extra] = (char *)"--";
    memcpy(argv + argc + extra + 1, command, words * sizeof *argv);
    return argv;
}

/* Runs srun with other words; a path takes the place of the word "srun". */
static int run_srun(char **argv, unsigned flags, double seconds, int *told, struct err *e)
{
    char path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);

    *told = 0;
    if (!argv || n <= 0)
        return err_set(e, "srun could not be started again");
    path[n] = '\0';
    argv[0] = path;
    return step_run(argv, environ, flags, seconds, told, e);
}

enum { MAX_WHERE = 5 };

/* The agent with srun's own options; true when the command may start. `where`
 * places it in the job that srun has made; none: srun's options do. */
static bool agent_first(const struct request *r, const struct cmdline *c, int own,
                        const char *const *where)
{
    char limit[32];
    /* What the command reads and writes is not the agent's, nor how long its
     * tasks wait for each other. The last of an option counts. */
    const char *more[7 + MAX_WHERE + 1] = {
        "--input=none",        "--output=all", "--error=all", "--job-name=hpcai500",
        "--quit-on-interrupt", "--wait=600",   limit};
    char *agent[] = {(char *)site_agent(&r->site, getenv("SLURM_JOB_PARTITION")), NULL};
    const bool beside = where[0];
    struct err e = ERR_INIT;
    int told;

    snprintf(limit, sizeof limit, "--time=%u", step_minutes(&r->spec));
    for (int i = 0; where[i] && i < MAX_WHERE; i++)
        more[7 + i] = where[i];
    char **argv = reword(c, own, FOR_AGENT | (beside ? OVERLAPPED : 0), more, agent);
    /* In an allocation the step may first wait for others, as the command may. */
    int code = run_srun(argv, STEP_AGENT | STEP_TO_STDERR | (beside ? STEP_BESIDE : 0),
                        beside ? step_seconds(&r->spec) : 0, &told, &e);
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
    slurm_info("hpcai500: %s; the command starts anyway (gate=yes would stop it)", e.text);
    return true;
}

/* Whether the command is the agent, or one of several commands is. */
static bool has_agent(const struct cmdline *c, int own, bool het)
{
    for (int i = own; i < (het ? c->argc : own + 1) && i < c->argc; i++)
        if (is_agent(1, c->argv + i))
            return true;
    return false;
}

/* Why nothing can run before the command here; NULL when it can. */
static const char *cannot(const struct request *r, bool het)
{
    if (!r->site.step)
        return "this site does not start a run before a command (step=no); start the run with its "
               "own srun";
    if (het) /* the other components do not wait; tried */
        return "an srun of several components cannot start a run before its commands; start the "
               "run with its own srun";
    return NULL;
}

/* No run starts another: neither the agent's tasks nor the srun that the plugin
 * starts for it, whatever has become of its words. */
static void refuse_nesting(bool agent)
{
    const char *level = getenv(ENV_LEVEL);

    if (level && strcmp(level, LEVEL_TASK) == 0)
        refuse("this srun is inside a run of hpcai500, which cannot start another run");
    if (level && !agent)
        refuse(
            "the srun that should start the agent has another command; report this to your site");
}

/* The agent, where srun has an allocation and no step yet. */
static bool first_in_job(struct request *r, const struct cmdline *c, int own, bool het)
{
    static const char *const nowhere[] = {NULL};
    struct cmdline_option o;
    const char *why = cannot(r, het);

    if (why) {
        if (!r->alone) /* once, not for each component */
            (r->spec.gate ? slurm_error : slurm_info)("hpcai500: %s", why);
        r->alone = true;
        return !r->spec.gate;
    }
    r->in_job = r->in_job || cmdline_find(c, own, "jobid", &o);
    return !r->in_job || cmdline_find(c, own, "test-only", &o) || agent_first(r, c, own, nowhere);
}

/* In an allocation, before srun has a step. getopt has just left optind at the
 * command; of several components it has read the last one's words only. An
 * option that came with salloc is for the agent's own srun. */
static int local_init_post_opt(spank_t sp, struct request *r)
{
    struct cmdline_option o;
    struct cmdline c;
    bool go_on = true;

    (void)sp;
    if (cmdline_init(&c))
        return 0;
    bool het = cmdline_is_het(&c);
    int own = het ? 1 : optind;
    bool known = own >= 1 && own <= c.argc, agent = known && has_agent(&c, own, het);
    const bool before = known && !agent && (het || cmdline_find(&c, own, "hpcai500", &o));
    refuse_nesting(agent);
    if (runspec_is_vet(&r->spec) && before)
        refuse("a vet chooses nodes for a batch script, and a step that exists has its nodes: "
               "sbatch --hpcai500=vet,spares=N job.sh");
    if (before)
        go_on = first_in_job(r, &c, own, het);
    else
        r->alone = true;
    r->command = own;
    r->alone = r->alone || !known;
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

/* srun has made the allocation: the agent, then the command, then the end. Its
 * nodes and tasks are counted by now, so -N1-4 asks for what there is. */
static void run_both(const struct request *r, uint32_t job, uint32_t nodes, uint32_t tasks)
{
    char id[32], n[32], t[32];
    const char *const where[MAX_WHERE + 1] = {"--overlap", id, n, tasks ? t : NULL};
    struct err e = ERR_INIT;
    struct cmdline c;
    int told, code = 1;

    if (cmdline_init(&c))
        return;
    snprintf(id, sizeof id, "--jobid=%u", job);
    snprintf(n, sizeof n, "--nodes=%u", nodes);
    snprintf(t, sizeof t, "--ntasks=%u", tasks);
    if (agent_first(r, &c, r->command, where)) {
        char **words = reword(&c, r->command, OURS | OVERLAPPED, where, c.argv + r->command);
        code = run_srun(words, STEP_BESIDE, 0, &told, &e);
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
    uint32_t job, step, nodes, tasks = 0;
    char cost[64];
    struct err e = ERR_INIT;
    char **argv;
    int argc;

    unsetenv(ENV_STOP);
    if (spank_get_item(sp, S_JOB_ID, &job) || spank_get_item(sp, S_JOB_STEPID, &step) ||
        spank_get_item(sp, S_JOB_NNODES, &nodes) || spank_get_item(sp, S_JOB_ARGV, &argc, &argv) ||
        step > SLURM_MAX_NORMAL_STEP_ID)
        return 0; /* also salloc's own shell */
    if (!is_agent(argc, argv)) {
        if (spank_get_item(sp, S_JOB_TOTAL_TASK_COUNT, &tasks))
            tasks = 0;
        if (!r->in_job && !r->alone)
            run_both(r, job, nodes, tasks);
        return 0;
    }
    if (site_allows(r, nodes, getenv("SLURM_JOB_PARTITION"), getuid(), &e)) {
        slurm_error("hpcai500: %s", e.text);
        if (setenv(ENV_STOP, "1", 1))
            slurm_error("hpcai500: no memory to stop the agent");
        return 0;
    }
    slurm_info("hpcai500: %s may cost %s", r->run,
               node_hours(runspec_node_hours(&r->spec, nodes), cost, sizeof cost));
    return 0;
}

const struct context context_local = {
    .option = local_option,
    .init_post_opt = local_init_post_opt,
    .local_user_init = local_user_init,
};
