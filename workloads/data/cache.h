/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Generated data, made once and kept: what a workload trains on when the run
 * text says no `data=`.
 *
 * The set of a class lies in `CACHE/SCIENCE-CLASS-gVERSION-sSEED`; workloads of
 * one science share it. Ranks find out
 * which of them share a cache folder (a probe file of a random name); the
 * lowest of those that do runs the generator, the others wait, and all agree
 * at every moment on whether to go on. A killed generation leaves a folder
 * ending in `.partial`, which the next one completes; two jobs at once either
 * wait for each other (lock) or make the same bytes, and one rename wins.
 *
 * Life:    no state kept.
 * Failure: -1 and a sentence, the same on all ranks.
 * Threads: called by the thread that may talk to the other ranks.
 */
#ifndef DATA_CACHE_H
#define DATA_CACHE_H

#include <stdbool.h>
#include <stddef.h>

#include "reports/core/err.h"
#include "workloads/comm.h"
#include "workloads/data/science.h"

/* What is asked of the cache; all of it is borrowed for the call. */
struct cache_order {
    struct comm *comm;
    double (*now)(void);   /* monotonic seconds */
    double deadline;       /* on that clock; 0: none */
    int threads;           /* that the generator may use */
    const char *folder;    /* of all sets */
    const char *workload;  /* whose data they are: the generator's word */
    const char *generator; /* path of hpcai500-generate; NULL: there is none */
    void *ctx;
    void (*say)(void *ctx, const char *sentence); /* rank 0: a line for a person; may be NULL */
    /* Rank 0: files made so far; may be NULL. */
    void (*count)(void *ctx, const char *what, uint64_t done, uint64_t all);
    bool (*stop)(void *ctx); /* this rank was told to stop; may be NULL */
};

/* Where the set of a class lies or would lie. Local, no communication. */
int cache_path(const char *cache_dir, const struct science *s, enum runspec_class class, char *path,
               size_t size, struct err *e);

/* A folder and those above it; what is there already stays. Local. */
int cache_make_folder(const char *path, struct err *e);

/* True when this rank sees a finished set there, a folder of this user, of root
 * or of the cache's owner: manifest, all sizes, and the hashes of a few files. Why not (also "not made yet") is in *e. Local. */
bool cache_ready(const char *path, const struct science *s, enum runspec_class class,
                 struct err *e);

/* Collective. Makes the set where it is missing and verifies it; path takes
 * its folder, *made_seconds the wall time that making it took, or waiting for the rank or
 * the job that made it: the same on all ranks but for a round of looking, 0 when it was
 * there. CLASS_STANDARD is never made silently: it fails with the command that makes it.
 * Progress and what is done are said through order->say; it stops early at order->stop
 * or the deadline. */
int cache_prepare(const struct cache_order *order, const struct science *s,
                  enum runspec_class class, char *path, size_t size, double *made_seconds,
                  struct err *e);

#endif
