/* SPDX-License-Identifier: BSD-3-Clause */
/* Update rules against their formulas in double, for any number of threads;
 * clipping, refusals, schedules, and a run that goes on from a checkpoint. */
#include <config.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/workloads/engine/harness.h"
#include "tests/workloads/engine/trainer.h"
#include "workloads/engine/internal.h"
#include "workloads/engine/schedule.h"

static const struct optimizer rules[] = {
    {.kind = OPTIMIZER_SGD, .momentum = 0.9f, .weight_decay = 0.01f},
    {.kind = OPTIMIZER_ADAM, .weight_decay = 0.01f, OPTIMIZER_ADAM_COMMON},
    {.kind = OPTIMIZER_ADAM, .beta = {0, 0.5f}, .eps = 1e-3f},
    {.kind = OPTIMIZER_ADAMW, .weight_decay = 0.1f, OPTIMIZER_ADAM_COMMON},
    /* eps: where gradient and decay cancel, g / sqrt(v) is any number up to 10 */
    {.kind = OPTIMIZER_RMSPROP,
     .momentum = 0.8f,
     .weight_decay = 0.01f,
     .beta = {0, 0.99f},
     .eps = 1e-3f},
    {.kind = OPTIMIZER_LAMB, .weight_decay = 0.01f, OPTIMIZER_LAMB_COMMON},
    {.kind = OPTIMIZER_LAMB, OPTIMIZER_LAMB_COMMON},
};
enum { RULES = sizeof rules / sizeof rules[0], STEPS = 6, MOST = 100003 };

/* ---- the formulas of engine.h ----------------------------------------- */

struct truth {
    double w[MOST], m[MOST], v[MOST];
};

static double norm_of(const double *x, size_t n)
{
    double s = 0;

    for (size_t i = 0; i < n; i++)
        s += x[i] * x[i];
    return sqrt(s);
}

static void truth_step(struct truth *t, const struct optimizer *o, const float *gradient, size_t n,
                       double rate, int step)
{
    static double direction[MOST];
    const double decay = (double)o->weight_decay, b1 = (double)o->beta[0], b2 = (double)o->beta[1];
    const double momentum = (double)o->momentum, eps = (double)o->eps;

    for (size_t i = 0; i < n; i++) {
        double g0 = (double)gradient[i], g = g0 + decay * t->w[i], *w = &t->w[i];
        bool plain = o->kind == OPTIMIZER_ADAMW || o->kind == OPTIMIZER_LAMB;
        double d = plain ? g0 : g;

        if (o->kind == OPTIMIZER_SGD) {
            t->m[i] = momentum * t->m[i] + g;
            direction[i] = t->m[i];
            continue;
        }
        t->v[i] = b2 * t->v[i] + (1 - b2) * d * d;
        if (o->kind == OPTIMIZER_RMSPROP) {
            t->m[i] = momentum * t->m[i] + g / (sqrt(t->v[i]) + eps);
            direction[i] = t->m[i];
            continue;
        }
        t->m[i] = b1 * t->m[i] + (1 - b1) * d;
        direction[i] = t->m[i] / (1 - pow(b1, step)) / (sqrt(t->v[i] / (1 - pow(b2, step))) + eps);
        if (o->kind == OPTIMIZER_ADAMW)
            *w -= rate * decay * *w;
        if (o->kind == OPTIMIZER_LAMB)
            direction[i] += decay * *w;
    }
    double ratio = norm_of(t->w, n) / norm_of(direction, n);
    if (o->kind != OPTIMIZER_LAMB || !isfinite(ratio) || ratio == 0)
        ratio = 1;
    for (size_t i = 0; i < n; i++)
        t->w[i] -= rate * ratio * direction[i];
}

/* Two odd sizes: one that a single thread does, one that all share. The first
 * element of the gradient is always 0. */
static void test_formulas(void **state)
{
    static struct truth t;
    static float w[MOST], g[MOST], moment[2][MOST];

    (void)state;
    for (size_t k = 0; k < RULES; k++)
        for (int big = 0; big < 2; big++) {
            size_t n = big ? MOST : 37;

            memset(&t, 0, sizeof t);
            memset(moment, 0, sizeof moment);
            for (size_t i = 0; i < n; i++)
                t.w[i] = (double)(w[i] = noise(1, i));
            for (int s = 1; s <= STEPS; s++) {
                for (size_t i = 0; i < n; i++)
                    g[i] = i ? noise(10 + (unsigned)s, i) * (i % 2 ? 1 : 1e-3f) : 0;
                struct update u = {.optimizer = &rules[k],
                                   .n = n,
                                   .master = w,
                                   .gradient = g,
                                   .moment = {moment[0], moment[1]},
                                   .rate = 0.01f,
                                   .step = (uint64_t)s,
                                   .threads = big ? 2 : 1};
                assert_int_equal(optimizer_update(&u, NULL), 0);
                truth_step(&t, &rules[k], g, n, 0.01f, s);
            }
            for (size_t i = 0; i < n; i++)
                if (!(fabs((double)w[i] - t.w[i]) < 2e-6 * (1 + fabs(t.w[i]))))
                    fail_msg("%s (row %zu), element %zu of %zu: %g, expected %g",
                             optimizer_name(rules[k].kind), k, i, n, (double)w[i], t.w[i]);
        }
}

