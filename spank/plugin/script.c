/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A job's prolog and epilog on a node, as root, in a process of their own
 * (slurmstepd of one script). What is to be done there is done by the program
 * hpcai500-witness, in a clean environment and within WITNESS_MS; whatever
 * becomes of it, Slurm hears success: a failure would drain the node.
 */
#include <config.h>

#include "spank/plugin/plugin.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reports/core/clock.h"
#include "reports/core/spawn.h"

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
        const char *const command[] = {site.witness, verb, NULL};
        /* none of our pipes, for which slurmd would wait */
        const struct spawn spawn = {.argv = command,
                                    .env = (const char *const *)s.rows,
                                    .in = SPAWN_NULL,
                                    .out = SPAWN_NULL,
                                    .err = SPAWN_NULL,
                                    .group = true};
        int rc = spawn_start(&spawn, &pid);
        if (rc) {
            slurm_error("hpcai500: %s: %s", site.witness, strerror(rc));
        } else if (!spawn_wait(pid, clock_now_ms() + WITNESS_MS, NULL)) {
            slurm_error("hpcai500: %s %s did not end within %d s", site.witness, verb,
                        WITNESS_MS / 1000);
            kill(-pid, SIGKILL);
            spawn_wait(pid, clock_now_ms() + 100, NULL); /* if it hangs, init will find it */
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
