/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * SHA-256 (FIPS 180-4), for manifests, records and witnesses.
 *
 * Life:    plain state, no allocation.
 * Failure: none; sha256_file() says which file could not be read.
 * Threads: one thread per state.
 */
#ifndef CORE_SHA256_H
#define CORE_SHA256_H

#include <stddef.h>
#include <stdint.h>

#include "reports/core/err.h"

enum { SHA256_HEX_SIZE = 65 };

struct sha256 {
    uint32_t h[8];
    uint64_t bytes;
    unsigned char block[64];
};

void sha256_init(struct sha256 *s);
void sha256_add(struct sha256 *s, const void *p, size_t n);
/* Writes 64 lower-case hexadecimal digits and a NUL; s is then spent. */
void sha256_hex(struct sha256 *s, char hex[SHA256_HEX_SIZE]);

/* Of n bytes at once. */
void sha256_of(const void *p, size_t n, char hex[SHA256_HEX_SIZE]);

/* Hash and size of a regular file; bytes may be NULL. */
int sha256_file(const char *path, char hex[SHA256_HEX_SIZE], uint64_t *bytes, struct err *e);

#endif
