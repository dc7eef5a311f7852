/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * engine_losses DIR BACKEND [RULE]: trains the small net for a few steps and
 * leaves in DIR all that another framework needs to do the same: start values
 * (NAME.f32), samples (cubes.f32, labels.f32), the samples of each step
 * (steps.txt), the update rule (rule.txt) and the losses that came out
 * (losses.txt). torch_losses.py reads it. Exit 77: no such back end in this
 * build.
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

static const struct rule {
    const char *name;
    double rate;
    struct optimizer o;
} rules[] = {
    {"sgd", 0.02, {.kind = OPTIMIZER_SGD, .momentum = 0.9f, .weight_decay = 1e-3f}},
    {"clip", 0.02, {.kind = OPTIMIZER_SGD, .momentum = 0.9f, .weight_decay = 1e-3f, .clip = 0.25f}},
    {"adam", 0.002, {.kind = OPTIMIZER_ADAM, .weight_decay = 1e-2f, OPTIMIZER_ADAM_COMMON}},
    {"adamw", 0.002, {.kind = OPTIMIZER_ADAMW, .weight_decay = 1e-1f, OPTIMIZER_ADAM_COMMON}},
    {"rmsprop",
     0.0005,
     {.kind = OPTIMIZER_RMSPROP,
      .momentum = 0.5f,
      .weight_decay = 1e-3f,
      OPTIMIZER_RMSPROP_COMMON}},
    {"lamb", 0.002, {.kind = OPTIMIZER_LAMB, .weight_decay = 1e-2f, OPTIMIZER_LAMB_COMMON}},
};

static const struct rule *rule_of(const char *name)
{
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
        if (!strcmp(rules[i].name, name))
            return &rules[i];
    return NULL;
}

static void write_rule(const char *dir, const struct rule *r)
{
    const struct optimizer *o = &r->o;
    FILE *f = text_file(dir, "rule.txt");

    fprintf(f, "%s rate=%.9g momentum=%.9g decay=%.9g beta1=%.9g beta2=%.9g eps=%.9g clip=%.9g\n",
            r->name, r->rate, (double)o->momentum, (double)o->weight_decay, (double)o->beta[0],
            (double)o->beta[1], (double)o->eps, (double)o->clip);
    if (fclose(f))
        exit(1);
}

int main(int argc, char **argv)
{
    const struct rule *rule = rule_of(argc == 4 ? argv[3] : "sgd");
    struct trainer t;

    if (argc < 3 || argc > 4 || !rule) {
        fprintf(stderr, "usage: engine_losses DIR BACKEND [RULE]\n");
        return 2;
    }
    write_rule(argv[1], rule);
    int known = 0;
    for (int i = 0; engine_backend_name(i); i++)
        known |= !strcmp(engine_backend_name(i), argv[2]);
    if (!known) {
        printf("the engine '%s' is not in this build\n", argv[2]);
        return 77;
    }
    struct engine_config c = {.backend = argv[2], .threads = 2, .seed = 42, .comm = comm_self()};
    trainer_create(&t, &c, BATCH, 0, &rule->o);
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
        fprintf(losses, "%.9g\n", (double)trainer_step(&t, ids, rows, rows, 0, rule->rate));
        at %= SAMPLES;
    }
    trainer_destroy(&t);
    return fclose(steps) || fclose(losses) ? 1 : 0;
}
