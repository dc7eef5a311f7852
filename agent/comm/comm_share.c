/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sums in shared windows: all ranks of the run are on this node and see each
 * other's arrays.
 *
 * A sum is cut into chunks. Once every rank has posted (its array is ready),
 * any rank may claim the next chunk, add it up in rank order, and write the
 * sum into every rank's array; the sum is over when all chunks are. So a rank
 * that waits works for those that still compute, each array is read and
 * written once, and there are two points at which ranks meet instead of four.
 *
 * Counters stand in a ring of slots that is itself in a shared window. Sum
 * number k uses slot k % COMM_REQUESTS in round k / COMM_REQUESTS:
 *
 *   posted  ranks that have posted, over all rounds; the last poster of a
 *           round (it makes posted = size x (round + 1)) sets next and done to
 *           0, then ready to round + 1
 *   ready   round that may be claimed
 *   next    next chunk to claim
 *   done    chunks that are finished
 *
 * A rank posts sum k only after it has seen the end of sum k - COMM_REQUESTS,
 * so nobody still reads the slot when the last poster clears it.
 */
#include <config.h>

#include "agent/comm/comm_share.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* Floats in a chunk: small enough for the caches of two ranks, large enough
 * to make claiming cheap (contrib/bench/allreduce.sh). */
enum { CHUNK = 16384, LINE = 64 };

struct slot {
    _Alignas(LINE) atomic_uint posted;
    _Alignas(LINE) atomic_uint ready;
    _Alignas(LINE) atomic_uint next;
    _Alignas(LINE) atomic_uint done;
};

struct share {
    struct window *control;
    struct slot *slots; /* local rank 0's */
    uint32_t started;   /* shared sums that this rank has begun */
};

static char *aligned(char *p)
{
    return (char *)(((uintptr_t)p + LINE - 1) / LINE * LINE);
}

/* Finds the others' places. Segments are mapped at page borders, so what is
 * aligned in one process is aligned in all. */
static int find_peers(struct mpi_comm *m, struct window *w, struct err *e)
{
    int n = m->base.local_size;

    w->peers = calloc((size_t)n, sizeof *w->peers);
    if (!w->peers)
        return err_set(e, "out of memory for a shared window");
    for (int i = 0; i < n; i++) {
        MPI_Aint size;
        int unit;
        char *p;
        if (comm_check(m, MPI_Win_shared_query(w->win, i, &size, &unit, &p), "MPI_Win_shared_query",
                       e) < 0)
            return -1;
        w->peers[i] = aligned(p);
    }
    w->base = w->peers[m->base.local_rank];
    return 0;
}

struct window *window_open(struct mpi_comm *m, size_t bytes, struct err *e)
{
    struct window *w = calloc(1, sizeof *w);
    MPI_Info info = MPI_INFO_NULL;
    char *own;

    if (comm_agree(&m->base, w ? 0 : err_set(e, "out of memory for a shared window"), e) < 0)
        goto fail;
    comm_blocking(m, "MPI_Win_allocate_shared");
    MPI_Info_create(&info);
    MPI_Info_set(info, "alloc_shared_noncontig", "true");
    w->bytes = (bytes + LINE - 1) / LINE * LINE;
    w->win = MPI_WIN_NULL;
    int rc = MPI_Win_allocate_shared((MPI_Aint)(w->bytes + LINE), 1, info, m->local, &own, &w->win);
    MPI_Info_free(&info);
    if (rc == MPI_SUCCESS && w->win != MPI_WIN_NULL)
        MPI_Win_set_errhandler(w->win, MPI_ERRORS_RETURN);
    comm_blocking(m, NULL);
    rc = rc == MPI_SUCCESS
             ? find_peers(m, w, e)
             : err_set(e, "MPI cannot make a shared window of %zu bytes per rank", bytes);
    if (rc == 0) {
        MPI_Win_lock_all(MPI_MODE_NOCHECK, w->win);
        memset(w->base, 0, w->bytes);
    }
    if (comm_agree(&m->base, rc, e) < 0)
        goto fail;
    w->next = m->windows;
    m->windows = w;
    return w;
fail:
    if (w)
        free(w->peers);
    free(w);
    return NULL;
}

