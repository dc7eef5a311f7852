/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whether attention is right: tokens of some heads anew, in double, from engine.h's
 * formula. x is samples x 3 D x tokens: value c of token i of sample s is at (s 3 D + c) N
 * + i; y and dy are rows of D.
 */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "workloads/micro/operator_inner.h"

enum { PAIRS = 4, TOKENS = 256 };

/* One head of one sample: q, k, v and dy as [N][d] doubles; of each token the logarithm of
 * its sum of exponentials, dy . y, and the same of |terms|. */
struct head {
    const struct operation *o;
    long N, d, sample, column, D;
    double scale;
    double *q, *k, *v, *dy, *sum, *off, *off_size;
};

static int head_init(struct head *h, const struct operation *o, long at)
{
    const long N = o->s.x.d[2], D = o->s.x.d[1] / 3, d = D / o->s.heads;
    const size_t n = (size_t)(N * d);

    *h = (struct head){.o = o,
                       .N = N,
                       .d = d,
                       .D = D,
                       .sample = at / o->s.heads,
                       .column = at % o->s.heads * d,
                       .scale = 1 / sqrt((double)d)};
    h->q = calloc(4 * n + 3 * (size_t)N, sizeof *h->q);
    if (!h->q)
        return -1;
    h->k = h->q + n;
    h->v = h->k + n;
    h->dy = h->v + n;
    h->sum = h->dy + n;
    h->off = h->sum + N;
    h->off_size = h->off + N;
    for (long i = 0; i < N; i++)
        for (long c = 0; c < d; c++) {
            const float *x = o->x.v + (h->sample * 3 * D + h->column + c) * N + i;
            h->q[i * d + c] = (double)x[0];
            h->k[i * d + c] = (double)x[D * N];
            h->v[i * d + c] = (double)x[2 * D * N];
            h->dy[i * d + c] = (double)o->dy.v[(h->sample * N + i) * D + h->column + c];
        }
    return 0;
}

static double dot(const double *a, const double *b, long n)
{
    double sum = 0;

    for (long c = 0; c < n; c++)
        sum += a[c] * b[c];
    return sum;
}

static double score(const struct head *h, long i, long j)
{
    return h->scale * dot(h->q + i * h->d, h->k + j * h->d, h->d);
}

/* y of token i and the sum of |terms| of each of its values; its own sums. */
static void attend(struct head *h, long i, double *y, double *size)
{
    double most = -INFINITY, sum = 0;

    for (long j = 0; j < h->N; j++)
        most = fmax(most, score(h, i, j));
    memset(y, 0, (size_t)h->d * sizeof *y);
    memset(size, 0, (size_t)h->d * sizeof *size);
    for (long j = 0; j < h->N; j++) {
        const double p = exp(score(h, i, j) - most);
        sum += p;
        for (long c = 0; c < h->d; c++) {
            y[c] += p * h->v[j * h->d + c];
            size[c] += p * fabs(h->v[j * h->d + c]);
        }
    }
    h->sum[i] = most + log(sum);
    h->off[i] = h->off_size[i] = 0;
    for (long c = 0; c < h->d; c++) {
        y[c] /= sum;
        size[c] /= sum;
        h->off[i] += h->dy[i * h->d + c] * y[c];
        h->off_size[i] += fabs(h->dy[i * h->d + c] * y[c]);
    }
}

static long check_token(const struct head *h, long i, const double *y, const double *size)
{
    const double u = ldexp(1, -18);
    long wrong = 0;

    for (long c = 0; c < h->d; c++)
        wrong +=
            !operator_near((double)h->o->value.v[(h->sample * h->N + i) * h->D + h->column + c],
                           y[c], operator_stored(h->o), u * size[c]);
    return wrong;
}

/* The gradient of score (i, j), times the scale; *size: of its |terms|. */
static double gradient(const struct head *h, long i, long j, double *p, double *size)
{
    double dp = 0, dp_size = 0;

    *p = exp(score(h, i, j) - h->sum[i]);
    for (long c = 0; c < h->d; c++) {
        const double one = h->dy[i * h->d + c] * h->v[j * h->d + c];
        dp += one;
        dp_size += fabs(one);
    }
    *size = *p * (dp_size + h->off_size[i]) * h->scale;
    return *p * (dp - h->off[i]) * h->scale;
}

/* dq, dk and dv of token t; sums: 3 x (gradient, |terms|) of d values. */
static long check_gradients(const struct head *h, long t, double *sums)
{
    const double u = ldexp(1, -18) + operator_stored(h->o);
    const long d = h->d;
    long wrong = 0;

    memset(sums, 0, 6 * (size_t)d * sizeof *sums);
    for (long o = 0; o < h->N; o++) {
        double p, size, key, key_size;
        const double query = gradient(h, t, o, &p, &size);
        key = gradient(h, o, t, &p, &key_size);
        for (long c = 0; c < d; c++) {
            sums[c] += query * h->k[o * d + c];
            sums[d + c] += size * fabs(h->k[o * d + c]);
            sums[2 * d + c] += key * h->q[o * d + c];
            sums[3 * d + c] += key_size * fabs(h->q[o * d + c]);
            sums[4 * d + c] += p * h->dy[o * d + c];
            sums[5 * d + c] += p * fabs(h->dy[o * d + c]);
        }
    }
    for (long k = 0; k < 3; k++)
        for (long c = 0; c < d; c++) {
            const long at = (h->sample * 3 * h->D + k * h->D + h->column + c) * h->N + t;
            wrong += !operator_near((double)h->o->dx.v[at], sums[2 * k * d + c],
                                    operator_stored(h->o), u * sums[(2 * k + 1) * d + c]);
        }
    return wrong;
}

/* Backward asks the sums of all tokens, forward those that are looked at. */
static long check_head(struct head *h, enum engine_pass part)
{
    const long some = h->N < TOKENS ? h->N : TOKENS, all = part == ENGINE_FORWARD ? some : h->N;
    long wrong = 0, failed = 0;

#pragma omp parallel reduction(+ : wrong, failed)
    {
        double *room = malloc(6 * (size_t)h->d * sizeof *room);
        failed += !room;
#pragma omp for schedule(static)
        for (long k = 0; k < all; k++) {
            const long i = k * h->N / all;
            if (!room)
                continue;
            attend(h, i, room, room + h->d);
            wrong += part == ENGINE_FORWARD ? check_token(h, i, room, room + h->d) : 0;
        }
#pragma omp for schedule(static)
        for (long k = 0; k < (part == ENGINE_DATA ? some : 0); k++)
            wrong += room ? check_gradients(h, k * h->N / some, room) : 0;
        free(room);
    }
    return failed ? -1 : wrong;
}

long attention_check(const struct operation *o, enum engine_pass part)
{
    const long heads = o->s.x.d[0] * o->s.heads, some = heads < PAIRS ? heads : PAIRS;
    long wrong = 0;

    for (long k = 0; k < some; k++) {
        struct head h;
        const long n = head_init(&h, o, k * heads / some) < 0 ? -1 : check_head(&h, part);
        free(h.q);
        if (n < 0)
            return -1;
        wrong += n;
    }
    return wrong;
}
