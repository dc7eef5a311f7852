/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The own kernels that go value by value or channel by channel (batch norm, bias,
 * activations, sums, dropout, concat and slice, feeding) in every layout against
 * loops over (sample, channel, place) in double, which know no layout.
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
#include "workloads/engine/cpu/kernel_act.h"
#include "workloads/engine/cpu/kernel_norm.h"

/* ---- batch norm ------------------------------------------------------- */

struct norm_run {
    struct norm k;
    struct field x, z, y, dy, dx, dz;
    double *at, *sums, *back;
    float *gamma, *beta;
    void *scratch;
    double count;
};

static void norm_make(struct norm_run *r, const struct map *m, long rows, enum act act, float slope)
{
    size_t C = (size_t)m->C;

    *r = (struct norm_run){.k = {.map = *m, .rows = rows, .act = act, .slope = slope}, .count = 77};
    r->x = field_noise(*m, 1);
    r->z = field_noise(*m, 2);
    r->dy = field_noise(*m, 3);
    r->y = field_make(*m);
    r->dx = field_make(*m);
    r->dz = field_make(*m);
    r->at = fields_memory(2 * C * sizeof *r->at);
    r->sums = fields_memory(2 * C * sizeof *r->sums);
    r->back = fields_memory(2 * C * sizeof *r->back);
    r->gamma = fields_memory(C * sizeof *r->gamma);
    r->beta = fields_memory(C * sizeof *r->beta);
    r->scratch = fields_memory(norm_scratch_bytes(m));
    memset(r->scratch, 0xff, norm_scratch_bytes(m));
    memset(r->sums, 0xff, 2 * C * sizeof *r->sums);
    memset(r->back, 0xff, 2 * C * sizeof *r->back);
    for (size_t c = 0; c < C; c++) {
        r->at[2 * c] = 0.1 * (double)(c % 7) - 0.2;
        r->at[2 * c + 1] = 1 + 0.25 * (double)(c % 5);
        r->gamma[c] = 0.5f + (float)(c % 3);
        r->beta[c] = 0.2f * (float)(c % 4) - 0.3f;
    }
}

static void norm_free(struct norm_run *r)
{
    field_free(&r->x), field_free(&r->z), field_free(&r->y), field_free(&r->dy);
    field_free(&r->dx), field_free(&r->dz);
    free(r->at), free(r->sums), free(r->back), free(r->gamma), free(r->beta), free(r->scratch);
}

static void norm_check_forward(struct norm_run *r, bool term)
{
    const struct norm *k = &r->k;
    long i = 0, n, c, s;

    norm_forward(k, r->at, r->gamma, r->beta, r->x.p, term ? r->z.p : NULL, r->y.p);
    while (field_next(&k->map, &i, &n, &c, &s)) {
        double v =
            (double)r->gamma[c] * (field_at(&r->x, n, c, s) - r->at[2 * c]) * r->at[2 * c + 1] +
            (double)r->beta[c] + (term ? field_at(&r->z, n, c, s) : 0);

        field_expect(&r->y, "norm forward", n, c, s,
                     (struct expected){field_act(k->act, (double)k->slope, v), 4}, 0);
    }
    field_check(&r->y, "norm forward");
}

/* Both sums of a channel over the real samples: of d, and of d times x or x's
 * normed value. */
static void norm_check_sums(const struct norm_run *r, const struct field *d, const double *sums,
                            bool back)
{
    for (long c = 0; c < r->k.map.C; c++) {
        double a = 0, b = 0, size = 0;

        for (long n = 0; n < r->k.rows; n++)
            for (long s = 0; s < r->k.map.S; s++) {
                double x = field_at(&r->x, n, c, s), v = field_at(d, n, c, s);

                a += v;
                b += v * (back ? (x - r->at[2 * c]) * r->at[2 * c + 1] : x);
                size += fabs(v) + 1;
            }
        assert_true(fabs(sums[2 * c] - a) <= 1e-12 * size);
        assert_true(fabs(sums[2 * c + 1] - b) <= 1e-11 * size);
    }
}

