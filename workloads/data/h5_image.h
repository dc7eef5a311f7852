/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An HDF5 file that is built in memory, hashed there, and written under a
 * temporary name that a rename ends: a file of the final name is whole. Its
 * bytes depend on what is put into it and the versions of HDF5 and zlib only
 * (no times, no owner).
 *
 * Life:    begin, put ..., write or drop; one at a time.
 * Failure: -1 and a sentence; nothing of the final name is left. A failed put
 *          is told by write.
 * Threads: one (HDF5).
 */
#ifndef DATA_H5_IMAGE_H
#define DATA_H5_IMAGE_H

#include <stdint.h>

#include "reports/core/err.h"
#include "reports/core/sha256.h"
#include "workloads/data/science.h"

enum { H5_IMAGE_AXES = 6 };

struct h5_image;

struct h5_image *h5_image_begin(struct err *e);

/* One dataset, groups in its path are made. chunk NULL: contiguous; else its
 * chunk, deflated at that level (0: not). */
int h5_image_put(struct h5_image *f, const char *path, enum number type, int rank,
                 const uint64_t *dims, const uint64_t *chunk, int deflate, const void *values);

/* Texts of a fixed size, cut or filled with NUL. */
int h5_image_put_texts(struct h5_image *f, const char *path, int n, size_t size,
                       const char *const *texts);

/* Writes path and frees f; sha256 and bytes take what was written. */
int h5_image_write(struct h5_image *f, const char *path, char sha256[SHA256_HEX_SIZE],
                   uint64_t *bytes, struct err *e);
void h5_image_drop(struct h5_image *f);

/* "x86_64 fftw-3.3.10 hdf5-1.10.8 zlib-1.2.13": on what the bytes depend. */
void h5_image_build(char *text, size_t size, const char *libraries);

#endif
