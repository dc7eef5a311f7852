/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Old formats into HDF5 (`hpcai500 data import`): classic NetCDF, raw numbers with a
 * sidecar that says what they are, CSV. What comes out is datasets of float32, what is
 * missing NaN.
 *
 * A sidecar has a key a line, "key = value"; '#' begins a comment:
 *     type = int8 | uint8 | int16 | uint16 | int32 | uint32 | int64 | uint64 | float32 |
 *            float64
 *     dims = 12, 90, 180       row major, at most six
 *     order = little | big     of bytes; little when it is not said
 *     dataset = NAME           "data" when it is not said
 *     skip = BYTES             before the first number
 *     missing = NUMBER         as stored; becomes NaN
 *     scale = NUMBER, offset = NUMBER      value = stored x scale + offset
 *
 * CSV: columns of numbers between ',' ';' or tabs, whichever the first line has; the first
 * line is names where one of its cells is no number, else columns are called c0, c1, ...
 * An empty cell, "NA" and "nan" are missing. Each column becomes a dataset of one axis.
 *
 * Life:    what is put is the callee's until it returns.
 * Failure: -1 and a sentence with the file, and the line and column of a CSV's cell.
 * Threads: pure functions.
 */
#ifndef DATA_IMPORT_H
#define DATA_IMPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "reports/core/err.h"

enum { IMPORT_AXES = 6, IMPORT_NAME = 64, IMPORT_WANTED = 64 };

enum import_format { IMPORT_NETCDF, IMPORT_RAW, IMPORT_CSV };

/* One array of a file. */
struct import_array {
    const char *name;
    int rank;
    uint64_t dims[IMPORT_AXES];
    uint64_t values;
    float *v; /* [values], row major */
};

/* What becomes of the arrays. wants() is asked before an array is decoded. */
struct import_sink {
    bool (*wants)(void *ctx, const char *name);
    int (*put)(void *ctx, const struct import_array *a, struct err *e);
    void *ctx;
};

/* Of a file's bytes, in memory; path is for sentences. sidecar: text of a sidecar (RAW). */
int import_bytes(enum import_format format, const unsigned char *data, size_t size,
                 const char *path, const char *sidecar, const struct import_sink *to,
                 struct err *e);

/* What of a file goes where. */
struct import_order {
    const char *input, *sidecar, *output; /* sidecar NULL: INPUT.txt */
    const char *format;                   /* "netcdf", "raw", "csv"; NULL: by the name */
    int n_wanted;                         /* 0: all arrays, under their names */
    const char *wanted[IMPORT_WANTED];    /* "NAME" or "NAME:PATH" */
};

/* Writes the HDF5 file anew and says a line of each dataset. Nothing is left of a file that
 * cannot be whole. */
int import_file(const struct import_order *o, FILE *say, struct err *e);

#endif
