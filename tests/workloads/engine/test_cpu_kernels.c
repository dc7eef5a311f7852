/* SPDX-License-Identifier: BSD-3-Clause */
/* The own vector kernels against plain loops, over sizes that do not fit. */
#include <config.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/workloads/engine/fields.h"
#include "workloads/engine/cpu/kernel_map.h"
#include "workloads/engine/cpu/kernel_pool.h"
#include "workloads/engine/cpu/kernel_unfold.h"
#include "workloads/engine/cpu/kernel_wgrad.h"

static double at(const struct map *m, const void *p, long n, long c, long s)
{
    struct field f = {*m, (void *)(uintptr_t)p};

    return field_at(&f, n, c, s);
}

/* ---- weight gradient -------------------------------------------------- */

static double wgrad_naive(const struct wgrad *g, const void *x, const void *dy, long o, long c,
                          const long k[3])
{
    double sum = 0;

    for (long n = 0; n < g->x.N; n++)
        for (long q = 0; q < g->dy.S; q++) {
            long place = 0, left = q, r[3];
            bool inside = true;

            for (int i = 2; i >= 0; i--) {
                r[i] = left % g->Q[i] * g->S[i] + k[i] - g->P[i];
                left /= g->Q[i];
                inside = inside && r[i] >= 0 && r[i] < g->I[i];
            }
            for (int i = 0; i < 3; i++)
                place = place * g->I[i] + r[i];
            if (inside)
                sum += at(&g->dy, dy, n, o, q) * at(&g->x, x, n, c, place);
        }
    return sum;
}

static void wgrad_compare(const struct wgrad *g, int level, bool add)
{
    long taps = g->K[0] * g->K[1] * g->K[2], C = g->x.C, O = g->dy.C;
    void *x = field_noise(g->x, 1).p, *dy = field_noise(g->dy, 2).p;
    void *scratch = fields_memory(wgrad_scratch_bytes(g));
    float *dw = fields_memory((size_t)(O * C * taps) * sizeof *dw),
          *db = fields_memory((size_t)O * sizeof *db);

    memset(scratch, 0xff, wgrad_scratch_bytes(g)); /* NaN: nothing may be taken from there */
    for (long i = 0; i < O * C * taps; i++)
        dw[i] = 1;
    for (long o = 0; o < O; o++)
        db[o] = 1;
    wgrad_run(level, g, x, dy, add, dw, add, db, scratch);
    for (long i = 0; i < O * C * taps; i++) {
        long t = i % taps, k[3] = {t / g->K[2] / g->K[1], t / g->K[2] % g->K[1], t % g->K[2]};
        double want = wgrad_naive(g, x, dy, i / taps / C, i / taps % C, k) + add;

        if (!(fabs((double)dw[i] - want) <= 2e-5 * (1 + fabs(want))))
            fail_msg("%s, %ld to %ld channels: dw[%ld] is %g, not %g", wgrad_level(level), C, O, i,
                     (double)dw[i], want);
    }
    for (long o = 0; o < O; o++) {
        double want = add;

        for (long n = 0; n < g->dy.N; n++)
            for (long q = 0; q < g->dy.S; q++)
                want += at(&g->dy, dy, n, o, q);
        assert_true(fabs((double)db[o] - want) <= 2e-5 * (1 + fabs(want)));
    }
    free(x);
    free(dy);
    free(scratch);
    free(dw);
    free(db);
}

struct window_case {
    long C, O, x_block, dy_block, I[3], K[3], S[3], P[3];
};

static struct wgrad geometry(const struct window_case *w, long samples, enum tensor_dtype dtype)
{
    struct wgrad g = {.P = {w->P[0], w->P[1], w->P[2]}};
    long in = 1, out = 1;

    for (int d = 0; d < 3; d++) {
        g.I[d] = w->I[d];
        g.K[d] = w->K[d];
        g.S[d] = w->S[d];
        g.Q[d] = (g.I[d] + 2 * g.P[d] - g.K[d]) / g.S[d] + 1;
        in *= g.I[d];
        out *= g.Q[d];
    }
    g.x = field_map(samples, w->C, in, w->x_block, dtype);
    g.dy = field_map(samples, w->O, out, w->dy_block, dtype);
    return g;
}

