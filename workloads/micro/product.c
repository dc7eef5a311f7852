/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The products: convolution, its transpose, the dense layer, and what each does
 * backward, are one sum over links with three ends:
 *
 *   a   N x A x I        z   N x Z x Q        w   Z x A x K
 *   z[n][z][q] += a[n][a][q S + k D - B] w[z][a][k]
 *
 * of which two are given and one is made. A convolution has its input at a and its
 * output at z, a transposed one the other way round; a dense layer has one place. In a
 * depthwise convolution each z has an a of its own and no other:
 *
 *   z[n][z][q] += a[n][z][q S + k D - B] w[z][k]
 */
#include <config.h>

#include <math.h>
#include <stdlib.h>

#include "workloads/micro/operator_inner.h"

enum { SAMPLES = 4096 };

enum end { END_A, END_Z, END_W };

/* The numbers of an end: floats, or doubles. */
struct end_values {
    const float *f;
    const double *d;
};

struct links {
    long N, A, Z;                            /* A: that a z is linked to */
    bool own;                                /* depthwise: Z channels at a */
    long I[3], Q[3], K[3], S[3], B[3], D[3]; /* as D, H, W; 1 where there are fewer */
    long in, out, taps;                      /* products of I, Q, K */
    struct end_values v[3];
    enum end made;
};

static inline double at(const struct end_values *v, long i)
{
    return v->d ? v->d[i] : (double)v->f[i];
}

static struct shape output_of(const struct operator_shape *s)
{
    struct shape y = s->x;

    y.d[1] = s->kind == OPERATOR_DECONV ? s->w.d[1] : s->w.d[0];
    for (int i = 2; i < y.n; i++) {
        long k = s->win.kernel[i - 2], st = s->win.stride[i - 2] ? s->win.stride[i - 2] : 1;
        long apart = s->win.dilation[i - 2] ? s->win.dilation[i - 2] : 1;
        long pad = s->win.before[i - 2] + s->win.after[i - 2];
        y.d[i] = s->kind == OPERATOR_DECONV ? (s->x.d[i] - 1) * st + k - pad
                                            : (s->x.d[i] + pad - (k - 1) * apart - 1) / st + 1;
    }
    return y;
}

static struct links links_of(const struct operator_shape *s)
{
    bool turned = s->kind == OPERATOR_DECONV;
    struct shape y = output_of(s);
    const struct shape *a = turned ? &y : &s->x, *z = turned ? &s->x : &y;
    const bool own = s->op == OP_DEPTHWISE;
    struct links l = {.N = a->d[0],
                      .A = own ? 1 : a->d[1],
                      .Z = z->d[1],
                      .own = own,
                      .in = 1,
                      .out = 1,
                      .taps = 1};

    for (int i = 0; i < 3; i++) {
        int d = i - (3 - (a->n - 2)); /* of the window; < 0: not there */
        l.I[i] = d < 0 ? 1 : a->d[2 + d];
        l.Q[i] = d < 0 ? 1 : z->d[2 + d];
        l.K[i] = d < 0 ? 1 : s->win.kernel[d];
        l.S[i] = d < 0 || !s->win.stride[d] ? 1 : s->win.stride[d];
        l.B[i] = d < 0 ? 0 : s->win.before[d];
        l.D[i] = d < 0 || !s->win.dilation[d] ? 1 : s->win.dilation[d];
        l.in *= l.I[i];
        l.out *= l.Q[i];
        l.taps *= l.K[i];
    }
    return l;
}

double product_longest(const struct operator_shape *s)
{
    const struct links l = links_of(s);
    double forward = (double)l.A * (double)l.taps;
    double data = (double)(l.own ? 1 : l.Z) * (double)l.taps;

    return fmax(fmax(forward, data), (double)l.N * (double)l.out);
}

/* Channels that lie at the end a; of those that z is linked to, the first. */
static inline long channels_of_a(const struct links *l)
{
    return l->own ? l->Z : l->A;
}

static inline long first_of_a(const struct links *l, long z)
{
    return l->own ? z : 0;
}

static inline void split(long i, const long size[3], long out[3])
{
    out[2] = i % size[2];
    out[1] = i / size[2] % size[1];
    out[0] = i / size[2] / size[1];
}

/* ---- one number ------------------------------------------------------- */

