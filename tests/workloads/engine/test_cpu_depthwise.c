/* SPDX-License-Identifier: BSD-3-Clause */
/* The own depthwise convolution in every layout and both types, all three passes, against
 * its definition in double, over strides, dilations and borders that do not fit. */
#include <config.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/workloads/engine/fields.h"
#include "workloads/engine/cpu/kernel_depthwise.h"

struct window_case {
    long C, I[3], K[3], S[3], P[3], D[3];
};

static const struct window_case cases[] = {
    {32, {1, 7, 9}, {1, 3, 3}, {1, 1, 1}, {0, 1, 1}, {1, 1, 1}},  /* Xception's */
    {19, {1, 8, 9}, {1, 3, 3}, {1, 2, 2}, {0, 1, 1}, {1, 1, 1}},  /* between its stages */
    {40, {1, 6, 11}, {1, 3, 3}, {1, 1, 1}, {0, 2, 2}, {1, 2, 2}}, /* its exit */
    {16, {1, 5, 4}, {1, 3, 3}, {1, 1, 1}, {0, 6, 6}, {1, 6, 6}},  /* one tap in the map */
    {8, {3, 4, 5}, {2, 1, 4}, {2, 1, 3}, {0, 0, 1}, {1, 1, 2}},   /* inputs that no tap sees */
    {33, {1, 4, 3}, {1, 1, 1}, {1, 1, 1}, {0, 0, 0}, {1, 1, 1}},  /* a factor a channel */
    {5, {1, 6, 7}, {1, 5, 2}, {1, 3, 1}, {0, 2, 0}, {1, 1, 3}},
    {16, {1, 3, 40}, {1, 1, 17}, {1, 1, 2}, {0, 0, 8}, {1, 1, 1}}, /* more than a row's taps */
};

struct fit {
    struct depthwise g;
    float *w, *bias, *dw;
    struct field x, y, dy, dx;
    void *scratch;
    long taps;
};

static long product(const long v[3])
{
    return v[0] * v[1] * v[2];
}

static struct fit fit_of(const struct window_case *c, long b, enum tensor_dtype dtype)
{
    struct fit f = {.taps = product(c->K)};

    for (int d = 0; d < 3; d++) {
        f.g.I[d] = c->I[d], f.g.K[d] = c->K[d], f.g.S[d] = c->S[d];
        f.g.P[d] = c->P[d], f.g.D[d] = c->D[d];
        f.g.Q[d] = (c->I[d] + 2 * c->P[d] - (c->K[d] - 1) * c->D[d] - 1) / c->S[d] + 1;
    }
    f.g.x = field_map(3, c->C, product(f.g.I), b, dtype);
    f.g.y = field_map(3, c->C, product(f.g.Q), b, dtype);
    f.x = field_noise(f.g.x, 1), f.dy = field_noise(f.g.y, 2);
    f.y = field_make(f.g.y), f.dx = field_make(f.g.x);
    f.w = fields_memory((size_t)(c->C * f.taps) * sizeof *f.w);
    f.dw = fields_memory((size_t)(c->C * f.taps) * sizeof *f.dw);
    f.bias = fields_memory((size_t)c->C * sizeof *f.bias);
    f.scratch = fields_memory(depthwise_scratch_bytes(&f.g));
    memset(f.scratch, 0xff, depthwise_scratch_bytes(&f.g));
    for (long i = 0; i < c->C * f.taps; i++) {
        f.w[i] = bf16_to(bf16_of((float)((i * 37 % 61) - 30) / 32)); /* the same in both types */
        f.dw[i] = 1;
    }
    for (long i = 0; i < c->C; i++)
        f.bias[i] = (float)(i % 5) / 4 - 0.5f;
    return f;
}

static void fit_free(struct fit *f)
{
    field_free(&f->x), field_free(&f->y), field_free(&f->dy), field_free(&f->dx);
    free(f->w), free(f->dw), free(f->bias), free(f->scratch);
}

static void split(long at, const long size[3], long out[3])
{
    out[2] = at % size[2];
    out[1] = at / size[2] % size[1];
    out[0] = at / size[2] / size[1];
}

/* The input that tap t of output place q sees, -1: padding. */
static long seen(const struct depthwise *g, long q, long t)
{
    long at[3], k[3], place = 0;

    split(q, g->Q, at);
    split(t, g->K, k);
    for (int d = 0; d < 3; d++) {
        const long i = at[d] * g->S[d] + k[d] * g->D[d] - g->P[d];

        if (i < 0 || i >= g->I[d])
            return -1;
        place = place * g->I[d] + i;
    }
    return place;
}

