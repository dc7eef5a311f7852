/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * CosmoFlow's training step on one rank, for contrib/bench/cosmoflow.sh.
 *
 *     engine_bench serve DTYPE THREADS [SIDE [BATCH]]
 *         for each line "N" on standard input trains N steps and answers with
 *         the milliseconds of one
 *     engine_bench profile DTYPE THREADS [SIDE [BATCH]]
 *         one row per operator and pass: its time, and its floor
 *         max(FLOP / peak, bytes / bandwidth) by peaks measured in this run
 *
 * ENGINE_BENCH_CLOCK=cpu takes the process's CPU time instead of the wall's:
 * on a busy machine with one thread the only clock that means anything.
 */
#include <config.h>

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "contrib/bench/peaks.h"
#include "reports/core/clock.h"
#include "workloads/engine/engine.h"

static double (*now)(void) = clock_now;

static void must(int rc, const struct err *e)
{
    if (!rc)
        return;
    fprintf(stderr, "engine_bench: %s\n", e->text);
    exit(1);
}

struct bench {
    struct model *m;
    struct graph *g;
    int group;
    struct tensor *x, *y, *loss;
    long side, batch;
    enum tensor_dtype dtype;
    int threads;
    float *cubes, *labels;
    uint64_t *ids;
};

static struct param *add(struct bench *b, const char *layer, const char *what, struct shape s,
                         struct init init)
{
    char name[64];

    snprintf(name, sizeof name, "%s.%s", layer, what);
    return model_param(b->m, b->group, name, s, init);
}

static struct tensor *dense(struct bench *b, struct tensor *x, const char *layer, long out)
{
    struct param *w = add(b, layer, "weight", SHAPE(out, tensor_shape(x).d[1]), XAVIER);

    return op_dense(x, w, add(b, layer, "bias", SHAPE(out), ZEROS));
}

/* The net of the PyTorch script beside this file. */
static struct tensor *build(struct bench *b, struct tensor *x)
{
    long out = 32;

    for (int i = 1; i <= 5; i++, out *= 2) {
        char layer[16];

        snprintf(layer, sizeof layer, "conv%d", i);
        struct param *w =
            add(b, layer, "weight", SHAPE(out, tensor_shape(x).d[1], 3, 3, 3), XAVIER);
        x = op_conv(x, w, add(b, layer, "bias", SHAPE(out), ZEROS), WINDOW(3, 1, 1));
        x = op_maxpool(op_leaky_relu(x, 0.3f), WINDOW(2, 2, 0));
    }
    x = op_dropout(op_leaky_relu(dense(b, op_flatten(x), "fc1", 128), 0.3f), 0.5f);
    x = op_dropout(op_leaky_relu(dense(b, x, "fc2", 64), 0.3f), 0.5f);
    return op_scale(op_tanh(dense(b, x, "fc3", 4)), 1.2f);
}

static void create(struct bench *b, bool timed)
{
    struct err e = ERR_INIT;
    struct engine_config c = {.backend = engine_backend_name(0),
                              .threads = b->threads,
                              .compute = b->dtype,
                              .seed = 1,
                              .comm = comm_self(),
                              .now = timed ? now : NULL};
    struct optimizer sgd = {.kind = OPTIMIZER_SGD, .momentum = 0.9f};
    size_t cube = 4 * (size_t)(b->side * b->side * b->side);

    b->m = model_create(&c, &e);
    must(b->m ? 0 : -1, &e);
    b->group = model_group(b->m, "all", &sgd);
    b->g = graph_create(b->m, "train", b->batch);
    b->x = graph_input(b->g, "x", SHAPE(4, b->side, b->side, b->side), CHANNELS_LAST);
    b->y = graph_input(b->g, "y", SHAPE(4), CHANNELS_FIRST);
    b->loss = op_mse(build(b, b->x), b->y, NULL);
    must(engine_compile(b->g, b->loss, &e), &e);
    must(engine_start(b->m, &e), &e);

    b->cubes = malloc((size_t)b->batch * cube * sizeof *b->cubes);
    b->labels = malloc((size_t)b->batch * 4 * sizeof *b->labels);
    b->ids = malloc((size_t)b->batch * sizeof *b->ids);
    if (!b->cubes || !b->labels || !b->ids)
        must(err_set(&e, "out of memory"), &e);
    uint32_t s = 1;
    for (size_t i = 0; i < (size_t)b->batch * cube; i++) {
        s = s * 1664525u + 1013904223u;
        b->cubes[i] = (float)(int32_t)s * 0x1p-31f;
    }
    for (long i = 0; i < b->batch * 4; i++)
        b->labels[i] = (float)(i % 5) * 0.25f - 0.5f;
    for (long i = 0; i < b->batch; i++)
        b->ids[i] = (uint64_t)i;
}

static void destroy(struct bench *b)
{
    model_destroy(b->m);
    free(b->cubes);
    free(b->labels);
    free(b->ids);
}

