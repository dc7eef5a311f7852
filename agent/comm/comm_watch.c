/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Waiting for other ranks, and finding out which of them is missing.
 *
 * Ranks on this node are watched through pidfds: their end is seen within
 * milliseconds. Over nodes, a rank whose wait has taken too long *calls the
 * roll*: it asks every rank, and every rank that waits or makes progress
 * answers with the number of operations it has begun. Who waits, too, and
 * hears a call joins it, so that all survivors come to the same end together.
 */
#include <config.h>

#include "agent/comm/comm_watch.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "reports/core/clock.h"

enum { TAG_ASK = 1, TAG_HERE = 2, SPINS = 2000, YIELDS = 4000, NAMES = 4 };

static const double poll_seconds = 0.02;
static const double still_seconds = 2;  /* who has not polled for so long stood still */
static const double answer_seconds = 5; /* at most, for answers to a roll call */
static const double late_seconds = 2;   /* likewise, when the run's time is over */

void wait_begin(struct wait *w, const char *what)
{
    double now = clock_now();

    *w = (struct wait){.what = what, .begun = now, .last = now, .polled = now};
}

void wait_moved(struct wait *w)
{
    w->idle = 0;
    w->last = clock_now();
}

static bool watchable(const struct mpi_comm *m, int rank)
{
    const struct peer_card *own = &m->peers[m->base.rank].card;
    const struct peer_card *c = &m->peers[rank].card;

    return rank != m->base.rank && c->leader == own->leader && c->pid_space == own->pid_space &&
           c->pid_space != 0;
}

void watch_open(struct mpi_comm *m)
{
    for (int i = 0; i < m->base.size; i++)
        m->peers[i].pidfd = -1;
#ifdef SYS_pidfd_open
    for (int i = 0; i < m->base.size; i++)
        if (watchable(m, i))
            m->peers[i].pidfd = (int)syscall(SYS_pidfd_open, m->peers[i].card.pid, 0);
#endif
}

void watch_close(struct mpi_comm *m)
{
    for (int i = 0; i < m->base.size; i++)
        if (m->peers[i].pidfd >= 0)
            close(m->peers[i].pidfd);
}

static bool has_ended(const struct peer *p)
{
    struct pollfd f = {.fd = p->pidfd, .events = POLLIN};

    return p->pidfd >= 0 && poll(&f, 1, 0) == 1 && (f.revents & POLLIN);
}

/* 'T' when a signal or a debugger has stopped it; 0 unknown. */
static char process_state(int pid)
{
    char path[64], line[512], state = 0;

    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    FILE *f = fopen(path, "re");
    if (!f)
        return 0;
    if (fgets(line, sizeof line, f)) {
        char *end = strrchr(line, ')');
        if (end && end[1] == ' ')
            state = end[2];
    }
    fclose(f);
    return state;
}

/* A rank of this node that has ended; -1 none. */
static int find_ended(struct mpi_comm *m)
{
    for (int i = 0; i < m->base.size; i++)
        if (has_ended(&m->peers[i]))
            return i;
    return -1;
}

static int send_roll(struct mpi_comm *m, int to, int tag, struct err *e)
{
    MPI_Request q;

    m->answers[to] = m->ops;
    if (comm_check(m, MPI_Isend(&m->answers[to], 1, MPI_INT64_T, to, tag, m->roll, &q), "MPI_Isend",
                   e) < 0)
        return -1;
    MPI_Request_free(&q);
    return 0;
}

int watch_answer(struct mpi_comm *m, struct err *e)
{
    for (;;) {
        MPI_Status s;
        int there = 0;
        int64_t ops;
        if (comm_check(m, MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, m->roll, &there, &s),
                       "MPI_Iprobe", e) < 0)
            return -1;
        if (!there)
            return 0;
        if (comm_check(
                m,
                MPI_Recv(&ops, 1, MPI_INT64_T, s.MPI_SOURCE, s.MPI_TAG, m->roll, MPI_STATUS_IGNORE),
                "MPI_Recv", e) < 0)
            return -1;
        m->peers[s.MPI_SOURCE].heard = true;
        m->peers[s.MPI_SOURCE].ops = ops;
        if (s.MPI_TAG != TAG_ASK)
            continue;
        m->called = true;
        if (send_roll(m, s.MPI_SOURCE, TAG_HERE, e) < 0)
            return -1;
    }
}

