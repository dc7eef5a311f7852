/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "contrib/bench/peaks.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#ifdef HAVE_ONEDNN
#include "workloads/engine/cpu/onednn.h"
#endif

#if defined(__x86_64__)
#include <immintrin.h>
#endif

/* Independent sums: more than latency x width of any multiply-add unit. A time
 * of some 10 ms: a second thread that wakes up late must not be missed. */
enum { SUMS = 16, TURNS = 4000000, TIMES = 7 };

typedef double fma_loop(float *keep);

#define SUM16(OP)                                                                                  \
    OP(0)                                                                                          \
    OP(1) OP(2) OP(3) OP(4) OP(5) OP(6) OP(7) OP(8) OP(9) OP(10) OP(11) OP(12) OP(13) OP(14) OP(15)

#if defined(__x86_64__)
/* Each returns the FLOP of one call. */
__attribute__((target("avx512f"))) static double fma_avx512(float *keep)
{
    __m512 s[SUMS], a = _mm512_set1_ps(keep[0]), b = _mm512_set1_ps(keep[1]);

    for (int i = 0; i < SUMS; i++)
        s[i] = _mm512_set1_ps((float)i);
    for (long t = 0; t < TURNS; t++) {
#define STEP(i) s[i] = _mm512_fmadd_ps(s[i], a, b);
        SUM16(STEP)
#undef STEP
    }
    for (int i = 0; i < SUMS; i++)
        keep[2] += _mm512_reduce_add_ps(s[i]);
    return 2.0 * 16 * SUMS * TURNS;
}

__attribute__((target("avx2,fma"))) static double fma_avx2(float *keep)
{
    __m256 s[SUMS], a = _mm256_set1_ps(keep[0]), b = _mm256_set1_ps(keep[1]);

    for (int i = 0; i < SUMS; i++)
        s[i] = _mm256_set1_ps((float)i);
    for (long t = 0; t < TURNS; t++) {
        /* 12 sums and two factors fit 16 registers */
#define STEP(i)                                                                                    \
    if (i < 12)                                                                                    \
        s[i] = _mm256_fmadd_ps(s[i], a, b);
        SUM16(STEP)
#undef STEP
    }
    for (int i = 0; i < SUMS; i++)
        keep[2] += _mm_cvtss_f32(_mm256_castps256_ps128(s[i]));
    return 2.0 * 8 * 12 * TURNS;
}

__attribute__((target("avx512f,avx512bf16"))) static double fma_bf16(float *keep)
{
    __m512 s[SUMS];
    __m512bh a = _mm512_cvtne2ps_pbh(_mm512_set1_ps(keep[0]), _mm512_set1_ps(keep[1]));

    for (int i = 0; i < SUMS; i++)
        s[i] = _mm512_set1_ps((float)i);
    for (long t = 0; t < TURNS; t++) {
#define STEP(i) s[i] = _mm512_dpbf16_ps(s[i], a, a);
        SUM16(STEP)
#undef STEP
    }
    for (int i = 0; i < SUMS; i++)
        keep[2] += _mm512_reduce_add_ps(s[i]);
    return 2.0 * 32 * SUMS * TURNS;
}
#endif

static double fma_plain(float *keep)
{
    float s[SUMS] = {0};

    for (long t = 0; t < TURNS; t++)
        for (int i = 0; i < SUMS; i++)
            s[i] = s[i] * keep[0] + keep[1];
    for (int i = 0; i < SUMS; i++)
        keep[2] += s[i];
    return 2.0 * SUMS * TURNS;
}

static fma_loop *fma_choose(bool bf16)
{
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (bf16 && __builtin_cpu_supports("avx512bf16"))
        return fma_bf16;
    if (__builtin_cpu_supports("avx512f"))
        return fma_avx512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return fma_avx2;
#endif
    (void)bf16;
    return fma_plain;
}

static double measure_flops(int threads, bool bf16, double (*now)(void))
{
    fma_loop *loop = fma_choose(bf16);
    double best = INFINITY, flop = 0;

    for (int t = 0; t < TIMES; t++) {
        double from = now();

        flop = 0;
#pragma omp parallel num_threads(threads) reduction(+ : flop)
        {
            float keep[3] = {0.5f, 1, 0};

            flop += loop(keep);
            if (keep[2] == 12345)
                flop = 0; /* the sums must be made */
        }
        best = fmin(best, now() - from);
    }
    return flop / best;
}

