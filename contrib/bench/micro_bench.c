/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The machine benchmark's kernels against the best that this machine has, for
 * contrib/bench/micro.sh: adjacent pairs of samples of 0.12 s, in turn which is first.
 *
 *     micro_bench THREADS [PAIRS [machine | operators]]
 *
 * Prints a line a pair: metric, the other, ours, theirs (FLOP/s or bytes/s). Libraries
 * are taken at run time where they are installed (cblas_sgemm of OpenBLAS and BLIS); STREAM's
 * triad is its own loop, plain C, compiled with -O3. Operators are those of the micro
 * benchmarks conv and gemm: a dense layer's three products against cblas_sgemm with the
 * same transpositions, convolutions (3 x 3; depthwise as DeepLabv3+ has them, dilation 1
 * and 2) against the bare primitive of oneDNN in the layouts that oneDNN likes best.
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
#ifdef HAVE_ONEDNN
#include "workloads/engine/cpu/onednn.h"
#endif
#include "workloads/engine/engine.h"
#include "workloads/micro/cache.h"
#include "workloads/micro/fma_team.h"
#include "workloads/micro/kernel.h"
#include "workloads/micro/library.h"
#include "workloads/micro/memory.h"
#include "workloads/micro/operator.h"

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

    (void)e;
    *wrong += fma_team_run(t->type, t->threads, times);
    return 0;
}

struct blas {
    sgemm_fn *sgemm;
    float *a, *b, *c;
};

/* CBLAS: row major, not transposed, transposed. */
enum { ROWS = 101, PLAIN = 111, TURNED = 112 };

static void product(const struct blas *x, int ta, int tb)
{
    x->sgemm(ROWS, ta, tb, EDGE, EDGE, EDGE, 1, x->a, EDGE, x->b, EDGE, 0, x->c, EDGE);
}