void window_close(struct mpi_comm *m, struct window *w)
{
    struct window **at = &m->windows;

    while (*at && *at != w)
        at = &(*at)->next;
    if (*at)
        *at = w->next;
    if (m->base.barrier(&m->base, NULL) == 0) {
        comm_blocking(m, "MPI_Win_free");
        MPI_Win_unlock_all(w->win);
        MPI_Win_free(&w->win);
        comm_blocking(m, NULL);
    }
    free(w->peers);
    free(w);
}

struct window *window_of(const struct mpi_comm *m, const void *p)
{
    const char *c = p;

    for (struct window *w = m->windows; w; w = w->next)
        if (c >= w->base && c < w->base + w->bytes)
            return w;
    return NULL;
}

int share_open(struct mpi_comm *m, struct err *e)
{
    struct share *s = calloc(1, sizeof *s);

    if (comm_agree(&m->base, s ? 0 : err_set(e, "out of memory for shared sums"), e) < 0)
        goto fail;
    s->control = window_open(m, sizeof(struct slot) * COMM_REQUESTS, e);
    if (!s->control)
        goto fail;
    s->slots = (struct slot *)s->control->peers[0];
    m->share = s;
    return 0;
fail:
    free(s);
    return -1;
}

void share_close(struct mpi_comm *m)
{
    if (!m->share)
        return;
    window_close(m, m->share->control);
    free(m->share);
    m->share = NULL;
}

static struct slot *slot_of(const struct mpi_comm *m, uint32_t number)
{
    return &m->share->slots[number % COMM_REQUESTS];
}

static uint32_t chunks_of(size_t n)
{
    return (uint32_t)((n + CHUNK - 1) / CHUNK);
}

void share_start(struct mpi_comm *m, struct request *r)
{
    uint32_t ranks = (uint32_t)m->base.local_size;

    r->number = m->share->started++;
    r->offset = (size_t)((char *)r->buf - r->window->base);
    struct slot *s = slot_of(m, r->number);
    uint32_t round = r->number / COMM_REQUESTS + 1;
    if (atomic_fetch_add_explicit(&s->posted, 1, memory_order_acq_rel) + 1 != ranks * round)
        return;
    atomic_store_explicit(&s->next, 0, memory_order_relaxed);
    atomic_store_explicit(&s->done, 0, memory_order_relaxed);
    atomic_store_explicit(&s->ready, round, memory_order_release);
}

static void add_chunk(struct mpi_comm *m, const struct request *r, uint32_t chunk)
{
    size_t from = (size_t)chunk * CHUNK;
    size_t n = r->n - from < CHUNK ? r->n - from : CHUNK;
    int ranks = m->base.local_size;
    float **at = m->at;

    for (int i = 0; i < ranks; i++)
        at[i] = (float *)(r->window->peers[i] + r->offset) + from;
    comm_sum_in_order(at[0], at, ranks, n);
    for (int i = 1; i < ranks; i++)
        memcpy(at[i], at[0], n * sizeof(float));
}

bool share_move(struct mpi_comm *m, struct request *r, bool waiting)
{
    struct slot *s = slot_of(m, r->number);
    uint32_t chunks = chunks_of(r->n);
    bool moved = false;

    if (atomic_load_explicit(&s->ready, memory_order_acquire) != r->number / COMM_REQUESTS + 1)
        return false;
    while (atomic_load_explicit(&s->next, memory_order_relaxed) < chunks) {
        uint32_t mine = atomic_fetch_add_explicit(&s->next, 1, memory_order_relaxed);
        if (mine >= chunks)
            break;
        add_chunk(m, r, mine);
        atomic_fetch_add_explicit(&s->done, 1, memory_order_acq_rel);
        moved = true;
        if (!waiting)
            break;
    }
    if (atomic_load_explicit(&s->done, memory_order_acquire) < chunks)
        return moved;
    r->state = REQUEST_DONE;
    return true;
}
