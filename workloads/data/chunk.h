/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A chunk as it lies in an HDF5 file, and how its filters are undone: deflate,
 * shuffle and fletcher32 in any order. HDF5 does the same, but reads past the
 * end of a chunk that decodes to less than it says; here that is damage.
 *
 * Life:    a zeroed chunk_scratch is valid; fini frees what it grew to.
 * Failure: -1 and a sentence; NULL for damage: the caller knows the file.
 * Threads: one per scratch.
 */
#ifndef DATA_CHUNK_H
#define DATA_CHUNK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reports/core/err.h"

enum { CHUNK_MAX_FILTERS = 8 };

/* HDF5's own numbers. */
enum chunk_filter { CHUNK_DEFLATE = 1, CHUNK_SHUFFLE = 2, CHUNK_FLETCHER32 = 3 };

struct chunk_form {
    int filters; /* in the order in which they were applied */
    enum chunk_filter filter[CHUNK_MAX_FILTERS];
    size_t element; /* bytes of a value */
    size_t bytes;   /* of a chunk, decoded */
    size_t room;    /* that a decoded chunk is given, at least its bytes */
};

/* Buffers that grow and are kept from chunk to chunk. */
struct chunk_scratch {
    void *stored; /* a chunk as it lies in the file */
    size_t stored_size;
    void *plain[2]; /* between filters */
    size_t plain_size;
    struct inflate *inflate; /* NULL: not needed yet */
    /* Spent in chunk_decode() so far, and whether it is running: others may look. */
    double seconds, cpu_seconds;
    atomic_bool decoding;
    double find_seconds; /* until files were found and open, for samples read with it */
};

/* Room in s->stored for so many bytes, and for what they decode to. */
int chunk_prepare(const struct chunk_form *f, struct chunk_scratch *s, size_t stored,
                  struct err *e);

/* Undoes the filters of s->stored[0..stored), from the last to the first, but
 * for those whose bit of the mask says that they were left out. Returns the
 * chunk's bytes, f->room of which may be written; NULL: damaged. */
void *chunk_decode(const struct chunk_form *f, struct chunk_scratch *s, size_t stored,
                   unsigned mask);

void chunk_scratch_fini(struct chunk_scratch *s);

/* HDF5's fletcher32 of n bytes. */
uint32_t chunk_fletcher32(const unsigned char *p, size_t n);

#endif