/* z[n][z][q]: over the taps of q that are in the input, and A. */
static double make_z(const struct links *l, long n, long z, long place)
{
    long q[3], k[3];
    double sum = 0;

    split(place, l->Q, q);
    for (long t = 0; t < l->taps; t++) {
        long p = 0;
        split(t, l->K, k);
        for (int d = 0; d < 3 && p >= 0; d++) {
            long i = q[d] * l->S[d] + k[d] * l->D[d] - l->B[d];
            p = i < 0 || i >= l->I[d] ? -1 : p * l->I[d] + i;
        }
        for (long a = 0; a < l->A && p >= 0; a++)
            sum += at(&l->v[END_A], (n * channels_of_a(l) + first_of_a(l, z) + a) * l->in + p) *
                   at(&l->v[END_W], (z * l->A + a) * l->taps + t);
    }
    return sum;
}

/* a[n][a][i]: over the q whose tap k it is, and Z (depthwise: its own). */
static double make_a(const struct links *l, long n, long a, long place)
{
    const long first = l->own ? a : 0, end = l->own ? a + 1 : l->Z;
    long i[3], k[3];
    double sum = 0;

    split(place, l->I, i);
    for (long t = 0; t < l->taps; t++) {
        long p = 0;
        split(t, l->K, k);
        for (int d = 0; d < 3 && p >= 0; d++) {
            long q = i[d] + l->B[d] - k[d] * l->D[d];
            p = q < 0 || q % l->S[d] || q / l->S[d] >= l->Q[d] ? -1 : p * l->Q[d] + q / l->S[d];
        }
        for (long z = first; z < end && p >= 0; z++)
            sum += at(&l->v[END_Z], (n * l->Z + z) * l->out + p) *
                   at(&l->v[END_W], (z * l->A + (l->own ? 0 : a)) * l->taps + t);
    }
    return sum;
}

/* w[z][a][k]: over all n and q. */
static double make_w(const struct links *l, long z, long a, long tap)
{
    long k[3];
    double sum = 0;

    split(tap, l->K, k);
    for (long n = 0; n < l->N; n++)
        for (long d = 0; d < l->Q[0]; d++)
            for (long h = 0; h < l->Q[1]; h++) {
                long D = d * l->S[0] + k[0] * l->D[0] - l->B[0];
                long H = h * l->S[1] + k[1] * l->D[1] - l->B[1];
                if (D < 0 || D >= l->I[0] || H < 0 || H >= l->I[1])
                    continue;
                long to = ((n * l->Z + z) * l->Q[0] + d) * l->Q[1] + h;
                long from =
                    ((n * channels_of_a(l) + first_of_a(l, z) + a) * l->I[0] + D) * l->I[1] + H;
                for (long q = 0; q < l->Q[2]; q++) {
                    long W = q * l->S[2] + k[2] * l->D[2] - l->B[2];
                    if (W >= 0 && W < l->I[2])
                        sum += at(&l->v[END_Z], to * l->Q[2] + q) *
                               at(&l->v[END_A], from * l->I[2] + W);
                }
            }
    return sum;
}

/* How many numbers the end that is made has, and number i of them. */
static long made_count(const struct links *l)
{
    return l->made == END_A   ? l->N * channels_of_a(l) * l->in
           : l->made == END_Z ? l->N * l->Z * l->out
                              : l->Z * l->A * l->taps;
}

static double make(const struct links *l, long i)
{
    long inner = l->made == END_A ? l->in : l->made == END_Z ? l->out : l->taps;
    long middle = l->made == END_Z ? l->Z : l->made == END_A ? channels_of_a(l) : l->A;
    long k = i % inner, c = i / inner % middle, n = i / inner / middle;

    return l->made == END_A   ? make_a(l, n, c, k)
           : l->made == END_Z ? make_z(l, n, c, k)
                              : make_w(l, n, c, k);
}

/* ---- of an operator --------------------------------------------------- */

/* The links of a part: what is given at two ends; *made: what the engine made. */
static struct links links_of_part(const struct operation *o, enum engine_pass part,
                                  const float **made)
{
    struct links l = links_of(&o->s);
    bool turned = o->s.kind == OPERATOR_DECONV;
    enum end input = turned ? END_Z : END_A, output = turned ? END_A : END_Z;

    l.made = part == ENGINE_FORWARD ? output : part == ENGINE_DATA ? input : END_W;
    l.v[END_W].f = o->weight.v;
    l.v[input].f = o->x.v;
    l.v[output].f = o->dy.v;
    *made = part == ENGINE_FORWARD ? o->value.v : part == ENGINE_DATA ? o->dx.v : o->dw.v;
    return l;
}

