/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/component/propagator.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Of the mean of the inputs' squares: keeps the step small where inputs say the same. */
#define RIDGE 1e-4

int propagator_init(struct propagator *p, long C, long H, long W, struct err *e)
{
    const size_t n = (size_t)(9 * C + 1);

    if (C > PROPAGATOR_VARIABLES)
        return err_set(e, "a propagator of %ld variables; %d are possible", C,
                       PROPAGATOR_VARIABLES);
    *p = (struct propagator){.C = C, .H = H, .W = W, .inputs = (long)n};
    p->gram = calloc((size_t)H * n * n, sizeof *p->gram);
    p->against = calloc((size_t)H * n * (size_t)C, sizeof *p->against);
    p->step = calloc((size_t)H * n * (size_t)C, sizeof *p->step);
    if (p->gram && p->against && p->step)
        return 0;
    propagator_fini(p);
    return err_set(e, "no memory for a propagator of %ld x %ld places", H, W);
}

void propagator_fini(struct propagator *p)
{
    free(p->gram);
    free(p->against);
    free(p->step);
    *p = (struct propagator){.C = 0};
}

/* A variable's row y, at most one beyond the edges, which repeat. */
static const float *row_of(const struct propagator *p, const float *state, long c, long y)
{
    return state + (c * p->H + (y < 0 ? 0 : y < p->H ? y : p->H - 1)) * p->W;
}

/* What the step at (y, x) sees. */
static void look(const struct propagator *p, const float *state, long y, long x, float *in)
{
    for (long c = 0; c < p->C; c++)
        for (long i = -1; i <= 1; i++) {
            const float *at = row_of(p, state, c, y + i);

            *in++ = at[x > 0 ? x - 1 : p->W - 1];
            *in++ = at[x];
            *in++ = at[x + 1 < p->W ? x + 1 : 0];
        }
    *in = 1;
}

static float change(const struct propagator *p, const float *now, const float *next, long c, long y,
                    long x)
{
    const long at = (c * p->H + y) * p->W + x;

    return next[at] - now[at];
}

void propagator_add(struct propagator *p, const float *now, const float *next, long every)
{
    const long n = p->inputs;
    float in[PROPAGATOR_INPUTS];

    for (long y = 0; y < p->H; y++) {
        double *gram = p->gram + y * n * n, *against = p->against + y * n * p->C;

        for (long x = 0; x < p->W; x += every) {
            look(p, now, y, x, in);
            for (long i = 0; i < n; i++) {
                const double by = (double)in[i];
                for (long k = 0; k <= i; k++)
                    gram[i * n + k] += by * (double)in[k];
                for (long c = 0; c < p->C; c++)
                    against[i * p->C + c] += by * (double)change(p, now, next, c, y, x);
            }
        }
    }
}

/* a n x n becomes its lower Cholesky factor, ... */
static void factor(double *a, long n)
{
    for (long i = 0; i < n; i++)
        for (long j = 0; j <= i; j++) {
            double sum = a[i * n + j];

            for (long k = 0; k < j; k++)
                sum -= a[i * n + k] * a[j * n + k];
            a[i * n + j] = i == j ? sqrt(sum) : sum / a[j * n + j];
        }
}

/* ... and column c of b n x C what it is multiplied by to give what it was. */
static void substitute(const double *a, long n, double *b, long C, long c)
{
    for (long i = 0; i < n; i++) {
        for (long k = 0; k < i; k++)
            b[i * C + c] -= a[i * n + k] * b[k * C + c];
        b[i * C + c] /= a[i * n + i];
    }
    for (long i = n - 1; i >= 0; i--) {
        for (long k = i + 1; k < n; k++)
            b[i * C + c] -= a[k * n + i] * b[k * C + c];
        b[i * C + c] /= a[i * n + i];
    }
}

int propagator_solve(struct propagator *p, struct err *e)
{
    const long n = p->inputs;

    for (long y = 0; y < p->H; y++) {
        double *gram = p->gram + y * n * n, *against = p->against + y * n * p->C, trace = 0;

        for (long i = 0; i < n; i++)
            trace += gram[i * n + i];
        if (!(trace > 0))
            return err_set(e, "there are no sequences to fit a propagator to");
        for (long i = 0; i < n; i++)
            gram[i * n + i] += RIDGE * trace / (double)n;
        factor(gram, n);
        for (long c = 0; c < p->C; c++)
            substitute(gram, n, against, p->C, c);
        for (long i = 0; i < n * p->C; i++)
            p->step[y * n * p->C + i] = (float)against[i];
    }
    free(p->gram);
    free(p->against);
    p->gram = p->against = NULL;
    return 0;
}

/* sum[x] += by at[x + shift], around the globe. */
static void add_row(float *sum, const float *at, long W, long shift, float by)
{
    for (long x = shift < 0 ? 1 : 0; x < (shift > 0 ? W - 1 : W); x++)
        sum[x] += by * at[x + shift];
    if (shift < 0)
        sum[0] += by * at[W - 1];
    if (shift > 0)
        sum[W - 1] += by * at[0];
}

void propagator_step(const struct propagator *p, const float *from, float *to)
{
    for (long y = 0; y < p->H; y++)
        for (long c = 0; c < p->C; c++) {
            const float *step = p->step + y * p->inputs * p->C + c;
            float *sum = to + (c * p->H + y) * p->W;

            memcpy(sum, from + (c * p->H + y) * p->W, (size_t)p->W * sizeof *sum);
            for (long k = 0; k < 9 * p->C; k++) /* in the order of look() */
                add_row(sum, row_of(p, from, k / 9, y + k / 3 % 3 - 1), p->W, k % 3 - 1,
                        step[k * p->C]);
            for (long x = 0; x < p->W; x++)
                sum[x] += step[9 * p->C * p->C];
        }
}

/* ---- errors ------------------------------------------------------------ */

static double weight_of(long y, long H, double latitude)
{
    const double middle = -latitude + 2 * latitude * ((double)y + 0.5) / (double)H;

    return cos(middle * (3.14159265358979323846 / 180));
}

struct forecast_error forecast_error(long C, long H, long W, double latitude,
                                     const float *climatology, const float *forecast,
                                     const float *truth)
{
    struct forecast_error all = {0, 0};
    double weights = 0;

    for (long y = 0; y < H; y++)
        weights += weight_of(y, H, latitude) * (double)W;
    for (long c = 0; c < C; c++) {
        double squares = 0, fo = 0, ff = 0, oo = 0;

        for (long y = 0; y < H; y++) {
            const double l = weight_of(y, H, latitude), mean = (double)climatology[c * H + y];

            for (long x = 0; x < W; x++) {
                const double f = (double)forecast[(c * H + y) * W + x] - mean;
                const double o = (double)truth[(c * H + y) * W + x] - mean;

                squares += l * (f - o) * (f - o);
                fo += l * f * o;
                ff += l * f * f;
                oo += l * o * o;
            }
        }
        all.rmse += sqrt(squares / weights) / (double)C;
        all.acc += ff > 0 && oo > 0 ? fo / sqrt(ff * oo) / (double)C : 0;
    }
    return all;
}