static void norm_check_backward(struct norm_run *r, bool term)
{
    const struct norm *k = &r->k;
    struct field before = field_noise(k->map, 3);
    long i = 0, n, c, s;

    norm_back_sums(k, r->at, r->x.p, k->act == ACT_NONE ? NULL : r->y.p, r->dy.p, r->scratch,
                   r->back);
    while (field_next(&k->map, &i, &n, &c, &s)) {
        double d = field_at(&before, n, c, s);
        double v = d * field_act_slope(k->act, (double)k->slope, field_at(&r->y, n, c, s));

        field_expect(&r->dy, "norm sums", n, c, s, (struct expected){v, fabs(d)}, 0);
    }
    norm_check_sums(r, &r->dy, r->back, true);
    norm_backward(k, r->at, r->gamma, r->back, r->count, r->x.p, r->dy.p, r->dx.p,
                  term ? r->dz.p : NULL);
    for (i = 0; field_next(&k->map, &i, &n, &c, &s);) {
        double normed = (field_at(&r->x, n, c, s) - r->at[2 * c]) * r->at[2 * c + 1];
        double a = field_at(&r->dy, n, c, s), b = r->back[2 * c] / r->count,
               d = normed * r->back[2 * c + 1] / r->count,
               all = (double)r->gamma[c] * r->at[2 * c + 1];
        struct expected want = {all * (a - b - d), all * (fabs(a) + fabs(b) + fabs(d))};

        field_expect(&r->dx, "norm backward", n, c, s, n < k->rows ? want : (struct expected){0, 0},
                     0);
        if (term)
            field_expect(&r->dz, "norm term", n, c, s, (struct expected){a, 0}, 0);
    }
    if (term)
        field_check(&r->dz, "norm term");
    field_check(&r->dy, "norm sums");
    field_check(&r->dx, "norm backward");
    field_free(&before);
}

static void norm_compare(const struct map *m, long rows, enum act act, bool term)
{
    struct norm_run r;

    norm_make(&r, m, rows, act, term ? 0 : 0.3f);
    norm_stats(&r.k, r.x.p, r.scratch, r.sums);
    norm_check_sums(&r, &r.x, r.sums, false);
    norm_check_forward(&r, term);
    norm_check_backward(&r, term);
    norm_free(&r);
}

static void test_norm(void **state)
{
    static const struct {
        long N, rows, C, S;
    } cases[] = {{3, 3, 32, 35}, {3, 2, 17, 9}, {2, 1, 48, 64}, {4, 3, 5, 7}, {2, 2, 256, 1}};
    static const enum act acts[] = {ACT_NONE, ACT_LEAKY, ACT_TANH, ACT_SIGMOID};

    (void)state;
    fields_threads(2);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (int k = 0; field_block(k, cases[i].C); k++)
            for (int v = 0; v < 16; v++) {
                struct map m =
                    field_map(cases[i].N, cases[i].C, cases[i].S, field_block(k, cases[i].C),
                              v % 2 ? TENSOR_BF16 : TENSOR_F32);

                norm_compare(&m, cases[i].rows, acts[v / 4], v / 2 % 2);
            }
    for (int v = 0; v < 4; v++) { /* past the caches */
        struct map m = field_map(2, 32, v % 2 ? 132000 : 66000, v / 2 ? 16 : 32,
                                 v % 2 ? TENSOR_BF16 : TENSOR_F32);

        norm_compare(&m, 2, ACT_LEAKY, true);
    }
}

