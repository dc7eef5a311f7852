/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/generate/cosmo/gen_field.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "workloads/generate/gen_math.h"
#include "workloads/philox.h"

#ifndef CMPLX /* glibc has it for gcc only */
#define CMPLX(x, y) __builtin_complex((double)(x), (double)(y))
#endif

static size_t cells(const struct cosmo_field *f)
{
    return (size_t)f->n * (size_t)f->n * (size_t)f->n;
}

static size_t mode_count(const struct cosmo_field *f)
{
    return (size_t)f->n * (size_t)f->n * (size_t)(f->n / 2 + 1);
}

struct cosmo_field *field_create(int n, double cell, int particles, struct err *e)
{
    const unsigned flags = FFTW_ESTIMATE | FFTW_NO_SIMD;
    struct cosmo_field *f = calloc(1, sizeof *f);
    bool ok = f != NULL;

    assert(n >= 4 && (n & (n - 1)) == 0);
    if (!f)
        goto out;
    f->n = n;
    f->cell = cell;
    f->particles = particles;
    f->real = fftw_alloc_real(cells(f));
    f->sum = fftw_alloc_real(cells(f));
    f->source = fftw_alloc_real(cells(f));
    f->modes = fftw_alloc_complex(mode_count(f));
    f->delta = fftw_alloc_complex(mode_count(f));
    f->amplitude = malloc((3 * (size_t)(n / 2) * (size_t)(n / 2) + 1) * sizeof *f->amplitude);
    ok = f->real && f->sum && f->source && f->modes && f->delta && f->amplitude;
    for (int i = 0; i < 6; i++) {
        f->psi[i / 3][i % 3] = malloc(cells(f) * sizeof(float));
        ok = ok && f->psi[i / 3][i % 3];
    }
    if (!ok)
        goto out;
    f->forward = fftw_plan_dft_r2c_3d(n, n, n, f->real, f->modes, flags | FFTW_PRESERVE_INPUT);
    f->backward = fftw_plan_dft_c2r_3d(n, n, n, f->modes, f->real, flags);
    ok = f->forward && f->backward;
out:
    if (ok)
        return f;
    err_set(e, "no memory for a box of %d^3 particles", n);
    field_destroy(f);
    return NULL;
}

void field_destroy(struct cosmo_field *f)
{
    if (!f)
        return;
    fftw_destroy_plan(f->forward);
    fftw_destroy_plan(f->backward);
    for (int i = 0; i < 6; i++)
        free(f->psi[i / 3][i % 3]);
    free(f->amplitude);
    fftw_free(f->delta);
    fftw_free(f->modes);
    fftw_free(f->source);
    fftw_free(f->sum);
    fftw_free(f->real);
    free(f);
}

void field_parameters(uint64_t seed, uint64_t sample, double unit[COSMO_PARAMETERS])
{
    for (int i = 0; i < COSMO_PARAMETERS; i += 2) {
        uint32_t r[4];
        philox_at(seed, sample, FIELD_PARAMETER_INDEX + (uint64_t)i / 2, r);
        unit[i] = 2 * philox_double(r[0], r[1]) - 1;
        unit[i + 1] = 2 * philox_double(r[2], r[3]) - 1;
    }
}

/* Standard normals, four from each Philox block (Box & Muller 1958). */
static void white_noise(double *out, size_t count, uint64_t seed, uint64_t sample)
{
    for (size_t i = 0; i < count; i += 4) {
        uint32_t r[4];
        philox_at(seed, sample, i / 4, r);
        for (int j = 0; j < 4; j += 2) {
            double radius = sqrt(-2 * gen_log((r[j] + 0.5) * 0x1p-32));
            double sine, cosine;
            gen_sincos(2 * M_PI * (r[j + 1] * 0x1p-32), &sine, &cosine);
            out[i + (size_t)j] = radius * cosine;
            out[i + (size_t)j + 1] = radius * sine;
        }
    }
}