/* A weight of zeros has no norm: the ratio is 1, and nothing becomes NaN. */
static void test_lamb_from_zero(void **state)
{
    float w[3] = {0}, g[3] = {1, -2, 0}, m[3] = {0}, v[3] = {0};
    struct update u = {.optimizer = &rules[RULES - 1],
                       .n = 3,
                       .master = w,
                       .gradient = g,
                       .moment = {m, v},
                       .rate = 0.1f,
                       .step = 1,
                       .threads = 1};

    (void)state;
    assert_int_equal(optimizer_update(&u, NULL), 0);
    assert_float_equal(w[0], -0.1f, 1e-6);
    assert_float_equal(w[1], 0.1f, 1e-6);
    assert_true(w[2] == 0);
    memset(g, 0, sizeof g);
    memset(w, 0, sizeof w);
    memset(m, 0, sizeof m);
    memset(v, 0, sizeof v);
    assert_int_equal(optimizer_update(&u, NULL), 0);
    assert_true(w[0] == 0 && w[1] == 0);
}

/* ---- in a model ------------------------------------------------------- */

static struct engine_config config_of(int threads)
{
    return (struct engine_config){.backend = engine_backend_name(0),
                                  .threads = threads,
                                  .seed = 5,
                                  .comm = comm_self(),
                                  .bucket_bytes = 2048};
}

enum { VALUES = 12 };

/* Losses of `to - from` steps, and some weights after them. */
static void train(struct trainer *t, int from, int to, float loss[STEPS], float weights[VALUES])
{
    for (int s = from; s < to; s++) {
        uint64_t ids[2] = {(uint64_t)s * 2, (uint64_t)s * 2 + 1};

        loss[s] = trainer_step(t, ids, 2, 2, 1, 0.003);
    }
    for (int i = 0; i < t->n_params && i < VALUES; i++) {
        struct shape shape = param_shape(t->params[i]);
        float *v = malloc(shape_count(&shape) * sizeof *v);

        assert_int_equal(param_get(t->params[i], PARAM_VALUE, v, shape_count(&shape), NULL), 0);
        weights[i] = v[shape_count(&shape) / 2];
        free(v);
    }
}

/* Moments and the number of the step are in the checkpoint: the same bits. */
static void test_goes_on_from_a_checkpoint(void **state)
{
    struct engine_config c = config_of(2);
    struct err e = ERR_INIT;
    char path[64];

    (void)state;
    snprintf(path, sizeof path, "optim-checkpoint-%ld", (long)getpid());
    for (size_t k = 0; k < RULES; k++) {
        float straight[STEPS], resumed[STEPS], w[VALUES] = {0}, v[VALUES] = {0};
        struct optimizer o = rules[k];
        struct trainer t;

        o.clip = k % 2 ? 0.5f : 0;
        trainer_create(&t, &c, 2, 0.5f, &o);
        train(&t, 0, STEPS, straight, w);
        trainer_destroy(&t);
        trainer_create(&t, &c, 2, 0.5f, &o);
        train(&t, 0, 2, resumed, v);
        assert_int_equal(model_save(t.m, path, NULL, 0, &e), 0);
        trainer_destroy(&t);
        trainer_create(&t, &c, 2, 0.5f, &o);
        assert_int_equal(model_load(t.m, path, NULL, 0, &e), 0);
        train(&t, 2, STEPS, resumed, v);
        trainer_destroy(&t);
        assert_memory_equal(straight, resumed, sizeof straight);
        assert_memory_equal(w, v, sizeof w);
    }
    unlink(path);
}

/* Of another rule: refused, with the rule's name in neither's place. */
static void test_checkpoint_of_another_rule(void **state)
{
    struct engine_config c = config_of(1);
    struct err e = ERR_INIT;
    char path[64];
    struct trainer t;

    (void)state;
    snprintf(path, sizeof path, "optim-other-%ld", (long)getpid());
    trainer_create(&t, &c, 2, 0, &rules[1]);
    assert_int_equal(model_save(t.m, path, NULL, 0, &e), 0);
    trainer_destroy(&t);
    trainer_create(&t, &c, 2, 0, &rules[3]);
    assert_int_equal(model_load(t.m, path, NULL, 0, &e), -1);
    assert_non_null(strstr(e.text, "of another model"));
    trainer_destroy(&t);
    unlink(path);
}

/* One step of SGD with and without a clip: the change is the clipped one, and
 * a gradient that is small enough is left as it is, to the bit. */
