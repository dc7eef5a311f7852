/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/generate/gen_math.h"

#include <math.h>

/* Each constant as a head with trailing zero bits, so that a product with a
 * small integer is exact, and the rest. */
#define LN2_HEAD    0x1.62e42fefa0000p-1
#define LN2_TAIL    0x1.cf79abc9e3b3ap-40
#define HALFPI_HEAD 0x1.921fb54400000p+0
#define HALFPI_TAIL 0x1.0b4611a626331p-34

/* exp x = 2^k exp r, |r| <= ln 2 / 2: the Taylor series to r^14. */
double gen_exp(double x)
{
    double k = floor(x / (LN2_HEAD + LN2_TAIL) + 0.5);
    double r = (x - k * LN2_HEAD) - k * LN2_TAIL;
    double sum = 1;

    for (int n = 14; n >= 1; n--)
        sum = 1 + sum * r / n;
    return ldexp(sum, (int)k);
}

/* log x = k ln 2 + 2 atanh s, s = (m - 1) / (m + 1), m in [sqrt(1/2), sqrt 2):
 * the series s + s^3/3 + ... to s^23. */
double gen_log(double x)
{
    static const double odd[] = {1.0 / 23, 1.0 / 21, 1.0 / 19, 1.0 / 17, 1.0 / 15, 1.0 / 13,
                                 1.0 / 11, 1.0 / 9,  1.0 / 7,  1.0 / 5,  1.0 / 3,  1.0};
    int k;
    double m = frexp(x, &k);
    double sum = 0;

    if (m < M_SQRT1_2) {
        m *= 2;
        k--;
    }
    double s = (m - 1) / (m + 1), s2 = s * s;
    for (int i = 0; i < 12; i++)
        sum = sum * s2 + odd[i];
    return k * LN2_HEAD + (2 * s * sum + k * LN2_TAIL);
}

double gen_pow(double x, double y)
{
    return gen_exp(y * gen_log(x));
}

/* x = k pi/2 + r, |r| <= pi/4: Taylor series to r^17 and r^16, each factor
 * 1 / (n (n + 1)) and 1 / (n (n - 1)) for n = 16, 14 ... 2. */
void gen_sincos(double x, double *s, double *c)
{
    static const double sine[] = {1.0 / 272, 1.0 / 210, 1.0 / 156, 1.0 / 110,
                                  1.0 / 72,  1.0 / 42,  1.0 / 20,  1.0 / 6};
    static const double cosine[] = {1.0 / 240, 1.0 / 182, 1.0 / 132, 1.0 / 90,
                                    1.0 / 56,  1.0 / 30,  1.0 / 12,  1.0 / 2};
    double k = floor(x / (HALFPI_HEAD + HALFPI_TAIL) + 0.5);
    double r = (x - k * HALFPI_HEAD) - k * HALFPI_TAIL;
    double r2 = r * r;
    double sn = 1, cs = 1;

    for (int i = 0; i < 8; i++) {
        sn = 1 - sn * r2 * sine[i];
        cs = 1 - cs * r2 * cosine[i];
    }
    sn *= r;
    switch ((long)k & 3) {
    case 0:
        *s = sn, *c = cs;
        break;
    case 1:
        *s = cs, *c = -sn;
        break;
    case 2:
        *s = -sn, *c = -cs;
        break;
    default:
        *s = -cs, *c = sn;
    }
}

/* atan t, 0 <= t <= 1: twice atan t = 2 atan(t / (1 + sqrt(1 + t^2))), then the
 * series t - t^3/3 + ... to t^23 of t <= tan(pi / 16). */
static double arc_tangent(double t)
{
    static const double odd[] = {1.0 / 23, 1.0 / 21, 1.0 / 19, 1.0 / 17, 1.0 / 15, 1.0 / 13,
                                 1.0 / 11, 1.0 / 9,  1.0 / 7,  1.0 / 5,  1.0 / 3,  1.0};
    double sum = 0;

    for (int i = 0; i < 2; i++)
        t = t / (1 + sqrt(1 + t * t));
    for (int i = 0; i < 12; i++)
        sum = odd[i] - sum * t * t;
    return 4 * t * sum;
}

double gen_atan2(double y, double x)
{
    const double half_pi = HALFPI_HEAD + HALFPI_TAIL;
    double a = fabs(y), b = fabs(x);
    double angle = a <= b ? arc_tangent(a / b) : half_pi - arc_tangent(b / a);

    if (x < 0)
        angle = 2 * half_pi - angle;
    return y < 0 ? -angle : angle;
}

/* sign x log(|x| + sqrt(x^2 + 1)); of a small x the series to x^7, where the
 * sum under the logarithm would lose the digits of x. */
double gen_asinh(double x)
{
    double a = fabs(x), x2 = x * x;

    if (a < 0.01)
        return x * (1 - x2 * (1.0 / 6 - x2 * (3.0 / 40 - x2 * (15.0 / 336))));
    double y = gen_log(a + sqrt(x2 + 1));
    return x < 0 ? -y : y;
}
