/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The kernel's own perf events: the software ones, which need no PMU, and the
 * generic hardware ones when PAPI has none. PAPI is not asked for software
 * events: without a PMU it can neither attach to a thread nor inherit, and
 * where libpfm does not know the processor it is off altogether.
 *
 * Each event is opened for every thread there is, inherited by the threads
 * they start: every thread is counted from its first instruction, also those
 * that end between two borders.
 */
#include <config.h>

#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "papi/backend.h"

/* A switch or a migration happens in the kernel: it silently reads 0 when
 * the kernel is excluded, so it is asked for with it or not at all. */
static const struct event {
    int counter;
    uint32_t type;
    uint64_t config;
    bool kernel; /* asked for with the kernel's part */
    double scale;
    const char *name;
    const char *covers;
} events[] = {
#define EVENT(counter, kind, name, kernel, scale, covers)                                          \
    {                                                                                              \
        COUNTER_##counter, PERF_TYPE_##kind, PERF_COUNT_##name, kernel, scale,                     \
            "PERF_COUNT_" #name, covers                                                            \
    }
    EVENT(cycles, HARDWARE, HW_CPU_CYCLES, false, 1, ", user code"),
    EVENT(instructions, HARDWARE, HW_INSTRUCTIONS, false, 1, ", user code"),
    EVENT(l3_misses, HARDWARE, HW_CACHE_MISSES, false, 1, ", user code"),
    EVENT(branch_misses, HARDWARE, HW_BRANCH_MISSES, false, 1, ", user code"),
    EVENT(perf_task_clock_seconds, SOFTWARE, SW_TASK_CLOCK, false, 1e-9, ""),
    EVENT(perf_page_faults, SOFTWARE, SW_PAGE_FAULTS, false, 1, ", user code"),
    EVENT(perf_context_switches, SOFTWARE, SW_CONTEXT_SWITCHES, true, 1, ""),
    EVENT(perf_cpu_migrations, SOFTWARE, SW_CPU_MIGRATIONS, true, 1, ""),
#undef EVENT
};

enum { EVENTS = sizeof(events) / sizeof(*events), MAX_THREADS = 64 };

/* As the kernel gives it. */
struct reading {
    uint64_t value, enabled, running;
};

/* One event of one thread and of all that it starts. */
struct counted {
    int fd;
    int source;
    int counter;
    struct reading last;
    double sum; /* scaled up by interval, so that it never goes backwards */
};

struct state {
    pid_t threads[MAX_THREADS];
    int n_threads;
    struct counted *counted;
    int n;
};

static int open_event(const struct event *ev, pid_t tid)
{
    struct perf_event_attr a = {
        .size = sizeof(a),
        .type = ev->type,
        .config = ev->config,
        .read_format = PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING,
        .inherit = 1,
        .exclude_kernel = !ev->kernel,
        .exclude_hv = 1,
    };
    int fd;

#ifdef HAVE_STRUCT_PERF_EVENT_ATTR_INHERIT_THREAD
    a.inherit_thread = 1; /* not the programs it starts; Linux 5.13 */
    fd = (int)syscall(SYS_perf_event_open, &a, tid, -1, -1, PERF_FLAG_FD_CLOEXEC);
    if (fd >= 0 || errno != EINVAL)
        return fd;
    a.inherit_thread = 0;
#endif
    fd = (int)syscall(SYS_perf_event_open, &a, tid, -1, -1, PERF_FLAG_FD_CLOEXEC);
    return fd;
}

static void say_why(struct counters *c, const struct event *ev, int err)
{
    char level[32];

    read_line(c, "/proc/sys/kernel/perf_event_paranoid", level, sizeof(level));
    if (err == EACCES || err == EPERM)
        counter_bar(c, ev->counter, "%s: %s (kernel.perf_event_paranoid is %s)", ev->name,
                    strerror(err), level[0] ? level : "unknown, or a seccomp filter forbids it");
    else if (err == ENOENT || err == EOPNOTSUPP || err == ENODEV)
        counter_bar(c, ev->counter, "%s: the kernel has no such event here (no PMU)", ev->name);
    else
        counter_bar(c, ev->counter, "%s: %s", ev->name, strerror(err));
}

