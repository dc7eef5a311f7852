/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Undoes deflate in zlib's wrapping, as HDF5 stores its chunks: by libdeflate
 * where configure found it, else by zlib. Both give the same bytes and refuse
 * the same: what is cut short or damaged, what needs more room than there is,
 * a wrong checksum. What follows the end of the stream is not looked at, as
 * HDF5 itself does not.
 *
 * Life:    create/destroy; destroy(NULL) is a no-op.
 * Failure: -1 alone: the caller knows the file.
 * Threads: one per struct.
 */
#ifndef DATA_INFLATE_H
#define DATA_INFLATE_H

#include <stdbool.h>
#include <stddef.h>

struct inflate;

/* plain: zlib in any case, to compare with. NULL: no memory. */
struct inflate *inflate_create(bool plain);
void inflate_destroy(struct inflate *z);

/* "libdeflate" or "zlib" */
const char *inflate_name(const struct inflate *z);

/* from[0..bytes) into to[0..room); the bytes that it gave, or -1. Never writes
 * past room, which is not 0; after -1 what is there means nothing. */
long inflate_run(struct inflate *z, const void *from, size_t bytes, void *to, size_t room);

#endif
