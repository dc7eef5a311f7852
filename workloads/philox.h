/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Philox4x32-10: random numbers as a pure function of (key, counter).
 * Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3",
 * SC'11. No state: any rank or thread computes the same number for the same
 * key and counter. Key the stream by what is global (seed, sample, epoch,
 * operator), never by rank or thread.
 *
 * Life, Failure: none.
 * Threads: pure functions.
 */
#ifndef WORKLOADS_PHILOX_H
#define WORKLOADS_PHILOX_H

#include <stdint.h>

/* out: 128 random bits of counter c under key k; out may be c. */
static inline void philox4x32(const uint32_t c[4], const uint32_t k[2], uint32_t out[4])
{
    uint32_t c0 = c[0], c1 = c[1], c2 = c[2], c3 = c[3];
    uint32_t k0 = k[0], k1 = k[1];

    for (int round = 0; round < 10; round++) {
        uint64_t p0 = UINT64_C(0xD2511F53) * c0;
        uint64_t p1 = UINT64_C(0xCD9E8D57) * c2;
        uint32_t n0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
        uint32_t n2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c1 = (uint32_t)p1;
        c3 = (uint32_t)p0;
        c0 = n0;
        c2 = n2;
        k0 += 0x9E3779B9;
        k1 += 0xBB67AE85;
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}

/* The same with the key and counter as two 64-bit words each: seed; a stream
 * and an index in it. */
static inline void philox_at(uint64_t seed, uint64_t stream, uint64_t index, uint32_t out[4])
{
    const uint32_t k[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
    const uint32_t c[4] = {(uint32_t)index, (uint32_t)(index >> 32), (uint32_t)stream,
                           (uint32_t)(stream >> 32)};

    philox4x32(c, k, out);
}

/* What a seed is used for. Values never change: they are part of every result. */
enum philox_use {
    PHILOX_PARAMETER = 1, /* engine: start values, which = hash of the name */
    PHILOX_DROPOUT = 2    /* engine: masks, which = epoch */
};

/* A seed of its own for one use of a seed, so that two uses never share a
 * sequence. */
static inline uint64_t philox_derive(uint64_t seed, enum philox_use use, uint64_t which)
{
    uint32_t out[4];

    philox_at(seed, UINT64_C(0x6870613500000000) | use, which, out);
    return (uint64_t)out[1] << 32 | out[0];
}

/* A uniform float in [0, 1): 24 bits, exact. */
static inline float philox_float(uint32_t bits)
{
    return (float)(bits >> 8) * 0x1p-24f;
}

/* A uniform double in [0, 1): 53 bits of two words, exact. */
static inline double philox_double(uint32_t hi, uint32_t lo)
{
    return (double)(((uint64_t)hi << 32 | lo) >> 11) * 0x1p-53;
}

#endif