/* 1 counted, 0 refused and said why, -1 no memory. */
static int count(struct counters *c, struct state *st, const struct event *ev, pid_t tid)
{
    struct source s = {.counter = ev->counter, .scale = ev->scale};
    struct counted *more;
    int fd = open_event(ev, tid);

    if (fd < 0 && errno == ESRCH)
        return 1; /* the thread has ended meanwhile */
    if (fd < 0) {
        say_why(c, ev, errno);
        return 0;
    }
    more = realloc(st->counted, ((size_t)st->n + 1) * sizeof(*more));
    if (!more) {
        close(fd);
        return -1;
    }
    st->counted = more;
    more[st->n] = (struct counted){.fd = fd, .counter = ev->counter, .source = source_add(c, &s)};
    return more[st->n++].source < 0 ? -1 : 1;
}

static int thread(struct counters *c, const char *name, void *ctx)
{
    struct state *st = ctx;

    (void)c;
    if (st->n_threads < MAX_THREADS)
        st->threads[st->n_threads++] = (pid_t)strtol(name, NULL, 10);
    return 0;
}

static int probe(struct counters *c)
{
    struct state *st = calloc(1, sizeof(*st));

    if (!st)
        return -1;
    *backend_state(c, BACKEND_PERF) = st;
    if (each_own(c, "task", thread, st) <= 0)
        st->threads[st->n_threads++] = 0; /* no /proc: the calling thread */
    for (int i = 0; i < EVENTS; i++) {
        bool from_papi = counter_has_source(c, events[i].counter);
        int r = 1;

        for (int t = 0; t < st->n_threads && r > 0 && !from_papi; t++)
            r = count(c, st, &events[i], st->threads[t]);
        if (r < 0)
            return -1;
        if (!from_papi && counter_has_source(c, events[i].counter))
            counter_from(c, events[i].counter, "perf %s, all threads%s", events[i].name,
                         events[i].covers);
    }
    return 0;
}

/* Adds what was counted since the last reading, scaled up by the part of the
 * time for which the event had a counter. False: it never had one. */
static bool add(struct counted *k, const struct reading *now)
{
    double value = (double)(now->value - k->last.value);
    double enabled = (double)(now->enabled - k->last.enabled);
    double running = (double)(now->running - k->last.running);

    k->last = *now;
    if (enabled > 0 && running <= 0)
        return false;
    k->sum += running < enabled ? value * enabled / running : value;
    return true;
}

static void read_events(struct counters *c)
{
    struct state *st = *backend_state(c, BACKEND_PERF);

    for (int i = 0; i < st->n; i++) {
        struct counted *k = &st->counted[i];
        struct reading now;
        ssize_t n = read(k->fd, &now, sizeof(now));

        if (n != (ssize_t)sizeof(now))
            source_lost(c, k->source, "its perf event gave no reading: %s",
                        n < 0 ? strerror(errno) : "the kernel has switched it off");
        else if (!add(k, &now))
            source_lost(c, k->source, "the processor had no free counter for it");
        else
            source_now(c, k->source, k->sum);
        if (n == (ssize_t)sizeof(now) && now.enabled > 0)
            counter_ratio(c, k->counter, (double)now.running / (double)now.enabled);
    }
}

static void close_events(struct counters *c)
{
    struct state *st = *backend_state(c, BACKEND_PERF);

    if (!st)
        return;
    for (int i = 0; i < st->n; i++)
        close(st->counted[i].fd);
    free(st->counted);
    free(st);
}

const struct backend backend_perf = {.name = "perf",
                                     .bit = BACKEND_PERF,
                                     .probe = probe,
                                     .read = read_events,
                                     .close = close_events};
