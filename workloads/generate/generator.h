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
#include "workloads/data/h5_image.h"

/* Samples of the validation part are numbered from here on, so that they are the
 * same however many training samples there are. */
#define GENERATOR_VALIDATION (UINT64_C(1) << 40)

struct generator {
    const struct science *science;
    /* Numbers that each sample leaves for the baselines: observables, labels. */
    int features;

    void *(*open)(const struct data_class *c, const struct layout *l, struct err *e);
    void (*close)(void *maker);

    /* Makes what one sample is in the layout. field[k] takes all values of field
     * k as the layout's file stores them, in its order of axes (without n; the
     * parts one after the other), in the number type that the table says; of a
     * field that the layout lacks too. In a cut layout this is a whole file, its
     * number is the file's, and features has a row for each sample cut from it. */
    int (*make)(void *maker, uint64_t seed, uint64_t sample, void *const field[], float *features,
                struct err *e);

    /* More datasets than the fields for the file whose first sample this is;
     * NULL: none. */
    int (*also)(void *maker, uint64_t seed, uint64_t sample, struct h5_image *file, struct err *e);

    /* The science's first side file, from the features of the training part
     * ([n][features]). NULL: none. */
    int (*beside)(const float *train, size_t n, struct h5_image *file, struct err *e);

    /* The science's baselines, in its order, on the validation part.
     * train: [n][features]. NULL: none. */
    int (*baselines)(const float *train, size_t n, const float *validation, size_t m,
                     double value[SCIENCE_BASELINES], struct err *e);

    /* Lines of the manifest for a person; and on which libraries besides HDF5
     * and zlib the bytes depend ("fftw-3.3.10"). NULL: none. */
    void (*notes)(const struct data_class *c, struct manifest *m);
    const char *(*libraries)(void);
};

/* Row of sciences.def, NULL past the end; that of a science. */
const struct generator *generator_at(int i);
const struct generator *generator_of(const struct science *s);

#endif
