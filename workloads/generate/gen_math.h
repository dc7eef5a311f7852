/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The few functions of libm that the generator needs, in plain arithmetic.
 *
 * libm picks its code by the CPU it runs on and its last bit moves with it;
 * these give the same bits on every CPU of an architecture (compiled without
 * contraction to fused operations). Good to some 1e-15 relative, which the
 * tests hold against libm.
 *
 * Life, Failure: none; arguments outside the stated range are the caller's
 *                mistake.
 * Threads: pure functions.
 */
#ifndef GENERATE_GEN_MATH_H
#define GENERATE_GEN_MATH_H

double gen_exp(double x);                        /* |x| < 700 */
double gen_log(double x);                        /* x > 0, normal */
double gen_pow(double x, double y);              /* x > 0 */
void gen_sincos(double x, double *s, double *c); /* |x| < 1e6 */
double gen_atan2(double y, double x);            /* not both 0; in [-pi, pi] */
double gen_asinh(double x);                      /* |x| < 1e100 */

#endif
