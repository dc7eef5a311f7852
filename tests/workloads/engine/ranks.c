/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "tests/workloads/engine/ranks.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { REQUESTS_MAX = 1024 };

/* What all ranks share. A sum is known by its number: ranks start the same
 * sums in the same order. It is taken when the last rank has come. */
struct shared {
    int size;
    pthread_mutex_t lock;
    pthread_cond_t change;
    struct {
        float *buf[RANKS_MAX];
        int came;
        int done;
    } sums[REQUESTS_MAX];
    int at_barrier, round;
    const void *pieces[RANKS_MAX];
    double *values[RANKS_MAX];
};

struct mine {
    struct shared *all;
    int started;
};

static struct shared *all_of(struct comm *c)
{
    return ((struct mine *)c->ctx)->all;
}

static int wait_all(struct comm *c, struct err *e)
{
    struct shared *s = all_of(c);

    (void)e;
    pthread_mutex_lock(&s->lock);
    int round = s->round;
    if (++s->at_barrier == s->size) {
        s->at_barrier = 0;
        s->round++;
        pthread_cond_broadcast(&s->change);
    }
    while (s->round == round)
        pthread_cond_wait(&s->change, &s->lock);
    pthread_mutex_unlock(&s->lock);
    return 0;
}

static void *ranks_alloc(struct comm *c, size_t bytes, struct err *e)
{
    (void)c, (void)e;
    size_t whole = (bytes + 63) / 64 * 64 + 64;
    void *p = aligned_alloc(64, whole);
    return p ? memset(p, 0, whole) : NULL;
}

static void ranks_free(struct comm *c, void *p)
{
    (void)c;
    free(p);
}

static void take_sum(struct shared *s, int request, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        float sum = 0;

        for (int r = 0; r < s->size; r++)
            sum += s->sums[request].buf[r][i];
        for (int r = 0; r < s->size; r++)
            s->sums[request].buf[r][i] = sum;
    }
}

static int ranks_start(struct comm *c, float *buf, size_t n, int *request, struct err *e)
{
    struct mine *m = c->ctx;
    struct shared *s = m->all;

    if (m->started == REQUESTS_MAX)
        return err_set(e, "more than %d sums", REQUESTS_MAX);
    *request = m->started++;
    pthread_mutex_lock(&s->lock);
    s->sums[*request].buf[c->rank] = buf;
    if (++s->sums[*request].came == s->size) {
        take_sum(s, *request, n);
        s->sums[*request].done = 1;
        pthread_cond_broadcast(&s->change);
    }
    pthread_mutex_unlock(&s->lock);
    return 0;
}

static int ranks_progress(struct comm *c, struct err *e)
{
    (void)c, (void)e;
    return 0;
}

static int ranks_wait(struct comm *c, int request, struct err *e)
{
    struct shared *s = all_of(c);

    (void)e;
    pthread_mutex_lock(&s->lock);
    while (!s->sums[request].done)
        pthread_cond_wait(&s->change, &s->lock);
    pthread_mutex_unlock(&s->lock);
    return 0;
}

static int ranks_reduce(struct comm *c, double *v, int n, enum comm_op op, struct err *e)
{
    struct shared *s = all_of(c);
    double *out = calloc((size_t)n, sizeof *out);

    s->values[c->rank] = v;
    wait_all(c, e);
    for (int i = 0; i < n; i++)
        for (int r = 0; r < s->size; r++) {
            double a = s->values[r][i];

            if (r == 0)
                out[i] = a;
            else
                out[i] = op == COMM_SUM                     ? out[i] + a
                         : (op == COMM_MIN) == (a < out[i]) ? a
                                                            : out[i];
        }
    wait_all(c, e);
    memcpy(v, out, (size_t)n * sizeof *v);
    free(out);
    return wait_all(c, e);
}

static int ranks_broadcast(struct comm *c, void *buf, size_t bytes, int root, struct err *e)
{
    struct shared *s = all_of(c);

    if (c->rank == root)
        s->pieces[root] = buf;
    wait_all(c, e);
    if (c->rank != root)
        memcpy(buf, s->pieces[root], bytes);
    return wait_all(c, e);
}

static int ranks_allgatherv(struct comm *c, const void *send, void *recv, const size_t *counts,
                            struct err *e)
{
    struct shared *s = all_of(c);
    char *at = recv;

    s->pieces[c->rank] = send;
    wait_all(c, e);
    for (int r = 0; r < s->size; r++) {
        memcpy(at, s->pieces[r], counts[r]);
        at += counts[r];
    }
    return wait_all(c, e);
}

static int ranks_gatherv(struct comm *c, const void *send, size_t bytes, void *recv,
                         const size_t *counts, struct err *e)
{
    struct shared *s = all_of(c);
    char *at = recv;

    (void)bytes;
    s->pieces[c->rank] = send;
    wait_all(c, e);
    for (int r = 0; r < s->size && c->rank == 0; r++) {
        memcpy(at, s->pieces[r], counts[r]);
        at += counts[r];
    }
    return wait_all(c, e);
}

struct task {
    struct comm comm;
    struct mine mine;
    int (*body)(struct comm *c, void *arg);
    void *arg;
    int rc;
};

static void *run_task(void *p)
{
    struct task *t = p;

    t->rc = t->body(&t->comm, t->arg);
    return NULL;
}

int ranks_run(int size, int (*body)(struct comm *c, void *arg), void *arg)
{
    struct shared *s = calloc(1, sizeof *s);
    struct task tasks[RANKS_MAX];
    pthread_t threads[RANKS_MAX];
    int failed = 0;

    s->size = size;
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->change, NULL);
    for (int r = 0; r < size; r++) {
        tasks[r] = (struct task){.mine = {.all = s}, .body = body, .arg = arg};
        tasks[r].comm = (struct comm){
            .rank = r,
            .size = size,
            .local_rank = r,
            .local_size = size,
            .ctx = &tasks[r].mine,
            .alloc = ranks_alloc,
            .free = ranks_free,
            .allreduce_start = ranks_start,
            .progress = ranks_progress,
            .wait = ranks_wait,
            .reduce = ranks_reduce,
            .broadcast = ranks_broadcast,
            .allgatherv = ranks_allgatherv,
            .gatherv = ranks_gatherv,
            .barrier = wait_all,
        };
        pthread_create(&threads[r], NULL, run_task, &tasks[r]);
    }
    for (int r = 0; r < size; r++) {
        pthread_join(threads[r], NULL);
        failed += tasks[r].rc != 0;
    }
    pthread_cond_destroy(&s->change);
    pthread_mutex_destroy(&s->lock);
    free(s);
    return failed;
}
