/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The cosmology set: its varied parameters and redshifts, which the generator
 * and the cosmoflow workload share, and what the generator keeps by class.
 *
 * Life:    constant data.
 * Failure: none.
 * Threads: any.
 */
#ifndef DATA_SCIENCE_COSMO_H
#define DATA_SCIENCE_COSMO_H

#include "workloads/data/science.h"

enum { COSMO_CHANNELS = 4, COSMO_PARAMETERS = 4 };

/* Fields, in the order of the table. */
enum { COSMO_X, COSMO_Y };

extern const struct science science_cosmo;

/* data_class.own */
struct cosmo_own {
    double cell_mpc; /* side of a cell [Mpc/h] */
    int particles;   /* that start in each cell */
};

/* A varied parameter: uniform in [low, high]; unit = 2 (p - low) / (high - low) - 1. */
struct cosmo_parameter {
    const char *name; /* as in the published `namePar` */
    double low, high;
};

/* Omega_m, sigma_8, N_spec (n_s), H_0 [km/s/Mpc]. */
extern const struct cosmo_parameter cosmo_parameters[COSMO_PARAMETERS];

/* Of the channels, in order. */
extern const double cosmo_redshifts[COSMO_CHANNELS];

#endif
