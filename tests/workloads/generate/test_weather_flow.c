/* SPDX-License-Identifier: BSD-3-Clause */
/* The plane of the weather and the wind on it: the flow keeps what an inviscid one keeps
 * and has its spectrum. */
#include <config.h>

#include "tests/unit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "workloads/generate/weather/flow.h"
#include "workloads/generate/weather/weather.h"

enum { SEED = 5 };

static struct err e = ERR_INIT;

static void near(double got, double want, double absolute)
{
    if (!(fabs(got - want) <= absolute))
        fail_msg("%.9g where %.9g was expected within %g", got, want, absolute);
}

/* ---- planes ----------------------------------------------------------- */

static double wave_at(const struct plane *p, int y, int x)
{
    return sin(2 * M_PI * 3 * x / p->nx + 1) *
           cos(2 * M_PI * 2 * (plane_latitude(p, y) + PLANE_LATITUDE) / (2 * PLANE_LATITUDE) + 0.3);
}

static void fill_wave(struct plane *p)
{
    for (int y = 0; y < p->ny; y++)
        for (int x = 0; x < p->nx; x++)
            p->real[y * p->nx + x] = wave_at(p, y, x);
}

/* A wave has the same value at the same place of every plane, and its wave numbers
 * are those of degrees. */
static void a_field_is_the_same_on_finer_planes(void **state)
{
    struct plane *coarse = plane_create(16, 24, &e), *fine = plane_create(48, 96, &e);
    double sum = 0;

    (void)state;
    fill_wave(coarse);
    plane_forward(coarse);
    for (int y = 0; y < 16; y++)
        for (int x = 0; x < 12; x++)
            sum += cabs(coarse->modes[y * 13 + x]) > 1e-9;
    assert_true(sum == 2); /* +-2 and 3 */
    near(plane_kx(coarse, 3), 2 * M_PI * 3 / (360 * PLANE_DEGREE), 1e-18);
    near(plane_ky(coarse, 14), -2 * M_PI * 2 / (132 * PLANE_DEGREE), 1e-18);
    plane_refine(fine, coarse, coarse->modes);
    for (int y = 0; y < fine->ny; y++)
        for (int x = 0; x < fine->nx; x++)
            near(fine->real[y * fine->nx + x], wave_at(fine, y, x), 1e-9);
    plane_destroy(fine);
    plane_destroy(coarse);
}

/* Bilinear, around the date line, held at the edges. */
static void values_between_places(void **state)
{
    struct plane *p = plane_create(4, 6, &e);
    double field[24];

    (void)state;
    for (int i = 0; i < 24; i++)
        field[i] = i;
    near(plane_at(p, field, 1, 2), 8, 0);
    near(plane_at(p, field, 1.5, 2.25), 11.25, 1e-12);
    near(plane_at(p, field, 0, 5.5), 2.5, 1e-12);
    near(plane_at(p, field, 0, -0.5), 2.5, 1e-12);
    near(plane_at(p, field, 0, -6.5), 2.5, 1e-12);
    near(plane_at(p, field, -3, 4), 4, 0);
    near(plane_at(p, field, 9, 4), 22, 0);
    plane_destroy(p);
}

/* ---- the flow --------------------------------------------------------- */

/* Kinetic energy in shells of K, waves around the globe; without the zonal mean. */
static void add_energy(const struct flow *f, double *shell, int shells)
{
    const struct plane *p = f->plane;
    const double one = 2 * M_PI / (360 * PLANE_DEGREE);

    for (int y = 0; y < p->ny; y++)
        for (int x = 1; x < p->nx / 2; x++) {
            const double ky = plane_ky(p, y), kx = plane_kx(p, x), k2 = ky * ky + kx * kx;
            const int k = (int)(sqrt(k2) / one + 0.5);
            const double z = cabs(f->z[y * (p->nx / 2 + 1) + x]);
            if (k < shells)
                shell[k] += z * z / k2;
        }
}

/* Least squares of log E on log K from `from` to `to`. */
static double slope_of(const double *shell, int from, int to)
{
    double sx = 0, sy = 0, sxx = 0, sxy = 0, n = 0;

    for (int k = from; k <= to; k++) {
        const double x = log(k), y = log(shell[k]);
        sx += x, sy += y, sxx += x * x, sxy += x * y, n++;
    }
    return (n * sxy - sx * sy) / (n * sxx - sx * sx);
}

/* Between 4 waves around the globe and half of the highest that the plane holds, at
 * the start and when the weather is made of it. */
static void kinetic_energy_falls_as_the_third_power(void **state)
{
    enum { SHELLS = 37, FLOWS = 4 };
    struct flow *f = flow_create(96, 144, &e);
    double first[SHELLS] = {0}, last[SHELLS] = {0};

    (void)state;
    for (uint64_t s = 0; s < FLOWS; s++) {
        flow_start(f, SEED, s);
        add_energy(f, first, SHELLS);
        for (int t = 0; t < WEATHER_SPIN_UP; t++)
            flow_step(f, 3600);
        add_energy(f, last, SHELLS);
    }
    near(slope_of(first, 5, 36), -3, 0.3);
    near(slope_of(last, 5, 36), -3, 0.3);
    flow_destroy(f);
}

/* Without viscosity, over five days in steps as the weather takes them. */
static void the_unforced_flow_keeps_energy_and_enstrophy(void **state)
{
    struct flow *f = flow_create(48, 72, &e);

    (void)state;
    f->viscosity = 0;
    for (uint64_t s = 0; s < 3; s++) {
        flow_start(f, SEED, s);
        const double energy = flow_energy(f), enstrophy = flow_enstrophy(f);
        for (int t = 0; t < 80; t++)
            flow_step(f, 5400);
        near(flow_energy(f) / energy, 1, 1e-3);
        near(flow_enstrophy(f) / enstrophy, 1, 1e-3);
        assert_true(energy > 50 && energy < 500); /* (m/s)^2 */
    }
    flow_destroy(f);
}

/* One wave of a resting plane moves west at beta / k^2 (Rossby 1939), against a mean
 * wind that carries it east. */
static void a_rossby_wave_has_its_speed(void **state)
{
    struct flow *f = flow_create(16, 24, &e);
    const double k = plane_kx(f->plane, 4), hours = 30;

    (void)state;
    memset(f->z, 0, f->plane->n_modes * sizeof *f->z);
    f->z[4] = 1e-5;
    f->mean_u = 20;
    f->viscosity = 0;
    for (int t = 0; t < 30; t++)
        flow_step(f, 3600);
    near(carg(f->z[4]), remainder(-k * (20 - f->beta / (k * k)) * hours * 3600, 2 * M_PI), 1e-4);
    near(cabs(f->z[4]), 1e-5, 1e-9);
    flow_destroy(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_field_is_the_same_on_finer_planes),
        cmocka_unit_test(values_between_places),
        cmocka_unit_test(kinetic_energy_falls_as_the_third_power),
        cmocka_unit_test(the_unforced_flow_keeps_energy_and_enstrophy),
        cmocka_unit_test(a_rossby_wave_has_its_speed),
    };

    return cmocka_run_group_tests_name("weather's flow", tests, NULL, NULL);
}
