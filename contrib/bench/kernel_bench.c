/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The CPU engine's own kernels against memory, for contrib/bench/kernels.sh.
 *
 *     kernel_bench THREADS [f32|bf16]
 *
 * One row per kernel and shape (those of ResNet-50 at 64^2, batch 32, of U-Nets at
 * 64^2 and 128^2, batch 16, of CosmoFlow at 64^3, batch 4): its best time of a few
 * tries, the bytes that it must read and write, their rate, and the share that is of
 * the rate of a plain copy and sum between the same amounts of memory, measured
 * around each try. Tensors of a few MB lie in caches for both.
 */
#include <config.h>

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <omp.h>

#include "reports/core/clock.h"
#include "workloads/engine/cpu/kernel_cell.h"
#include "workloads/engine/cpu/kernel_norm.h"
#include "workloads/engine/cpu/kernel_pool.h"
#include "workloads/engine/cpu/kernel_wgrad.h"

enum kernel {
    NORM_STATS,
    NORM_FORWARD,
    NORM_FORWARD_ADD,
    NORM_SUMS,
    NORM_BACKWARD,
    AVG_FORWARD,
    AVG_BACKWARD,
    NEAREST_FORWARD,
    NEAREST_BACKWARD,
    LINEAR_FORWARD,
    LINEAR_BACKWARD,
    MAX_FORWARD,
    MAX_BACKWARD,
    BIAS,
    BIAS_SUMS,
    FIRST_WEIGHTS,
    KERNELS
};

static const char *const names[KERNELS] = {
    "norm statistics",   "norm forward, relu", "norm forward, add, relu", "norm backward sums",
    "norm backward",     "avg pool forward",   "avg pool backward",       "nearest forward",
    "nearest backward",  "linear forward",     "linear backward",         "max pool forward",
    "max pool backward", "bias of a map",      "bias sums of a map",      "weight gradient"};

/* N C I; a window of K, stride S, padding P; b channels side by side. */
struct shape_row {
    const char *net;
    long N, C, I[3], K, S, P, b;
    unsigned kernels; /* bits */
};

#define BIT(k) (1u << (k))
enum {
    NORMS = BIT(NORM_STATS) | BIT(NORM_FORWARD) | BIT(NORM_FORWARD_ADD) | BIT(NORM_SUMS) |
            BIT(NORM_BACKWARD),
    AVERAGES = BIT(AVG_FORWARD) | BIT(AVG_BACKWARD),
    ENLARGES =
        BIT(NEAREST_FORWARD) | BIT(NEAREST_BACKWARD) | BIT(LINEAR_FORWARD) | BIT(LINEAR_BACKWARD),
    WEIGHTS = BIT(FIRST_WEIGHTS),
    LARGEST = BIT(MAX_FORWARD) | BIT(MAX_BACKWARD),
    BIASES = BIT(BIAS) | BIT(BIAS_SUMS)
};

static const struct shape_row shapes[] = {
    {"resnet stem", 32, 64, {1, 32, 32}, 3, 2, 1, 16, NORMS | AVERAGES | LARGEST},
    {"resnet stage 1", 32, 256, {1, 16, 16}, 2, 2, 0, 16, NORMS},
    {"resnet stage 3", 32, 1024, {1, 4, 4}, 4, 1, 0, 16, NORMS | AVERAGES},
    {"resnet head", 32, 2048, {1, 2, 2}, 2, 1, 0, 16, AVERAGES},
    {"resnet channels last", 32, 256, {1, 16, 16}, 2, 2, 0, 256, NORMS | LARGEST},
    {"unet 64^2", 16, 16, {1, 64, 64}, 2, 2, 0, 16, NORMS | LARGEST | BIASES},
    {"unet 128^2", 16, 32, {1, 128, 128}, 2, 2, 0, 16, NORMS | LARGEST | AVERAGES | BIASES},
    {"unet 64^2 up", 16, 64, {1, 64, 64}, 1, 2, 0, 16, ENLARGES},
    {"cosmoflow", 4, 32, {64, 64, 64}, 2, 2, 0, 16, LARGEST},
    {"cosmoflow last", 4, 32, {64, 64, 64}, 2, 2, 0, 32, LARGEST},
    {"cosmoflow first layer", 4, 32, {64, 64, 64}, 3, 1, 1, 16, WEIGHTS},
    {"first layer, last", 4, 32, {64, 64, 64}, 3, 1, 1, 32, WEIGHTS},
};

/* Memory of one row: what a kernel may read and write. */
struct bench {
    enum tensor_dtype dtype;
    int threads;
    struct cells cells;
    struct pool pool;
    struct norm norm;
    struct wgrad wgrad; /* of 4 channels, channels last, to the shape's */
    void *small, *large, *other, *term;
    double *at, *sums, *scratch;
    float *gamma, *beta, *weights;
    void *work, *parts;
};

