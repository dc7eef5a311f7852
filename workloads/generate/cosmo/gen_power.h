/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Linear theory of a flat universe of cold matter, baryons and a cosmological
 * constant: spectrum, normalisation, growth.
 *
 * EH98: Eisenstein & Hu 1998, ApJ 496, 605; the number is the equation's.
 *
 * Life:    plain values.
 * Failure: none for parameters in the ranges of cosmo_parameters.
 * Threads: pure functions.
 */
#ifndef COSMO_GEN_POWER_H
#define COSMO_GEN_POWER_H

#include "workloads/data/science_cosmo.h"

/* Not varied: Planck 2015 baryons, COBE temperature. */
#define COSMO_OMEGA_B 0.0486
#define COSMO_T_CMB   2.7255

/* In the order of cosmo_parameters. */
struct cosmology {
    double omega_m, sigma_8, n_s, h;
};

/* A cosmology's linear spectrum at redshift 0. */
struct spectrum {
    struct cosmology c;
    double amplitude; /* of k^n_s T^2, from sigma_8 */
    /* EH98's fits for these parameters; lengths in Mpc */
    double k_eq, s, k_silk;
    double alpha_c, beta_c, alpha_b, beta_b, beta_node;
};

/* From unit parameters in [-1, 1]. */
struct cosmology cosmology_from_unit(const double unit[COSMO_PARAMETERS]);

void spectrum_init(struct spectrum *p, const struct cosmology *c);

/* Transfer function with baryon wiggles, EH98 (16); k [h/Mpc]. */
double spectrum_transfer(const struct spectrum *p, double k);

/* P(k) [(Mpc/h)^3] at redshift 0. */
double spectrum_power(const struct spectrum *p, double k);

/* Standard deviation of the density in spheres of radius r [Mpc/h]. */
double spectrum_sigma(const struct spectrum *p, double r);

/* Linear growth D(z), 1 at z = 0. */
double growth_first(double omega_m, double z);

/* Second order: -3/7 D^2 Omega_m(z)^(-1/143) (Bouchet et al. 1995, A&A 296, 575). */
double growth_second(double omega_m, double z);

#endif
