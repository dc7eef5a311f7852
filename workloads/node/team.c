/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/node/team.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "reports/core/clock.h"

void *team_memory(size_t bytes)
{
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    return p == MAP_FAILED ? NULL : p;
}

void team_free(void *p, size_t bytes)
{
    if (p)
        munmap(p, bytes);
}

int team_cpus(int *cpus, int most)
{
    cpu_set_t all;
    int n = 0;

    if (sched_getaffinity(0, sizeof all, &all) != 0)
        return 0;
    for (int cpu = 0; cpu < CPU_SETSIZE && n < most; cpu++)
        if (CPU_ISSET(cpu, &all))
            cpus[n++] = cpu;
    return n;
}

/* In the child, which never returns. */
static void child(const int *cpus, int (*work)(void *ctx, int i), void *ctx, int i)
{
    cpu_set_t one;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (cpus) {
        CPU_ZERO(&one);
        CPU_SET(cpus[i], &one);
        if (sched_setaffinity(0, sizeof one, &one) != 0)
            _exit(2);
    }
    _exit(work(ctx, i) == 0 ? 0 : 1);
}

static void kill_all(const pid_t *pids, int n)
{
    for (int i = 0; i < n; i++)
        if (pids[i] > 0)
            kill(pids[i], SIGKILL);
}

/* The ends of all; those that run at `until` are killed. */
static void reap(pid_t *pids, int n, double until, int *ends)
{
    int left = n;
    bool late = false;

    while (left > 0) {
        for (int i = 0; i < n; i++) {
            int status;
            if (pids[i] <= 0 || waitpid(pids[i], &status, late ? 0 : WNOHANG) != pids[i])
                continue;
            pids[i] = 0;
            left--;
            ends[i] = late && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL ? TEAM_LATE
                      : WIFSIGNALED(status)                                      ? WTERMSIG(status)
                      : WEXITSTATUS(status) == 0                                 ? TEAM_OK
                                                                                 : TEAM_FAILED;
        }
        if (left > 0 && !late && clock_now() >= until) {
            kill_all(pids, n);
            late = true;
        } else if (left > 0 && !late) {
            nanosleep(&(struct timespec){0, 5000000}, NULL);
        }
    }
}

int team_run(int n, const int *cpus, double seconds, int (*work)(void *ctx, int i), void *ctx,
             int *ends, struct err *e)
{
    pid_t *pids = calloc((size_t)n, sizeof *pids);
    int started = 0;

    if (!pids)
        return err_set(e, "out of memory for %d processes", n);
    for (; started < n; started++) {
        pids[started] = fork();
        if (pids[started] == 0)
            child(cpus, work, ctx, started);
        if (pids[started] < 0)
            break;
    }
    if (started < n) {
        err_set(e, "process %d of %d cannot be started: %s", started + 1, n, strerror(errno));
        kill_all(pids, started);
    }
    reap(pids, started, clock_now() + seconds, ends);
    free(pids);
    return started < n ? -1 : 0;
}
