/* SPDX-License-Identifier: BSD-3-Clause */
/* Losses and their gradients against the formulas of engine.h in double: whole
 * and partial batch, weights per row, per element and none, several rows per
 * sample, classes that are left out, uneven shares of two ranks. */
#include <config.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/workloads/engine/harness.h"

enum kind { MSE, MAE, BCE, SMOOTH, CE, CE_CLASSES };
enum weights { NONE, BY_ROW, BY_ELEMENT };

static const float class_weights[] = {0.5f, 2, 1.25f};

struct loss_case {
    enum kind kind;
    enum weights weights;
    struct shape sample; /* of x */
    long batch, rows;
    double scale; /* of the logits */
};

static const struct loss_case cases[] = {
    {MSE, NONE, {1, {5}}, 4, 4, 1},
    {MSE, BY_ROW, {1, {5}}, 4, 3, 1},
    {MSE, BY_ELEMENT, {3, {2, 3, 4}}, 3, 2, 1},
    {BCE, NONE, {1, {1}}, 4, 4, 1},
    {BCE, BY_ELEMENT, {3, {1, 4, 4}}, 3, 3, 1},
    {BCE, BY_ROW, {1, {6}}, 5, 2, 60}, /* far out: no overflow */
    {SMOOTH, NONE, {1, {4}}, 4, 4, 1},
    {SMOOTH, BY_ELEMENT, {1, {9}}, 3, 2, 3},
    {CE, NONE, {1, {3}}, 5, 5, 1},
    {CE, BY_ROW, {1, {3}}, 5, 4, 1},
    {CE_CLASSES, NONE, {3, {3, 4, 5}}, 2, 2, 1},
    {CE_CLASSES, BY_ELEMENT, {3, {3, 4, 5}}, 3, 2, 1},
    {CE, BY_ELEMENT, {4, {3, 2, 3, 2}}, 2, 1, 80},
    {CE_CLASSES, NONE, {3, {3, 100, 90}}, 2, 2, 1}, /* several pieces a row */
};
enum { CASES = sizeof cases / sizeof cases[0] };

static long classes_of(const struct loss_case *c)
{
    return c->kind >= CE ? c->sample.d[0] : 1;
}

/* Values of x, and elements, in a sample. */
static long values_of(const struct loss_case *c)
{
    return (long)shape_count(&c->sample);
}

static long elements_of(const struct loss_case *c)
{
    return values_of(c) / classes_of(c);
}

struct data {
    float *x, *t, *w;
};

static struct data data_of(const struct loss_case *c)
{
    long n = c->batch * values_of(c), m = c->batch * elements_of(c);
    struct data d = {calloc((size_t)n, sizeof(float)), calloc((size_t)m, sizeof(float)),
                     calloc((size_t)m, sizeof(float))};

    for (long i = 0; i < n; i++)
        d.x[i] = (float)c->scale * noise(1, (unsigned long)i);
    for (long i = 0; i < m; i++) {
        float u = noise(2, (unsigned long)i);

        d.t[i] = c->kind >= CE ? floorf((u + 1) * 1.8f) : c->kind == BCE ? (u + 1) / 2 : u;
        d.w[i] = i % 5 == 3 ? 0 : 1 + noise(3, (unsigned long)i);
    }
    return d;
}

static void data_free(struct data *d)
{
    free(d->x);
    free(d->t);
    free(d->w);
}

/* ---- the formulas ----------------------------------------------------- */

static double weight_of(const struct loss_case *c, const struct data *d, long row, long i)
{
    return c->weights == NONE     ? 1
           : c->weights == BY_ROW ? (double)d->w[row]
                                  : (double)d->w[row * elements_of(c) + i];
}

/* Loss and derivatives of element i of a row with respect to its logits. */
static double element(const struct loss_case *c, const struct data *d, long row, long i,
                      double *slope)
{
    long C = classes_of(c), E = elements_of(c);
    const float *x = d->x + row * values_of(c) + i;
    double t = (double)d->t[row * E + i], sum = 0, diff = (double)*x - t;

    switch (c->kind) {
    case MSE:
        slope[0] = 2 * diff;
        return diff * diff;
    case MAE:
        slope[0] = 0;
        return fabs(diff);
    case BCE: {
        double p = 1 / (1 + exp(-(double)*x));

        slope[0] = p - t;
        /* log(1 + e^-|x|) is tiny where e^x is not finite */
        return fmax((double)*x, 0) - (double)*x * t + log(1 + exp(-fabs((double)*x)));
    }
    case SMOOTH:
        slope[0] = fabs(diff) < 0.5 ? diff / 0.5 : diff > 0 ? 1 : -1;
        return fabs(diff) < 0.5 ? diff * diff : fabs(diff) - 0.25;
    default:
        break;
    }
    memset(slope, 0, (size_t)C * sizeof *slope);
    if (t < 0 || t >= (double)C)
        return 0;
    for (long k = 0; k < C; k++)
        sum += exp((double)x[k * E]);
    double of = c->kind == CE_CLASSES ? (double)class_weights[(long)t] : 1;
    for (long k = 0; k < C; k++)
        slope[k] = of * (exp((double)x[k * E]) / sum - (k == (long)t));
    return of * (log(sum) - (double)x[(long)t * E]);
}

