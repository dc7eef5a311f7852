/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "spank/plugin/step.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Beginnings of what a step inside the job must not inherit. */
static const char *const foreign[] = {
    "_SLURM_SPANK_OPTION_hpcai500_",
    "SLURM_SPANK__SLURM_SPANK_OPTION_hpcai500_",
    "SPANK__SLURM_SPANK_OPTION_hpcai500_",
    "HPCAI500_STOP=",
    "HPCAI500_RUN=",
    "HPCAI500_PLUGIN=",
    "SLURM_STEP", /* _ID, ID, _NODELIST, _NUM_TASKS, ... of the caller's step */
    "SLURM_PROCID=",
    "SLURM_LOCALID=",
    "SLURM_NODEID=",
    "SLURM_TASK_PID=",
    "SLURM_GTIDS=",
    "SLURM_SRUN_COMM_",
    "SLURM_LAUNCH_NODE_IPADDR=",
    "PMI",
    "OMPI_COMM_WORLD_",
};

/* Signals that a person or Slurm sends to a waiting command. */
static const int forwarded[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGCONT};

enum { N_FORWARDED = sizeof forwarded / sizeof forwarded[0] };

/* What the handler needs: it has no other way to know. */
static volatile pid_t child;
static volatile sig_atomic_t told;

/* What a terminal sends, it sends to the step's srun too. */
static void forward(int sig, siginfo_t *info, void *context)
{
    int saved = errno;

    (void)context;
    if (child > 0 && info->si_code != SI_KERNEL)
        kill(child, sig);
    if (sig == SIGINT || sig == SIGTERM || sig == SIGHUP || sig == SIGQUIT)
        told = sig;
    errno = saved;
}

static bool is_foreign(const char *row)
{
    for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++)
        if (strncmp(row, foreign[i], strlen(foreign[i])) == 0)
            return true;
    return false;
}

char **step_environment(char *const *env)
{
    size_t n = 0, kept = 0;

    while (env[n])
        n++;
    char **copy = calloc(n + 1, sizeof *copy);
    for (size_t i = 0; copy && i < n; i++)
        if (!is_foreign(env[i]))
            copy[kept++] = env[i];
    return copy;
}

static const char *environment_get(char *const *env, const char *name)
{
    size_t n = strlen(name);

    for (; *env; env++)
        if (strncmp(*env, name, n) == 0 && (*env)[n] == '=')
            return *env + n + 1;
    return NULL;
}

int step_find(const char *name, char *const *env, char *path, size_t size)
{
    const char *p = environment_get(env, "PATH");

    for (p = p ? p : "/usr/bin:/bin"; *p;) {
        int n = (int)strcspn(p, ":");
        int length = snprintf(path, size, "%.*s/%s", n, p, name);
        if (n > 0 && length < (int)size && access(path, X_OK) == 0)
            return 0;
        p += n + (p[n] == ':');
    }
    return -1;
}

/* posix_spawn with default signals and fd as stdout. */
static int spawn(pid_t *pid, char *const argv[], char *const env[], unsigned flags, int out)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    sigset_t none, all;

    sigemptyset(&none);
    sigfillset(&all);
    posix_spawn_file_actions_init(&files);
    if (flags & STEP_NO_INPUT)
        posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
    if (out != 1)
        posix_spawn_file_actions_adddup2(&files, out, 1);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    int rc = posix_spawn(pid, argv[0], &files, &attributes, argv, env);
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
    return rc;
}

static int wait_for(pid_t pid)
{
    int status;

    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return 1;
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static sigset_t forwarded_set(void)
{
    sigset_t set;

    sigemptyset(&set);
    for (int i = 0; i < N_FORWARDED; i++)
        sigaddset(&set, forwarded[i]);
    return set;
}

/* Waits with our handlers in place of those of the forwarded signals, and with
 * the signals let through: srun's main thread blocks them for the sake of its
 * signal thread, but the kernel asks the main thread first. They are blocked
 * around it, and the child is reaped when nothing can be sent to it any more. */
static int wait_forwarding(pid_t pid)
{
    struct sigaction ours = {.sa_sigaction = forward, .sa_flags = SA_SIGINFO};
    struct sigaction theirs[N_FORWARDED];
    sigset_t through = forwarded_set();
    siginfo_t ended;

    child = pid;
    for (int i = 0; i < N_FORWARDED; i++)
        sigaction(forwarded[i], &ours, &theirs[i]);
    pthread_sigmask(SIG_UNBLOCK, &through, NULL);
    while (waitid(P_PID, (id_t)pid, &ended, WEXITED | WNOWAIT) < 0 && errno == EINTR)
        ;
    pthread_sigmask(SIG_BLOCK, &through, NULL);
    child = 0;
    for (int i = 0; i < N_FORWARDED; i++)
        sigaction(forwarded[i], &theirs[i], NULL);
    return wait_for(pid);
}

int step_run(char *const argv[], char *const env[], unsigned flags, int *told_, struct err *e)
{
    char **clean = step_environment(env);
    sigset_t held = forwarded_set(), before;
    pid_t pid;

    told = 0;
    *told_ = 0;
    if (!clean)
        return err_set(e, "no memory for an environment");
    pthread_sigmask(SIG_BLOCK, &held, &before);
    int rc = spawn(&pid, argv, clean, flags, flags & STEP_TO_STDERR ? 2 : 1);
    int code = rc ? -1 : wait_forwarding(pid);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    free(clean);
    if (rc)
        return err_set(e, "%s could not be started: %s", argv[0], strerror(rc));
    *told_ = told;
    return code;
}

int step_ask(char *const argv[], char *const env[], char *line, size_t size, struct err *e)
{
    char **clean = step_environment(env);
    int ends[2] = {-1, -1}, code = -1;
    FILE *f = NULL;
    pid_t pid;

    if (!clean || pipe2(ends, O_CLOEXEC)) {
        err_set(e, "%s could not be asked: %s", argv[0], strerror(errno));
        goto out;
    }
    int rc = spawn(&pid, argv, clean, STEP_NO_INPUT, ends[1]);
    close(ends[1]);
    ends[1] = -1;
    if (rc) {
        err_set(e, "%s could not be started: %s", argv[0], strerror(rc));
        goto out;
    }
    f = fdopen(ends[0], "r");
    bool read = f && fgets(line, (int)size, f);
    code = wait_for(pid);
    if (!read || code) {
        code = err_set(e, "%s did not answer (exit code %d)", argv[0], code);
        goto out;
    }
    line[strcspn(line, "\n")] = '\0';
out:
    if (f)
        fclose(f);
    else if (ends[0] >= 0)
        close(ends[0]);
    if (ends[1] >= 0)
        close(ends[1]);
    free(clean);
    return code;
}

bool step_job_runs(uint32_t job, const char *srun, char *const env[])
{
    const char *slash = strrchr(srun, '/');
    char path[4096], id[32], state[64];
    char *const argv[] = {
        path, (char *)"--noheader", (char *)"--jobs", id, (char *)"-o", (char *)"%T", NULL};

    snprintf(id, sizeof id, "%u", job);
    int n = snprintf(path, sizeof path, "%.*s/squeue", slash ? (int)(slash - srun) : 1,
                     slash ? srun : ".");
    if (n >= (int)sizeof path || step_ask(argv, env, state, sizeof state, NULL))
        return true;
    return strcmp(state, "RUNNING") == 0;
}