/* The same bits for any number of threads. */
static void test_norm_threads(void **state)
{
    double first[2][256];

    (void)state;
    for (int v = 0; v < 6; v++) {
        struct map m = field_map(3, 64, 300, v % 2 ? 16 : 1, TENSOR_F32);
        struct norm_run r;

        fields_threads(v / 2 + 1);
        norm_make(&r, &m, 3, ACT_LEAKY, 0.3f);
        norm_stats(&r.k, r.x.p, r.scratch, r.sums);
        norm_forward(&r.k, r.at, r.gamma, r.beta, r.x.p, NULL, r.y.p);
        norm_back_sums(&r.k, r.at, r.x.p, r.y.p, r.dy.p, r.scratch, r.back);
        if (v < 2) {
            memcpy(first[v], r.sums, 128 * sizeof *r.sums);
            memcpy(first[v] + 128, r.back, 128 * sizeof *r.back);
        }
        assert_memory_equal(r.sums, first[v % 2], 128 * sizeof *r.sums);
        assert_memory_equal(r.back, first[v % 2] + 128, 128 * sizeof *r.back);
        norm_free(&r);
    }
}

/* ---- bias of a map ----------------------------------------------------- */

static const struct {
    long N, C, S;
} sizes[] = {{2, 32, 35}, {1, 17, 9}, {3, 5, 64}, {2, 48, 1}, {1, 1, 40}, {1, 8, 513}};
enum { SIZES = sizeof sizes / sizeof sizes[0] };

/* Of sizes[i], in its k-th layout. */
static struct map size_map(int i, int k, int bf16)
{
    return field_map(sizes[i].N, sizes[i].C, sizes[i].S, field_block(k, sizes[i].C),
                     bf16 ? TENSOR_BF16 : TENSOR_F32);
}

static void bias_compare(const struct map *m, enum act act, bool with_bias)
{
    struct field x = field_noise(*m, 1), y = field_noise(*m, 1);
    float bias[64];
    long i = 0, n, c, s;

    for (c = 0; c < 64; c++)
        bias[c] = 0.1f * (float)(c % 9) - 0.3f;
    map_bias(m, with_bias ? bias : NULL, act, 0.3f, y.p);
    while (field_next(m, &i, &n, &c, &s)) {
        double v = field_at(&x, n, c, s) + (with_bias ? (double)bias[c] : 0);

        field_expect(&y, "bias", n, c, s,
                     (struct expected){field_act(act, (double)0.3f, v), fabs(v) + 1}, 0);
    }
    field_check(&y, "bias");
    field_free(&x), field_free(&y);
}

static void bias_sums_compare(const struct map *m, bool add)
{
    struct field dy = field_noise(*m, 2);
    double *scratch = fields_memory((size_t)(m->N * m->C) * sizeof *scratch);
    float db[64];

    memset(scratch, 0xff, (size_t)(m->N * m->C) * sizeof *scratch);
    for (long c = 0; c < 64; c++)
        db[c] = add ? 1 : NAN;
    map_bias_sums(m, dy.p, add, db, scratch);
    for (long c = 0; c < m->C; c++) {
        double want = add;

        for (long n = 0; n < m->N; n++)
            for (long s = 0; s < m->S; s++)
                want += field_at(&dy, n, c, s);
        assert_true(fabs((double)db[c] - want) <= 1e-6 * (1 + fabs(want)));
    }
    field_free(&dy);
    free(scratch);
}

static void test_bias(void **state)
{
    static const enum act acts[] = {ACT_NONE, ACT_LEAKY, ACT_TANH, ACT_SIGMOID};

    (void)state;
    fields_threads(2);
    for (int i = 0; i < SIZES; i++)
        for (int k = 0; field_block(k, sizes[i].C); k++)
            for (int v = 0; v < 16; v++) {
                struct map m = size_map(i, k, v % 2);

                bias_compare(&m, acts[v / 4], v / 2 % 2);
                bias_sums_compare(&m, v / 2 % 2);
            }
}

