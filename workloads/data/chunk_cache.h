/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Decoded chunks of many samples, kept for the next one that lies in them: so
 * many bytes, those longest unused go first. Whoever asks for a chunk that
 * another thread is making waits for it.
 *
 * Life:    create/destroy; destroy(NULL) is a no-op. What was taken is held
 *          until it is given back.
 * Failure: NULL and a sentence: the maker's.
 * Threads: any number.
 */
#ifndef DATA_CHUNK_CACHE_H
#define DATA_CHUNK_CACHE_H

#include <stddef.h>
#include <stdint.h>

#include "reports/core/err.h"

struct chunk_cache;
struct chunk_held;

struct chunk_key {
    uint64_t file, set, chunk;
};

/* Fills to[0..bytes). */
typedef int chunk_make(void *arg, void *to, size_t bytes, struct err *e);

/* bytes: that may be kept; what is held counts, and may be more. */
struct chunk_cache *chunk_cache_create(uint64_t bytes, struct err *e);
void chunk_cache_destroy(struct chunk_cache *c);

/* The chunk of a key, made where it is not there. */
struct chunk_held *chunk_cache_take(struct chunk_cache *c, const struct chunk_key *key,
                                    size_t bytes, chunk_make *make, void *arg, struct err *e);
const void *chunk_held_data(const struct chunk_held *h);
void chunk_cache_give(struct chunk_cache *c, struct chunk_held *h);

/* Chunks that were made so far, and bytes that are there now. */
uint64_t chunk_cache_made(struct chunk_cache *c);
uint64_t chunk_cache_bytes(struct chunk_cache *c);

#endif