static void test_wgrad(void **state)
{
    static const struct window_case cases[] = {
        {4, 32, 1, 16, {5, 4, 7}, {3, 3, 3}, {1, 1, 1}, {1, 1, 1}},
        {4, 48, 4, 16, {3, 4, 70}, {3, 3, 3}, {1, 1, 1}, {1, 1, 1}},
        {1, 17, 1, 16, {4, 5, 6}, {3, 3, 3}, {1, 1, 1}, {1, 1, 1}},
        {3, 16, 3, 1, {5, 5, 5}, {3, 3, 3}, {2, 1, 2}, {0, 1, 1}},
        {5, 33, 16, 33, {1, 6, 5}, {1, 3, 3}, {1, 1, 1}, {0, 1, 1}},
        {8, 20, 1, 16, {4, 4, 9}, {2, 1, 5}, {1, 2, 1}, {0, 0, 2}},
        {2, 16, 2, 8, {3, 3, 4}, {1, 1, 1}, {1, 1, 1}, {0, 0, 0}},
    };

    (void)state;
    fields_threads(2);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (int v = 0; v < 4; v++) {
            enum tensor_dtype dtype = v & 1 ? TENSOR_BF16 : TENSOR_F32;
            struct wgrad g = geometry(&cases[i], 1 + v % 3, dtype);

            for (int level = 0; wgrad_level(level); level++)
                wgrad_compare(&g, level, v & 2);
        }
}

/* The same bits for any number of threads. */
static void test_wgrad_threads(void **state)
{
    struct wgrad g = {field_map(3, 4, 6 * 5 * 9, 1, TENSOR_F32),
                      field_map(3, 32, 6 * 5 * 9, 16, TENSOR_F32),
                      {6, 5, 9},
                      {6, 5, 9},
                      {3, 3, 3},
                      {1, 1, 1},
                      {1, 1, 1}};
    void *x = field_noise(g.x, 1).p, *dy = field_noise(g.dy, 2).p,
         *scratch = fields_memory(wgrad_scratch_bytes(&g));
    static float dw[3][32 * 4 * 27], db[3][32];

    (void)state;
    for (int t = 0; t < 3; t++) {
        fields_threads(t + 1);
        wgrad_run(0, &g, x, dy, false, dw[t], false, db[t], scratch);
        assert_memory_equal(dw[t], dw[0], sizeof dw[0]);
        assert_memory_equal(db[t], db[0], sizeof db[0]);
    }
    free(x);
    free(dy);
    free(scratch);
}

/* ---- weight gradient as a product ------------------------------------- */

static double element(enum tensor_dtype dtype, const void *p, long i)
{
    return dtype == TENSOR_BF16 ? (double)bf16_to(((const uint16_t *)p)[i])
                                : (double)((const float *)p)[i];
}

/* The product of both matrices is the weight gradient. */
static void unfold_compare(const struct wgrad *g)
{
    struct unfold u = {.x = g->x, .dy = g->dy};
    for (int d = 0; d < 3; d++) {
        u.I[d] = g->I[d];
        u.Q[d] = g->Q[d];
        u.K[d] = g->K[d];
        u.S[d] = g->S[d];
        u.P[d] = g->P[d];
    }
    long rows = unfold_rows(&u), columns = unfold_columns(&u), O = g->dy.C;
    long taps = g->K[0] * g->K[1] * g->K[2];
    size_t bytes = dtype_bytes(g->x.dtype);
    void *x = field_noise(g->x, 1).p, *dy = field_noise(g->dy, 2).p;
    void *in = fields_memory((size_t)(rows * columns) * bytes),
         *out = fields_memory((size_t)(rows * O) * bytes);

    memset(in, 0xff, (size_t)(rows * columns) * bytes); /* NaN: all is to be written */
    memset(out, 0xff, (size_t)(rows * O) * bytes);
    unfold_input(&u, x, in);
    unfold_gradient(&u, dy, out);
    for (long i = 0; i < O * columns; i++) {
        long o = i / columns, t = i % taps;
        long k[3] = {t / g->K[2] / g->K[1], t / g->K[2] % g->K[1], t % g->K[2]};
        double got = 0, want = wgrad_naive(g, x, dy, o, i % columns / taps, k);

        for (long r = 0; r < rows; r++)
            got += element(g->x.dtype, out, r * O + o) *
                   element(g->x.dtype, in, r * columns + i % columns);
        if (!(fabs(got - want) <= 1e-12 * (1 + fabs(want))))
            fail_msg("%ld to %ld channels: dw[%ld] is %g, not %g", g->x.C, O, i, got, want);
    }
    free(x);
    free(dy);
    free(in);
    free(out);
}

