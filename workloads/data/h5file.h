/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An HDF5 file and its datasets, opened as what they are: hostile.
 *
 * One plain file, no driver, no filter from outside; every step of the way to a
 * dataset is a hard link, and its data lie in this very file. Axes are counted
 * and capped, chunks bounded, before anybody allocates for them.
 *
 * Every call of the library is under one lock, so that any build of HDF5 will
 * do; h5read.h reads and decodes outside it. Only these two call the library.
 *
 * Life:    open/close; close of a zeroed or failed struct is a no-op.
 * Failure: -1 and a sentence with file, dataset and what was expected.
 * Threads: open and close by one; what is open may be read by several.
 */
#ifndef DATA_H5FILE_H
#define DATA_H5FILE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reports/core/err.h"
#include "workloads/data/chunk.h"
#include "workloads/data/science.h"

enum { H5_AXES = 6 };

struct h5_file {
    char path[PATH_MAX];
    bool open;
    int64_t id;          /* hid_t */
    int fd;              /* HDF5's own descriptor of the file */
    uint64_t bytes;      /* of the file */
    double find_seconds; /* that h5_open() took to find it and open it, before any byte was read */
    bool userblock;      /* bytes of others before its own */
};

/* How a dataset is read. */
enum h5_how { H5_BY_LIBRARY, H5_CONTIGUOUS, H5_CHUNKED };

struct h5_set {
    const struct h5_file *file;
    const char *name; /* its path in the file, borrowed */
    bool open;
    int64_t id, file_type; /* hid_t */
    int rank;
    uint64_t dims[H5_AXES];
    uint64_t values;  /* product of dims; meaningless until they are capped */
    enum number type; /* INT16 or FLOAT: that its values become ... */
    bool native;      /* ... and are */
    char stored[16];  /* "uint16": what they are in the file */
    enum h5_how how;
    bool compact;            /* in the header, by library */
    uint64_t offset;         /* contiguous */
    bool chunked;            /* has chunks, whoever reads them */
    uint64_t chunk[H5_AXES]; /* sides of a chunk */
    struct chunk_form form;
};

/* Opens and checks a file; expected_bytes: 0, or its size. */
int h5_open(struct h5_file *f, const char *path, uint64_t expected_bytes, struct err *e);
void h5_close(struct h5_file *f);

/* Whether there is anything of that name. */
bool h5_has_set(const struct h5_file *f, const char *name);

/* Opens a dataset by its path in the file, with the axes that it has. The
 * caller checks dims, then calls h5_storage(). */
int h5_open_set(struct h5_set *s, const struct h5_file *f, const char *name, struct err *e);
void h5_close_set(struct h5_set *s);

/* Type and storage of a set whose dims are capped. floats: its numbers become
 * floats whatever they are. most_chunk: values that a chunk may have, 0: as many
 * as fit 1 GiB. */
int h5_storage(struct h5_set *s, bool floats, uint64_t most_chunk, struct err *e);

/* Bytes of a value in memory. */
size_t h5_type_size(enum number type);

/* "[3][0][12]" */
enum { H5_INDEX_SIZE = H5_AXES * 23 };
const char *h5_index(char text[H5_INDEX_SIZE], int rank, const uint64_t *at);

/* For h5read.c: the lock, and a sentence with HDF5's own reason; under it. */
void h5_lock(void);
void h5_unlock(void);
int h5_error(const struct h5_file *f, const char *what, struct err *e);

#endif
