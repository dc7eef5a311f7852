/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Multiply-adds of registers: s = 1 s + b for 16 independent s (12 where there are
 * 16 registers), more than latency x width of any unit. Sums of whole numbers stay
 * exact below 2^24, so every lane has one right value and a bit that flips on the
 * way stays wrong.
 */
#include <config.h>

#include "workloads/micro/kernel.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

enum { SUMS = 16, TURNS = 200000, LANES = 16 };

struct fma {
    const char *name;
    double flop; /* of a call */
    long (*run)(float one, float b);
};

/* A sum began at `start` and had `added` added. */
static long wrong(const float *lanes, int n, float start, double added)
{
    long count = 0;

    for (int i = 0; i < n; i++)
        count += (double)lanes[i] != (double)start + added;
    return count;
}

#ifdef MICRO_FLIP_A_BIT
/* A test build: one bit of one result is wrong. */
static void flip(float *lanes)
{
    union {
        float value;
        uint32_t bits;
    } u = {.value = lanes[0]};

    u.bits ^= 1u << 3;
    lanes[0] = u.value;
}
#define FLIP(lanes, i)                                                                             \
    if ((i) == 0)                                                                                  \
    flip(lanes)
#else
#define FLIP(lanes, i) (void)0
#endif

#define SUM12(OP) OP(0) OP(1) OP(2) OP(3) OP(4) OP(5) OP(6) OP(7) OP(8) OP(9) OP(10) OP(11)
#define SUM16(OP) SUM12(OP) OP(12) OP(13) OP(14) OP(15)

#if defined(__x86_64__)
__attribute__((target("avx512f"))) static long fma_avx512(float one, float b)
{
    __m512 s[SUMS], f = _mm512_set1_ps(one), g = _mm512_set1_ps(b);
    float lanes[LANES];
    long bad = 0;

    for (int i = 0; i < SUMS; i++)
        s[i] = _mm512_set1_ps((float)i);
    for (long t = 0; t < TURNS; t++) {
#define STEP(i) s[i] = _mm512_fmadd_ps(s[i], f, g);
        SUM16(STEP)
#undef STEP
    }
    for (int i = 0; i < SUMS; i++) {
        _mm512_storeu_ps(lanes, s[i]);
        FLIP(lanes, i);
        bad += wrong(lanes, 16, (float)i, (double)b * TURNS);
    }
    return bad;
}

__attribute__((target("avx2,fma"))) static long fma_avx2(float one, float b)
{
    __m256 s[12], f = _mm256_set1_ps(one), g = _mm256_set1_ps(b);
    float lanes[LANES];
    long bad = 0;

    for (int i = 0; i < 12; i++)
        s[i] = _mm256_set1_ps((float)i);
    for (long t = 0; t < TURNS; t++) {
#define STEP(i) s[i] = _mm256_fmadd_ps(s[i], f, g);
        SUM12(STEP)
#undef STEP
    }
    for (int i = 0; i < 12; i++) {
        _mm256_storeu_ps(lanes, s[i]);
        FLIP(lanes, i);
        bad += wrong(lanes, 8, (float)i, (double)b * TURNS);
    }
    return bad;
}

/* Each lane adds two products. */
__attribute__((target("avx512f,avx512bf16"))) static long fma_bf16(float one, float b)
{
    __m512 s[SUMS];
    __m512bh f = _mm512_cvtne2ps_pbh(_mm512_set1_ps(one), _mm512_set1_ps(one));
    __m512bh g = _mm512_cvtne2ps_pbh(_mm512_set1_ps(b), _mm512_set1_ps(b));
    float lanes[LANES];
    long bad = 0;

    for (int i = 0; i < SUMS; i++)
        s[i] = _mm512_set1_ps((float)i);
    for (long t = 0; t < TURNS; t++) {
#define STEP(i) s[i] = _mm512_dpbf16_ps(s[i], f, g);
        SUM16(STEP)
#undef STEP
    }
    for (int i = 0; i < SUMS; i++) {
        _mm512_storeu_ps(lanes, s[i]);
        FLIP(lanes, i);
        bad += wrong(lanes, 16, (float)i, 2.0 * (double)b * TURNS);
    }
    return bad;
}
#endif

/* One float per sum and lane, in a form that compilers make vectors of. */
static long fma_plain(float one, float b)
{
    float s[SUMS];
    long bad = 0;

    for (int i = 0; i < SUMS; i++)
        s[i] = (float)i;
    for (long t = 0; t < TURNS; t++)
        for (int i = 0; i < SUMS; i++)
            s[i] = s[i] * one + b;
    for (int i = 0; i < SUMS; i++) {
        FLIP(s + i, i);
        bad += wrong(s + i, 1, (float)i, (double)b * TURNS);
    }
    return bad;
}

static const struct fma *choose(enum fma_type type)
{
    static const struct fma plain = {"plain", 2.0 * SUMS * TURNS, fma_plain};
#if defined(__x86_64__)
    static const struct fma avx512 = {"avx512", 2.0 * 16 * SUMS * TURNS, fma_avx512};
    static const struct fma avx2 = {"avx2", 2.0 * 8 * 12 * TURNS, fma_avx2};
    static const struct fma bf16 = {"vdpbf16ps", 2.0 * 32 * SUMS * TURNS, fma_bf16};

    __builtin_cpu_init();
    if (type == FMA_BF16)
        return __builtin_cpu_supports("avx512bf16") ? &bf16 : NULL;
    if (__builtin_cpu_supports("avx512f"))
        return &avx512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return &avx2;
#endif
    return type == FMA_F32 ? &plain : NULL;
}

const char *fma_name(enum fma_type type)
{
    const struct fma *f = choose(type);

    return f ? f->name : NULL;
}

double fma_flop(enum fma_type type)
{
    const struct fma *f = choose(type);

    return f ? f->flop : 0;
}

long fma_run(enum fma_type type, long times)
{
    const struct fma *f = choose(type);
    long bad = 0;

    for (long t = 0; f && t < times; t++)
        bad += f->run(1, (float)(t % 3 + 1));
    return bad;
}