/* Signed wave number of index i in units of the fundamental. */
static int wave(int i, int n)
{
    return i <= n / 2 ? i : i - n;
}

/* The same for a single derivative, which the Nyquist mode of a real field
 * does not have. */
static int slope(int i, int n)
{
    return 2 * i == n ? 0 : wave(i, n);
}

/* <|w|^2> of the noise's modes is n^3, that of the density's P n^6 / V. */
void field_linear(struct cosmo_field *f, const struct spectrum *p, uint64_t seed, uint64_t sample)
{
    const int n = f->n, half = n / 2;
    const double side = n * f->cell;
    size_t at = 0;

    for (int k2 = 1; k2 <= 3 * half * half; k2++)
        f->amplitude[k2] =
            sqrt(spectrum_power(p, 2 * M_PI / side * sqrt(k2)) / (f->cell * f->cell * f->cell));
    f->amplitude[0] = 0;
    white_noise(f->real, cells(f), seed, sample);
    fftw_execute(f->forward);
    for (int a = 0; a < n; a++)
        for (int b = 0; b < n; b++)
            for (int c = 0; c <= half; c++, at++) {
                int ka = wave(a, n), kb = wave(b, n);
                f->delta[at] = f->modes[at] * f->amplitude[ka * ka + kb * kb + c * c];
            }
}

/* real = the inverse transform of from * k_i k_j / k^2 (i >= 0), or of
 * from * i k_j / k^2 (i < 0; in cells when from is a density). */
static void invert(struct cosmo_field *f, const double complex *from, int i, int j)
{
    const int n = f->n, half = n / 2;
    const double scale = 1 / (double)cells(f) * (i < 0 ? n / (2 * M_PI) : 1);
    size_t at = 0;

    for (int a = 0; a < n; a++)
        for (int b = 0; b < n; b++)
            for (int c = 0; c <= half; c++, at++) {
                const int k[3] = {wave(a, n), wave(b, n), c};
                const int s[3] = {slope(a, n), slope(b, n), slope(c, n)};
                double over = scale / (k[0] * k[0] + k[1] * k[1] + k[2] * k[2]);
                if (i < 0)
                    f->modes[at] =
                        CMPLX(-cimag(from[at]) * s[j] * over, creal(from[at]) * s[j] * over);
                else if (i == j)
                    f->modes[at] = from[at] * (k[i] * k[i] * over);
                else
                    f->modes[at] = from[at] * (s[i] * s[j] * over);
            }
    f->modes[0] = 0;
    fftw_execute(f->backward);
}

/* source = sum_{i>j} phi,ii phi,jj - phi,ij^2 */
static void second_order_source(struct cosmo_field *f)
{
    const size_t count = cells(f);

    memset(f->sum, 0, count * sizeof *f->sum);
    memset(f->source, 0, count * sizeof *f->source);
    for (int i = 0; i < 3; i++) {
        invert(f, f->delta, i, i);
        for (size_t x = 0; x < count; x++) {
            f->source[x] += f->sum[x] * f->real[x];
            f->sum[x] += f->real[x];
        }
    }
    for (int i = 0; i < 3; i++) {
        invert(f, f->delta, i, (i + 1) % 3);
        for (size_t x = 0; x < count; x++)
            f->source[x] -= f->real[x] * f->real[x];
    }
}

/* psi1 = -grad phi1, psi2 = grad phi2. delta is spent on the way: its place
 * takes the modes of the source. */
void field_displace(struct cosmo_field *f)
{
    const size_t count = cells(f);

    second_order_source(f);
    for (int order = 0; order < 2; order++) {
        if (order == 1) {
            memcpy(f->real, f->source, count * sizeof *f->real);
            fftw_execute(f->forward);
            memcpy(f->delta, f->modes, mode_count(f) * sizeof *f->delta);
        }
        for (int j = 0; j < 3; j++) {
            invert(f, f->delta, -1, j);
            for (size_t x = 0; x < count; x++)
                f->psi[order][j][x] = (float)(order ? -f->real[x] : f->real[x]);
        }
    }
}

