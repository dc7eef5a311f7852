/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The machine benchmark's kernels against the best that this machine has, for
 * contrib/bench/micro.sh: adjacent pairs of samples of 0.12 s, in turn which is first.
 *
 *     micro_bench THREADS [PAIRS]
 *
 * Prints a line a pair: metric, the other, ours, theirs (FLOP/s or bytes/s). Libraries
 * are taken at run time where they are installed (cblas_sgemm of OpenBLAS and BLIS); STREAM's
 * triad is its own loop, plain C, compiled with -O3.
 */
#include <config.h>

#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef _OPENMP
#include <omp.h>
#endif

#include "reports/core/clock.h"
#include "workloads/engine/engine.h"
#include "workloads/micro/cache.h"
#include "workloads/micro/kernel.h"
#include "workloads/micro/library.h"
#include "workloads/micro/memory.h"

enum { EDGE = 1024 };

static const double sample_seconds = 0.12;

typedef int run_fn(void *ctx, long times, long *wrong, struct err *e);
typedef void sgemm_fn(int order, int ta, int tb, int m, int n, int k, float alpha, const float *a,
                      int lda, const float *b, int ldb, float beta, float *c, int ldc);

/* Somebody's way to do work. */
struct way {
    run_fn *run;
    void *ctx;
    double work; /* of one time */
    long times;  /* of a sample */
};

static void settle(struct way *w)
{
    long wrong = 0;

    for (w->times = 1;; w->times *= 2) {
        double begin = clock_now();
        w->run(w->ctx, w->times, &wrong, NULL);
        double took = clock_now() - begin;
        if (took < 0.3 * sample_seconds)
            continue;
        w->times = (long)ceil((double)w->times * sample_seconds / took);
        return;
    }
}

static double sample(const struct way *w)
{
    long wrong = 0;
    double begin = clock_now();

    w->run(w->ctx, w->times, &wrong, NULL);
    double rate = w->work * (double)w->times / (clock_now() - begin);
    return wrong ? NAN : rate;
}

static void pairs(const char *metric, const char *other, struct way ours, struct way theirs, int n)
{
    settle(&ours);
    settle(&theirs);
    for (int i = 0; i < n; i++) {
        double a = i % 2 ? 0 : sample(&ours), b = sample(&theirs);
        if (i % 2)
            a = sample(&ours);
        printf("%s %s %.6g %.6g\n", metric, other, a, b);
        fflush(stdout);
    }
}

/* ---- ways ---- */

struct team {
    enum fma_type type;
    int threads;
};

static int fma_team(void *ctx, long times, long *wrong, struct err *e)
{
    const struct team *t = ctx;
    long bad = 0;

    (void)e;
#pragma omp parallel num_threads(t->threads) reduction(+ : bad)
    bad += fma_run(t->type, times);
    *wrong += bad;
    return 0;
}

struct blas {
    sgemm_fn *sgemm;
    float *a, *b, *c;
};

static int blas_run(void *ctx, long times, long *wrong, struct err *e)
{
    const struct blas *x = ctx;

    (void)wrong, (void)e;
    for (long t = 0; t < times; t++) /* row major, neither transposed: CBLAS 101, 111 */
        x->sgemm(101, 111, 111, EDGE, EDGE, EDGE, 1, x->a, EDGE, x->b, EDGE, 0, x->c, EDGE);
    return 0;
}

/* Fills x; false: the library is not installed. */
static bool blas_open(struct blas *x, const char *file, const char *threads_of, int threads)
{
    size_t n = (size_t)EDGE * EDGE;
    void *so = dlopen(file, RTLD_NOW | RTLD_LOCAL);
    void (*set)(int) = NULL;

    if (!so)
        return false;
    *(void **)&x->sgemm = dlsym(so, "cblas_sgemm");
    *(void **)&set = dlsym(so, threads_of);
    if (set)
        set(threads);
    x->a = calloc(n, sizeof(float));
    x->b = calloc(n, sizeof(float));
    x->c = calloc(n, sizeof(float));
    for (size_t i = 0; x->a && x->b && i < n; i++)
        x->a[i] = x->b[i] = 1;
    return x->sgemm && x->a && x->b && x->c;
}

