/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One file of a science's samples: which of the published layouts it has, its
 * datasets, opened and checked against the tables, and a sample read from it.
 *
 * The first file of a set is probed: every layout is tried, and its sizes fill
 * the form, which each later file must have.
 *
 * Life:    open/close; close of a zeroed or failed file is a no-op. A file does
 *          not move while it is open.
 * Failure: -1 and a sentence with file, dataset and what was expected.
 * Threads: open and close by one; reads of one file by several, each with
 *          scratch of its own.
 */
#ifndef DATA_SAMPLE_H
#define DATA_SAMPLE_H

#include <stdbool.h>
#include <stdint.h>

#include "reports/core/err.h"
#include "workloads/data/chunk_cache.h"
#include "workloads/data/dataset.h"
#include "workloads/data/h5file.h"
#include "workloads/data/science.h"

/* What the samples of a set are. */
struct sample_form {
    const struct science *science;
    const struct layout *layout;
    struct dataset_field field[SCIENCE_FIELDS];
    size_t bytes;           /* of a sample's block */
    uint64_t cuts[H5_AXES]; /* samples along each axis of field 0's place */
    uint64_t parts;         /* samples of a file; 0: as many as it says, along n */
};

struct sample_file {
    struct h5_file h5;
    struct h5_set set[SCIENCE_FIELDS][SCIENCE_PARTS]; /* not open: the file lacks the field */
    uint64_t samples;
};

/* Opens a file of unknown layout, for samples of a class (NULL: of any size),
 * and fills the form. expected_bytes: 0, or the file's size. */
int sample_probe(struct sample_file *f, const char *path, uint64_t expected_bytes,
                 const struct science *s, const struct data_class *c, struct sample_form *form,
                 struct err *e);

/* Opens a file that must have this form. rest: without field 0. */
int sample_open(struct sample_file *f, const char *path, uint64_t expected_bytes,
                const struct sample_form *form, bool rest, struct err *e);
void sample_close(struct sample_file *f);

/* Fields of so few values a sample are read once a file and kept whole, when
 * the file has at most so many of them. */
enum { SAMPLE_SMALL = 64, SAMPLE_SMALL_FILE = 1 << 24 };

/* Values of a sample in one dataset of a place; samples in a chunk of it. */
uint64_t sample_place_values(const struct h5_set *s, const struct place *place);
uint64_t sample_chunk_samples(const struct h5_set *s, const struct place *place);

/* What is read, with what. */
struct sample_reading {
    uint64_t part; /* of the file's samples */
    uint64_t file; /* its number, for the cache */
    struct chunk_scratch *scratch;
    struct chunk_cache *cache; /* NULL: nothing is shared between samples */
    uint64_t bytes;            /* grows by what was read from storage */
};

/* All fields but field 0 into a sample's block, then field 0, there or to a sink. */
int sample_read_rest(const struct sample_file *f, const struct sample_form *form,
                     struct sample_reading *r, void *sample, struct err *e);
int sample_read_first(const struct sample_file *f, const struct sample_form *form,
                      struct sample_reading *r, void *sample, const struct dataset_sink *sink,
                      struct err *e);

/* Neighbours that share a chunk, of whichever field has the longest along n; 1:
 * none do. *bytes takes the most that all their chunks take decoded. */
uint64_t sample_sharing(const struct sample_file *f, const struct sample_form *form,
                        uint64_t *bytes);

#endif