static const char *fate(const struct mpi_comm *m, int rank)
{
    const struct peer *p = &m->peers[rank];

    if (has_ended(p))
        return "has ended";
    char state = watchable(m, rank) ? process_state(p->card.pid) : 0;
    if (state == 'T' || state == 't')
        return "is stopped";
    if (state == 'D')
        return "hangs in the kernel";
    return p->heard ? "is alive but late" : "does not answer";
}

/* "rank 2 (n1) is stopped, rank 5 (n3) does not answer" of the ranks that are
 * gone, or, when all answer, of those that are behind. */
static int list_missing(struct mpi_comm *m, bool gone, char *text, size_t size)
{
    int found = 0, first = -1;
    size_t at = 0;

    text[0] = '\0';
    for (int i = 0; i < m->base.size; i++) {
        const struct peer *p = &m->peers[i];
        if (i == m->base.rank || (gone ? !p->gone : p->ops >= m->ops))
            continue;
        if (first < 0)
            first = i;
        if (found++ < NAMES && at < size)
            at += (size_t)snprintf(text + at, size - at, "%srank %d (%s) %s", at ? ", " : "", i,
                                   comm_node(m, i), fate(m, i));
    }
    if (found > NAMES && at < size)
        snprintf(text + at, size - at, " and %d more", found - NAMES);
    return first;
}

static bool is_over(const struct mpi_comm *m)
{
    return m->over && m->over(m->options_ctx);
}

/* Asks all, waits for answers, and makes the sentence. Always -1. */
static int call_roll(struct mpi_comm *m, const struct wait *w, struct err *e)
{
    char names[384];
    double patience = m->timeout_seconds / 4;

    if (patience > answer_seconds)
        patience = answer_seconds;
    if (is_over(m) && patience > late_seconds)
        patience = late_seconds;
    for (int i = 0; i < m->base.size; i++)
        m->peers[i].heard = i == m->base.rank;
    for (int i = 0; i < m->base.size; i++)
        if (i != m->base.rank && !has_ended(&m->peers[i]) && send_roll(m, i, TAG_ASK, e) < 0)
            return -1;
    for (double end = clock_now() + patience; clock_now() < end;) {
        if (watch_answer(m, e) < 0)
            return -1;
        nanosleep(&(struct timespec){0, 2000000}, NULL);
    }
    for (int i = 0; i < m->base.size; i++)
        m->peers[i].gone = !m->peers[i].heard;
    int culprit = list_missing(m, true, names, sizeof names);
    if (culprit < 0)
        culprit = list_missing(m, false, names, sizeof names);
    if (culprit < 0)
        snprintf(names, sizeof names, "all ranks answer, but messages do not arrive");
    err_set(e, "waited %.0f s for %s: %s", clock_now() - w->last, w->what, names);
    return comm_fail(m, culprit, e);
}

static void pause_for(struct mpi_comm *m, struct wait *w)
{
    unsigned idle = w->idle++;

    if (idle < SPINS && !m->crowded)
        return;
    if (idle < YIELDS) {
        sched_yield();
        return;
    }
    long steps = (long)(idle - YIELDS) / 16 + 1;
    nanosleep(&(struct timespec){0, steps < 20 ? steps * 50000 : 1000000}, NULL);
}

int wait_pause(struct mpi_comm *m, struct wait *w, struct err *e)
{
    pause_for(m, w);
    if (w->idle < SPINS && w->idle % 64 != 0)
        return 0;
    double now = clock_now();
    double gap = now - w->polled;
    if (gap < poll_seconds)
        return 0;
    if (gap > still_seconds) /* a suspended job: the others stood too; this is not a wait */
        w->last += gap;
    w->polled = now;
    if (watch_answer(m, e) < 0)
        return -1;
    int ended = find_ended(m);
    if (ended >= 0) {
        m->peers[ended].gone = true;
        err_set(e, "rank %d (%s) has ended while rank %d waited for %s", ended, comm_node(m, ended),
                m->base.rank, w->what);
        return comm_fail(m, ended, e);
    }
    double waited = now - w->last;
    if (waited >= m->timeout_seconds || (m->called && waited >= m->timeout_seconds / 2) ||
        is_over(m))
        return call_roll(m, w, e);
    return 0;
}

void watch_linger(struct mpi_comm *m, double seconds)
{
    double end = clock_now() + seconds;

    while (clock_now() < end && watch_answer(m, NULL) == 0)
        nanosleep(&(struct timespec){0, 5000000}, NULL);
}