struct stream {
    double *a, *b, *c;
    long n;
    int threads;
};

static int stream_triad(void *ctx, long times, long *wrong, struct err *e)
{
    const struct stream *s = ctx;
    double *restrict a = s->a;
    const double *restrict b = s->b, *restrict c = s->c;

    (void)wrong, (void)e;
    for (long t = 0; t < times; t++) {
#pragma omp parallel for schedule(static) num_threads(s->threads)
        for (long i = 0; i < s->n; i++)
            a[i] = b[i] + 3 * c[i];
    }
    return 0;
}

/* ---- what is compared ---- */

static void compare_products(int threads, int n)
{
    static const struct {
        const char *name, *file, *threads_of;
    } rows[] = {{"OpenBLAS", "libopenblas.so.0", "openblas_set_num_threads"},
                {"BLIS", "libblis.so.4", "bli_thread_set_num_threads"}};
    const double flop = 2.0 * EDGE * EDGE * EDGE;
    struct team f32 = {FMA_F32, threads}, bf16 = {FMA_BF16, threads};
    struct err e = ERR_INIT;
    const char *backend = engine_backend_name(0);
    struct library *l = library_open(LIBRARY_MATMUL, backend, false, threads, EDGE, EDGE, 1, &e);
    struct library *b = library_open(LIBRARY_MATMUL, backend, true, threads, EDGE, EDGE, 1, &e);
    struct way fma = {fma_team, &f32, fma_flop(FMA_F32) * threads, 1};
    struct way fma16 = {fma_team, &bf16, fma_flop(FMA_BF16) * threads, 1};

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct blas x = {0};
        if (!blas_open(&x, rows[i].file, rows[i].threads_of, threads)) {
            printf("# %s: %s is not installed\n", rows[i].name, rows[i].file);
            continue;
        }
        pairs("peak-f32", rows[i].name, fma, (struct way){blas_run, &x, flop, 1}, n);
        if (l)
            pairs("matmul-f32", rows[i].name, (struct way){library_run, l, flop, 1},
                  (struct way){blas_run, &x, flop, 1}, n);
    }
    if (l)
        pairs("peak-f32", "engine-matmul", fma, (struct way){library_run, l, flop, 1}, n);
    if (b && fma_name(FMA_BF16))
        pairs("peak-bf16", "engine-matmul", fma16, (struct way){library_run, b, flop, 1}, n);
    library_close(l);
    library_close(b);
}

static int compare_memory(int threads, int n)
{
    struct cache cache;
    struct err e = ERR_INIT;

    cache_find(&cache, "");
    size_t all = 4 * (cache.last_bytes ? cache.last_bytes : 32 << 20) / sizeof(double);
    size_t each = all / (size_t)threads / 8 * 8;
    struct memory *m = memory_open(MEMORY_TRIAD, each, threads, &e);
    struct stream s = {.n = (long)(each * (size_t)threads), .threads = threads};
    double *room = malloc(3 * (size_t)s.n * sizeof *room);
    if (!m || !room) {
        fprintf(stderr, "micro_bench: out of memory\n");
        return 1;
    }
    s.a = room;
    s.b = room + s.n;
    s.c = room + 2 * s.n;
#pragma omp parallel for schedule(static) num_threads(threads)
    for (long i = 0; i < s.n; i++) {
        s.a[i] = 0;
        s.b[i] = s.c[i] = 1;
    }
    memory_bypass(m, memory_can_bypass());
    const double bytes = 24.0 * (double)s.n;
    pairs("triad-DRAM", "STREAM-loop", (struct way){memory_pass, m, bytes, 1},
          (struct way){stream_triad, &s, bytes, 1}, n);
    memory_close(m);
    free(room);
    return 0;
}

int main(int argc, char **argv)
{
    int threads = argc > 1 ? atoi(argv[1]) : 1, n = argc > 2 ? atoi(argv[2]) : 40;

    compare_products(threads, n);
    return compare_memory(threads, n);
}