static int blas_run(void *ctx, long times, long *wrong, struct err *e)
{
    (void)wrong, (void)e;
    for (long t = 0; t < times; t++)
        product(ctx, PLAIN, PLAIN);
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

static const struct {
    const char *name, *file, *threads_of;
} rows[] = {{"OpenBLAS", "libopenblas.so.0", "openblas_set_num_threads"},
            {"BLIS", "libblis.so.4", "bli_thread_set_num_threads"}};

static void compare_products(int threads, int n)
{
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

/* ---- operators ---- */

static const char *const part_names[] = {"fwd", "data", "wgts"};

struct part {
    struct operation *o;
    enum engine_pass part;
};

static int part_run(void *ctx, long times, long *wrong, struct err *e)
{
    const struct part *p = ctx;
    double seconds = 0;

    (void)wrong;
    return operator_run(p->o, p->part, times, &seconds, e);
}

static struct operation *open_operator(const struct operator_shape *s, bool bf16, int threads)
{
    const struct operator_setting set = {
        .backend = engine_backend_name(0), .bf16 = bf16, .threads = threads, .seed = 1};
    struct err e = ERR_INIT;
    struct operation *o = operator_open(s, &set, &e);

    if (!o)
        printf("# %s: %s\n", operator_name(s->kind), e.text);
    return o;
}

/* y = x w' (fwd), dx = dy w (data), dw = dy' x (wgts). */
struct blas_part {
    struct blas *x;
    enum engine_pass part;
};

static int blas_part_run(void *ctx, long times, long *wrong, struct err *e)
{
    const struct blas_part *p = ctx;

    (void)wrong, (void)e;
    for (long t = 0; t < times; t++)
        product(p->x, p->part == ENGINE_WEIGHTS ? TURNED : PLAIN,
                p->part == ENGINE_FORWARD ? TURNED : PLAIN);
    return 0;
}

static void compare_dense(int threads, int n)
{
    const struct operator_shape s = {
        .kind = OPERATOR_GEMM, .op = OP_DENSE, .x = SHAPE(EDGE, EDGE), .w = SHAPE(EDGE, EDGE)};
    struct operation *o = open_operator(&s, false, threads);

    for (size_t i = 0; o && i < sizeof rows / sizeof *rows; i++) {
        struct blas x = {0};
        if (!blas_open(&x, rows[i].file, rows[i].threads_of, threads))
            continue;
        for (int part = 0; part < 3; part++) {
            struct part own = {o, (enum engine_pass)part};
            struct blas_part other = {&x, (enum engine_pass)part};
            const double flop = operator_cost(o, own.part).flop;
            char metric[32];
            snprintf(metric, sizeof metric, "gemm-%s-f32", part_names[part]);
            pairs(metric, rows[i].name, (struct way){part_run, &own, flop, 1},
                  (struct way){blas_part_run, &other, flop, 1}, n);
        }
    }
    operator_close(o);
}

#ifdef HAVE_ONEDNN
/* 3 x 3, as many channels out as in, the size kept. */
static const struct conv_case {
    const char *name;
    long N, C, H, W, dilation;
    bool depthwise;
} convs[] = {
    {"conv", 4, 128, 56, 56, 1, false},
    {"dw1", 1, 728, 48, 72, 1, true},
    {"dw2", 1, 1536, 48, 72, 2, true},
};

struct bare {
    struct dnn_op *op;
    void *at[DNN_ARGS];
};

static int bare_run(void *ctx, long times, long *wrong, struct err *e)
{
    const struct bare *b = ctx;

    (void)wrong;
    for (long t = 0; t < times; t++)
        if (dnn_run(b->op, b->at, e) < 0)
            return -1;
    return 0;
}

/* Whole numbers of -2 to 2, as the operators have them: zeros cost less power. */
static void fill_bare(void *at, size_t bytes, bool bf16)
{
    for (size_t i = 0; i < bytes / (bf16 ? 2 : 4); i++) {
        float v = (float)(i * 2654435761u % 5) - 2;
        uint16_t high;
        memcpy(&high, (char *)&v + 2, sizeof high); /* exact: bfloat16 is its upper half */
        memcpy((char *)at + i * (bf16 ? 2 : 4), bf16 ? (void *)&high : (void *)&v, bf16 ? 2 : 4);
    }
}

/* The primitive alone, all layouts as it likes them. Weights of five dimensions have the
 * groups first, which oneDNN tells by their number. */
static bool bare_open(struct bare *b, struct dnn *d, const struct conv_case *k,
                      enum engine_pass part, bool bf16)
{
    static struct dnn_op *(*const create[])(struct dnn *, const struct dnn_conv *, struct err *) = {
        dnn_conv_forward, dnn_conv_data, dnn_conv_weights};
    const long map[] = {k->N, k->C, k->H, k->W}, p = k->dilation, q = p - 1;
    const long dense[] = {k->C, k->C, 3, 3}, grouped[] = {k->C, 1, 1, 3, 3};
    const enum dnn_type type = bf16 ? DNN_BF16 : DNN_F32;
    struct dnn_conv c = {.stride = {1, 1, 1},
                         .before = {p, p, p},
                         .after = {p, p, p},
                         .between = {q, q, q},
                         .training = true};

    c.src = dnn_layout_create(type, 4, map, DNN_ANY, NULL);
    c.dst = dnn_layout_create(type, 4, map, DNN_ANY, NULL);
    c.weights = dnn_layout_create(part == ENGINE_WEIGHTS ? DNN_F32 : type, k->depthwise ? 5 : 4,
                                  k->depthwise ? grouped : dense, DNN_ANY, NULL);
    b->op = c.src && c.dst && c.weights ? create[part](d, &c, NULL) : NULL;
    for (int i = 0; b->op && i < DNN_ARGS; i++) {
        const struct dnn_layout *l = dnn_op_layout(b->op, (enum dnn_arg)i);
        size_t bytes = i == DNN_SCRATCH ? dnn_op_scratch(b->op) : l ? dnn_layout_bytes(l) : 0;
        b->at[i] = bytes ? aligned_alloc(64, (bytes + 63) / 64 * 64) : NULL;
        if (b->at[i])
            fill_bare(b->at[i], bytes, bf16);
    }
    return b->op;
}

static void compare_convolution(const struct conv_case *k, int threads, int n, bool bf16)
{
    const struct operator_shape s = {.kind = OPERATOR_CONV,
                                     .op = k->depthwise ? OP_DEPTHWISE : OP_CONV,
                                     .x = SHAPE(k->N, k->C, k->H, k->W),
                                     .w = SHAPE(k->C, k->depthwise ? 1 : k->C, 3, 3),
                                     .win = DILATED(3, k->dilation)};
    struct operation *o = open_operator(&s, bf16, threads); /* OpenMP has its threads now */
    struct dnn *d = o ? dnn_open(NULL) : NULL;

    for (int part = 0; d && part < 3; part++) {
        struct part own = {o, (enum engine_pass)part};
        const double flop = operator_cost(o, own.part).flop;
        struct bare bare = {0};
        char metric[32];
        snprintf(metric, sizeof metric, "%s-%s-%s", k->name, part_names[part],
                 bf16 ? "bf16" : "f32");
        if (!bare_open(&bare, d, k, own.part, bf16)) {
            printf("# %s: oneDNN has none\n", metric);
            continue;
        }
        const char *how = operator_how(o, own.part);
        printf("# %s: %s; the bare one %s\n", metric, *how ? how : "own", dnn_op_how(bare.op));
        if (dnn_op_is_reference(bare.op))
            continue; /* a thousand times slower: nothing to compare with */
        pairs(metric, "oneDNN", (struct way){part_run, &own, flop, 1},
              (struct way){bare_run, &bare, flop, 1}, n);
    }
    operator_close(o);
}
#endif

static void compare_operators(int threads, int n)
{
    compare_dense(threads, n);
#ifdef HAVE_ONEDNN
    for (size_t i = 0; i < sizeof convs / sizeof *convs; i++) {
        compare_convolution(&convs[i], threads, n, false);
        compare_convolution(&convs[i], threads, n, true);
    }
#endif
}

int main(int argc, char **argv)
{
    int threads = argc > 1 ? atoi(argv[1]) : 1, n = argc > 2 ? atoi(argv[2]) : 40;
    const char *what = argc > 3 ? argv[3] : "all";
    int rc = 0;

    if (strcmp(what, "operators") != 0) {
        compare_products(threads, n);
        rc = compare_memory(threads, n);
    }
    if (strcmp(what, "machine") != 0)
        compare_operators(threads, n);
    return rc;
}