/* Plain rows: dense layers. */
static void test_bias_of_rows(void **state)
{
    (void)state;
    for (int v = 0; v < 4; v++) {
        struct map m = field_map(7, 19, 1, 1, v % 2 ? TENSOR_BF16 : TENSOR_F32);
        struct field dy = field_noise(m, 2);
        float db[19];

        for (long c = 0; c < 19; c++)
            db[c] = v / 2 ? 2 : NAN;
        map_bias_grad(m.dtype, dy.p, 7, 19, v / 2, db);
        for (long c = 0; c < 19; c++) {
            double want = v / 2 ? 2 : 0;

            for (long n = 0; n < 7; n++)
                want += field_at(&dy, n, c, 0);
            assert_true(fabs((double)db[c] - want) <= 1e-6 * (1 + fabs(want)));
        }
        field_free(&dy);
    }
}

/* ---- value by value ---------------------------------------------------- */

/* Units in the last place of a float32 between them. */
static double ulps(float is, double should)
{
    const float nearest = (float)should;

    return fabs((double)is - should) /
           (double)(nextafterf(fabsf(nearest), INFINITY) - fabsf(nearest));
}

/* Every binary order of float32 from far below 1 to beyond the bounds, both signs. */
static int act_arguments(float *v, int most)
{
    int n = 0;

    for (float a = 1e-30f; a < 100 && n + 2 <= most; a *= 1.013f) {
        v[n++] = a;
        v[n++] = -a;
    }
    return n;
}

/* By the instructions that this CPU has, and by those that every one has. */
static void test_act_accuracy(void **state)
{
    enum { MOST = 16384 };
    static float x[MOST], y[MOST], plain[MOST];
    const int n = act_arguments(x, MOST);

    (void)state;
    for (int sigmoid = 0; sigmoid < 2; sigmoid++) {
        const enum act act = sigmoid ? ACT_SIGMOID : ACT_TANH;
        memcpy(plain, x, sizeof x);
        act_piece(act, 0, plain, n);
        map_act(act, 0, TENSOR_F32, x, y, (size_t)n);
        for (int i = 0; i < n; i++) {
            const double v = (double)x[i], want = sigmoid ? 1 / (1 + exp(-v)) : tanh(v);
            if (want < 1e-37 && want > -1e-37 && sigmoid)
                continue; /* beyond 88, and denormal */
            if (!(ulps(y[i], want) <= 4 && ulps(plain[i], want) <= 4))
                fail_msg("%s(%.9g) is %.9g and %.9g instead of %.9g", sigmoid ? "sigmoid" : "tanh",
                         v, (double)y[i], (double)plain[i], want);
        }
    }
    const float special[] = {0, -0.f, INFINITY, -INFINITY, NAN};
    const float tanhs[] = {0, -0.f, 1, -1}, sigmoids[] = {0.5f, 0.5f, 1, 0};
    for (int sigmoid = 0; sigmoid < 2; sigmoid++) {
        map_act(sigmoid ? ACT_SIGMOID : ACT_TANH, 0, TENSOR_F32, special, y, 5);
        assert_true(isnan(y[4]));
        for (int i = 0; i < 4; i++)
            assert_true(fabsf(y[i] - (sigmoid ? sigmoids : tanhs)[i]) < 1e-37f);
        assert_true(sigmoid || (signbit(y[1]) && !signbit(y[0])));
    }
}

