/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One member of a gzip file (RFC 1952), in memory.
 *
 * Life:    what is returned is the caller's: free() it.
 * Failure: NULL: out of memory, or a build without zlib.
 * Threads: any.
 */
#ifndef RECORD_GZIP_H
#define RECORD_GZIP_H

#include <stddef.h>

/* There is no date in it: same bytes, same file. */
void *gzip_pack(const void *bytes, size_t size, size_t *packed);

#endif