static void step(struct bench *b)
{
    struct err e = ERR_INIT;
    struct engine_step s = {.rows = b->batch, .global_rows = b->batch, .ids = b->ids, .epoch = 1};
    float loss;

    must(engine_begin(b->g, &s, &e), &e);
    must(engine_feed(b->g, b->x, b->cubes, &e), &e);
    must(engine_feed(b->g, b->y, b->labels, &e), &e);
    model_zero(b->m, b->group);
    must(engine_forward(b->g, ENGINE_TRAIN, &e), &e);
    must(engine_backward(b->g, true, &e), &e);
    must(engine_read(b->g, b->loss, &loss, 1, &e), &e);
    must(model_step(b->m, b->group, 1e-3, &e), &e);
}

static int serve(struct bench *b)
{
    char line[64];

    create(b, false);
    step(b), step(b);
    while (fgets(line, sizeof line, stdin)) {
        long n = strtol(line, NULL, 10);
        double from = now();

        if (n < 1)
            break;
        for (long i = 0; i < n; i++)
            step(b);
        printf("%.3f\n", (now() - from) / (double)n * 1e3);
        fflush(stdout);
    }
    destroy(b);
    return 0;
}

/* Milliseconds of one call of each instruction over these steps. */
static void steps_profile(struct bench *b, double *ms, int most, int steps)
{
    struct engine_profile_row r;
    double *before = calloc((size_t)most, sizeof *before);

    for (int i = 0; before && i < most && graph_profile(b->g, i, &r); i++)
        before[i] = r.seconds;
    for (int i = 0; i < steps; i++)
        step(b);
    for (int i = 0; before && i < most && graph_profile(b->g, i, &r); i++)
        ms[i] = (r.seconds - before[i]) / steps * 1e3;
    free(before);
}

static int profile(struct bench *b)
{
    enum { ROWS = 256, STEPS = 2, TIMES = 3 };
    static double ms[ROWS], best[ROWS];
    struct engine_profile_row r;
    struct peaks p = peaks_measure(b->threads, b->dtype == TENSOR_BF16, now);
    double sum = 0, whole = INFINITY, floor_ms = 0;

    printf("peaks: %.1f GFLOP/s, %.1f GB/s (%d threads)\n", p.flops / 1e9, p.bytes / 1e9,
           b->threads);
    create(b, true);
    step(b), step(b);
    for (int t = 0; t < TIMES; t++) {
        double from = now();

        steps_profile(b, ms, ROWS, STEPS);
        whole = fmin(whole, (now() - from) / STEPS * 1e3);
        for (int i = 0; i < ROWS; i++)
            best[i] = t ? fmin(best[i], ms[i]) : ms[i];
    }
    printf("%-12s %-8s %9s %9s %8s %6s\n", "operator", "pass", "ms", "floor ms", "GFLOP/s", "GB/s");
    for (int i = 0; graph_profile(b->g, i, &r); i++) {
        double least = fmax(r.flop / p.flops, r.bytes / p.bytes) * 1e3;

        sum += best[i];
        floor_ms += least;
        printf("%-12s %-8s %9.3f %9.3f %8.1f %6.1f\n", r.name, r.pass, best[i], least,
               r.flop / best[i] / 1e6, r.bytes / best[i] / 1e6);
    }
    /* the update reads weight, moment, gradient and writes two of them; the
     * cubes are read and written once */
    double rest = (5.0 * (double)model_parameters(b->m, -1) +
                   8.0 * (double)(b->batch * b->side * b->side * b->side)) *
                  sizeof(float) / p.bytes * 1e3;
    printf("%-12s %-8s %9.3f %9.3f\n", "feed, update", "", whole - sum, rest);
    printf("operators %.2f ms, step %.2f ms, floor %.2f ms\n", sum, whole, floor_ms + rest);
    destroy(b);
    return 0;
}

int main(int argc, char **argv)
{
    struct bench b = {.side = 64, .batch = 4, .threads = 1};
    const char *clock_name = getenv("ENGINE_BENCH_CLOCK");

    if (argc < 4 || (strcmp(argv[2], "f32") && strcmp(argv[2], "bf16"))) {
        fprintf(stderr, "usage: engine_bench serve|profile f32|bf16 THREADS [SIDE [BATCH]]\n");
        return 2;
    }
    if (clock_name && !strcmp(clock_name, "cpu"))
        now = clock_cpu;
    b.dtype = strcmp(argv[2], "bf16") ? TENSOR_F32 : TENSOR_BF16;
    b.threads = atoi(argv[3]);
    if (argc > 4)
        b.side = strtol(argv[4], NULL, 10);
    if (argc > 5)
        b.batch = strtol(argv[5], NULL, 10);
    return strcmp(argv[1], "profile") ? serve(&b) : profile(&b);
}