static struct map map_of(const struct shape_row *s, enum tensor_dtype dtype, const long size[3])
{
    struct map m = {.N = s->N, .C = s->C, .S = size[0] * size[1] * size[2], .b = s->b};

    m.B = (m.C + m.b - 1) / m.b;
    m.dtype = dtype;
    return m;
}

static size_t bytes_of(const struct map *m)
{
    return map_count(m) * dtype_bytes(m->dtype);
}

static void *filled(size_t bytes, enum tensor_dtype dtype)
{
    char *p = aligned_alloc(64, (bytes + 63) / 64 * 64);
    size_t n = bytes / dtype_bytes(dtype);

    if (!p) {
        fprintf(stderr, "kernel_bench: out of memory\n");
        exit(1);
    }
#pragma omp parallel for schedule(static)
    for (size_t i = 0; i < n; i++) {
        float v = (float)((i * 2654435761u >> 8) % 1024) / 512 - 1;

        map_store(p, dtype, i, &v, 1);
    }
    return p;
}

/* Upsampling has its small side as input, pooling its large one. */
static void create(struct bench *b, const struct shape_row *s, enum kernel k)
{
    bool up = k >= NEAREST_FORWARD && k <= LINEAR_BACKWARD;
    long I[3], Q[3], first = s->I[0] == 1 ? 1 : 0;

    for (int i = 0; i < 3; i++) {
        bool flat = i < first;
        long K = flat || up ? 1 : s->K, S = flat ? 1 : s->S, P = flat || up ? 0 : s->P;

        I[i] = s->I[i];
        Q[i] = up ? I[i] * S : (I[i] + 2 * P - K) / S + 1;
        b->cells.I[i] = b->pool.I[i] = I[i];
        b->cells.Q[i] = b->pool.Q[i] = Q[i];
        b->cells.K[i] = b->pool.K[i] = K;
        b->cells.S[i] = b->pool.S[i] = S;
        b->cells.P[i] = b->pool.P[i] = P;
    }
    b->cells.how = k >= LINEAR_FORWARD ? UPSAMPLE_LINEAR : UPSAMPLE_NEAREST;
    b->cells.in = b->pool.in = b->norm.map = map_of(s, b->dtype, I);
    b->cells.out = b->pool.out = map_of(s, b->dtype, Q);
    b->pool.act = b->norm.act = ACT_LEAKY;
    b->norm.rows = s->N;
    b->wgrad = (struct wgrad){.x = map_of(s, b->dtype, I), .dy = map_of(s, b->dtype, Q)};
    b->wgrad.x.C = b->wgrad.x.b = 4;
    b->wgrad.x.B = 1;
    memcpy(b->wgrad.I, I, sizeof I);
    memcpy(b->wgrad.Q, Q, sizeof Q);
    memcpy(b->wgrad.K, b->pool.K, sizeof I);
    memcpy(b->wgrad.S, b->pool.S, sizeof I);
    memcpy(b->wgrad.P, b->pool.P, sizeof I);
    b->large = filled(bytes_of(&b->cells.in), b->dtype);
    b->other = filled(bytes_of(&b->cells.in), b->dtype);
    b->term = filled(bytes_of(&b->cells.in), b->dtype);
    b->small = filled(bytes_of(&b->cells.out), b->dtype);
    b->weights = calloc((size_t)(s->C * 4 * s->K * s->K * s->K), sizeof(float));
    b->parts = k == FIRST_WEIGHTS ? filled(wgrad_scratch_bytes(&b->wgrad), TENSOR_F32) : NULL;
    b->work = calloc(map_count(&b->cells.in), 2);
    b->at = calloc((size_t)s->C * 2, sizeof(double));
    b->sums = calloc((size_t)s->C * 2, sizeof(double));
    b->scratch = calloc(1, norm_scratch_bytes(&b->norm.map));
    b->gamma = filled((size_t)s->C * sizeof(float), TENSOR_F32);
    b->beta = filled((size_t)s->C * sizeof(float), TENSOR_F32);
    if (!b->weights || !b->work || !b->at || !b->sums || !b->scratch)
        exit(1);
    for (long c = 0; c < s->C; c++)
        b->at[2 * c + 1] = 1;
}

static void destroy(struct bench *b)
{
    free(b->large);
    free(b->other);
    free(b->term);
    free(b->small);
    free(b->weights);
    free(b->parts);
    free(b->work);
    free(b->at);
    free(b->sums);
    free(b->scratch);
    free(b->gamma);
    free(b->beta);
}

