/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "tests/workloads/engine/fields.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#ifdef _OPENMP
#include <omp.h>
#endif

#include "tests/workloads/engine/harness.h"

enum { GUARD = 64, GUARD_BYTE = 0xa5, DRAWN = 4096 };

void fields_threads(int n)
{
#ifdef _OPENMP
    omp_set_num_threads(n);
#else
    (void)n;
#endif
}

void *fields_memory(size_t bytes)
{
    void *p = aligned_alloc(64, (bytes + 127) / 64 * 64);

    assert_non_null(p);
    return p;
}

struct map field_map(long N, long C, long S, long b, enum tensor_dtype dtype)
{
    return (struct map){.N = N, .C = C, .S = S, .b = b, .B = (C + b - 1) / b, .dtype = dtype};
}

static size_t field_bytes(const struct field *f)
{
    return map_count(&f->m) * dtype_bytes(f->m.dtype);
}

struct field field_make(struct map m)
{
    struct field f = {.m = m};

    f.p = fields_memory(field_bytes(&f) + GUARD);
    memset(f.p, 0xff, field_bytes(&f));
    memset((char *)f.p + field_bytes(&f), GUARD_BYTE, GUARD);
    return f;
}

/* Drawn noise is dear: a large tensor has it over and over, at a stride that fits
 * no side. */
static float noise_at(unsigned which, size_t i)
{
    static float drawn[8][DRAWN];
    float *row = drawn[which % 8];

    if (row[0] == 0)
        for (unsigned long k = 0; k < DRAWN; k++)
            row[k] = noise(which % 8, k);
    return row[(i + i / DRAWN * 17) % DRAWN];
}

struct field field_noise(struct map m, unsigned which)
{
    struct field f = field_make(m);

    memset(f.p, 0, field_bytes(&f));
    for (long n = 0; n < m.N; n++)
        for (long c = 0; c < m.C; c++)
            for (long s = 0; s < m.S; s++) {
                float v = noise_at(which, (size_t)((n * m.C + c) * m.S + s));

                map_store(f.p, m.dtype, map_index(&m, n, c, s), &v, 1);
            }
    return f;
}

void field_free(struct field *f)
{
    free(f->p);
    f->p = NULL;
}

double field_at(const struct field *f, long n, long c, long s)
{
    float v;

    map_load(&v, f->p, f->m.dtype, map_index(&f->m, n, c, s), 1);
    return (double)v;
}

void field_expect(const struct field *f, const char *what, long n, long c, long s,
                  struct expected want, int roundings)
{
    double got = field_at(f, n, c, s), allowed = 2e-6 * want.size + 1e-9;

    if (f->m.dtype == TENSOR_BF16)
        allowed += roundings * 0x1p-8 * want.size + 0x1p-8 * fabs(want.value);
    if (!(fabs(got - want.value) <= allowed))
        fail_msg("%s, %ld channels in blocks of %ld, %s: [%ld][%ld][%ld] is %.9g, not %.9g", what,
                 f->m.C, f->m.b, f->m.dtype == TENSOR_BF16 ? "bf16" : "f32", n, c, s, got,
                 want.value);
}

void field_check(const struct field *f, const char *what)
{
    const unsigned char *guard = (const unsigned char *)f->p + field_bytes(f);

    for (int i = 0; i < GUARD; i++)
        if (guard[i] != GUARD_BYTE)
            fail_msg("%s, %ld channels in blocks of %ld: wrote %d bytes past the end", what, f->m.C,
                     f->m.b, i + 1);
    if (f->m.B * f->m.b == f->m.C)
        return;
    for (long n = 0; n < f->m.N; n++)
        for (long s = 0; s < f->m.S; s++)
            for (long c = f->m.C; c < f->m.B * f->m.b; c++)
                if (field_at(f, n, c, s) != 0)
                    fail_msg("%s, %ld channels in blocks of %ld: padding [%ld][%ld][%ld] is %g",
                             what, f->m.C, f->m.b, n, c, s, field_at(f, n, c, s));
}

long field_block(int i, long C)
{
    const long blocks[] = {1, 8, 16, C};

    return i < 4 ? blocks[i] : 0;
}

/* No multiple of a side or a block, so that all corners are seen. */
bool field_next(const struct map *m, long *at, long *n, long *c, long *s)
{
    long i = *at;

    if (i >= m->N * m->C * m->S)
        return false;
    *at += map_count(m) > 200000 ? 4999 : 1;
    *s = i % m->S;
    *c = i / m->S % m->C;
    *n = i / m->S / m->C;
    return true;
}

static const char *const act_names[] = {
    [ACT_NONE] = "none", [ACT_LEAKY] = "leaky", [ACT_TANH] = "tanh", [ACT_SIGMOID] = "sigmoid"};

double field_act(enum act act, double slope, double v)
{
    switch (act) {
    case ACT_LEAKY:
        return v > 0 ? v : slope * v;
    case ACT_TANH:
        return tanh(v);
    case ACT_SIGMOID:
        return 1 / (1 + exp(-v));
    default:
        return v;
    }
}

double field_act_slope(enum act act, double slope, double y)
{
    const double by[] = {[ACT_NONE] = 1,
                         [ACT_LEAKY] = y > 0 ? 1 : slope,
                         [ACT_TANH] = (1 - y) * (1 + y),
                         [ACT_SIGMOID] = y - y * y};

    return by[act];
}

const char *field_act_name(enum act act)
{
    return act_names[act];
}
