/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/data/sample_pool.h"

#include <pthread.h>
#include <stdlib.h>

struct slot {
    struct sample_file *file; /* NULL: free */
    uint64_t number, used;    /* when it was given back last */
    int users;
};

struct sample_pool {
    pthread_mutex_t lock; /* held while a file is opened: HDF5 opens one at a time anyway */
    pthread_cond_t given;
    uint64_t clock;
    struct slot slot[SAMPLE_POOL_FILES];
};

struct sample_pool *sample_pool_create(struct err *e)
{
    struct sample_pool *p = calloc(1, sizeof *p);

    if (!p) {
        err_set(e, "no memory for open files");
        return NULL;
    }
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->given, NULL);
    return p;
}

static void drop(struct slot *s)
{
    if (s->file)
        sample_close(s->file);
    free(s->file);
    *s = (struct slot){0};
}

void sample_pool_destroy(struct sample_pool *p)
{
    if (!p)
        return;
    for (int i = 0; i < SAMPLE_POOL_FILES; i++)
        drop(&p->slot[i]);
    pthread_cond_destroy(&p->given);
    pthread_mutex_destroy(&p->lock);
    free(p);
}

static struct slot *find(struct sample_pool *p, uint64_t number)
{
    for (int i = 0; i < SAMPLE_POOL_FILES; i++)
        if (p->slot[i].file && p->slot[i].number == number)
            return &p->slot[i];
    return NULL;
}

/* One that is free, or whose file was longest unused; NULL: all are in use. */
static struct slot *oldest(struct sample_pool *p)
{
    struct slot *s = NULL;

    for (int i = 0; i < SAMPLE_POOL_FILES; i++)
        if (p->slot[i].users == 0 && (!s || p->slot[i].used < s->used))
            s = &p->slot[i];
    return s;
}

const struct sample_file *sample_pool_take(struct sample_pool *p, uint64_t number, const char *path,
                                           uint64_t expected_bytes, const struct sample_form *form,
                                           double *find_seconds, struct err *e)
{
    const struct sample_file *f = NULL;
    struct slot *s;

    pthread_mutex_lock(&p->lock);
    while (!(s = find(p, number)) && !(s = oldest(p)))
        pthread_cond_wait(&p->given, &p->lock);
    if (!s->file || s->number != number) {
        drop(s);
        s->file = malloc(sizeof *s->file);
        s->number = number;
        if (!s->file)
            err_set(e, "no memory for an open file");
        else if (sample_open(s->file, path, expected_bytes, form, false, e) < 0)
            drop(s);
        else
            *find_seconds += s->file->h5.find_seconds;
    }
    if (s->file) {
        s->users++;
        f = s->file;
    }
    pthread_mutex_unlock(&p->lock);
    return f;
}

void sample_pool_give(struct sample_pool *p, const struct sample_file *f)
{
    pthread_mutex_lock(&p->lock);
    for (int i = 0; i < SAMPLE_POOL_FILES; i++)
        if (p->slot[i].file == f) {
            p->slot[i].users--;
            p->slot[i].used = ++p->clock;
        }
    pthread_cond_signal(&p->given);
    pthread_mutex_unlock(&p->lock);
}
