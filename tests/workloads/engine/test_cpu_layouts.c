/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The own kernels that see places (pools, upsampling) in every layout against loops
 * over (sample, channel, place) in double, which know no layout. Small tensors are
 * compared value by value; those past the size from which stores bypass the caches
 * in places far apart.
 */
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
#include "workloads/engine/cpu/kernel_cell.h"
#include "workloads/engine/cpu/kernel_pool.h"

/* ---- windows ---------------------------------------------------------- */

struct window_case {
    long N, C, I[3], K[3], S[3], P[3];
};

static const struct window_case windows[] = {
    {2, 32, {4, 6, 8}, {2, 2, 2}, {2, 2, 2}, {0, 0, 0}},
    {1, 17, {5, 7, 3}, {2, 2, 2}, {2, 2, 2}, {0, 0, 0}},  /* places behind the last window */
    {2, 48, {1, 9, 11}, {1, 3, 3}, {1, 2, 2}, {0, 1, 1}}, /* overlapping, with padding */
    {1, 16, {1, 8, 8}, {1, 3, 2}, {1, 1, 1}, {0, 1, 0}},
    {1, 5, {4, 4, 5}, {3, 2, 3}, {1, 2, 3}, {1, 0, 1}},
    {2, 33, {1, 4, 4}, {1, 4, 4}, {1, 1, 1}, {0, 0, 0}}, /* of the whole map */
    {1, 8, {1, 7, 6}, {1, 2, 2}, {1, 3, 3}, {0, 0, 0}},  /* apart from each other */
    {1, 16, {1, 5, 70}, {1, 3, 9}, {1, 1, 1}, {0, 1, 4}},
    {1, 16, {1, 18, 17}, {1, 17, 16}, {1, 1, 1}, {0, 0, 0}},
    /* more taps than a byte counts */                     /* wider than a span keeps */
    {1, 32, {4, 4, 150}, {1, 1, 2}, {1, 1, 2}, {0, 0, 0}}, /* rows longer than a strip */
};

/* Past the size from which stores bypass the caches. */
static const struct window_case large_windows[] = {
    [TENSOR_F32] = {1, 32, {1, 256, 514}, {1, 2, 2}, {1, 2, 2}, {0, 0, 0}},
    [TENSOR_BF16] = {1, 32, {1, 512, 514}, {1, 2, 2}, {1, 2, 2}, {0, 0, 0}},
};

struct sides {
    long I[3], Q[3], K[3], S[3], P[3];
};

static struct sides sides_of(const struct window_case *w)
{
    struct sides s;

    for (int d = 0; d < 3; d++) {
        s.I[d] = w->I[d];
        s.K[d] = w->K[d];
        s.S[d] = w->S[d];
        s.P[d] = w->P[d];
        s.Q[d] = (w->I[d] + 2 * w->P[d] - w->K[d]) / w->S[d] + 1;
    }
    return s;
}

static long product(const long a[3])
{
    return a[0] * a[1] * a[2];
}

static void split(long at, const long size[3], long out[3])
{
    out[2] = at % size[2];
    out[1] = at / size[2] % size[1];
    out[0] = at / size[2] / size[1];
}

/* Place of tap t of output q; -1: in the padding. */
static long tap_of(const struct sides *s, long q, long t)
{
    long Q[3], k[3], at = 0;

    split(q, s->Q, Q);
    split(t, s->K, k);
    for (int d = 0; d < 3; d++) {
        long r = Q[d] * s->S[d] + k[d] - s->P[d];

        if (r < 0 || r >= s->I[d])
            return -1;
        at = at * s->I[d] + r;
    }
    return at;
}

/* The tap of output q that sees place i; -1: none. */
static long tap_seeing(const struct sides *s, long q, long i)
{
    long Q[3], at[3], t = 0;

    split(q, s->Q, Q);
    split(i, s->I, at);
    for (int d = 0; d < 3; d++) {
        long k = at[d] - Q[d] * s->S[d] + s->P[d];

        if (k < 0 || k >= s->K[d])
            return -1;
        t = t * s->K[d] + k;
    }
    return t;
}

