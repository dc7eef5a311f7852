/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Classic NetCDF (Rew, Davis 1990; the file format specifications CDF-1, CDF-2 with 64-bit
 * offsets, CDF-5 with 64-bit sizes): what lies in such a file, and its variables as
 * numbers. NetCDF-4 files are HDF5 files, which are read as they are.
 *
 * Files are hostile: nothing is allocated before what it is for is known to lie in the
 * file, and every product of sizes is checked.
 *
 * Life:    open keeps the bytes (borrowed) until close; close of a zeroed or failed one
 *          is a no-op.
 * Failure: -1 and a sentence with the file's name; nothing is kept.
 * Threads: any number on one that is open.
 */
#ifndef DATA_NETCDF_H
#define DATA_NETCDF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reports/core/err.h"

enum {
    NETCDF_AXES = 6,
    NETCDF_NAME = 64,     /* a name and its NUL; longer ones are refused */
    NETCDF_MOST = 1 << 16 /* dimensions, variables, attributes of one */
};

/* A variable: numbers of `type` (1 byte, 3 short, 4 int, 5 float, 6 double; 2, text, has no
 * numbers; of CDF-5 7 to 11), big-endian, row major. */
struct netcdf_var {
    char name[NETCDF_NAME];
    int rank;
    uint64_t dims[NETCDF_AXES];
    unsigned type;
    bool record; /* the first axis is the records', which lie apart */
    uint64_t begin, values;
    double missing[2]; /* _FillValue, missing_value: NaN is none; as stored */
    double scale, offset;
};

struct netcdf {
    const unsigned char *data;
    size_t size;
    const char *path;
    int version; /* 1, 2, 5 */
    uint64_t records, record_bytes;
    int n_vars;
    struct netcdf_var *var;
};

/* path: for sentences, borrowed. A file that is cut off is refused. */
int netcdf_open(struct netcdf *n, const void *data, size_t size, const char *path, struct err *e);
void netcdf_close(struct netcdf *n);

/* One number of such a type, big-endian; bytes that it takes, 0: there is no such type. */
double netcdf_number(const unsigned char *p, unsigned type);
size_t netcdf_bytes(unsigned type);

/* All values of a variable, scaled by its scale_factor and add_offset; what is missing is
 * NaN. Text is refused. */
int netcdf_read(const struct netcdf *n, int var, float *to, struct err *e);

#endif
