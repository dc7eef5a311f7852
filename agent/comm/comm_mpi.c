/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "agent/comm/comm_mpi.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/comm/comm_clock.h"
#include "agent/comm/comm_collect.h"
#include "agent/comm/comm_echo.h"
#include "agent/comm/comm_mail.h"
#include "agent/comm/comm_share.h"
#include "agent/comm/comm_sums.h"
#include "agent/comm/comm_watch.h"

static const double default_timeout_seconds = 300;

static struct comm *of_node(struct comm *c, struct err *e);

static const struct comm table = {
    .alloc = sums_alloc,
    .free = sums_free,
    .allreduce_start = sums_start,
    .progress = sums_progress,
    .wait = sums_wait,
    .of_node = of_node,
    .close = comm_mpi_destroy,
    .reduce = collect_reduce,
    .broadcast = collect_broadcast,
    .allgatherv = collect_allgatherv,
    .gatherv = collect_gatherv,
    .barrier = collect_barrier,
    .compare_clocks = clock_compare,
    .echo = echo_send,
    .node_of = comm_mpi_node_index,
};

static void number_nodes(struct mpi_comm *m)
{
    for (int i = 0; i < m->base.size; i++) {
        int leader = m->peers[i].card.leader;
        m->peers[i].node = leader == i ? m->n_nodes++ : m->peers[leader].node;
    }
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Whether two nodes have one name; the same on all ranks. */
static bool names_clash(const struct mpi_comm *m)
{
    const char **names = malloc((size_t)m->n_nodes * sizeof *names);
    bool clash = false;

    for (int i = 0, n = 0; names && i < m->base.size; i++)
        if (m->peers[i].card.leader == i)
            names[n++] = m->peers[i].card.host;
    if (names)
        qsort(names, (size_t)m->n_nodes, sizeof *names, by_name);
    for (int i = 1; names && i < m->n_nodes; i++)
        clash |= strcmp(names[i - 1], names[i]) == 0;
    free(names);
    return clash;
}

/* Tells everybody who this rank is and learns who they are. node: NULL: by
 * host name. */
static int exchange_cards(struct mpi_comm *m, const char *node, struct err *e)
{
    int size = m->base.size, leader = m->base.rank;
    struct stat st;
    struct peer_card own = {.pid = (int32_t)getpid()};
    MPI_Request q;

    if (comm_check(m, MPI_Bcast(&leader, 1, MPI_INT, 0, m->local), "MPI_Bcast", e) < 0)
        return -1;
    own.leader = leader;
    if (node)
        snprintf(own.host, sizeof own.host, "%s", node);
    else
        gethostname(own.host, sizeof own.host - 1);
    if (stat("/proc/self/ns/pid", &st) == 0)
        own.pid_space = st.st_ino;
    struct peer_card *all = calloc((size_t)size, sizeof *all);
    if (!all)
        return err_set(e, "out of memory for %d ranks", size);
    int rc = comm_check(
        m, MPI_Iallgather(&own, sizeof own, MPI_BYTE, all, sizeof own, MPI_BYTE, m->world, &q),
        "MPI_Iallgather", e);
    for (int i = 0; i < size && rc == 0; i++)
        m->peers[i].pidfd = -1;
    if (rc == 0)
        rc = sums_wait_mpi(m, &q, "the ranks' names", e);
    for (int i = 0; i < size && rc == 0; i++)
        m->peers[i].card = all[i];
    if (rc == 0) {
        m->n_nodes = 0;
        number_nodes(m);
        free(all);
    }
    return rc;
}

/* Splits the world, or the node that is one; everything here blocks in MPI. */
static int open_world(struct mpi_comm *m, MPI_Comm of, const char *node, struct err *e)
{
    int rank = m->base.rank;

    comm_blocking(m, "MPI_Comm_dup");
    int rc = MPI_Comm_dup(of, &m->world);
    if (rc == MPI_SUCCESS)
        rc = MPI_Comm_dup(of, &m->roll);
    if (rc == MPI_SUCCESS)
        rc = MPI_Comm_split_type(m->world, MPI_COMM_TYPE_SHARED, rank, MPI_INFO_NULL, &m->local);
    if (comm_check(m, rc, "MPI_Comm_dup", e) < 0)
        return -1;
    MPI_Comm_set_errhandler(m->world, MPI_ERRORS_RETURN);
    MPI_Comm_set_errhandler(m->roll, MPI_ERRORS_RETURN);
    MPI_Comm_set_errhandler(m->local, MPI_ERRORS_RETURN);
    MPI_Comm_rank(m->local, &m->base.local_rank);
    MPI_Comm_size(m->local, &m->base.local_size);
    rc = exchange_cards(m, node, e);
    double clash = rc == 0 && names_clash(m);
    if (rc == 0)
        rc = collect_reduce(&m->base, &clash, 1, COMM_MAX, e);
    if (rc == 0 && clash > 0)
        rc = exchange_cards(m, NULL, e);
    m->base.node = comm_node(m, rank);
    comm_blocking(m, NULL);
    return rc;
}

/* More ranks here than cores they may run on. */
static bool is_crowded(const struct mpi_comm *m)
{
    cpu_set_t set;

    if (sched_getaffinity(0, sizeof set, &set) != 0)
        return m->base.local_size > sysconf(_SC_NPROCESSORS_ONLN);
    return CPU_COUNT(&set) > 1 && m->base.local_size > CPU_COUNT(&set);
}

/* Over the ranks of `of`. */
static struct comm *create(MPI_Comm of, const struct comm_mpi_options *o, struct err *e)
{
    struct mpi_comm *m = calloc(1, sizeof *m);

    if (!m) {
        err_set(e, "out of memory");
        return NULL;
    }
    m->base = table;
    m->timeout_seconds = o->timeout_seconds > 0 ? o->timeout_seconds : default_timeout_seconds;
    m->ask_clocks = o->ask_clocks;
    m->no_window = o->no_window;
    m->blocking = o->blocking;
    m->over = o->over;
    m->options_ctx = o->ctx;
    m->culprit = -1;
    m->world = m->roll = m->local = MPI_COMM_NULL;
    MPI_Comm_rank(of, &m->base.rank);
    MPI_Comm_size(of, &m->base.size);
    size_t size = (size_t)m->base.size;
    m->peers = calloc(size, sizeof *m->peers);
    m->answers = calloc(size, sizeof *m->answers);
    m->at = calloc(size, sizeof *m->at);
    if (!m->peers || !m->answers || !m->at) {
        err_set(e, "out of memory for %zu ranks", size);
        goto fail;
    }
    if (open_world(m, of, o->node, e) < 0)
        goto fail;
    watch_open(m);
    m->crowded = is_crowded(m);
    if (m->n_nodes == 1 && size > 1 && !o->no_window && share_open(m, e) < 0 && m->failed)
        goto fail;
    return &m->base;
fail:
    m->failed = true;
    comm_mpi_destroy(&m->base);
    return NULL;
}

struct comm *comm_mpi_create(const struct comm_mpi_options *o, struct err *e)
{
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    return create(MPI_COMM_WORLD, o, e);
}

/* It waits as long, and ends when this one would. */
static struct comm *of_node(struct comm *c, struct err *e)
{
    struct mpi_comm *m = mpi_of(c);
    const struct comm_mpi_options o = {.timeout_seconds = m->timeout_seconds,
                                       .no_window = m->no_window,
                                       .ask_clocks = m->ask_clocks,
                                       .blocking = m->blocking,
                                       .over = m->over,
                                       .ctx = m->options_ctx,
                                       .node = comm_node(m, c->rank)};

    return comm_usable(m, e) < 0 ? NULL : create(m->local, &o, e);
}

void comm_mpi_destroy(struct comm *c)
{
    struct mpi_comm *m = mpi_of(c);

    if (!c)
        return;
    if (!m->failed) {
        share_close(m);
        MPI_Comm_free(&m->local);
        MPI_Comm_free(&m->roll);
        MPI_Comm_free(&m->world);
        mail_close(m);
    }
    watch_close(m);
    free(m->peers);
    free(m->answers);
    free(m->at);
    if (!m->failed)
        free(m);
}

const char *comm_mpi_node(const struct comm *c, int rank)
{
    return comm_node((const struct mpi_comm *)c, rank);
}

int comm_mpi_node_index(const struct comm *c, int rank)
{
    return ((const struct mpi_comm *)c)->peers[rank].node;
}

int comm_mpi_nodes(const struct comm *c)
{
    return ((const struct mpi_comm *)c)->n_nodes;
}

bool comm_mpi_failed(const struct comm *c)
{
    return ((const struct mpi_comm *)c)->failed;
}

int comm_mpi_culprit(const struct comm *c)
{
    return ((const struct mpi_comm *)c)->culprit;
}

int comm_mpi_speaker(const struct comm *c)
{
    const struct mpi_comm *m = (const struct mpi_comm *)c;

    for (int i = 0; i < c->size; i++)
        if (!m->peers[i].gone)
            return i;
    return c->rank;
}

void comm_mpi_linger(struct comm *c, double seconds)
{
    watch_linger(mpi_of(c), seconds);
}

bool comm_mpi_shared(const struct comm *c, const void *p)
{
    return window_of((const struct mpi_comm *)c, p) != NULL;
}
