/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "agent/comm/comm_clock.h"

#include <string.h>
#include <sys/stat.h>

#include "agent/comm/comm_collect.h"
#include "agent/comm/comm_sums.h"
#include "reports/core/clock.h"
#include "reports/core/crc32c.h"
#include "reports/core/slurp.h"

enum { ROUNDS = 20, TAG = 30000 };

/* What two ranks have alike when they read one clock: of 32 bits, so that a double
 * holds it. 0: the system does not say. */
static double kernel_of(void)
{
    char boot[64] = "";
    struct stat st;

    if (slurp_text("/proc/sys/kernel/random/boot_id", boot, sizeof boot) < 0 ||
        stat("/proc/self/ns/time", &st) != 0)
        return 0;
    return crc32c(crc32c(0, boot, strlen(boot)), &st.st_ino, sizeof st.st_ino);
}

static int same_kernel(struct comm *c, bool *same, struct err *e)
{
    const double own = kernel_of();
    double most[2] = {own, -own};

    if (collect_reduce(c, most, 2, COMM_MAX, e) < 0)
        return -1;
    *same = most[0] == -most[1] && most[0] > 0;
    return 0;
}

/* By way of memory that outlives a failure: MPI may write there after it. */
static int move(struct mpi_comm *m, bool send, double *v, int n, int rank, struct err *e)
{
    double *mail = m->clock_mail;
    const size_t bytes = (size_t)n * sizeof *v;
    MPI_Request q;

    if (send)
        memcpy(mail, v, bytes);
    int rc = send ? MPI_Isend(mail, n, MPI_DOUBLE, rank, TAG, m->world, &q)
                  : MPI_Irecv(mail, n, MPI_DOUBLE, rank, TAG, m->world, &q);
    m->ops++;
    if (comm_check(m, rc, send ? "MPI_Isend" : "MPI_Irecv", e) < 0 ||
        sums_wait_mpi(m, &q, "another rank's clock", e) < 0)
        return -1;
    m->ops--; /* see comm_base.h: others have no part in it */
    if (!send)
        memcpy(v, mail, bytes);
    return 0;
}

/* The parent asks, the child answers with its clock; then it is told its offset. */
static int ask(struct mpi_comm *m, int child, struct err *e)
{
    struct clock_round rounds[ROUNDS];

    for (int i = 0; i < ROUNDS; i++) {
        rounds[i].t0 = clock_now();
        if (move(m, true, &rounds[i].t0, 1, child, e) < 0 ||
            move(m, false, &rounds[i].there, 1, child, e) < 0)
            return -1;
        rounds[i].t1 = clock_now();
    }
    const struct clock_offset o = clock_chain(clock_of_rounds(rounds, ROUNDS), m->base.clock);
    double v[2] = {o.seconds, o.bound};
    return move(m, true, v, 2, child, e);
}

static int answer(struct mpi_comm *m, int parent, struct err *e)
{
    double v[2];

    for (int i = 0; i < ROUNDS; i++) {
        if (move(m, false, v, 1, parent, e) < 0)
            return -1;
        v[0] = clock_now();
        if (move(m, true, v, 1, parent, e) < 0)
            return -1;
    }
    if (move(m, false, v, 2, parent, e) < 0)
        return -1;
    m->base.clock = (struct clock_offset){v[0], v[1]};
    return 0;
}

/* Ranks of one place read one clock: a node, in a test a rank. */
static int place_of(const struct mpi_comm *m, int rank)
{
    return m->ask_clocks ? rank : m->peers[rank].node;
}

static int leader_of(const struct mpi_comm *m, int place)
{
    int rank = 0;

    while (place_of(m, rank) != place)
        rank++;
    return rank;
}

/* Place i learns from place i less its highest bit. */
static int along_tree(struct mpi_comm *m, struct err *e)
{
    const int own = place_of(m, m->base.rank);
    const int places = m->ask_clocks ? m->base.size : m->n_nodes;

    for (int bit = 1; bit < places; bit *= 2) {
        if (own < bit && own + bit < places && ask(m, leader_of(m, own + bit), e) < 0)
            return -1;
        if (own >= bit && own < 2 * bit && answer(m, leader_of(m, own - bit), e) < 0)
            return -1;
    }
    return 0;
}

/* A place's first rank tells the others of it. */
static int tell_place(struct mpi_comm *m, struct err *e)
{
    const int place = place_of(m, m->base.rank), leader = leader_of(m, place);
    double v[2] = {m->base.clock.seconds, m->base.clock.bound};

    if (m->base.rank != leader) {
        if (move(m, false, v, 2, leader, e) < 0)
            return -1;
        m->base.clock = (struct clock_offset){v[0], v[1]};
        return 0;
    }
    for (int i = 0; i < m->base.size; i++)
        if (i != leader && place_of(m, i) == place && move(m, true, v, 2, i, e) < 0)
            return -1;
    return 0;
}

int clock_compare(struct comm *c, struct err *e)
{
    struct mpi_comm *m = mpi_of(c);
    bool same = m->one_kernel;

    if (comm_usable(m, e) < 0)
        return -1;
    if (c->size == 1)
        c->clock_method = "one rank";
    if (c->size == 1 || m->one_kernel)
        return 0;
    if (!m->ask_clocks && !c->clock_method && same_kernel(c, &same, e) < 0)
        return -1;
    m->one_kernel = same;
    c->clock_method = same ? "same kernel" : "ping-pong";
    c->clock = (struct clock_offset){0, 0};
    if (same)
        return 0;
    if (leader_of(m, place_of(m, c->rank)) == c->rank && along_tree(m, e) < 0)
        return -1;
    return tell_place(m, e);
}
