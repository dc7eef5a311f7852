/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * engine_losses DIR BACKEND: trains the small net for a few steps and leaves
 * in DIR all that another framework needs to do the same: start values
 * (NAME.f32), samples (cubes.f32, labels.f32), the samples of each step
 * (steps.txt) and the losses that came out (losses.txt). torch_losses.py
 * reads it. Exit 77: no such back end in this build.
 */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/workloads/engine/trainer.h"

enum { STEPS = 8, BATCH = 4, SAMPLES = 14 };

static void write_floats(const char *dir, const char *name, const float *v, size_t n)
{
    char path[4096];

    snprintf(path, sizeof path, "%s/%s.f32", dir, name);
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(v, sizeof *v, n, f) != n || fclose(f)) {
        perror(path);
        exit(1);
    }
}

static FILE *text_file(const char *dir, const char *name)
{
    char path[4096];

    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "w");
    if (!f) {
        perror(path);
        exit(1);
    }
    return f;
}

static void write_params(const char *dir, struct trainer *t)
{
    for (int i = 0; i < t->n_params; i++) {
        struct shape s = param_shape(t->params[i]);
        float *v = malloc(shape_count(&s) * sizeof *v);

        if (param_get(t->params[i], PARAM_VALUE, v, shape_count(&s), NULL))
            exit(1);
        write_floats(dir, t->names[i], v, shape_count(&s));
        free(v);
    }
}

static void write_samples(const char *dir)
{
    float *cubes = malloc(SAMPLES * TRAINER_CUBE * sizeof *cubes), labels[SAMPLES * 4];

    for (int i = 0; i < SAMPLES; i++)
        trainer_sample((uint64_t)i, cubes + i * TRAINER_CUBE, labels + 4 * i);
    write_floats(dir, "cubes", cubes, SAMPLES * TRAINER_CUBE);
    write_floats(dir, "labels", labels, SAMPLES * 4);
    free(cubes);
}

int main(int argc, char **argv)
{
    struct optimizer o = {OPTIMIZER_SGD, 0.9f, 1e-3f};
    struct trainer t;

    if (argc != 3) {
        fprintf(stderr, "usage: engine_losses DIR BACKEND\n");
        return 2;
    }
    int known = 0;
    for (int i = 0; engine_backend_name(i); i++)
        known |= !strcmp(engine_backend_name(i), argv[2]);
    if (!known) {
        printf("the engine '%s' is not in this build\n", argv[2]);
        return 77;
    }
    struct engine_config c = {.backend = argv[2], .threads = 2, .seed = 42, .comm = comm_self()};
    trainer_create(&t, &c, BATCH, 0, &o);
    write_params(argv[1], &t);
    write_samples(argv[1]);
    FILE *steps = text_file(argv[1], "steps.txt"), *losses = text_file(argv[1], "losses.txt");
    for (int s = 0, at = 0; s < STEPS; s++) {
        uint64_t ids[BATCH];
        long rows = 0;

        /* the last step before the samples begin anew is short */
        for (; rows < BATCH && at < SAMPLES; rows++) {
            ids[rows] = (uint64_t)at++;
            fprintf(steps, "%lu ", (unsigned long)ids[rows]);
        }
        fprintf(steps, "\n");
        fprintf(losses, "%.9g\n", (double)trainer_step(&t, ids, rows, rows, 0, 0.02));
        at %= SAMPLES;
    }
    trainer_destroy(&t);
    return fclose(steps) || fclose(losses) ? 1 : 0;
}
