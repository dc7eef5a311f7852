/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/micro/library.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "workloads/engine/engine.h"
#include "workloads/philox.h"

enum { MAP = 56, KERNEL = 3, PAD = 1, SAMPLES = 4096 };

struct library {
    enum library_kind kind;
    bool bf16;
    long edge, rows;
    uint64_t seed;
    char shape[64];
    struct model *model;
    struct graph *graph;
    struct tensor *x, *y;
    struct param *w;
    float *in, *weights, *out; /* as fed and read: rows x edge x places, ... */
    size_t n_in, n_weights, n_out;
    uint64_t *ids;
};

static double now_of_nobody(void)
{
    return 0;
}

/* Whole numbers -2 to 2; element i of stream. */
static float draw(uint64_t seed, uint32_t stream, size_t i)
{
    const uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
    uint32_t at[4] = {(uint32_t)i, (uint32_t)((uint64_t)i >> 32), stream, UINT32_C(0x6c696272)};

    philox4x32(at, key, at);
    return (float)(int)(at[0] % 5) - 2;
}

static long places(const struct library *l)
{
    return l->kind == LIBRARY_MATMUL ? 1 : (long)MAP * MAP;
}

static int build(struct library *l, struct err *e)
{
    static const struct optimizer sgd = {.kind = OPTIMIZER_SGD};
    int group = model_group(l->model, "all", &sgd);
    bool dense = l->kind == LIBRARY_MATMUL;
    struct shape sample = dense ? SHAPE(l->edge) : SHAPE(l->edge, MAP, MAP);
    struct shape weights =
        dense ? SHAPE(l->edge, l->edge) : SHAPE(l->edge, l->edge, KERNEL, KERNEL);

    l->graph = graph_create(l->model, "ceiling", l->rows);
    l->x = graph_input(l->graph, "x", sample, CHANNELS_FIRST);
    l->w = model_param(l->model, group, "w", weights, ZEROS);
    l->y = graph_output(dense ? op_dense(l->x, l->w, NULL)
                              : op_conv(l->x, l->w, NULL, WINDOW(KERNEL, 1, PAD)));
    return engine_compile(l->graph, NULL, e) < 0 || engine_start(l->model, e) < 0 ? -1 : 0;
}

static int fill(struct library *l, struct err *e)
{
    struct engine_step step = {.rows = l->rows, .global_rows = l->rows, .ids = l->ids};

    for (size_t i = 0; i < l->n_in; i++)
        l->in[i] = draw(l->seed, 1, i);
    for (size_t i = 0; i < l->n_weights; i++)
        l->weights[i] = draw(l->seed, 2, i);
    for (long i = 0; i < l->rows; i++)
        l->ids[i] = (uint64_t)i;
    return param_set(l->w, l->weights, l->n_weights, e) < 0 ||
                   engine_begin(l->graph, &step, e) < 0 ||
                   engine_feed(l->graph, l->x, l->in, e) < 0 ||
                   engine_forward(l->graph, ENGINE_EVAL, e) < 0
               ? -1
               : 0;
}

struct library *library_open(enum library_kind kind, const char *backend, bool bf16, int threads,
                             long edge, long rows, uint64_t seed, struct err *e)
{
    struct engine_config config = {.backend = backend,
                                   .threads = threads,
                                   .compute = bf16 ? TENSOR_BF16 : TENSOR_F32,
                                   .seed = 1,
                                   .comm = comm_self(),
                                   .now = now_of_nobody};
    struct library *l = calloc(1, sizeof *l);

    if (!l) {
        err_set(e, "out of memory for a product");
        return NULL;
    }
    *l = (struct library){.kind = kind, .bf16 = bf16, .edge = edge, .rows = rows, .seed = seed};
    l->n_in = l->n_out = (size_t)(rows * edge * places(l));
    l->n_weights = (size_t)(edge * edge) * (kind == LIBRARY_MATMUL ? 1 : KERNEL * KERNEL);
    l->in = malloc(l->n_in * sizeof *l->in);
    l->out = malloc(l->n_out * sizeof *l->out);
    l->weights = malloc(l->n_weights * sizeof *l->weights);
    l->ids = malloc((size_t)rows * sizeof *l->ids);
    if (kind == LIBRARY_MATMUL)
        snprintf(l->shape, sizeof l->shape, "%ldx%ldx%ld", rows, edge, edge);
    else
        snprintf(l->shape, sizeof l->shape, "%ldx%ldx%dx%d %ld %dx%d", rows, edge, MAP, MAP, edge,
                 KERNEL, KERNEL);
    if (!l->in || !l->out || !l->weights || !l->ids)
        err_set(e, "out of memory for a product of %s", l->shape);
    else if ((l->model = model_create(&config, e)) && build(l, e) == 0 && fill(l, e) == 0)
        return l;
    library_close(l);
    return NULL;
}