/* x, z and where results go; in place where that is allowed. */
static void values_compare(const struct map *m, enum act act, bool in_place)
{
    struct field x = field_noise(*m, 1), z = field_noise(*m, 2);
    struct field y = field_make(*m), d = field_noise(*m, 2);
    struct field to = in_place ? d : field_make(*m), sum = field_make(*m), mul = field_make(*m);
    size_t count = map_count(m);
    float slope = in_place ? 0 : 0.3f; /* ReLU has outputs of 0 */
    long i = 0, n, c, s;

    map_act(act, slope, m->dtype, x.p, y.p, count);
    map_act_grad(act, slope, m->dtype, y.p, d.p, to.p, count);
    map_axpy(0.7f, m->dtype, x.p, in_place ? NULL : z.p, sum.p, count);
    map_mul(m->dtype, x.p, z.p, mul.p, count);
    while (field_next(m, &i, &n, &c, &s)) {
        double v = field_at(&x, n, c, s), w = field_at(&z, n, c, s);
        double back = field_act_slope(act, (double)slope, field_at(&y, n, c, s));
        double add = in_place ? 0 : w;

        field_expect(&y, "act", n, c, s, (struct expected){field_act(act, (double)slope, v), 1}, 0);
        field_expect(&to, "act grad", n, c, s, (struct expected){w * back, 1}, 0);
        field_expect(&sum, "sum", n, c, s,
                     (struct expected){(double)0.7f * v + add, fabs(v) + fabs(w)}, 0);
        field_expect(&mul, "product", n, c, s, (struct expected){v * w, fabs(v * w)}, 0);
    }
    if (act != ACT_SIGMOID) /* act_forward() clears the padding then */
        field_check(&y, "act");
    field_check(&to, "act grad");
    field_check(&sum, "sum");
    field_check(&mul, "product");
    field_free(&x), field_free(&z), field_free(&y), field_free(&d), field_free(&sum);
    field_free(&mul);
    if (!in_place)
        field_free(&to);
}

static void test_values(void **state)
{
    static const enum act acts[] = {ACT_LEAKY, ACT_TANH, ACT_SIGMOID};

    (void)state;
    fields_threads(2);
    for (int i = 0; i < SIZES; i++)
        for (int k = 0; field_block(k, sizes[i].C); k++)
            for (int v = 0; v < 12; v++) {
                struct map m = size_map(i, k, v % 2);

                values_compare(&m, acts[v / 4], v / 2 % 2);
            }
}

/* ---- dropout ------------------------------------------------------------ */

/* Whether the engine's generator keeps the value: a function of sample and element. */
static bool kept_by_rule(const struct step_block *step, const struct node *node,
                         const struct map *m, long n, long c, long s)
{
    uint32_t element = (uint32_t)(c * m->S + s), words[4];

    dropout_words(step, node, n, element, words);
    return words[element % 4] >= dropout_limit(node->factor);
}

/* What is kept is the same in any layout, and about as much as was asked for. */
static void test_dropout(void **state)
{
    struct node node = {.op = OP_DROPOUT, .factor = 0.25f, .random_id = 3};
    static const struct step_block head = {.rows = 3, .global_rows = 3, .dropout = 99};
    static const uint64_t ids[3] = {5, 6, UINT64_C(1) << 40};
    struct step_block *step = fields_memory(sizeof head + sizeof ids);

    (void)state;
    memcpy(step, &head, sizeof head);
    memcpy(step->ids, ids, sizeof ids);
    for (int i = 0; i < SIZES; i++)
        for (int k = 0; field_block(k, sizes[i].C); k++)
            for (int v = 0; v < 4; v++) {
                struct map m = size_map(i, k, v % 2);
                struct field x = field_noise(m, 1), y = field_make(m);
                bool train = v / 2;
                long at = 0, n, c, s, kept = 0, all = 0;

                map_dropout(&m, step, &node, train, x.p, y.p);
                while (field_next(&m, &at, &n, &c, &s)) {
                    bool keep = !train || kept_by_rule(step, &node, &m, n, c, s);
                    double want = keep ? field_at(&x, n, c, s) / (train ? 0.75 : 1) : 0;

                    field_expect(&y, "dropout", n, c, s, (struct expected){want, fabs(want)}, 0);
                    kept += keep;
                    all++;
                }
                assert_true(train ? all < 500 || fabs((double)kept / (double)all - 0.75) < 0.06
                                  : kept == all);
                field_check(&y, "dropout");
                field_free(&x), field_free(&y);
            }
    free(step);
}

/* ---- channels ----------------------------------------------------------- */

