/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One HDF5 file of cubes: checked, then read. The only file of the agent that
 * includes <hdf5.h> is cube.c.
 *
 * Opening and every other library call is under one lock, so that any build
 * of HDF5 will do; preads and decoding are outside it.
 *
 * Life:    open/close; scratch memory stays with struct chunk_scratch.
 * Failure: -1 and a sentence with file, dataset and what was expected.
 * Threads: one per struct; several structs at once.
 */
#ifndef DATA_CUBE_H
#define DATA_CUBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reports/core/err.h"
#include "workloads/data/chunk.h"
#include "workloads/data/dataset.h"

/* What a file must be. edge 0 on the first file: taken from it. */
struct cube_shape {
    enum data_layout layout;
    enum dataset_type type;
    char stored[16]; /* "uint16", "float32", ...: in the file that was probed */
    int whole;       /* S: cells per side in the file */
    int edge;        /* D: of a sample, divides S */
    bool by_library; /* chunks that HDF5 decodes, not this module: it trusts them */
};

/* Takes a sample plane by plane while it is in the cache: planes
 * first..first+n-1, [n][D][D][C], checked, in order. */
struct cube_sink {
    void (*planes)(void *arg, const void *cells, int first, int n);
    void *arg;
};

/* What is in the file: layout, type and S; refuses what is no cube set. */
int cube_probe(const char *path, struct cube_shape *shape, struct err *e);

/* Reads sample `part` (of (S/D)^3, the last axis fastest) and the labels.
 * cube NULL: the labels alone. With a sink the sample goes there, and cube is
 * memory that may be needed. expected_bytes: 0, or the file's size. *bytes
 * grows by what was read. */
int cube_read(const char *path, const struct cube_shape *shape, int part, uint64_t expected_bytes,
              struct chunk_scratch *s, void *cube, const struct cube_sink *sink, float *y,
              uint64_t *bytes, struct err *e);

#endif
