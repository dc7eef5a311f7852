/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The inside of a loader, for loader.c (queue and workers) and loader_make.c (one sample);
 * loader.h is the manual.
 *
 * Life, Failure, Threads: as there.
 */
#ifndef DATA_LOADER_INNER_H
#define DATA_LOADER_INNER_H

#include <pthread.h>
#include <stdatomic.h>

#include "workloads/data/chunk.h"
#include "workloads/data/loader.h"

/* One batch in the queue, buffers for max_n samples. */
struct slot {
    struct loader_batch batch;
    float *feed[LOADER_FEEDS];
    uint64_t *ids;
    int claimed; /* samples that workers have taken */
    int left;    /* samples not yet there; 0: ready */
    bool failed;
    int failed_at; /* the first sample that did, and why */
    struct err err;
};

/* Others look at it without the lock. */
enum doing { DOING_NOTHING, DOING_READ, DOING_CONVERT };

/* A thread that makes samples, and its own memory. */
struct worker {
    struct loader *loader;
    pthread_t thread;
    bool running;
    bool helper; /* works while the consumer waits, or where workers block on files */
    _Atomic(enum doing) doing;
    int delay; /* of clock_delay_open() */
    void *sample;
    struct chunk_scratch scratch;
};

/* What a worker has taken: sample `at` of a slot. */
struct ticket {
    struct slot *slot;
    int at;
    uint64_t id, epoch;
    const void *kept; /* NULL: to be read */
    bool hint;
    uint64_t soon; /* with hint: what will be read a little later */
};

struct loader {
    struct loader_options o;
    struct dataset_info info;
    int max_n;
    long steps;
    struct worker *workers; /* [o.workers] */

    /* Under the lock. Slots ready..ready+opened-1 (mod n) hold batches, in
     * order, the last of which may still have samples to be taken; the one
     * before them may be the consumer's. */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct slot *slots;
    int n_slots, ready, opened;
    struct slot *open; /* that has samples to be taken; NULL: none */
    uint64_t epoch;    /* of the next slot that is opened ... */
    long step;         /* ... and its step */
    uint64_t *order;   /* of the epoch of the newest slot */
    uint64_t *groups;  /* [info.groups] for making it */
    uint64_t ordered;  /* that epoch + 1; 0: none yet */
    void **kept;       /* [samples] their blocks; NULL when nothing is kept */
    bool held;         /* the consumer has a slot */
    bool waiting;      /* the consumer waits for one */
    bool stop, failed;
    int busy;     /* workers that make a sample */
    double share; /* of its time in which a worker had a core or wanted one, lately; 1 at first */
    struct loader_stats stats;

    /* The consumer's own. */
    bool epoch_over;
};

/* Memory that is used from end to end: in large pages where there are some. NULL: none. */
void *loader_large(size_t bytes);

/* Whether a worker reads a file now, or undoes its filters. */
bool loader_reading(const struct worker *w, bool *inflating);

/* Makes the sample of a ticket in its slot. Of *sum what it did is set; *blocked: the part of
 * the time in which the worker neither had a core nor wanted one. */
int loader_make_sample(struct worker *w, const struct ticket *t, struct loader_stats *sum,
                       double *blocked, struct err *e);

#endif
