/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "spank/plugin/step.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "reports/core/clock.h"
#include "reports/core/spawn.h"
#include "spank/plugin/plugin.h"

enum { ASK_SECONDS = 30, KILL_SECONDS = 30 };

/* Beginnings of what a step inside the job must not inherit: never, or with
 * one of the flags. */
static const struct {
    const char *row;
    unsigned flags; /* 0: never */
} foreign[] = {
    {"_SLURM_SPANK_OPTION_hpcai500_", 0},
    {"SLURM_SPANK__SLURM_SPANK_OPTION_hpcai500_", 0},
    {"SPANK__SLURM_SPANK_OPTION_hpcai500_", 0},
    {ENV_STOP "=", 0},
    {ENV_RUN "=", 0},
    {ENV_PLUGIN "=", 0},
    {ENV_LEVEL "=", 0},
    {"SLURM_STEP", 0}, /* _ID, ID, _NODELIST, _NUM_TASKS, ... of the caller's step */
    {"SLURM_PROCID=", 0},
    {"SLURM_LOCALID=", 0},
    {"SLURM_NODEID=", 0},
    {"SLURM_TASK_PID=", 0},
    {"SLURM_GTIDS=", 0},
    {"SLURM_SRUN_COMM_", 0},
    {"SLURM_LAUNCH_NODE_IPADDR=", 0},
    {"PMI", 0},
    {"OMPI_COMM_WORLD_", 0},
    {"SLURM_SRUN_MULTI=", STEP_AGENT}, /* as the options of these names */
    {"SLURM_BCAST=", STEP_AGENT},
    {"SLURM_EXCLUSIVE=", STEP_BESIDE},
    {"SLURM_EXACT=", STEP_BESIDE},
};

static char mark[] = ENV_LEVEL "=" LEVEL_SRUN;

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

static bool is_foreign(const char *row, unsigned flags)
{
    for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++)
        if ((foreign[i].flags == 0 || (foreign[i].flags & flags)) &&
            strncmp(row, foreign[i].row, strlen(foreign[i].row)) == 0)
            return true;
    return false;
}

char **step_environment(char *const *env, unsigned flags)
{
    size_t n = 0, kept = 0;

    while (env[n])
        n++;
    char **copy = calloc(n + 2, sizeof *copy);
    for (size_t i = 0; copy && i < n; i++)
        if (!is_foreign(env[i], flags))
            copy[kept++] = env[i];
    if (copy && (flags & STEP_AGENT))
        copy[kept] = mark;
    return copy;
}

unsigned step_minutes(const struct runspec *spec)
{
    if (runspec_is_vet(spec)) /* the script waits */
        return (unsigned)(2 * spec->time_seconds / 60) + 1;
    return (unsigned)(spec->time_seconds / 60) + 11;
}

double step_seconds(const struct runspec *spec)
{
    /* Slurm looks for late steps now and then */
    return step_minutes(spec) * 60.0 + (runspec_is_vet(spec) ? 30 : 300);
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

static int start(pid_t *pid, char *const argv[], char *const env[], unsigned flags, int out)
{
    const struct spawn s = {.argv = (const char *const *)argv,
                            .env = (const char *const *)env,
                            .in = flags & STEP_AGENT ? SPAWN_NULL : SPAWN_SAME,
                            .out = out == 1 ? SPAWN_SAME : out,
                            .err = SPAWN_SAME};

    return spawn_start(&s, pid);
}

/* Whether the child has ended by that time, 0: ever; it is left to be reaped.
 * Who waits without limit is woken by its end, else by a look now and then. */
static bool ended_by(pid_t pid, double end)
{
    siginfo_t info;

    for (;;) {
        info.si_pid = 0;
        int rc = waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT | (end > 0 ? WNOHANG : 0));
        if (rc == 0 ? info.si_pid == pid : errno != EINTR)
            return true;
        if (end > 0 && clock_now() >= end)
            return false;
        if (end > 0)
            nanosleep(&(struct timespec){.tv_nsec = 20 * 1000000L}, NULL);
    }
}

