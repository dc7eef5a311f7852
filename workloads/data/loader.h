/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Batches for a training loop: a worker thread per loader reads, decodes and
 * converts ahead of the trainer into a bounded queue. More workers may help while the
 * trainer waits. While it computes, its cores are its own: workers then run together only
 * as far as they block on files, so that all of them take about one core.
 *
 * The loader knows no science: a sample's fields (dataset.h) become the floats
 * that a network is fed by a function of the workload's, called by a worker.
 *
 * The order of an epoch is one global permutation of the samples, Philox by
 * (seed, epoch); step s takes the s-th run of `batch` samples of it, and rank
 * r of n takes [m*r/n, m*(r+1)/n) of that step's m samples. So the global
 * batch is the same set, in the same order, for any number of ranks; the last
 * one of an epoch may be short, and a rank's part of it empty. Where samples
 * share chunks, chunks are permuted, and samples within windows of some of
 * them (loader_order()), so that a rank decodes each chunk about once an epoch.
 *
 * Epochs follow each other without a pause: while the trainer evaluates, the
 * queue fills with the next epoch.
 *
 *     struct loader *l = loader_create(&options, &e);
 *     for (epoch...) {
 *         while ((got = loader_next(l, &b, &e)) > 0)
 *             train(b.feed, b.n);
 *         if (got < 0) ...
 *     }
 *     loader_destroy(l);
 *
 * Life:    loader_create() returns it with its workers running; it borrows the
 *          dataset, which nobody else may read until loader_destroy().
 * Failure: a bad file surfaces at the loader_next() that would have delivered
 *          it, and at every one after that.
 * Threads: one consumer. No worker makes an MPI call.
 */
#ifndef DATA_LOADER_H
#define DATA_LOADER_H

#include <stdbool.h>
#include <stdint.h>

#include "reports/core/err.h"
#include "workloads/data/dataset.h"

enum { LOADER_FEEDS = 6 };

/* A sample on its way to the network. */
struct loader_sample {
    const struct dataset_info *info;
    uint64_t id, epoch;
    uint64_t seed; /* the run's */
    bool augment;  /* a random symmetry, a function of (seed, id, epoch) */
    /* The fields in memory (info->field has type, dims and strides). Of field 0
     * where feed.slabs: `count` entries from `first` on along its slowest axis
     * in memory; the others whole, each time. */
    const void *field[SCIENCE_FIELDS];
    long first, count;
};

/* Makes what is fed of one sample: out[k] takes floats[k] values. Pure, on any
 * thread. ctx is the workload's and constant. */
typedef int loader_make(const void *ctx, const struct loader_sample *in, float *const out[],
                        struct err *e);

struct loader_feed {
    int n;
    size_t floats[LOADER_FEEDS]; /* of one sample */
    bool slabs; /* make() may be given field 0 in slabs, in order, for the same out */
    loader_make *make;
    const void *ctx;
};

struct loader_options {
    struct dataset *data; /* borrowed */
    struct loader_feed feed;
    int rank, size;
    long batch; /* global, >= 1; at most all samples are taken */
    uint64_t seed;
    bool shuffle;        /* no: stored order (evaluation) */
    bool augment;        /* handed to make() */
    uint64_t epoch;      /* first epoch; its random key */
    long step;           /* first step in it (resume); 0; loader_steps(): it is over, and
                          * the first loader_next() says so */
    int ahead;           /* batches kept ready; 0: 2 */
    int workers;         /* 0: 1. Neither order nor values depend on it */
    uint64_t keep_bytes; /* keep decoded samples in memory when all that this loader can
                          * meet fit in so much; 0: read every time */
    double (*now)(void); /* monotonic seconds */
};

/* What the loader was doing when a batch was asked for. */
struct loader_look {
    int ready;                          /* batches in the queue */
    int reading, inflating, converting; /* workers that did so; the others waited for room */
};

/* One rank's part of a step. Pointers hold until the next loader_next(). */
struct loader_batch {
    const float *feed[LOADER_FEEDS]; /* [n][floats] each */
    size_t floats[LOADER_FEEDS];     /* of one sample, as the options have them */
    const uint64_t *ids;             /* [n] global sample ids */
    int n;                           /* may be 0 */
    long first;                      /* position of this rank's first sample in the epoch's order */
    long global_n;                   /* samples of the step over all ranks */
    uint64_t epoch;
    long step, steps; /* from 0; per epoch */
    struct loader_look look;
};

/* Sums over the workers: wall time, and CPU time of it. */
struct loader_time {
    double seconds, cpu_seconds;
};

/* Samples read from files, and how many workers read when each was begun: what the rate of
 * reading does with the number of readers tells a file's latency from the bytes' bandwidth. */
struct loader_reads {
    double samples, seconds, bytes;
    double readers; /* that read then, summed over the samples; it among them */
};

struct loader_stats {
    uint64_t samples;           /* delivered */
    uint64_t read_samples;      /* of these read from files ... */
    uint64_t kept_samples;      /* ... and from memory: no storage was touched */
    uint64_t read_bytes;        /* from files, as stored */
    uint64_t kept_bytes;        /* from memory, decoded */
    struct loader_time read;    /* files, without undoing their filters */
    double find_seconds;        /* of it: until files were found and open */
    struct loader_reads one;    /* by a worker that read alone ... */
    struct loader_reads more;   /* ... and by several at once */
    struct loader_time inflate; /* undoing them (chunk.h) */
    struct loader_time convert; /* make() */
    double wait_seconds;        /* the consumer waited on an empty queue */
    uint64_t waits;             /* batches that were not ready when asked for */
    uint64_t ready;             /* batches that were ready, summed over the asks */
    bool keeping;               /* keep_bytes was enough, and so was memory */
};

struct loader *loader_create(const struct loader_options *o, struct err *e);

/* 1: *b is the next batch; 0: the epoch is over, the next call begins the
 * next one; -1. */
int loader_next(struct loader *l, struct loader_batch *b, struct err *e);

/* Most samples that one batch of this rank can hold: ceil(batch / size), or
 * fewer when there are fewer samples than batch. */
int loader_max_n(const struct loader *l);

/* Steps in one epoch. */
long loader_steps(const struct loader *l);

/* Sums since creation, as of now. */
void loader_stats(struct loader *l, struct loader_stats *s);

/* Of what was read since `begun`: the rate of several readers together over that of one; about
 * 1 where the bytes' bandwidth limits it, about their number where it is latency. NAN: fewer
 * than LOADER_READS samples of either kind. */
enum { LOADER_READS = 16 };
double loader_gain(const struct loader_stats *begun, const struct loader_stats *now);

/* Stops and joins the workers, frees all. */
void loader_destroy(struct loader *l);

/* The sample at each position of an epoch's order: order takes info->samples
 * ids. Without groups a permutation of all; else the groups are permuted, and
 * the samples of each window of neighbours among them mixed. group: room for
 * info->groups numbers (NULL when there are none). */
void loader_order(const struct dataset_info *info, uint64_t seed, uint64_t epoch, bool shuffle,
                  uint64_t *order, uint64_t *group);

#endif