/* ---- max-pool --------------------------------------------------------- */

/* The first of the largest, and its tap. */
static double largest(const struct field *x, const struct sides *s, long n, long c, long q,
                      long *tap)
{
    double best = -INFINITY;

    for (long t = 0; t < product(s->K); t++) {
        long at = tap_of(s, q, t);

        if (at < 0 || field_at(x, n, c, at) <= best)
            continue;
        best = field_at(x, n, c, at);
        *tap = t;
    }
    return best;
}

/* Outputs near place i in one dimension, so that large maps are not walked. */
static void outputs_near(const struct sides *s, int d, long at, long *from, long *to)
{
    long first = (at + s->P[d] - s->K[d]) / s->S[d] - 1, last = (at + s->P[d]) / s->S[d] + 1;

    *from = first < 0 ? 0 : first;
    *to = last >= s->Q[d] ? s->Q[d] : last + 1;
}

typedef void visit_fn(void *ctx, long q, long tap);

/* Every output whose window sees place i. */
static void visit_outputs(const struct sides *s, long i, visit_fn *visit, void *ctx)
{
    long at[3], from[3], to[3];

    split(i, s->I, at);
    for (int d = 0; d < 3; d++)
        outputs_near(s, d, at[d], &from[d], &to[d]);
    for (long a = from[0]; a < to[0]; a++)
        for (long b = from[1]; b < to[1]; b++)
            for (long c = from[2]; c < to[2]; c++) {
                long q = (a * s->Q[1] + b) * s->Q[2] + c, t = tap_seeing(s, q, i);

                if (t >= 0)
                    visit(ctx, q, t);
            }
}

/* Sums what flows back into one value. */
struct back {
    const struct sides *s;
    const struct field *y, *dy;
    const void *work;
    enum act act;
    float slope;
    long n, c;
    struct expected sum;
};

static void back_add(struct back *b, double v)
{
    b->sum.value += v;
    b->sum.size += fabs(v);
}

static long winner_at(const struct sides *s, const struct map *out, const void *work, long n,
                      long c, long q)
{
    size_t at = map_index(out, n, c, q);

    return product(s->K) <= 256 ? ((const uint8_t *)work)[at] : ((const uint16_t *)work)[at];
}

/* Winners are those that check_winners() has seen. */
static void max_back(void *ctx, long q, long tap)
{
    struct back *b = ctx;

    if (winner_at(b->s, &b->y->m, b->work, b->n, b->c, q) == tap)
        back_add(b, field_at(b->dy, b->n, b->c, q) *
                        field_act_slope(b->act, (double)b->slope, field_at(b->y, b->n, b->c, q)));
}

static void check_winners(const struct pool *p, const struct sides *s, const struct field *x,
                          const void *work)
{
    long i = 0, n, c, q, tap = -1;

    while (field_next(&p->out, &i, &n, &c, &q)) {
        largest(x, s, n, c, q, &tap);
        assert_int_equal(winner_at(s, &p->out, work, n, c, q), tap);
    }
}