static void test_clip(void **state)
{
    enum { N = 64 };

    (void)state;
    for (int b = 0; engine_backend_name(b); b++) {
        float change[3][N];
        double norm = 0;

        for (int run = 0; run < 3; run++) {
            struct engine_config c = config_of(1);
            struct optimizer o = {.kind = OPTIMIZER_SGD,
                                  .clip = run == 0   ? 0
                                          : run == 1 ? 1e6f
                                                     : 0.01f};
            float before[16 * 4 * 27], after[16 * 4 * 27], loss;
            uint64_t ids[2] = {1, 2};
            struct trainer t;

            c.backend = engine_backend_name(b);
            trainer_create(&t, &c, 2, 0, &o);
            assert_int_equal(param_get(t.params[0], PARAM_VALUE, before, 16 * 4 * 27, NULL), 0);
            loss = trainer_step(&t, ids, 2, 2, 0, 1);
            assert_true(isfinite(loss));
            assert_int_equal(param_get(t.params[0], PARAM_VALUE, after, 16 * 4 * 27, NULL), 0);
            for (int i = 0; i < N; i++)
                change[run][i] = after[i] - before[i];
            if (run == 0)
                for (int i = 0; i < t.n_params; i++)
                    norm +=
                        optimizer_squares(t.m->gradients + t.params[i]->at, t.params[i]->count, 1);
            trainer_destroy(&t);
        }
        norm = sqrt(norm);
        assert_true(norm > 0.01);
        assert_memory_equal(change[0], change[1], sizeof change[0]);
        for (int i = 0; i < N; i++)
            assert_float_equal(change[2][i], (double)change[0][i] * 0.01 / (norm + 1e-6),
                               1e-7 + 1e-4 * fabs((double)change[2][i]));
    }
}

static void test_refusals(void **state)
{
    static const struct {
        struct optimizer o;
        const char *sentence;
    } bad[] = {
        {{.kind = OPTIMIZER_COUNT}, "group 'g' asks for optimiser 5, which does not exist"},
        {{.kind = OPTIMIZER_SGD, .momentum = 1},
         "group 'g' asks for sgd with momentum 1; it must be in [0, 1)"},
        {{.kind = OPTIMIZER_ADAM, .beta = {0.9f, 1}, .eps = 1e-8f},
         "group 'g' asks for adam with beta2 1; it must be in [0, 1)"},
        {{.kind = OPTIMIZER_ADAMW, .beta = {-0.5f, 0.9f}, .eps = 1e-8f},
         "group 'g' asks for adamw with beta1 -0.5; it must be in [0, 1)"},
        {{.kind = OPTIMIZER_LAMB, .beta = {0.9f, 0.9f}},
         "group 'g' asks for lamb with eps 0; it must be above 0"},
        {{.kind = OPTIMIZER_RMSPROP, .eps = 1, .weight_decay = -1},
         "group 'g' asks for rmsprop with weight decay -1; it must be in [0, inf)"},
        {{.kind = OPTIMIZER_SGD, .clip = NAN},
         "group 'g' asks for sgd with clip nan; it must be in [0, inf)"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct engine_config c = config_of(1);
        struct err e = ERR_INIT;
        struct model *m = model_create(&c, &e);

        assert_int_equal(model_group(m, "g", &bad[i].o), -1);
        assert_int_equal(engine_start(m, &e), -1);
        assert_string_equal(e.text, bad[i].sentence);
        model_destroy(m);
    }
}

static void test_schedules(void **state)
{
    const struct schedule poly = {.base = 2,
                                  .kind = SCHEDULE_POLYNOMIAL,
                                  .epochs = 10,
                                  .end_factor = 0.1,
                                  .power = 2,
                                  .warmup_epochs = 2};
    const struct schedule cosine = {
        .base = 1, .kind = SCHEDULE_COSINE, .epochs = 8, .n_decays = 1, .decays = {{6, 0.5}}};
    static const double poly_at[][2] = {{0, 0},    {1, 0.829}, {2, 1.352},
                                        {5, 0.65}, {10, 0.2},  {99, 0.2}};
    static const double cosine_at[][2] = {{0, 1},          {2, 0.85355339}, {4, 0.5},
                                          {6, 0.07322330}, {8, 0},          {9, 0}};

    (void)state;
    for (size_t i = 0; i < sizeof poly_at / sizeof poly_at[0]; i++)
        assert_float_equal(schedule_rate(&poly, poly_at[i][0]), poly_at[i][1], 1e-7);
    for (size_t i = 0; i < sizeof cosine_at / sizeof cosine_at[0]; i++)
        assert_float_equal(schedule_rate(&cosine, cosine_at[i][0]), cosine_at[i][1], 1e-7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_formulas),
        cmocka_unit_test(test_lamb_from_zero),
        cmocka_unit_test(test_goes_on_from_a_checkpoint),
        cmocka_unit_test(test_checkpoint_of_another_rule),
        cmocka_unit_test(test_clip),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_schedules),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
