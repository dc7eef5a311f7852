/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sixteen channels side by side in one register of AVX-512, as float32 or
 * bfloat16 in memory: what the vector kernels are made of.
 *
 * A tensor suits when its blocks are made of whole groups of 16 channels: blocks of
 * 16, or channels last with a multiple of 16 of them.
 *
 * Life, Failure: none.
 */
#ifndef CPU_KERNEL_LANES_H
#define CPU_KERNEL_LANES_H

#include "workloads/engine/cpu/kernel_map.h"

enum { LANES = 16 };

/* Tensors from this size on do not stay in a cache until they are read: they
 * are written past it, where a register, or two neighbouring ones, fill a line of it:
 * half lines that are written past caches one by one are slower by four. */
enum { STREAM_BYTES = 16 << 20 };

static inline bool lanes_stream(const struct map *m)
{
    bool lines = m->dtype == TENSOR_F32 || m->b == LANES;

    return lines && map_count(m) * dtype_bytes(m->dtype) >= STREAM_BYTES;
}

#if defined(__x86_64__)
#include <immintrin.h>

#define AVX512 __attribute__((target("avx512f,avx512vl,avx512bw,avx512dq,avx512bf16")))
#define AVX512_INLINE                                                                              \
    static inline                                                                                  \
        __attribute__((always_inline, target("avx512f,avx512vl,avx512bw,avx512dq,avx512bf16")))

/* Whether this CPU has the instructions for that type. */
static inline bool lanes_cpu(enum tensor_dtype dtype)
{
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512dq") &&
           (dtype == TENSOR_F32 || __builtin_cpu_supports("avx512bf16"));
}

static inline bool lanes_suit(const struct map *m)
{
    return m->b % LANES == 0 && lanes_cpu(m->dtype);
}

AVX512_INLINE __m512 lanes_load(const void *p, size_t at, bool bf16)
{
    if (!bf16)
        return _mm512_loadu_ps((const float *)p + at);
    return _mm512_castsi512_ps(_mm512_slli_epi32(
        _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)((const uint16_t *)p + at))),
        16));
}

/* stream: at must be a multiple of 16 of an address aligned to 64 bytes. */
AVX512_INLINE void lanes_store(void *p, size_t at, __m512 v, bool bf16, bool stream)
{
    if (bf16) {
        __m256i h = (__m256i)_mm512_cvtneps_pbh(v);

        if (stream)
            _mm256_stream_si256((__m256i *)((uint16_t *)p + at), h);
        else
            _mm256_storeu_si256((__m256i *)((uint16_t *)p + at), h);
    } else if (stream) {
        _mm512_stream_ps((float *)p + at, v);
    } else {
        _mm512_storeu_ps((float *)p + at, v);
    }
}

/* v > 0 ? v : slope v, and the same by another register's sign. */
AVX512_INLINE __m512 lanes_leaky(__m512 v, __mmask16 positive, float slope)
{
    return _mm512_mask_mul_ps(v, _mm512_knot(positive), v, _mm512_set1_ps(slope));
}

AVX512_INLINE __mmask16 lanes_positive(__m512 v)
{
    return _mm512_cmp_ps_mask(v, _mm512_setzero_ps(), _CMP_GT_OQ);
}

/* The lower and the upper eight as doubles. */
AVX512_INLINE __m512d lanes_low(__m512 v)
{
    return _mm512_cvtps_pd(_mm512_castps512_ps256(v));
}

AVX512_INLINE __m512d lanes_high(__m512 v)
{
    return _mm512_cvtps_pd(_mm512_extractf32x8_ps(v, 1));
}
#endif

#endif
