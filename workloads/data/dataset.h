/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A folder of HDF5 cubes, read sample by sample.
 *
 *     DIR/train/NAME.hdf5  DIR/validation/NAME.hdf5   (also .h5)
 *     DIR/MANIFEST                                (generated sets)
 *
 * Both published CosmoFlow layouts are read, told apart by what the first
 * file holds:
 *   cut  `x`    (D, D, D, 4)  one sample        `y`       (4)
 *   raw  `full` (S, S, S, 4)  (S/D)^3 samples   `unitPar` (4)
 * Any chunking, any type of numbers; deflate, shuffle and fletcher32. Data are
 * read by file offset and decoded outside the HDF5 library and its lock; by
 * the library where they lie in the header, or behind a user block. HDF5's
 * other filters (szip, nbit, scaleoffset) trust what they are given: refused.
 *
 * Files are hostile: dimensions are capped and products checked before any
 * allocation, no filter is loaded from outside, no link leaves the file.
 *
 * Life:    open returns it, close frees it; the path is copied.
 * Failure: -1 / NULL and one sentence with file, dataset, and what was
 *          expected.
 * Threads: one thread at a time per struct dataset, but for
 *          dataset_read_with(); two may be open at once.
 */
#ifndef DATA_DATASET_H
#define DATA_DATASET_H

#include <stdbool.h>
#include <stdint.h>

#include "reports/core/err.h"
#include "reports/core/measure.h"
#include "workloads/data/cosmo_classes.h"
#include "workloads/data/manifest.h"

enum dataset_split { DATASET_TRAIN, DATASET_VALIDATION };

enum { DATASET_MAX_EDGE = 1024, DATASET_LABELS = COSMO_PARAMETERS };

/* How one cube is held: counts as stored, or floats. */
enum dataset_type { DATASET_INT16, DATASET_FLOAT };

struct dataset_info {
    enum data_layout layout;
    enum dataset_type type;
    char stored[16]; /* type in the first file: "int16", "uint16", "float32", ... */
    int edge;        /* D of a sample */
    int channels;    /* 4 */
    uint64_t samples;
    uint64_t values;          /* D * D * D * channels, of one sample */
    uint64_t stored_bytes;    /* mean per sample, in the files (from the first file) */
    bool periodic;            /* the cube is a whole periodic box: cyclic shifts are symmetries */
    bool generated;           /* has a manifest of ours; else foreign ("published", ...) */
    char manifest_sha256[65]; /* "" when there is none */
    struct measure ridge_mae; /* baselines kept in the manifest */
    struct measure constant_mae;
};

struct dataset;
struct chunk_scratch; /* workloads/data/chunk.h */
struct cube_sink;     /* workloads/data/cube.h */

/* Opens one split of the folder for samples of edge cells per side (0: the
 * whole cube of a file). The first file is opened and checked now, each other
 * when it is read. */
struct dataset *dataset_open(const char *folder, enum dataset_split split, int edge, struct err *e);
void dataset_close(struct dataset *d);

const struct dataset_info *dataset_info(const struct dataset *d);

/* Reads sample i: cube takes values elements of info->type in the stored
 * order [D][D][D][C], y takes DATASET_LABELS floats. Refuses labels and float
 * cubes that are not finite, and negative cells. *bytes (may be NULL) takes
 * what was read from storage. */
int dataset_read(struct dataset *d, uint64_t i, void *cube, float *y, uint64_t *bytes,
                 struct err *e);

/* The same for any number of threads at once, each with scratch of its own.
 * With a sink (may be NULL) the planes go there, and cube is spare memory. */
int dataset_read_with(const struct dataset *d, struct chunk_scratch *s, uint64_t i, void *cube,
                      const struct cube_sink *sink, float *y, uint64_t *bytes, struct err *e);

/* Sample i will be read soon: the system may begin to fetch it. A hint, for
 * files of one sample; says nothing of what is wrong with the file. */
void dataset_will_read(const struct dataset *d, uint64_t i);

/* The labels alone, for the constant predictor. */
int dataset_read_labels(struct dataset *d, uint64_t i, float *y, struct err *e);

#endif
