/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A job's prolog and epilog on a node, as root, in a process of their own
 * (slurmstepd of one script). What is to be done there is done by the program
 * hpcai500-witness, in a clean environment and within WITNESS_MS; whatever
 * becomes of it, Slurm hears success: a failure would drain the node.
 */
#include <config.h>

#include "spank/plugin/plugin.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { WITNESS_MS = 5000, MAX_ROW = 16384, N_ROWS = 16 };

/* What slurmd tells such scripts and the witness may know; job and user come
 * from Slurm's items. */
static const char *const told[] = {
    "SLURM_CLUSTER_NAME",  "SLURMD_NODENAME",   "SLURM_NODELIST",       "SLURM_JOB_RESTART_COUNT",
    "SLURM_JOB_USER",      "SLURM_JOB_ACCOUNT", "SLURM_JOB_PARTITION",  "SLURM_ARRAY_JOB_ID",
    "SLURM_ARRAY_TASK_ID", "SLURM_HET_JOB_ID",  "SLURM_HET_JOB_OFFSET", ENV_OPTION_ROOT,
};

enum { N_TOLD = sizeof told / sizeof *told };
_Static_assert(N_TOLD + 4 < N_ROWS + 1, "an environment of so many rows");

struct script {
    char *rows[N_ROWS + 1];
    int n;
};

static void add(struct script *s, const char *name, const char *value)
{
    char *row = NULL;

    if (!value || strlen(value) > MAX_ROW || s->n == N_ROWS)
        return;
    if (asprintf(&row, "%s=%s", name, value) >= 0)
        s->rows[s->n++] = row;
}

static int describe(struct script *s, spank_t sp, const struct site *site)
{
    uint32_t job = 0;
    uid_t uid = 0;
    char number[32];

    if (spank_get_item(sp, S_JOB_ID, &job) || spank_get_item(sp, S_JOB_UID, &uid) || job == 0)
        return -1;
    snprintf(number, sizeof number, "%u", job);
    add(s, "SLURM_JOB_ID", number);
    snprintf(number, sizeof number, "%u", uid);
    add(s, "SLURM_JOB_UID", number);
    add(s, "HPCAI500_CONF", site->conf);
    add(s, "HPCAI500_SPOOL", site->spool);
    for (int i = 0; i < N_TOLD; i++)
        add(s, told[i], getenv(told[i]));
    return 0;
}

/* A group of its own, so that all of it can be ended; none of our pipes, for
 * which slurmd would wait. */
static int start(pid_t *pid, const char *program, const char *verb, char *const env[])
{
    char *argv[] = {(char *)program, (char *)verb, NULL};
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attr;
    sigset_t none, all;

    sigemptyset(&none);
    sigfillset(&all);
    posix_spawn_file_actions_init(&files);
    posix_spawnattr_init(&attr);
    int rc = posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
    for (int fd = 1; rc == 0 && fd < 3; fd++)
        rc = posix_spawn_file_actions_addopen(&files, fd, "/dev/null", O_WRONLY, 0);
    posix_spawnattr_setsigmask(&attr, &none);
    posix_spawnattr_setsigdefault(&attr, &all);
    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                        POSIX_SPAWN_SETSIGDEF);
    if (rc == 0)
        rc = posix_spawn(pid, program, &files, &attr, argv, env);
    posix_spawnattr_destroy(&attr);
    posix_spawn_file_actions_destroy(&files);
    return rc;
}

/* Whether it ended within so many milliseconds. One that hangs in the kernel
 * is not waited for even after SIGKILL: init will find it. */
static bool ended(pid_t pid, int milliseconds)
{
    for (int waited = 0, pause = 1; waited < milliseconds; waited += pause, pause += pause < 10) {
        pid_t who = waitpid(pid, NULL, WNOHANG);
        if (who == pid || (who < 0 && errno != EINTR))
            return true;
        nanosleep(&(struct timespec){.tv_nsec = pause * 1000000L}, NULL);
    }
    return false;
}

static int witness(spank_t sp, int argc, char *argv[], const char *verb)
{
    static struct site site;
    struct script s = {.n = 0};
    struct err e = ERR_INIT;
    pid_t pid;

    if (site_parse(&site, argc, argv, &e)) {
        slurm_error("hpcai500: %s", e.text);
        return 0;
    }
    if (site.witness && describe(&s, sp, &site) == 0) {
        int rc = start(&pid, site.witness, verb, s.rows);
        if (rc) {
            slurm_error("hpcai500: %s: %s", site.witness, strerror(rc));
        } else if (!ended(pid, WITNESS_MS)) {
            slurm_error("hpcai500: %s %s did not end within %d s", site.witness, verb,
                        WITNESS_MS / 1000);
            kill(-pid, SIGKILL);
            ended(pid, 100);
        }
    }
    for (int i = 0; i < s.n; i++)
        free(s.rows[i]);
    return 0;
}

static int prolog(spank_t sp, int argc, char *argv[])
{
    return witness(sp, argc, argv, "begin");
}

static int epilog(spank_t sp, int argc, char *argv[])
{
    return witness(sp, argc, argv, "end");
}

const struct context context_script = {
    .job_prolog = prolog,
    .job_epilog = epilog,
};
