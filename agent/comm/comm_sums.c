/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "agent/comm/comm_sums.h"

#include <stdlib.h>

#include "agent/comm/comm_mail.h"
#include "agent/comm/comm_share.h"
#include "agent/comm/comm_watch.h"
#include "reports/core/clock.h"

static const double answer_every_seconds = 0.05;

/* Moves every sum under way; *moved when anything happened. */
static int move_all(struct mpi_comm *m, bool waiting, bool *moved, struct err *e)
{
    if (m->active == 0)
        return 0;
    m->looked[1] = m->looked[0];
    m->looked[0] = clock_now();
    for (int i = 0; i < COMM_REQUESTS; i++) {
        struct request *r = &m->requests[i];
        if (r->state == REQUEST_SHARED)
            *moved |= share_move(m, r, waiting);
        else if (r->state == REQUEST_MAIL && mail_move(m, r, moved, e) < 0)
            return -1;
        else
            continue;
        m->active -= r->state == REQUEST_DONE;
    }
    return 0;
}

/* A turn of a wait: moves the sums, or rests when none moved. */
static int wait_on(struct mpi_comm *m, struct wait *w, struct err *e)
{
    bool moved = false;

    if (move_all(m, true, &moved, e) < 0)
        return -1;
    if (!moved)
        return wait_pause(m, w, e);
    wait_moved(w);
    return 0;
}

int sums_wait_mpi(struct mpi_comm *m, MPI_Request *q, const char *what, struct err *e)
{
    struct wait w;
    int done = 0;

    wait_begin(&w, what);
    for (;;) {
        if (comm_check(m, MPI_Test(q, &done, MPI_STATUS_IGNORE), "MPI_Test", e) < 0)
            return -1;
        if (done)
            return 0;
        if (wait_on(m, &w, e) < 0)
            return -1;
    }
}

void *sums_alloc(struct comm *c, size_t bytes, struct err *e)
{
    struct mpi_comm *m = mpi_of(c);

    if (comm_usable(m, e) < 0)
        return NULL;
    if (m->share) {
        struct window *w = window_open(m, bytes ? bytes : 1, e);
        return w ? w->base : NULL;
    }
    return comm_self()->alloc(comm_self(), bytes, e);
}

void sums_free(struct comm *c, void *p)
{
    struct mpi_comm *m = mpi_of(c);
    struct window *w = p ? window_of(m, p) : NULL;

    if (w)
        window_close(m, w);
    else if (!m->failed) /* MPI may still write into it */
        free(p);
}

int sums_start(struct comm *c, float *buf, size_t n, int *request, struct err *e)
{
    struct mpi_comm *m = mpi_of(c);
    int i = 0;

    if (comm_usable(m, e) < 0)
        return -1;
    while (i < COMM_REQUESTS && m->requests[i].state != REQUEST_FREE)
        i++;
    if (i == COMM_REQUESTS)
        return err_set(e, "more than %d sums are under way", COMM_REQUESTS);
    struct request *r = &m->requests[i];
    r->buf = buf;
    r->n = n;
    r->half = r->done = r->since = 0;
    r->window = window_of(m, buf);
    *request = i;
    m->ops++;
    if (n == 0 || c->size == 1) {
        r->state = REQUEST_DONE;
        return 0;
    }
    m->active++;
    if (r->window) {
        r->state = REQUEST_SHARED;
        share_start(m, r);
        return 0;
    }
    r->state = REQUEST_MAIL;
    return mail_start(m, r, e) < 0 ? comm_fail(m, c->rank, e) : 0;
}

int sums_progress(struct comm *c, struct err *e)
{
    struct mpi_comm *m = mpi_of(c);
    bool moved = false;

    if (comm_usable(m, e) < 0 || move_all(m, false, &moved, e) < 0)
        return -1;
    double now = clock_now();
    if (now - m->last_poll < answer_every_seconds)
        return 0;
    m->last_poll = now;
    return watch_answer(m, e);
}

int sums_wait(struct comm *c, int request, struct err *e)
{
    struct mpi_comm *m = mpi_of(c);
    struct request *r = &m->requests[request];
    struct wait w;

    if (comm_usable(m, e) < 0)
        return -1;
    wait_begin(&w, "the sum of gradients");
    while (r->state != REQUEST_DONE)
        if (wait_on(m, &w, e) < 0)
            return -1;
    r->state = REQUEST_FREE;
    c->half = r->half;
    c->done = r->done;
    c->since = r->since;
    return 0;
}