static void max_compare(const struct window_case *w, long b, enum tensor_dtype dtype, enum act act)
{
    struct sides s = sides_of(w);
    struct pool p = {.act = act, .slope = dtype == TENSOR_BF16 ? 0 : 0.3f};
    char what[64];
    long i = 0, n, c, q, tap;

    memcpy(p.I, s.I, sizeof p.I), memcpy(p.Q, s.Q, sizeof p.Q), memcpy(p.K, s.K, sizeof p.K);
    memcpy(p.S, s.S, sizeof p.S), memcpy(p.P, s.P, sizeof p.P);
    p.in = field_map(w->N, w->C, product(s.I), b, dtype);
    p.out = field_map(w->N, w->C, product(s.Q), b, dtype);
    struct field x = field_noise(p.in, 3), dy = field_noise(p.out, 4);
    struct field y = field_make(p.out), dx = field_make(p.in);
    void *work = fields_memory(pool_work_bytes(&p));

    pool_forward(&p, x.p, y.p, work);
    pool_backward(&p, y.p, dy.p, work, dx.p);
    snprintf(what, sizeof what, "max pool, %s, case %d", field_act_name(act), (int)(w - windows));
    for (; field_next(&p.out, &i, &n, &c, &q);) {
        double v = field_act(act, (double)p.slope, largest(&x, &s, n, c, q, &tap));

        field_expect(&y, what, n, c, q, (struct expected){v, fabs(v)}, 1);
    }
    check_winners(&p, &s, &x, work);
    for (i = 0; field_next(&p.in, &i, &n, &c, &q);) {
        struct back back = {&s, &y, &dy, work, act, p.slope, n, c, {0, 0}};

        visit_outputs(&s, q, max_back, &back);
        field_expect(&dx, what, n, c, q, back.sum, 9); /* each sum is rounded */
    }
    if (act != ACT_SIGMOID) { /* which the engine does not fuse into a pool */
        field_check(&y, what);
        field_check(&dx, what);
    }
    field_free(&x), field_free(&y), field_free(&dy), field_free(&dx);
    free(work);
}

static void test_max_pool(void **state)
{
    static const enum act acts[] = {ACT_NONE, ACT_LEAKY, ACT_TANH};

    (void)state;
    fields_threads(2);
    for (size_t i = 0; i < sizeof windows / sizeof windows[0]; i++)
        for (int k = 0; field_block(k, windows[i].C); k++)
            for (int v = 0; v < 6; v++)
                max_compare(&windows[i], field_block(k, windows[i].C),
                            v % 2 ? TENSOR_BF16 : TENSOR_F32, acts[v / 2]);
    for (int k = 2; field_block(k, 32); k++)
        for (int t = TENSOR_F32; t <= TENSOR_BF16; t++)
            max_compare(&large_windows[t], field_block(k, 32), (enum tensor_dtype)t, ACT_LEAKY);
}

/* A tie is won by the first tap, by padding never. */
static void test_ties(void **state)
{
    struct sides s = {{1, 4, 4}, {1, 3, 3}, {1, 3, 3}, {1, 2, 2}, {0, 1, 1}};

    (void)state;
    s.Q[1] = s.Q[2] = 2;
    for (int k = 0; field_block(k, 16); k++) {
        struct pool p = {.act = ACT_NONE};

        memcpy(p.I, s.I, sizeof p.I), memcpy(p.Q, s.Q, sizeof p.Q), memcpy(p.K, s.K, sizeof p.K);
        memcpy(p.S, s.S, sizeof p.S), memcpy(p.P, s.P, sizeof p.P);
        p.in = field_map(1, 16, 16, field_block(k, 16), TENSOR_F32);
        p.out = field_map(1, 16, 4, field_block(k, 16), TENSOR_F32);
        struct field x = field_make(p.in), y = field_make(p.out);
        uint8_t *work = fields_memory(pool_work_bytes(&p));

        for (size_t i = 0; i < map_count(&p.in); i++)
            ((float *)x.p)[i] = -1;
        pool_forward(&p, x.p, y.p, work);
        for (long c = 0; c < 16; c++)
            for (long q = 0; q < 4; q++) {
                static const int first[] = {4, 3, 1, 0};

                assert_int_equal(work[map_index(&p.out, 0, c, q)], first[q]);
                assert_true(field_at(&y, 0, c, q) == -1);
            }
        field_free(&x), field_free(&y);
        free(work);
    }
}

/* ---- average pool and upsampling ------------------------------------- */

static double taps_inside(const struct sides *s, long q)
{
    long Q[3], n = 1;

    split(q, s->Q, Q);
    for (int d = 0; d < 3; d++) {
        long in = 0;

        for (long k = 0; k < s->K[d]; k++) {
            long at = Q[d] * s->S[d] + k - s->P[d];

            in += at >= 0 && at < s->I[d];
        }
        n *= in;
    }
    return (double)n;
}