#if defined(__x86_64__)
static void triad(float *a, const float *b, const float *c, size_t from, size_t to)
{
    const __m128 f = _mm_set1_ps(3);

    for (size_t i = from; i < to; i += 4)
        _mm_stream_ps(a + i, _mm_add_ps(_mm_load_ps(b + i), _mm_mul_ps(f, _mm_load_ps(c + i))));
    _mm_sfence();
}
#else
static void triad(float *a, const float *b, const float *c, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++)
        a[i] = b[i] + 3 * c[i];
}
#endif

static double measure_bytes(int threads, double (*now)(void))
{
    const size_t n = (size_t)1 << 25; /* 3 x 128 MiB */
    float *a = aligned_alloc(64, n * sizeof *a), *b = aligned_alloc(64, n * sizeof *b);
    float *c = aligned_alloc(64, n * sizeof *c);
    double best = INFINITY;

    for (int t = -1; t < TIMES && a && b && c; t++) {
        double from = now();

#pragma omp parallel for schedule(static) num_threads(threads)
        for (long i = 0; i < 64; i++) {
            size_t at = n / 64 * (size_t)i;

            if (t < 0)
                for (size_t k = at; k < at + n / 64; k++)
                    a[k] = b[k] = c[k] = 1;
            else
                triad(a, b, c, at, at + n / 64);
        }
        if (t >= 0)
            best = fmin(best, now() - from);
    }
    free(a);
    free(b);
    free(c);
    return 3.0 * (double)n * sizeof(float) / best;
}

#ifdef HAVE_ONEDNN
enum { SIDE = 2048 };

/* In the layouts that the library likes best. */
static struct dnn_op *product_create(struct dnn *d, bool bf16)
{
    const long size[2] = {SIDE, SIDE};
    enum dnn_type type = bf16 ? DNN_BF16 : DNN_F32;
    struct dnn_layout *l[3];

    for (int i = 0; i < 3; i++)
        l[i] = dnn_layout_create(type, 2, size, i == 1 ? DNN_ANY : DNN_PLAIN, NULL);
    struct dnn_op *op =
        l[0] && l[1] && l[2] ? dnn_matmul(d, l[0], l[1], NULL, l[2], false, NULL) : NULL;
    for (int i = 0; i < 3; i++)
        dnn_layout_destroy(l[i]);
    return op;
}

static double measure_product(bool bf16, double (*now)(void))
{
    struct dnn *d = dnn_open(NULL);
    struct dnn_op *op = d ? product_create(d, bf16) : NULL;
    size_t bytes = op ? (size_t)SIDE * SIDE * sizeof(float) + dnn_op_scratch(op) + 4096 : 0;
    void *at[DNN_ARGS] = {NULL};
    double best = INFINITY;
    static const enum dnn_arg args[] = {DNN_SRC, DNN_WEIGHTS, DNN_DST, DNN_SCRATCH};

    for (int i = 0; i < 4 && op; i++) {
        at[args[i]] = aligned_alloc(64, bytes / 64 * 64 + 64);
        if (at[args[i]])
            memset(at[args[i]], 0, bytes);
    }
    for (int t = 0; t < TIMES && op; t++) {
        double from = now();

        if (dnn_run(op, at, NULL))
            break;
        best = fmin(best, now() - from);
    }
    for (int i = 0; i < 4; i++)
        free(at[args[i]]);
    dnn_op_destroy(op);
    dnn_close(d);
    return 2.0 * SIDE * SIDE * SIDE / best;
}
#else
static double measure_product(bool bf16, double (*now)(void))
{
    (void)bf16;
    (void)now;
    return 0;
}
#endif

struct peaks peaks_measure(int threads, bool bf16, double (*now)(void))
{
    return (struct peaks){.flops = measure_flops(threads, bf16, now),
                          .product = measure_product(bf16, now),
                          .bytes = measure_bytes(threads, now)};
}
