/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A science's generator, as the driver sees it: a function from (seed, sample)
 * to a sample's fields. The driver (gen_set.h) owns files, parts, resuming, the
 * manifest and the processes.
 *
 * Bits: every value is a function of (seed, sample) alone, by Philox
 * (workloads/philox.h) and plain arithmetic (gen_math.h): the same on every CPU
 * and for any number of processes.
 *
 * Life:    constant rows; open() makes what one process works with, close()
 *          frees it (NULL is legal).
 * Failure: -1 / NULL and a sentence.
 * Threads: one per maker.
 */
#ifndef GENERATE_GENERATOR_H
#define GENERATE_GENERATOR_H

#include <stddef.h>
#include <stdint.h>

#include "reports/core/err.h"
#include "workloads/data/manifest.h"
#include "workloads/data/science.h"
#include "workloads/generate/h5_image.h"

/* Samples of the validation part are numbered from here on, so that they are the
 * same however many training samples there are. */
#define GENERATOR_VALIDATION (UINT64_C(1) << 40)

struct generator {
    const struct science *science;
    /* Numbers that each sample leaves for the baselines: observables, labels. */
    int features;

    void *(*open)(const struct data_class *c, const struct layout *l, struct err *e);
    void (*close)(void *maker);

    /* Makes what one sample is in the layout. field[k]: the values of field k as
     * the layout's file stores them, in its order of axes (without n), in the
     * number type that the table says; not touched before. In a cut layout this
     * is a whole file, of cuts^3 samples, and features has as many rows. */
    int (*make)(void *maker, uint64_t seed, uint64_t sample, void *const field[], float *features,
                struct err *e);

    /* More datasets for the file of `sample` than the fields; NULL: none. */
    int (*also)(void *maker, uint64_t seed, uint64_t sample, struct h5_image *file, struct err *e);

    /* The science's baselines, in its order, on the validation part.
     * train: [n][features]. */
    int (*baselines)(const float *train, size_t n, const float *validation, size_t m,
                     double value[SCIENCE_BASELINES], struct err *e);

    /* Lines of the manifest for a person; and on which libraries besides HDF5
     * and zlib the bytes depend ("fftw-3.3.10"), "" for none. */
    void (*notes)(const struct data_class *c, struct manifest *m);
    const char *(*libraries)(void);
};

/* Row of sciences.def, NULL past the end. */
const struct generator *generator_at(int i);

#endif
