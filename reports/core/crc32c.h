/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * CRC-32C (Castagnoli), as iSCSI and ext4 use it: the check of every frame in
 * journals and bundles.
 *
 * Life, Failure: none. Threads: pure function.
 */
#ifndef CORE_CRC32C_H
#define CORE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* crc is 0 or what was returned for the part before. */
uint32_t crc32c(uint32_t crc, const void *p, size_t n);

#endif
