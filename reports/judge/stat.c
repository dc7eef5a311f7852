/* SPDX-License-Identifier: BSD-3-Clause */
/* Selection, and quantiles by Newton's method. */
#include <config.h>

#include "reports/judge/stat.h"

#include <math.h>

/* ---- order ---- */

/* Hoare's selection; the pivot is the median of three. */
double stat_select(double *x, int n, int k)
{
    int low = 0, high = n - 1;

    if (k < 0 || k >= n)
        return NAN;
    while (low < high) {
        double a = x[low], b = x[low + (high - low) / 2], c = x[high];
        double pivot = fmax(fmin(a, b), fmin(fmax(a, b), c));
        int i = low, j = high;
        while (i <= j) {
            while (x[i] < pivot)
                i++;
            while (x[j] > pivot)
                j--;
            if (i <= j) {
                double t = x[i];
                x[i++] = x[j];
                x[j--] = t;
            }
        }
        if (k <= j)
            high = j;
        else if (k >= i)
            low = i;
        else
            break;
    }
    return x[k];
}

double stat_median(double *x, int n)
{
    double upper = stat_select(x, n, n / 2), lower;

    if (n <= 0 || n % 2)
        return upper;
    lower = x[0];
    for (int i = 1; i < n / 2; i++)
        lower = fmax(lower, x[i]);
    return (lower + upper) / 2;
}

double stat_scale(double *x, int n, double centre)
{
    for (int i = 0; i < n; i++)
        x[i] = fabs(x[i] - centre);
    return STAT_MAD * stat_median(x, n);
}

/* ---- quantiles ---- */

static double tail_guess(double p) /* of the lower tail, p <= .02425 */
{
    double q = sqrt(-2 * log(p));

    return (((((-7.784894002430293e-03 * q - 3.223964580411365e-01) * q - 2.400758277161838e+00) *
                  q -
              2.549732539343734e+00) *
                 q +
             4.374664141464968e+00) *
                q +
            2.938163982698783e+00) /
           ((((7.784695709041462e-03 * q + 3.224671290700398e-01) * q + 2.445134137142996e+00) * q +
             3.754408661907416e+00) *
                q +
            1);
}

static double middle_guess(double p)
{
    double q = p - 0.5, r = q * q;

    return (((((-3.969683028665376e+01 * r + 2.209460984245205e+02) * r - 2.759285104469687e+02) *
                  r +
              1.383577518672690e+02) *
                 r -
             3.066479806614716e+01) *
                r +
            2.506628277459239e+00) *
           q /
           (((((-5.447609879822406e+01 * r + 1.615858368580409e+02) * r - 1.556989798598866e+02) *
                  r +
              6.680131188771972e+01) *
                 r -
             1.328068155288572e+01) *
                r +
            1);
}

double stat_normal(double p)
{
    if (!(p > 0 && p < 1))
        return NAN;
    if (p > 0.5)
        return -stat_normal(1 - p);
    double z = p < 0.02425 ? tail_guess(p) : middle_guess(p);
    double wrong = 0.5 * erfc(-z / M_SQRT2) - p;
    return z - wrong * sqrt(2 * M_PI) * exp(z * z / 2);
}

/* lgamma() writes a global; this does not. */
static double log_gamma(double x)
{
    int sign;
    return lgamma_r(x, &sign);
}

/* The continued fraction of the incomplete beta function by Lentz's method. */
static double beta_fraction(double x, double a, double b)
{
    double c = 1, d = 1 - (a + b) * x / (a + 1), h;

    d = 1 / (fabs(d) < 1e-300 ? 1e-300 : d);
    h = d;
    for (int m = 1; m < 500; m++) {
        double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
        double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
        d = 1 + even * d;
        c = 1 + even / c;
        d = 1 / (fabs(d) < 1e-300 ? 1e-300 : d);
        h *= d * c;
        d = 1 + odd * d;
        c = 1 + odd / c;
        d = 1 / (fabs(d) < 1e-300 ? 1e-300 : d);
        h *= d * c;
        if (fabs(d * c - 1) < 1e-14)
            break;
    }
    return h;
}

/* I_x(a, b); x is on the side of its mean where the fraction converges, or the
 * symmetric one is used. */
static double beta(double x, double a, double b)
{
    double front = exp(log_gamma(a + b) - log_gamma(a) - log_gamma(b) + a * log(x) + b * log1p(-x));

    if (x <= 0)
        return 0;
    if (x >= 1)
        return 1;
    if (x < (a + 1) / (a + b + 2))
        return front * beta_fraction(x, a, b) / a;
    return 1 - front * beta_fraction(1 - x, b, a) / b;
}

double stat_student_tail(double t, double nu)
{
    return 0.5 * beta(nu / (nu + t * t), nu / 2, 0.5);
}

static double student_density(double t, double nu)
{
    return exp(log_gamma((nu + 1) / 2) - log_gamma(nu / 2) - (nu + 1) / 2 * log1p(t * t / nu)) /
           sqrt(nu * M_PI);
}

double stat_student(double p, double nu)
{
    if (!(p > 0 && p < 1 && nu > 0))
        return NAN;
    if (p == 0.5)
        return 0;
    if (p < 0.5)
        return -stat_student(1 - p, nu);
    double z = stat_normal(p), t = z + z * (z * z + 1) / (4 * nu);
    /* ln of the tail is concave, and less curved than the tail itself */
    for (int i = 0; i < 60; i++) {
        double tail = stat_student_tail(t, nu);
        double step = (log(tail) - log(1 - p)) * tail / student_density(t, nu);
        t = fmax(t + step, t / 2);
        if (fabs(step) < 1e-10 * t)
            break;
    }
    return t;
}
