/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/generate/weather/plane.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "workloads/generate/gen_math.h"

#ifndef CMPLX /* glibc has it for gcc only */
#define CMPLX(x, y) __builtin_complex((double)(x), (double)(y))
#endif

#define HEIGHT (2 * PLANE_LATITUDE) /* degrees */

struct plane *plane_create(int ny, int nx, struct err *e)
{
    const unsigned flags = FFTW_ESTIMATE | FFTW_NO_SIMD;
    struct plane *p = calloc(1, sizeof *p);

    assert(ny >= 4 && nx >= 4 && ny % 2 == 0 && nx % 2 == 0);
    if (!p)
        goto out;
    p->ny = ny;
    p->nx = nx;
    p->places = (size_t)ny * (size_t)nx;
    p->n_modes = (size_t)ny * (size_t)(nx / 2 + 1);
    p->real = fftw_alloc_real(p->places);
    p->modes = fftw_alloc_complex(p->n_modes);
    if (!p->real || !p->modes)
        goto out;
    p->forward = fftw_plan_dft_r2c_2d(ny, nx, p->real, p->modes, flags);
    p->backward = fftw_plan_dft_c2r_2d(ny, nx, p->modes, p->real, flags);
out:
    if (p && p->forward && p->backward)
        return p;
    err_set(e, "no memory for a field of %d x %d", ny, nx);
    plane_destroy(p);
    return NULL;
}

void plane_destroy(struct plane *p)
{
    if (!p)
        return;
    fftw_destroy_plan(p->forward);
    fftw_destroy_plan(p->backward);
    fftw_free(p->modes);
    fftw_free(p->real);
    free(p);
}

double plane_latitude(const struct plane *p, int row)
{
    return -PLANE_LATITUDE + HEIGHT * (row + 0.5) / p->ny;
}

double plane_coriolis(double latitude)
{
    double sine, cosine;

    gen_sincos(latitude * (M_PI / 180), &sine, &cosine);
    return 2 * PLANE_OMEGA * sine;
}

/* Signed wave number of index i of n; the highest has no sign, and counts 0. */
static int wave(int i, int n)
{
    return 2 * i < n ? i : 2 * i == n ? 0 : i - n;
}

double plane_ky(const struct plane *p, int row)
{
    return wave(row, p->ny) * (2 * M_PI / (HEIGHT * PLANE_DEGREE));
}

double plane_kx(const struct plane *p, int column)
{
    return wave(column, p->nx) * (2 * M_PI / (360 * PLANE_DEGREE));
}

void plane_forward(struct plane *p)
{
    const double scale = 1 / (double)p->places;

    fftw_execute(p->forward);
    for (size_t i = 0; i < p->n_modes; i++)
        p->modes[i] *= scale;
}

void plane_backward(struct plane *p)
{
    fftw_execute(p->backward);
}

/* Rows lie at halves, so the two planes' first rows differ, and a mode turns by
 * ky times that. */
void plane_refine(struct plane *p, const struct plane *from, const fftw_complex *modes)
{
    const int half = p->nx / 2, from_half = from->nx / 2;
    const double shift = M_PI / p->ny - M_PI / from->ny;

    assert(p->ny >= from->ny && p->nx >= from->nx);
    memset(p->modes, 0, p->n_modes * sizeof *p->modes);
    for (int y = 0; y < from->ny; y++) {
        const int ky = wave(y, from->ny);
        double sine, cosine;
        if (2 * y == from->ny)
            continue;
        gen_sincos(ky * shift, &sine, &cosine);
        fftw_complex *to = p->modes + (size_t)(ky < 0 ? ky + p->ny : ky) * (size_t)(half + 1);
        for (int x = 0; x < from_half; x++)
            to[x] = modes[y * (from_half + 1) + x] * CMPLX(cosine, sine);
    }
    plane_backward(p);
}

double *plane_spectrum(const struct plane *p, double slope, double least)
{
    const int half = p->nx / 2;
    double *s = calloc(p->n_modes, sizeof *s), variance = 0;

    if (!s)
        return NULL;
    /* a shell of K has as many modes as K is long: power K^-slope is a mode's K^-(slope + 1) */
    for (int y = 0; y < p->ny; y++)
        for (int x = 0; x < half; x++) {
            const double ky = wave(y, p->ny) * (360 / HEIGHT), k2 = ky * ky + x * x;
            if (2 * y == p->ny || k2 < least * least)
                continue;
            s[y * (half + 1) + x] = gen_pow(k2, -(slope + 1) / 4);
            const double power = s[y * (half + 1) + x] * s[y * (half + 1) + x];
            variance += x > 0 ? 2 * power : power; /* the conjugate half */
        }
    for (size_t i = 0; i < p->n_modes; i++)
        s[i] /= sqrt(variance);
    return s;
}

void plane_draw(struct plane *p, const double *spectrum, struct draw *d)
{
    const int half = p->nx / 2;

    for (size_t i = 0; i < p->n_modes; i++) {
        const double real = draw_normal(d) * M_SQRT1_2;
        const double imaginary = draw_normal(d) * M_SQRT1_2;
        p->modes[i] = spectrum[i] * CMPLX(real, imaginary);
    }
    for (int y = 1; 2 * y < p->ny; y++) /* the first column is its own conjugate half */
        p->modes[(size_t)(p->ny - y) * (size_t)(half + 1)] =
            conj(p->modes[(size_t)y * (size_t)(half + 1)]);
}

double plane_at(const struct plane *p, const double *field, double y, double x)
{
    const double top = p->ny - 1, row = y < 0 ? 0 : y > top ? top : y;
    const int j = row < top ? (int)row : p->ny - 2;
    const double floor_x = floor(x), fy = row - j, fx = x - floor_x;
    int i = (int)floor_x % p->nx;

    if (i < 0)
        i += p->nx;
    const int right = i + 1 < p->nx ? i + 1 : 0;
    const double *below = field + (size_t)j * (size_t)p->nx, *above = below + p->nx;
    return (below[i] * (1 - fx) + below[right] * fx) * (1 - fy) +
           (above[i] * (1 - fx) + above[right] * fx) * fy;
}
