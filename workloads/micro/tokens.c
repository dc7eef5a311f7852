/* SPDX-License-Identifier: BSD-3-Clause */
/* Whether norms of rows and GELU are right: every number anew, in double. */
#include <config.h>

#include "workloads/micro/operator_inner.h"

/* ---- layer norm --------------------------------------------------------- */

/* Mean and 1 / sqrt(v + eps) of a row. */
static void moments(const float *x, long D, double *mean, double *rstd)
{
    double squares = 0;

    *mean = 0;
    for (long d = 0; d < D; d++)
        *mean += (double)x[d] / (double)D;
    for (long d = 0; d < D; d++)
        squares += ((double)x[d] - *mean) * ((double)x[d] - *mean);
    *rstd = 1 / sqrt(squares / (double)D + (double)1e-5f);
}

static long norm_row(const struct operation *o, enum engine_pass part, long r, long D)
{
    const float *x = o->x.v + r * D, *dy = o->dy.v + r * D;
    const double u = ldexp(1, -20);
    double mean, rstd, g = 0, gx = 0, g_size = 0, gx_size = 0;
    long wrong = 0;

    moments(x, D, &mean, &rstd);
    for (long d = 0; d < D; d++) {
        const double one = (double)o->weight.v[d] * (double)dy[d];
        const double hat = ((double)x[d] - mean) * rstd;
        g += one / (double)D;
        gx += one * hat / (double)D;
        g_size += fabs(one) / (double)D;
        gx_size += fabs(one * hat) / (double)D;
    }
    for (long d = 0; d < D; d++) {
        const double gamma = (double)o->weight.v[d], beta = (double)o->bias.v[d];
        const double hat = ((double)x[d] - mean) * rstd;
        if (part == ENGINE_FORWARD) {
            const double size = fabs(gamma) * (fabs((double)x[d]) + fabs(mean)) * rstd + fabs(beta);
            wrong += !operator_near((double)o->value.v[r * D + d], gamma * hat + beta,
                                    operator_stored(o), u * size);
            continue;
        }
        const double want = rstd * (gamma * (double)dy[d] - g - hat * gx);
        const double size = fabs(gamma * (double)dy[d]) + g_size + fabs(hat) * gx_size;
        wrong +=
            !operator_near((double)o->dx.v[r * D + d], want, operator_stored(o), u * rstd * size);
    }
    return wrong;
}

/* Gradients of the parameters of column d. */
static long norm_column(const struct operation *o, long d, long R, long D)
{
    const double u = ldexp(1, -20);
    double dgamma = 0, dbeta = 0, gamma_size = 0, beta_size = 0;

    for (long r = 0; r < R; r++) {
        const double dy = (double)o->dy.v[r * D + d];
        double mean, rstd;
        moments(o->x.v + r * D, D, &mean, &rstd);
        const double one = dy * ((double)o->x.v[r * D + d] - mean) * rstd;
        dgamma += one;
        dbeta += dy;
        gamma_size += fabs(one);
        beta_size += fabs(dy);
    }
    return !operator_near((double)o->dw.v[d], dgamma, 0, u * gamma_size) +
           !operator_near((double)o->db.v[d], dbeta, 0, u * beta_size);
}

long layer_norm_check(const struct operation *o, enum engine_pass part)
{
    const long R = o->s.x.d[0], D = o->s.x.d[1], few = D < 64 ? D : 64;
    long wrong = 0;

#pragma omp parallel for schedule(static) reduction(+ : wrong)
    for (long r = 0; r < R; r++)
        wrong += norm_row(o, part, r, D);
#pragma omp parallel for schedule(static) reduction(+ : wrong)
    for (long k = 0; k < few; k++)
        wrong += part == ENGINE_DATA ? norm_column(o, k * D / few, R, D) : 0;
    return wrong;
}

/* ---- GELU --------------------------------------------------------------- */

long gelu_check(const struct operation *o, enum engine_pass part)
{
    const double u = ldexp(1, -20), root = sqrt(2 * 3.14159265358979323846);
    long wrong = 0;

#pragma omp parallel for schedule(static) reduction(+ : wrong)
    for (size_t i = 0; i < o->x.n; i++) {
        const double x = (double)o->x.v[i], dy = (double)o->dy.v[i];
        const double below = erfc(-x / sqrt(2)) / 2;
        const double slope = below + x * exp(-x * x / 2) / root;
        const double want = part == ENGINE_FORWARD ? x * below : dy * slope;
        const double have = (double)(part == ENGINE_FORWARD ? o->value.v[i] : o->dx.v[i]);
        wrong += !operator_near(have, want, operator_stored(o),
                                u * (part == ENGINE_FORWARD ? fabs(x) : fabs(dy)));
    }
    return wrong;
}
