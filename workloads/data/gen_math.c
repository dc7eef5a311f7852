/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/data/gen_math.h"

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

/* log x = k ln 2 + 2 atanh s, s = (m - 1) / (m + 1), m in [sqrt(1/2), sqrt 2). */
double gen_log(double x)
{
    int k;
    double m = frexp(x, &k);
    double sum = 0;

    if (m < M_SQRT1_2) {
        m *= 2;
        k--;
    }
    double s = (m - 1) / (m + 1);
    for (int n = 23; n >= 1; n -= 2)
        sum = sum * (s * s) + 1.0 / n;
    return k * LN2_HEAD + (2 * s * sum + k * LN2_TAIL);
}

double gen_pow(double x, double y)
{
    return gen_exp(y * gen_log(x));
}

/* x = k pi/2 + r, |r| <= pi/4: Taylor series to r^17 and r^16. */
void gen_sincos(double x, double *s, double *c)
{
    double k = floor(x / (HALFPI_HEAD + HALFPI_TAIL) + 0.5);
    double r = (x - k * HALFPI_HEAD) - k * HALFPI_TAIL;
    double sn = 1, cs = 1;

    for (int n = 16; n >= 2; n -= 2) {
        sn = 1 - sn * (r * r) / (n * (n + 1));
        cs = 1 - cs * (r * r) / (n * (n - 1));
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
