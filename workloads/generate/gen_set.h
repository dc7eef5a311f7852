/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A whole set of any science, made by any number of processes that only share a
 * folder.
 *
 * Everything grows in `OUT.partial`; a process appends a record (file, hash,
 * features) to a part file of its own for each file that is whole, and starts
 * by reading everybody's, so that a killed generation goes on where it was.
 * Who finds that nothing is missing takes the baselines, writes the manifest,
 * and renames the folder to `OUT`: an `OUT` with a manifest is finished.
 *
 * Life:    struct gen_set is plain data.
 * Failure: -1 and a sentence; what is whole in OUT.partial stays for the next.
 * Threads: one; processes as many as one likes.
 */
#ifndef GENERATE_GEN_SET_H
#define GENERATE_GEN_SET_H

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>

#include "reports/core/err.h"
#include "workloads/data/manifest.h"
#include "workloads/generate/generator.h"

struct gen_set {
    const struct generator *generator;
    const struct science *science; /* the generator's */
    const struct data_class *class;
    const struct layout *layout;
    uint64_t seed;
    uint64_t train, validation; /* files */
    uint64_t train_samples, validation_samples;
    uint64_t per_file; /* samples; the last file of a part may have fewer */
    char out[3072];    /* without a slash at its end */
    char partial[3088];
};

/* From the class's row; train and validation are samples, 0: the class's. */
int gen_set_init(struct gen_set *s, const struct generator *g, const struct data_class *class,
                 const struct layout *layout, uint64_t seed, uint64_t train, uint64_t validation,
                 const char *out, struct err *e);

/* About so much on storage. */
uint64_t gen_set_bytes(const struct gen_set *s);

/* Makes OUT.partial ready. 1: OUT is already this set, nothing to do. */
int gen_set_begin(const struct gen_set *s, struct err *e);

/* Makes the files i = rank mod size that no part file holds yet. *made counts
 * them, those found included. */
int gen_set_share(const struct gen_set *s, uint64_t rank, uint64_t size, _Atomic uint64_t *made,
                  struct err *e);

/* 1: OUT is finished; 0: *missing files are still to be made by others. */
int gen_set_finish(const struct gen_set *s, uint64_t *missing, struct err *e);

/* File i of the set, the training part's first: its name below the folder. */
static inline void gen_set_name(const struct gen_set *s, uint64_t i, char name[MANIFEST_PATH_SIZE])
{
    const bool train = i < s->train;

    snprintf(name, MANIFEST_PATH_SIZE, "%s/%s_%07" PRIu64 ".hdf5", train ? "train" : "validation",
             s->science->stem, train ? i : i - s->train);
}

#endif
