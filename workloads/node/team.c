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

/* ---- processors ---- */

struct team_mask {
    int cpus; /* bits */
    cpu_set_t *set;
};

static void mask_free(struct team_mask *m)
{
    if (m)
        CPU_FREE(m->set);
    free(m);
}

static struct team_mask *mask_new(int cpus)
{
    struct team_mask *m = malloc(sizeof *m);

    if (!m || !(m->set = CPU_ALLOC((size_t)cpus))) {
        free(m);
        return NULL;
    }
    m->cpus = cpus;
    CPU_ZERO_S(CPU_ALLOC_SIZE(cpus), m->set);
    return m;
}

/* The caller's; NULL: not known. The kernel refuses a mask that is smaller than its own. */
static struct team_mask *mask_own(void)
{
    for (int cpus = CPU_SETSIZE; cpus <= TEAM_MOST; cpus *= 2) {
        struct team_mask *m = mask_new(cpus);
        if (m && sched_getaffinity(0, CPU_ALLOC_SIZE(cpus), m->set) == 0)
            return m;
        const int error = errno;
        mask_free(m);
        if (!m || error != EINVAL)
            return NULL;
    }
    return NULL;
}

int team_cpus(int *cpus, int most)
{
    struct team_mask *m = mask_own();
    int n = 0;

    for (int cpu = 0; m && cpu < m->cpus && n < most; cpu++)
        if (CPU_ISSET_S(cpu, CPU_ALLOC_SIZE(m->cpus), m->set))
            cpus[n++] = cpu;
    mask_free(m);
    return n;
}

int team_pin(int cpu, struct team_mask **before)
{
    struct team_mask *one = mask_new(TEAM_MOST);
    int rc = -1;

    if (before)
        *before = mask_own();
    if (one && cpu >= 0 && cpu < TEAM_MOST && (!before || *before)) {
        CPU_SET_S(cpu, CPU_ALLOC_SIZE(TEAM_MOST), one->set);
        rc = sched_setaffinity(0, CPU_ALLOC_SIZE(TEAM_MOST), one->set);
    }
    mask_free(one);
    if (rc < 0 && before) {
        mask_free(*before);
        *before = NULL;
    }
    return rc;
}

void team_unpin(struct team_mask *before)
{
    if (before)
        sched_setaffinity(0, CPU_ALLOC_SIZE(before->cpus), before->set);
    mask_free(before);
}

/* ---- children ---- */

/* In the child, which never returns. */
static void child(const int *cpus, int (*work)(void *ctx, int i), void *ctx, int i)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (cpus && team_pin(cpus[i], NULL) < 0)
        _exit(2);
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
