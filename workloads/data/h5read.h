/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Regions of an open dataset (h5file.h) as int16 or float: by file offset and
 * decoded outside HDF5's lock where the set is contiguous or has chunks of
 * known filters, by the library else.
 *
 * Life:    no state; scratch memory stays with struct chunk_scratch.
 * Failure: -1 / NULL and a sentence with file and dataset.
 * Threads: any number on one set, each with scratch of its own.
 */
#ifndef DATA_H5READ_H
#define DATA_H5READ_H

#include <stdint.h>

#include "reports/core/err.h"
#include "workloads/data/chunk_cache.h"
#include "workloads/data/h5file.h"

struct h5_region {
    uint64_t corner[H5_AXES], size[H5_AXES]; /* of all the set's axes */
};

/* Where decoded chunks are kept. */
struct h5_cache {
    struct chunk_cache *chunks; /* NULL: nowhere */
    uint64_t file, set;         /* of the key */
};

/* The region, row major, to `to`; it lies within the set. *bytes grows by what
 * was read of the file. cache may be NULL. */
int h5_read(const struct h5_set *s, const struct h5_region *r, const struct h5_cache *cache,
            struct chunk_scratch *scratch, void *to, uint64_t *bytes, struct err *e);

/* One chunk of an H5_CHUNKED set, by the index of its first value; its values
 * lie in scratch. */
const void *h5_read_chunk(const struct h5_set *s, const uint64_t *origin,
                          struct chunk_scratch *scratch, uint64_t *bytes, struct err *e);

/* n bytes of the file from `at` on, for an H5_CONTIGUOUS set. */
int h5_read_bytes(const struct h5_set *s, void *to, size_t n, uint64_t at, uint64_t *bytes,
                  struct err *e);

#endif