/* Its exit code; -1 when it is still there, killed though it was. */
static int reap(pid_t pid)
{
    int status, rc;

    while ((rc = waitpid(pid, &status, WNOHANG)) < 0)
        if (errno != EINTR)
            return 1;
    if (rc == 0)
        return -1;
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* Asks the child to end, then makes it. */
static void put_down(pid_t pid, double grace)
{
    kill(pid, SIGTERM);
    if (!ended_by(pid, clock_now() + grace)) {
        kill(pid, SIGKILL);
        ended_by(pid, clock_now() + 5); /* not even that helps where the kernel hangs */
    }
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
 * around it, and the child is reaped when nothing can be sent to it any more.
 * False when it was past its time. */
static bool wait_forwarding(pid_t pid, double end)
{
    struct sigaction ours = {.sa_sigaction = forward, .sa_flags = SA_SIGINFO};
    struct sigaction theirs[N_FORWARDED];
    sigset_t through = forwarded_set();

    child = pid;
    for (int i = 0; i < N_FORWARDED; i++)
        sigaction(forwarded[i], &ours, &theirs[i]);
    pthread_sigmask(SIG_UNBLOCK, &through, NULL);
    bool ended = ended_by(pid, end);
    if (!ended)
        put_down(pid, KILL_SECONDS);
    pthread_sigmask(SIG_BLOCK, &through, NULL);
    child = 0;
    for (int i = 0; i < N_FORWARDED; i++)
        sigaction(forwarded[i], &theirs[i], NULL);
    return ended;
}

/* out: a descriptor, as start() has it. */
static int run(char *const argv[], char *const env[], unsigned flags, int out, double seconds,
               int *told_, struct err *e)
{
    char **clean = step_environment(env, flags);
    sigset_t held = forwarded_set(), before;
    pid_t pid;

    told = 0;
    *told_ = 0;
    if (!clean)
        return err_set(e, "no memory for an environment");
    pthread_sigmask(SIG_BLOCK, &held, &before);
    int rc = start(&pid, argv, clean, flags, out);
    bool ended = rc || wait_forwarding(pid, seconds > 0 ? clock_now() + seconds : 0);
    int code = rc ? -1 : reap(pid);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    free(clean);
    if (rc)
        return err_set(e, "%s could not be started: %s", argv[0], strerror(rc));
    *told_ = told;
    if (!ended)
        return err_set(e, "%s did not end within %.0f minutes and was ended", argv[0],
                       seconds / 60);
    return code;
}

int step_run(char *const argv[], char *const env[], unsigned flags, double seconds, int *told_,
             struct err *e)
{
    return run(argv, env, flags, flags & STEP_TO_STDERR ? 2 : 1, seconds, told_, e);
}

/* What is in a file in memory, to free(). */
static char *text_of(int fd)
{
    const off_t size = lseek(fd, 0, SEEK_END);
    char *text = size > 0 && size <= STEP_TEXT ? calloc(1, (size_t)size + 1) : NULL;

    if (text && pread(fd, text, (size_t)size, 0) == size)
        return text;
    free(text);
    return NULL;
}

int step_capture(char *const argv[], char *const env[], unsigned flags, double seconds, int *told_,
                 char **text, struct err *e)
{
    const int fd = memfd_create("hpcai500", MFD_CLOEXEC);

    *told_ = 0;
    *text = NULL;
    if (fd < 0)
        return err_set(e, "no memory for what %s prints: %s", argv[0], strerror(errno));
    const int code = run(argv, env, flags, fd, seconds, told_, e);
    *text = text_of(fd);
    close(fd);
    return code;
}

int step_beside(const char *srun, const char *name, char *path, size_t size)
{
    const char *slash = strrchr(srun, '/');
    const int n =
        snprintf(path, size, "%.*s/%s", slash ? (int)(slash - srun) : 1, slash ? srun : ".", name);

    return n < (int)size ? 0 : -1;
}

/* The first line within so many seconds; false: none. */
static bool read_line(int fd, char *line, size_t size, double seconds)
{
    const double end = clock_now() + seconds;
    size_t n = 0;

    while (n + 1 < size && !memchr(line, '\n', n)) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        double left = end - clock_now();
        if (left <= 0)
            return false;
        if (poll(&p, 1, (int)(left * 1000) + 1) < 1)
            continue; /* or a signal */
        ssize_t got = read(fd, line + n, size - 1 - n);
        if (got <= 0)
            break;
        n += (size_t)got;
    }
    line[n] = '\0';
    line[strcspn(line, "\n")] = '\0';
    return n > 0;
}

int step_ask(char *const argv[], char *const env[], char *line, size_t size, struct err *e)
{
    char **clean = step_environment(env, 0);
    int ends[2] = {-1, -1}, code = -1;
    pid_t pid;

    if (!clean || pipe2(ends, O_CLOEXEC)) {
        err_set(e, "could not ask %s: %s", argv[0], strerror(errno));
        goto out;
    }
    int rc = start(&pid, argv, clean, STEP_AGENT, ends[1]);
    close(ends[1]);
    ends[1] = -1;
    if (rc) {
        err_set(e, "%s could not be started: %s", argv[0], strerror(rc));
        goto out;
    }
    bool read = read_line(ends[0], line, size, ASK_SECONDS);
    if (!read || !ended_by(pid, clock_now() + ASK_SECONDS))
        put_down(pid, 1);
    code = reap(pid);
    if (!read || code)
        code = err_set(e, "%s did not answer (exit code %d)", argv[0], code);
out:
    if (ends[0] >= 0)
        close(ends[0]);
    if (ends[1] >= 0)
        close(ends[1]);
    free(clean);
    return code;
}

bool step_job_runs(const char *job, const char *srun, char *const env[])
{
    char path[4096], state[64];
    char *const argv[] = {path,        (char *)"--noheader", (char *)"--jobs",
                          (char *)job, (char *)"-o",         (char *)"%T",
                          NULL};

    if (step_beside(srun, "squeue", path, sizeof path) < 0 ||
        step_ask(argv, env, state, sizeof state, NULL))
        return true;
    return strcmp(state, "RUNNING") == 0;
}
