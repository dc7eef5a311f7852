/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Activations of a piece of float32, without calls and without branches, so that a
 * compiler makes vector code of them, in the instructions of whoever inlines them: a call
 * of tanhf() a value is 0.5 GB/s, where memory gives forty times as much.
 *
 * Both bounded ones are made of expm1(v) = e^v - 1 for v >= 0. With v = n ln 2 + r,
 * |r| <= ln 2 / 2, it is 2^n expm1(r) + (2^n - 1), and expm1(r) is its Taylor series to
 * r^7, whose remainder is below r^8 / 8! = 5e-9 r. With m = expm1():
 *
 *     tanh(v)    = m(2 |v|) / (m(2 |v|) + 2), with the sign of v
 *     sigmoid(v) = (1 + tanh(v / 2)) / 2 is (m(v) + 1) / (m(v) + 2) for v >= 0, and
 *                  1 / (m(-v) + 2) for v < 0, which does not cancel
 *
 * Results are within 4 units in the last place of float32; NaN stays NaN.
 *
 * act_exp() is the same of either sign, as far as float32 has normal numbers. Of the normal
 * distribution Phi(v) = erfc(-v / sqrt 2) / 2, with erfc as Abramowitz, Stegun (1964) 7.1.26
 * has it: a polynomial in 1 / (1 + .3275911 |z|) times e^-z^2, within 1.5e-7, which is the
 * float32 next to 1. GELU's slope asks for the same e^(-v^2 / 2).
 *
 * Life, Failure: none.
 */
#ifndef CPU_KERNEL_ACT_H
#define CPU_KERNEL_ACT_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "workloads/engine/backend.h"

#define ACT_INLINE static inline __attribute__((always_inline))

ACT_INLINE uint32_t act_bits(float v)
{
    uint32_t u;

    memcpy(&u, &v, sizeof u);
    return u;
}

ACT_INLINE float act_float(uint32_t u)
{
    float v;

    memcpy(&v, &u, sizeof v);
    return v;
}

/* v >= 0; of more than 88 as of 88, where both functions have reached their bounds. */
ACT_INLINE float act_expm1(float v)
{
    /* added to a float it leaves the nearest whole number in its last bits */
    const float whole = 12582912;                                   /* 3 x 2^22 */
    const float ln2_high = 0.693359375f, ln2_low = -2.12194440e-4f; /* n ln2_high is exact */
    const float x = v > 88 ? 88 : v;
    const float k = x * 1.44269504f + whole, n = k - whole;
    const float r = (x - n * ln2_high) - n * ln2_low;
    const float two_n = act_float((act_bits(k) - act_bits(whole) + 127) << 23);
    float p = 1.f / 5040;

    p = p * r + 1.f / 720;
    p = p * r + 1.f / 120;
    p = p * r + 1.f / 24;
    p = p * r + 1.f / 6;
    p = p * r + 1.f / 2;
    p = p * r * r + r;
    return two_n * p + (two_n - 1);
}

/* e^v; of less than -87 as of -87, of more than 88 as of 88. */
ACT_INLINE float act_exp(float v)
{
    const float whole = 12582912;                                   /* 3 x 2^22 */
    const float ln2_high = 0.693359375f, ln2_low = -2.12194440e-4f; /* n ln2_high is exact */
    const float below = v > 88 ? 88 : v, x = below < -87 ? -87 : below;
    const float k = x * 1.44269504f + whole, n = k - whole;
    const float r = (x - n * ln2_high) - n * ln2_low;
    const float two_n = act_float((act_bits(k) - act_bits(whole) + 127) << 23);
    float p = 1.f / 5040;

    p = p * r + 1.f / 720;
    p = p * r + 1.f / 120;
    p = p * r + 1.f / 24;
    p = p * r + 1.f / 6;
    p = p * r + 1.f / 2;
    p = p * r + 1;
    return two_n * (p * r + 1);
}

/* Phi(v), and *density e^(-v^2 / 2) / sqrt(2 pi), its slope. */
ACT_INLINE float act_normal(float v, float *density)
{
    const float e = act_exp(-0.5f * v * v), t = 1 / (1 + 0.231641888f * fabsf(v));
    float p = 1.061405429f;

    p = p * t - 1.453152027f;
    p = p * t + 1.421413741f;
    p = p * t - 0.284496736f;
    p = p * t + 0.254829592f;
    const float tail = 0.5f * p * t * e;
    *density = 0.398942280f * e;
    return v < 0 ? tail : 1 - tail;
}

ACT_INLINE float act_tanh(float v)
{
    const float m = act_expm1(2 * fabsf(v));

    return copysignf(m / (m + 2), v);
}

ACT_INLINE float act_sigmoid(float v)
{
    const float m = act_expm1(fabsf(v));

    return (v < 0 ? 1 : m + 1) / (m + 2);
}

/* v becomes act(v). */
ACT_INLINE void act_piece(enum act act, float slope, float *v, long n)
{
    if (act == ACT_SIGMOID) {
#pragma omp simd
        for (long i = 0; i < n; i++)
            v[i] = act_sigmoid(v[i]);
        return;
    }
    if (act == ACT_TANH) {
#pragma omp simd
        for (long i = 0; i < n; i++)
            v[i] = act_tanh(v[i]);
        return;
    }
#pragma omp simd
    for (long i = 0; i < n; i++)
        v[i] = v[i] > 0 ? v[i] : slope * v[i];
}

/* d becomes d act'(v), with y = act(v). */
ACT_INLINE void act_grad_piece(enum act act, float slope, const float *y, float *d, long n)
{
    if (act == ACT_SIGMOID) {
#pragma omp simd
        for (long i = 0; i < n; i++)
            d[i] *= y[i] * (1 - y[i]);
        return;
    }
    if (act == ACT_TANH) {
#pragma omp simd
        for (long i = 0; i < n; i++)
            d[i] *= 1 - y[i] * y[i];
        return;
    }
#pragma omp simd
    for (long i = 0; i < n; i++)
        d[i] *= y[i] > 0 ? 1 : slope;
}

#endif