/* Sums are exact; what is stored as bfloat16 is rounded to 8 bits, to nearest. */
static double rounding(const struct operation *o, enum engine_pass part)
{
    return o->set.bf16 && part != ENGINE_WEIGHTS ? ldexp(1, -8) : 0;
}

long product_samples(const struct operation *o, enum engine_pass part)
{
    const float *made;
    const struct links l = links_of_part(o, part, &made);
    const double slack = rounding(o, part);
    const long all = made_count(&l), n = all < SAMPLES || l.own ? all : SAMPLES, span = all / n;
    long wrong = 0;

#pragma omp parallel for schedule(dynamic, 64) reduction(+ : wrong)
    for (long k = 0; k < n; k++) {
        long i = k * span + k * 7919 % span; /* every span-th, at a place of it that moves */
        double want = make(&l, i);
        wrong += !(fabs((double)made[i] - want) <= slack * fabs(want));
    }
    return wrong;
}

/* out[outer][inner] = sum over the middle of v[m] in[outer][m][inner]; size: of |v in|. */
static void contract(const float *in, const double *v, long outer, long middle, long inner,
                     double *out, double *size)
{
#pragma omp parallel for schedule(static)
    for (long n = 0; n < outer; n++) {
        double *to = out + n * inner, *most = size ? size + n * inner : NULL;
        for (long i = 0; i < inner; i++) {
            to[i] = 0;
            if (most)
                most[i] = 0;
        }
        for (long m = 0; m < middle; m++)
            for (long i = 0; i < inner; i++) {
                double term = v[m] * (double)in[(n * middle + m) * inner + i];
                to[i] += term;
                if (most)
                    most[i] += fabs(term);
            }
    }
}

/* 1 to 1,023, of the seed. */
static void draw_vector(double *v, long n, uint64_t seed, uint32_t stream)
{
    const uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};

    for (long i = 0; i < n; i++) {
        uint32_t bits[4] = {(uint32_t)i, stream, 0, UINT32_C(0x66726569)};
        philox4x32(bits, key, bits);
        v[i] = 1 + bits[0] % 1023;
    }
}

long product_freivalds(const struct operation *o, enum engine_pass part)
{
    const float *made;
    struct links l = links_of_part(o, part, &made), one = l;
    const double slack = rounding(o, part);
    if (l.own) /* no sum over channels to take apart; all numbers are samples */
        return 0;
    bool over_a = l.made == END_A; /* the channels that are summed: A, or Z */
    long width = over_a ? l.A : l.Z, wrong = 0;
    enum end other = l.made == END_W ? END_Z : END_W; /* given, and has those channels, too */

    *(over_a ? &one.A : &one.Z) = 1;
    one.v[other].f = NULL;
    const long n = made_count(&one), given = other == END_Z ? l.N * l.out
                                             : over_a       ? l.Z * l.taps
                                                            : l.A * l.taps;
    double *room = malloc((size_t)(width + 2 * n + given) * sizeof *room);
    if (!room)
        return -1;
    double *v = room, *left = v + width, *size = left + n, *right = size + n;
    draw_vector(v, width, o->set.seed, (uint32_t)part);
    /* outer, middle, inner of the made end and of the given one */
    long outer = l.made == END_W ? 1 : l.N;
    contract(made, v, outer, width, n / outer, left, size);
    if (other == END_Z)
        contract(l.v[END_Z].f, v, l.N, l.Z, l.out, right, NULL);
    else if (over_a)
        contract(l.v[END_W].f, v, l.Z, l.A, l.taps, right, NULL);
    else
        contract(l.v[END_W].f, v, 1, l.Z, l.A * l.taps, right, NULL);
    one.v[other].d = right;
#pragma omp parallel for schedule(dynamic, 64) reduction(+ : wrong)
    for (long i = 0; i < n; i++)
        wrong += !(fabs(left[i] - make(&one, i)) <= slack * size[i]);
    free(room);
    return wrong;
}