static void test_unfold(void **state)
{
    static const struct window_case cases[] = {
        {17, 20, 16, 16, {1, 2, 2}, {1, 3, 3}, {1, 1, 1}, {0, 1, 1}},
        {9, 8, 9, 1, {1, 4, 3}, {1, 3, 3}, {1, 2, 2}, {0, 1, 1}},
        {16, 33, 1, 33, {1, 2, 1}, {1, 1, 1}, {1, 1, 1}, {0, 0, 0}},
        {5, 16, 8, 8, {2, 1, 3}, {2, 1, 2}, {1, 1, 2}, {1, 0, 0}},
    };

    (void)state;
    fields_threads(2);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (int bf16 = 0; bf16 < 2; bf16++) {
            struct wgrad g = geometry(&cases[i], 3, bf16 ? TENSOR_BF16 : TENSOR_F32);
            unfold_compare(&g);
        }
}

/* ---- max-pool --------------------------------------------------------- */

static void pool_compare(const struct pool *p)
{
    size_t bytes = dtype_bytes(p->in.dtype);
    void *x = field_noise(p->in, 3).p, *dy = field_noise(p->out, 4).p;
    void *y[2], *work[2], *dx[2];

    for (int i = 0; i < 2; i++) {
        y[i] = fields_memory(map_count(&p->out) * bytes);
        work[i] = fields_memory(pool_work_bytes(p));
        dx[i] = fields_memory(map_count(&p->in) * bytes);
        memset(dx[i], 0xff, map_count(&p->in) * bytes);
    }
    pool_forward(p, x, y[0], work[0]);
    pool_backward(p, y[0], dy, work[0], dx[0]);
    pool_forward_plain(p, x, y[1], work[1]);
    pool_backward_plain(p, y[1], dy, work[1], dx[1]);
    assert_memory_equal(y[0], y[1], map_count(&p->out) * bytes);
    assert_memory_equal(work[0], work[1], pool_work_bytes(p));
    for (size_t i = 0; i < map_count(&p->in); i++) { /* 0 and -0 are the same */
        float a, b;

        map_load(&a, dx[0], p->in.dtype, i, 1);
        map_load(&b, dx[1], p->in.dtype, i, 1);
        assert_true(a == b);
    }
    for (int i = 0; i < 2; i++) {
        free(y[i]);
        free(work[i]);
        free(dx[i]);
    }
    free(x);
    free(dy);
}

static void test_pool(void **state)
{
    static const struct {
        long C, b, I[3], K[3];
    } cases[] = {
        {32, 16, {4, 6, 8}, {2, 2, 2}},
        {17, 16, {5, 7, 3}, {2, 2, 2}},
        {16, 16, {1, 9, 9}, {1, 2, 2}},
        {48, 16, {7, 6, 9}, {3, 1, 4}},
        {5, 5, {4, 4, 4}, {2, 2, 2}},
        /* past the size from which stores bypass the caches */
        {16, 16, {32, 64, 129}, {2, 2, 2}},
    };

    (void)state;
    fields_threads(2);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (int v = 0; v < 4; v++) {
            enum tensor_dtype dtype = v & 1 ? TENSOR_BF16 : TENSOR_F32;
            struct pool p = {.act = v & 2 ? ACT_LEAKY : ACT_NONE, .slope = 0.3f};
            long in = 1, out = 1;

            if (cases[i].I[0] >= 32 && v != 2) /* once is enough of the large one */
                continue;
            for (int d = 0; d < 3; d++) {
                p.I[d] = cases[i].I[d];
                p.K[d] = p.S[d] = cases[i].K[d];
                p.Q[d] = (p.I[d] - p.K[d]) / p.S[d] + 1;
                in *= p.I[d];
                out *= p.Q[d];
            }
            p.in = field_map(1, cases[i].C, in, cases[i].b, dtype);
            p.out = field_map(1, cases[i].C, out, cases[i].b, dtype);
            pool_compare(&p);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wgrad),
        cmocka_unit_test(test_wgrad_threads),
        cmocka_unit_test(test_unfold),
        cmocka_unit_test(test_pool),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
