/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/generate/weather/flow.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "workloads/generate/gen_math.h"
#include "workloads/generate/weather/streams.h"

/* Kinetic energy K^-3 is K^-5 of the stream function's variance. */
#define EDDY_SLOPE 5.0
#define LEAST_WAVE 4.0
#define EDDY_SPEED 11.0
#define BETA_AT    35.0 /* degrees */

static size_t at(const struct flow *f, int y, int x)
{
    return (size_t)y * (size_t)(f->plane->nx / 2 + 1) + (size_t)x;
}

/* Whether products of what is left here alias nowhere. */
static bool is_kept(const struct plane *p, int y, int x)
{
    const int ky = 2 * y > p->ny ? p->ny - y : y;

    return 3 * ky < p->ny && 3 * x < p->nx && (x > 0 || y > 0);
}

static double square(double ky, double kx)
{
    return ky * ky + kx * kx;
}

/* K^8 of the highest mode that is kept is 1. */
static void set_damping(struct flow *f)
{
    const struct plane *p = f->plane;
    const double most = square(plane_ky(p, (p->ny - 1) / 3), plane_kx(p, (p->nx - 1) / 3));

    for (int y = 0; y < p->ny; y++)
        for (int x = 0; x <= p->nx / 2; x++) {
            const double k2 = square(plane_ky(p, y), plane_kx(p, x)) / most;
            f->damping[at(f, y, x)] = k2 * k2 * k2 * k2;
        }
}

struct flow *flow_create(int ny, int nx, struct err *e)
{
    struct flow *f = calloc(1, sizeof *f);
    double sine, cosine;

    if (!f)
        return err_set(e, "no memory for a flow"), NULL;
    f->plane = plane_create(ny, nx, e);
    if (!f->plane)
        goto fail;
    const size_t modes = f->plane->n_modes, places = f->plane->places;
    f->z = fftw_alloc_complex(modes);
    f->stage = fftw_alloc_complex(modes);
    f->slope = fftw_alloc_complex(modes);
    f->sum = fftw_alloc_complex(modes);
    f->u = malloc(places * sizeof *f->u);
    f->v = malloc(places * sizeof *f->v);
    f->damping = malloc(modes * sizeof *f->damping);
    f->eddies = plane_spectrum(f->plane, EDDY_SLOPE, LEAST_WAVE);
    if (!f->z || !f->stage || !f->slope || !f->sum || !f->u || !f->v || !f->damping || !f->eddies) {
        err_set(e, "no memory for a flow of %d x %d", ny, nx);
        goto fail;
    }
    gen_sincos(BETA_AT * (M_PI / 180), &sine, &cosine);
    f->beta = 2 * PLANE_OMEGA * cosine / PLANE_RADIUS;
    f->viscosity = 1 / (4 * 3600.0);
    set_damping(f);
    return f;
fail:
    flow_destroy(f);
    return NULL;
}

void flow_destroy(struct flow *f)
{
    if (!f)
        return;
    free(f->eddies);
    free(f->damping);
    free(f->v);
    free(f->u);
    fftw_free(f->sum);
    fftw_free(f->slope);
    fftw_free(f->stage);
    fftw_free(f->z);
    plane_destroy(f->plane);
    free(f);
}

/* ---- the start -------------------------------------------------------- */

static double bell(double x)
{
    return x * x < 600 ? gen_exp(-x * x) : 0;
}

/* The zonal wind at each row, into p->real. */
static void draw_jets(struct plane *p, struct draw *d)
{
    double speed[2], where[2];

    for (int i = 0; i < 2; i++) {
        speed[i] = 28 + 4 * draw_normal(d);
        where[i] = 40 + 3 * draw_normal(d);
    }
    for (int y = 0; y < p->ny; y++) {
        const double latitude = plane_latitude(p, y);
        const int north = latitude > 0;
        const double u =
            speed[north] * bell((fabs(latitude) - where[north]) / 11) - 6 * bell(latitude / 14);
        for (int x = 0; x < p->nx; x++)
            p->real[y * p->nx + x] = u;
    }
}

/* 0 within 15 degrees of the equator, 1 beyond 35. */
static double middle_latitudes(double latitude)
{
    const double part = (fabs(latitude) - 15) / 20;

    return part < 0 ? 0 : part > 1 ? 1 : part;
}

/* Of a stream function of variance 1 with f->eddies: the mean square wind. */
static double mean_square_wind(const struct flow *f)
{
    const struct plane *p = f->plane;
    double sum = 0;

    for (int y = 0; y < p->ny; y++)
        for (int x = 0; x < p->nx / 2; x++) {
            const double power = f->eddies[at(f, y, x)] * f->eddies[at(f, y, x)];
            sum += (x > 0 ? 2 : 1) * power * square(plane_ky(p, y), plane_kx(p, x));
        }
    return sum;
}

