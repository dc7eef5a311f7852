/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/generate/cosmo/gen_power.h"

#include <math.h>

#include "workloads/generate/gen_math.h"

/* EH98 (5): ratio of baryon to photon momentum density at redshift z. */
static double baryon_ratio(double omega_b_h2, double theta, double z)
{
    return 31.5 * omega_b_h2 * gen_pow(theta, -4) / (z / 1e3);
}

/* EH98 (15) */
static double suppression(double y)
{
    double r = sqrt(1 + y);

    return y * (-6 * r + (2 + 3 * y) * gen_log((r + 1) / (r - 1)));
}

struct cosmology cosmology_from_unit(const double unit[COSMO_PARAMETERS])
{
    double v[COSMO_PARAMETERS];

    for (int i = 0; i < COSMO_PARAMETERS; i++) {
        const struct cosmo_parameter *p = &cosmo_parameters[i];
        v[i] = p->low + (p->high - p->low) * (unit[i] + 1) / 2;
    }
    return (struct cosmology){v[0], v[1], v[2], v[3] / 100};
}

/* EH98 (2) to (7): the epochs and the lengths they leave; returns R at drag. */
static double fit_scales(struct spectrum *p, double om, double ob, double theta, double *growth)
{
    double z_eq = 2.50e4 * om * gen_pow(theta, -4);
    double b1 = 0.313 * gen_pow(om, -0.419) * (1 + 0.607 * gen_pow(om, 0.674));
    double b2 = 0.238 * gen_pow(om, 0.223);
    double z_d =
        1291 * gen_pow(om, 0.251) / (1 + 0.659 * gen_pow(om, 0.828)) * (1 + b1 * gen_pow(ob, b2));
    double r_eq = baryon_ratio(ob, theta, z_eq);
    double r_d = baryon_ratio(ob, theta, z_d);

    p->k_eq = 7.46e-2 * om / (theta * theta);
    p->s = 2 / (3 * p->k_eq) * sqrt(6 / r_eq) *
           gen_log((sqrt(1 + r_d) + sqrt(r_d + r_eq)) / (1 + sqrt(r_eq)));
    p->k_silk = 1.6 * gen_pow(ob, 0.52) * gen_pow(om, 0.73) * (1 + gen_pow(10.4 * om, -0.95));
    *growth = (1 + z_eq) / (1 + z_d);
    return r_d;
}

/* EH98 (11) to (14), (23), (24) */
static void fit_amplitudes(struct spectrum *p, double om, double fb, double r_d, double growth)
{
    double a1 = gen_pow(46.9 * om, 0.670) * (1 + gen_pow(32.1 * om, -0.532));
    double a2 = gen_pow(12.0 * om, 0.424) * (1 + gen_pow(45.0 * om, -0.582));
    double b1 = 0.944 / (1 + gen_pow(458 * om, -0.708));
    double b2 = gen_pow(0.395 * om, -0.0266);

    p->alpha_c = gen_pow(a1, -fb) * gen_pow(a2, -fb * fb * fb);
    p->beta_c = 1 / (1 + b1 * (gen_pow(1 - fb, b2) - 1));
    p->alpha_b = 2.07 * p->k_eq * p->s * gen_pow(1 + r_d, -0.75) * suppression(growth);
    p->beta_b = 0.5 + fb + (3 - 2 * fb) * sqrt(17.2 * om * 17.2 * om + 1);
    p->beta_node = 8.41 * gen_pow(om, 0.435);
}

void spectrum_init(struct spectrum *p, const struct cosmology *c)
{
    double om = c->omega_m * c->h * c->h;
    double ob = COSMO_OMEGA_B * c->h * c->h;
    double growth;

    p->c = *c;
    double r_d = fit_scales(p, om, ob, COSMO_T_CMB / 2.7, &growth);
    fit_amplitudes(p, om, COSMO_OMEGA_B / c->omega_m, r_d, growth);
    p->amplitude = 1;
    double sigma = spectrum_sigma(p, 8);
    p->amplitude = c->sigma_8 * c->sigma_8 / (sigma * sigma);
}

/* EH98 (19), (20) */
static double pressureless(double q, double alpha, double beta)
{
    double l = gen_log(M_E + 1.8 * beta * q);
    double c = 14.2 / alpha + 386 / (1 + 69.9 * gen_pow(q, 1.08));

    return l / (l + c * q * q);
}

/* EH98 (21), (22) */
static double baryons(const struct spectrum *p, double k, double q)
{
    double ks = k * p->s;
    double node = p->beta_node / ks;
    double b = p->beta_b / ks;
    double x = ks / gen_pow(1 + node * node * node, 1.0 / 3);
    double sine, cosine;

    gen_sincos(x, &sine, &cosine);
    return (pressureless(q, 1, 1) / (1 + ks / 5.2 * (ks / 5.2)) +
            p->alpha_b / (1 + b * b * b) * gen_exp(-gen_pow(k / p->k_silk, 1.4))) *
           sine / x;
}

double spectrum_transfer(const struct spectrum *p, double k_h)
{
    double k = k_h * p->c.h; /* EH98 in 1/Mpc */
    double fb = COSMO_OMEGA_B / p->c.omega_m;
    double q = k / (13.41 * p->k_eq);
    double ks = k * p->s / 5.4;
    double f = 1 / (1 + ks * ks * ks * ks);
    double cold =
        f * pressureless(q, 1, p->beta_c) + (1 - f) * pressureless(q, p->alpha_c, p->beta_c);

    return fb * baryons(p, k, q) + (1 - fb) * cold;
}

double spectrum_power(const struct spectrum *p, double k)
{
    double t = spectrum_transfer(p, k);

    return p->amplitude * gen_pow(k, p->c.n_s) * t * t;
}

/* sigma^2 = integral of k^3 P W^2 / (2 pi^2) d ln k, trapezoids; the top
 * hat's window has fallen as (kr)^-4 by the upper end. */
double spectrum_sigma(const struct spectrum *p, double r)
{
    const int steps = 700;
    const double low = -9.3, high = 4.7; /* ln k: 1e-4 to 100 h/Mpc */
    double sum = 0;

    for (int i = 0; i <= steps; i++) {
        double k = gen_exp(low + (high - low) * i / steps);
        double x = k * r, sine, cosine;
        gen_sincos(x, &sine, &cosine);
        /* the closed form cancels below 0.01 */
        double w = x < 0.01 ? 1 - x * x / 10 : 3 * (sine - x * cosine) / (x * x * x);
        sum += k * k * k * spectrum_power(p, k) * w * w;
    }
    return sqrt(sum * (high - low) / steps / (2 * M_PI * M_PI));
}

/* D(a) = H(a) integral of da / (a H)^3, up to a factor; Simpson. */
static double growth_unscaled(double omega_m, double a)
{
    const int steps = 256;
    double sum = 0;

    for (int i = 1; i <= steps; i++) {
        double x = a * i / steps;
        double y = sqrt(x / (omega_m + (1 - omega_m) * x * x * x));
        sum += y * y * y * (i == steps ? 1 : i % 2 ? 4 : 2);
    }
    return sqrt(omega_m / (a * a * a) + 1 - omega_m) * sum * a / steps / 3;
}

double growth_first(double omega_m, double z)
{
    return growth_unscaled(omega_m, 1 / (1 + z)) / growth_unscaled(omega_m, 1);
}

double growth_second(double omega_m, double z)
{
    double d = growth_first(omega_m, z);
    double matter = omega_m * (1 + z) * (1 + z) * (1 + z);

    return -3.0 / 7 * d * d * gen_pow(matter / (matter + 1 - omega_m), -1.0 / 143);
}