/* One particle, at its place at every moment. */
static int count_one(const struct cosmo_field *f, size_t p, const int q[3], const uint32_t start[4],
                     int moments, const double *d1, const double *d2, int16_t *counts,
                     struct err *e)
{
    const int n = f->n;

    for (int m = 0; m < moments; m++) {
        size_t cell = 0;
        for (int j = 0; j < 3; j++) {
            float x = philox_float(start[j]) + (float)d1[m] * f->psi[0][j][p] +
                      (float)d2[m] * f->psi[1][j][p];
            int at = q[j] + (int)x - (x < (float)(int)x); /* floor */
            cell = cell * (size_t)n + (size_t)(at & (n - 1));
        }
        int16_t *held = &counts[cell * (size_t)moments + (size_t)m];
        if (*held == INT16_MAX)
            return err_set(e, "a cell holds more than %d particles", INT16_MAX);
        ++*held;
    }
    return 0;
}

int field_count(const struct cosmo_field *f, uint64_t seed, uint64_t sample, int moments,
                const double *d1, const double *d2, int16_t *counts, struct err *e)
{
    const int n = f->n;
    size_t p = 0;

    memset(counts, 0, cells(f) * (size_t)moments * sizeof *counts);
    for (int a = 0; a < n; a++)
        for (int b = 0; b < n; b++)
            for (int c = 0; c < n; c++, p++)
                for (int i = 0; i < f->particles; i++) {
                    const int q[3] = {a, b, c};
                    uint32_t start[4];
                    philox_at(seed, sample, FIELD_START_INDEX + p * (size_t)f->particles + i,
                              start);
                    if (count_one(f, p, q, start, moments, d1, d2, counts, e) < 0)
                        return -1;
                }
    return 0;
}

int field_sample(struct cosmo_field *f, const struct cosmology *c, uint64_t seed, uint64_t sample,
                 int16_t *counts, struct err *e)
{
    double d1[COSMO_CHANNELS], d2[COSMO_CHANNELS];
    struct spectrum p;

    spectrum_init(&p, c);
    field_linear(f, &p, seed, sample);
    field_displace(f);
    for (int i = 0; i < COSMO_CHANNELS; i++) {
        d1[i] = growth_first(c->omega_m, cosmo_redshifts[i]);
        d2[i] = growth_second(c->omega_m, cosmo_redshifts[i]);
    }
    return field_count(f, seed, sample, COSMO_CHANNELS, d1, d2, counts, e);
}

void field_shells(struct cosmo_field *f, const double *real, double *power, int bins)
{
    const int n = f->n, half = n / 2;
    size_t at = 0;
    double *weight = f->amplitude; /* scratch: a box's amplitudes are spent by now */

    assert(bins >= 1 && bins <= half);
    for (int i = 0; i < bins; i++)
        power[i] = weight[i] = 0;
    if (real != f->real)
        memcpy(f->real, real, cells(f) * sizeof *f->real);
    fftw_execute(f->forward);
    for (int a = 0; a < n; a++)
        for (int b = 0; b < n; b++)
            for (int c = 0; c <= half; c++, at++) {
                int ka = wave(a, n), kb = wave(b, n);
                int bin = (int)(sqrt(ka * ka + kb * kb + c * c) - 0.5);
                double re = creal(f->modes[at]), im = cimag(f->modes[at]);
                double copies = c > 0 && c < half ? 2 : 1; /* the conjugate half */
                if (ka * ka + kb * kb + c * c == 0 || bin >= bins)
                    continue;
                power[bin] += copies * (re * re + im * im);
                weight[bin] += copies;
            }
    for (int i = 0; i < bins; i++)
        power[i] /= weight[i] * (double)cells(f);
}