static void check_forward(struct fit *f)
{
    const struct depthwise *g = &f->g;
    long i = 0, n, c, q;

    depthwise_forward(g, f->w, f->bias, f->x.p, f->y.p, f->scratch);
    while (field_next(&g->y, &i, &n, &c, &q)) {
        struct expected want = {(double)f->bias[c], fabs((double)f->bias[c])};

        for (long t = 0; t < f->taps; t++) {
            const long p = seen(g, q, t);
            const double term =
                p < 0 ? 0 : (double)f->w[c * f->taps + t] * field_at(&f->x, n, c, p);
            want.value += term;
            want.size += fabs(term);
        }
        field_expect(&f->y, "depthwise forward", n, c, q, want, 0);
    }
    field_check(&f->y, "depthwise forward");
}

/* Scattered, where the kernel gathers. */
static void check_data(struct fit *f)
{
    const struct depthwise *g = &f->g;
    const long all = g->x.N * g->x.C * g->x.S;
    struct expected *want = calloc((size_t)all, sizeof *want);
    long i = 0, n, c, p;

    depthwise_data(g, f->w, f->dy.p, f->dx.p, f->scratch);
    for (n = 0; n < g->y.N; n++)
        for (c = 0; c < g->y.C; c++)
            for (long q = 0; q < g->y.S; q++)
                for (long t = 0; t < f->taps; t++) {
                    if ((p = seen(g, q, t)) < 0)
                        continue;
                    const double term = (double)f->w[c * f->taps + t] * field_at(&f->dy, n, c, q);
                    want[(n * g->x.C + c) * g->x.S + p].value += term;
                    want[(n * g->x.C + c) * g->x.S + p].size += fabs(term);
                }
    while (field_next(&g->x, &i, &n, &c, &p))
        field_expect(&f->dx, "depthwise data", n, c, p, want[(n * g->x.C + c) * g->x.S + p], 0);
    field_check(&f->dx, "depthwise data");
    free(want);
}

static void check_weights(struct fit *f, bool add)
{
    const struct depthwise *g = &f->g;

    depthwise_weights(g, f->x.p, f->dy.p, add, f->dw, f->scratch);
    for (long i = 0; i < g->x.C * f->taps; i++) {
        double want = add ? 1 : 0, size = want;

        for (long n = 0; n < g->y.N; n++)
            for (long q = 0; q < g->y.S; q++) {
                const long p = seen(g, q, i % f->taps);
                const double term = p < 0 ? 0
                                          : field_at(&f->dy, n, i / f->taps, q) *
                                                field_at(&f->x, n, i / f->taps, p);
                want += term;
                size += fabs(term);
            }
        if (!(fabs((double)f->dw[i] - want) <= 2e-6 * (size + fabs(want)) + 1e-7))
            fail_msg("dw[%ld] of %ld channels in blocks of %ld is %g, not %g", i, g->x.C, g->x.b,
                     (double)f->dw[i], want);
    }
}

static void test_all_layouts(void **state)
{
    (void)state;
    fields_threads(2);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (int k = 0; field_block(k, cases[i].C); k++)
            for (int t = TENSOR_F32; t <= TENSOR_BF16; t++) {
                struct fit f = fit_of(&cases[i], field_block(k, cases[i].C), (enum tensor_dtype)t);

                check_forward(&f);
                check_data(&f);
                check_weights(&f, k % 2);
                fit_free(&f);
            }
}

/* The same bits for any number of threads. */
static void test_threads(void **state)
{
    struct fit one = fit_of(&cases[2], 16, TENSOR_F32), many = fit_of(&cases[2], 16, TENSOR_F32);
    struct fit *const both[] = {&one, &many};

    (void)state;
    for (int i = 0; i < 2; i++) {
        struct fit *f = both[i];

        fields_threads(i ? 5 : 1);
        depthwise_forward(&f->g, f->w, f->bias, f->x.p, f->y.p, f->scratch);
        depthwise_data(&f->g, f->w, f->dy.p, f->dx.p, f->scratch);
        depthwise_weights(&f->g, f->x.p, f->dy.p, false, f->dw, f->scratch);
    }
    fields_threads(2);
    assert_memory_equal(one.y.p, many.y.p, map_count(&one.g.y) * sizeof(float));
    assert_memory_equal(one.dx.p, many.dx.p, map_count(&one.g.x) * sizeof(float));
    assert_memory_equal(one.dw, many.dw, (size_t)(one.g.x.C * one.taps) * sizeof(float));
    fit_free(&one);
    fit_free(&many);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_layouts),
        cmocka_unit_test(test_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
