/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "agent/comm/comm_mpi.h"

#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/comm/comm_mail.h"
#include "agent/comm/comm_share.h"
#include "agent/comm/comm_watch.h"
#include "reports/core/clock.h"

static const double default_timeout_seconds = 300;
static const double answer_every_seconds = 0.05;

/* What failed once fails with the same sentence. */
static int usable(const struct mpi_comm *m, struct err *e)
{
    return m->failed ? err_set(e, "%s", m->why.text) : 0;
}

/* ---- waiting ---- */

/* Moves every sum under way; *moved when anything happened. */
static int move_all(struct mpi_comm *m, bool waiting, bool *moved, struct err *e)
{
    if (m->active == 0)
        return 0;
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

/* Until an MPI request is done. what: "the barrier". */
static int wait_mpi(struct mpi_comm *m, MPI_Request *q, const char *what, struct err *e)
{
    struct wait w;
    int done = 0;

    wait_begin(&w, what);
    for (;;) {
        bool moved = false;
        if (comm_check(m, MPI_Test(q, &done, MPI_STATUS_IGNORE), "MPI_Test", e) < 0)
            return -1;
        if (done)
            return 0;
        if (move_all(m, true, &moved, e) < 0)
            return -1;
        if (moved)
            wait_moved(&w);
        else if (wait_pause(m, &w, e) < 0)
            return -1;
    }
}

/* ---- sums ---- */

static void *mpi_alloc(struct comm *c, size_t bytes, struct err *e)
{
    struct mpi_comm *m = mpi_of(c);

    if (usable(m, e) < 0)
        return NULL;
    if (m->share) {
        struct window *w = window_open(m, bytes ? bytes : 1, e);
        return w ? w->base : NULL;
    }
    return comm_self()->alloc(comm_self(), bytes, e);
}

static void mpi_free(struct comm *c, void *p)
{
    struct mpi_comm *m = mpi_of(c);
    struct window *w = p ? window_of(m, p) : NULL;

    if (w)
        window_close(m, w);
    else if (!m->failed) /* MPI may still write into it */
        free(p);
}

static int mpi_start(struct comm *c, float *buf, size_t n, int *request, struct err *e)
{
    struct mpi_comm *m = mpi_of(c);
    int i = 0;

    if (usable(m, e) < 0)
        return -1;
    while (i < COMM_REQUESTS && m->requests[i].state != REQUEST_FREE)
        i++;
    if (i == COMM_REQUESTS)
        return err_set(e, "more than %d sums are under way", COMM_REQUESTS);
    struct request *r = &m->requests[i];
    r->buf = buf;
    r->n = n;
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

static int mpi_progress(struct comm *c, struct err *e)
{
    struct mpi_comm *m = mpi_of(c);
    bool moved = false;

    if (usable(m, e) < 0 || move_all(m, false, &moved, e) < 0)
        return -1;
    double now = clock_now();
    if (now - m->last_poll < answer_every_seconds)
        return 0;
    m->last_poll = now;
    return watch_answer(m, e);
}

static int mpi_wait(struct comm *c, int request, struct err *e)
{
    struct mpi_comm *m = mpi_of(c);
    struct request *r = &m->requests[request];
    struct wait w;

    if (usable(m, e) < 0)
        return -1;
    wait_begin(&w, "the sum of gradients");
    while (r->state != REQUEST_DONE) {
        bool moved = false;
        if (move_all(m, true, &moved, e) < 0)
            return -1;
        if (moved)
            wait_moved(&w);
        else if (wait_pause(m, &w, e) < 0)
            return -1;
    }
    r->state = REQUEST_FREE;
    return 0;
}

/* ---- blocking ---- */

enum { SUM_BYTES = 1 << 20 };

static void fold(double *v, const double *all, int n, int size)
{
    for (int i = 0; i < n; i++) {
        v[i] = all[i];
        for (int r = 1; r < size; r++)
            v[i] += all[(size_t)r * (size_t)n + (size_t)i];
    }
}

/* Memory for an operation that is posted. After a failure the operation is
 * still posted and MPI may write there at any time: it is never given back,
 * and it is never the caller's, whose stack it may be. */
static void *posted_memory(struct mpi_comm *m, struct comm *c, size_t bytes, struct err *e)
{
    void *p = malloc(bytes);

    if (!p) {
        err_set(e, "out of memory to exchange %zu bytes", bytes);
        comm_fail(m, c->rank, e);
    }
    return p;
}

/* MIN and MAX do not depend on the order: MPI's own way, which takes no more
 * memory with more ranks. */
static int reduce_any_order(struct mpi_comm *m, double *v, int n, enum comm_op op, struct err *e)
{
    size_t count = (size_t)n;
    MPI_Request q;
    double *mine = posted_memory(m, &m->base, 2 * count * sizeof *mine, e);

    if (!mine)
        return -1;
    memcpy(mine, v, count * sizeof *mine);
    m->ops++;
    if (comm_check(m,
                   MPI_Iallreduce(mine, mine + count, n, MPI_DOUBLE,
                                  op == COMM_MIN ? MPI_MIN : MPI_MAX, m->world, &q),
                   "MPI_Iallreduce", e) < 0 ||
        wait_mpi(m, &q, "numbers of all ranks", e) < 0)
        return -1;
    memcpy(v, mine + count, count * sizeof *mine);
    free(mine);
    return 0;
}

static int sum_piece(struct mpi_comm *m, double *v, int n, struct err *e)
{
    size_t count = (size_t)n, size = (size_t)m->base.size;
    MPI_Request q;
    double *all = posted_memory(m, &m->base, (size + 1) * count * sizeof *all, e);

    if (!all)
        return -1;
    double *mine = all + size * count;
    memcpy(mine, v, count * sizeof *mine);
    m->ops++;
    if (comm_check(m, MPI_Iallgather(mine, n, MPI_DOUBLE, all, n, MPI_DOUBLE, m->world, &q),
                   "MPI_Iallgather", e) < 0 ||
        wait_mpi(m, &q, "numbers of all ranks", e) < 0)
        return -1;
    fold(v, all, n, m->base.size);
    free(all);
    return 0;
}

/* A sum in rank order needs all ranks' numbers: so many at a time that they
 * take SUM_BYTES, whatever the number of ranks. */
static int mpi_reduce(struct comm *c, double *v, int n, enum comm_op op, struct err *e)
{
    struct mpi_comm *m = mpi_of(c);
    int most = (int)(SUM_BYTES / sizeof *v) / c->size;

    if (usable(m, e) < 0)
        return -1;
    if (c->size == 1 || n == 0)
        return 0;
    if (op != COMM_SUM)
        return reduce_any_order(m, v, n, op, e);
    if (most < 1)
        most = 1;
    for (int at = 0; at < n; at += most)
        if (sum_piece(m, v + at, n - at < most ? n - at : most, e) < 0)
            return -1;
    return 0;
}

enum { PIECE = 1 << 20 };

static int mpi_broadcast(struct comm *c, void *buf, size_t bytes, int root, struct err *e)
{
    struct mpi_comm *m = mpi_of(c);
    char *p = buf;

    if (usable(m, e) < 0)
        return -1;
    m->ops++;
    if (bytes == 0 || c->size == 1)
        return 0;
    char *piece = posted_memory(m, c, bytes < PIECE ? bytes : PIECE, e);
    if (!piece)
        return -1;
    while (bytes > 0) {
        size_t n = bytes < PIECE ? bytes : PIECE;
        MPI_Request q;
        memcpy(piece, p, n);
        if (comm_check(m, MPI_Ibcast(piece, (int)n, MPI_BYTE, root, m->world, &q), "MPI_Ibcast",
                       e) < 0 ||
            wait_mpi(m, &q, "a broadcast", e) < 0)
            return -1;
        memcpy(p, piece, n);
        p += n;
        bytes -= n;
    }
    free(piece);
    return 0;
}

/* A broadcast from each: what does not fit into MPI's ints. */
static int gather_by_broadcasts(struct comm *c, const void *send, char *recv, const size_t *counts,
                                struct err *e)
{
    for (int i = 0; i < c->size; recv += counts[i++]) {
        if (i == c->rank)
            memcpy(recv, send, counts[i]);
        if (mpi_broadcast(c, recv, counts[i], i, e) < 0)
            return -1;
    }
    return 0;
}

static int mpi_allgatherv(struct comm *c, const void *send, void *recv, const size_t *counts,
                          struct err *e)
{
    struct mpi_comm *m = mpi_of(c);
    size_t total = 0, at = 0, ints = 2 * (size_t)c->size * sizeof(int);
    MPI_Request q;

    if (usable(m, e) < 0)
        return -1;
    m->ops++;
    for (int i = 0; i < c->size; i++)
        total += counts[i];
    if (total > INT_MAX)
        return gather_by_broadcasts(c, send, recv, counts, e);
    int *n = posted_memory(m, c, ints + total + counts[c->rank], e);
    if (!n)
        return -1;
    char *all = (char *)n + ints, *mine = all + total;
    for (int i = 0; i < c->size; at += counts[i++]) {
        n[i] = (int)counts[i];
        n[c->size + i] = (int)at;
    }
    memcpy(mine, send, counts[c->rank]);
    if (comm_check(m,
                   MPI_Iallgatherv(mine, n[c->rank], MPI_BYTE, all, n, n + c->size, MPI_BYTE,
                                   m->world, &q),
                   "MPI_Iallgatherv", e) < 0 ||
        wait_mpi(m, &q, "what all ranks gather", e) < 0)
        return -1;
    memcpy(recv, all, total);
    free(n);
    return 0;
}

/* Where each rank's bytes go, as MPI wants it; -1: more than its ints hold. */
static int lay_out(struct mpi_comm *m, const size_t *counts, int *n, struct err *e)
{
    size_t at = 0;

    for (int i = 0; i < m->base.size; at += counts[i++]) {
        if (counts[i] > INT_MAX || at > INT_MAX - counts[i]) {
            err_set(e, "rank 0 cannot gather more than %d bytes at once", INT_MAX);
            return comm_fail(m, 0, e);
        }
        n[i] = (int)counts[i];
        n[m->base.size + i] = (int)at;
    }
    return 0;
}

static int mpi_gatherv(struct comm *c, const void *send, size_t bytes, void *recv,
                       const size_t *counts, struct err *e)
{
    struct mpi_comm *m = mpi_of(c);
    size_t total = 0, ints = c->rank == 0 ? 2 * (size_t)c->size * sizeof(int) : 0;
    MPI_Request q;

    if (usable(m, e) < 0)
        return -1;
    for (int i = 0; i < c->size && c->rank == 0; i++)
        total += counts[i];
    int *n = posted_memory(m, c, ints + total + bytes, e);
    if (!n || (c->rank == 0 && lay_out(m, counts, n, e) < 0))
        return -1;
    char *all = (char *)n + ints, *mine = all + total;
    memcpy(mine, send, bytes);
    m->ops++;
    if (comm_check(m,
                   MPI_Igatherv(mine, (int)bytes, MPI_BYTE, all, n,
                                c->rank == 0 ? n + c->size : NULL, MPI_BYTE, 0, m->world, &q),
                   "MPI_Igatherv", e) < 0 ||
        wait_mpi(m, &q, "what rank 0 gathers", e) < 0)
        return -1;
    if (c->rank == 0)
        memcpy(recv, all, total);
    free(n);
    return 0;
}

static int mpi_barrier(struct comm *c, struct err *e)
{
    struct mpi_comm *m = mpi_of(c);
    MPI_Request q;

    if (usable(m, e) < 0)
        return -1;
    m->ops++;
    if (comm_check(m, MPI_Ibarrier(m->world, &q), "MPI_Ibarrier", e) < 0)
        return -1;
    return wait_mpi(m, &q, "all ranks to come together", e);
}

/* ---- life ---- */

static const struct comm table = {
    .alloc = mpi_alloc,
    .free = mpi_free,
    .allreduce_start = mpi_start,
    .progress = mpi_progress,
    .wait = mpi_wait,
    .reduce = mpi_reduce,
    .broadcast = mpi_broadcast,
    .allgatherv = mpi_allgatherv,
    .gatherv = mpi_gatherv,
    .barrier = mpi_barrier,
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
        rc = wait_mpi(m, &q, "the ranks' names", e);
    for (int i = 0; i < size && rc == 0; i++)
        m->peers[i].card = all[i];
    if (rc == 0) {
        m->n_nodes = 0;
        number_nodes(m);
        free(all);
    }
    return rc;
}

/* Splits the world; everything here blocks in MPI. */
static int open_world(struct mpi_comm *m, const char *node, struct err *e)
{
    int rank = m->base.rank;

    comm_blocking(m, "MPI_Comm_dup");
    int rc = MPI_Comm_dup(MPI_COMM_WORLD, &m->world);
    if (rc == MPI_SUCCESS)
        rc = MPI_Comm_dup(MPI_COMM_WORLD, &m->roll);
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
        rc = mpi_reduce(&m->base, &clash, 1, COMM_MAX, e);
    if (rc == 0 && clash > 0)
        rc = exchange_cards(m, NULL, e);
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

struct comm *comm_mpi_create(const struct comm_mpi_options *o, struct err *e)
{
    struct mpi_comm *m = calloc(1, sizeof *m);

    if (!m) {
        err_set(e, "out of memory");
        return NULL;
    }
    m->base = table;
    m->timeout_seconds = o->timeout_seconds > 0 ? o->timeout_seconds : default_timeout_seconds;
    m->blocking = o->blocking;
    m->over = o->over;
    m->options_ctx = o->ctx;
    m->culprit = -1;
    m->world = m->roll = m->local = MPI_COMM_NULL;
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    MPI_Comm_rank(MPI_COMM_WORLD, &m->base.rank);
    MPI_Comm_size(MPI_COMM_WORLD, &m->base.size);
    size_t size = (size_t)m->base.size;
    m->peers = calloc(size, sizeof *m->peers);
    m->answers = calloc(size, sizeof *m->answers);
    m->at = calloc(size, sizeof *m->at);
    if (!m->peers || !m->answers || !m->at) {
        err_set(e, "out of memory for %zu ranks", size);
        goto fail;
    }
    if (open_world(m, o->node, e) < 0)
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