static void channels_compare(struct map from, long a, struct map to, long b, long count)
{
    struct field x = field_noise(from, 1), before = field_noise(to, 2), y = field_noise(to, 2);
    long i = 0, n, c, s;

    map_channels(&from, x.p, a, &to, y.p, b, count);
    while (field_next(&to, &i, &n, &c, &s)) {
        bool copied = c >= b && c < b + count;
        double want = copied ? field_at(&x, n, c - b + a, s) : field_at(&before, n, c, s);

        field_expect(&y, "channels", n, c, s, (struct expected){want, 0}, 0);
    }
    field_check(&y, "channels");
    field_free(&x), field_free(&before), field_free(&y);
}

/* From and to every layout, aligned to blocks and not. */
static void test_channels(void **state)
{
    static const struct {
        long from, a, to, b, count;
    } cases[] = {{32, 0, 64, 32, 32}, {32, 16, 16, 0, 16}, {17, 3, 20, 9, 11}, {5, 0, 37, 32, 5},
                 {24, 8, 24, 16, 8},  {48, 0, 48, 0, 48},  {40, 2, 36, 2, 34}, {48, 8, 32, 0, 32},
                 {48, 4, 32, 0, 32},  {40, 0, 48, 8, 32},  {40, 0, 48, 16, 24}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (int v = 0; v < 32; v++) {
            enum tensor_dtype dtype = v % 2 ? TENSOR_BF16 : TENSOR_F32;
            struct map from =
                field_map(2, cases[i].from, 13, field_block(v / 2 % 4, cases[i].from), dtype);
            struct map to = field_map(2, cases[i].to, 13, field_block(v / 8, cases[i].to), dtype);

            channels_compare(from, cases[i].a, to, cases[i].b, cases[i].count);
        }
}

static void test_pad(void **state)
{
    (void)state;
    for (int i = 0; i < SIZES; i++)
        for (int k = 0; field_block(k, sizes[i].C); k++)
            for (int bf16 = 0; bf16 < 2; bf16++) {
                struct map m = size_map(i, k, bf16);
                struct field x = field_noise(m, 1), y = field_make(m);
                long at = 0, n, c, s;

                map_pad(&m, y.p);
                field_check(&y, "padding");
                map_pad(&m, x.p);
                while (field_next(&m, &at, &n, &c, &s))
                    assert_true(field_at(&x, n, c, s) != 0);
                field_free(&x), field_free(&y);
            }
}

/* ---- feeding ------------------------------------------------------------ */

static void feed_compare(const struct map *m, enum host_layout layout, long rows)
{
    size_t sample = (size_t)(m->C * m->S);
    float *data = fields_memory((size_t)rows * sample * sizeof *data);
    struct field y = field_make(*m);
    long i = 0, n, c, s;

    for (size_t k = 0; k < (size_t)rows * sample; k++)
        data[k] = 1 + (float)(k % 1021) * 0x1p-10f;
    map_feed(m, y.p, data, layout, rows);
    while (field_next(m, &i, &n, &c, &s)) {
        long at = layout == CHANNELS_LAST ? s * m->C + c : c * m->S + s;
        double want = n < rows ? (double)data[(size_t)n * sample + (size_t)at] : 0;

        field_expect(&y, "feed", n, c, s, (struct expected){want, 0}, 0);
    }
    field_check(&y, "feed");
    field_free(&y);
    free(data);
}

static void test_feed(void **state)
{
    (void)state;
    for (int i = 0; i < SIZES; i++)
        for (int k = 0; field_block(k, sizes[i].C); k++)
            for (int v = 0; v < 8; v++) {
                struct map m = size_map(i, k, v % 2);

                feed_compare(&m, v / 2 % 2 ? CHANNELS_LAST : CHANNELS_FIRST,
                             v / 4 || m.N < 2 ? m.N : m.N - 1);
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_norm),    cmocka_unit_test(test_norm_threads),
        cmocka_unit_test(test_bias),    cmocka_unit_test(test_bias_of_rows),
        cmocka_unit_test(test_values),  cmocka_unit_test(test_act_accuracy),
        cmocka_unit_test(test_dropout), cmocka_unit_test(test_channels),
        cmocka_unit_test(test_pad),     cmocka_unit_test(test_feed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
