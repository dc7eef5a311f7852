/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/data/chunk_cache.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { BUCKETS = 4096 };

struct chunk_held {
    struct chunk_key key;
    struct chunk_held *next;          /* of the same bucket */
    struct chunk_held *newer, *older; /* among those that nobody holds */
    size_t bytes;
    void *data;
    int users;
    bool ready, failed;
};

struct chunk_cache {
    pthread_mutex_t lock;
    pthread_cond_t made; /* one is, or failed */
    uint64_t limit, bytes, count;
    struct chunk_held *newest, *oldest; /* that nobody holds */
    struct chunk_held *bucket[BUCKETS];
};

struct chunk_cache *chunk_cache_create(uint64_t bytes, struct err *e)
{
    struct chunk_cache *c = calloc(1, sizeof *c);

    if (!c) {
        err_set(e, "no memory for a cache of chunks");
        return NULL;
    }
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->made, NULL);
    c->limit = bytes;
    return c;
}

static bool same(const struct chunk_key *a, const struct chunk_key *b)
{
    return a->file == b->file && a->set == b->set && a->chunk == b->chunk;
}

/* Where the pointer to the chunk of a key is, or would be. */
static struct chunk_held **place_of(struct chunk_cache *c, const struct chunk_key *key)
{
    const uint64_t odd = UINT64_C(0x9e3779b97f4a7c15); /* 2^64 / golden ratio */
    uint64_t h = (((key->file * odd) ^ key->set) * odd ^ key->chunk) * odd;
    struct chunk_held **p = &c->bucket[(h >> 32) % BUCKETS];

    while (*p && !same(&(*p)->key, key))
        p = &(*p)->next;
    return p;
}

/* Out of the list of those that nobody holds. */
static void unlist(struct chunk_cache *c, struct chunk_held *h)
{
    *(h->newer ? &h->newer->older : &c->newest) = h->older;
    *(h->older ? &h->older->newer : &c->oldest) = h->newer;
    h->newer = h->older = NULL;
}

static void drop(struct chunk_cache *c, struct chunk_held *h)
{
    c->bytes -= h->bytes;
    free(h->data);
    free(h);
}

/* Locked. Makes room for so many bytes, as far as nobody holds what is there. */
static void make_room(struct chunk_cache *c, size_t bytes)
{
    while (c->oldest && c->bytes + bytes > c->limit) {
        struct chunk_held *h = c->oldest;
        unlist(c, h);
        *place_of(c, &h->key) = h->next;
        drop(c, h);
    }
}

static void release(struct chunk_cache *c, struct chunk_held *h)
{
    if (--h->users > 0)
        return;
    if (h->failed) { /* and is in no bucket any more */
        drop(c, h);
        return;
    }
    h->older = c->newest;
    *(c->newest ? &c->newest->newer : &c->oldest) = h;
    c->newest = h;
    make_room(c, 0);
}

/* Locked. One that is there or being made; NULL: neither, or it failed. */
static struct chunk_held *wait_for(struct chunk_cache *c, struct chunk_held *h)
{
    if (h->users++ == 0)
        unlist(c, h);
    while (!h->ready && !h->failed)
        pthread_cond_wait(&c->made, &c->lock);
    if (h->ready)
        return h;
    release(c, h);
    return NULL;
}

/* Locked. It is made, or not: then nobody finds it any more. */
static void end(struct chunk_cache *c, struct chunk_held *h, bool made)
{
    h->ready = made;
    h->failed = !made;
    c->count += made;
    if (!made)
        *place_of(c, &h->key) = h->next;
    pthread_cond_broadcast(&c->made);
}

/* Locked. A place for what this thread is about to make. */
static struct chunk_held *begin(struct chunk_cache *c, const struct chunk_key *key, size_t bytes)
{
    struct chunk_held **place, *h = calloc(1, sizeof *h);

    make_room(c, bytes);
    if (!h || !(h->data = malloc(bytes ? bytes : 1))) {
        free(h);
        return NULL;
    }
    h->key = *key;
    h->bytes = bytes;
    h->users = 1;
    place = place_of(c, key); /* after make_room(), which moves pointers */
    *place = h;
    c->bytes += bytes;
    return h;
}

struct chunk_held *chunk_cache_take(struct chunk_cache *c, const struct chunk_key *key,
                                    size_t bytes, chunk_make *make, void *arg, struct err *e)
{
    struct chunk_held *h;

    pthread_mutex_lock(&c->lock);
    while ((h = *place_of(c, key))) { /* one that failed is tried again, for its sentence */
        h = wait_for(c, h);
        if (h)
            goto out;
    }
    h = begin(c, key, bytes);
    if (!h) {
        err_set(e, "no memory for a chunk of %zu bytes", bytes);
        goto out;
    }
    pthread_mutex_unlock(&c->lock);
    int rc = make(arg, h->data, bytes, e);
    pthread_mutex_lock(&c->lock);
    end(c, h, rc == 0);
    if (rc < 0) {
        release(c, h);
        h = NULL;
    }
out:
    pthread_mutex_unlock(&c->lock);
    return h;
}

const void *chunk_held_data(const struct chunk_held *h)
{
    return h->data;
}

void chunk_cache_give(struct chunk_cache *c, struct chunk_held *h)
{
    pthread_mutex_lock(&c->lock);
    release(c, h);
    pthread_mutex_unlock(&c->lock);
}

uint64_t chunk_cache_made(struct chunk_cache *c)
{
    pthread_mutex_lock(&c->lock);
    uint64_t n = c->count;
    pthread_mutex_unlock(&c->lock);
    return n;
}

uint64_t chunk_cache_bytes(struct chunk_cache *c)
{
    pthread_mutex_lock(&c->lock);
    uint64_t n = c->bytes;
    pthread_mutex_unlock(&c->lock);
    return n;
}

void chunk_cache_destroy(struct chunk_cache *c)
{
    if (!c)
        return;
    make_room(c, (size_t)c->limit + 1);
    pthread_cond_destroy(&c->made);
    pthread_mutex_destroy(&c->lock);
    free(c);
}