static double truth(const struct loss_case *c, const struct data *d, long global_rows, double *dx)
{
    long C = classes_of(c), E = elements_of(c);
    double divisor = (double)(global_rows * E), sum = 0, slope[4];

    for (long r = 0; r < c->batch; r++)
        for (long i = 0; i < E; i++) {
            double w = r < c->rows ? weight_of(c, d, r, i) : 0;

            sum += w * element(c, d, r, i, slope) / divisor;
            for (long k = 0; k < C; k++)
                dx[r * values_of(c) + k * E + i] = w * slope[k] / divisor;
        }
    return sum;
}

/* ---- the engine ------------------------------------------------------- */

static struct tensor *loss_of(const struct loss_case *c, struct tensor *x, struct tensor *t,
                              struct tensor *w)
{
    switch (c->kind) {
    case MSE:
        return op_mse(x, t, w);
    case MAE:
        return op_mae(x, t, w);
    case BCE:
        return op_bce(x, t, w);
    case SMOOTH:
        return op_smooth_l1(x, t, w, 0.5f);
    default:
        return op_cross_entropy(x, t, c->kind == CE_CLASSES ? class_weights : NULL, w);
    }
}

static void run(const struct loss_case *c, const char *backend, const struct data *d,
                long global_rows, float *loss, float *dx)
{
    struct err e = ERR_INIT;
    struct engine_config config = {
        .backend = backend, .threads = 2, .seed = 7, .comm = comm_self()};
    struct model *m = model_create(&config, &e);
    struct graph *g = graph_create(m, "g", c->batch);
    struct tensor *x = graph_want_grad(graph_input(g, "x", c->sample, CHANNELS_FIRST));
    struct shape sample = c->sample, one = SHAPE(1);
    uint64_t ids[8] = {0};

    if (c->kind >= CE)
        sample.d[0] = 1;
    struct tensor *t = graph_input(g, "t", sample, CHANNELS_FIRST);
    struct tensor *w = c->weights == NONE ? NULL
                                          : graph_input(g, "w", c->weights == BY_ROW ? one : sample,
                                                        CHANNELS_FIRST);
    struct tensor *y = loss_of(c, x, t, w);
    if (engine_compile(g, y, &e) || engine_start(m, &e) ||
        engine_begin(g,
                     &(struct engine_step){.rows = c->rows, .global_rows = global_rows, .ids = ids},
                     &e) ||
        engine_feed(g, x, d->x, &e) || engine_feed(g, t, d->t, &e) ||
        (w && engine_feed(g, w, d->w, &e)) || engine_forward(g, ENGINE_TRAIN, &e) ||
        engine_backward(g, true, &e) || engine_read(g, y, loss, 1, &e) ||
        engine_read_grad(g, x, dx, (size_t)(c->batch * values_of(c)), &e))
        fail_msg("%s", e.text);
    model_destroy(m);
}

static void check(int i, const char *backend, long global_rows)
{
    const struct loss_case *c = &cases[i];
    size_t n = (size_t)(c->batch * values_of(c));
    struct data d = data_of(c);
    double *dx = calloc(n, sizeof *dx), most = 0;
    float *got = calloc(n, sizeof *got), loss;

    run(c, backend, &d, global_rows, &loss, got);
    double wanted = truth(c, &d, global_rows, dx);
    if (!(fabs((double)loss - wanted) <= 1e-6 * fabs(wanted)))
        fail_msg("case %d on %s: the loss is %.9g, wanted %.9g", i, backend, (double)loss, wanted);
    for (size_t k = 0; k < n; k++)
        most = fmax(most, fabs(dx[k]));
    for (size_t k = 0; k < n; k++)
        if (!(fabs((double)got[k] - dx[k]) <= 2e-7 * most))
            fail_msg("case %d on %s: gradient %zu is %.9g, wanted %.9g", i, backend, k,
                     (double)got[k], dx[k]);
    data_free(&d);
    free(dx);
    free(got);
}

static void test_formulas(void **state)
{
    (void)state;
    for (int b = 0; engine_backend_name(b); b++)
        for (int i = 0; i < CASES; i++) {
            check(i, engine_backend_name(b), cases[i].rows);
            check(i, engine_backend_name(b), cases[i].rows + 7); /* others have 7 */
        }
}