void library_close(struct library *l)
{
    if (!l)
        return;
    if (l->model)
        model_destroy(l->model);
    free(l->in);
    free(l->out);
    free(l->weights);
    free(l->ids);
    free(l);
}

double library_flop(const struct library *l)
{
    return graph_flop(l->graph).forward * (double)l->rows;
}

const char *library_shape(const struct library *l)
{
    return l->shape;
}

/* ---- is it right? ---- */

/* Result o of row r at place (h, w), in double. */
static double right(const struct library *l, long r, long o, long h, long w)
{
    double sum = 0;

    if (l->kind == LIBRARY_MATMUL) {
        for (long i = 0; i < l->edge; i++)
            sum += (double)l->in[r * l->edge + i] * l->weights[o * l->edge + i];
        return sum;
    }
    for (long i = 0; i < l->edge; i++)
        for (long a = 0; a < KERNEL; a++)
            for (long b = 0; b < KERNEL; b++) {
                long y = h + a - PAD, x = w + b - PAD;
                if (y < 0 || y >= MAP || x < 0 || x >= MAP)
                    continue;
                sum += (double)l->in[((r * l->edge + i) * MAP + y) * MAP + x] *
                       l->weights[((o * l->edge + i) * KERNEL + a) * KERNEL + b];
            }
    return sum;
}

/* Sums of whole numbers are exact in float32; stored as bfloat16 they are rounded
 * to 8 bits, to nearest: at most 2^-8 of the value off. */
static bool agrees(const struct library *l, double have, double want)
{
    return l->bf16 ? fabs(have - want) <= ldexp(fabs(want), -8) : have == want;
}

static long check_samples(const struct library *l)
{
    long wrong = 0, P = places(l);
    size_t n = l->n_out < SAMPLES ? l->n_out : SAMPLES;

    for (size_t k = 0; k < n; k++) {
        /* every 1/n-th, at a place of it that moves: all rows and channels */
        size_t span = l->n_out / n, at = k * span + k * 7919 % span;
        long place = (long)at % P, o = (long)at / P % l->edge, r = (long)at / P / l->edge;
        wrong += !agrees(l, l->out[at], right(l, r, o, place / MAP, place % MAP));
    }
    return wrong;
}

/* Freivalds (1977): Y v = X (W' v) for a random v; exact in double. A wrong element
 * passes for one v of 0 and 1 in two, so eight are tried. In bfloat16 the sum may be
 * off by the roundings of its terms. */
static long freivalds(const struct library *l, double *v, double *wv)
{
    long wrong = 0, n = l->edge;

    for (uint32_t turn = 0; turn < 8; turn++) {
        for (long o = 0; o < n; o++)
            v[o] = draw(l->seed, 3 + turn, (size_t)o) > 0;
        for (long i = 0; i < n; i++)
            wv[i] = 0;
        for (long o = 0; o < n; o++)
            for (long i = 0; i < n; i++)
                wv[i] += l->weights[o * n + i] * v[o];
        for (long r = 0; r < l->rows; r++) {
            double left = 0, right_ = 0, slack = 0;
            for (long o = 0; o < n; o++) {
                left += l->out[r * n + o] * v[o];
                slack += l->bf16 ? ldexp(fabs(l->out[r * n + o]) * v[o], -8) : 0;
            }
            for (long i = 0; i < n; i++)
                right_ += l->in[r * n + i] * wv[i];
            wrong += fabs(left - right_) > slack;
        }
    }
    return wrong;
}

int library_check(void *ctx, long *wrong, struct err *e)
{
    struct library *l = ctx;

    if (engine_forward(l->graph, ENGINE_EVAL, e) < 0 ||
        engine_read(l->graph, l->y, l->out, l->n_out, e) < 0)
        return -1;
#ifdef MICRO_FLIP_A_BIT
    l->out[l->n_out / 3] += 16; /* a test build: a wrong number that no sample may meet */
#endif
    *wrong += check_samples(l);
    if (l->kind != LIBRARY_MATMUL)
        return 0;
    double *room = malloc(2 * (size_t)l->edge * sizeof *room);
    if (!room)
        return err_set(e, "out of memory to check a product");
    *wrong += freivalds(l, room, room + l->edge);
    free(room);
    return 0;
}

int library_run(void *ctx, long times, long *wrong, struct err *e)
{
    struct library *l = ctx;

    (void)wrong;
    for (long t = 0; t < times; t++)
        if (engine_forward(l->graph, ENGINE_EVAL, e) < 0)
            return -1;
    return 0;
}
