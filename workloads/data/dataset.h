/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A folder of HDF5 files, read sample by sample.
 *
 *     DIR/train/NAME.hdf5  DIR/validation/NAME.hdf5   (also .h5; val, valid)
 *     DIR/train.h5  DIR/validation.h5                 (likewise)
 *     DIR/NAME.h5 ...                                 (neither of them: split here)
 *     DIR/MANIFEST                                    (generated sets)
 *
 * A folder without either part is split by the names of its files: the last eighth,
 * at least one file, is the validation part (climo_YYYY.h5: the last years), the
 * others train.
 *
 * What a sample is, and the layouts that are tried, say the science's tables
 * (science.h). Any chunking, any order of bytes, any integers and floats;
 * deflate, shuffle and fletcher32. Data are read by file offset and decoded
 * outside the HDF5 library and its lock; by the library where they lie in the
 * header, or behind a user block. Its other filters (szip, nbit, scaleoffset)
 * trust what they are given: they are used on sets of one sample a chunk only.
 *
 * A chunk that holds many samples is decoded once and kept in a bounded cache;
 * `group` says which samples share one, and the loader's order keeps them near
 * each other.
 *
 * Files are hostile: dimensions are capped and products checked before any
 * allocation, no filter is loaded from outside, no link leaves the file.
 *
 * Life:    open returns it, close frees it; the path is copied.
 * Failure: -1 / NULL and one sentence with file, dataset, and what was
 *          expected; of a value also where it stands.
 * Threads: one thread at a time per struct dataset, but for
 *          dataset_read_with(); two may be open at once.
 */
#ifndef DATA_DATASET_H
#define DATA_DATASET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reports/core/err.h"
#include "reports/core/measure.h"
#include "workloads/data/science.h"

enum dataset_split { DATASET_TRAIN, DATASET_VALIDATION };

enum { DATASET_MAX_EDGE = 65536 };

/* Decoded chunks of many samples that are kept, or two groups where that is more. */
#define DATASET_CACHE_BYTES (UINT64_C(128) << 20)
#define DATASET_CACHE_MOST  (UINT64_C(2) << 30) /* and never more than this */

/* A field of a sample in memory. */
struct dataset_field {
    enum number type;        /* INT16 or FLOAT */
    char stored[16];         /* in the first file: "uint16", "float32"; "" where it is missing */
    int rank;                /* axes; as in the science's table */
    long dims[SCIENCE_AXES]; /* along each ... */
    long
        stride[SCIENCE_AXES]; /* ... and values from one to the next: memory has the file's order */
    uint64_t values;          /* product of dims */
    size_t offset;            /* in a sample's block [bytes], a multiple of 64 */
};

struct dataset_info {
    const struct science *science;
    const struct layout *layout;
    struct dataset_field field[SCIENCE_FIELDS];
    size_t sample_bytes; /* a sample's block: all its fields */
    uint64_t samples, files;
    uint64_t stored_bytes; /* mean per sample, in the files */
    bool whole;            /* samples are what was stored, not cut out of something larger */
    bool generated;        /* has a manifest of ours; else foreign ("published", ...) */
    bool split_here;       /* neither part was there: by the names of the files */
    char manifest_sha256[65];
    struct measure baseline[SCIENCE_BASELINES]; /* in the science's order, from the manifest */
    /* Samples group_start[g] to group_start[g + 1] - 1 share chunks, of whichever
     * field has the longest. NULL: no two do. */
    const uint64_t *group_start; /* [groups + 1] */
    uint64_t groups;
    uint64_t group_bytes; /* most that one takes decoded */
};

struct dataset;
struct chunk_scratch; /* workloads/data/chunk.h */

/* Takes field 0 of a sample slab by slab while it is in the cache: first..
 * first+n-1 along the slowest axis in memory, checked, in order. */
struct dataset_sink {
    int (*slab)(void *arg, const void *sample, const void *values, long first, long n,
                struct err *e);
    void *arg;
};

/* Opens one split of the folder. c: samples have the sizes of this class; NULL:
 * whatever the first file has. The first file is opened and checked now, of
 * files with many samples each; others when they are read. */
struct dataset *dataset_open(const char *folder, enum dataset_split split, const struct science *s,
                             const struct data_class *c, struct err *e);
void dataset_close(struct dataset *d);

/* What the samples of a folder or a file are: as the folder's manifest says, else
 * the first science that the training part, or the file, fits. */
const struct science *dataset_science(const char *path, struct err *e);

/* dataset_open() of a file, all of whose samples are taken. */
struct dataset *dataset_open_file(const char *path, const struct science *s,
                                  const struct data_class *c, struct err *e);

const struct dataset_info *dataset_info(const struct dataset *d);

/* -1 and a sentence when its files lack what a network is to say. */
int dataset_can_train(const struct dataset *d, struct err *e);

/* The n numbers of a dataset of one axis in a file beside the parts, which may not be
 * there: 1. For what published sets say of themselves (stats.h5). */
int dataset_beside(const struct dataset *d, const char *file, const char *set, float *to, size_t n,
                   struct err *e);

/* Reads sample i into a block of info->sample_bytes, aligned to 64. *bytes (may
 * be NULL) takes what was read from storage. */
int dataset_read(struct dataset *d, uint64_t i, void *sample, uint64_t *bytes, struct err *e);

/* The same without looking at the values: whatever is there is handed over, NaN and
 * what is out of its range too. For pictures of what is wrong. */
int dataset_look(struct dataset *d, uint64_t i, void *sample, struct err *e);

/* dataset_read() for any number of threads at once, each with scratch of its own.
 * With a sink (may be NULL) the other fields are in `sample` before the first
 * slab of field 0, whose place there is spare memory. */
int dataset_read_with(const struct dataset *d, struct chunk_scratch *s, uint64_t i, void *sample,
                      const struct dataset_sink *sink, uint64_t *bytes, struct err *e);

/* All fields but field 0, whose place is left as it is: labels alone. */
int dataset_read_rest(struct dataset *d, uint64_t i, void *sample, struct err *e);

/* Sample i will be read soon: the system may begin to fetch it. A hint, for short
 * files of one sample (4 MiB; in a longer one the system reads ahead by itself, and
 * by larger pages); says nothing of what is wrong with the file. */
void dataset_will_read(const struct dataset *d, struct chunk_scratch *s, uint64_t i);

/* Chunks of many samples that were decoded so far. */
uint64_t dataset_decoded(const struct dataset *d);

/* Value j (row major in the order of the field's axes) of field k of a sample's block. */
double dataset_value(const struct dataset_info *info, const void *sample, int k, uint64_t j);

#endif