/* A metric has a value and sends nothing back. */
static void test_metric(void **state)
{
    const struct loss_case c = {MAE, BY_ROW, {1, {5}}, 4, 3, 1};
    struct err e = ERR_INIT;
    struct engine_config config = {.backend = "ref", .threads = 1, .comm = comm_self()};
    struct model *m = model_create(&config, &e);
    struct graph *g = graph_create(m, "g", c.batch);
    struct tensor *x = graph_input(g, "x", c.sample, CHANNELS_FIRST);
    struct tensor *t = graph_input(g, "t", c.sample, CHANNELS_FIRST);
    struct tensor *w = graph_input(g, "w", SHAPE(1), CHANNELS_FIRST);
    struct tensor *y = op_mae(x, t, w);
    struct data d = data_of(&c);
    double dx[20];
    float got;

    (void)state;
    assert_int_equal(engine_compile(g, NULL, &e), 0);
    assert_int_equal(engine_start(m, &e), 0);
    uint64_t ids[4] = {0};
    assert_int_equal(
        engine_begin(g, &(struct engine_step){.rows = 3, .global_rows = 3, .ids = ids}, &e), 0);
    assert_int_equal(engine_feed(g, x, d.x, &e) | engine_feed(g, t, d.t, &e) |
                         engine_feed(g, w, d.w, &e) | engine_forward(g, ENGINE_EVAL, &e) |
                         engine_read(g, y, &got, 1, &e),
                     0);
    double wanted = truth(&c, &d, 3, dx);
    assert_true(fabs((double)got - wanted) <= 1e-6 * wanted);
    data_free(&d);
    model_destroy(m);
}

/* What cannot be a loss is refused by the compiler's sentence. */
static void test_refusals(void **state)
{
    static const char *const sentences[] = {
        "cross_entropy in graph 'g' cannot take an input of shape (2, 3, 4): the target's shape is "
        "not that without the classes",
        "smooth_l1 in graph 'g' cannot take an input of shape (2, 3, 4): beta must be above 0",
        "bce in graph 'g' cannot take an input of shape (2, 3, 4): the target has another shape",
        "bce in graph 'g' cannot take an input of shape (2, 5): there must be one weight per row "
        "or one per element",
        "upsample in graph 'g' cannot take an input of shape (2, 3, 4): it must have 2 or 3 "
        "dimensions and the factor must be 1 or more",
        "mul in graph 'g' cannot take an input of shape (2, 3, 4): the other input has another "
        "shape",
        "maxpool in graph 'g' cannot take an input of shape (2, 3, 6, 6): only a convolution's "
        "window can be dilated",
        "depthwise in graph 'g' cannot take an input of shape (2, 3, 6, 6): the weight must begin "
        "with its channels and 1",
        "deconv in graph 'g' cannot take an input of shape (2, 3, 6, 6): only a convolution's "
        "window can be dilated",
        "conv in graph 'g' cannot take an input of shape (2, 3, 6, 6): the window is larger than "
        "the padded input",
    };

    (void)state;
    for (int i = 0; i < 10; i++) {
        struct err e = ERR_INIT;
        struct engine_config config = {.backend = "ref", .threads = 1, .comm = comm_self()};
        struct model *m = model_create(&config, &e);
        struct graph *g = graph_create(m, "g", 2);
        struct tensor *x = graph_input(g, "x", SHAPE(3, 4), CHANNELS_FIRST);
        struct tensor *t = graph_input(g, "t", SHAPE(5), CHANNELS_FIRST);
        struct tensor *map = graph_input(g, "map", SHAPE(3, 6, 6), CHANNELS_FIRST);
        const struct optimizer sgd = {.kind = OPTIMIZER_SGD};
        struct param *w =
            model_param(m, model_group(m, "all", &sgd), "w", SHAPE(3, 3, 3, 3), ZEROS);
        struct window wide = WINDOW(3, 1, 0);

        wide.dilation[1] = 3;
        (void)(i == 0   ? op_cross_entropy(x, t, NULL, NULL)
               : i == 1 ? op_smooth_l1(x, x, NULL, 0)
               : i == 2 ? op_bce(x, t, NULL)
               : i == 3 ? op_bce(x, x, t)
               : i == 4 ? op_upsample(x, 2, UPSAMPLE_LINEAR)
               : i == 5 ? op_mul(x, t)
               : i == 6 ? op_maxpool(map, DILATED(2, 2))
               : i == 7 ? op_depthwise(map, w, NULL, WINDOW(3, 1, 1))
               : i == 8 ? op_deconv(map, w, NULL, DILATED(3, 2))
                        : op_conv(map, w, NULL, wide));
        assert_int_equal(engine_compile(g, NULL, &e), -1);
        assert_string_equal(e.text, sentences[i]);
        model_destroy(m);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_formulas),
        cmocka_unit_test(test_metric),
        cmocka_unit_test(test_refusals),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
