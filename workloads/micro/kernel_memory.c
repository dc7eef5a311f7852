/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/micro/kernel.h"

#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

/* STREAM's q; with it all results are whole numbers. */
static const double q = 3;

static const struct {
    const char *name;
    int bytes;
} rows[MEMORY_KERNELS] = {{"copy", 16}, {"scale", 16}, {"add", 24}, {"triad", 24}};

const char *memory_name(enum memory_kernel k)
{
    return rows[k].name;
}

int memory_bytes(enum memory_kernel k)
{
    return rows[k].bytes;
}

/* Element i of b and of c, as memory_fill() leaves them. */
static double b_of(size_t i)
{
    return (double)(i % 1021 + 1);
}

static double c_of(size_t i)
{
    return (double)(i % 1013 + 2);
}

void memory_fill(double *a, double *b, double *c, size_t n, size_t from)
{
    for (size_t i = 0; i < n; i++) {
        a[i] = 0;
        b[i] = b_of(from + i);
        c[i] = c_of(from + i);
    }
}

static double right(enum memory_kernel k, size_t i)
{
    return k == MEMORY_COPY    ? b_of(i)
           : k == MEMORY_SCALE ? q * b_of(i)
           : k == MEMORY_ADD   ? b_of(i) + c_of(i)
                               : b_of(i) + q * c_of(i);
}

long memory_wrong(enum memory_kernel k, const double *a, size_t n, size_t from)
{
    long bad = 0;

    for (size_t i = 0; i < n; i++)
        bad += a[i] != right(k, from + i);
    return bad;
}

/* One pass over n elements, n a multiple of 8 (a line of a cache). STORE writes a
 * vector of V doubles. */
#define PASSES(V, LOAD, STORE, ADD, MUL, SET)                                                      \
    switch (k) {                                                                                   \
    case MEMORY_COPY:                                                                              \
        for (size_t i = 0; i < n; i += V)                                                          \
            STORE(a + i, LOAD(b + i));                                                             \
        break;                                                                                     \
    case MEMORY_SCALE:                                                                             \
        for (size_t i = 0; i < n; i += V)                                                          \
            STORE(a + i, MUL(SET(q), LOAD(b + i)));                                                \
        break;                                                                                     \
    case MEMORY_ADD:                                                                               \
        for (size_t i = 0; i < n; i += V)                                                          \
            STORE(a + i, ADD(LOAD(b + i), LOAD(c + i)));                                           \
        break;                                                                                     \
    default:                                                                                       \
        for (size_t i = 0; i < n; i += V)                                                          \
            STORE(a + i, ADD(LOAD(b + i), MUL(SET(q), LOAD(c + i))));                              \
    }

#if defined(__x86_64__)
__attribute__((target("avx512f"))) static void pass_512(enum memory_kernel k, double *a,
                                                        const double *b, const double *c, size_t n)
{
    PASSES(8, _mm512_load_pd, _mm512_store_pd, _mm512_add_pd, _mm512_mul_pd, _mm512_set1_pd)
}

__attribute__((target("avx512f"))) static void
bypass_512(enum memory_kernel k, double *a, const double *b, const double *c, size_t n)
{
    PASSES(8, _mm512_load_pd, _mm512_stream_pd, _mm512_add_pd, _mm512_mul_pd, _mm512_set1_pd)
}

__attribute__((target("avx2"))) static void pass_256(enum memory_kernel k, double *a,
                                                     const double *b, const double *c, size_t n)
{
    PASSES(4, _mm256_load_pd, _mm256_store_pd, _mm256_add_pd, _mm256_mul_pd, _mm256_set1_pd)
}

__attribute__((target("avx2"))) static void bypass_256(enum memory_kernel k, double *a,
                                                       const double *b, const double *c, size_t n)
{
    PASSES(4, _mm256_load_pd, _mm256_stream_pd, _mm256_add_pd, _mm256_mul_pd, _mm256_set1_pd)
}

static void bypass_128(enum memory_kernel k, double *a, const double *b, const double *c, size_t n)
{
    PASSES(2, _mm_load_pd, _mm_stream_pd, _mm_add_pd, _mm_mul_pd, _mm_set1_pd)
}
#endif

#define PLAIN_LOAD(p)     (*(p))
#define PLAIN_STORE(p, v) (*(p) = (v))
#define PLAIN_ADD(x, y)   ((x) + (y))
#define PLAIN_MUL(x, y)   ((x) * (y))
#define PLAIN_SET(x)      (x)

static void pass_plain(enum memory_kernel k, double *restrict a, const double *restrict b,
                       const double *restrict c, size_t n)
{
    PASSES(1, PLAIN_LOAD, PLAIN_STORE, PLAIN_ADD, PLAIN_MUL, PLAIN_SET)
}

typedef void pass_fn(enum memory_kernel k, double *a, const double *b, const double *c, size_t n);

static pass_fn *choose(bool bypass)
{
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f"))
        return bypass ? bypass_512 : pass_512;
    if (__builtin_cpu_supports("avx2"))
        return bypass ? bypass_256 : pass_256;
    return bypass ? bypass_128 : pass_plain;
#else
    (void)bypass;
    return pass_plain;
#endif
}

bool memory_can_bypass(void)
{
    return choose(true) != choose(false);
}

void memory_run(enum memory_kernel k, bool bypass, double *a, const double *b, const double *c,
                size_t n, long times)
{
    pass_fn *pass = choose(bypass);

    for (long t = 0; t < times; t++) {
        pass(k, a, b, c, n);
        __asm__ volatile("" ::: "memory"); /* each pass is made */
    }
#if defined(__x86_64__)
    if (bypass)
        _mm_sfence();
#endif
#ifdef MICRO_FLIP_A_BIT
    uint64_t bits; /* a test build: one bit of one result is wrong */
    memcpy(&bits, a + n / 2, sizeof bits);
    bits ^= UINT64_C(1) << 45;
    memcpy(a + n / 2, &bits, sizeof bits);
#endif
}