static void avg_back(void *ctx, long q, long tap)
{
    struct back *b = ctx;

    (void)tap;
    back_add(b, field_at(b->dy, b->n, b->c, q) / taps_inside(b->s, q));
}

static struct cells cells_of(const struct window_case *w, const struct sides *s, long b,
                             enum tensor_dtype dtype)
{
    struct cells c = {.how = UPSAMPLE_NEAREST};

    memcpy(c.I, s->I, sizeof c.I), memcpy(c.Q, s->Q, sizeof c.Q), memcpy(c.K, s->K, sizeof c.K);
    memcpy(c.S, s->S, sizeof c.S), memcpy(c.P, s->P, sizeof c.P);
    c.in = field_map(w->N, w->C, product(s->I), b, dtype);
    c.out = field_map(w->N, w->C, product(s->Q), b, dtype);
    return c;
}

static void avg_compare(const struct window_case *w, long b, enum tensor_dtype dtype)
{
    struct sides s = sides_of(w);
    struct cells k = cells_of(w, &s, b, dtype);
    struct field x = field_noise(k.in, 3), dy = field_noise(k.out, 4);
    struct field y = field_make(k.out), dx = field_make(k.in);
    long i = 0, n, c, q;
    char what[64];

    snprintf(what, sizeof what, "average pool, case %d", (int)(w - windows));
    avgpool_forward(&k, x.p, y.p);
    avgpool_backward(&k, dy.p, dx.p);
    while (field_next(&k.out, &i, &n, &c, &q)) {
        struct expected want = {0, 0};
        double inside = taps_inside(&s, q);

        for (long t = 0; t < product(s.K); t++) {
            long at = tap_of(&s, q, t);
            double v = at < 0 ? 0 : field_at(&x, n, c, at) / inside;

            want.value += v;
            want.size += fabs(v);
        }
        field_expect(&y, what, n, c, q, want, 0);
    }
    for (i = 0; field_next(&k.in, &i, &n, &c, &q);) {
        struct back back = {&s, &y, &dy, NULL, ACT_NONE, 1, n, c, {0, 0}};

        visit_outputs(&s, q, avg_back, &back);
        field_expect(&dx, what, n, c, q, back.sum, 0);
    }
    field_check(&y, what);
    field_check(&dx, what);
    field_free(&x), field_free(&y), field_free(&dy), field_free(&dx);
}

static void test_avg_pool(void **state)
{
    (void)state;
    fields_threads(2);
    for (size_t i = 0; i < sizeof windows / sizeof windows[0]; i++)
        for (int k = 0; field_block(k, windows[i].C); k++)
            for (int bf16 = 0; bf16 < 2; bf16++)
                avg_compare(&windows[i], field_block(k, windows[i].C),
                            bf16 ? TENSOR_BF16 : TENSOR_F32);
    for (int k = 2; field_block(k, 32); k++)
        for (int t = TENSOR_F32; t <= TENSOR_BF16; t++)
            avg_compare(&large_windows[t], field_block(k, 32), (enum tensor_dtype)t);
}

/* Of place q of the enlarged in cell p, along d: half-pixel centres, the border
 * repeated (PyTorch's align_corners=False). */
static double up_weight(const struct cells *k, int d, long q, long p)
{
    double at = ((double)q + 0.5) / (double)k->S[d] - 0.5, last = (double)(k->I[d] - 1);

    if (k->how == UPSAMPLE_NEAREST)
        return q / k->S[d] == p;
    at = fmin(fmax(at, 0), last);
    return fmax(0, 1 - fabs(at - (double)p));
}