static void run(struct bench *b, enum kernel k)
{
    const struct norm *n = &b->norm;

    switch (k) {
    case NORM_STATS:
        norm_stats(n, b->large, b->scratch, b->sums);
        break;
    case NORM_FORWARD:
    case NORM_FORWARD_ADD:
        norm_forward(n, b->at, b->gamma, b->beta, b->large, k == NORM_FORWARD ? NULL : b->term,
                     b->other);
        break;
    case NORM_SUMS:
        norm_back_sums(n, b->at, b->large, b->other, b->term, b->scratch, b->sums);
        break;
    case NORM_BACKWARD:
        norm_backward(n, b->at, b->gamma, b->sums, 1000, b->large, b->other, b->term, NULL);
        break;
    case AVG_FORWARD:
        avgpool_forward(&b->cells, b->large, b->small);
        break;
    case AVG_BACKWARD:
        avgpool_backward(&b->cells, b->small, b->large);
        break;
    case NEAREST_FORWARD:
    case LINEAR_FORWARD:
        upsample_forward(&b->cells, b->large, b->small);
        break;
    case NEAREST_BACKWARD:
    case LINEAR_BACKWARD:
        upsample_backward(&b->cells, b->small, b->large);
        break;
    case MAX_FORWARD:
        pool_forward(&b->pool, b->large, b->small, b->work);
        break;
    case MAX_BACKWARD:
        pool_backward(&b->pool, b->small, b->small, b->work, b->large);
        break;
    case BIAS:
        map_bias(&n->map, b->beta, ACT_LEAKY, 0, b->other);
        break;
    case FIRST_WEIGHTS:
        wgrad_run(0, &b->wgrad, b->large, b->small, false, b->weights, false, b->gamma, b->parts);
        break;
    default:
        map_bias_sums(&n->map, b->other, false, b->beta, b->scratch);
        break;
    }
}

/* What it must move: each tensor once. */
static double bytes_moved(const struct bench *b, enum kernel k)
{
    double in = (double)bytes_of(&b->cells.in), out = (double)bytes_of(&b->cells.out);
    double winners = (double)pool_work_bytes(&b->pool);

    switch (k) {
    case NORM_STATS:
    case BIAS_SUMS:
        return in;
    case NORM_FORWARD:
    case BIAS:
        return 2 * in;
    case NORM_FORWARD_ADD:
    case NORM_BACKWARD:
        return 3 * in;
    case NORM_SUMS:
        return 4 * in; /* reads three, writes one */
    case FIRST_WEIGHTS:
        return (double)bytes_of(&b->wgrad.x) + out;
    case MAX_FORWARD:
    case MAX_BACKWARD:
        return in + winners + out * (k == MAX_FORWARD ? 1 : 2);
    default:
        return in + out;
    }
}

/* y += x over so many bytes in all, three of four read or written: bytes/s. */
static double memory_rate(double bytes, int threads)
{
    size_t n = (size_t)(bytes / 3 / sizeof(float)) / 64 * 64;
    float *x = filled(n * sizeof *x, TENSOR_F32), *y = filled(n * sizeof *y, TENSOR_F32);
    double best = INFINITY;

    (void)threads;
    for (int t = 0; t < 7; t++) {
        double from = clock_now();

#pragma omp parallel for simd schedule(static)
        for (size_t i = 0; i < n; i++)
            y[i] += x[i];
        best = fmin(best, clock_now() - from);
    }
    free(x);
    free(y);
    return (double)n * 3 * sizeof *x / best;
}

static void measure(const struct shape_row *s, enum kernel k, enum tensor_dtype dtype, int threads)
{
    struct bench b = {.dtype = dtype, .threads = threads};
    double best = INFINITY;

    create(&b, s, k);
    if (k == MAX_BACKWARD)
        run(&b, MAX_FORWARD); /* the winners */
    double bytes = bytes_moved(&b, k), memory = memory_rate(bytes, threads);
    for (int t = 0; t < 40 && (t < 3 || best * t < 1); t++) {
        double from = clock_now();

        run(&b, k);
        best = fmin(best, clock_now() - from);
    }
    memory = fmax(memory, memory_rate(bytes, threads));
    printf("%-24s %-21s %4s %8.3f %8.1f %7.1f %6.2f\n", names[k], s->net,
           dtype == TENSOR_BF16 ? "bf16" : "f32", best * 1e3, bytes / 1e6, bytes / best / 1e9,
           bytes / best / memory);
    fflush(stdout);
    destroy(&b);
}

int main(int argc, char **argv)
{
    int threads = argc > 1 ? atoi(argv[1]) : 1;

    omp_set_num_threads(threads);
    printf("%-24s %-21s %4s %8s %8s %7s %6s\n", "kernel", "tensor", "type", "ms", "MB", "GB/s",
           "share");
    for (int k = 0; k < KERNELS; k++)
        for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
            for (int bf16 = 0; bf16 < 2; bf16++) {
                if (!(shapes[i].kernels & BIT(k)) ||
                    (argc > 2 && strcmp(argv[2], bf16 ? "bf16" : "f32")))
                    continue;
                measure(&shapes[i], (enum kernel)k, bf16 ? TENSOR_BF16 : TENSOR_F32, threads);
            }
    return 0;
}