void flow_start(struct flow *f, uint64_t seed, uint64_t sample)
{
    struct plane *p = f->plane;
    struct draw jets = stream_open(seed, sample, STREAM_JETS);
    struct draw eddies = stream_open(seed, sample, STREAM_EDDIES);
    const double scale = EDDY_SPEED / sqrt(mean_square_wind(f));

    plane_draw(p, f->eddies, &eddies);
    plane_backward(p);
    for (int y = 0; y < p->ny; y++)
        for (int x = 0; x < p->nx; x++)
            p->real[y * p->nx + x] *= scale * middle_latitudes(plane_latitude(p, y));
    plane_forward(p);
    for (int y = 0; y < p->ny; y++)
        for (int x = 0; x <= p->nx / 2; x++)
            f->z[at(f, y, x)] =
                is_kept(p, y, x) ? -p->modes[at(f, y, x)] * square(plane_ky(p, y), plane_kx(p, x))
                                 : 0;
    draw_jets(p, &jets);
    plane_forward(p);
    f->mean_u = creal(p->modes[0]);
    for (int y = 1; y < p->ny; y++)
        if (is_kept(p, y, 0))
            f->z[at(f, y, 0)] -= I * plane_ky(p, y) * p->modes[at(f, y, 0)];
}

/* ---- the motion ------------------------------------------------------- */

/* u and v of the vorticity z. */
static void winds(struct flow *f, const fftw_complex *z)
{
    struct plane *p = f->plane;

    for (int which = 0; which < 2; which++) {
        for (int y = 0; y < p->ny; y++)
            for (int x = 0; x <= p->nx / 2; x++) {
                const double ky = plane_ky(p, y), kx = plane_kx(p, x), k2 = square(ky, kx);
                const double factor = k2 > 0 ? (which ? -kx : ky) / k2 : 0;
                p->modes[at(f, y, x)] = I * factor * z[at(f, y, x)]; /* psi = -z / k^2 */
            }
        plane_backward(p);
        memcpy(which ? f->v : f->u, p->real, p->places * sizeof *p->real);
    }
    for (size_t i = 0; i < p->places; i++)
        f->u[i] += f->mean_u;
}

/* dz/dt at z, into f->slope. */
static void tendency(struct flow *f, const fftw_complex *z)
{
    struct plane *p = f->plane;

    winds(f, z);
    for (int which = 0; which < 2; which++) {
        for (size_t i = 0; i < p->places; i++)
            p->real[i] = which ? f->v[i] * f->v[i] - f->u[i] * f->u[i] : f->u[i] * f->v[i];
        plane_forward(p);
        for (int y = 0; y < p->ny; y++)
            for (int x = 0; x <= p->nx / 2; x++) {
                const double ky = plane_ky(p, y), kx = plane_kx(p, x), k2 = square(ky, kx);
                const size_t i = at(f, y, x);
                if (!is_kept(p, y, x))
                    f->slope[i] = 0;
                else if (which)
                    f->slope[i] += kx * ky * p->modes[i];
                else /* beta v with v = -i kx z / k^2 */
                    f->slope[i] = (kx * kx - ky * ky) * p->modes[i] +
                                  (I * (f->beta * kx / k2) - f->viscosity * f->damping[i]) * z[i];
            }
    }
}

void flow_step(struct flow *f, double seconds)
{
    static const double reach[4] = {0.5, 0.5, 1, 0}, weight[4] = {1, 2, 2, 1};
    const size_t n = f->plane->n_modes;

    memset(f->sum, 0, n * sizeof *f->sum);
    memcpy(f->stage, f->z, n * sizeof *f->z);
    for (int s = 0; s < 4; s++) {
        tendency(f, f->stage);
        for (size_t i = 0; i < n; i++) {
            f->sum[i] += weight[s] * f->slope[i];
            f->stage[i] = f->z[i] + reach[s] * seconds * f->slope[i];
        }
    }
    for (size_t i = 0; i < n; i++)
        f->z[i] += seconds / 6 * f->sum[i];
}

void flow_winds(struct flow *f)
{
    winds(f, f->z);
}

void flow_eddies(const struct flow *f, fftw_complex *out)
{
    const struct plane *p = f->plane;

    for (int y = 0; y < p->ny; y++)
        for (int x = 0; x <= p->nx / 2; x++) {
            const double k2 = square(plane_ky(p, y), plane_kx(p, x));
            out[at(f, y, x)] = x > 0 && k2 > 0 ? -f->z[at(f, y, x)] / k2 : 0;
        }
}

/* Half the mean of z^2, or of z^2 / k^2, by Parseval. */
static double half_mean(const struct flow *f, bool energy)
{
    const struct plane *p = f->plane;
    double sum = 0;

    for (int y = 0; y < p->ny; y++)
        for (int x = 0; x < p->nx / 2; x++) {
            const fftw_complex z = f->z[at(f, y, x)];
            const double k2 = square(plane_ky(p, y), plane_kx(p, x));
            const double power = creal(z) * creal(z) + cimag(z) * cimag(z);
            if (k2 > 0)
                sum += (x > 0 ? 1 : 0.5) * power / (energy ? k2 : 1);
        }
    return sum;
}

double flow_energy(const struct flow *f)
{
    return half_mean(f, true);
}

double flow_enstrophy(const struct flow *f)
{
    return half_mean(f, false);
}