/* The sum over the other side of weight x value. */
static struct expected up_sum(const struct cells *k, const struct field *from, bool back, long n,
                              long c, long at)
{
    const long *R = back ? k->I : k->Q, *F = back ? k->Q : k->I;
    struct expected want = {0, 0};
    long r[3], low[3], high[3], f[3];

    split(at, R, r);
    for (int d = 0; d < 3; d++) {
        long middle = back ? r[d] * k->S[d] : r[d] / k->S[d], reach = back ? 2 * k->S[d] : 1;

        low[d] = middle > reach ? middle - reach : 0;
        high[d] = middle + reach + 1 < F[d] ? middle + reach + 1 : F[d];
    }
    for (f[0] = low[0]; f[0] < high[0]; f[0]++)
        for (f[1] = low[1]; f[1] < high[1]; f[1]++)
            for (f[2] = low[2]; f[2] < high[2]; f[2]++) {
                double w = 1;

                for (int d = 0; d < 3; d++)
                    w *= up_weight(k, d, back ? f[d] : r[d], back ? r[d] : f[d]);
                w *= field_at(from, n, c, (f[0] * F[1] + f[1]) * F[2] + f[2]);
                want.value += w;
                want.size += fabs(w);
            }
    return want;
}

static void up_compare(long N, const long I[3], const long S[3], long C, long b,
                       enum tensor_dtype dtype, enum upsample how)
{
    const struct window_case w = {N, C, {I[0], I[1], I[2]}, {1, 1, 1}, {S[0], S[1], S[2]}, {0}};
    struct sides s = sides_of(&w);
    const char *what = how == UPSAMPLE_LINEAR ? "linear upsampling" : "nearest upsampling";
    long i = 0, n, c, q;

    for (int d = 0; d < 3; d++)
        s.Q[d] = I[d] * S[d];
    struct cells k = cells_of(&w, &s, b, dtype);
    k.how = how;
    struct field x = field_noise(k.in, 3), dy = field_noise(k.out, 4);
    struct field y = field_make(k.out), dx = field_make(k.in);

    upsample_forward(&k, x.p, y.p);
    upsample_backward(&k, dy.p, dx.p);
    while (field_next(&k.out, &i, &n, &c, &q))
        field_expect(&y, what, n, c, q, up_sum(&k, &x, false, n, c, q), 0);
    for (i = 0; field_next(&k.in, &i, &n, &c, &q);)
        field_expect(&dx, what, n, c, q, up_sum(&k, &dy, true, n, c, q), 0);
    field_check(&y, what);
    field_check(&dx, what);
    field_free(&x), field_free(&y), field_free(&dy), field_free(&dx);
}

static void test_upsample(void **state)
{
    static const struct {
        long C, I[3], S[3];
    } cases[] = {
        {32, {1, 5, 4}, {1, 2, 2}},  {17, {3, 2, 4}, {2, 2, 2}}, {5, {1, 1, 6}, {1, 3, 2}},
        {16, {1, 3, 40}, {1, 2, 2}}, {48, {1, 3, 2}, {1, 5, 4}}, /* more than eight see a cell */
        {8, {1, 1, 1}, {1, 4, 4}},   {32, {1, 4, 3}, {1, 3, 3}}, /* six weights in a row */
    };

    (void)state;
    fields_threads(2);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (int k = 0; field_block(k, cases[i].C); k++)
            for (int v = 0; v < 4; v++)
                up_compare(2, cases[i].I, cases[i].S, cases[i].C, field_block(k, cases[i].C),
                           v % 2 ? TENSOR_BF16 : TENSOR_F32,
                           v / 2 ? UPSAMPLE_LINEAR : UPSAMPLE_NEAREST);
    for (int v = 0; v < 4; v++)
        up_compare(1, (long[]){1, v % 2 ? 256 : 128, 132}, (long[]){1, 2, 2}, 32, v / 2 ? 16 : 32,
                   v % 2 ? TENSOR_BF16 : TENSOR_F32, v % 2 ? UPSAMPLE_LINEAR : UPSAMPLE_NEAREST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_max_pool),
        cmocka_unit_test(test_ties),
        cmocka_unit_test(test_avg_pool),
        cmocka_unit_test(test_upsample),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
