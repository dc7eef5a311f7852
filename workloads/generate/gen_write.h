/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One cube to one HDF5 file, in either published layout.
 *
 * The file is built in memory, hashed there, and written under a temporary
 * name that a rename ends: a file of the final name is whole. Bytes depend on
 * the arguments and the versions of HDF5 and zlib only (no times, no owner).
 *
 * Life:    no state.
 * Failure: -1 and a sentence; nothing of the final name is left.
 * Threads: one (HDF5).
 */
#ifndef GENERATE_GEN_WRITE_H
#define GENERATE_GEN_WRITE_H

#include <stdint.h>

#include "reports/core/err.h"
#include "reports/core/sha256.h"
#include "workloads/data/manifest.h"

struct gen_cube {
    const int16_t *counts; /* [edge][edge][edge][COSMO_CHANNELS] */
    int edge;
    enum data_layout layout;
    int deflate; /* level */
    double unit[COSMO_PARAMETERS];
};

/* Writes path; sha256 and bytes take what was written. */
int gen_write(const char *path, const struct gen_cube *c, char sha256[SHA256_HEX_SIZE],
              uint64_t *bytes, struct err *e);

/* "x86_64 fftw-3.3.10 hdf5-1.10.8 zlib-1.2.13": on what the bytes depend. */
void gen_write_build(char *text, size_t size, const char *fftw);

#endif
